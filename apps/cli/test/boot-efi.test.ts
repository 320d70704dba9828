// `systab boot` with the EFI layer on the firmware that comes with the program, and the same as a library.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootSystem, exitCodes, runCli, takeOverWithoutEfi, TakeOverError } from '@systab/cli';
import { PcMachine } from '@systab/x86-emu';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tinyFirmware } from './tiny-firmware.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-efi-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const run = async (...args: readonly string[]) => {
  let out = '';
  let err = '';
  const exitCode = await runCli(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    colour: false,
  });
  return { exitCode, out, err };
};

interface Report {
  readonly commandLine: string;
  readonly cache: string;
  readonly traceHash: string;
  readonly log: readonly { readonly text: string }[];
  readonly efi: {
    readonly width: number;
    readonly facilities: readonly string[];
    readonly runtimeServices: readonly string[];
    readonly runtimeMap: readonly { readonly virtual: string; readonly start: string }[];
    readonly variables: readonly string[];
  };
}

const report = async (...args: readonly string[]): Promise<Report> => {
  const { exitCode, out, err } = await run('--json', 'boot', ...args);
  expect({ exitCode, err }).toEqual({ exitCode: exitCodes.ok, err: '' });
  return JSON.parse(out) as Report;
};

describe('systab boot on the reference firmware', () => {
  it('prints the kernel log, then the facts', async () => {
    const { exitCode, out, err } = await run('boot');
    expect({ exitCode, err }).toEqual({ exitCode: exitCodes.ok, err: '' });
    expect(out).toMatch(/^efi: EFI v2\.100 by Systab\nefi: ACPI=0x/);
    expect(out).toMatch(/^firmware {7}Systab, EFI v2\.10, 64-bit, system table 0x/m);
    expect(out).toMatch(/^services {7}14 of 14$/m);
    expect(out).toMatch(/^trace hash {5}[0-9a-f]{16}$/m);
  });

  it('has everything in its JSON', async () => {
    const { efi, commandLine, log } = await report('--efi', 'debug', '--append', 'quiet');
    expect(commandLine).toBe('quiet efi=debug');
    expect(efi.facilities).toContain('EFI_RUNTIME_SERVICES');
    expect(efi.facilities).toContain('EFI_DBG');
    expect(efi.variables).toContain('SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c');
    expect(efi.runtimeMap.every(({ virtual }) => BigInt(virtual) >> 36n === 0xfffffffn)).toBe(true);
    expect(log.some(({ text }) => text.startsWith('efi: mem00: ['))).toBe(true);
  });

  it('does the same with 32-bit firmware, in mixed mode', async () => {
    const { efi } = await report('--firmware', 'reference32');
    expect(efi.width).toBe(32);
    expect(efi.runtimeServices).toHaveLength(14);
    expect(efi.runtimeMap.every(({ virtual, start }) => virtual === start)).toBe(true);
  });

  it('starts from the cache the second time, with the same result', async () => {
    const first = await report();
    const second = await report();
    expect([first.cache, second.cache]).toEqual(['stored', 'hit']);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.efi).toEqual(first.efi);
  });

  it('does without what the command line forbids', async () => {
    const off = await report('--efi', 'noruntime');
    expect(off.efi.runtimeServices).toEqual([]);
    const flat = await report('--efi', 'novamap');
    expect(flat.efi.runtimeServices).toHaveLength(14);
    expect(flat.efi.runtimeMap.every(({ virtual, start }) => virtual === start)).toBe(true);
  });

  it('tells which option does not go with it', async () => {
    const { exitCode, err } = await run('boot', '--type', 'ver');
    expect(exitCode).toBe(exitCodes.usage);
    expect(err).toBe(
      'systab: --type: the EFI layer takes the machine over: not with --efi, nor with the reference firmware alone\n',
    );
  });

  it('says where firmware stopped that starts no operating system', async () => {
    const firmware = join(folder, 'tiny.fd');
    writeFileSync(firmware, tinyFirmware());
    const { exitCode, err } = await run(
      ...['boot', '--firmware', firmware, '--efi', '--memory', '2', '--budget', '3000000'],
    );
    expect(exitCode).not.toBe(exitCodes.ok);
    expect(err).toContain('tiny.fd: it started no operating system: the shell waits for a command');
  });
});

describe('systab overview', () => {
  it('shows a boot, the variables and one call', async () => {
    const { exitCode, out, err } = await run('overview');
    expect({ exitCode, err }).toEqual({ exitCode: exitCodes.ok, err: '' });
    expect(out).toMatch(/^efi: EFI v2\.100 by Systab\n/);
    expect(out).toMatch(/^8be4df61-93ca-11d2-aa0d-00e098032b8c-SetupMode +BS,RT +1 bytes$/m);
    expect(out).toMatch(/^GetVariable {2}virtual mode, ms-x64$[^]*calling convention kept\n$/m);
    expect(out.split('\n').length).toBeLessThan(50);
  });

  it('gives the facts as JSON', async () => {
    const { out } = await run('--json', 'overview');
    expect(JSON.parse(out)).toMatchObject({ efi: { vendor: 'Systab', width: 64 } });
  });
});

describe('bootSystem', () => {
  it('boots, calls and asserts in three lines', () => {
    const { runtime } = bootSystem();
    runtime.variables.write(
      'Test',
      '12345678-1234-1234-1234-123456789abc' as never,
      7,
      Uint8Array.of(1),
    );
    expect(runtime.services.getTime().ok).toBe(true);
  });

  it('hears the log and the calls', () => {
    const lines: string[] = [];
    const services = new Set<string>();
    const { commandLine } = bootSystem({
      commandLine: 'efi=debug',
      onLog: ({ text }) => lines.push(text),
      onCall: ({ service }) => services.add(service),
    });
    expect(commandLine).toBe('efi=debug');
    expect(lines[0]).toBe('efi: EFI v2.100 by Systab');
    expect([...services]).toEqual(
      expect.arrayContaining(['ExitBootServices', 'SetVirtualAddressMap', 'GetVariable']),
    );
  });

  it('throws what the firmware did instead of starting an operating system', () => {
    const code = new Uint8Array(0x1_0000).fill(0xf4);
    expect(() => bootSystem({ firmware: { code } })).toThrow(TakeOverError);
  });

  it('answers sensibly on a machine without EFI', () => {
    const image = new Uint8Array(0x1_0000).fill(0xf4);
    const pc = new PcMachine({ memory: 64 * 2 ** 20, flash: [{ image, readOnly: true }] });
    const { efi, runtime } = takeOverWithoutEfi(pc, 'efi=debug');
    expect(efi.facilities.enabled('EFI_BOOT')).toBe(false);
    expect(runtime.services.getTime()).toMatchObject({ ok: false });
    expect(runtime.variables.list().labels).toEqual([]);
    expect(runtime.power.powerOff()).toMatchObject({
      ok: false,
      why: 'EFI runtime services are disabled',
    });
    expect(runtime.power.reboot()).toEqual({ ok: true, value: 'restarted' });
  });
});
