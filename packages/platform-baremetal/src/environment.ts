import type { EfiResult, MemoryMapLocation, PageMapping, PhysAddr, Width } from '@systab/efi-core';
import type { Machine, VmExit } from '@systab/x86-emu';
import type { MixedModeLayout } from './transfer.ts';

/**
 * What the backend needs of whoever runs the processor: `Kernel` is that on bare metal. Whoever brings another one keeps the
 * backend as it is and decides what its system table, its memory and its page tables are.
 */
export interface KernelEnvironment {
  readonly machine: Machine;
  /** Width of the firmware; 64 where there is none. */
  readonly width: Width;
  /** Undefined on a machine that EFI firmware did not boot. */
  readonly systemTable: PhysAddr | undefined;
  /** Where the map that the firmware left is; undefined without one. */
  readonly memoryMap: MemoryMapLocation | undefined;
  /** For firmware of 32 bits. */
  readonly mixedMode: MixedModeLayout;
  /** Bytes of physical memory; undefined where there is none. */
  readonly read: (at: PhysAddr, length: number) => Uint8Array | undefined;
  /** Stores bytes; false where there is no memory to write. */
  readonly write: (at: PhysAddr, bytes: Uint8Array) => boolean;
  /** Pages, zeroed, at an address the firmware can use as it is. */
  readonly allocate: (pages: number, below?: bigint) => EfiResult<PhysAddr>;
  readonly free: (at: PhysAddr, pages: number) => EfiResult<void>;
  /** Keeps a range from being handed out, and hands one out. */
  readonly reserve: (from: bigint, to: bigint) => void;
  readonly addMemory: (from: bigint, to: bigint) => void;
  /** Replaces the page table that firmware is called with. */
  readonly installFirmwareTable: (mappings: readonly PageMapping[]) => EfiResult<void>;
  /** Runs `work` with that page table in place. */
  readonly inFirmwareSpace: <T>(work: () => T) => T;
  /** Runs `work` with every exception that nobody below would handle ending the run instead. */
  readonly contain: <T>(work: () => T) => T;
  /** Puts the processor back into the kernel's state, wherever a call left it. */
  readonly enter: () => void;
  /** Writes a byte to a port: what it sets off is in the exit. */
  readonly writePort: (port: number, value: number) => VmExit;
}
