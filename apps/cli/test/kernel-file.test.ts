// Images that firmware cannot start are refused by name before a machine is made.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKernel } from '../src/kernel-file.ts';
import { peImage } from './pe-image.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-kernel-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Offset of the machine type in `peImage`. */
const MACHINE = 0x84;

const read = (
  machine: number,
  {
    firmware = 'ovmf',
    code,
    unchecked = false,
  }: { firmware?: string; code?: string; unchecked?: boolean },
  width: 32 | 64 = 64,
): number => {
  const path = join(folder, 'app.efi');
  const image = peImage({});
  new DataView(image.buffer).setUint16(MACHINE, machine, true);
  writeFileSync(path, image);
  return readKernel(
    path,
    { firmware, ...(code === undefined ? {} : { code }), unchecked },
    { width },
  ).length;
};

test.each([
  [0x014c, {}, /^this image is for IA32 \(0x14c\), at 0x84; the firmware starts X64 \(0x8664\)$/],
  [0xaa64, {}, /is for AARCH64 \(0xaa64\), at 0x84; the firmware starts X64/],
  [0xaa64, { firmware: 'mine.fd' }, /the firmware starts IA32 \(0x14c\) or X64 \(0x8664\)$/],
  [0x1234, { code: 'mine.fd' }, /is for another processor \(0x1234\)/],
] as const)('machine type %i with %j is refused', (machine, request, message) => {
  expect(() => read(machine, request)).toThrow(message);
});

test.each([
  [0x8664, {}],
  // EFI byte code.
  [0x0ebc, {}],
  [0x014c, { firmware: 'mine.fd' }],
  [0x014c, { code: 'mine.fd' }],
  [0xaa64, { unchecked: true }],
] as const)('machine type %i with %j is taken', (machine, request) => {
  expect(read(machine, request)).toBe(0x2000);
});

test('32-bit reference firmware starts 32-bit images alone', () => {
  const request = { firmware: 'reference32' };
  expect(read(0x014c, request, 32)).toBe(0x2000);
  expect(() => read(0x8664, request, 32)).toThrow(/is for X64 \(0x8664\), .* starts IA32/);
});

test.each([
  ['no image at all', Uint8Array.of(1, 2, 3)],
  ['a DOS header that leads out of the file', peImage({}).with(0x3e, 0xff)],
  ['a DOS program', peImage({}).with(0x80, 0)],
])('%s is for the firmware to judge', (_what, bytes) => {
  const path = join(folder, 'other');
  writeFileSync(path, bytes);
  expect(readKernel(path, { firmware: 'ovmf', unchecked: false }, { width: 64 })).toHaveLength(
    bytes.length,
  );
});
