// 8254 programmable interval timer at 0x40 and the system control port 0x61 that gates counter 2.
// Datasheet: Intel 8254 (231164). Counts are derived from virtual time when somebody looks, as QEMU does: a mode takes
// effect with its first count, and in modes 0 and 4 the gate does not stop the counter.

import type { Clock, StateObject, IoHandler, IrqLine, PortRange } from './ops.ts';
import { createAlarm, NO_DEADLINE, ticksAt, timeOfTick } from './ops.ts';

export interface PitOps {
  readonly clock: Clock;
  /** Output of counter 0. */
  readonly irq: IrqLine;
}

export type PitState = StateObject & {
  readonly counters: readonly (readonly number[])[];
  readonly speaker: number;
  readonly refresh: number;
  readonly next: number;
};

export interface Pit {
  readonly portRanges: readonly PortRange[];
  readonly reset: () => void;
  readonly save: () => PitState;
  readonly load: (state: PitState) => void;
}

const PIT_HZ = 1_193_182;

const CONTROL = 3;
const READ_BACK = 3;
/** Access modes: control-word bits 5 and 4. */
const LATCH = 0;
const LOW = 1;
const HIGH = 2;

interface Counter {
  count: number;
  /** Ticks are counted from this virtual time. */
  loadTime: number;
  mode: number;
  access: number;
  gate: boolean;
  /** The next byte of a two-byte access is the high one. */
  writeHigh: boolean;
  readHigh: boolean;
  lowByte: number;
  /** Bytes latched and still to be read. */
  latched: number[];
  status: number | undefined;
}

const freshCounter = (gate: boolean): Counter => ({
  count: 0x10000,
  loadTime: 0,
  mode: 3,
  access: 0,
  gate,
  writeHigh: false,
  readHigh: false,
  lowByte: 0,
  latched: [],
  status: undefined,
});

const elapsed = (counter: Counter, now: number): number => ticksAt(now - counter.loadTime, PIT_HZ);

const output = (counter: Counter, ticks: number): boolean => {
  const { count } = counter;
  switch (counter.mode) {
    case 0:
      return ticks >= count;
    case 1:
      return ticks < count;
    case 2:
      // The one-tick pulse at the end of each period, active high here.
      return ticks % count === 0 && ticks !== 0;
    case 3:
      return ticks % count < (count + 1) >>> 1;
    default:
      return ticks === count;
  }
};

/** Tick of the next change of the output after `ticks`, undefined if there is none. */
const nextChange = (counter: Counter, ticks: number): number | undefined => {
  const { count } = counter;
  const start = ticks - (ticks % count);
  switch (counter.mode) {
    case 0:
    case 1:
      return ticks < count ? count : undefined;
    case 2:
      return ticks === start && ticks !== 0 ? ticks + 1 : start + count;
    case 3: {
      const half = (count + 1) >>> 1;
      return ticks - start < half ? start + half : start + count;
    }
    default:
      return ticks < count ? count : ticks === count ? count + 1 : undefined;
  }
};

const value = (counter: Counter, ticks: number): number => {
  const { count } = counter;
  switch (counter.mode) {
    case 2:
      return count - (ticks % count);
    case 3:
      return count - ((2 * ticks) % count);
    default:
      return (((count - ticks) % 0x10000) + 0x10000) % 0x10000;
  }
};

export const createPit = (ops: PitOps): Pit => {
  const { clock } = ops;
  let counters: readonly [Counter, Counter, Counter] = [
    freshCounter(true),
    freshCounter(true),
    freshCounter(false),
  ];
  let speaker = false;
  let refresh = false;

  const updateIrq = (): void => {
    const [first] = counters;
    const ticks = elapsed(first, clock.now());
    ops.irq.set(output(first, ticks));
    const next = nextChange(first, ticks);
    if (next === undefined) alarm.clear();
    else alarm.set(first.loadTime + timeOfTick(next, PIT_HZ));
  };
  const alarm = createAlarm(clock, () => updateIrq());

  const start = (counter: Counter): void => {
    counter.loadTime = clock.now();
    if (counter === counters[0]) updateIrq();
  };
  const load = (counter: Counter, count: number): void => {
    counter.count = count === 0 ? 0x10000 : count;
    start(counter);
  };
  const current = (counter: Counter): number =>
    value(counter, elapsed(counter, clock.now())) & 0xffff;
  const latch = (counter: Counter): void => {
    if (counter.latched.length > 0) return;
    const count = current(counter);
    if (counter.access === LOW) counter.latched = [count & 0xff];
    else if (counter.access === HIGH) counter.latched = [count >>> 8];
    else if (counter.access !== LATCH) counter.latched = [count & 0xff, count >>> 8];
  };
  const latchStatus = (counter: Counter): void => {
    const out = output(counter, elapsed(counter, clock.now()));
    counter.status ??= (out ? 0x80 : 0) | (counter.access << 4) | (counter.mode << 1);
  };

  const readCounter = (counter: Counter): number => {
    if (counter.status !== undefined) {
      const { status } = counter;
      counter.status = undefined;
      return status;
    }
    const latched = counter.latched.shift();
    if (latched !== undefined) return latched;
    const count = current(counter);
    if (counter.access === HIGH) return count >>> 8;
    if (counter.access <= LOW) return count & 0xff;
    counter.readHigh = !counter.readHigh;
    return counter.readHigh ? count & 0xff : count >>> 8;
  };
  const writeCounter = (counter: Counter, byte: number): void => {
    if (counter.access === HIGH) load(counter, byte << 8);
    else if (counter.access <= LOW) load(counter, byte);
    else if (counter.writeHigh) {
      counter.writeHigh = false;
      load(counter, (byte << 8) | counter.lowByte);
    } else {
      counter.writeHigh = true;
      counter.lowByte = byte;
    }
  };
  const writeControl = (word: number): void => {
    const select = word >>> 6;
    if (select === READ_BACK) {
      counters.forEach((counter, i) => {
        if (((word >>> (i + 1)) & 1) === 0) return;
        if ((word & 0x20) === 0) latch(counter);
        if ((word & 0x10) === 0) latchStatus(counter);
      });
      return;
    }
    const counter = counters[select]!;
    const access = (word >>> 4) & 3;
    if (access === LATCH) {
      latch(counter);
      return;
    }
    counter.access = access;
    counter.readHigh = counter.writeHigh = false;
    // Modes 6 and 7 are 2 and 3 (datasheet, control word format).
    const mode = (word >>> 1) & 7;
    counter.mode = mode > 5 ? mode - 4 : mode;
  };

  const timer: IoHandler = {
    read: (offset) => (offset === CONTROL ? 0 : readCounter(counters[offset]!)),
    write: (offset, _size, byte) => {
      if (offset === CONTROL) writeControl(byte);
      else writeCounter(counters[offset]!, byte);
    },
  };
  const control: IoHandler = {
    read: () => {
      const [, , third] = counters;
      // Bit 4 follows the refresh request: it changes at every look.
      refresh = !refresh;
      const out = output(third, elapsed(third, clock.now()));
      return (out ? 0x20 : 0) | (refresh ? 0x10 : 0) | (speaker ? 2 : 0) | (third.gate ? 1 : 0);
    },
    write: (_offset, _size, byte) => {
      const [, , third] = counters;
      const gate = (byte & 1) !== 0;
      speaker = (byte & 2) !== 0;
      const rose = gate && !third.gate;
      third.gate = gate;
      if (rose && third.mode !== 0 && third.mode !== 4) start(third);
    },
  };

  const reset = (): void => {
    counters = [freshCounter(true), freshCounter(true), freshCounter(false)];
    for (const counter of counters) counter.loadTime = clock.now();
    speaker = refresh = false;
    updateIrq();
  };
  reset();

  return {
    portRanges: [
      { name: '8254', first: 0x40, count: 4, maxSize: 1, handler: timer },
      { name: 'system control port B', first: 0x61, count: 1, maxSize: 1, handler: control },
    ],
    reset,
    save: () => ({
      counters: counters.map((c) => [
        c.count,
        c.loadTime,
        c.mode,
        c.access,
        Number(c.gate),
        Number(c.writeHigh),
        Number(c.readHigh),
        c.lowByte,
        c.status ?? -1,
        ...c.latched,
      ]),
      speaker: Number(speaker),
      refresh: Number(refresh),
      next: alarm.deadline(),
    }),
    load: (state) => {
      state.counters.forEach((saved, i) => {
        const [
          count = 0,
          loadTime = 0,
          mode = 0,
          access = 0,
          gate,
          writeHigh,
          readHigh,
          lowByte = 0,
          status = -1,
        ] = saved;
        Object.assign(counters[i]!, {
          count,
          loadTime,
          mode,
          access,
          lowByte,
          gate: gate !== 0,
          writeHigh: writeHigh !== 0,
          readHigh: readHigh !== 0,
          latched: saved.slice(9),
          status: status < 0 ? undefined : status,
        } satisfies Counter);
      });
      speaker = state.speaker !== 0;
      refresh = state.refresh !== 0;
      alarm.set(state.next ?? NO_DEADLINE);
      ops.irq.set(output(counters[0], elapsed(counters[0], clock.now())));
    },
  };
};
