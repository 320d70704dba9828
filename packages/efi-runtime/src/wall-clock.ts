import {
  EFI_DONE,
  EFI_UNSPECIFIED_TIMEZONE,
  efiFail,
  efiOk,
  EfiStatus,
  efiTimeFaults,
  efiTimeFromUnix,
  efiTimeToUnix,
  formatEfiTime,
} from '@systab/efi-core';
import type {
  EfiResult,
  EfiRuntimeOps,
  EfiTime,
  EfiTimeZone,
  UnixTime,
  WakeupTime,
} from '@systab/efi-core';
import { efiTimeFromRtc, rtcFromEfiTime } from './rtc.ts';
import type { RtcSetting, RtcTime } from './rtc.ts';

/** How the wall clock reads the firmware's time. */
export interface WallClockOptions {
  /** Minutes UTC is ahead of a time whose zone the firmware leaves unspecified; default 0: the clock runs in UTC. */
  readonly unspecifiedZone?: number;
  /** Receives lines for the kernel log; default: nobody listens. */
  readonly warn?: (line: string) => void;
}

/** The alarm of the clock. */
export interface RtcAlarm {
  readonly enabled: boolean;
  /** It went off and nobody has cleared it. */
  readonly pending: boolean;
  readonly time: RtcTime;
}

/** The firmware's clock. Times that the firmware makes up (month 13) are EFI_DEVICE_ERROR, as a clock driver's EIO. */
export interface WallClock {
  /** The instant, by the zone and daylight rules of UEFI 2.10, section 8.3.1. */
  readonly now: () => EfiResult<UnixTime>;
  /** Sets the instant; written in `zone`, by default UTC with the zone unspecified. EFI_INVALID_PARAMETER outside the years 1900 to 9999. */
  readonly setNow: (at: UnixTime, zone?: EfiTimeZone) => EfiResult<void>;
  /** The clock fields as they stand, zone ignored. */
  readonly readRtc: () => EfiResult<RtcTime>;
  readonly setRtc: (setting: RtcSetting) => EfiResult<void>;
  readonly readAlarm: () => EfiResult<RtcAlarm>;
  /** Arms the alarm for a time. */
  readonly setAlarm: (setting: RtcSetting) => EfiResult<void>;
  readonly disableAlarm: () => EfiResult<void>;
  /**
   * Carries the system time (seconds since 1970, UTC) over to the clock as `efi_set_rtc_mmss` of Linux 3.11 does: date,
   * minute and second are written, the hour stays what the clock says, zone and daylight stay as they are.
   */
  readonly setRtcMmss: (seconds: number) => EfiResult<void>;
}

const impossible = (time: EfiTime): EfiResult<never> =>
  efiFail(EfiStatus.DEVICE_ERROR, { why: `the firmware says it is ${formatEfiTime(time)}` });

const alarm = (wakeup: WakeupTime): EfiResult<RtcAlarm> => {
  const { enabled, pending } = wakeup;
  const time = rtcFromEfiTime(wakeup.time);
  return time === undefined ? impossible(wakeup.time) : efiOk({ enabled, pending, time });
};

/** The clock over (guarded) runtime services. */
export const createWallClock = (
  services: EfiRuntimeOps,
  options: WallClockOptions = {},
): WallClock => {
  const { unspecifiedZone = 0, warn = () => undefined } = options;

  const set = (time: EfiTime): EfiResult<void> =>
    efiTimeFaults(time).length > 0
      ? efiFail(EfiStatus.INVALID_PARAMETER, { why: `no such time: ${formatEfiTime(time)}` })
      : services.setTime(time);

  return Object.freeze<WallClock>({
    now: () => {
      const read = services.getTime(['capabilities']);
      if (!read.ok) return read;
      const { time } = read.value;
      const unspecified = time.timeZone === EFI_UNSPECIFIED_TIMEZONE;
      const instant = efiTimeToUnix(unspecified ? { ...time, timeZone: unspecifiedZone } : time);
      return instant === undefined ? impossible(time) : efiOk(instant);
    },
    setNow: (at, zone = {}) => {
      const time = efiTimeFromUnix(at, zone);
      return time === undefined
        ? efiFail(EfiStatus.INVALID_PARAMETER, { why: 'a time that EFI_TIME cannot hold' })
        : set(time);
    },
    readRtc: () => {
      const read = services.getTime(['capabilities']);
      if (!read.ok) return read;
      const rtc = rtcFromEfiTime(read.value.time);
      return rtc === undefined ? impossible(read.value.time) : efiOk(rtc);
    },
    setRtc: (setting) => set(efiTimeFromRtc(setting)),
    readAlarm: () => {
      const wakeup = services.getWakeupTime();
      return wakeup.ok ? alarm(wakeup.value) : wakeup;
    },
    setAlarm: (setting) => {
      const time = efiTimeFromRtc(setting);
      return efiTimeFaults(time).length > 0
        ? efiFail(EfiStatus.INVALID_PARAMETER, { why: `no such time: ${formatEfiTime(time)}` })
        : services.setWakeupTime(true, time);
    },
    disableAlarm: () => services.setWakeupTime(false, null),
    setRtcMmss: (seconds) => {
      const read = services.getTime(['capabilities']);
      if (!read.ok) {
        warn("efi: Oops: efitime: can't read time!");
        return read;
      }
      const target = efiTimeFromUnix({ seconds, nanosecond: 0 });
      if (target === undefined) {
        warn(`efi: Invalid EFI RTC value: write of ${seconds.toString(16)} to EFI RTC failed`);
        return efiFail(EfiStatus.INVALID_PARAMETER, { why: 'a time that EFI_TIME cannot hold' });
      }
      const { year, month, day, minute, second } = target;
      const time = { ...read.value.time, year, month, day, minute, second, nanosecond: 0 };
      const written = services.setTime(time);
      if (written.ok) return EFI_DONE;
      warn("efi: Oops: efitime: can't write time!");
      return written;
    },
  });
};
