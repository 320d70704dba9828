import {
  EFI_TIME_ADJUST_DAYLIGHT,
  EFI_TIME_IN_DAYLIGHT,
  efiTime,
  efiTimeFaults,
  efiTimeToUnix,
  formatEfiTime,
} from '@systab/efi-core';
import type { EfiResult, EfiRuntimeOps, EfiTime, GetTimeValue } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, yes } from '../check.ts';

const GET = checksOf('GetTime', 'UEFI 2.10, 8.3.1', ['GetTime']);
const SET = checksOf('SetTime', 'UEFI 2.10, 8.3.2', ['GetTime', 'SetTime']);

const seconds = (result: EfiResult<GetTimeValue>): number =>
  (result.ok ? efiTimeToUnix(result.value.time)?.seconds : undefined) ?? Number.NaN;

/** A time with its zone and daylight bits. */
const toldTime = (result: EfiResult<GetTimeValue>): string => {
  if (!result.ok) return told(result);
  const { time } = result.value;
  return `${formatEfiTime(time)} zone ${String(time.timeZone)} daylight ${String(time.daylight)}`;
};

/** An ordinary time, with some fields of another kind. */
const timeWith = (fields: Partial<EfiTime>): EfiTime => ({
  ...efiTime({ year: 2024, month: 2, day: 15, hour: 10, minute: 20, second: 30 }),
  ...fields,
});

/** Sets a time and reads it: less than two seconds have passed. */
const settles = (services: EfiRuntimeOps, time: EfiTime): string => {
  const written = services.setTime(time);
  if (!written.ok) return told(written);
  const read = services.getTime();
  if (!read.ok) return told(read);
  const late = seconds(read) - (efiTimeToUnix(time)?.seconds ?? Number.NaN);
  const { timeZone, daylight } = read.value.time;
  const kept = timeZone === time.timeZone && daylight === time.daylight;
  return late >= 0 && late < 2 && kept ? 'kept' : toldTime(read);
};

const refuses = (what: string, fields: Partial<EfiTime>): Check =>
  SET.check(
    what,
    ({ services }) => {
      const before = seconds(services.getTime());
      const write = told(services.setTime(timeWith(fields)));
      const passed = seconds(services.getTime()) - before;
      return { write, 'the clock goes on as before': yes(passed >= 0 && passed < 2) };
    },
    { write: 'EFI_INVALID_PARAMETER', 'the clock goes on as before': 'yes' },
  );

const accepts = (what: string, fields: Partial<EfiTime>): Check =>
  SET.check(what, ({ services }) => ({ time: settles(services, timeWith(fields)) }), {
    time: 'kept',
  });

export const TIME: readonly Check[] = [
  GET.answers(
    'NULL for Time',
    ({ services }) => services.getTime(['time']),
    'EFI_INVALID_PARAMETER',
  ),
  GET.check(
    'a time that exists, with and without Capabilities',
    ({ services }) => {
      const full = services.getTime();
      const bare = services.getTime(['capabilities']);
      const capabilities = full.ok ? full.value.capabilities : undefined;
      return {
        faults: full.ok ? efiTimeFaults(full.value.time).join() : told(full),
        'resolution of a second or finer': yes((capabilities?.resolution ?? 0) >= 1),
        'accuracy known': yes((capabilities?.accuracy ?? 0) > 0),
        bare: told(bare),
        'the clock does not go back': yes(seconds(bare) >= seconds(full)),
      };
    },
    {
      faults: '',
      'resolution of a second or finer': 'yes',
      'accuracy known': 'yes',
      bare: 'EFI_SUCCESS',
      'the clock does not go back': 'yes',
    },
  ),
  SET.answers('NULL for Time', ({ services }) => services.setTime(null), 'EFI_INVALID_PARAMETER'),
  refuses('the year 1899', { year: 1899 }),
  refuses('the year 10000', { year: 10_000 }),
  refuses('month 0', { month: 0 }),
  refuses('month 13', { month: 13 }),
  refuses('day 0', { day: 0 }),
  refuses('day 32', { month: 1, day: 32 }),
  refuses('31 April', { month: 4, day: 31 }),
  refuses('29 February of a common year', { year: 2023, month: 2, day: 29 }),
  refuses('29 February of 2100', { year: 2100, month: 2, day: 29 }),
  refuses('hour 24', { hour: 24 }),
  refuses('minute 60', { minute: 60 }),
  refuses('second 60', { second: 60 }),
  refuses('a whole second of nanoseconds', { nanosecond: 1_000_000_000 }),
  refuses('a zone of -1441 minutes', { timeZone: -1441 }),
  refuses('a zone of 1441 minutes', { timeZone: 1441 }),
  refuses('a daylight bit that there is not', { daylight: 4 }),
  accepts('29 February of a leap year', { day: 29 }),
  accepts('the last second of a year', {
    year: 2027,
    month: 12,
    day: 31,
    hour: 23,
    minute: 59,
    second: 58,
  }),
  accepts('the first year, 1900', { year: 1900 }),
  accepts('the last year, 9999', { year: 9999 }),
  accepts('the zone furthest west', { timeZone: 1440 }),
  accepts('the zone furthest east', { timeZone: -1440 }),
  accepts('daylight saving in force', {
    timeZone: -60,
    daylight: EFI_TIME_ADJUST_DAYLIGHT | EFI_TIME_IN_DAYLIGHT,
  }),
  accepts('daylight saving in a zone that is not specified', {
    daylight: EFI_TIME_ADJUST_DAYLIGHT,
  }),
  SET.check(
    'a zone, and none again',
    ({ services }) => ({
      zone: settles(services, timeWith({ timeZone: 300 })),
      none: settles(services, timeWith({})),
    }),
    { zone: 'kept', none: 'kept' },
  ),
];
