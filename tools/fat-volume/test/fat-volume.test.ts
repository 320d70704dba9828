// Volumes as mtools reads them, and what is refused. OVMF reads them in the tests of x86-emu and platform-xen.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '@systab/host-tools';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fatVolume } from '../src/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-fat-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const noise = (length: number): Uint8Array => {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  });
};

/** Every file below a folder of the host, by its path. */
const filesOf = (path: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        return [file.slice(path.length + 1), hash(readFileSync(file))];
      }),
  );

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const MANY: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 100 }, (_, index) => [`F${index}.TXT`, `file ${index}`]),
);

const NAMES = { small: 'FAT12', large: 'FAT16' } as const;

describe.each([
  ['small', 1_000],
  ['large', 3_000_001],
] as const)('a %s volume', (size, length) => {
  const files = {
    'EMPTY.TXT': '',
    'STARTUP.NSH': 'echo on\r\n',
    EFI: { BOOT: { 'BOOTX64.EFI': noise(length) }, MANY },
  };

  it(`is ${NAMES[size]}, and mtools finds every file in it`, (context) => {
    const mcopy = requireTool(context, 'mcopy');
    const image = join(folder, 'image');
    const volume = fatVolume(files);
    writeFileSync(image, volume);
    expect(new TextDecoder('latin1').decode(volume.subarray(54, 59))).toBe(NAMES[size]);
    const { status, stderr } = spawnSync(mcopy, ['-s', '-n', '-i', image, '::', folder], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    rmSync(image);
    expect(filesOf(folder)).toEqual({
      'EMPTY.TXT': hash(new Uint8Array()),
      'STARTUP.NSH': hash(new TextEncoder().encode('echo on\r\n')),
      'EFI/BOOT/BOOTX64.EFI': hash(noise(length)),
      ...Object.fromEntries(
        Object.entries(MANY).map(([name, text]) => [
          `EFI/MANY/${name}`,
          hash(new TextEncoder().encode(text)),
        ]),
      ),
    });
  });

  it('is the same every time, with two equal tables', () => {
    const volume = fatVolume(files);
    expect(hash(fatVolume(files))).toBe(hash(volume));
    const view = new DataView(volume.buffer);
    const table = view.getUint16(22, true) * 512;
    expect(hash(volume.subarray(512, 512 + table))).toBe(
      hash(volume.subarray(512 + table, 512 + 2 * table)),
    );
  });
});

describe('what does not fit', () => {
  it.each(['longer-than-8.txt', 'a.html', '.', '', 'a b', 'ä', 'a.b.c'])('the name %j', (name) => {
    expect(() => fatVolume({ [name]: '' })).toThrow(/is no name of the form 8\.3/);
  });

  it('the same name twice', () => {
    expect(() => fatVolume({ 'a.txt': '', 'A.TXT': '' })).toThrow("'A.TXT' is there twice");
  });

  it('more than 128 MiB', () => {
    expect(() => fatVolume({ A: new Uint8Array(2 ** 27) })).toThrow(/expected at most 65509/);
  });

  it('more entries than the root folder has', () => {
    const entries = Array.from({ length: 513 }, (_, index) => [`F${index}`, ''] as const);
    expect(() => fatVolume(Object.fromEntries(entries))).toThrow(/expected at most 512/);
    expect(fatVolume(Object.fromEntries(entries.slice(1)))).toBeInstanceOf(Uint8Array);
  });
});
