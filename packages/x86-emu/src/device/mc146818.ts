// MC146818A real-time clock and CMOS memory at ports 0x70 and 0x71.
// Datasheet: Motorola MC146818A (1984). Time of day is virtual time added to a start time that is an option.

import type { Clock, StateObject, IoHandler, IrqLine, PortRange } from './ops.ts';
import { createAlarm, NO_DEADLINE, ticksAt, timeOfTick } from './ops.ts';

export interface RtcOps {
  readonly clock: Clock;
  readonly irq: IrqLine;
}

export interface RtcOptions {
  /** Time of day at power-on, seconds since 1970-01-01T00:00:00 in the clock's own time zone. */
  readonly startTime: number;
  /** CMOS bytes that the machine sets: memory sizes, equipment, boot order. Indexes 0x0e to 0x7f. */
  readonly contents: Readonly<Record<number, number>>;
}

export type RtcState = StateObject & {
  readonly registers: Uint8Array;
  readonly index: number;
  readonly baseSeconds: number;
  readonly baseTime: number;
  readonly setFraction: number;
  readonly nextUpdate: number;
  readonly nextPeriodic: number;
};

export interface Rtc {
  readonly portRanges: readonly PortRange[];
  /** Reset line: interrupts off, time and CMOS kept. */
  readonly reset: () => void;
  readonly save: () => RtcState;
  readonly load: (state: RtcState) => void;
}

const SECONDS = 0x00;
const SECONDS_ALARM = 0x01;
const MINUTES = 0x02;
const MINUTES_ALARM = 0x03;
const HOURS = 0x04;
const HOURS_ALARM = 0x05;
const DAY_OF_WEEK = 0x06;
const DATE = 0x07;
const MONTH = 0x08;
const YEAR = 0x09;
const REGISTER_A = 0x0a;
const REGISTER_B = 0x0b;
const REGISTER_C = 0x0c;
const REGISTER_D = 0x0d;
const CENTURY = 0x32;
/** The PS/2's place of the century, another name of 0x32. */
const CENTURY_PS2 = 0x37;

const A_UIP = 0x80;
const A_DIVIDER = 0x70;
const A_DIVIDER_RUN = 0x20;
/** Divider settings from 0x60 on hold the chain in reset. */
const A_DIVIDER_RESET = 0x60;
const A_RATE = 0x0f;
const B_SET = 0x80;
const B_PIE = 0x40;
const B_AIE = 0x20;
const B_UIE = 0x10;
const B_SQWE = 0x08;
const B_BINARY = 0x04;
const B_24H = 0x02;
const C_IRQF = 0x80;
const C_PF = 0x40;
const C_AF = 0x20;
const C_UF = 0x10;
const D_VALID = 0x80;
const PM = 0x80;
const ALARM_ANY = 0xc0;

const SECOND = 1_000_000_000;
const CRYSTAL_HZ = 32_768;
/** UIP is set this long before the update: eight crystal cycles, 244 us. */
const UPDATE_HOLD = Math.floor((8 * SECOND) / CRYSTAL_HZ);
const DAY = 86_400;

const TIME_REGISTERS: ReadonlySet<number> = new Set([
  SECONDS,
  MINUTES,
  HOURS,
  DAY_OF_WEEK,
  DATE,
  MONTH,
  YEAR,
  CENTURY,
]);

const alarmField = (register: number, value: number, shown: number): boolean =>
  (register & ALARM_ANY) === ALARM_ANY || shown === value;
const alias = (at: number): number => (at === CENTURY_PS2 ? CENTURY : at);

export const createRtc = (ops: RtcOps, options: RtcOptions): Rtc => {
  const { clock } = ops;
  const registers = new Uint8Array(128);
  let index = 0;
  /** Time of day was `baseSeconds` at virtual time `baseTime` exactly. */
  let baseSeconds = options.startTime;
  let baseTime = 0;
  /** Where in its second the clock stood when it was last stopped. */
  let setFraction = 0;

  const running = (): boolean =>
    (registers[REGISTER_B]! & B_SET) === 0 &&
    (registers[REGISTER_A]! & A_DIVIDER) < A_DIVIDER_RESET;
  const secondsAt = (ns: number): number => baseSeconds + Math.floor((ns - baseTime) / SECOND);

  const encode = (value: number): number =>
    (registers[REGISTER_B]! & B_BINARY) !== 0
      ? value
      : (Math.floor(value / 10) << 4) | (value % 10);
  const decode = (value: number): number =>
    (registers[REGISTER_B]! & B_BINARY) !== 0 ? value : (value >>> 4) * 10 + (value & 0x0f);
  const encodeHour = (hour: number): number => {
    if ((registers[REGISTER_B]! & B_24H) !== 0) return encode(hour);
    return encode(hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? PM : 0);
  };
  const decodeHour = (value: number): number => {
    if ((registers[REGISTER_B]! & B_24H) !== 0) return decode(value);
    return (decode(value & ~PM) % 12) + ((value & PM) !== 0 ? 12 : 0);
  };

  const showTime = (seconds: number): void => {
    const date = new Date(seconds * 1000);
    registers[SECONDS] = encode(date.getUTCSeconds());
    registers[MINUTES] = encode(date.getUTCMinutes());
    registers[HOURS] = encodeHour(date.getUTCHours());
    registers[DAY_OF_WEEK] = encode(date.getUTCDay() + 1);
    registers[DATE] = encode(date.getUTCDate());
    registers[MONTH] = encode(date.getUTCMonth() + 1);
    registers[YEAR] = encode(date.getUTCFullYear() % 100);
    registers[CENTURY] = encode(Math.floor(date.getUTCFullYear() / 100));
  };
  const refresh = (): void => {
    if (running()) showTime(secondsAt(clock.now()));
  };
  /** Takes the registers as the time of day, `elapsed` nanoseconds into the second. */
  const takeTime = (elapsed: number): void => {
    const year = decode(registers[CENTURY]!) * 100 + decode(registers[YEAR]!);
    const ms = Date.UTC(
      2000,
      decode(registers[MONTH]!) - 1,
      decode(registers[DATE]!),
      decodeHour(registers[HOURS]!),
      decode(registers[MINUTES]!),
      decode(registers[SECONDS]!),
    );
    const date = new Date(ms);
    // Date.UTC takes years 0 to 99 as 1900 to 1999.
    date.setUTCFullYear(date.getUTCFullYear() - 2000 + year);
    baseSeconds = Math.floor(date.getTime() / 1000);
    baseTime = clock.now() - elapsed;
  };
  const fraction = (): number => (clock.now() - baseTime) % SECOND;

  const updateIrq = (): void => {
    const raised = registers[REGISTER_C]! & registers[REGISTER_B]! & (C_PF | C_AF | C_UF);
    if (raised !== 0) registers[REGISTER_C]! |= C_IRQF;
    ops.irq.set((registers[REGISTER_C]! & C_IRQF) !== 0);
  };

  const matchesAlarm = (seconds: number): boolean => {
    const ofDay = ((seconds % DAY) + DAY) % DAY;
    const [s, m, h] = [
      registers[SECONDS_ALARM]!,
      registers[MINUTES_ALARM]!,
      registers[HOURS_ALARM]!,
    ];
    return (
      alarmField(s, ofDay % 60, decode(s)) &&
      alarmField(m, Math.floor(ofDay / 60) % 60, decode(m)) &&
      alarmField(h, Math.floor(ofDay / 3600), decodeHour(h))
    );
  };
  /** Seconds until the alarm next matches, counted from the second after `seconds`; undefined if it never does. */
  const untilAlarm = (seconds: number): number | undefined => {
    for (let ahead = 1; ahead <= DAY;) {
      if (matchesAlarm(seconds + ahead)) return ahead;
      // Skip whole minutes in which the second cannot match.
      const any = (registers[SECONDS_ALARM]! & ALARM_ANY) === ALARM_ANY;
      const toMinute = 60 - ((((seconds + ahead) % 60) + 60) % 60);
      const second = decode(registers[SECONDS_ALARM]!);
      const current = (((seconds + ahead) % 60) + 60) % 60;
      ahead += any ? 1 : second > current && second < 60 ? second - current : toMinute;
    }
    return undefined;
  };

  const update = createAlarm(clock, () => {
    if (!running()) return;
    const seconds = secondsAt(clock.now());
    registers[REGISTER_C]! |= C_UF;
    if (matchesAlarm(seconds)) registers[REGISTER_C]! |= C_AF;
    updateIrq();
    scheduleUpdate();
  });
  /** Wakes at the next second while UF is clear, else only at the alarm: nobody can see the seconds between. */
  const scheduleUpdate = (): void => {
    update.clear();
    if (!running()) return;
    const now = clock.now();
    const elapsed = Math.floor((now - baseTime) / SECOND);
    const flags = registers[REGISTER_C]!;
    if ((flags & C_UF) === 0) update.set(baseTime + (elapsed + 1) * SECOND);
    else if ((flags & C_AF) === 0) {
      const ahead = untilAlarm(baseSeconds + elapsed);
      if (ahead !== undefined) update.set(baseTime + (elapsed + ahead) * SECOND);
    }
  };

  /** Crystal cycles between periodic interrupts; rates 1 and 2 are 8 and 9 with the 32 kHz crystal. */
  const period = (): number => {
    const rate = registers[REGISTER_A]! & A_RATE;
    if (rate === 0) return 0;
    return 1 << ((rate <= 2 ? rate + 7 : rate) - 1);
  };
  const periodic = createAlarm(clock, () => {
    registers[REGISTER_C]! |= C_PF;
    updateIrq();
    schedulePeriodic();
  });
  /** Ticks fall on multiples of the period since power-on and are only followed while their interrupt is enabled. */
  const schedulePeriodic = (): void => {
    periodic.clear();
    const cycles = period();
    if (cycles === 0 || (registers[REGISTER_B]! & B_PIE) === 0) return;
    const next = (Math.floor(ticksAt(clock.now(), CRYSTAL_HZ) / cycles) + 1) * cycles;
    periodic.set(timeOfTick(next, CRYSTAL_HZ));
  };

  const updateInProgress = (): boolean => running() && fraction() >= SECOND - UPDATE_HOLD;

  const writeA = (value: number): void => {
    const wasReset = (registers[REGISTER_A]! & A_DIVIDER) >= A_DIVIDER_RESET;
    const resets = (value & A_DIVIDER) >= A_DIVIDER_RESET;
    if (resets && !wasReset) refresh();
    registers[REGISTER_A] = value & ~A_UIP;
    // Out of divider reset the first update follows half a second later (datasheet, "divider stages").
    if (!resets && wasReset) {
      setFraction = SECOND / 2;
      takeTime(setFraction);
    }
    schedulePeriodic();
    scheduleUpdate();
  };
  const writeB = (value: number): void => {
    const old = registers[REGISTER_B]!;
    if ((value & B_SET) !== 0) {
      if ((old & B_SET) === 0) {
        refresh();
        setFraction = fraction();
      }
      value &= ~B_UIE;
    } else if ((old & B_SET) !== 0) {
      registers[REGISTER_B] = value;
      takeTime(setFraction);
    } else refresh();
    const changed = (old ^ value) & (B_BINARY | B_24H);
    registers[REGISTER_B] = value;
    if (changed !== 0) refresh();
    updateIrq();
    schedulePeriodic();
    scheduleUpdate();
  };

  const writeRegister = (at: number, value: number): void => {
    switch (at) {
      case REGISTER_A:
        writeA(value);
        return;
      case REGISTER_B:
        writeB(value);
        return;
      case REGISTER_C:
      case REGISTER_D:
        return;
      case SECONDS_ALARM:
      case MINUTES_ALARM:
      case HOURS_ALARM:
        registers[at] = value;
        scheduleUpdate();
        return;
      default:
        if (TIME_REGISTERS.has(at)) {
          refresh();
          registers[at] = value;
          // As in QEMU the running second starts again where it stood when the time was last set.
          if (running()) takeTime(setFraction);
          scheduleUpdate();
        } else registers[at] = value;
    }
  };
  const readRegister = (at: number): number => {
    switch (at) {
      case REGISTER_A:
        return registers[REGISTER_A]! | (updateInProgress() ? A_UIP : 0);
      case REGISTER_C: {
        const value = registers[REGISTER_C]!;
        registers[REGISTER_C] = 0;
        updateIrq();
        scheduleUpdate();
        return value;
      }
      default:
        if (TIME_REGISTERS.has(at)) refresh();
        return registers[at]!;
    }
  };

  const handler: IoHandler = {
    // The index register is write only.
    read: (offset) => (offset === 0 ? 0xff : readRegister(alias(index))),
    write: (offset, _size, value) => {
      if (offset === 0) index = value & 0x7f;
      else writeRegister(alias(index), value);
    },
  };

  for (const [at, value] of Object.entries(options.contents)) registers[Number(at)] = value;
  registers[REGISTER_A] = A_DIVIDER_RUN | 6;
  registers[REGISTER_B] = B_24H;
  registers[REGISTER_D] = D_VALID;
  scheduleUpdate();

  return {
    portRanges: [{ name: 'RTC', first: 0x70, count: 2, maxSize: 1, handler }],
    reset: () => {
      registers[REGISTER_B]! &= ~(B_PIE | B_AIE | B_UIE | B_SQWE);
      registers[REGISTER_C] = 0;
      updateIrq();
      schedulePeriodic();
      scheduleUpdate();
    },
    save: () => ({
      registers: registers.slice(),
      index,
      baseSeconds,
      baseTime,
      setFraction,
      nextUpdate: update.deadline(),
      nextPeriodic: periodic.deadline(),
    }),
    load: (state) => {
      registers.set(state.registers);
      ({ index, baseSeconds, baseTime, setFraction } = state);
      update.set(state.nextUpdate ?? NO_DEADLINE);
      periodic.set(state.nextPeriodic ?? NO_DEADLINE);
      ops.irq.set((registers[REGISTER_C]! & C_IRQF) !== 0);
    },
  };
};
