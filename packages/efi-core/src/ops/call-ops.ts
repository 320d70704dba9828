import { efiFail } from '../result.ts';
import type { EfiFailure } from '../result.ts';
import { EfiStatus } from '../status.ts';
import type { EfiServiceName } from '../table/parameters.ts';
import { generic } from './default.ts';

/** How the machine went away under a call that does not come back. */
export type MachineOutcome =
  | 'restarted'
  | 'halted'
  | 'powered off'
  /** It did not: the service came back to its caller. */
  | 'returned';

/** What became of one call across the firmware boundary. */
export type EfiCallOutcome =
  /** The service returned; `status` in 64-bit form also for 32-bit firmware. */
  | { readonly kind: 'returned'; readonly status: EfiStatus }
  /** Control never came back, by request. */
  | { readonly kind: 'left'; readonly how: Exclude<MachineOutcome, 'returned'> }
  /** The service touched what it must not; it cannot be resumed. */
  | { readonly kind: 'fault'; readonly why: string }
  /** The service used up its budget of instructions. */
  | { readonly kind: 'hung'; readonly why: string }
  /** The call could not be made at all. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** The layer below the runtime and boot services: what `efi_call_phys` and `efi_call_virt` are in Linux. */
export interface EfiCallOps {
  /**
   * Calls a service with one raw argument per parameter of `SERVICE_PARAMETERS`: integers, and addresses in the space
   * the firmware runs in (physical before SetVirtualAddressMap). Synchronous: comes back when the firmware has.
   */
  readonly call: (service: EfiServiceName, args: readonly bigint[]) => EfiCallOutcome;
}

const NO_FIRMWARE = 'no firmware to call';

/** Neutral `EfiCallOps`: nobody to call. */
export const neutralCallOps: EfiCallOps = Object.freeze({
  call: generic<EfiCallOps['call']>(NO_FIRMWARE, () => ({ kind: 'unavailable', why: NO_FIRMWARE })),
});

/**
 * The failure a call outcome stands for when no status came back: EFI_ABORTED for a fault or a hang, as Linux
 * reports them, EFI_UNSUPPORTED for a call not made. Undefined when the service returned or left as asked.
 */
export const callFailure = (outcome: EfiCallOutcome): EfiFailure | undefined => {
  if (outcome.kind === 'returned' || outcome.kind === 'left') return undefined;
  const status = outcome.kind === 'unavailable' ? EfiStatus.UNSUPPORTED : EfiStatus.ABORTED;
  return efiFail(status, { why: outcome.why });
};
