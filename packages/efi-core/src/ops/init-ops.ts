import type { PhysAddr, PhysRange } from '../address.ts';
import { findMemoryDescriptor } from '../memory-map.ts';
import type { MemoryDescriptor, MemoryMap, MemoryMapShape } from '../memory-map.ts';
import { efiFail, efiOk } from '../result.ts';
import type { EfiResult } from '../result.ts';
import { EfiStatus } from '../status.ts';
import type { Width } from '../struct.ts';
import type { EfiConfigurationTable } from '../table/configuration.ts';
import { generic, notNeeded, unsupported } from './default.ts';
import type { PageMapping } from './memory-ops.ts';

/** Where the system table is and how wide its pointers are. */
export interface SystemTableLocation {
  readonly address: PhysAddr;
  readonly width: Width;
}

/** Where the loader left the memory map. */
export interface MemoryMapLocation extends MemoryMapShape {
  readonly address: PhysAddr;
  /** Bytes. */
  readonly size: number;
}

/** Everything entering virtual mode needs, worked out by generic code. */
export interface VirtualModePlan {
  /** The argument of SetVirtualAddressMap: runtime entries with their virtual addresses. */
  readonly map: MemoryMap;
  /** The page table to have in place when the call is made and ever after. */
  readonly mappings: readonly PageMapping[];
}

/**
 * The steps of EFI initialisation that truly differ between platforms, in the order of a boot. Generic code calls each
 * of them once per boot (`adoptConfigurationTable` per table, `describeMemory` and `reserveMemory` at will) and
 * looks only at the result.
 */
export interface EfiInitOps {
  /** Finds the system table. EFI_NOT_FOUND or EFI_UNSUPPORTED: the machine was not booted by EFI firmware. */
  readonly locateSystemTable: () => EfiResult<SystemTableLocation>;
  /** Whether the table an entry points to may be read and trusted; a failure's `why` is printed. */
  readonly adoptConfigurationTable: (table: EfiConfigurationTable) => EfiResult<void>;
  /** Finds the memory map. A failure means there is none to be had; nothing that needs one is tried then. */
  readonly locateMemoryMap: () => EfiResult<MemoryMapLocation>;
  /** The descriptor of the memory at an address. Default: look it up in the map given. EFI_NOT_FOUND when nobody knows. */
  readonly describeMemory: (
    at: PhysAddr,
    map: MemoryMap | undefined,
  ) => EfiResult<MemoryDescriptor>;
  /** Keeps a range that firmware or a table still needs from being handed out; `why` names the table. */
  readonly reserveMemory: (range: PhysRange, why: string) => EfiResult<void>;
  /** Keeps boot services memory until virtual mode is entered, because firmware is known to touch it until then. */
  readonly reserveBootServices: (map: MemoryMap) => EfiResult<void>;
  /** Installs the page table and calls SetVirtualAddressMap. */
  readonly enterVirtualMode: (plan: VirtualModePlan) => EfiResult<void>;
  /** Hands boot services memory to the OS. */
  readonly freeBootServices: (map: MemoryMap) => EfiResult<void>;
}

const lookUp: EfiInitOps['describeMemory'] = (at, map) => {
  const found = map === undefined ? undefined : findMemoryDescriptor(map, at);
  return found === undefined ? efiFail(EfiStatus.NOT_FOUND) : efiOk(found);
};

/** Neutral `EfiInitOps`: a machine that EFI firmware did not boot. */
export const neutralInitOps: EfiInitOps = Object.freeze({
  locateSystemTable: unsupported('the machine was not booted by EFI firmware'),
  adoptConfigurationTable: notNeeded('every table the firmware published can be read'),
  locateMemoryMap: unsupported('no firmware left a memory map'),
  describeMemory: generic('the adopted memory map is all there is to know', lookUp),
  reserveMemory: notNeeded('nothing else allocates from firmware memory'),
  reserveBootServices: notNeeded('nothing else allocates from boot services memory'),
  enterVirtualMode: notNeeded('runtime services answer at the addresses they have'),
  freeBootServices: notNeeded('boot services memory was never kept back'),
});
