import {
  EFI_DONE,
  EFI_PAGE_SIZE,
  efiFail,
  efiOk,
  EfiStatus,
  encodeMemoryMap,
  isEfiError,
  memoryDescriptorEnd,
  pagesFor,
} from '@systab/efi-core';
import type {
  EfiCallOps,
  EfiInitOps,
  MachineOps,
  MemoryOps,
  PhysAddr,
  PlatformBackend,
  PlatformTables,
  Width,
} from '@systab/efi-core';
import { callFailure } from '@systab/efi-core';
import { invoke } from './arguments.ts';
import type { ArgumentSpace } from './arguments.ts';
import type { KernelEnvironment } from './environment.ts';
import { callFirmware, serviceEntry } from './firmware-call.ts';
import type { CallMode, CallOptions } from './firmware-call.ts';

import { createRuntimeOps } from './runtime-ops.ts';
import { directTransfer, mixedModeTransfer } from './transfer.ts';

/** The platform everybody is measured against: others have to score higher where they know better. */
const SCORE = 1;
const FOUR_GIB = 1n << 32n;

/** The kernel's memory as a table. */
const memoryOps = (kernel: KernelEnvironment): Partial<MemoryOps> => ({
  read: (at, length) => {
    const bytes = kernel.read(at, length);
    return bytes === undefined
      ? efiFail(EfiStatus.INVALID_PARAMETER, { why: `no memory at 0x${at.toString(16)}` })
      : efiOk(bytes);
  },
  write: (at, bytes) =>
    kernel.write(at, bytes)
      ? EFI_DONE
      : efiFail(EfiStatus.INVALID_PARAMETER, {
          why: `no memory to write at 0x${at.toString(16)}`,
        }),
  allocatePages: ({ pages, below }) => kernel.allocate(pages, below),
  freePages: (at, pages) => kernel.free(at, pages),
  installPageTable: (mappings) => kernel.installFirmwareTable(mappings),
});

/**
 * Arguments in pages of their own, which are taken when first needed and grow with the largest call. The firmware sees them at
 * their physical address, in every mode.
 */
const argumentSpace = (memory: MemoryOps, width: Width): ArgumentSpace => {
  let region: { readonly at: PhysAddr; readonly pages: number } | undefined;
  return {
    memory,
    reserve: (bytes) => {
      const pages = Math.max(1, pagesFor(bytes));
      if (region !== undefined && region.pages >= pages) return efiOk(region.at);
      const below = width === 32 ? { below: FOUR_GIB } : {};
      const got = memory.allocatePages({ pages, ...below });
      if (!got.ok) return got;
      if (region !== undefined) memory.freePages(region.at, region.pages);
      region = { at: got.value, pages };
      return efiOk(got.value);
    },
  };
};

/** Calls into the firmware's own code, at the addresses its tables name at that moment. */
const callOps = (kernel: KernelEnvironment, options: CallOptions): EfiCallOps => {
  const { machine, width, systemTable } = kernel;
  const transfer =
    width === 64 ? directTransfer(machine, 'ms-x64') : mixedModeTransfer(machine, kernel.mixedMode);
  let mode: CallMode = 'physical';
  return {
    call: (service, args) => {
      if (systemTable === undefined) {
        return { kind: 'unavailable', why: 'no EFI firmware booted this machine' };
      }
      return kernel.inFirmwareSpace(() => {
        const entry = serviceEntry(service, BigInt(systemTable), width, (at, length) =>
          machine.readLinear(at, length),
        );
        if (entry === undefined || entry === 0n) {
          return { kind: 'unavailable', why: `the tables of the firmware name no ${service}` };
        }
        const contain = <T>(work: () => T): T => kernel.contain(work);
        const target = { service, entry, args, mode, width, contain };
        const outcome = callFirmware(machine, transfer, target, options);
        if (outcome.kind !== 'returned') kernel.enter();
        else if (service === 'SetVirtualAddressMap' && !isEfiError(outcome.status))
          mode = 'virtual';
        return outcome;
      });
    },
  };
};

const initOps = (
  kernel: KernelEnvironment,
  { memory, call }: Pick<PlatformTables, 'memory' | 'call'>,
): Partial<EfiInitOps> => {
  const { systemTable, memoryMap, width } = kernel;
  const space = argumentSpace(memory, width);
  return {
    ...(systemTable === undefined
      ? {}
      : { locateSystemTable: () => efiOk({ address: systemTable, width }) }),
    ...(memoryMap === undefined ? {} : { locateMemoryMap: () => efiOk(memoryMap) }),
    reserveMemory: ({ start, length }) => {
      kernel.reserve(BigInt(start), BigInt(start + length));
      return EFI_DONE;
    },
    reserveBootServices: (map) => {
      for (const one of map.descriptors)
        kernel.reserve(one.physicalStart, memoryDescriptorEnd(one));
      return EFI_DONE;
    },
    enterVirtualMode: ({ map, mappings }) => {
      const installed = memory.installPageTable(mappings);
      if (!installed.ok) return installed;
      const bytes = encodeMemoryMap(map);
      const done = invoke(space, call.call, width, 'SetVirtualAddressMap', [
        BigInt(bytes.length),
        BigInt(map.descriptorSize),
        BigInt(map.descriptorVersion),
        bytes,
      ]);
      if (!done.ok) return done;
      const { outcome } = done.value;
      const failure = callFailure(outcome);
      if (failure !== undefined) return failure;
      if (outcome.kind !== 'returned') {
        return efiFail(EfiStatus.ABORTED, { why: 'the machine went away in SetVirtualAddressMap' });
      }
      return isEfiError(outcome.status) ? efiFail(outcome.status) : EFI_DONE;
    },
    freeBootServices: (map) => {
      for (const one of map.descriptors) {
        const from = one.physicalStart;
        kernel.addMemory(from, from + one.numberOfPages * BigInt(EFI_PAGE_SIZE));
      }
      return EFI_DONE;
    },
  };
};

/** The PC's reset register and the value for a full reset (82371AB data sheet, section 4.3.1): the way that needs no firmware. */
const RESET_CONTROL = 0xcf9;
const FULL_RESET = 0x6;

const machineOps = (kernel: KernelEnvironment): Partial<MachineOps> => ({
  halt: () => {
    kernel.machine.state.set('halted', 1);
    return efiOk('halted');
  },
  // With EFI firmware the default stands, ResetSystem, which the guard keeps away from firmware that has faulted.
  ...(kernel.systemTable === undefined
    ? {
        restart: () =>
          efiOk(
            kernel.writePort(RESET_CONTROL, FULL_RESET).kind === 'shutdown'
              ? 'restarted'
              : 'returned',
          ),
      }
    : {}),
});

/** The default backend: the firmware's own code is called, in the kernel that has taken the machine over. */
export const createBareMetalBackend = (
  kernel: KernelEnvironment,
  options: CallOptions = {},
): PlatformBackend => ({
  name: 'baremetal',
  detect: () => SCORE,
  memory: () => memoryOps(kernel),
  call: () => callOps(kernel, options),
  runtime: ({ memory, call }) =>
    kernel.systemTable === undefined
      ? {}
      : createRuntimeOps(call.call, argumentSpace(memory, kernel.width), kernel.width),
  machine: () => machineOps(kernel),
  init: (lower) => initOps(kernel, lower),
});
