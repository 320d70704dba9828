import {
  dayOfWeek,
  EFI_TIME_ADJUST_DAYLIGHT,
  EFI_TIME_IN_DAYLIGHT,
  EFI_UNSPECIFIED_TIMEZONE,
  efiTime,
  efiTimeFaults,
} from '@systab/efi-core';
import type { EfiTime } from '@systab/efi-core';

/** Whether a clock time is summer time: undefined when the clock does not keep track of it. */
export type SummerTime = boolean | undefined;

/** A time as a real time clock counts it: broken down, without a zone. */
export interface RtcTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 for Sunday. */
  readonly weekday: number;
  readonly summerTime: SummerTime;
}

/** What a caller sets: the weekday follows from the date. */
export type RtcSetting = Omit<RtcTime, 'weekday' | 'summerTime'> & {
  readonly summerTime?: SummerTime;
};

const SUMMER = EFI_TIME_ADJUST_DAYLIGHT | EFI_TIME_IN_DAYLIGHT;

const summerTimeOf = (daylight: number): SummerTime => {
  const bits = daylight & SUMMER;
  if (bits === SUMMER) return true;
  return bits === EFI_TIME_ADJUST_DAYLIGHT ? false : undefined;
};

/**
 * The clock fields of an EFI time; undefined when one of them cannot be. Zone, nanosecond and reserved daylight bits are
 * not looked at: firmware leaves garbage there, and clock drivers never judged it.
 */
export const rtcFromEfiTime = (time: EfiTime): RtcTime | undefined => {
  const { year, month, day, hour, minute, second } = time;
  const fields = efiTime({ year, month, day, hour, minute, second });
  const weekday = dayOfWeek(fields);
  return efiTimeFaults(fields).length > 0 || weekday === undefined
    ? undefined
    : { year, month, day, hour, minute, second, weekday, summerTime: summerTimeOf(time.daylight) };
};

/** The EFI time of a clock setting: zone unspecified, no nanoseconds, both daylight bits in summer and none otherwise. */
export const efiTimeFromRtc = (setting: RtcSetting): EfiTime => {
  const { year, month, day, hour, minute, second, summerTime } = setting;
  return efiTime({
    year,
    month,
    day,
    hour,
    minute,
    second,
    timeZone: EFI_UNSPECIFIED_TIMEZONE,
    daylight: summerTime === true ? SUMMER : 0,
  });
};
