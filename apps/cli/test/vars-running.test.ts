// `systab vars` and `systab bootmgr` on firmware that runs.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { requireTool } from '@systab/host-tools';
import { referenceFirmware } from '@systab/platform-baremetal';
import { exitCodes } from '@systab/cli';
import { systab } from './run-systab.ts';
import { GLOBAL, VENDOR, useStoreFolder } from './store-folder.ts';

const use = useStoreFolder();
const { file, path } = use;

let flash: string;

beforeEach(() => {
  vi.stubEnv('XDG_CACHE_HOME', path('cache'));
  flash = file('flash.fd', referenceFirmware[64].variables());
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What a command line prints that must succeed. */
const run = async (...args: readonly string[]): Promise<string> => {
  const { exitCode, out } = await systab(...args);
  expect({ args, exitCode }).toEqual({ args, exitCode: exitCodes.ok });
  return out;
};

describe.each(['reference', 'reference32'])('%s', (firmware) => {
  const running = ['--firmware', firmware];
  const kept = [...running, '--vars'];

  test('without a store, the variables are those of the firmware', async () => {
    const lines = (await run('vars', 'list', ...running)).trimEnd().split('\n');
    expect(lines).toContain(`${GLOBAL}-SecureBoot`);
    expect(await run('vars', 'get', 'SetupMode', '-d', ...running)).toBe('1 \n');
    const { out } = await systab('vars', 'list', '--json', ...running);
    expect(JSON.parse(out)).toMatchObject({ source: firmware });
  });

  test('what the firmware wrote is in the file, and what is in the file it reads', async () => {
    const name = `${VENDOR}-Note`;
    const change = await run(
      ...['vars', 'set', name, '--text', 'by firmware', ...kept, flash, '--write-vars'],
    );
    expect(change).toContain('+ "by firmware"');
    expect(await run('vars', 'get', name, '--raw', '--store', flash)).toBe('by firmware');
    await run('vars', 'append', name, '--text', ', by hand', '--store', flash, '--write-vars');
    expect(await run('vars', 'get', name, '--raw', ...kept, flash)).toBe('by firmware, by hand');
    await run('vars', 'delete', name, ...kept, flash, '--write-vars');
    expect(await run('vars', 'list', '--store', flash)).not.toContain(name);
  });

  test('boot entries are the same on both sides', async () => {
    const create = ['-c', '-L', 'one', '-l', '\\one.efi', '-t', '4', '-n', '0'];
    const made = await run('bootmgr', ...create, ...kept, flash, '--write-vars');
    expect(made).toBe(
      'BootNext: 0000\nTimeout: 4 seconds\nBootOrder: 0000\nBoot0000* one\t\\one.efi\n',
    );
    expect(await run('bootmgr', '--store', flash)).toBe(made);
    expect(await run('bootmgr', ...kept, flash)).toBe(made);
  });
});

describe('what firmware that runs does not do', () => {
  const failure = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, out, err } = await systab(...args);
    expect({ exitCode, out }).toEqual({ exitCode: exitCodes.usage, out: '' });
    return err.replace(/^systab: /, '').trimEnd();
  };

  test('show what boot services alone may see', async () => {
    const name = `${VENDOR}-Hidden`;
    await run('vars', 'list', '--vars', flash);
    await run('vars', 'set', `${VENDOR}-Seen`, '--hex', '00', '--vars', flash, '--write-vars');
    const attributes = ['--attributes', 'NV,BS'];
    await run('vars', 'set', name, '--hex', '00', ...attributes, '--store', flash, '--write-vars');
    const listed = await run('vars', 'list', '--vars', flash);
    expect(listed).toContain(`${VENDOR}-Seen`);
    expect(listed).not.toContain(name);
    expect(await failure('vars', 'get', name, '--vars', flash)).toBe(
      `reference: no variable ${name}`,
    );
  });

  test('let anybody write its own variables', async () => {
    const args = ['vars', 'set', 'SecureBoot', '--hex', '01', '--dry-run'];
    expect(await failure(...args)).toBe(`reference: ${GLOBAL}-SecureBoot: EFI_WRITE_PROTECTED`);
  });

  test('leave the reserve of the store to a large variable', async () => {
    const big = file('big', new Uint8Array(15_000));
    for (const name of ['A', 'B', 'C'])
      await run('vars', 'set', `${VENDOR}-${name}`, '--file', big, '--vars', flash, '--write-vars');
    const before = readFileSync(flash);
    const fourth = ['vars', 'set', `${VENDOR}-D`, '--file', big, '--vars', flash, '--write-vars'];
    expect(await failure(...fourth)).toContain(`${VENDOR}-D: EFI_OUT_OF_RESOURCES`);
    expect(readFileSync(flash)).toEqual(before);
  });

  test('write to a file that nobody named', async () => {
    const args = ['vars', 'set', 'Timeout', '--hex', '0500', '--write-vars'];
    expect(await failure(...args)).toBe(
      '--write-vars: needs --vars <file>: there is no file of yours behind the variables of reference',
    );
    const output = path('out.fd');
    await run('vars', 'set', 'Timeout', '--hex', '0500', '--output', output);
    expect(await run('vars', 'get', 'Timeout', '-d', '--store', output)).toBe('5 0 \n');
  });

  test('run beside a store', async () => {
    for (const option of ['--firmware', '--code', '--vars'])
      expect(await failure('vars', 'list', '--store', use.store, option, 'x')).toBe(
        `--store: is read without firmware: it excludes ${option}`,
      );
  });
});

test('OVMF lists its boot entries, and takes one', { timeout: 120_000 }, async (context) => {
  requireTool(context, 'ovmf');
  const output = path('ovmf.fd');
  const create = ['-c', '-L', 'one', '-l', '\\one.efi', '--output', output];
  const made = await run('bootmgr', '--firmware', 'ovmf', ...create);
  expect(made).toContain('Boot0000* UiApp\tFv(');
  expect(made).toContain('* one\t\\one.efi\n');
  expect(await run('bootmgr', '--store', output)).toBe(made);
});
