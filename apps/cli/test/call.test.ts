// `systab call` on the firmware that comes with the program.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes, runCli } from '@systab/cli';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const LABEL = 'Test-12345678-1234-1234-1234-123456789abc';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-call-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const run = async (...args: readonly string[]) => {
  let out = '';
  let err = '';
  const exitCode = await runCli(['call', ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    colour: false,
  });
  return { exitCode, out, err };
};

describe('systab call', () => {
  it('shows registers, stack, page table and result', async () => {
    const { exitCode, out, err } = await run('GetVariable', 'SetupMode');
    expect({ exitCode, err }).toEqual({ exitCode: exitCodes.ok, err: '' });
    expect(out).toMatch(/^GetVariable {2}virtual mode, ms-x64\n {2}entry 0xffffff/);
    expect(out).toMatch(/^ {2}r9 {10}DataSize {13}0x[0-9a-f]+$/m);
    expect(out).toMatch(/^ {2}\[rsp\+0x28\] {2}Data {17}0x[0-9a-f]+$/m);
    expect(out).toMatch(
      /returned EFI_SUCCESS after \d+ instructions, rax 0x0\n {2}calling convention kept$/m,
    );
    expect(out).toMatch(/EFI_SUCCESS\nBS,RT, 1 bytes\n00000000 {2}01 /);
  });

  it('shows the stack of 32-bit firmware, with the return address in the thunk', async () => {
    const { out } = await run('queryvariableinfo', '--firmware', 'reference32', '--efi', 'novamap');
    expect(out).toMatch(/^QueryVariableInfo {2}physical mode, cdecl-ia32$/m);
    expect(out).toMatch(/^ {2}\[esp\+0x4\] {3}Attributes +0x7$/m);
    expect(out).toMatch(/^ {2}\[esp\] {7}return address +0x[0-9a-f]{6,8}$/m);
  });

  it.each([
    ['GetTime', /2024-01-01T00:00:00\nresolution 1 Hz/],
    ['SetTime 2025-02-03T04:05:06', /EFI_SUCCESS/],
    ['GetWakeupTime', /disabled/],
    [`SetVariable ${LABEL} hex:0102 NV,BS,RT`, /EFI_SUCCESS/],
    ['GetNextVariableName', /SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c, 20 bytes/],
    ['GetNextHighMonotonicCount', /0x[0-9a-f]+\n$/],
    ['ResetSystem shutdown', /did not return: powered off[^]*the machine powered off/],
  ])('makes the call %s', async (line, expected) => {
    const { exitCode, out } = await run(...line.split(' '));
    expect(out).toMatch(expected);
    expect(exitCode).toBe(exitCodes.ok);
  });

  it('says with its exit code that the service refused', async () => {
    const missing = await run('GetVariable', LABEL);
    expect(missing.exitCode).toBe(exitCodes.findings);
    expect(missing.out).toMatch(/\nEFI_NOT_FOUND\n$/);
    const small = await run('GetVariable', 'SignatureSupport', '1');
    expect(small.out).toMatch(/\nEFI_BUFFER_TOO_SMALL, \d+ bytes needed\n$/);
  });

  it('gives all of it as JSON', async () => {
    let out = '';
    const terminal = { out: (text: string) => (out += text), err: () => undefined, colour: false };
    await runCli(['--json', 'call', 'GetTime'], terminal);
    expect(JSON.parse(out)).toMatchObject({
      service: 'GetTime',
      status: 'EFI_SUCCESS',
      calls: [{ service: 'GetTime', mode: 'virtual', breaches: [] }],
    });
  });

  it.each([
    [['Reboot'], /service: expected one of GetTime, .*, got 'Reboot'/],
    [['GetVariable'], /GetVariable: expected <variable> \[buffer size\], got 0 arguments/],
    [['GetVariable', 'NoGuid'], /variable: expected <guid>-<name>/],
    [['SetTime', 'tomorrow'], /time: expected YYYY-MM-DDThh:mm:ss, got 'tomorrow'/],
    [['SetVariable', LABEL, 'hex:0'], /data: expected pairs of hex digits/],
    [['SetVariable', LABEL, '@/nonexistent'], /\/nonexistent: it cannot be read \(ENOENT\)/],
    [['ResetSystem', 'now'], /reset type: expected cold, warm, shutdown, platform, got 'now'/],
  ])('refuses %j before it boots anything', async (args, message) => {
    const { exitCode, err } = await run(...args);
    expect(exitCode).toBe(exitCodes.usage);
    expect(err).toMatch(message);
  });

  it('passes a capsule from a file', async () => {
    const file = join(folder, 'capsule.bin');
    writeFileSync(file, new Uint8Array(28));
    const { exitCode, out } = await run('QueryCapsuleCapabilities', file);
    expect(out).toMatch(/^QueryCapsuleCapabilities {2}virtual mode/);
    expect(exitCode).toBe(exitCodes.findings);
  });
});
