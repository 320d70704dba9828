import {
  EFI_MEMORY_DESCRIPTOR_VERSION,
  EFI_PAGE_SIZE,
  MemoryAttribute,
  memoryDescriptorEnd,
  memoryDescriptorFaults,
  MemoryType,
  pagesToBytes,
} from '@systab/efi-core';
import type { MemoryDescriptor, MemoryMap } from '@systab/efi-core';

/** Type of an E820 range: an open set of 32-bit numbers. */
export type E820Type = number;

/** The types in use (ACPI 6.5, table 15.6; SOFT_RESERVED is Linux's own). */
export const E820Type: {
  readonly RAM: 1;
  readonly RESERVED: 2;
  readonly ACPI: 3;
  readonly NVS: 4;
  readonly UNUSABLE: 5;
  readonly PMEM: 7;
  readonly SOFT_RESERVED: 0xefff_ffff;
} = Object.freeze({
  RAM: 1,
  RESERVED: 2,
  ACPI: 3,
  NVS: 4,
  UNUSABLE: 5,
  PMEM: 7,
  SOFT_RESERVED: 0xefff_ffff,
});

/** One range of an E820 map. */
export interface E820Entry {
  readonly start: bigint;
  /** Bytes. */
  readonly size: bigint;
  readonly type: E820Type;
}

/** Which of the two conversions Linux has. */
export interface E820Rules {
  /**
   * `stub`: what a boot stub leaves in boot_params. `kernel`: what `add_efi_memmap` adds, where memory that cannot be cached
   * write-back is no RAM and unknown types are reserved.
   */
  readonly by: 'stub' | 'kernel';
  /** Whether EFI_MEMORY_SP makes memory soft reserved; default true. */
  readonly softReserve?: boolean;
}

const T = MemoryType;
const SAME_EVERYWHERE: ReadonlyMap<MemoryType, E820Type> = new Map<MemoryType, E820Type>([
  [T.EfiReservedMemoryType, E820Type.RESERVED],
  [T.EfiRuntimeServicesCode, E820Type.RESERVED],
  [T.EfiRuntimeServicesData, E820Type.RESERVED],
  [T.EfiUnusableMemory, E820Type.UNUSABLE],
  [T.EfiACPIReclaimMemory, E820Type.ACPI],
  [T.EfiACPIMemoryNVS, E820Type.NVS],
  [T.EfiMemoryMappedIO, E820Type.RESERVED],
  [T.EfiMemoryMappedIOPortSpace, E820Type.RESERVED],
  [T.EfiPalCode, E820Type.RESERVED],
  [T.EfiPersistentMemory, E820Type.PMEM],
]);
const USABLE: ReadonlySet<MemoryType> = new Set<MemoryType>([
  T.EfiLoaderCode,
  T.EfiLoaderData,
  T.EfiBootServicesCode,
  T.EfiBootServicesData,
  T.EfiConventionalMemory,
]);

/** The E820 type of a descriptor; undefined when the rules leave it out. */
export const e820TypeOf = (
  descriptor: MemoryDescriptor,
  { by, softReserve = true }: E820Rules,
): E820Type | undefined => {
  const { type, attribute } = descriptor;
  const same = SAME_EVERYWHERE.get(type);
  if (same !== undefined) return same;
  if (!USABLE.has(type)) return by === 'kernel' ? E820Type.RESERVED : undefined;
  const special = type === T.EfiConventionalMemory && (attribute & MemoryAttribute.SP) !== 0n;
  if (special && softReserve) return E820Type.SOFT_RESERVED;
  return by === 'kernel' && (attribute & MemoryAttribute.WB) === 0n
    ? E820Type.RESERVED
    : E820Type.RAM;
};

/** The ranges of a memory map, sorted out; descriptors with faults are left out. */
export const e820FromMemoryMap = (map: MemoryMap, rules: E820Rules): readonly E820Entry[] => {
  const entries: E820Entry[] = [];
  for (const descriptor of map.descriptors) {
    const type = e820TypeOf(descriptor, rules);
    if (type !== undefined && memoryDescriptorFaults(descriptor).length === 0) {
      const size = pagesToBytes(descriptor.numberOfPages);
      entries.push({ start: descriptor.physicalStart, size, type });
    }
  }
  return sanitizeE820(entries);
};

/**
 * Sorts a map by address: where ranges overlap the higher type wins, neighbours of one type become one range, empty and
 * wrapping ranges go away.
 */
export const sanitizeE820 = (entries: readonly E820Entry[]): readonly E820Entry[] => {
  const sound = entries.filter(({ start, size }) => size > 0n && start + size <= 1n << 64n);
  const edges = sound
    .flatMap((entry) => [
      { at: entry.start, opens: true, type: entry.type },
      { at: entry.start + entry.size, opens: false, type: entry.type },
    ])
    .toSorted((left, right) => {
      if (left.at === right.at) return 0;
      return left.at < right.at ? -1 : 1;
    });
  const open = new Map<E820Type, number>();
  const result: E820Entry[] = [];
  let start = 0n;
  let type: E820Type | undefined;
  edges.forEach((edge, index) => {
    open.set(edge.type, (open.get(edge.type) ?? 0) + (edge.opens ? 1 : -1));
    if (edges[index + 1]?.at === edge.at) return;
    const here = [...open].filter(([, count]) => count > 0).map(([kind]) => kind);
    const next = here.length === 0 ? undefined : Math.max(...here);
    if (next === type) return;
    if (type !== undefined) result.push({ start, size: edge.at - start, type });
    start = edge.at;
    type = next;
  });
  return result;
};

/** Takes a range of one type out of a sorted-out map. */
export const removeFromE820 = (
  entries: readonly E820Entry[],
  hole: E820Entry,
): readonly E820Entry[] => {
  const end = hole.start + hole.size;
  return entries.flatMap((entry) => {
    const last = entry.start + entry.size;
    if (entry.type !== hole.type || last <= hole.start || entry.start >= end) return [entry];
    return [
      { ...entry, size: hole.start - entry.start },
      { ...entry, start: end, size: last - end },
    ].filter(({ size }) => size > 0n);
  });
};

const isHandedOut = (type: E820Type): boolean =>
  type === E820Type.RAM || type === E820Type.SOFT_RESERVED;

const DESCRIPTORS: ReadonlyMap<E820Type, MemoryType> = new Map<E820Type, MemoryType>([
  [E820Type.RAM, T.EfiConventionalMemory],
  [E820Type.ACPI, T.EfiACPIReclaimMemory],
  [E820Type.NVS, T.EfiACPIMemoryNVS],
  [E820Type.UNUSABLE, T.EfiUnusableMemory],
  [E820Type.PMEM, T.EfiPersistentMemory],
  [E820Type.SOFT_RESERVED, T.EfiConventionalMemory],
]);

/**
 * A memory map made up from an E820 map, for machines whose firmware leaves none. RAM is cut to whole pages, everything
 * else widened to them, so that nothing is handed out that is not RAM; there are no runtime entries, E820 knows none.
 */
export const memoryMapFromE820 = (entries: readonly E820Entry[]): MemoryMap => {
  const page = BigInt(EFI_PAGE_SIZE);
  const up = (at: bigint): bigint => ((at + page - 1n) / page) * page;
  const down = (at: bigint): bigint => at - (at % page);
  const whole = entries.map(({ start, size, type }) => {
    const from = isHandedOut(type) ? up(start) : down(start);
    const to = isHandedOut(type) ? down(start + size) : up(start + size);
    return { start: from, size: to - from, type };
  });
  const descriptors = sanitizeE820(whole).map(({ start, size, type }): MemoryDescriptor => ({
    type: DESCRIPTORS.get(type) ?? T.EfiReservedMemoryType,
    physicalStart: start,
    virtualStart: 0n,
    numberOfPages: size / page,
    attribute:
      (DESCRIPTORS.has(type) ? MemoryAttribute.WB : MemoryAttribute.UC) |
      (type === E820Type.SOFT_RESERVED ? MemoryAttribute.SP : 0n),
  }));
  // edk2 reports 48 as well; nobody may count on 40.
  return { descriptorSize: 48, descriptorVersion: EFI_MEMORY_DESCRIPTOR_VERSION, descriptors };
};

/** Large device ranges are no business of the E820 map: they would keep PCI from using the window around them. Bytes. */
const LARGE_MMIO = 0x4_0000n;

/** Device ranges of a map, split by whether they are large enough to be taken out of an E820 map. */
export const deviceRanges = (
  map: MemoryMap,
): readonly { readonly index: number; readonly entry: E820Entry; readonly large: boolean }[] =>
  map.descriptors.flatMap((descriptor, index) => {
    if (descriptor.type !== T.EfiMemoryMappedIO) return [];
    const size = memoryDescriptorEnd(descriptor) - descriptor.physicalStart;
    const entry = { start: descriptor.physicalStart, size, type: E820Type.RESERVED };
    return [{ index, entry, large: size >= LARGE_MMIO }];
  });
