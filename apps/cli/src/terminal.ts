import { styleText } from 'node:util';

/** Where a command writes to. Standard output carries results only; everything else goes to standard error. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** True when standard output may carry colours. */
  readonly colour: boolean;
}

/** Emphasis of a piece of output. */
export type Style = 'bold' | 'dim' | 'red';

/** Colours follow the NO_COLOR and FORCE_COLOR conventions, else whether the stream is a terminal. */
const coloursFor = (stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean => {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  return stream.isTTY;
};

/** The terminal of this process. */
export const processTerminal = (): Terminal => ({
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  colour: coloursFor(process.stdout, process.env),
});

/** The text in a style, or as it is where colours are off. */
export const styled = (terminal: Terminal, style: Style, text: string): string =>
  terminal.colour ? styleText(style, text, { validateStream: false }) : text;
