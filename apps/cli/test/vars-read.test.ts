import { readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { exitCodes, runCli } from '@systab/cli';
import { systab } from './run-systab.ts';
import type { Ran } from './run-systab.ts';
import { GLOBAL, VENDOR, useStoreFolder } from './store-folder.ts';

const use = useStoreFolder();
const { path, file, vars, change, failure } = use;

describe('reading', () => {
  beforeEach(async () => {
    await change('set', 'Timeout', '--hex', '0500');
    await change('set', `${VENDOR}-Note`, '--text', 'sixteen letters!and', '--attributes', 'NV,BS');
  });

  test('list prints what efivar --list does', async () => {
    expect(await vars('list')).toEqual({
      exitCode: 0,
      out: `${GLOBAL}-Timeout\n${VENDOR}-Note\n`,
      err: '',
    });
  });

  test('list --long says attributes, size and meaning', async () => {
    const { out } = await vars('list', '--long');
    expect(out.split('\n')[0]).toBe(`NV,BS,RT         2  ${GLOBAL}-Timeout  5`);
  });

  test('list --json', async () => {
    const { out } = await vars('list', '--json');
    expect(JSON.parse(out)).toMatchObject({
      source: use.store,
      variables: [
        {
          name: 'Timeout',
          guid: GLOBAL,
          attr: 7,
          data: '0500',
          attributes: ['NV', 'BS', 'RT'],
          value: ['5'],
        },
        { name: 'Note', attr: 3 },
      ],
    });
  });

  test('get prints what efivar --print does', async () => {
    const { out } = await vars('get', `${VENDOR}-Note`);
    expect(out).toBe(
      [
        `GUID: ${VENDOR}`,
        'Name: "Note"',
        'Attributes:',
        '\tNon-Volatile',
        '\tBoot Service Access',
        'Value:',
        '00000000  73 69 78 74 65 65 6e 20  6c 65 74 74 65 72 73 21  |sixteen letters!|',
        '00000010  61 6e 64                                          |and             |',
        '',
      ].join('\n'),
    );
  });

  test('get --decimal, --raw and --json', async () => {
    expect((await vars('get', 'Timeout', '--decimal')).out).toBe('5 0 \n');
    expect((await vars('get', `${VENDOR}-Note`, '--raw')).out).toBe('sixteen letters!and');
    const { out } = await vars('get', 'Timeout', '--json');
    expect(JSON.parse(out)).toMatchObject({ name: 'Timeout', value: ['5'] });
  });

  test('a variable goes by the name of efivar, of efivarfs, or its own', async () => {
    const text = (await vars('get', 'Timeout')).out;
    expect((await vars('get', `${GLOBAL}-Timeout`)).out).toBe(text);
    expect((await vars('get', `Timeout-${GLOBAL.toUpperCase()}`)).out).toBe(text);
  });

  test.each(['Note', 'boot0001', '8be4df61-93ca-11d2-aa0d-00e098032b8-Timeout', `${GLOBAL}-`, ''])(
    '%j names no variable',
    async (name) => {
      expect(await failure('get', name)).toBe(
        `variable: expected <guid>-<name> (8be4df61-93ca-11d2-aa0d-00e098032b8c-BootOrder), <name>-<guid>, or a name that the UEFI specification defines (BootOrder, db), got '${name}'`,
      );
    },
  );

  test('an absent variable is named, with the file', async () => {
    expect(await failure('get', 'BootNext')).toBe(`${use.store}: no variable ${GLOBAL}-BootNext`);
  });
});

describe('a store that is none', () => {
  const tampered = (at: number, ...values: readonly number[]): void => {
    const bytes = readFileSync(use.store);
    bytes.set(values, at);
    writeFileSync(use.store, bytes);
  };

  test('a truncated volume', async () => {
    writeFileSync(use.store, readFileSync(use.store).subarray(0, 0x8000));
    expect(await failure('list')).toBe(
      `${use.store}: EFI_FIRMWARE_VOLUME_HEADER.fvLength at 0x20: expected at most 32768, found 131072`,
    );
  });

  test('less than a header', async () => {
    writeFileSync(use.store, readFileSync(use.store).subarray(0, 20));
    expect(await failure('list')).toContain(
      `${use.store}: EFI_FIRMWARE_VOLUME_HEADER.fileSystemGuid at 0x0: expected 56 bytes, found 20 bytes`,
    );
  });

  test('a wrong checksum', async () => {
    tampered(50, 0x12, 0x34);
    expect(await failure('list')).toContain(
      `${use.store}: EFI_FIRMWARE_VOLUME_HEADER.checksum at 0x32: expected`,
    );
  });

  test('a record that leaves the store', async () => {
    await change('set', 'Timeout', '--hex', '0500');
    tampered(0x64 + 40, 0xff, 0xff, 0xff, 0x00);
    expect(await failure('list')).toContain(
      `${use.store}: AUTHENTICATED_VARIABLE_HEADER.nameSize and dataSize at 0x64: expected at most`,
    );
  });

  test('a file that is not there, a folder', async () => {
    const missing = path('missing.fd');
    const { err } = await systab('vars', 'list', '--store', missing);
    expect(err).toBe(`systab: ${missing}: there is no such file\n`);
    const { err: folderError } = await systab('vars', 'list', '--store', path('.'));
    expect(folderError).toBe(`systab: ${path('.')}: this is a folder, expected a file\n`);
  });
});

describe('diff', () => {
  const diff = (...args: readonly string[]): Promise<Ran> => systab('vars', 'diff', ...args);

  test('equal stores: exit code 0, no output', async () => {
    expect(await diff(use.store, use.store)).toEqual({ exitCode: exitCodes.ok, out: '', err: '' });
  });

  test('what was changed, added and deleted, and exit code 1', async () => {
    const old = file('old.fd', readFileSync(use.store));
    use.store = old;
    await change('set', 'Timeout', '--hex', '0500');
    await change('set', `${VENDOR}-Gone`, '--text', 'gone');
    use.store = file('new.fd', readFileSync(old));
    await change('set', 'Timeout', '--hex', '0600');
    await change('delete', `${VENDOR}-Gone`);
    await change('set', 'BootOrder', '--hex', '00000100');
    expect(await diff(old, use.store)).toEqual({
      exitCode: exitCodes.findings,
      out: [
        `${GLOBAL}-Timeout (NV,BS,RT, 2 bytes)`,
        '- 5',
        '+ 6',
        `${VENDOR}-Gone`,
        '- NV,BS,RT, 4 bytes',
        '- "gone"',
        `${GLOBAL}-BootOrder`,
        '+ NV,BS,RT, 4 bytes',
        '+ 0000,0001',
        '',
      ].join('\n'),
      err: '',
    });
    const { out } = await diff(old, use.store, '--json');
    expect(JSON.parse(out)).toMatchObject({
      before: old,
      after: use.store,
      changes: [
        { before: { data: '0500' }, after: { data: '0600' } },
        { before: { name: 'Gone' }, after: null },
        { before: null, after: { name: 'BootOrder' } },
      ],
    });
  });

  test('data that reads the same is compared byte by byte', async () => {
    const fill = (value: number): Uint8Array => new Uint8Array(64).fill(1).fill(value, 40, 41);
    await change('set', `${VENDOR}-A`, '--file', file('one', fill(2)));
    const old = file('old.fd', readFileSync(use.store));
    await change('set', `${VENDOR}-A`, '--file', file('two', fill(3)));
    expect((await diff(old, use.store)).out.split('\n').slice(1)).toEqual([
      '- 00000020  01 01 01 01 01 01 01 01  02 01 01 01 01 01 01 01  |................|',
      '+ 00000020  01 01 01 01 01 01 01 01  03 01 01 01 01 01 01 01  |................|',
      '',
    ]);
  });

  test('a store and a list of variables compare', async () => {
    await change('set', 'Timeout', '--hex', '0500');
    await vars('export', '--output', path('list.json'));
    expect((await diff(use.store, path('list.json'))).exitCode).toBe(exitCodes.ok);
  });

  test('a broken store is not taken for a dump', async () => {
    const broken = readFileSync(use.store);
    broken[50] = 0x55;
    const { err, exitCode } = await diff(use.store, file('broken.fd', broken));
    expect(exitCode).toBe(exitCodes.usage);
    expect(err).toContain('EFI_FIRMWARE_VOLUME_HEADER.checksum');
  });

  test('colours mark what was and what is', async () => {
    await change('set', 'Timeout', '--hex', '0500');
    const old = file('old.fd', readFileSync(use.store));
    await change('set', 'Timeout', '--hex', '0600');
    let out = '';
    await runCli(['vars', 'diff', old, use.store], {
      out: (text) => (out += text),
      err: () => undefined,
      colour: true,
    });
    expect(out).toContain('\u001b[31m- 5\u001b[39m\n\u001b[32m+ 6\u001b[39m');
  });
});
