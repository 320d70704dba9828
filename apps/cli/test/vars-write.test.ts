import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { efiTime, pkcs7Payload } from '@systab/efi-core';
import { systab } from './run-systab.ts';
import { blank, GLOBAL, TINY, VENDOR, useStoreFolder } from './store-folder.ts';

const use = useStoreFolder();
const { path, file, vars, change, failure } = use;

describe('changing', () => {
  test('nothing is written unless the command says where', async () => {
    const before = readFileSync(use.store);
    expect(await failure('set', 'Timeout', '--hex', '0500')).toContain('destination: ');
    expect(await failure('set', 'Timeout', '--hex', '0500', '--write-vars', '--dry-run')).toContain(
      'exclude each other',
    );
    const { out, err } = await vars('set', 'Timeout', '--hex', '0500', '--dry-run');
    expect(out).toContain(`${GLOBAL}-Timeout\n+ NV,BS,RT, 2 bytes\n+ 5\n`);
    expect(err).toBe('systab: nothing written\n');
    expect(readFileSync(use.store)).toEqual(before);
    expect(readdirSync(dirname(use.store))).toEqual(['vars.fd']);
  });

  test('--output writes another file and leaves the store alone', async () => {
    const before = readFileSync(use.store);
    const output = path('new.fd');
    const { err } = await vars('set', 'Timeout', '--hex', '0500', '--output', output);
    expect(err).toBe(`systab: written to ${output}\n`);
    expect(readFileSync(use.store)).toEqual(before);
    expect((await systab('vars', 'get', 'Timeout', '-d', '--store', output)).out).toBe('5 0 \n');
  });

  test('set replaces and says what was there', async () => {
    await change('set', 'Timeout', '--hex', '0500');
    expect(await change('set', 'Timeout', '--hex', '09 00')).toBe(
      `${GLOBAL}-Timeout (NV,BS,RT, 2 bytes)\n- 5\n+ 9\n`,
    );
    expect(await change('set', 'Timeout', '--hex', '0900')).toBe('');
  });

  test('data from a file, as text, as CHAR16', async () => {
    await change('set', `${VENDOR}-A`, '--file', file('data', Uint8Array.of(1, 2, 3)));
    await change('set', `${VENDOR}-B`, '--utf16', 'é');
    await change('set', `${VENDOR}-C`, '--text', 'é');
    const { out } = await vars('list', '--json');
    const { variables } = JSON.parse(out) as { variables: { data: string }[] };
    expect(variables.map(({ data }) => data)).toEqual(['010203', 'e9000000', 'c3a9']);
  });

  test('data from standard input', () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const args = ['vars', 'set', `${VENDOR}-A`, '--file', '-', '--store', use.store, '--dry-run'];
    const out = execFileSync(process.execPath, [main, ...args, '--json'], {
      input: Buffer.from('piped'),
      encoding: 'utf8',
    });
    expect(out).toContain(Buffer.from('piped').toString('hex'));
  });

  test.each([
    [['--hex', '123'], "--hex: expected pairs of hex digits, got '123'"],
    [['--hex', '00', '--text', 'a'], 'data: needs one of --file'],
    [[], 'data: needs one of --file'],
    [['--text', ''], 'data: there is none'],
    [['--hex', '00', '--attributes', 'NV,XX'], "--attributes: 'XX' is no attribute"],
    [['--hex', '00', '--attributes', 'NV,RT'], '--attributes: runtime without boot'],
    [['--hex', '00', '--attributes', 'NV'], '--attributes: no access'],
    [['--hex', '00', '--attributes', '0x100'], '--attributes: reserved bits'],
    [['--hex', '00', '--attributes', '9999999999'], '--attributes: more than 32 bits'],
    [['--hex', '00', '--attributes', 'NV,BS,AP'], '--attributes: APPEND_WRITE is'],
    [['--hex', '00', '--signed'], '--signed: needs a variable with the attribute AT'],
    [['--hex', '00', '--time', '2026-01-01'], '--time: only variables with the attribute AT'],
    [
      ['--hex', '00', '--attributes', 'NV,BS,AT', '--time', 'yesterday'],
      '--time: expected a UTC time',
    ],
    [
      ['--hex', '00', '--attributes', 'NV,BS,AT', '--time', '2026-02-30T12:00:00Z'],
      '--time: expected a UTC time',
    ],
  ])('set %j is refused', async (args, message) => {
    expect(await failure('set', `${VENDOR}-A`, ...args, '--write-vars')).toContain(message);
  });

  test('what the store refuses names variable and reason', async () => {
    const at = `${use.store}: ${VENDOR}-A: `;
    const set = (...args: readonly string[]): Promise<string> =>
      failure('set', `${VENDOR}-A`, '--hex', '00', '--write-vars', '--attributes', ...args);
    expect(await set('BS,RT')).toBe(
      `${at}EFI_INVALID_PARAMETER: attributes that a store cannot hold: not non-volatile`,
    );
    expect(await set('0x13')).toBe(`${at}EFI_UNSUPPORTED: authentication that is not by time`);
    await change('set', `${VENDOR}-A`, '--hex', '00');
    expect(await set('NV,BS')).toBe(
      `${at}EFI_INVALID_PARAMETER: it is stored with attributes 0x7, not 0x3`,
    );
  });

  test('data that a variable of the specification cannot have is refused', async () => {
    expect(await failure('set', 'Boot0001', '--hex', '00', '--write-vars')).toBe(
      `${use.store}: ${GLOBAL}-Boot0001: EFI_INVALID_PARAMETER: data that Boot0001 cannot have`,
    );
  });

  test('a full store stays as it is', async () => {
    use.store = file('tiny.fd', blank(TINY));
    await change('set', `${VENDOR}-A`, '--file', file('data', new Uint8Array(2000)));
    const before = readFileSync(use.store);
    const big = file('big', new Uint8Array(3000));
    expect(await failure('set', `${VENDOR}-B`, '--file', big, '--write-vars')).toBe(
      `${use.store}: ${VENDOR}-B: EFI_OUT_OF_RESOURCES: the store is full: 3064 bytes are needed, 1932 are free after a reclaim`,
    );
    expect(readFileSync(use.store)).toEqual(before);
  });

  test('append adds, and creates what is not there', async () => {
    await change('append', `${VENDOR}-A`, '--text', 'ab');
    await change('append', `${VENDOR}-A`, '--text', 'cd');
    expect((await vars('get', `${VENDOR}-A`, '--raw')).out).toBe('abcd');
  });

  test('delete takes several, all or none', async () => {
    await change('set', 'Timeout', '--hex', '0500');
    await change('set', `${VENDOR}-A`, '--hex', '00');
    expect(await failure('delete', 'Timeout', 'BootNext', '--write-vars')).toBe(
      `${use.store}: no variable ${GLOBAL}-BootNext`,
    );
    expect((await vars('list')).out.split('\n')).toHaveLength(3);
    await change('delete', 'Timeout', `${VENDOR}-A`);
    expect((await vars('list')).out).toBe('');
  });

  test('--json prints the change and where it went', async () => {
    const { out, err } = await vars('set', 'Timeout', '--hex', '0500', '--write-vars', '--json');
    expect(JSON.parse(out)).toEqual({
      written: use.store,
      changes: [{ before: null, after: { name: 'Timeout', guid: GLOBAL, attr: 7, data: '0500' } }],
    });
    expect(err).toBe('');
  });
});

describe('authenticated variables', () => {
  const stamped = async (): Promise<string | undefined> => {
    const { out } = await vars('get', `${VENDOR}-A`, '--json');
    return (JSON.parse(out) as { time?: string }).time;
  };
  const set = (...args: readonly string[]): Promise<string> =>
    change('set', `${VENDOR}-A`, '--attributes', 'NV,BS,RT,AT', ...args);

  test('are written without a signature; the stamp is given, or kept', async () => {
    await set('--hex', 'aa');
    expect(await stamped()).toBeUndefined();
    await set('--hex', 'bb', '--time', '2026-06-26T12:34:56Z');
    expect(await stamped()).toBe('ea07061a0c2238000000000000000000');
    expect(await set('--hex', 'cc')).toContain('2026-06-26T12:34:56');
    expect(await stamped()).toBe('ea07061a0c2238000000000000000000');
  });

  test('--signed data brings its own stamp and leaves its descriptor', async () => {
    const time = efiTime({ year: 2027, month: 1, day: 2, timeZone: 0 });
    const auth = file('a.auth', pkcs7Payload(time, Uint8Array.of(0x30, 0), Uint8Array.of(7)));
    await set('--file', auth, '--signed');
    expect(await stamped()).toBe('eb070102000000000000000000000000');
    expect((await vars('get', `${VENDOR}-A`, '-d')).out).toBe('7 \n');
    expect(
      await failure(
        'set',
        `${VENDOR}-A`,
        '--file',
        auth,
        '--signed',
        '--time',
        '2026-01-01',
        '--dry-run',
      ),
    ).toContain('the signed data has a time stamp of its own');
  });

  test('--signed data without a descriptor is refused', async () => {
    const args = ['--hex', 'aa', '--signed', '--attributes', 'NV,BS,AT', '--write-vars'];
    expect(await failure('set', `${VENDOR}-A`, ...args)).toContain(
      `${use.store}: ${VENDOR}-A: EFI_SECURITY_VIOLATION: EFI_VARIABLE_AUTHENTICATION_2`,
    );
  });
});
