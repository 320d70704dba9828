// The medium of a disk: an image that is never changed and the sectors written over it.

import type { StateObject } from './ops.ts';

export const SECTOR_SIZE = 512;

/** Where a disk's sectors come from. */
export interface SectorSource {
  readonly sectors: number;
  /** `count` sectors from `lba` on, all inside the disk. */
  readonly read: (lba: number, count: number) => Uint8Array;
}

export type DiskImageState = StateObject & {
  readonly lbas: readonly number[];
  readonly data: Uint8Array;
};

export interface DiskImage extends SectorSource {
  /** Writes one sector. */
  readonly write: (lba: number, data: Uint8Array) => void;
  /** The written sectors only: the source is not part of a snapshot. */
  readonly save: () => DiskImageState;
  readonly load: (state: DiskImageState) => void;
}

/** Sectors of an array; the last one is filled up with zeros. */
export const arraySource = (bytes: Uint8Array): SectorSource => ({
  sectors: Math.ceil(bytes.length / SECTOR_SIZE),
  read: (lba, count) => {
    const data = new Uint8Array(count * SECTOR_SIZE);
    data.set(bytes.subarray(lba * SECTOR_SIZE, (lba + count) * SECTOR_SIZE));
    return data;
  },
});

export const createDiskImage = (source: SectorSource): DiskImage => {
  const written = new Map<number, Uint8Array>();
  return {
    sectors: source.sectors,
    read: (lba, count) => {
      const data = source.read(lba, count);
      for (let i = 0; i < count; i++) {
        const over = written.get(lba + i);
        if (over !== undefined) data.set(over, i * SECTOR_SIZE);
      }
      return data;
    },
    write: (lba, data) => written.set(lba, data.slice(0, SECTOR_SIZE)),
    save: () => {
      const lbas = [...written.keys()].toSorted((a, b) => a - b);
      const data = new Uint8Array(lbas.length * SECTOR_SIZE);
      lbas.forEach((lba, i) => data.set(written.get(lba)!, i * SECTOR_SIZE));
      return { lbas, data };
    },
    load: (state) => {
      written.clear();
      state.lbas.forEach((lba, i) =>
        written.set(lba, state.data.slice(i * SECTOR_SIZE, (i + 1) * SECTOR_SIZE)),
      );
    },
  };
};
