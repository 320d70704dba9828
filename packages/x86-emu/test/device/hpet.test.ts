// HPET modes beside the recorded ones (HPET 1.0a, 2.3): periodic, level-triggered, legacy replacement, 32-bit.

import { expect, test } from 'vitest';
import type { Bench } from './oracle-replay.ts';
import { createBench } from './oracle-replay.ts';

const HPET = 0xfed0_0000;
const APIC = 0xfee0_0000;
const IOAPIC = 0xfec0_0000;
const PIN = 20;
const EDGE = 0x0070;
const LEVEL = 0x8070;

/** The local APIC enabled, pin 20 delivering vector 0x70 and pin 2 vector 0x71. */
const setUp = (trigger: number): Bench => {
  const bench = createBench();
  bench.write(APIC + 0xf0, 4, 0x1ff);
  for (const [pin, entry] of [
    [PIN, trigger],
    [2, 0x71],
    [8, 0x72],
  ] as const) {
    bench.write(IOAPIC, 4, 0x10 + 2 * pin);
    bench.write(IOAPIC + 0x10, 4, entry);
  }
  return bench;
};
const program = (
  bench: Bench,
  timer: number,
  configuration: number,
  ...comparator: readonly number[]
): void => {
  bench.write(HPET + 0x100 + 0x20 * timer, 4, configuration);
  for (const value of comparator) bench.write(HPET + 0x108 + 0x20 * timer, 4, value);
  bench.write(HPET + 0x10c + 0x20 * timer, 4, 0);
};
/** Takes interrupts as they come for `ns`, each ended at once; their vectors and times from the start. */
const take = (bench: Bench, ns: number): readonly (readonly [number, number])[] => {
  const start = bench.clock.now();
  const taken: [number, number][] = [];
  while (bench.clock.now() < start + ns) {
    bench.clock.advanceTo(Math.min(bench.clock.nextDeadline(), start + ns));
    while (bench.pending() && taken.length < 100) {
      taken.push([bench.pc.acknowledge(), bench.clock.now() - start]);
      bench.write(APIC + 0xb0, 4, 0);
    }
  }
  return taken;
};

test('periodic: first at the comparator, then every period', () => {
  const bench = setUp(EDGE);
  // The upper half first: once the timer is periodic a write to it goes to the period.
  bench.write(HPET + 0x10c, 4, 0);
  bench.write(HPET + 0x100, 4, (PIN << 9) | 0x4c);
  bench.write(HPET + 0x108, 4, 10_000);
  bench.write(HPET + 0x108, 4, 5_000);
  bench.write(HPET + 0x10, 4, 1);
  expect(take(bench, 220_000)).toEqual([
    [0x70, 100_000],
    [0x70, 150_000],
    [0x70, 200_000],
  ]);
});

test('level-triggered: the status bit holds the line until one is written to it', () => {
  const bench = setUp(LEVEL);
  program(bench, 1, (PIN << 9) | 6, 1_000);
  bench.write(HPET + 0x10, 4, 1);
  bench.clock.advanceTo(bench.clock.now() + 20_000);
  expect(bench.read(HPET + 0x20, 4)).toBe(2);
  expect(bench.pc.acknowledge()).toBe(0x70);
  bench.write(APIC + 0xb0, 4, 0);
  // Not acknowledged at its source: delivered again.
  expect(bench.pending()).toBe(true);
  expect(bench.pc.acknowledge()).toBe(0x70);
  bench.write(HPET + 0x20, 4, 2);
  bench.write(APIC + 0xb0, 4, 0);
  expect(bench.read(HPET + 0x20, 4)).toBe(0);
  expect(bench.pending()).toBe(false);
});

test('legacy replacement: timers 0 and 1 take IRQ 0 and IRQ 8, the 8254 is silent', () => {
  const bench = setUp(EDGE);
  for (const [port, value] of [
    [0x43, 0x34],
    [0x40, 0xa9],
    [0x40, 0x04],
  ] as const)
    bench.pc.ports.write(port, 1, value);
  program(bench, 0, 4, 10_000);
  program(bench, 1, 4, 20_000);
  bench.write(HPET + 0x10, 4, 3);
  expect(take(bench, 5_000_000)).toEqual([
    [0x71, 100_000],
    [0x72, 200_000],
  ]);
  bench.write(HPET + 0x10, 4, 0);
  const ticks = take(bench, 5_000_000);
  expect(ticks.length).toBeGreaterThanOrEqual(4);
  expect(new Set(ticks.map(([vector]) => vector))).toEqual(new Set([0x71]));
});

test('a 32-bit timer compares the lower half of the counter', () => {
  const bench = setUp(EDGE);
  bench.write(HPET + 0xf0, 4, 0xffff_ff00);
  bench.write(HPET + 0xf4, 4, 5);
  program(bench, 2, (PIN << 9) | 0x104, 0x100);
  bench.write(HPET + 0x10, 4, 1);
  expect(take(bench, 20_000)).toEqual([[0x70, 5_120]]);
});

test('the counter goes on past 2^32 and stands while disabled', () => {
  const bench = setUp(EDGE);
  bench.write(HPET + 0xf0, 4, 0xffff_ffff);
  bench.write(HPET + 0x10, 4, 1);
  bench.clock.advanceTo(bench.clock.now() + 20);
  bench.write(HPET + 0x10, 4, 0);
  bench.clock.advanceTo(bench.clock.now() + 1_000);
  expect([bench.read(HPET + 0xf0, 4), bench.read(HPET + 0xf4, 4)]).toEqual([1, 1]);
});
