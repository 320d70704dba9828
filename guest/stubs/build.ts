// Builds the small programs of the platform packages: what must be machine code inside the guest and is neither firmware nor hypervisor.
import { fileURLToPath } from 'node:url';
import { buildPe } from '../firmware/pe-program.ts';
import type { FirmwareArchitecture } from '../firmware/pe-program.ts';
import { buildGuest } from '../toolchain.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The PE image whose entry point traps to the host. */
export const buildTrapStub = (architecture: FirmwareArchitecture): Uint8Array =>
  buildPe({
    architecture,
    subsystem: 'efi_application',
    entry: 'trap_main',
    sources: [here('trap-stub.c')],
    includes: [],
  });

/** The code that calls 32-bit firmware from long mode. */
export const buildMixedModeThunk = (): Uint8Array =>
  buildGuest({
    mode: 'long64',
    sources: [here('mixed-mode.S')],
    includes: [],
    defines: [],
    linkerScript: here('flat.ld'),
    linkerValues: {},
  }).flat;

/** EFI runtime services that make hypercalls, for the kernel of a Xen dom0: first a table of their offsets. */
export const buildXenRuntime = (): Uint8Array =>
  buildGuest({
    mode: 'long64',
    sources: [here('xen-runtime-table.S'), here('xen-runtime.c')],
    includes: [here('../firmware/include'), here('../hypervisor/include')],
    defines: [],
    linkerScript: here('flat.ld'),
    linkerValues: {},
  }).flat;
