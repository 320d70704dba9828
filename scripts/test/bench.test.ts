import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { watchProgram } from '../../bench/boot/watched-process.ts';
import { patchedImage } from '../../bench/image.ts';
import { instructionsOf } from '../../bench/instruction-counts.ts';
import { GUEST_WORK, selectionOf } from '../../bench/kernels.ts';
import { createLineMeter } from '../../bench/measurement.ts';
import { createMultibootMachine } from '../../bench/multiboot-machine.ts';
import { parseOptions } from '../../bench/options.ts';
import { PEERS } from '../../bench/peers/all.ts';
import type { Report } from '../../bench/report.ts';
import { LINUX, OURS } from '../../bench/services/services.ts';
import type { ServiceResult } from '../../bench/services/services.ts';
import { serviceTable } from '../../bench/services/table.ts';
import { CALL_KINDS } from '../../bench/services/work.ts';
import { geometricMean, median } from '../../bench/statistics.ts';
import { formatNumber, formatTable } from '../../bench/table.ts';

describe('the command line of the benchmark', () => {
  test('--only takes engines and work in any mixture', () => {
    const options = parseOptions(['--only', 'systab,mix', '--only', 'int']);
    expect(options).toMatchObject({ rounds: 3, quick: false, work: ['mix', 'int'] });
    expect(options === 'help' ? [] : options.peers.map(({ name }) => name)).toEqual(['systab']);
  });

  test('the boots of OVMF are in, out, or all there is', () => {
    const boot = (...args: readonly string[]) => {
      const options = parseOptions(args);
      return options === 'help' ? [] : [options.boot, options.peers.length, options.work.length];
    };
    expect(boot()).toEqual([true, PEERS.length, GUEST_WORK.length]);
    expect(boot('--only', 'mix')).toEqual([false, PEERS.length, 1]);
    expect(boot('--only', 'boot')).toEqual([true, 0, 0]);
    expect(boot('--only', 'boot,qemu')).toEqual([true, 1, GUEST_WORK.length]);
  });

  test('services beside Linux are measured when asked for', () => {
    const services = (...args: readonly string[]) => {
      const options = parseOptions(args);
      return options === 'help' ? [] : [options.services, options.boot, options.peers.length];
    };
    expect(services()).toEqual([false, true, PEERS.length]);
    expect(services('--only', 'services')).toEqual([true, false, 0]);
    expect(services('--only', 'services,boot')).toEqual([true, true, 0]);
    expect(services('--only', 'services,qemu')).toEqual([true, false, 1]);
  });

  test.each([
    [['--only', 'bochs'], /'bochs' is neither an engine/],
    [['--rounds', '0'], /expected a whole number from 1 to 99/],
    [['--rounds', '1.5'], /expected a whole number from 1 to 99/],
    [['--fast'], /--fast/],
  ])('%j is refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe('figures', () => {
  test('median and geometric mean', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(geometricMean([1, 4, 16])).toBeCloseTo(4);
    expect(median([])).toBeNaN();
  });

  test('columns and digits', () => {
    expect(
      formatTable([
        ['a', 'bb'],
        ['ccc', 'd'],
      ]),
    ).toBe('a    bb\nccc   d');
    expect([1234.5, 56.78, 0.1234, 0, undefined].map(formatNumber)).toEqual([
      '1235',
      '56.8',
      '0.12',
      '-',
      '-',
    ]);
  });

  test('services by layer and firmware, with how many times faster ours are', () => {
    const rates = (rate: number) =>
      Object.fromEntries(CALL_KINDS.map((kind) => [kind, rate])) as ServiceResult['perSecond'];
    const result = (title: string, rate: number, facts: number): ServiceResult => ({
      firmware: 'ovmf',
      title,
      facts,
      perCpuSecond: rates(rate),
      perSecond: rates(1),
    });
    const lines = serviceTable([result(LINUX, 200, 10), result(OURS, 500, 4)]).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/).filter((cell) => cell !== ''))).toEqual([
      ['calls per CPU second', ...CALL_KINDS, 's to the facts'],
      ['Linux 6.1 in QEMU TCG, ovmf', ...CALL_KINDS.map(() => '200'), '10.0'],
      ['systab, ovmf', ...CALL_KINDS.map(() => '500'), '4.0'],
      ['ratio', ...CALL_KINDS.map(() => '2.5'), '2.5'],
    ]);
  });

  test('the meter takes the time between the two lines of a kernel, in pieces of any size', () => {
    let now = 0;
    const meter = createLineMeter(() => now);
    meter.feed('BOOT\nB mi');
    meter.feed('x\n');
    now = 2;
    meter.feed('E mix 00000000000000ff 0000000a\nDO');
    expect(meter.isDone()).toBe(false);
    meter.feed('NE\n');
    expect(meter.isDone()).toBe(true);
    expect(meter.measurements).toEqual([
      { name: 'mix', checksum: '00000000000000ff', seconds: 2, rounds: 10 },
    ]);
  });

  test('work the guest does not have is an error', () => {
    expect(() => createLineMeter(() => 0).feed('E nothing 0 0\n')).toThrow(/'nothing'/);
  });
});

// CPU time comes from /proc.
describe.runIf(process.platform === 'linux')('a program that is watched', () => {
  const watch = async (script: string, ends: boolean, type?: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'systab-watch-'));
    try {
      const milestones = [
        { text: 'one', ...(type === undefined ? {} : { type }) },
        { text: 'two' },
      ];
      const program = { program: process.execPath, args: ['-e', script], milestones, ends };
      return await watchProgram(program, folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('is typed at when the text is there, and timed', async () => {
    const script = `process.stdout.write('o'); setTimeout(() => process.stdout.write('ne'), 50);
      process.stdin.once('data', (key) => { if (String(key) === 'k') setTimeout(() => {
        process.stdout.write('two'); setTimeout(() => process.exit(), 50); }, 100); });`;
    const { milestones, end = 0, cpu } = await watch(script, true, 'k');
    const [one = 0, two = 0] = milestones;
    // From the start of the process on: a text may be noticed late on a crowded machine, but never early.
    expect(one).toBeGreaterThan(0.05);
    expect(two).toBeGreaterThan(Math.max(one, 0.14));
    expect(end).toBeGreaterThan(Math.max(two, 0.19));
    expect(cpu).toHaveLength(2);
    expect(Math.min(...cpu)).toBeGreaterThan(0);
  });

  test('is ended when it would go on', async () => {
    const { end } = await watch(`console.log('one two'); setInterval(() => {}, 1000)`, false);
    expect(end).toBeUndefined();
  });

  test('that ends before its time is an error with its last words', async () => {
    const script = `console.log('one'); console.error('no more'); process.exitCode = 3`;
    await expect(watch(script, true)).rejects.toThrow(/ended before it printed 'two': no more/);
  });
});

describe('the guest in our machine', () => {
  // The checksums are those of the native program.
  test.each([
    ['crc32', 'bench64', 100],
    ['muldiv', 'bench64', 100],
    ['crc32', 'bench32', 100],
    ['muldiv', 'bench32', 100],
  ] as const)('%s of %s executes the instructions that were counted', (work, image, divisor) => {
    let retired = 0;
    const meter = createLineMeter(() => retired);
    const machine = createMultibootMachine(
      patchedImage(image, divisor, selectionOf([work])),
      (text, instructions) => {
        retired = instructions;
        meter.feed(text);
      },
    );
    machine.run({ budget: 50_000_000 });
    expect(meter.measurements).toMatchObject([
      { name: work, seconds: instructionsOf(image, divisor, work) },
    ]);
    expect(meter.measurements[0]?.checksum).toBe(
      { crc32: '00000000b748c2d3', muldiv: '2a372aa08da13d94' }[work],
    );
  });

  test('the selection word has one bit for each kind of work', () => {
    expect(selectionOf(GUEST_WORK)).toBe(2 ** GUEST_WORK.length - 1);
    expect(selectionOf(['mix', 'smc'])).toBe(1 | (1 << 14));
  });
});

test('one run of everything in the table', { timeout: 60_000 }, () => {
  const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
  const report = JSON.parse(
    execFileSync(process.execPath, [main, '--quick', '--json', '--only', 'systab,crc32,port'], {
      encoding: 'utf8',
    }),
  ) as Report;
  expect(report.results).toHaveLength(1);
  expect(report.results[0]?.mips.crc32).toBeGreaterThan(1);
  expect(report.results[0]?.eventNanoseconds.port).toBeGreaterThan(1);
  expect(report.startUp?.totalMs).toBeGreaterThan(0);
});
