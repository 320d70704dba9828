/**
 * A dom0 as the surroundings that a bare-metal backend expects of its kernel: a system table, memory and a processor to call services
 * with. With it such a backend runs unchanged in a domain: through the stubs (route `systab`), or with its calls replaced (`efi-call`).
 */
import { EFI_DONE, efiOk } from '@systab/efi-core';
import type {
  EfiResult,
  MemoryMapLocation,
  MemoryOps,
  PageMapping,
  PhysAddr,
} from '@systab/efi-core';
import { bindPlatform, physAddr } from '@systab/efi-core';
import type { Machine, VmExit } from '@systab/x86-emu';
import { xenBackend } from '../backend.ts';
import type { Dom0 } from '../domain/dom0.ts';
import { prepareMemoryMap } from '../ops/memory-map.ts';
import type { XenMemoryMapChoice } from '../ops/memory-map.ts';
import { identifyFirmware, writeSystemTable } from '../ops/system-table.ts';
import { installRuntimeStubs } from './runtime-stubs.ts';

/** What can be chosen about the surroundings. */
export interface Dom0EnvironmentOptions {
  /** Whether the runtime services table is there, with machine code that makes hypercalls. Default: it is. */
  readonly runtimeStubs?: boolean;
  /** Default `absent`. */
  readonly memoryMap?: XenMemoryMapChoice;
}

/** What a backend that calls EFI services by address needs of its surroundings, in a domain. */
export interface Dom0Environment {
  readonly machine: Machine;
  readonly width: 64;
  /** In the domain's memory. */
  readonly systemTable: PhysAddr;
  readonly memoryMap: MemoryMapLocation | undefined;
  /** For firmware of 32 bits, which no domain calls. */
  readonly mixedMode: { readonly thunk: PhysAddr; readonly frame: PhysAddr };
  readonly read: (at: PhysAddr, length: number) => Uint8Array | undefined;
  readonly write: (at: PhysAddr, bytes: Uint8Array) => boolean;
  readonly allocate: (pages: number, below?: bigint) => EfiResult<PhysAddr>;
  readonly free: (at: PhysAddr, pages: number) => EfiResult<void>;
  /** Memory is the hypervisor's to give: nothing is kept, and nothing is added. */
  readonly reserve: (from: bigint, to: bigint) => void;
  readonly addMemory: (from: bigint, to: bigint) => void;
  /** The domain's own page table serves. */
  readonly installFirmwareTable: (mappings: readonly PageMapping[]) => EfiResult<void>;
  readonly inFirmwareSpace: <T>(work: () => T) => T;
  /** Only exceptions of the domain's own code are failures of a call; those of the hypervisor are its own business. */
  readonly contain: <T>(work: () => T) => T;
  readonly enter: () => void;
  readonly writePort: (port: number, value: number) => VmExit;
}

/** Privilege of a domain's code. */
const RING_3 = 3;

const contained = <T>(machine: Machine, work: () => T): T => {
  const outer = machine.hooks.interrupt;
  machine.hooks.interrupt = (event) =>
    event.kind === 'external' || machine.state.get('cpl') !== RING_3 ? outer?.(event) : 'stop';
  try {
    return work();
  } finally {
    machine.hooks.interrupt = outer;
  }
};

const nowhere = (): PhysAddr => {
  const zero = physAddr(0);
  if (zero === undefined) throw new Error('0 is an address');
  return zero;
};

const locate = (
  dom0: Dom0,
  memory: MemoryOps,
  options: Dom0EnvironmentOptions,
): EfiResult<{
  readonly systemTable: PhysAddr;
  readonly memoryMap: MemoryMapLocation | undefined;
}> => {
  const { runtimeStubs = true, memoryMap = 'absent' } = options;
  const identity = identifyFirmware(dom0);
  if (!identity.ok) return identity;
  const services = runtimeStubs ? installRuntimeStubs(dom0) : undefined;
  if (services?.ok === false) return services;
  const pointers = services === undefined ? {} : { runtimeServices: services.value };
  const systemTable = writeSystemTable(memory, identity.value, pointers);
  if (!systemTable.ok) return systemTable;
  if (memoryMap === 'absent')
    return efiOk({ systemTable: systemTable.value, memoryMap: undefined });
  const map = prepareMemoryMap(dom0, memory, memoryMap);
  return map.ok ? efiOk({ systemTable: systemTable.value, memoryMap: map.value }) : map;
};

/** Prepares the surroundings. A failure when the hypervisor knows no EFI firmware. */
export const createDom0Environment = (
  dom0: Dom0,
  options: Dom0EnvironmentOptions = {},
): EfiResult<Dom0Environment> => {
  const { memory } = bindPlatform(xenBackend(dom0));
  const located = locate(dom0, memory, options);
  if (!located.ok) return located;
  const { machine } = dom0;
  return efiOk({
    machine,
    width: 64,
    ...located.value,
    mixedMode: { thunk: nowhere(), frame: nowhere() },
    read: (at, length) => {
      const bytes = memory.read(at, length);
      return bytes.ok ? bytes.value : undefined;
    },
    write: (at, bytes) => memory.write(at, bytes).ok,
    allocate: (pages, below) =>
      memory.allocatePages({ pages, ...(below === undefined ? {} : { below }) }),
    free: memory.freePages,
    reserve: () => {},
    addMemory: () => {},
    installFirmwareTable: () => EFI_DONE,
    inFirmwareSpace: (work) => work(),
    contain: (work) => contained(machine, work),
    enter: () => {},
    writePort: () => ({ kind: 'trap', reason: 'a domain has no ports' }),
  });
};
