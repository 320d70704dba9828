/** `systab vars` and `systab bootmgr` against the programs whose verbs and formats they have. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireTool } from '@systab/host-tools';
import { exitCodes } from '@systab/cli';
import { systab } from './run-systab.ts';

const vector = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'vectors', name));
const STORE = gunzipSync(
  readFileSync(
    join(import.meta.dirname, '../../../packages/efi-core/test/vectors/ovmf-202211-vars.fd.gz'),
  ),
);

let folder: string;
let store: string;
let efivars: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'systab-oracle-'));
  store = join(folder, 'vars.fd');
  efivars = join(folder, 'efivars');
  writeFileSync(store, STORE);
  await systab('vars', 'export', '--format', 'efivarfs', '--output', efivars, '--store', store);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A program over libefivar, which takes our folder for efivarfs. */
const native = (path: string, args: readonly string[], variables = efivars): string =>
  execFileSync(path, args, {
    encoding: 'utf8',
    env: { ...process.env, EFIVARFS_PATH: `${variables}/` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const lines = (text: string): readonly string[] => text.trimEnd().split('\n');

describe('virt-fw-vars 23.9, as recorded', () => {
  test('--output-json: the same document', async () => {
    const { out } = await systab('vars', 'export', '--store', store);
    expect(out).toBe(`${gunzipSync(vector('virt-fw-vars-list.json.gz')).toString()}\n`);
  });

  test('--set-json: the same variables afterwards, in the store that it wrote as in ours', async () => {
    const theirs = join(folder, 'theirs.fd');
    const ours = join(folder, 'ours.fd');
    writeFileSync(theirs, gunzipSync(vector('virt-fw-vars-after-set.fd.gz')));
    const list = join(import.meta.dirname, 'vectors', 'virt-fw-vars-set.json');
    await systab('vars', 'import', list, '--store', store, '--output', ours);
    expect(await systab('vars', 'diff', theirs, ours)).toEqual({
      exitCode: exitCodes.ok,
      out: '',
      err: '',
    });
    const json = join(folder, 'after.json');
    writeFileSync(json, gunzipSync(vector('virt-fw-vars-after-set.json.gz')));
    expect((await systab('vars', 'diff', json, ours)).exitCode).toBe(exitCodes.ok);
  });
});

describe('efivar', () => {
  test('--list', async (context) => {
    const efivar = requireTool(context, 'efivar');
    const { out } = await systab('vars', 'list', '--store', store);
    expect(lines(out).toSorted()).toEqual(lines(native(efivar, ['--list'])).toSorted());
  });

  test('--print and --print-decimal, of every variable', async (context) => {
    const efivar = requireTool(context, 'efivar');
    const labels = lines((await systab('vars', 'list', '--store', store)).out);
    expect(labels).toHaveLength(74);
    for (const label of labels) {
      const name = ['--name', label];
      const { out } = await systab('vars', 'get', label, '--store', store);
      expect(out).toBe(native(efivar, ['--print', ...name]));
      const { out: decimal } = await systab('vars', 'get', label, '--decimal', '--store', store);
      expect(decimal).toBe(native(efivar, ['--print-decimal', ...name]));
    }
  });

  test('what it writes is what we import', async (context) => {
    const efivar = requireTool(context, 'efivar');
    const variables = join(folder, 'written');
    mkdirSync(variables);
    const name = '11111111-2222-3333-4444-555555555555-Written';
    const data = join(folder, 'data');
    writeFileSync(data, 'from efivar');
    // It only writes what exists.
    writeFileSync(
      join(variables, 'Written-11111111-2222-3333-4444-555555555555'),
      Uint8Array.of(7, 0, 0, 0, 1),
    );
    native(efivar, ['--write', '--name', name, '--fromfile', data], variables);
    const output = join(folder, 'imported.fd');
    await systab('vars', 'import', variables, '--store', store, '--output', output);
    const { out } = await systab('vars', 'get', name, '--raw', '--store', output);
    expect(out).toBe('from efivar');
  });
});

describe('efibootmgr', () => {
  /** Its device path texts are older than the specification's: the first one is compared up to the file of a path. */
  const head = (line: string): string => line.replace(/\t.*$/, '');

  test('lists the same entries', async (context) => {
    const efibootmgr = requireTool(context, 'efibootmgr');
    const theirs = lines(native(efibootmgr, ['--verbose']));
    const ours = lines((await systab('bootmgr', '--store', store)).out);
    expect(ours.map(head)).toEqual(theirs.map(head));
    const shim = (of: readonly string[]): string | undefined =>
      of.find((line) => line.startsWith('Boot0077'));
    expect(shim(ours)).toBe(shim(theirs)?.replace(/File\(([^)]*)\)/, '$1'));
  });

  // Not --delete-bootnum: a plain folder keeps the end of a value that becomes shorter, efivarfs does not.
  test.for([
    ['--timeout', '9'],
    ['--bootnext', '0102'],
    ['--bootnum', '0000', '--inactive'],
    ['--bootnum', '0103', '--active'],
    ['--delete-bootorder'],
    ['--delete-timeout'],
  ])('%s leaves the same variables', async (args, context) => {
    const efibootmgr = requireTool(context, 'efibootmgr');
    const theirs = mkdtempSync(join(folder, 'changed-'));
    cpSync(efivars, theirs, { recursive: true });
    native(efibootmgr, args, theirs);
    const ours = join(folder, 'changed.fd');
    const ran = await systab('bootmgr', ...args, '--store', store, '--output', ours);
    expect(ran.exitCode).toBe(exitCodes.ok);
    const before = await systab('vars', 'diff', store, ours);
    expect(before.exitCode).toBe(exitCodes.findings);
    // The store has time stamps, which files of efivarfs lack: both as such files, then.
    const files = mkdtempSync(join(folder, 'ours-'));
    await systab('vars', 'export', '--format', 'efivarfs', '--output', files, '--store', ours);
    expect(await systab('vars', 'diff', theirs, files)).toEqual({
      exitCode: exitCodes.ok,
      out: '',
      err: '',
    });
  });
});
