// High precision event timer at 0xfed00000: 100 MHz, three comparators.
// Datasheet: Intel IA-PC HPET specification 1.0a. Identification and routing as QEMU reports them.

import type { Alarm, Clock, StateObject, IoHandler, IrqLine, MmioRange } from './ops.ts';
import { createAlarm, NO_DEADLINE } from './ops.ts';

export interface HpetOps {
  readonly clock: Clock;
  /** One line per IO-APIC pin that a timer may be routed to. */
  readonly route: (line: number) => IrqLine;
  /** Legacy replacement: timer 0 takes the place of the 8254 on IRQ 0, timer 1 of the clock on IRQ 8. */
  readonly legacy: (on: boolean) => void;
  readonly legacyLines: readonly [IrqLine, IrqLine];
}

export type HpetState = StateObject & {
  readonly configuration: number;
  readonly status: number;
  readonly counter: readonly number[];
  readonly started: number;
  readonly timers: readonly (readonly number[])[];
};

export interface Hpet {
  readonly mmioRange: MmioRange;
  readonly reset: () => void;
  readonly save: () => HpetState;
  readonly load: (state: HpetState) => void;
}

export const HPET_BASE = 0xfed0_0000;
/** Vendor 8086, legacy replacement, 64-bit counter, three timers, revision 1. */
export const HPET_ID = 0x8086_a201;
/** Femtoseconds per tick. */
const PERIOD = 10_000_000;
const TICK_NS = 10;

const CAPABILITIES = 0x000;
const CONFIGURATION = 0x010;
const STATUS = 0x020;
const COUNTER = 0x0f0;
const TIMERS = 0x100;
const TIMER_STRIDE = 0x20;
const TIMER_CONFIGURATION = 0x00;
const TIMER_COMPARATOR = 0x08;
const TIMER_COUNT = 3;

const ENABLE = 0x1;
const LEGACY = 0x2;
const T_LEVEL = 0x0002;
const T_INTERRUPT = 0x0004;
const T_PERIODIC = 0x0008;
const T_SET_VALUE = 0x0040;
const T_32BIT = 0x0100;
const T_WRITABLE = 0x7f4e;
/** Periodic mode and 64-bit comparator are there. */
const T_CAPABILITIES = 0x0030;
/** Pins a timer may use (upper half of its configuration): as QEMU says, pin 2 only, though every pin is honoured. */
const T_ROUTES = 0x0000_0004;

const MASK32 = 0xffff_ffffn;
const MASK64 = 0xffff_ffff_ffff_ffffn;

interface Timer {
  configuration: number;
  comparator: bigint;
  period: bigint;
  readonly alarm: Alarm;
}

const low = (value: bigint): number => Number(value & MASK32);
const high = (value: bigint): number => Number((value >> 32n) & MASK32);
const join = (lowWord: number, highWord: number): bigint =>
  (BigInt(highWord) << 32n) | BigInt(lowWord);
const withHalf = (value: bigint, upper: boolean, word: number): bigint =>
  upper ? join(low(value), word) : join(word, high(value));

export const createHpet = (ops: HpetOps): Hpet => {
  const { clock } = ops;
  let configuration = 0;
  let status = 0;
  /** The counter's value while it stands; while it runs, its value at virtual time `started`. */
  let counter = 0n;
  let started = 0;

  const enabled = (): boolean => (configuration & ENABLE) !== 0;
  const current = (): bigint =>
    enabled()
      ? (counter + BigInt(Math.floor((clock.now() - started) / TICK_NS))) & MASK64
      : counter;

  const line = (n: number, timer: Timer): IrqLine => {
    if (n < 2 && (configuration & LEGACY) !== 0) return ops.legacyLines[n as 0 | 1];
    return ops.route((timer.configuration >>> 9) & 0x1f);
  };
  const lower = (n: number): void => {
    status &= ~(1 << n);
    line(n, timers[n]!).set(false);
  };
  const raise = (n: number): void => {
    const timer = timers[n]!;
    if ((timer.configuration & T_INTERRUPT) === 0 || !enabled()) return lower(n);
    const target = line(n, timer);
    if ((timer.configuration & T_LEVEL) !== 0) status |= 1 << n;
    target.set(true);
    if ((timer.configuration & T_LEVEL) === 0) target.set(false);
  };

  /** Ticks until the counter equals the comparator, within the timer's width. */
  const distance = (timer: Timer): bigint => {
    const mask = (timer.configuration & T_32BIT) !== 0 ? MASK32 : MASK64;
    const ahead = (timer.comparator - current()) & mask;
    // A comparator just passed is treated as due, not as one whole turn away.
    return ahead > mask >> 1n ? 0n : ahead;
  };
  const arm = (timer: Timer): void => {
    timer.alarm.clear();
    if (!enabled()) return;
    const ticks = distance(timer);
    if (ticks < BigInt(Number.MAX_SAFE_INTEGER) / 100n)
      timer.alarm.set(clock.now() + Number(ticks) * TICK_NS);
  };
  const fire = (n: number): void => {
    const timer = timers[n]!;
    if ((timer.configuration & T_PERIODIC) !== 0 && timer.period !== 0n) {
      const mask = (timer.configuration & T_32BIT) !== 0 ? MASK32 : MASK64;
      const passed = ((current() - timer.comparator) & mask) / timer.period;
      timer.comparator = (timer.comparator + (passed + 1n) * timer.period) & mask;
      arm(timer);
    }
    raise(n);
  };
  const timers: readonly Timer[] = Array.from({ length: TIMER_COUNT }, (_, n): Timer => ({
    configuration: T_CAPABILITIES,
    comparator: MASK64,
    period: 0n,
    alarm: createAlarm(clock, () => fire(n)),
  }));

  const writeConfiguration = (value: number): void => {
    const was = configuration;
    const next = value & (ENABLE | LEGACY);
    if ((next & ENABLE) !== 0 && (was & ENABLE) === 0) {
      started = clock.now();
      configuration = next;
      for (const timer of timers) if (timer.comparator !== MASK64) arm(timer);
    } else if ((next & ENABLE) === 0 && (was & ENABLE) !== 0) {
      counter = current();
      configuration = next;
      for (const timer of timers) timer.alarm.clear();
    } else configuration = next;
    if (((was ^ next) & LEGACY) !== 0) ops.legacy((next & LEGACY) !== 0);
  };
  const writeTimer = (n: number, register: number, value: number): void => {
    const timer = timers[n]!;
    switch (register) {
      case TIMER_CONFIGURATION: {
        if ((timer.configuration & ~value & (T_INTERRUPT | T_LEVEL)) !== 0) lower(n);
        timer.configuration = (value & T_WRITABLE) | T_CAPABILITIES;
        if ((value & T_32BIT) !== 0) {
          timer.comparator &= MASK32;
          timer.period &= MASK32;
        }
        if (enabled()) arm(timer);
        return;
      }
      case TIMER_COMPARATOR:
      case TIMER_COMPARATOR + 4: {
        const upper = register !== TIMER_COMPARATOR;
        if (upper && (timer.configuration & T_32BIT) !== 0) return;
        const periodic = (timer.configuration & T_PERIODIC) !== 0;
        if (!periodic || (timer.configuration & T_SET_VALUE) !== 0)
          timer.comparator = withHalf(timer.comparator, upper, value);
        if (periodic) timer.period = withHalf(timer.period, upper, value);
        timer.configuration &= ~T_SET_VALUE;
        if (enabled()) arm(timer);
        return;
      }
      default:
    }
  };

  const read = (at: number): number => {
    if (at >= TIMERS) {
      const timer = timers[Math.floor((at - TIMERS) / TIMER_STRIDE)];
      if (timer === undefined) return 0;
      switch ((at - TIMERS) % TIMER_STRIDE) {
        case TIMER_CONFIGURATION:
          return timer.configuration;
        case TIMER_CONFIGURATION + 4:
          return T_ROUTES;
        case TIMER_COMPARATOR:
          return low(timer.comparator);
        case TIMER_COMPARATOR + 4:
          return high(timer.comparator);
        default:
          return 0;
      }
    }
    switch (at) {
      case CAPABILITIES:
        return HPET_ID;
      case CAPABILITIES + 4:
        return PERIOD;
      case CONFIGURATION:
        return configuration;
      case STATUS:
        return status;
      case COUNTER:
        return low(current());
      case COUNTER + 4:
        return high(current());
      default:
        return 0;
    }
  };
  const handler: IoHandler = {
    // Registers are read and written 32 bits at a time.
    read: (offset, size) => (size === 4 && (offset & 3) === 0 ? read(offset) : 0),
    write: (offset, size, value) => {
      if (size !== 4) return;
      if (offset >= TIMERS) {
        const n = Math.floor((offset - TIMERS) / TIMER_STRIDE);
        if (n < TIMER_COUNT) writeTimer(n, (offset - TIMERS) % TIMER_STRIDE, value);
      } else if (offset === CONFIGURATION) writeConfiguration(value);
      else if (offset === STATUS) {
        for (let n = 0; n < TIMER_COUNT; n++) if ((value & status & (1 << n)) !== 0) lower(n);
      } else if (offset === COUNTER || offset === COUNTER + 4) {
        // Writing while the counter runs is not allowed (2.3.7).
        if (!enabled()) counter = withHalf(counter, offset !== COUNTER, value);
      }
    },
  };

  return {
    mmioRange: { name: 'HPET', base: HPET_BASE, length: 0x400, maxSize: 4, handler },
    reset: () => {
      writeConfiguration(0);
      counter = 0n;
      status = 0;
      for (const timer of timers)
        Object.assign(timer, { configuration: T_CAPABILITIES, comparator: MASK64, period: 0n });
    },
    save: () => ({
      configuration,
      status,
      counter: [low(counter), high(counter)],
      started,
      timers: timers.map((timer) => [
        timer.configuration,
        low(timer.comparator),
        high(timer.comparator),
        low(timer.period),
        high(timer.period),
        timer.alarm.deadline(),
      ]),
    }),
    load: (state) => {
      ({ configuration, status, started } = state);
      counter = join(state.counter[0] ?? 0, state.counter[1] ?? 0);
      state.timers.forEach(
        ([config = 0, c0 = 0, c1 = 0, p0 = 0, p1 = 0, deadline = NO_DEADLINE], n) => {
          const timer = timers[n]!;
          timer.configuration = config;
          timer.comparator = join(c0, c1);
          timer.period = join(p0, p1);
          timer.alarm.set(deadline);
        },
      );
    },
  };
};
