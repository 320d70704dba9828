/** Disk images of the host as disks of the guest. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createDiskImage, SECTOR_SIZE } from '@systab/x86-emu';
import type { DiskImage } from '@systab/x86-emu';
import { sha256 } from './boot-cache.ts';
import { CliError } from './cli-error.ts';

/** An open image; `bytes` is its size. */
export interface Disk {
  /** A disk of a new machine: what its guest writes is its own. */
  readonly create: () => DiskImage;
  readonly bytes: number;
  readonly hash: () => string;
  readonly close: () => void;
}

/** A disk image that is read as the guest asks for it and never written. */
export const openDisk = (path: string): Disk => {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new CliError(
      path,
      `the disk image cannot be opened (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  const stat = fstatSync(file);
  if (!stat.isFile() || stat.size === 0) {
    closeSync(file);
    throw new CliError(path, 'a disk image is a file with at least one sector of 512 bytes');
  }
  const read = (lba: number, count: number): Uint8Array => {
    const bytes = new Uint8Array(count * SECTOR_SIZE);
    for (let at = 0; at < bytes.length;) {
      const got = readSync(file, bytes, at, bytes.length - at, lba * SECTOR_SIZE + at);
      if (got === 0) break;
      at += got;
    }
    return bytes;
  };
  const sectors = Math.ceil(stat.size / SECTOR_SIZE);
  return {
    create: () => createDiskImage({ sectors, read }),
    bytes: stat.size,
    hash: () => sha256(read(0, sectors)),
    close: () => closeSync(file),
  };
};
