/** How much a line matters, as the kernel grades it. */
export type LogLevel = 'err' | 'warn' | 'info' | 'debug';

/** One line of the kernel log. */
export interface LogLine {
  readonly level: LogLevel;
  /** With its prefix: `efi: EFI v2.70 by EDK II`. */
  readonly text: string;
}

/** Collects the lines of one boot. */
export interface KernelLog {
  readonly lines: readonly LogLine[];
  readonly err: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly info: (text: string) => void;
  readonly debug: (text: string) => void;
}

/** An empty log; `listen` hears every line as it comes. */
export const createKernelLog = (listen: (line: LogLine) => void = () => undefined): KernelLog => {
  const lines: LogLine[] = [];
  const write =
    (level: LogLevel) =>
    (text: string): void => {
      const line = Object.freeze({ level, text });
      lines.push(line);
      listen(line);
    };
  return Object.freeze<KernelLog>({
    lines,
    err: write('err'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
  });
};
