import { efiFail, efiOk, EfiStatus, efiTime } from '@systab/efi-core';
import type { EfiTime } from '@systab/efi-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWallClock, efiTimeFromRtc, rtcFromEfiTime } from '../src/index.ts';
import { createDouble } from './firmware-double.ts';

const NOON_2013 = Date.UTC(2013, 7, 1, 12, 30, 15) / 1000;

const clockAt = (time: EfiTime, unspecifiedZone?: number) => {
  const double = createDouble();
  double.clock.time = time;
  const lines: string[] = [];
  const clock = createWallClock(double.services, {
    warn: (line) => lines.push(line),
    ...(unspecifiedZone === undefined ? {} : { unspecifiedZone }),
  });
  return { double, clock, lines };
};

const base = efiTime({ year: 2013, month: 8, day: 1, hour: 12, minute: 30, second: 15 });

describe('the instant', () => {
  it('follows zone and daylight', () => {
    const at = (time: Partial<EfiTime>, zone?: number): unknown => {
      const now = clockAt({ ...base, ...time }, zone).clock.now();
      return now.ok ? now.value.seconds - NOON_2013 : now.status;
    };
    expect(at({})).toBe(0);
    expect(at({}, -120)).toBe(-7200);
    expect(at({ timeZone: 60 }, -120)).toBe(3600);
    expect(at({ timeZone: -120, daylight: 3 })).toBe(-7200 - 3600);
    expect(at({ daylight: 1 })).toBe(0);
    expect(at({ month: 13 })).toBe(EfiStatus.DEVICE_ERROR);
  });

  it('comes back as it was set, in any zone', () => {
    const zones = fc.record({
      timeZone: fc.oneof(fc.integer({ min: -1440, max: 1440 }), fc.constant(0x7ff)),
      daylight: fc.constantFrom(0, 1, 3),
    });
    const seconds = fc.integer({ min: -2_000_000_000, max: 200_000_000_000 });
    fc.assert(
      fc.property(seconds, zones, (value, zone) => {
        const { clock } = clockAt(base);
        expect(clock.setNow({ seconds: value, nanosecond: 5 }, zone).ok).toBe(true);
        expect(clock.now()).toEqual(efiOk({ seconds: value, nanosecond: 5 }));
      }),
    );
  });

  it('cannot be outside the years of EFI_TIME', () => {
    const { clock, double } = clockAt(base);
    for (const seconds of [-3e9, 3e11, Number.NaN]) {
      expect(clock.setNow({ seconds, nanosecond: 0 })).toMatchObject({
        status: EfiStatus.INVALID_PARAMETER,
      });
    }
    expect(double.calls).toEqual([]);
  });
});

describe('the clock fields', () => {
  it('ignore zone and nanoseconds, even impossible ones', () => {
    const { clock } = clockAt({ ...base, timeZone: 2000, nanosecond: 4e9, daylight: 0xf3 });
    expect(clock.readRtc()).toEqual(
      efiOk({
        year: 2013,
        month: 8,
        day: 1,
        hour: 12,
        minute: 30,
        second: 15,
        weekday: 4,
        summerTime: true,
      }),
    );
  });

  it('are EFI_DEVICE_ERROR when there is no such time', () => {
    const bad: readonly Partial<EfiTime>[] = [
      { second: 60 },
      { minute: 60 },
      { hour: 24 },
      { day: 0 },
      { day: 32 },
      { month: 0 },
      { month: 13 },
      { year: 1899 },
      { year: 10_000 },
    ];
    for (const field of bad) {
      const { clock } = clockAt({ ...base, ...field });
      expect(clock.readRtc()).toMatchObject({ ok: false, status: EfiStatus.DEVICE_ERROR });
      expect(clock.readAlarm()).toMatchObject({ ok: false, status: EfiStatus.DEVICE_ERROR });
      expect(rtcFromEfiTime({ ...base, ...field })).toBeUndefined();
    }
  });

  it('tell summer time in three ways', () => {
    expect(
      [0, 1, 2, 3].map((daylight) => rtcFromEfiTime({ ...base, daylight })?.summerTime),
    ).toEqual([undefined, false, undefined, true]);
    expect(efiTimeFromRtc({ ...base, summerTime: true })).toMatchObject({
      daylight: 3,
      timeZone: 0x7ff,
      nanosecond: 0,
    });
    expect(efiTimeFromRtc({ ...base, summerTime: false }).daylight).toBe(0);
    expect(efiTimeFromRtc(base).daylight).toBe(0);
  });

  it('are set only to times that exist', () => {
    const { clock, double } = clockAt(base);
    const leap = { year: 2024, month: 2, day: 29, hour: 0, minute: 0, second: 0 };
    expect(clock.setRtc(leap).ok).toBe(true);
    expect(double.clock.time).toMatchObject(leap);
    expect(clock.setRtc({ ...leap, year: 2023 })).toMatchObject({
      status: EfiStatus.INVALID_PARAMETER,
    });
    expect(clock.setAlarm({ ...leap, hour: 24 })).toMatchObject({
      status: EfiStatus.INVALID_PARAMETER,
    });
    expect(double.calls).toEqual(['SetTime']);
  });

  it('arm and disarm the alarm', () => {
    const { clock } = clockAt(base);
    const six = { year: 2013, month: 8, day: 2, hour: 6, minute: 0, second: 0 };
    expect(clock.setAlarm(six).ok).toBe(true);
    expect(clock.readAlarm()).toMatchObject({ ok: true, value: { enabled: true, time: six } });
    expect(clock.disableAlarm().ok).toBe(true);
    expect(clock.readAlarm()).toMatchObject({ ok: true, value: { enabled: false } });
  });

  it('pass failures of the firmware on', () => {
    const failing = (): ReturnType<typeof efiFail> => efiFail(EfiStatus.UNSUPPORTED);
    const services = {
      ...createDouble().services,
      getTime: failing,
      getWakeupTime: failing,
      setTime: failing,
    };
    const lines: string[] = [];
    const clock = createWallClock(services, { warn: (line) => lines.push(line) });
    const { UNSUPPORTED } = EfiStatus;
    for (const result of [clock.now(), clock.readRtc(), clock.readAlarm(), clock.setRtc(base)]) {
      expect(result).toMatchObject({ ok: false, status: UNSUPPORTED });
    }
    expect(clock.setRtcMmss(0)).toMatchObject({ status: UNSUPPORTED });
    expect(lines).toEqual(["efi: Oops: efitime: can't read time!"]);
  });
});

describe('setRtcMmss', () => {
  it('writes everything but the hour, and keeps zone and daylight', () => {
    const { clock, double } = clockAt({
      ...base,
      hour: 3,
      timeZone: 60,
      daylight: 1,
      nanosecond: 7,
    });
    expect(clock.setRtcMmss(Date.UTC(2013, 7, 2, 15, 45, 59) / 1000).ok).toBe(true);
    expect(double.clock.time).toEqual({
      ...base,
      day: 2,
      hour: 3,
      minute: 45,
      second: 59,
      timeZone: 60,
      daylight: 1,
      nanosecond: 0,
    });
  });

  it('says why it could not', () => {
    const { clock, lines, double } = clockAt(base);
    expect(clock.setRtcMmss(1e13)).toMatchObject({ status: EfiStatus.INVALID_PARAMETER });
    expect(lines).toEqual(['efi: Invalid EFI RTC value: write of 9184e72a000 to EFI RTC failed']);
    expect(double.calls).toEqual(['GetTime']);
    const deaf = createWallClock(
      { ...double.services, setTime: () => efiFail(EfiStatus.DEVICE_ERROR) },
      { warn: (line) => lines.push(line) },
    );
    expect(deaf.setRtcMmss(0).ok).toBe(false);
    expect(lines.at(-1)).toBe("efi: Oops: efitime: can't write time!");
  });
});
