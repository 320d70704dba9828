/** Which variables a command works on, and what becomes of the changes it makes. */
import { CliError } from '../cli-error.ts';
import { readInput } from '../input-file.ts';
import { replaceFile, replaceUnchanged } from '../flash-file.ts';
import type { SystemCommandOptions } from '../running-system.ts';
import type { Terminal } from '../terminal.ts';
import type { VariableAccess } from './access.ts';
import { openStore } from './store-file.ts';

/** Options of every command on variables: a store file, or a machine with firmware that runs. */
export interface TargetOptions extends SystemCommandOptions {
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
  /** The file belongs to the system, or there is none: changes do not go there. */
  readonly template: boolean;
}

const storeTarget = (path: string): Target => {
  const bytes = readInput(path);
  return { access: openStore(path, bytes), path, bytes, template: false };
};

const runningTarget = async (
  terminal: Terminal,
  json: boolean,
  options: TargetOptions,
): Promise<Target> => {
  const { startSystem } = await import('../running-system.ts');
  const { system, files } = await startSystem(terminal, json, options);
  return {
    access: {
      source: options.code ?? options.firmware,
      variables: system.runtime.variables,
      timeStamp: () => undefined,
      image: () => system.pc.flashContents(files.vars ? 1 : 0),
    },
    ...(files.vars ?? files.code),
    template: files.template,
  };
};

/** Opens what the options name. */
export const openTarget = (
  terminal: Terminal,
  json: boolean,
  options: TargetOptions,
): Promise<Target> =>
  options.store === undefined
    ? runningTarget(terminal, json, options)
    : Promise.resolve(storeTarget(options.store));

/** Opens what is to be changed; the changes must have somewhere to go. */
export const openForChange = async (
  terminal: Terminal,
  json: boolean,
  options: ChangeOptions,
): Promise<Target> => {
  const { writeVars, output, dryRun } = options;
  const chosen = [writeVars, output !== undefined, dryRun].filter(Boolean).length;
  if (chosen > 1)
    throw new CliError('destination', '--write-vars, --output and --dry-run exclude each other');
  if (chosen === 0)
    throw new CliError(
      'destination',
      'a store is not changed unless you say where: --write-vars changes the file itself, --output <file> writes another, --dry-run only shows',
    );
  const target = await openTarget(terminal, json, options);
  if (writeVars && target.template)
    throw new CliError(
      '--write-vars',
      `needs --vars <file>: there is no file of yours behind the variables of ${target.access.source}`,
    );
  return target;
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
