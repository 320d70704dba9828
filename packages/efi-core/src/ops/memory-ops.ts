import type { PhysAddr, PhysRange, VirtAddr } from '../address.ts';
import type { EfiResult } from '../result.ts';
import { notNeeded, unsupported } from './default.ts';

/** One run of pages in the page table firmware is called with. */
export interface PageMapping {
  readonly virt: VirtAddr;
  readonly phys: PhysAddr;
  readonly pages: number;
  readonly writable: boolean;
  readonly executable: boolean;
  /** Whether the range may be cached; false for memory without the WB attribute. */
  readonly cached: boolean;
}

/** What to allocate and where it must end. */
export interface PageRequest {
  readonly pages: number;
  /** Every byte must be below this address; default: anywhere. 32-bit firmware needs 2^32. */
  readonly below?: bigint;
}

/** The machine's memory, as init and runtime code may touch it. Addresses are physical, as the firmware counts them. */
export interface MemoryOps {
  /** Copies `length` bytes out. EFI_INVALID_PARAMETER where there is no memory. */
  readonly read: (at: PhysAddr, length: number) => EfiResult<Uint8Array>;
  /** Copies bytes in. EFI_INVALID_PARAMETER where there is no memory to write. */
  readonly write: (at: PhysAddr, bytes: Uint8Array) => EfiResult<void>;
  /** Makes a range of firmware memory readable before the memory map is known. Default: everything already is. */
  readonly earlyMap: (range: PhysRange) => EfiResult<void>;
  /** Takes `earlyMap` of the same range back. */
  readonly earlyUnmap: (range: PhysRange) => EfiResult<void>;
  /** Pages for arguments and results of calls, zeroed. EFI_OUT_OF_RESOURCES when none are left. */
  readonly allocatePages: (request: PageRequest) => EfiResult<PhysAddr>;
  /** Gives pages back. */
  readonly freePages: (at: PhysAddr, pages: number) => EfiResult<void>;
  /** Builds a page table of exactly these mappings and uses it for every later firmware call. */
  readonly installPageTable: (mappings: readonly PageMapping[]) => EfiResult<void>;
}

const NO_MEMORY = 'no machine memory is attached';

/** Neutral `MemoryOps`: no memory at all. */
export const neutralMemoryOps: MemoryOps = Object.freeze({
  read: unsupported(NO_MEMORY),
  write: unsupported(NO_MEMORY),
  earlyMap: notNeeded('all memory that can be read is readable from the start'),
  earlyUnmap: notNeeded('nothing was mapped for it'),
  allocatePages: unsupported(NO_MEMORY),
  freePages: unsupported(NO_MEMORY),
  installPageTable: notNeeded('firmware is not called through a page table of its own'),
});
