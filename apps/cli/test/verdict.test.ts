// Verdicts with symbols: images found in guest memory, whatever that holds, and the last instructions of a run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { exitCodes, runCli } from '@systab/cli';
import { requireTool } from '@systab/host-tools';
import { createMachine, PcMachine } from '@systab/x86-emu';
import { findImage, peIdentity } from '../src/verdict/guest-image.ts';
import type { ReadBytes } from '../src/verdict/guest-image.ts';
import { moduleNames } from '../src/verdict/module-names.ts';
import { PlaceFinder } from '../src/verdict/place.ts';
import type { VerdictLine } from '../src/verdict/place.ts';
import { codeView, peImage, sectionsOf, teImage } from './pe-image.ts';
import { tinyFirmware } from './tiny-firmware.ts';

const MIB = 2 ** 20;

/** Memory from address 0 on; counts what is read. */
const memoryOf = (
  bytes: Uint8Array,
): { readonly read: ReadBytes; readonly reads: () => number } => {
  let reads = 0;
  return {
    read: (address, length) => {
      reads++;
      const at = Number(address);
      return at >= 0 && at + length <= bytes.length ? bytes.subarray(at, at + length) : undefined;
    },
    reads: () => reads,
  };
};

const place = (size: number, ...images: readonly (readonly [number, Uint8Array])[]): Uint8Array => {
  const bytes = new Uint8Array(size);
  for (const [at, image] of images) bytes.set(image, at);
  return bytes;
};

describe('an image in memory', () => {
  test.each(['RSDS', 'NB10', 'MTOC'] as const)('has the name in its %s entry', (signature) => {
    const image = peImage({ debug: codeView(signature, '/build/edk2/DEBUG/DxeCore.dll') });
    const { read } = memoryOf(place(MIB, [0x5_0000, image]));
    expect(findImage(read, 0x5_1234n)).toMatchObject({ base: 0x5_0000n, name: 'DxeCore' });
  });

  test.each([
    ['C:\\work\\Shell.pdb', 'Shell'],
    ['Shell', 'Shell'],
    ['/a/b.c/Two.Dots.debug', 'Two.Dots'],
    ['/x/\u001b[2J\u0007evil\n.dll', '?[2J?evil?'],
    [`/${'n'.repeat(400)}`, 'n'.repeat(64)],
    ['/only/a/folder/', undefined],
    ['', undefined],
  ])('that was built as %j is %j', (path, name) => {
    const { read } = memoryOf(place(MIB, [0, peImage({ debug: codeView('RSDS', path) })]));
    expect(findImage(read, 0x1000n)?.name).toBe(name);
  });

  test('without a debug entry has none, but an identity that its file has as well', () => {
    const file = peImage({});
    const loaded = peImage({ imageBase: 0x7e00_0000n });
    const image = findImage(memoryOf(place(MIB, [0x8000, loaded])).read, 0x9000n);
    expect(image).toMatchObject({ base: 0x8000n, name: undefined });
    expect(peIdentity(file)).toBe(image?.identity);
    expect(peIdentity(peImage({ entry: 0x1004 }))).not.toBe(image?.identity);
    expect(peIdentity(Uint8Array.of(1, 2, 3))).toBeUndefined();
  });

  test('that was stripped to a TE image counts offsets as before', () => {
    const { bytes, stripped } = teImage(peImage({ debug: codeView('RSDS', '/b/SecMain.dll') }));
    const { read } = memoryOf(place(MIB, [0x2_0014, bytes]));
    const base = BigInt(0x2_0014 + 40 - stripped);
    expect(findImage(read, base + 0x1000n)).toMatchObject({ base, name: 'SecMain' });
  });

  test('holds what is in it, and nothing before or behind it', () => {
    const outer = peImage({ size: 0x2_0000, debug: codeView('RSDS', '/o/Outer.dll') });
    const inner = peImage({ debug: codeView('RSDS', '/i/Inner.dll') });
    const { read } = memoryOf(place(MIB, [0x1_0000, outer], [0x1_8000, inner]));
    const name = (address: bigint): string | undefined => findImage(read, address)?.name;
    expect([0xffffn, 0x1_0000n, 0x1_7fffn, 0x1_8000n, 0x1_9fffn].map(name)).toEqual([
      undefined,
      'Outer',
      'Outer',
      'Inner',
      'Inner',
    ]);
    // Behind the inner image the outer one goes on.
    expect([0x1_a000n, 0x2_ffffn, 0x3_0000n].map(name)).toEqual(['Outer', 'Outer', undefined]);
  });

  test.each([
    ['no PE signature', { 0x80: 0 }],
    ['a header far away', { 0x3e: 0xff }],
    ['another processor', { 0x85: 0xaa }],
    ['no section', { 0x86: 0 }],
    ['thousands of sections', { 0x87: 0xff }],
    ['no optional header', { 0x94: 0 }],
    ['an optional header of 64 KiB', { 0x95: 0xff }],
    ['another magic', { 0x98: 7 }],
    ['four gigabytes', { 0xd3: 0xff }],
    ['an entry outside', { 0xab: 0xff }],
    ['headers larger than it', { 0xd7: 0xff }],
  ])('is none with %s', (_what, changes) => {
    const image = peImage({});
    for (const [at, byte] of Object.entries(changes)) image[Number(at)] = byte;
    expect(findImage(memoryOf(place(MIB, [0, image])).read, 0x1000n)).toBeUndefined();
  });

  test.each([
    ['a directory outside', { 0x138: 0xff, 0x13b: 0xff }],
    ['a directory without end', { 0x13f: 0xff }],
  ])('keeps its place with %s', (_what, changes) => {
    const image = peImage({ debug: codeView('RSDS', '/x/Name.dll') });
    for (const [at, byte] of Object.entries(changes)) image[Number(at)] = byte;
    expect(findImage(memoryOf(place(MIB, [0, image])).read, 0x1000n)?.base).toBe(0n);
  });

  const noise = (length: number, seed: number): Uint8Array => {
    let state = seed;
    return Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 0x41c6_4e6d) + 0x3039) >>> 0;
      return state >>> 24;
    });
  };

  test('is not found in noise, nor looked for without end where everything looks like one', () => {
    for (const seed of [1, 2, 3]) {
      const { read, reads } = memoryOf(noise(MIB, seed));
      findImage(read, BigInt(MIB - 1));
      expect(reads()).toBeLessThan(2000);
    }
    const full = new Uint8Array(8 * MIB);
    full.forEach((_, at) => (full[at] = at % 2 === 0 ? 0x4d : 0x5a));
    const { read, reads } = memoryOf(full);
    expect(findImage(read, BigInt(full.length - 1))).toBeUndefined();
    expect(reads()).toBeLessThan(50_000);
    expect(findImage(() => undefined, 0xffff_ffff_ffff_fff0n)).toBeUndefined();
  });

  test('survives every byte of its headers being another one', () => {
    const image = peImage({ debug: codeView('RSDS', '/x/Name.dll') });
    const wrong: string[] = [];
    for (let at = 0; at < 0x200; at++)
      for (const byte of [0x00, 0x7f, 0xff]) {
        const broken = place(0x8000, [0x1000, image.with(at, byte)]);
        const found = findImage(memoryOf(broken).read, 0x2100n);
        if (found && 0x2100n - found.base >= BigInt(found.size)) wrong.push(`${at} ${byte}`);
      }
    expect(wrong).toEqual([]);
  });
});

describe('names of modules', () => {
  const machineWith = (at: number, bytes: Uint8Array) => {
    const machine = createMachine({ ram: 4 * MIB });
    machine.memory.write(at, bytes);
    return machine;
  };

  test('stand behind the image in a firmware file', () => {
    const image = peImage({});
    const names = moduleNames(machineWith(0x1_2344, sectionsOf(image, 'TerminalDxe')));
    expect([...names]).toEqual([[peIdentity(image), 'TerminalDxe']]);
  });

  test('are given to loaded images, below names from outside and from the image', () => {
    const image = peImage({});
    const machine = machineWith(0x1_2344, sectionsOf(image, 'TerminalDxe'));
    machine.memory.write(0x10_0000, image);
    machine.memory.write(0x20_0000, peImage({ debug: codeView('RSDS', '/x/Own.dll') }));
    expect(new PlaceFinder(machine).find(0x10_1000n)).toEqual({
      address: 0x10_1000n,
      module: { name: 'TerminalDxe', offset: 0x1000 },
    });
    const known = new Map([[peIdentity(image) ?? '', 'app.efi']]);
    expect(new PlaceFinder(machine, known).find(0x10_1000n).module?.name).toBe('app.efi');
    expect(new PlaceFinder(machine).find(0x20_1000n).module?.name).toBe('Own');
    expect(new PlaceFinder(machine).find(0x30_0000n)).toEqual({ address: 0x30_0000n });
    machine.memory.write(0x1_2344, new Uint8Array(0x4000));
    expect(new PlaceFinder(machine).find(0x10_1000n).module?.name).toBe('image@0x100000');
  });

  test('are no names in garbage', () => {
    const hostile = new Uint32Array(MIB / 4);
    // Everything a section of type PE32, everything an image; then names without end.
    hostile.forEach((_, i) => (hostile[i] = i % 2 === 0 ? 0x10ff_ffff : 0x0000_5a4d));
    expect(moduleNames(machineWith(0, new Uint8Array(hostile.buffer))).size).toBe(0);
    const file = sectionsOf(peImage({}), '\u001b]0;title\u0007');
    expect([...moduleNames(machineWith(0, file)).values()]).toEqual(['?]0;title?']);
    const endless = sectionsOf(peImage({}), 'x'.repeat(3000));
    expect([...moduleNames(machineWith(0, endless)).values()][0]).toHaveLength(64);
  });
});

interface Report {
  readonly verdict: string;
  readonly cache: string;
  readonly last?: readonly VerdictLine[];
  readonly exitCode: number;
  readonly err: string;
}

let folder: string;

const boot = async (...args: readonly string[]): Promise<Report> => {
  let out = '';
  let err = '';
  const exitCode = await runCli(['--json', 'boot', ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    colour: false,
  });
  return { ...(JSON.parse(out) as Report), exitCode, err };
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-verdict-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('the last instructions', () => {
  const tiny = async (...args: readonly string[]): Promise<Report> => {
    const file = join(folder, 'tiny.fd');
    writeFileSync(file, tinyFirmware());
    return await boot('--memory', '2', '--firmware', file, ...args);
  };
  const texts = ({ last = [] }: Report): readonly string[] =>
    last.map((line) => ('address' in line ? (line.text ?? '?') : `vector ${line.vector}`));

  test('of a triple fault are those before it, and the exceptions that led to it', async () => {
    const report = await tiny('--type', 't');
    expect(report.verdict).toMatch(/^triple fault at 0xffff00/);
    const seen = texts(report);
    expect(seen.slice(seen.indexOf('int3')).slice(0, 2)).toEqual(['int3', 'vector 13']);
    expect(seen[seen.indexOf('int3') - 1]).toMatch(/^lidt /);
  });

  test('are the same when the run goes on from the cache, or goes through resets', async () => {
    const cold = await tiny('--type', 'x', '--type', 't');
    const warm = await tiny('--type', 'x', '--type', 't');
    expect([cold.cache, warm.cache]).toEqual(['stored', 'hit']);
    expect(texts(cold)).toContain('int3');
    expect(warm.last).toEqual(cold.last);
    const reset = await tiny('--type', 'r', '--type', 't', '--no-cache');
    expect(texts(reset)).toEqual(texts(cold));
  });

  test('of a loop without end are the loop', async () => {
    const seen = texts(await tiny('--type', 'd'));
    expect(new Set(seen.map((text) => text.replace(/ .*/, '')))).toEqual(new Set(['pause', 'jmp']));
    expect(seen).toHaveLength(16);
  });

  test('of a processor that halts for good end with the halt', async () => {
    expect(texts(await tiny('--type', 'h')).slice(-2)).toEqual(['cli', 'hlt']);
  });

  test('of a budget are its last ones, and the budget is kept', async () => {
    const report = await tiny('--until', 'never', '--budget', '123456');
    expect(report).toMatchObject({ exitCode: exitCodes.budgetUsedUp, instructions: 123_456 });
    expect(texts(report)).toHaveLength(16);
    expect(texts(report)).toContain('in al, dx');
    expect(texts(await tiny('--until', 'never', '--budget', '3', '--no-cache'))).toHaveLength(3);
  });

  test('are not asked for where nothing went wrong', async () => {
    expect((await tiny()).last).toBeUndefined();
    expect((await tiny('--type', 'r', '--no-reboot')).last).toBeUndefined();
  });
});

describe('OVMF', { timeout: 240_000 }, () => {
  test('is known by its modules in every phase', (context) => {
    requireTool(context, 'ovmf');
    const image = (name: string): Uint8Array => readFileSync(`/usr/share/OVMF/${name}`);
    const pc = new PcMachine({
      flash: [
        { image: image('OVMF_CODE_4M.fd'), readOnly: true },
        { image: image('OVMF_VARS_4M.fd'), readOnly: false },
      ],
    });
    const names: (string | undefined)[] = [];
    for (const stop of [100e6, 515e6, 600e6]) {
      pc.run({ budget: stop - pc.machine.retired });
      names.push(new PlaceFinder(pc.machine).find(pc.machine.rip).module?.name);
    }
    expect(names[0]).toBe('SecMain');
    for (const name of names) expect(name).toMatch(/^[A-Z]\w+$/);
    expect(new Set(names).size).toBe(3);
  });

  test('starts an application that dies; the verdict names it, and what led there', async (context) => {
    requireTool(context, 'ovmf');
    const file = join(folder, 'crash.efi');
    // lidt [rip + 1]; int3; then a limit and a base of zeros
    writeFileSync(file, peImage({ code: [0x0f, 0x01, 0x1d, 1, 0, 0, 0, 0xcc] }));
    const report = await boot('--firmware', 'ovmf', '--kernel', file);
    expect(report.exitCode).toBe(exitCodes.firmwareFault);
    expect(report.verdict).toMatch(/^triple fault at 0x\w+ \(crash\.efi\+0x1007\), code cc/);
    const modules = (report.last ?? []).flatMap((line) =>
      'address' in line ? [line.module?.name] : [],
    );
    expect(modules.slice(-2)).toEqual(['crash.efi', 'crash.efi']);
    expect(modules).toContain('DxeCore');
  });
});
