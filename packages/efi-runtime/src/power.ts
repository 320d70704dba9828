import { formatEfiStatus, ResetType } from '@systab/efi-core';
import type { EfiResult, MachineOps, MachineOutcome } from '@systab/efi-core';
import type { Capsules } from './capsules.ts';

/** How to reboot. Linux keeps more modes; all but these two reset cold. */
export type RebootMode = 'cold' | 'warm';

/** Leaving the machine in good order. The value says how it went; `returned` means that something else must be tried. */
export interface Power {
  /** A capsule that waits for a certain reset gets that one, whatever the mode. */
  readonly reboot: (mode?: RebootMode) => EfiResult<MachineOutcome>;
  readonly powerOff: () => EfiResult<MachineOutcome>;
  readonly halt: () => EfiResult<MachineOutcome>;
}

const TYPES: Readonly<Record<RebootMode, ResetType>> = {
  cold: ResetType.EfiResetCold,
  warm: ResetType.EfiResetWarm,
};

/** Reboot and power-off over the machine table. */
export const createPower = (
  machine: MachineOps,
  capsules: Pick<Capsules, 'pendingReset' | 'stop'>,
  warn: (line: string) => void = () => undefined,
): Power => {
  const leave = (what: string, go: () => EfiResult<MachineOutcome>): EfiResult<MachineOutcome> => {
    capsules.stop();
    const result = go();
    if (!result.ok) warn(`reboot: ${what} failed: ${formatEfiStatus(result.status)}`);
    else if (result.value === 'returned') warn(`reboot: the machine is still here after ${what}`);
    return result;
  };
  return Object.freeze<Power>({
    reboot: (mode = 'cold') =>
      leave('restart', () => machine.restart(capsules.pendingReset() ?? TYPES[mode])),
    powerOff: () => leave('power off', () => machine.powerOff()),
    halt: () => leave('halt', () => machine.halt()),
  });
};
