/** memory_op, hypercall 12, and the entries of update_va_mapping. Xen 4.17, xen/include/public/memory.h. */
import { defineStruct, UINT32, UINT64 } from '@systab/efi-core';
import type { Struct } from '@systab/efi-core';

/** Commands that the backend gives. */
export const XENMEM_machine_memory_map = 10;

/** struct xen_memory_map. */
export interface XenMemoryMap {
  readonly nr_entries: number;
  readonly buffer: bigint;
}

export const xen_memory_map: Struct<XenMemoryMap> = defineStruct<XenMemoryMap>(
  'xen_memory_map',
  'Xen 4.17, public/memory.h',
  { nr_entries: UINT32, buffer: UINT64 },
);

/** An entry of the map: E820 of the machine. */
export interface E820Entry {
  readonly addr: bigint;
  readonly size: bigint;
  readonly type: number;
}

export const e820entry: Struct<E820Entry> = defineStruct<E820Entry>(
  'e820entry',
  'Xen 4.17, arch/x86/include/asm/e820.h',
  { addr: UINT64, size: UINT64, type: UINT32 },
  { packed: true },
);

/** Types of the entries (ACPI 6.4, 15). */
export const E820: {
  readonly RAM: 1;
  readonly RESERVED: 2;
  readonly ACPI: 3;
  readonly NVS: 4;
  readonly UNUSABLE: 5;
} = Object.freeze({ RAM: 1, RESERVED: 2, ACPI: 3, NVS: 4, UNUSABLE: 5 });

/** Bits of a page table entry a guest may write (SDM Vol. 3A, 4.5). */
export const PTE: {
  readonly PRESENT: 1n;
  readonly WRITABLE: 2n;
  readonly USER: 4n;
  readonly ACCESSED: 0x20n;
  readonly DIRTY: 0x40n;
} = Object.freeze({ PRESENT: 1n, WRITABLE: 2n, USER: 4n, ACCESSED: 0x20n, DIRTY: 0x40n });

/** Flush the page from this processor's translations. */
export const UVMF_INVLPG = 2n;
