import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { encodeEfivarExport, guid, VOLUME_GEOMETRY } from '@systab/efi-core';
import { exitCodes } from '@systab/cli';
import { systab } from './run-systab.ts';
import { blank, GLOBAL, VENDOR, useStoreFolder } from './store-folder.ts';

const use = useStoreFolder();
const { path, file, vars, change, failure } = use;

describe('formats of other tools', () => {
  beforeEach(async () => {
    await change('set', 'Timeout', '--hex', '0500');
    await change(
      'set',
      `${VENDOR}-A`,
      '--attributes',
      'NV,BS,AT',
      '--hex',
      '01',
      '--time',
      '2026-01-01',
    );
  });

  test.each([
    ['json', 'all.json'],
    ['efivarfs', 'efivars'],
    ['dmpstore', 'all.dmp'],
  ])('what %s exports imports into an equal store', async (format, name) => {
    expect(await vars('export', '--format', format, '--output', path(name))).toEqual({
      exitCode: 0,
      out: '',
      err: '',
    });
    const old = use.store;
    use.store = file('other.fd', blank(VOLUME_GEOMETRY['4M']));
    await change('import', path(name));
    const diff = await systab('vars', 'diff', old, use.store);
    // Only JSON has a place for time stamps.
    expect(diff.exitCode).toBe(format === 'json' ? exitCodes.ok : exitCodes.findings);
    expect(diff.out.match(/^[0-9a-f]{8}-/gm) ?? []).toHaveLength(format === 'json' ? 0 : 1);
  });

  test('efivar takes one variable', async () => {
    await vars('export', 'Timeout', '--format', 'efivar', '--output', path('t.efivar'));
    expect(readFileSync(path('t.efivar'))).toEqual(
      Buffer.from(
        encodeEfivarExport({
          name: 'Timeout',
          vendorGuid: guid(GLOBAL),
          attributes: 7,
          data: Uint8Array.of(5, 0),
        }),
      ),
    );
    await change('delete', 'Timeout');
    await change('import', path('t.efivar'));
    expect((await vars('get', 'Timeout', '-d')).out).toBe('5 0 \n');
    expect(await failure('export', '--format', 'efivar')).toContain('hold one variable, not 2');
    expect(await failure('export', '--format', 'efivarfs')).toContain('needs --output <folder>');
  });

  test('one efivarfs file is enough', async () => {
    await change('import', file(`Timeout-${GLOBAL}`, Uint8Array.of(7, 0, 0, 0, 9, 0)));
    expect((await vars('get', 'Timeout', '-d')).out).toBe('9 0 \n');
  });

  test('other attributes replace the variable', async () => {
    await change('import', file(`A-${VENDOR}`, Uint8Array.of(3, 0, 0, 0, 9)));
    const { out } = await vars('get', `${VENDOR}-A`, '--json');
    expect(JSON.parse(out)).toMatchObject({ attr: 3, data: '09' });
  });

  test.each([
    [
      'bad.json',
      '{"version": 2, "variables": [{"name": 1}]}',
      'variables[0].name at 0x0: expected a string, found 1',
    ],
    ['bad.json', '{"version": 2,', 'this is no JSON: '],
    [
      'bad.json',
      '{"version": 1, "variables": []}',
      'variable list version at 0x0: expected 2, found 1',
    ],
    ['bad.dmp', 'not a dump at all, only text', 'dmpstore record sizes at 0x0: expected'],
    [`Timeout-${GLOBAL}`, 'abc', 'efivarfs file at 0x0: expected at least 4 bytes, found 3 bytes'],
  ])('%s with %j is refused', async (name, contents, message) => {
    const bad = file(name, contents);
    expect(await failure('import', bad, '--write-vars')).toContain(`${bad}: ${message}`);
  });

  test('a folder with something else in it is refused', async () => {
    mkdirSync(path('efivars'));
    file('efivars/README', 'hello');
    expect(await failure('import', path('efivars'), '--dry-run')).toBe(
      `${path('efivars/README')}: an efivarfs file is named <name>-<guid>, this one is not`,
    );
  });

  test('a name that cannot be a file stays in the store', async () => {
    await change('set', `${VENDOR}-a/../b`, '--hex', '00');
    expect(await failure('export', '--format', 'efivarfs', '--output', path('efivars'))).toContain(
      'cannot be the name of a file',
    );
    expect(existsSync(path(`b-${VENDOR}`))).toBe(false);
  });
});
