import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blankVariableVolume, encodeVariableVolume, VOLUME_GEOMETRY } from '@systab/efi-core';
import { exitCodes } from '@systab/cli';
import { systab } from './run-systab.ts';
import type { Ran } from './run-systab.ts';

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const DISK = 'HD(1,GPT,4aafd29d-68df-49ee-8aa9-347d375665a7,0x800,0x100000)';

let folder: string;
let store: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-bootmgr-'));
  store = join(folder, 'vars.fd');
  writeFileSync(store, encodeVariableVolume(blankVariableVolume(VOLUME_GEOMETRY['4M'])));
});

afterEach(() => rmSync(folder, { recursive: true }));

const bootmgr = (...args: readonly string[]): Promise<Ran> =>
  systab('bootmgr', '--store', store, ...args);

/** The listing after a change that must succeed, line by line. */
const change = async (...args: readonly string[]): Promise<readonly string[]> => {
  const { exitCode, out, err } = await bootmgr(...args, '--write-vars');
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: `systab: written to ${store}\n` });
  return out.trimEnd().split('\n');
};

const failure = async (...args: readonly string[]): Promise<string> => {
  const before = readFileSync(store);
  const { exitCode, out, err } = await bootmgr(...args);
  expect({ exitCode, out }).toEqual({ exitCode: exitCodes.usage, out: '' });
  expect(readFileSync(store)).toEqual(before);
  return err.replace(/^systab: /, '').trimEnd();
};

/** Three entries; 0002 is the last one made, so it comes first. */
const three = async (): Promise<void> => {
  for (const label of ['one', 'two', 'three'])
    await change('--create', '--label', label, '--path', DISK, '--loader', `\\EFI\\${label}.efi`);
};

test('a store without entries', async () => {
  expect(await bootmgr()).toEqual({
    exitCode: 0,
    out: 'No BootOrder is set; firmware will attempt recovery\n',
    err: '',
  });
});

describe('entries', () => {
  beforeEach(three);

  test('are listed as efibootmgr lists them', async () => {
    await change('--timeout', '3', '--bootnext', '1', '--inactive', '--bootnum', '0');
    expect((await bootmgr()).out).toBe(
      [
        'BootNext: 0001',
        'Timeout: 3 seconds',
        'BootOrder: 0002,0001,0000',
        `Boot0000  one\t${DISK}/\\EFI\\one.efi`,
        `Boot0001* two\t${DISK}/\\EFI\\two.efi`,
        `Boot0002* three\t${DISK}/\\EFI\\three.efi`,
        '',
      ].join('\n'),
    );
  });

  test('as JSON, members named as in efibootmgr', async () => {
    const { out } = await bootmgr('--json');
    expect(JSON.parse(out)).toMatchObject({
      BootOrder: ['0002', '0001', '0000'],
      vars: [
        {
          name: 'Boot0000',
          active: true,
          inOrder: true,
          description: 'one',
          attributes: 1,
          paths: [`${DISK}/\\EFI\\one.efi`],
          data: '',
        },
        { name: 'Boot0001' },
        { name: 'Boot0002' },
      ],
      written: null,
    });
  });

  test('are added at a place, with a number, without the order, inactive, with arguments', async () => {
    const [order] = await change('-c', '-L', 'four', '-l', '/EFI/BOOT/four.efi', '--index', '1');
    expect(order).toBe('BootOrder: 0002,0003,0001,0000');
    const lines = await change('-C', '-b', '1A', '--path', DISK, '-A', '--args', 'quiet');
    expect(lines[0]).toBe(order);
    expect(lines.at(-1)).toBe(`Boot001A  Linux\t${DISK}q.u.i.e.t...`);
    expect(lines).toContain('Boot0003* four\t\\EFI\\BOOT\\four.efi');
    const data = join(folder, 'args');
    writeFileSync(data, 'raw');
    const more = await change('-c', '--path', DISK, '-@', data);
    expect(more.at(-2)).toBe(`Boot0004* Linux\t${DISK}raw`);
  });

  test('are activated, deleted, ordered, chosen for once', async () => {
    expect(await change('-b', '1', '-A')).toContain(`Boot0001  two\t${DISK}/\\EFI\\two.efi`);
    expect(await change('-b', '0001', '-a')).toContain(`Boot0001* two\t${DISK}/\\EFI\\two.efi`);
    expect((await change('-o', '0,1'))[0]).toBe('BootOrder: 0000,0001');
    expect((await change('-n', '2'))[0]).toBe('BootNext: 0002');
    expect((await change('-N'))[0]).toBe('BootOrder: 0000,0001');
    const left = await change('-B', '-b', '0');
    expect(left[0]).toBe('BootOrder: 0001');
    expect(left).toHaveLength(3);
    expect((await change('-t', '65535'))[0]).toBe('Timeout: 65535 seconds');
    expect((await change('-T', '-O'))[0]).toBe(
      'No BootOrder is set; firmware will attempt recovery',
    );
  });

  test('numbers that the order has twice go', async () => {
    const order = '020002000100';
    await systab('vars', 'set', 'BootOrder', '--hex', order, '--write-vars', '--store', store);
    expect((await change('--remove-dups'))[0]).toBe('BootOrder: 0002,0001');
  });

  test('--quiet and --dry-run', async () => {
    const before = readFileSync(store);
    expect(await bootmgr('-t', '1', '--dry-run', '--quiet')).toEqual({
      exitCode: 0,
      out: '',
      err: 'systab: nothing written\n',
    });
    expect((await bootmgr('-t', '1', '--dry-run')).out).toContain('Timeout: 1 seconds');
    expect(readFileSync(store)).toEqual(before);
  });

  test('an entry that is no load option is shown as such', async () => {
    const changed = readFileSync(store);
    // The length of the path list of Boot0000: behind its attributes.
    const at = changed.indexOf(Buffer.from('one\0', 'utf16le')) - 2;
    changed.writeUInt16LE(0xffff, at);
    writeFileSync(store, changed);
    const { out } = await bootmgr();
    expect(out).toContain('Boot0000  no load option: EFI_LOAD_OPTION.filePathListLength at 0x4');
    expect(out).toContain('Boot0001* two');
    expect(JSON.parse((await bootmgr('--json')).out)).toMatchObject({
      vars: [{ name: 'Boot0000', active: false, fault: expect.stringContaining('0x4') }, {}, {}],
    });
  });
});

describe('what is refused', () => {
  beforeEach(three);

  test.each([
    [['-t', '5'], 'destination: a store is not changed unless you say where'],
    [['-b', '0', '--dry-run'], '--bootnum: needs an action'],
    [['-a', '--dry-run'], '--active: needs --bootnum <XXXX>'],
    [['-B', '--dry-run'], '--delete-bootnum: needs --bootnum <XXXX>'],
    [['-b', '00001', '-a'], "--bootnum: expected one to four hex digits, got '00001'"],
    [['-n', '-1'], "--bootnext: expected one to four hex digits, got '-1'"],
    [['-o', '0,,1'], "--bootorder: expected one to four hex digits, got ''"],
    [['-t', '65536'], "--timeout: expected a number from 0 to 65535, got '65536'"],
    [['-c', '--dry-run'], '--create: needs --path <device path>, --loader <file>, or both'],
    [['-c', '--path', 'HD(1', '--dry-run'], "--path: 'HD(1' at character 0: expected"],
    [['-c', '-l', 'a', '--args', 'x', '-@', 'y', '--dry-run'], '--args: excludes'],
    [['-c', '-l', 'a', '-@', '/nowhere', '--dry-run'], '/nowhere: there is no such file'],
    [['-c', '-C', '-l', 'a', '--dry-run'], '--create and --create-only exclude each other'],
    [['-a', '-A', '-b', '0', '--dry-run'], '--active and --inactive exclude each other'],
    [['-t', '1', '-T', '--dry-run'], '--timeout and --delete-timeout exclude each other'],
  ])('%j', async (args, message) => {
    expect(await failure(...args)).toContain(message);
  });

  test.each([
    [['-b', '9', '-a'], '--active: EFI_NOT_FOUND: there is no Boot entry 0009'],
    [['-b', '9', '-B'], '--delete-bootnum: EFI_NOT_FOUND: there is no Boot entry 0009'],
    [['-n', '9'], '--bootnext: EFI_NOT_FOUND: there is no Boot entry 0009'],
    [['-o', '0,9'], '--bootorder: EFI_NOT_FOUND: there is no Boot entry 0009'],
    [['-o', '0,0'], '--bootorder: EFI_INVALID_PARAMETER: a number stands in the order twice'],
    [['-c', '-b', '0', '-l', 'a'], '--create: EFI_INVALID_PARAMETER: Boot0000 exists'],
  ])('%j by the boot entries, and the store stays as it is', async (args, message) => {
    expect(await failure(...args, '--write-vars')).toBe(`${store}: ${message}`);
  });

  test('an unlucky second action leaves the first undone, too', async () => {
    await failure('-t', '5', '-b', '9', '-a', '--write-vars');
    expect((await bootmgr()).out).not.toContain('Timeout');
  });
});

test('boot entries are variables of the global name space', async () => {
  await change('-c', '-l', '\\a.efi');
  const { out } = await systab('vars', 'list', '--store', store);
  expect(out).toBe(`${GLOBAL}-Boot0000\n${GLOBAL}-BootOrder\n`);
});
