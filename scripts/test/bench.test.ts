import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { patchedImage } from '../../bench/image.ts';
import { instructionsOf } from '../../bench/instruction-counts.ts';
import { GUEST_WORK, selectionOf } from '../../bench/kernels.ts';
import { createLineMeter } from '../../bench/measurement.ts';
import { createMultibootMachine } from '../../bench/multiboot-machine.ts';
import { parseOptions } from '../../bench/options.ts';
import type { Report } from '../../bench/report.ts';
import { geometricMean, median } from '../../bench/statistics.ts';
import { formatNumber, formatTable } from '../../bench/table.ts';

describe('the command line of the benchmark', () => {
  test('--only takes engines and work in any mixture', () => {
    const options = parseOptions(['--only', 'systab,mix', '--only', 'int']);
    expect(options).toMatchObject({ rounds: 3, quick: false, work: ['mix', 'int'] });
    expect(options === 'help' ? [] : options.peers.map(({ name }) => name)).toEqual(['systab']);
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
