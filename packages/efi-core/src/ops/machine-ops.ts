import type { EfiResult } from '../result.ts';
import { EfiStatus } from '../status.ts';
import type { MachineOutcome } from './call-ops.ts';
import { generic, unsupported } from './default.ts';
import { ResetType } from './runtime-ops.ts';
import type { EfiRuntimeOps } from './runtime-ops.ts';

/** Leaving the machine: Linux's `machine_ops`. The value says how it went; `returned` means it did not. */
export interface MachineOps {
  /** Default: ResetSystem with the given type. */
  readonly restart: (resetType: ResetType) => EfiResult<MachineOutcome>;
  /** Stops the processor without resetting it. */
  readonly halt: () => EfiResult<MachineOutcome>;
  /** Default: ResetSystem(EfiResetShutdown). */
  readonly powerOff: () => EfiResult<MachineOutcome>;
}

/** `MachineOps` through ResetSystem of the runtime services they will be bound with. */
export const neutralMachineOps = (runtime: Pick<EfiRuntimeOps, 'resetSystem'>): MachineOps => {
  const reset = (resetType: ResetType): EfiResult<MachineOutcome> =>
    runtime.resetSystem(resetType, EfiStatus.SUCCESS, 0, null);
  return Object.freeze({
    restart: generic('ResetSystem restarts the machine', reset),
    halt: unsupported('no EFI service stops a machine without resetting it'),
    powerOff: generic('ResetSystem powers the machine off', () =>
      reset(ResetType.EfiResetShutdown),
    ),
  });
};
