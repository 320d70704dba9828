import { styleText } from 'node:util';

/** Where a command writes to. Standard output carries results only; everything else goes to standard error. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Bytes of a guest, to standard output as they are. Without it they go to `out`, one character each. */
  readonly bytes?: (bytes: Uint8Array) => void;
  /** True when standard output may carry colours. */
  readonly colour: boolean;
  /** Standard error is a terminal, so a line may be redrawn there: `until output` if a guest's output goes to a terminal too. */
  readonly progress?: 'always' | 'until output';
  /** Starts to read what is typed; `leave` is called when the session is to end. Gives the function that stops it. */
  readonly input?: (type: (bytes: Uint8Array) => void, leave: () => void) => () => void;
}

/** Emphasis of a piece of output. */
export type Style = 'bold' | 'dim' | 'red' | 'green';

/** Control-], as telnet and virsh have it: the one key that the guest does not get. */
const LEAVE_KEY = 0x1d;

/** Colours follow the NO_COLOR and FORCE_COLOR conventions, else whether the stream is a terminal. */
const coloursFor = (stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean => {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  return stream.isTTY;
};

/** Reads standard input: key by key from a terminal, in blocks from a pipe. */
const readInput: NonNullable<Terminal['input']> = (type, leave) => {
  const { stdin } = process;
  const onData = (chunk: Buffer): void => {
    const at = stdin.isTTY ? chunk.indexOf(LEAVE_KEY) : -1;
    if (at >= 0) leave();
    else type(chunk);
  };
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    process.stderr.write('systab: Control-] ends the session\r\n');
  }
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  };
};

/** The terminal of this process. */
export const processTerminal = (): Terminal => ({
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  bytes: (bytes) => process.stdout.write(bytes),
  colour: coloursFor(process.stdout, process.env),
  ...(process.stderr.isTTY
    ? { progress: process.stdout.isTTY ? ('until output' as const) : ('always' as const) }
    : {}),
  input: readInput,
});

/** Guest bytes on a terminal that may know text only. */
export const writeBytes = (terminal: Terminal, bytes: Uint8Array): void => {
  if (terminal.bytes) terminal.bytes(bytes);
  else terminal.out(Buffer.from(bytes).toString('latin1'));
};

/** A result as one line of JSON. */
export const printJson = (terminal: Terminal, value: unknown): void =>
  terminal.out(`${JSON.stringify(value)}\n`);

/** The text in a style, or as it is where colours are off. */
export const styled = (terminal: Terminal, style: Style, text: string): string =>
  terminal.colour ? styleText(style, text, { validateStream: false }) : text;
