import { EFI_DONE, efiFail, efiOk, EfiStatus, physAddr } from '@systab/efi-core';
import type { EfiFailure, MemoryOps } from '@systab/efi-core';
import type { Dom0 } from '../domain/dom0.ts';
import { formatHypercallFailure } from '../domain/hypercall.ts';
import type { HypercallFailure } from '../domain/hypercall.ts';
import { MachineWindow } from '../domain/machine-window.ts';

const nowhere = (at: number): EfiFailure =>
  efiFail(EfiStatus.INVALID_PARAMETER, { why: `the domain has no memory at 0x${at.toString(16)}` });

const refused = (failure: HypercallFailure, at: number): EfiFailure =>
  efiFail(EfiStatus.INVALID_PARAMETER, {
    why: formatHypercallFailure(failure, `mapping machine address 0x${at.toString(16)}`),
  });

/**
 * Memory as a PV domain has it. Addresses from `DOM0_VIRT_BASE` on are its own, where arguments of hypercalls are; those below are the
 * machine's, where the firmware's tables are, and reading them takes a mapping that the hypervisor may refuse.
 */
export const createMemoryOps = (dom0: Dom0): Partial<MemoryOps> => {
  const window = new MachineWindow(dom0);
  return {
    read: (at, length) => {
      if (dom0.owns(at)) {
        const bytes = dom0.read(BigInt(at), length);
        return bytes === undefined ? nowhere(at) : efiOk(bytes);
      }
      const bytes = window.read(at, length);
      return bytes.ok ? efiOk(bytes.value) : refused(bytes.failure, at);
    },
    write: (at, bytes) => {
      if (dom0.owns(at)) return dom0.write(BigInt(at), bytes) ? EFI_DONE : nowhere(at);
      const done = window.write(at, bytes);
      return done.ok ? EFI_DONE : refused(done.failure, at);
    },
    allocatePages: ({ pages, below }) => {
      const got = below === undefined ? dom0.allocatePages(pages) : undefined;
      const at = got === undefined ? undefined : physAddr(got);
      if (at !== undefined) return efiOk(at);
      const why =
        below === undefined
          ? `the domain has no ${String(pages)} pages in a row`
          : `the domain has no memory below 0x${below.toString(16)}`;
      return efiFail(EfiStatus.OUT_OF_RESOURCES, { why });
    },
    freePages: (at, pages) =>
      dom0.freePages(BigInt(at), pages)
        ? EFI_DONE
        : efiFail(EfiStatus.INVALID_PARAMETER, { why: 'these pages were not allocated' }),
  };
};
