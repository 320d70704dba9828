import { efiTime, efiTimeToUnix } from '@systab/efi-core';
import type { EfiRuntimeOps } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, toldContent, yes } from '../check.ts';
import { BOOT_ONLY } from '../system.ts';
import { bytes, get, remove, set } from './own-variable.ts';

const { check } = checksOf('persistence', 'UEFI 2.10, 8.2.3, 8.3.2 and 8.5.2', [
  'GetTime',
  'SetTime',
  'GetVariable',
  'SetVariable',
  'GetNextHighMonotonicCount',
  'ResetSystem',
  'reboot',
]);

const count = (services: EfiRuntimeOps): number => {
  const next = services.getNextHighMonotonicCount();
  return next.ok ? next.value : Number.NaN;
};

const MEETING = efiTime({ year: 2031, month: 5, day: 6, hour: 7, timeZone: -120 });
/** No firmware takes as long to boot. */
const BOOT_SECONDS = 300;

export const PERSISTENCE: readonly Check[] = [
  check(
    'variables, clock and counter over a warm reset',
    (before) => {
      const { services, runtime } = before;
      const written = [
        told(set(services, 'Kept', bytes(1))),
        told(set(services, 'Kept', bytes(1, 2, 3))),
        told(set(services, 'Dropped', bytes(4))),
        told(remove(services, 'Dropped')),
        told(services.setTime(MEETING)),
      ];
      const counted = count(services);
      const reset = runtime.power.reboot('warm');
      const after = before.reboot();
      const now = after.services.getTime();
      const passed = now.ok
        ? (efiTimeToUnix(now.value.time)?.seconds ?? 0) - (efiTimeToUnix(MEETING)?.seconds ?? 0)
        : Number.NaN;
      return {
        written: [...new Set(written)].join(),
        reset: reset.ok ? reset.value : told(reset),
        kept: toldContent(get(after.services, 'Kept')),
        dropped: told(get(after.services, 'Dropped')),
        'not for the system': told(get(after.services, BOOT_ONLY.name)),
        'the clock went on': yes(passed >= 0 && passed < BOOT_SECONDS),
        'its zone stayed': now.ok ? String(now.value.time.timeZone) : told(now),
        'the counter grew': yes(count(after.services) > counted),
        'facilities are the same': yes(
          after.efi.facilities.bits() === before.efi.facilities.bits(),
        ),
      };
    },
    {
      written: 'EFI_SUCCESS',
      reset: 'restarted',
      kept: '7: 010203',
      dropped: 'EFI_NOT_FOUND',
      'not for the system': 'EFI_NOT_FOUND',
      'the clock went on': 'yes',
      'its zone stayed': '-120',
      'the counter grew': 'yes',
      'facilities are the same': 'yes',
    },
    { commandLines: [''] },
  ),
];
