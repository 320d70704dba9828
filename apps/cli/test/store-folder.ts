import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { blankVariableVolume, encodeVariableVolume, VOLUME_GEOMETRY } from '@systab/efi-core';
import type { VolumeGeometry } from '@systab/efi-core';
import { exitCodes } from '@systab/cli';
import { systab } from './run-systab.ts';
import type { Ran } from './run-systab.ts';

export const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
export const VENDOR = '11111111-2222-3333-4444-555555555555';
/** A store for 4 KiB less its headers. */
export const TINY: VolumeGeometry = {
  variables: 0x1000,
  eventLog: 0x1000,
  working: 0x1000,
  spare: 0x3000,
};

/** Bytes of an empty store. */
export const blank = (geometry: VolumeGeometry): Uint8Array =>
  encodeVariableVolume(blankVariableVolume(geometry));

/** A folder for each test of a file, with a store in it, and `systab vars` on that. */
export interface StoreFolder {
  /** The store that the functions below work on. */
  store: string;
  readonly path: (name: string) => string;
  /** Writes a file; gives its path. */
  readonly file: (name: string, contents: Uint8Array | string) => string;
  readonly vars: (...args: readonly string[]) => Promise<Ran>;
  /** A change in place that must succeed; gives what it prints. */
  readonly change: (...args: readonly string[]) => Promise<string>;
  /** The error of a command line that must fail, without the program's name. */
  readonly failure: (...args: readonly string[]) => Promise<string>;
}

export const useStoreFolder = (): StoreFolder => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  const file = (name: string, contents: Uint8Array | string): string => {
    writeFileSync(path(name), contents);
    return path(name);
  };
  const vars = (...args: readonly string[]): Promise<Ran> =>
    systab('vars', ...args, '--store', use.store);
  const use: StoreFolder = {
    store: '',
    path,
    file,
    vars,
    change: async (...args) => {
      const { exitCode, out, err } = await vars(...args, '--write-vars');
      expect({ exitCode, err }).toMatchObject({ exitCode: exitCodes.ok });
      return out;
    },
    failure: async (...args) => {
      const { exitCode, out, err } = await vars(...args);
      expect({ exitCode, out }).toEqual({ exitCode: exitCodes.usage, out: '' });
      return err.replace(/^systab: /, '').trimEnd();
    },
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'systab-vars-'));
    use.store = file('vars.fd', blank(VOLUME_GEOMETRY['2M']));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  return use;
};
