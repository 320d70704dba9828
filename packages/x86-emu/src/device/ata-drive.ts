// A drive's task file: the registers by number and the sector address and count that they hold.
// Source: ATA/ATAPI-6 (T13/1410D), 6.2 (addressing), 7 (registers), 6.20 (48-bit address feature set).

import type { DiskGeometry, TransferModes } from './ata-identify.ts';
import { DEFAULT_MODES, geometryOf, MAX_MULTIPLE } from './ata-identify.ts';
import type { DiskImage } from './disk-image.ts';

/** Register numbers: offsets in the command block. */
export const FEATURE_ERROR = 1;
export const SECTOR_COUNT = 2;
const SECTOR_NUMBER = 3;
const CYLINDER_LOW = 4;
const CYLINDER_HIGH = 5;
export const DEVICE_HEAD = 6;
export const COMMAND_STATUS = 7;

/** Device/head register: logical block address instead of cylinder and head. */
export const LBA = 0x40;

/** One drive position of a channel; without a disk it only holds what is written to it. */
export interface Drive {
  readonly disk: DiskImage | undefined;
  readonly geometry: DiskGeometry;
  /** Task file: index by register number; the previous contents for 48-bit commands in `hob`. */
  readonly file: Uint8Array;
  readonly hob: Uint8Array;
  status: number;
  error: number;
  multiple: number;
  modes: TransferModes;
}

export const createDrive = (disk: DiskImage | undefined): Drive => ({
  disk,
  geometry: geometryOf(disk?.sectors ?? 0),
  file: new Uint8Array(8),
  hob: new Uint8Array(8),
  status: 0,
  error: 0,
  multiple: MAX_MULTIPLE,
  modes: DEFAULT_MODES,
});

/** The address in the task file: 28-bit, 48-bit when `wide`, or cylinder, head and sector. */
export const address = (drive: Drive, wide: boolean): number => {
  const { file, hob, geometry } = drive;
  if ((file[DEVICE_HEAD]! & LBA) !== 0) {
    const low =
      file[SECTOR_NUMBER]! + file[CYLINDER_LOW]! * 2 ** 8 + file[CYLINDER_HIGH]! * 2 ** 16;
    if (!wide) return low + (file[DEVICE_HEAD]! & 0x0f) * 2 ** 24;
    return (
      low +
      hob[SECTOR_NUMBER]! * 2 ** 24 +
      hob[CYLINDER_LOW]! * 2 ** 32 +
      hob[CYLINDER_HIGH]! * 2 ** 40
    );
  }
  const cylinder = file[CYLINDER_LOW]! | (file[CYLINDER_HIGH]! << 8);
  const head = file[DEVICE_HEAD]! & 0x0f;
  return (cylinder * geometry.heads + head) * geometry.sectorsPerTrack + file[SECTOR_NUMBER]! - 1;
};
export const setAddress = (drive: Drive, lba: number, wide: boolean): void => {
  const { file, hob, geometry } = drive;
  const byte = (n: number): number => Math.floor(lba / 2 ** (8 * n)) & 0xff;
  if ((file[DEVICE_HEAD]! & LBA) !== 0) {
    file.set([byte(0), byte(1), byte(2)], SECTOR_NUMBER);
    if (wide) hob.set([byte(3), byte(4), byte(5)], SECTOR_NUMBER);
    else file[DEVICE_HEAD] = (file[DEVICE_HEAD]! & 0xf0) | (byte(3) & 0x0f);
    return;
  }
  const track = Math.floor(lba / geometry.sectorsPerTrack);
  const cylinder = Math.floor(track / geometry.heads);
  file.set([(lba % geometry.sectorsPerTrack) + 1, cylinder & 0xff, cylinder >>> 8], SECTOR_NUMBER);
  file[DEVICE_HEAD] = (file[DEVICE_HEAD]! & 0xf0) | (track % geometry.heads);
};
/** 0 stands for the largest count. */
export const sectorCount = (drive: Drive, wide: boolean): number => {
  const { file, hob } = drive;
  if (!wide) return file[SECTOR_COUNT]! || 256;
  return hob[SECTOR_COUNT]! * 256 + file[SECTOR_COUNT]! || 65_536;
};
export const setSectorCount = (drive: Drive, count: number): void => {
  drive.file[SECTOR_COUNT] = count & 0xff;
  drive.hob[SECTOR_COUNT] = (count >>> 8) & 0xff;
};
