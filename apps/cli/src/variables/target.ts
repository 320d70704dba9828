/** Which variables a command works on, and what becomes of the changes it makes. */
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { readInput } from '../firmware-files.ts';
import { replaceFile, replaceUnchanged } from '../flash-file.ts';
import type { Terminal } from '../terminal.ts';
import type { VariableAccess } from './access.ts';
import { openStore } from './store-file.ts';

/** Options of every command on variables. */
export interface TargetOptions {
  readonly store?: string;
}

/** Options of those that change them. */
export interface ChangeOptions extends TargetOptions {
  readonly writeVars: boolean;
  readonly output?: string;
  readonly dryRun: boolean;
}

/** Variables, and the file that their flash was read from. */
export interface Target {
  readonly access: VariableAccess;
  readonly path: string;
  readonly bytes: Uint8Array;
}

export const addTargetOptions = (command: Command): Command =>
  command.option('--store <file>', 'variable store: a .fd file, as OVMF_VARS.fd');

export const addChangeOptions = (command: Command): Command =>
  addTargetOptions(command)
    .option('--write-vars', 'write the changes to that file, atomically', false)
    .option('--output <file>', 'write the changed store to another file')
    .option('--dry-run', 'show what would change, write nothing', false);

/** Opens what the options name. */
export const openTarget = ({ store }: TargetOptions): Target => {
  if (store === undefined)
    throw new CliError('--store', 'which variables? --store <file> names a variable store');
  const bytes = readInput(store);
  return { access: openStore(store, bytes), path: store, bytes };
};

/** Checks, before any work, that changes have somewhere to go. */
export const checkDestination = ({ writeVars, output, dryRun }: ChangeOptions): void => {
  const chosen = [writeVars, output !== undefined, dryRun].filter(Boolean).length;
  if (chosen === 1) return;
  throw new CliError(
    'destination',
    chosen === 0
      ? 'a store is not changed unless you say where: --write-vars changes the file itself, --output <file> writes another, --dry-run only shows'
      : '--write-vars, --output and --dry-run exclude each other',
  );
};

/** Puts the flash where the options say. Gives the file that was written; undefined when nothing was to be written. */
export const commit = (
  { access, path, bytes }: Target,
  { writeVars, output }: ChangeOptions,
): string | undefined => {
  const image = access.image();
  if (output !== undefined) {
    replaceFile(output, image);
    return output;
  }
  if (!writeVars || Buffer.compare(image, bytes) === 0) return undefined;
  replaceUnchanged(path, bytes, image);
  return path;
};

/** Says on standard error what `commit` did. */
export const sayWritten = (terminal: Terminal, written: string | undefined): void =>
  terminal.err(`systab: ${written === undefined ? 'nothing written' : `written to ${written}`}\n`);
