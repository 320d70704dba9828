// Builds the hypervisor: one PE image, an EFI application.
import { fileURLToPath } from 'node:url';
import { buildPe } from '../firmware/pe-program.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const SOURCES = [
  'boot/main.c',
  'boot/image.c',
  'boot/options.c',
  'boot/firmware-record.c',
  'boot/memory-map.c',
  'core/entry.S',
  'core/console.c',
  'core/paging.c',
  'core/descriptors.c',
  'core/trap.c',
  'core/runtime.c',
  'core/machine.c',
  'domain/kernel-image.c',
  'domain/domain-build.c',
  'domain/wallclock.c',
  'hypercall/dispatch.c',
  'hypercall/guest-access.c',
  'hypercall/platform-op.c',
  'hypercall/efi-runtime-call.c',
  'hypercall/firmware-info.c',
  'hypercall/memory-op.c',
  'hypercall/xen-version.c',
  'hypercall/console-io.c',
  'hypercall/sched-op.c',
] as const;

/** Where the built image stands: in the package that ships it. */
export const hypervisorImagePath: string = here(
  '../../packages/platform-xen/images/hypervisor-x64.efi',
);

/** Builds the image. */
export const buildHypervisor = (): Uint8Array =>
  buildPe({
    architecture: 'x64',
    subsystem: 'efi_application',
    entry: 'hypervisor_main',
    sources: [...SOURCES.map(here), here('../firmware/lib/memory.c')],
    includes: [here('include'), here('core'), here('boot'), here('../firmware/include')],
  });
