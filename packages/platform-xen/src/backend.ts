import { efiOk } from '@systab/efi-core';
import type { EfiResult, MachineOps, MachineOutcome, PlatformBackend } from '@systab/efi-core';
import type { Dom0 } from './domain/dom0.ts';
import { hypercallEfiFailure } from './domain/hypercall.ts';
import type { XenResult } from './domain/hypercall.ts';
import { enterSoftOff, shutDown } from './domain/hypervisor.ts';
import { createInitOps } from './ops/init-ops.ts';
import type { XenInitOptions } from './ops/init-ops.ts';
import { createMemoryOps } from './ops/memory-ops.ts';
import { createRuntimeOps } from './ops/runtime-ops.ts';
import type { XenRuntimeOptions } from './ops/runtime-ops.ts';

/** What can be chosen about the platform. */
export interface XenBackendOptions extends XenInitOptions, XenRuntimeOptions {
  /** SLP_TYPa of the DSDT's _S5, by which the machine is switched off. Without it a power-off ends in a halt, as Xen does it. */
  readonly softOff?: number;
}

/** More than bare metal, which fits every machine with EFI, and than nothing. */
const SCORE = 100;

const left = (done: XenResult<MachineOutcome>, what: string): EfiResult<MachineOutcome> =>
  done.ok ? efiOk(done.value) : hypercallEfiFailure(done.failure, what);

const machineOps = (dom0: Dom0, { softOff }: XenBackendOptions): Partial<MachineOps> => ({
  // Xen switches nothing off for a domain that shuts down: it stops the processor.
  halt: () => left(shutDown(dom0, 'poweroff'), 'SCHEDOP_shutdown'),
  ...(softOff === undefined
    ? {}
    : { powerOff: () => left(enterSoftOff(dom0, softOff), 'XENPF_enter_acpi_sleep') }),
});

/**
 * The platform of a dom0, the route `ops`: every runtime service is a hypercall, and what initialisation asks of firmware the
 * hypervisor answers. `dom0` is undefined on a machine that no Xen started.
 */
export const xenBackend = (
  dom0: Dom0 | undefined,
  options: XenBackendOptions = {},
): PlatformBackend => {
  if (dom0 === undefined) return { name: 'xen', detect: () => 0 };
  return {
    name: 'xen',
    detect: () => SCORE,
    memory: () => createMemoryOps(dom0),
    runtime: () => createRuntimeOps(dom0, options),
    machine: () => machineOps(dom0, options),
    init: ({ memory }) => createInitOps(dom0, memory, options),
  };
};
