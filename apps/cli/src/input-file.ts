/** Files that the user names. */
import { readFileSync } from 'node:fs';
import { CliError } from './cli-error.ts';

/** Reads a file that the user named; errors say which and why. */
export const readInput = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EISDIR: 'this is a folder, expected a file',
      EACCES: 'it may not be read',
    };
    throw new CliError(path, reasons[code] ?? `it cannot be read (${code})`);
  }
};
