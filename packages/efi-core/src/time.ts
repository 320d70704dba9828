import { BOOLEAN, defineStruct, INT16, UINT16, UINT32, UINT8 } from './struct.ts';
import type { Struct } from './struct.ts';

/** EFI_TIME (UEFI 2.10, section 8.3.1), as the firmware wrote it: fields may be out of range. */
export interface EfiTime {
  /** 1900 to 9999. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 59. */
  readonly second: number;
  readonly pad1: number;
  /** 0 to 999,999,999. */
  readonly nanosecond: number;
  /** Minutes that UTC is ahead of local time, -1440 to 1440, or `EFI_UNSPECIFIED_TIMEZONE`. */
  readonly timeZone: number;
  /** `EFI_TIME_ADJUST_DAYLIGHT`, `EFI_TIME_IN_DAYLIGHT`. */
  readonly daylight: number;
  readonly pad2: number;
}

export const EFI_TIME: Struct<EfiTime> = defineStruct<EfiTime>('EFI_TIME', 'UEFI 2.10, 8.3.1', {
  year: UINT16,
  month: UINT8,
  day: UINT8,
  hour: UINT8,
  minute: UINT8,
  second: UINT8,
  pad1: UINT8,
  nanosecond: UINT32,
  timeZone: INT16,
  daylight: UINT8,
  pad2: UINT8,
});

/** All fields 0: the stamp of a variable that is not authenticated by time. */
export const EFI_TIME_ZERO: EfiTime = Object.freeze({
  year: 0,
  month: 0,
  day: 0,
  hour: 0,
  minute: 0,
  second: 0,
  pad1: 0,
  nanosecond: 0,
  timeZone: 0,
  daylight: 0,
  pad2: 0,
});

/** EFI_TIME_CAPABILITIES (UEFI 2.10, section 8.3.1). */
export interface EfiTimeCapabilities {
  /** Counts per second. */
  readonly resolution: number;
  /** Error rate in 1e-6 parts per million. */
  readonly accuracy: number;
  /** Whether setting the time clears everything below the resolution. */
  readonly setsToZero: boolean;
}

export const EFI_TIME_CAPABILITIES: Struct<EfiTimeCapabilities> = defineStruct<EfiTimeCapabilities>(
  'EFI_TIME_CAPABILITIES',
  'UEFI 2.10, 8.3.1',
  { resolution: UINT32, accuracy: UINT32, setsToZero: BOOLEAN },
);

/** Time zone value that says: the time is local, of an unknown zone. */
export const EFI_UNSPECIFIED_TIMEZONE = 0x07ff;
/** The time is affected by daylight saving. */
export const EFI_TIME_ADJUST_DAYLIGHT = 0x01;
/** The time has been moved forward for daylight saving. */
export const EFI_TIME_IN_DAYLIGHT = 0x02;

/** A field of EFI_TIME that can break a rule of UEFI 2.10, section 8.3.1. */
export type EfiTimeField =
  | 'year'
  | 'month'
  | 'day'
  | 'hour'
  | 'minute'
  | 'second'
  | 'nanosecond'
  | 'timeZone'
  | 'daylight';

/** Whether `year` has a 29th of February. */
export const isLeapYear = (year: number): boolean =>
  year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const MONTH_DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days of a month (1 to 12); 0 for a month that does not exist. */
export const daysInMonth = (year: number, month: number): number =>
  month === 2 && isLeapYear(year) ? 29 : (MONTH_DAYS[month - 1] ?? 0);

const within = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high;

/** Every field out of range, in order; none for a time that SetTime must accept. */
export const efiTimeFaults = (time: EfiTime): readonly EfiTimeField[] => {
  const checks: readonly (readonly [EfiTimeField, boolean])[] = [
    ['year', within(time.year, 1900, 9999)],
    ['month', within(time.month, 1, 12)],
    ['day', within(time.day, 1, daysInMonth(time.year, time.month))],
    ['hour', within(time.hour, 0, 23)],
    ['minute', within(time.minute, 0, 59)],
    ['second', within(time.second, 0, 59)],
    ['nanosecond', within(time.nanosecond, 0, 999_999_999)],
    ['timeZone', within(time.timeZone, -1440, 1440) || time.timeZone === EFI_UNSPECIFIED_TIMEZONE],
    [
      'daylight',
      within(time.daylight, 0, 0xff) &&
        (time.daylight & ~(EFI_TIME_ADJUST_DAYLIGHT | EFI_TIME_IN_DAYLIGHT)) === 0,
    ],
  ];
  return checks.filter(([, good]) => !good).map(([field]) => field);
};

/** A time from the fields that matter; the others are 0, the zone unspecified. */
export const efiTime = (
  fields: Partial<EfiTime> & Pick<EfiTime, 'year' | 'month' | 'day'>,
): EfiTime => ({
  hour: 0,
  minute: 0,
  second: 0,
  pad1: 0,
  nanosecond: 0,
  timeZone: EFI_UNSPECIFIED_TIMEZONE,
  daylight: 0,
  pad2: 0,
  ...fields,
});

/** A point in time. */
export interface UnixTime {
  /** Whole seconds since 1970-01-01T00:00:00Z, negative before. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanosecond: number;
}

const zoneSeconds = (timeZone: number): number =>
  timeZone === EFI_UNSPECIFIED_TIMEZONE ? 0 : timeZone * 60;

const daylightSeconds = (daylight: number): number =>
  (daylight & EFI_TIME_IN_DAYLIGHT) === 0 ? 0 : 3600;

/**
 * The instant a time stands for: local time plus the zone, less the hour of daylight saving that
 * EFI_TIME_IN_DAYLIGHT says was added. An unspecified zone is read as UTC. Undefined when a field is out of range.
 */
export const efiTimeToUnix = (time: EfiTime): UnixTime | undefined => {
  if (efiTimeFaults(time).length > 0) return undefined;
  const local =
    Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second) / 1000;
  return {
    seconds: local + zoneSeconds(time.timeZone) - daylightSeconds(time.daylight),
    nanosecond: time.nanosecond,
  };
};

/** Zone and daylight bits a converted time should carry. */
export interface EfiTimeZone {
  readonly timeZone?: number;
  readonly daylight?: number;
}

/** The time of an instant in a zone (default: unspecified, written as UTC); undefined outside the years 1900 to 9999. */
export const efiTimeFromUnix = (at: UnixTime, zone: EfiTimeZone = {}): EfiTime | undefined => {
  const { timeZone = EFI_UNSPECIFIED_TIMEZONE, daylight = 0 } = zone;
  const date = new Date((at.seconds - zoneSeconds(timeZone) + daylightSeconds(daylight)) * 1000);
  const time: EfiTime = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    pad1: 0,
    nanosecond: at.nanosecond,
    timeZone,
    daylight,
    pad2: 0,
  };
  return efiTimeFaults(time).length === 0 ? time : undefined;
};

/** Order of two times field by field, zone ignored: negative, 0 or positive. Authenticated variables compare their stamps so. */
export const compareEfiTime = (left: EfiTime, right: EfiTime): number => {
  for (const field of ['year', 'month', 'day', 'hour', 'minute', 'second'] as const) {
    if (left[field] !== right[field]) return left[field] - right[field];
  }
  return 0;
};

/** Day of the week, 0 for Sunday, as RTC registers count it less one; undefined for a bad date. */
export const dayOfWeek = (time: EfiTime): number | undefined =>
  efiTimeFaults(time).length === 0
    ? new Date(Date.UTC(time.year, time.month - 1, time.day)).getUTCDay()
    : undefined;

const two = (value: number): string => String(value).padStart(2, '0');

const formatZone = (timeZone: number): string => {
  if (timeZone === EFI_UNSPECIFIED_TIMEZONE) return '';
  const ahead = Math.abs(timeZone);
  return `${timeZone > 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
};

/** ISO 8601 shape of the fields as they stand, right or wrong; no zone when it is unspecified. */
export const formatEfiTime = (time: EfiTime): string => {
  const fraction = time.nanosecond === 0 ? '' : `.${String(time.nanosecond).padStart(9, '0')}`;
  return `${String(time.year).padStart(4, '0')}-${two(time.month)}-${two(time.day)}T${two(time.hour)}:${two(time.minute)}:${two(time.second)}${fraction}${formatZone(time.timeZone)}`;
};
