import { runCli } from '@systab/cli';
import type { ExitCode } from '@systab/cli';

/** What one command line gave. */
export interface Ran {
  readonly exitCode: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line and keeps what it prints; bytes become one character each. */
export const systab = async (...args: readonly string[]): Promise<Ran> => {
  let out = '';
  let err = '';
  const exitCode = await runCli(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    colour: false,
  });
  return { exitCode, out, err };
};
