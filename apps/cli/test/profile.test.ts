// `systab boot --profile`: what a stack is counted as, and a profile of a real run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodes, runCli } from '@systab/cli';
import type { BootProfile, FinishedProfile } from '../src/profile/boot-profile.ts';
import { chromeTrace } from '../src/profile/chrome-trace.ts';
import type { ChromeTrace } from '../src/profile/chrome-trace.ts';
import type { Frame } from '../src/profile/cpu-sampler.ts';
import { PARTS, placeOf } from '../src/profile/parts.ts';
import { tinyFirmware } from './tiny-firmware.ts';

/** `engine/engine#run` or `core:run` as a frame. */
const frame = (text: string): Frame => {
  const [, path = '', name = ''] = /^([^#]*)#?(.*)$/.exec(text) ?? [];
  if (path.startsWith('(')) return { name: path, url: '' };
  const [module, wasm] = path.split(':');
  return wasm === undefined
    ? { name, url: `file:///x/packages/x86-emu/src/${path}.ts` }
    : { name: wasm, url: `wasm://wasm/${module}-0123abcd` };
};

describe('a stack', () => {
  const loop = ['machine#run', 'engine/engine##run', 'core:run'];
  test.each([
    [[], 'host', undefined],
    [['(garbage collector)'], 'collector', undefined],
    [['(program)'], 'host', undefined],
    [['machine#run'], 'run loop', undefined],
    [loop, 'interpreter', undefined],
    [[...loop, 'handler:handler'], 'interpreter', undefined],
    [[...loop, 'core:load32'], 'runtime', undefined],
    [[...loop, 'region:entry12'], 'translated', undefined],
    [[...loop, 'region:entry12', 'core:store8', 'core:translate'], 'runtime', undefined],
    [['machine#run', 'engine/hot-spots#sample', 'isa/mov#move', 'wasm/code#set'], 'translator'],
    [
      ['engine/region-translator#translateRegion', 'engine/guest-emit#load'],
      'translator',
      undefined,
    ],
    [['engine/handlers#number', 'engine/guest-emit#load'], 'decoder', undefined],
    [['engine/code-fetch#find', 'decode/decoder#decode'], 'decoder', undefined],
    [[...loop, 'engine/engine-imports#slowPath', 'isa/system-io#input'], 'slow paths', undefined],
    [[...loop, 'engine/engine-imports#slowPath', 'machine/port-space#read'], 'ports', undefined],
    [[...loop, 'machine/port-space#read', 'machine##traceEvent'], 'ports', undefined],
    [
      [...loop, 'machine/port-space#read', 'pc/bus#read', 'device/acpi-pm#read'],
      'devices',
      'acpi-pm',
    ],
    // The alarm is the timer's, the interrupt that it raises belongs to it.
    [
      ['machine#run', 'device/ops#', 'device/i8254#tick', 'device/i8259#setIrq'],
      'devices',
      'i8254',
    ],
  ] as const)('%j is %s', (stack, part, device?: string) => {
    expect(placeOf(stack.map(frame))).toEqual({ part, device });
  });

  test('is known from built files, too', () => {
    const url = 'file:///y/node_modules/@systab/x86-emu/dist/device/fw-cfg.js';
    expect(placeOf([{ name: 'read', url }])).toEqual({ part: 'devices', device: 'fw-cfg' });
  });
});

describe('a profile', () => {
  let folder: string;
  let firmware: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'systab-profile-'));
    firmware = join(folder, 'tiny.fd');
    writeFileSync(firmware, tinyFirmware());
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = async (...args: readonly string[]) => {
    let out = '';
    let err = '';
    const command = ['boot', '--memory', '2', '--firmware', firmware, ...args];
    const exitCode = await runCli(command, {
      out: (text) => (out += text),
      err: (text) => (err += text),
      colour: false,
    });
    return { exitCode, out, err };
  };

  test(
    'covers the whole time, counts accesses exactly, and changes nothing',
    { timeout: 60_000 },
    async () => {
      const args = ['--json', '--until', 'never', '--budget', '12000000'];
      const profiled = JSON.parse((await run(...args, '--profile')).out) as {
        readonly cache: string;
        readonly traceHash: string;
        readonly wallSeconds: number;
        readonly profile: BootProfile;
      };
      const plain = JSON.parse((await run(...args, '--no-cache')).out) as typeof profiled;
      expect(profiled.traceHash).toBe(plain.traceHash);
      expect(profiled.cache).toBe('off');
      expect(plain.profile).toBeUndefined();

      const { phases, devices, accesses } = profiled.profile;
      expect(phases.map(({ phase }) => phase)).toEqual(['load', 'before', 'SEC', 'shell', 'after']);
      expect(phases.reduce((sum, { instructions }) => sum + instructions, 0)).toBe(12_000_000);
      for (const { wall, parts } of phases)
        expect(PARTS.reduce((sum, part) => sum + parts[part], 0)).toBeCloseTo(wall, 3);
      // The firmware sends 14 bytes, then polls the line status register: an access in four instructions.
      const polls = accesses.find(({ name }) => name === 'COM1')?.accesses ?? 0;
      expect(Math.abs(polls - 3_000_000)).toBeLessThan(100);
      const shell = phases.find(({ phase }) => phase === 'shell');
      for (const part of ['interpreter', 'slow paths', 'devices'] as const)
        expect(shell?.parts[part]).toBeGreaterThan(0);
      expect(devices.map(({ device }) => device)).toContain('uart16550');
    },
  );

  test('is a table for people and a trace for viewers', async () => {
    const file = join(folder, 'trace.json');
    const { exitCode, out, err } = await run('--profile-trace', file);
    expect({ exitCode, out }).toEqual({ exitCode: exitCodes.ok, out: 'hello\r\nShell> ' });
    expect(err).toMatch(/^wall, s +load +before +SEC +shell +after +all +share$/m);
    expect(err).toMatch(/^interpreter +\d+\.\d\d .*%  the dispatch loop/m);
    expect(err).toMatch(/^COM1 +14$/m);
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as ChromeTrace;
    const spans = traceEvents.filter((event) => event.ph === 'X');
    expect(spans.filter(({ tid }) => tid === 1).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['load', 'SEC', 'shell']),
    );
    expect(spans.every(({ ts, dur }) => ts >= 0 && dur >= 0)).toBe(true);
  });

  test('a trace that cannot be written is an error that names the file', async () => {
    const { exitCode, err } = await run('--profile-trace', join(folder, 'no', 'trace.json'));
    expect(exitCode).toBe(exitCodes.usage);
    expect(err).toMatch(/trace\.json: the trace cannot be written \(ENOENT\)/);
  });
});

test('the spans of a trace nest as the calls did', () => {
  const [run, load, store] = ['core:run', 'core:load8', 'core:store8'].map(frame) as [
    Frame,
    Frame,
    Frame,
  ];
  const stacks = [[run], [run, load], [run, load], [run, store], []];
  const finished = {
    stretches: [{ phase: 'SEC', from: 0, to: 5, instructions: 7 }],
    samples: stacks.map((stack, at) => ({ at, until: at + 1, stack })),
  } as unknown as FinishedProfile;
  const spans = chromeTrace(finished).traceEvents.flatMap((event) =>
    event.ph === 'X' ? [[event.tid, event.name, event.ts, event.dur]] : [],
  );
  expect(spans).toEqual([
    [1, 'SEC', 0, 5000],
    [2, 'interpreter', 0, 1000],
    [2, 'runtime', 1000, 3000],
    [2, 'host', 4000, 1000],
    [3, 'load8', 1000, 2000],
    [3, 'store8', 3000, 1000],
    [3, 'run', 0, 4000],
  ]);
});
