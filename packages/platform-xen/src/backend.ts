import { efiOk } from '@systab/efi-core';
import type { MachineOutcome, PlatformBackend } from '@systab/efi-core';
import type { Dom0 } from './domain/dom0.ts';
import { hypercallEfiFailure } from './domain/hypercall.ts';
import { shutDown } from './domain/hypervisor.ts';
import { createInitOps } from './ops/init-ops.ts';
import type { XenInitOptions } from './ops/init-ops.ts';
import { createMemoryOps } from './ops/memory-ops.ts';
import { createRuntimeOps } from './ops/runtime-ops.ts';
import type { XenRuntimeOptions } from './ops/runtime-ops.ts';

/** What can be chosen about the platform. */
export interface XenBackendOptions extends XenInitOptions, XenRuntimeOptions {}

/** More than bare metal, which fits every machine with EFI, and than nothing. */
const SCORE = 100;

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
    machine: () => ({
      // Xen switches nothing off for a domain that halts: it stops the processor.
      halt: () => {
        const done = shutDown(dom0, 'poweroff');
        return done.ok
          ? efiOk<MachineOutcome>(done.value)
          : hypercallEfiFailure(done.failure, 'SCHEDOP_shutdown');
      },
    }),
    init: ({ memory }) => createInitOps(dom0, memory, options),
  };
};
