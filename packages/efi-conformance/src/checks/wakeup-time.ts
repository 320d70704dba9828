import { efiTime, efiTimeFromUnix, efiTimeToUnix, formatEfiTime } from '@systab/efi-core';
import type { EfiRuntimeOps, EfiTime } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, yes } from '../check.ts';

const GET = checksOf('GetWakeupTime', 'UEFI 2.10, 8.3.3', ['GetWakeupTime']);
const SET = checksOf('SetWakeupTime', 'UEFI 2.10, 8.3.4', [
  'GetTime',
  'GetWakeupTime',
  'SetWakeupTime',
]);

const DAY = 86_400;

/** The time so many seconds from now, in the zone of the clock. */
const fromNow = (services: EfiRuntimeOps, seconds: number): EfiTime => {
  const now = services.getTime();
  if (!now.ok) throw new Error('the clock cannot be read');
  const { timeZone, daylight } = now.value.time;
  const at = (efiTimeToUnix(now.value.time)?.seconds ?? 0) + seconds;
  const time = efiTimeFromUnix({ seconds: at, nanosecond: 0 }, { timeZone, daylight });
  if (time === undefined) throw new Error('no such time');
  return time;
};

/** No clock is asked as often in two seconds. */
const MOST_QUESTIONS = 200_000;

/** Asks for the time until it has come to a second; false when it never is. */
const waitUntil = (services: EfiRuntimeOps, second: number): boolean => {
  for (let asked = 0; asked < MOST_QUESTIONS; asked += 1) {
    const now = services.getTime(['capabilities']);
    if (!now.ok) return false;
    if ((efiTimeToUnix(now.value.time)?.seconds ?? 0) >= second) return true;
  }
  return false;
};

const alarm = (services: EfiRuntimeOps): string => {
  const read = services.getWakeupTime();
  if (!read.ok) return told(read);
  const { enabled, time } = read.value;
  return enabled ? `set to ${formatEfiTime(time)}` : 'not set';
};

const refuses = (what: string, fields: Partial<EfiTime>): Check =>
  SET.check(
    what,
    ({ services }) => ({
      write: told(services.setWakeupTime(true, { ...fromNow(services, 3600), ...fields })),
      alarm: alarm(services),
    }),
    { write: 'EFI_INVALID_PARAMETER', alarm: 'not set' },
  );

export const WAKEUP_TIME: readonly Check[] = [
  ...(['enabled', 'pending', 'time'] as const).map((output) =>
    GET.answers(
      `NULL for ${output}`,
      ({ services }) => services.getWakeupTime([output]),
      'EFI_INVALID_PARAMETER',
    ),
  ),
  SET.answers(
    'NULL for Time to enable',
    ({ services }) => services.setWakeupTime(true, null),
    'EFI_INVALID_PARAMETER',
  ),
  refuses('month 13', { month: 13 }),
  refuses('day 0', { day: 0 }),
  refuses('hour 24', { hour: 24 }),
  refuses('minute 60', { minute: 60 }),
  refuses('second 60', { second: 60 }),
  refuses('a whole second of nanoseconds', { nanosecond: 1_000_000_000 }),
  refuses('a zone of 1441 minutes', { timeZone: 1441 }),
  refuses('a daylight bit that there is not', { daylight: 0x80 }),
  SET.check(
    'an alarm in an hour, and none again',
    ({ services }) => {
      const time = fromNow(services, 3600);
      return {
        before: alarm(services),
        enable: told(services.setWakeupTime(true, time)),
        as: alarm(services).replace(formatEfiTime(time), 'asked'),
        disable: told(services.setWakeupTime(false, null)),
        after: alarm(services),
      };
    },
    {
      before: 'not set',
      enable: 'EFI_SUCCESS',
      as: 'set to asked',
      disable: 'EFI_SUCCESS',
      after: 'not set',
    },
  ),
  SET.check(
    'an alarm tomorrow, before the time of day that it is now',
    ({ services }) => {
      const time = fromNow(services, DAY - 3600);
      return {
        enable: told(services.setWakeupTime(true, time)),
        as: alarm(services).replace(formatEfiTime(time), 'asked'),
      };
    },
    { enable: 'EFI_SUCCESS', as: 'set to asked' },
  ),
  SET.check(
    'an alarm that went off is pending',
    ({ services }) => {
      const time = fromNow(services, 2);
      const enable = told(services.setWakeupTime(true, time));
      const before = services.getWakeupTime();
      const passed = waitUntil(services, efiTimeToUnix(time)?.seconds ?? 0);
      const after = services.getWakeupTime();
      return {
        enable,
        before: before.ok ? yes(before.value.pending) : told(before),
        passed: yes(passed),
        after: after.ok ? yes(after.value.pending) : told(after),
      };
    },
    { enable: 'EFI_SUCCESS', before: 'no', passed: 'yes', after: 'yes' },
    { commandLines: [''] },
  ),
  SET.answers(
    'an alarm in ten years',
    ({ services }) =>
      services.setWakeupTime(true, { ...efiTime({ year: 2034, month: 1, day: 1 }) }),
    // A timer with an alarm of a day only cannot be set to it: 8.3.4 has EFI_UNSUPPORTED for what the platform cannot do.
    ['EFI_SUCCESS', 'EFI_UNSUPPORTED'],
  ),
];
