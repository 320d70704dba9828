/** Writing a flash image back so that a crash at any point leaves the old file or the new one, whole. */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CliError } from './cli-error.ts';
import { readInput } from './input-file.ts';

/** The steps of a write, in order; `onStep` is called after each. */
export const FLASH_WRITE_STEPS = ['create', 'half', 'write', 'sync', 'rename', 'done'] as const;
export type FlashWriteStep = (typeof FLASH_WRITE_STEPS)[number];

const writeAll = (file: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
};

/** A rename is on the disk when its folder is. Some file systems cannot sync a folder: then the rename stays atomic, not durable. */
const syncFolder = (folder: string): void => {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  } finally {
    closeSync(handle);
  }
};

const permissions = (path: string): number => {
  if (!existsSync(path)) return 0o644;
  const file = openSync(path, 'r');
  try {
    return fstatSync(file).mode & 0o777;
  } finally {
    closeSync(file);
  }
};

/**
 * Replaces a file: a temporary file beside it is written and synced, then takes its name. Symbolic links stay, their target is replaced.
 * @throws the file system's error; the old file is then untouched and the temporary one gone.
 */
export const replaceFile = (
  path: string,
  bytes: Uint8Array,
  onStep: (step: FlashWriteStep) => void = () => undefined,
): void => {
  const target = existsSync(path) ? realpathSync(path) : path;
  const folder = dirname(target);
  const temporary = join(folder, `.${process.pid}-${Date.now().toString(36)}.systab-tmp`);
  let renamed = false;
  try {
    const file = openSync(temporary, 'wx', permissions(target));
    try {
      onStep('create');
      const half = bytes.length >>> 1;
      writeAll(file, bytes.subarray(0, half));
      onStep('half');
      writeAll(file, bytes.subarray(half));
      onStep('write');
      fsyncSync(file);
      onStep('sync');
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
    renamed = true;
    onStep('rename');
    syncFolder(folder);
    onStep('done');
  } finally {
    if (!renamed) rmSync(temporary, { force: true });
  }
};

/**
 * Replaces a flash file that is still what was read from it.
 * @throws CliError when it is not: whoever changed it meanwhile keeps the change.
 */
export const replaceUnchanged = (path: string, read: Uint8Array, bytes: Uint8Array): void => {
  if (Buffer.compare(readInput(path), read) !== 0)
    throw new CliError(path, 'somebody else changed it in the meantime: it is left as it is');
  replaceFile(path, bytes);
};
