import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  blankVariableVolume,
  decodeFirmwareVolumeHeader,
  encodeFirmwareVolumeHeader,
  encodeVariableVolume,
  VOLUME_GEOMETRY,
} from '@systab/efi-core';
import { loadFirmware } from '../src/firmware-files.ts';
import type { FirmwareFiles } from '../src/firmware-files.ts';

const MIB = 2 ** 20;

/** Variables of the 2 MiB build. */
const VARS: Uint8Array = encodeVariableVolume(blankVariableVolume(VOLUME_GEOMETRY['2M']));

const changed = (bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};

/** Its code: one firmware volume over all of it, and a jump at the reset vector. */
const codeImage = (): Uint8Array => {
  const bytes = new Uint8Array(2 * MIB - VARS.length);
  const vars = decodeFirmwareVolumeHeader(VARS);
  if (!vars.ok) throw new Error('the blank volume has no header');
  bytes.set(encodeFirmwareVolumeHeader({ ...vars.value, fvLength: BigInt(bytes.length) }));
  bytes.set([0xe9, 0x0d, 0x00], bytes.length - 16);
  return bytes;
};

const CODE = codeImage();
const COMBINED = Uint8Array.from([...VARS, ...CODE]);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-firmware-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const load = (code: Uint8Array, vars: Uint8Array, unchecked = false): FirmwareFiles =>
  loadFirmware({
    firmware: 'ovmf',
    code: file('code.fd', code),
    vars: file('vars.fd', vars),
    unchecked,
  });

const loadCombined = (bytes: Uint8Array): FirmwareFiles =>
  loadFirmware({ firmware: file('both.fd', bytes), unchecked: false });

describe('firmware images', () => {
  test('a build of code and variables is taken', () => {
    const { code, vars, template } = load(CODE, VARS);
    expect(Buffer.compare(code.bytes, CODE)).toBe(0);
    expect(Buffer.compare(vars?.bytes ?? new Uint8Array(), VARS)).toBe(0);
    expect(template).toBe(false);
  });

  test('a combined image is taken, and a ROM that says nothing of itself', () => {
    expect(loadCombined(COMBINED).vars).toBeUndefined();
    const rom = changed(new Uint8Array(0x1_0000), 0xfff0, 0xe9);
    expect(loadCombined(rom).code.bytes).toHaveLength(0x1_0000);
  });

  test.each([
    {
      what: 'code that is too short',
      images: [new Uint8Array(0x8000), VARS],
      message: 'a flash image has 64 KiB to 16 MiB and a multiple of 4096 bytes, this one 32768',
    },
    {
      what: 'variables that are too long',
      images: [CODE, new Uint8Array(17 * MIB)],
      message: 'this one 17825792',
    },
    {
      what: 'code in a qcow2 image',
      images: [changed(CODE, 0, 0x51, 0x46, 0x49, 0xfb), VARS],
      message: 'this is a qcow2 image',
    },
    {
      what: 'code without a reset vector',
      images: [CODE.slice().fill(0, CODE.length - 16), VARS],
      message: 'no code at the reset vector: offset 0x1dfff0 holds 16 bytes 0x00',
    },
    {
      what: 'code that is cut short',
      images: [changed(CODE.slice(0, MIB), MIB - 16, 0xe9), VARS],
      message: 'EFI_FIRMWARE_VOLUME_HEADER.fvLength at 0x20: expected at most 1048576',
    },
    {
      what: 'code with a wrong header checksum',
      images: [changed(CODE, 50, 0, 0), VARS],
      message: 'EFI_FIRMWARE_VOLUME_HEADER.checksum at 0x32: expected words that add up to 0',
    },
    {
      what: 'variables that are cut short',
      images: [CODE, VARS.slice(0, 0x1_0000)],
      message: 'EFI_FIRMWARE_VOLUME_HEADER.fvLength at 0x20: expected at most 65536, found 131072',
    },
    {
      what: 'variables with something behind them',
      images: [CODE, Uint8Array.from([...VARS, ...new Uint8Array(4096)])],
      message: 'the file has 135168 bytes, its variable volume 131072',
    },
    {
      what: 'variables with a wrong header checksum',
      images: [CODE, changed(VARS, 50, 0, 0)],
      message: 'EFI_FIRMWARE_VOLUME_HEADER.checksum at 0x32',
    },
    {
      what: 'variables without a store',
      images: [CODE, changed(VARS, 0x48, 0)],
      message: 'VARIABLE_STORE_HEADER.signature at 0x48: expected a variable store GUID',
    },
    {
      what: 'variables that are erased',
      images: [CODE, new Uint8Array(VARS.length).fill(0xff)],
      message: 'EFI_FIRMWARE_VOLUME_HEADER.signature at 0x28: expected "_FVH"',
    },
    {
      what: 'parts of different builds',
      images: [
        changed(CODE.slice(0, CODE.length - 4096), CODE.length - 4112, 0xe9).fill(0, 0, 72),
        VARS,
      ],
      message: 'make 1, 2, 4 or 8 MiB together',
    },
  ])('$what: the file is named and what is wrong with it', ({ what, images, message }) => {
    const [code = CODE, vars = VARS] = images;
    const subject = join(
      folder,
      what.startsWith('variables') || what.startsWith('parts') ? 'vars.fd' : 'code.fd',
    );
    const attempt = (): unknown => {
      try {
        return load(code, vars);
      } catch (error) {
        return error;
      }
    };
    expect(attempt()).toMatchObject({
      subject,
      message: expect.stringContaining(message) as string,
    });
  });

  test('a combined image is checked in all its volumes', () => {
    expect(() => loadCombined(changed(COMBINED, 50, 0))).toThrow('.checksum at 0x32');
    expect(() => loadCombined(changed(COMBINED, VARS.length + 50, 0))).toThrow(
      '.checksum at 0x20032',
    );
    expect(() => loadCombined(changed(COMBINED.slice(0, MIB), MIB - 16, 0xe9))).toThrow(
      '.fvLength at 0x20020: expected at most 917504',
    );
    expect(() => loadCombined(changed(COMBINED, 0x48, 0))).toThrow(
      'VARIABLE_STORE_HEADER.signature',
    );
  });

  test('broken images are taken where that is asked for, but for their size', () => {
    const broken = new Uint8Array(VARS.length);
    expect(load(CODE, broken, true).vars?.bytes).toHaveLength(broken.length);
    expect(() => load(CODE, new Uint8Array(100), true)).toThrow('this one 100');
  });

  test('options that do not go together are refused', () => {
    const code = file('code.fd', CODE);
    expect(() => loadFirmware({ firmware: 'ovmf', code, unchecked: false })).toThrow(
      'needs --vars',
    );
    expect(() => loadFirmware({ firmware: code, vars: code, unchecked: false })).toThrow(
      'needs --code <file>',
    );
    expect(() => loadFirmware({ firmware: folder, unchecked: false })).toThrow('this is a folder');
  });
});
