/** The services an operating system uses all the time: clock, counter, capsules, reset. */
import { efiTime, formatEfiTime, EFI_CAPSULE_HEADER, guid } from '@systab/efi-core';
import type { EfiTime } from '@systab/efi-core';
import { observe } from '../observation.ts';
import { operations } from '../operation.ts';
import type { Operation } from '../operation.ts';

const NOON = efiTime({ year: 2025, month: 6, day: 15, hour: 12, minute: 30, second: 10 });
const LATER = efiTime({ year: 2025, month: 6, day: 16, hour: 1, minute: 2, second: 3 });
const MONTH_13: EfiTime = { ...NOON, month: 13 };
/** `NOON` less ten seconds as seconds since 1970. */
const NOON_SECONDS = 1_749_990_600;
/** To the minute: routes take different times from one call to the next. */
const toMinute = (time: EfiTime): string => formatEfiTime(time).slice(0, 16);

export const TIME_OPERATIONS: readonly Operation[] = operations('time', [
  ['get', 'GetTime', ({ runtime }) => observe(runtime.services.getTime(), () => 'a time')],
  [
    'capabilities',
    'its capabilities',
    ({ runtime }) =>
      observe(runtime.services.getTime(), ({ capabilities }) =>
        capabilities === undefined
          ? 'none'
          : `${String(capabilities.resolution)} Hz, ${String(capabilities.accuracy)}, ${capabilities.setsToZero ? 'sets' : 'keeps'} what is finer`,
      ),
  ],
  [
    'round-trip',
    'SetTime, then GetTime',
    ({ runtime }) => {
      const set = runtime.services.setTime(NOON);
      return set.ok
        ? observe(runtime.services.getTime(), ({ time }) => toMinute(time))
        : observe(set);
    },
  ],
  ['month-13', 'SetTime month 13', ({ runtime }) => observe(runtime.services.setTime(MONTH_13))],
  ['null', 'GetTime NULL', ({ runtime }) => observe(runtime.services.getTime(['time']))],
  ['set-null', 'SetTime NULL', ({ runtime }) => observe(runtime.services.setTime(null))],
  [
    'wakeup',
    'SetWakeupTime, then GetWakeupTime',
    ({ runtime }) => {
      const set = runtime.services.setWakeupTime(true, LATER);
      return set.ok
        ? observe(
            runtime.services.getWakeupTime(),
            ({ enabled, time }) => `${enabled ? 'on' : 'off'} ${formatEfiTime(time)}`,
          )
        : observe(set);
    },
  ],
  [
    'wakeup-month-13',
    'SetWakeupTime month 13',
    ({ runtime }) => observe(runtime.services.setWakeupTime(true, MONTH_13)),
  ],
  [
    'wakeup-null',
    'SetWakeupTime on, NULL',
    ({ runtime }) => observe(runtime.services.setWakeupTime(true, null)),
  ],
  [
    'wakeup-off',
    'SetWakeupTime off',
    ({ runtime }) => {
      const off = runtime.services.setWakeupTime(false, null);
      return off.ok
        ? observe(runtime.services.getWakeupTime(), ({ enabled }) => (enabled ? 'on' : 'off'))
        : observe(off);
    },
  ],
  [
    'set-rtc-mmss',
    'efi_set_rtc_mmss',
    ({ runtime }) => {
      const set = runtime.clock.setRtcMmss(NOON_SECONDS);
      return set.ok
        ? observe(runtime.services.getTime(), ({ time }) => toMinute(time))
        : observe(set);
    },
  ],
]);

export const COUNTER_OPERATIONS: readonly Operation[] = operations('counter', [
  [
    'next',
    'GetNextHighMonotonicCount twice',
    ({ runtime }) => {
      const first = runtime.services.getNextHighMonotonicCount();
      const second = runtime.services.getNextHighMonotonicCount();
      return first.ok
        ? observe(
            second,
            (count) => `${count - first.value >= 0 ? '+' : ''}${String(count - first.value)}`,
          )
        : observe(first);
    },
  ],
  [
    'null',
    'GetNextHighMonotonicCount NULL',
    ({ runtime }) => observe(runtime.services.getNextHighMonotonicCount(['highCount'])),
  ],
]);

const UNKNOWN_CAPSULE = EFI_CAPSULE_HEADER.encode({
  capsuleGuid: guid('11111111-2222-3333-4444-555555555555'),
  headerSize: EFI_CAPSULE_HEADER.size(),
  flags: 0,
  capsuleImageSize: EFI_CAPSULE_HEADER.size(),
});

export const CAPSULE_OPERATIONS: readonly Operation[] = operations('capsules', [
  [
    'query-unknown',
    'QueryCapsuleCapabilities, unknown GUID',
    ({ runtime }) =>
      observe(
        runtime.services.queryCapsuleCapabilities([UNKNOWN_CAPSULE], 1),
        (value) => `${String(value.maximumCapsuleSize)} bytes, reset ${String(value.resetType)}`,
      ),
  ],
  [
    'query-none',
    'QueryCapsuleCapabilities, no capsule',
    ({ runtime }) => observe(runtime.services.queryCapsuleCapabilities([], 0)),
  ],
  [
    'update-none',
    'UpdateCapsule, no capsule',
    ({ runtime }) => observe(runtime.services.updateCapsule([], 0, 0n)),
  ],
]);

/** The last thing a scenario does: the machine is gone afterwards. */
export const RESET_OPERATIONS: readonly Operation[] = operations('reset', [
  ['restart', 'reboot', ({ runtime }) => observe(runtime.power.reboot(), (how) => how)],
]);
