import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareEfiTime,
  dayOfWeek,
  daysInMonth,
  EFI_TIME,
  EFI_TIME_ADJUST_DAYLIGHT,
  EFI_TIME_IN_DAYLIGHT,
  EFI_UNSPECIFIED_TIMEZONE,
  efiTime,
  efiTimeFaults,
  efiTimeFromUnix,
  efiTimeToUnix,
  formatEfiTime,
} from '../src/index.ts';
import type { EfiTime } from '../src/index.ts';

const noon = efiTime({ year: 2024, month: 2, day: 29, hour: 12, minute: 30, second: 15 });

describe('EFI_TIME ranges', () => {
  it.each<[Partial<EfiTime>, readonly string[]]>([
    [{}, []],
    [{ year: 1899 }, ['year', 'day']],
    [{ year: 1900, day: 29 }, ['day']],
    [{ year: 2000 }, []],
    [{ year: 10_000, day: 1 }, ['year']],
    [{ month: 0 }, ['month', 'day']],
    [{ month: 13 }, ['month', 'day']],
    [{ day: 0 }, ['day']],
    [{ month: 4, day: 31 }, ['day']],
    [{ month: 12, day: 31 }, []],
    [{ year: 2023 }, ['day']],
    [{ hour: 24 }, ['hour']],
    [{ minute: 60 }, ['minute']],
    [{ second: 60 }, ['second']],
    [{ nanosecond: 1_000_000_000 }, ['nanosecond']],
    [{ timeZone: 1441 }, ['timeZone']],
    [{ timeZone: -1440 }, []],
    [{ timeZone: EFI_UNSPECIFIED_TIMEZONE }, []],
    [{ daylight: 4 }, ['daylight']],
    [{ daylight: 3 }, []],
    [{ hour: 1.5 }, ['hour']],
    [{ hour: 99, second: 99 }, ['hour', 'second']],
  ])('%o breaks %o', (change, faults) => {
    expect(efiTimeFaults({ ...noon, ...change })).toEqual(faults);
  });

  it('know the calendar', () => {
    expect([1900, 2000, 2023, 2024].map((year) => daysInMonth(year, 2))).toEqual([28, 29, 28, 29]);
    expect(daysInMonth(2024, 0)).toBe(0);
    expect(dayOfWeek(noon)).toBe(4);
    expect(dayOfWeek({ ...noon, day: 31 })).toBeUndefined();
  });
});

describe('EFI_TIME and instants', () => {
  it('count minutes that UTC is ahead of local time', () => {
    const utc = efiTimeToUnix({ ...noon, timeZone: 0 })?.seconds ?? 0;
    expect(utc).toBe(Date.UTC(2024, 1, 29, 12, 30, 15) / 1000);
    // Pacific standard time is 480 minutes behind UTC: 12:30 there is 20:30 in Greenwich.
    expect(efiTimeToUnix({ ...noon, timeZone: 480 })?.seconds).toBe(utc + 8 * 3600);
    expect(efiTimeToUnix(noon)?.seconds).toBe(utc);
  });

  it('take the hour of daylight saving off only when it has been added', () => {
    const at = (daylight: number): number =>
      efiTimeToUnix({ ...noon, timeZone: 480, daylight })?.seconds ?? 0;
    expect(at(EFI_TIME_ADJUST_DAYLIGHT)).toBe(at(0));
    expect(at(EFI_TIME_ADJUST_DAYLIGHT | EFI_TIME_IN_DAYLIGHT)).toBe(at(0) - 3600);
  });

  it('convert both ways in every zone', () => {
    const zone = fc.oneof(
      fc.integer({ min: -1440, max: 1440 }),
      fc.constant(EFI_UNSPECIFIED_TIMEZONE),
    );
    // 1900-01-02 to 9999-12-30, so that no zone leaves the range of years.
    const seconds = fc.integer({ min: -2_208_902_400, max: 253_402_128_000 });
    fc.assert(
      fc.property(
        seconds,
        fc.nat(999_999_999),
        zone,
        fc.nat(3),
        (at, nanosecond, timeZone, daylight) => {
          const time = efiTimeFromUnix({ seconds: at, nanosecond }, { timeZone, daylight });
          expect(time === undefined ? undefined : efiTimeToUnix(time)).toEqual({
            seconds: at,
            nanosecond,
          });
          expect(time === undefined ? undefined : EFI_TIME.decode(EFI_TIME.encode(time))).toEqual({
            ok: true,
            value: time,
          });
        },
      ),
    );
  });

  it('refuse what has no answer', () => {
    expect(efiTimeToUnix({ ...noon, month: 13 })).toBeUndefined();
    expect(efiTimeFromUnix({ seconds: 253_402_300_800, nanosecond: 0 })).toBeUndefined();
    expect(efiTimeFromUnix({ seconds: Number.NaN, nanosecond: 0 })).toBeUndefined();
    expect(efiTimeFromUnix({ seconds: 0, nanosecond: -1 })).toBeUndefined();
  });
});

describe('EFI_TIME in words and in order', () => {
  it.each<[Partial<EfiTime>, string]>([
    [{}, '2024-02-29T12:30:15'],
    [{ timeZone: 0 }, '2024-02-29T12:30:15+00:00'],
    [{ timeZone: 480 }, '2024-02-29T12:30:15-08:00'],
    [{ timeZone: -330, nanosecond: 5 }, '2024-02-29T12:30:15.000000005+05:30'],
    [{ month: 99 }, '2024-99-29T12:30:15'],
  ])('%o is %s', (change, text) => {
    expect(formatEfiTime({ ...noon, ...change })).toBe(text);
  });

  it('are compared to the second', () => {
    expect(compareEfiTime(noon, { ...noon, nanosecond: 7, timeZone: 0 })).toBe(0);
    expect(compareEfiTime(noon, { ...noon, second: 16 })).toBeLessThan(0);
    expect(compareEfiTime({ ...noon, year: 2025, month: 1 }, noon)).toBeGreaterThan(0);
  });
});
