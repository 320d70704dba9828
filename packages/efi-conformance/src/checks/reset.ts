import { EfiStatus, encodeChar16Z, guidToBytes, ResetType } from '@systab/efi-core';
import type { EfiResult, MachineOutcome } from '@systab/efi-core';
import type { Check, CheckMaker, Expected } from '../check.ts';
import { checksOf, told } from '../check.ts';
import type { Running } from '../running.ts';
import { VENDOR } from '../system.ts';

const outcome = (result: EfiResult<MachineOutcome>): string =>
  result.ok ? result.value : told(result);

const ends =
  ({ check }: CheckMaker) =>
  (
    what: string,
    expected: Expected,
    call: (running: Running) => EfiResult<MachineOutcome>,
  ): Check =>
    check(what, (running) => ({ outcome: outcome(call(running)) }), { outcome: expected });

const resets = ends(checksOf('ResetSystem', 'UEFI 2.10, 8.5.1', ['ResetSystem']));
const leaves = ends(checksOf('leaving the machine', 'UEFI 2.10, 8.5.1', ['ResetSystem']));

const WHY = encodeChar16Z('conformance');
const PLATFORM_DATA = Uint8Array.from([...WHY, ...guidToBytes(VENDOR)]);

export const RESET_SYSTEM: readonly Check[] = [
  resets('EfiResetCold', 'restarted', ({ services }) =>
    services.resetSystem(ResetType.EfiResetCold, EfiStatus.SUCCESS, 0, null),
  ),
  resets('EfiResetWarm', 'restarted', ({ services }) =>
    services.resetSystem(ResetType.EfiResetWarm, EfiStatus.SUCCESS, 0, null),
  ),
  resets('EfiResetShutdown', 'powered off', ({ services }) =>
    services.resetSystem(ResetType.EfiResetShutdown, EfiStatus.SUCCESS, 0, null),
  ),
  resets('EfiResetPlatformSpecific', 'restarted', ({ services }) =>
    services.resetSystem(
      ResetType.EfiResetPlatformSpecific,
      EfiStatus.SUCCESS,
      PLATFORM_DATA.length,
      PLATFORM_DATA,
    ),
  ),
  resets('a status and words why', 'restarted', ({ services }) =>
    services.resetSystem(ResetType.EfiResetCold, EfiStatus.ABORTED, WHY.length, WHY),
  ),
  // The type is an enumeration; what another number does is not laid down.
  resets('a type that there is not', ['restarted', 'returned'], ({ services }) =>
    services.resetSystem(77, EfiStatus.SUCCESS, 0, null),
  ),
  leaves('a cold reboot', 'restarted', ({ runtime }) => runtime.power.reboot('cold')),
  leaves('a warm reboot', 'restarted', ({ runtime }) => runtime.power.reboot('warm')),
  leaves('power off', 'powered off', ({ runtime }) => runtime.power.powerOff()),
];
