import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeInitramfs } from '../src/initramfs.ts';
import {
  e820Of,
  findConfiguration,
  memoryMapOf,
  parseServiceCommand,
  parseVariableCommand,
  readLinuxFacts,
} from '../src/index.ts';

/** The entries of a cpio archive: name, mode and data. */
const entriesOf = (archive: Uint8Array): readonly [name: string, mode: number, data: string][] => {
  const text = Buffer.from(archive).toString('latin1');
  const entries: [string, number, string][] = [];
  const padded = (length: number): number => (length + 3) & ~3;
  for (let at = 0; text.startsWith('070701', at);) {
    const field = (index: number): number =>
      Number.parseInt(text.slice(at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = text.slice(at + 110, at + 110 + nameSize - 1);
    const data = at + padded(110 + nameSize);
    entries.push([name, mode, text.slice(data, data + size)]);
    at = data + padded(size);
  }
  return entries;
};

const file = (
  name: string,
  text: string,
  executable = false,
): Parameters<typeof encodeInitramfs>[0][number] => ({
  name,
  executable,
  bytes: Buffer.from(text),
});

test('an archive holds its files behind the console, and ends', () => {
  const archive = encodeInitramfs([file('init', 'abcde', true), file('script', 'x')]);
  expect(entriesOf(archive)).toEqual([
    ['dev', 0o40755, ''],
    ['dev/console', 0o20600, ''],
    ['init', 0o100755, 'abcde'],
    ['script', 0o100644, 'x'],
    ['TRAILER!!!', 0, ''],
  ]);
  expect(archive.length).toBe(encodeInitramfs([]).length);
});

test('an archive that is too large is refused', () => {
  expect(() => encodeInitramfs([file('init', 'x'.repeat(0x18_0000))])).toThrow(
    /at most 1572864 fit/,
  );
});

test('lines of the memory map are read field by field', () => {
  const log = [
    'BIOS-e820: [mem 0x0000000000100000-0x000000000ffa3fff] ACPI data',
    'efi: mem03: [ACPI Mem NVS|RUN|  |  |  |  |  |XP|  |  |  |   |WB|  |  |UC] range=[0x0000000000001000-0x0000000000001fff] (0MB)',
    'efi: EFI runtime memory map:',
    'efi: mem00: [Boot Code   |   |  |  |  |  |  |  |  |  |  |   |WB|  |  |  ] range=[0x0000000000002000-0x0000000000002fff] (0MB)',
  ];
  expect(memoryMapOf(log)).toEqual([
    {
      index: 3,
      type: 'ACPI Mem NVS',
      attributes: ['RUN', 'XP', 'WB', 'UC'],
      start: 0x1000n,
      last: 0x1fffn,
    },
  ]);
  expect(e820Of(log)).toEqual([{ start: 0x10_0000n, last: 0xffa_3fffn, type: 'ACPI data' }]);
  expect(() => memoryMapOf(log.slice(0, 2))).toThrow(/EFI runtime memory map/);
});

test('commands are parsed as the guest parses them', () => {
  expect(parseVariableCommand('write A-1 27 a5*3')).toEqual({
    verb: 'write',
    file: 'A-1',
    attributes: 0x27,
    data: new Uint8Array([0xa5, 0xa5, 0xa5]),
  });
  expect(parseVariableCommand('raw A-1 -')).toEqual({
    verb: 'raw',
    file: 'A-1',
    bytes: new Uint8Array(),
  });
  expect(() => parseVariableCommand('erase A-1')).toThrow("'erase A-1' is no command for efivarfs");
  const call = parseServiceCommand(
    'call SetVariable name=A data=0102 attributes=7 null=vendor,name',
  );
  expect(call).toMatchObject({ service: 'SetVariable', name: 'A', size: 2, attributes: 7 });
  expect(call.nullPointers).toEqual(['vendor', 'name']);
  expect(() => parseServiceCommand('space')).toThrow("'space' is no call of a service");
});

test('a configuration that is not there is refused by name', () => {
  expect(() => findConfiguration('bochs')).toThrow(
    "no configuration 'bochs', expected one of ovmf",
  );
});

test('the reference firmware of the facts is the committed one', () => {
  const image = readFileSync(
    join(import.meta.dirname, '../../../packages/platform-baremetal/images/reference-x64.fd'),
  );
  const facts = readLinuxFacts('reference-x64');
  expect(createHash('sha256').update(image).digest('hex')).toBe(facts.recording.code);
});
