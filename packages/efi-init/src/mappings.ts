import {
  EFI_PAGE_SIZE,
  isBootServicesMemory,
  isRuntimeDescriptor,
  MemoryAttribute,
  memoryDescriptorEnd,
  MemoryType,
  pagesToBytes,
  physAddr,
  virtAddr,
} from '@systab/efi-core';
import type {
  MemoryDescriptor,
  MemoryMap,
  MemoryType as Type,
  PageMapping,
  PhysAddr,
  VirtAddr,
  Width,
} from '@systab/efi-core';

/** Top of the window runtime regions are mapped into, handed out downwards: 4 GiB below the end of the address space. */
export const EFI_VA_START = 0xffff_ffff_0000_0000n;
/** Bottom of that window, 64 GiB lower. */
export const EFI_VA_END = 0xffff_ffef_0000_0000n;

const LARGE_PAGE = 0x20_0000n;
const FOUR_GIB = 1n << 32n;
const PAGE = BigInt(EFI_PAGE_SIZE);

/** What 32-bit firmware gets to see besides, because every argument must lie there. */
const LOW_RAM: ReadonlySet<Type> = new Set<Type>([
  MemoryType.EfiLoaderCode,
  MemoryType.EfiLoaderData,
  MemoryType.EfiConventionalMemory,
]);

/** Whether firmware gets a mapping of a region once virtual mode is entered. */
export const isMappedRegion = (descriptor: MemoryDescriptor, width: Width): boolean => {
  const { type, attribute } = descriptor;
  if ((attribute & MemoryAttribute.SP) !== 0n) return false;
  if (isRuntimeDescriptor(descriptor) || isBootServicesMemory(type)) return true;
  const isLow = memoryDescriptorEnd(descriptor) <= FOUR_GIB;
  return width === 32 && isLow && LOW_RAM.has(type);
};

/** A layout of virtual addresses for SetVirtualAddressMap. */
export interface VirtualLayout {
  /** Mapped regions with their virtual addresses, in the order they were placed. */
  readonly map: MemoryMap;
  /** Regions there was no room for. */
  readonly unplaced: readonly MemoryDescriptor[];
}

/**
 * Virtual addresses for the regions of a map. For 64-bit firmware they come from the window, from its top down and from the last
 * region to the first: addresses then ascend with the map, which firmware that splits its images into code and data
 * relies on. The offset within 2 MiB stays, so that large pages can be used. 32-bit firmware (and `identity`) keeps
 * physical addresses, below 4 GiB for the former; a region larger than the window is nobody's memory in either case.
 */
export const layOutRegions = (
  map: MemoryMap,
  width: Width,
  identity: boolean = width === 32,
): VirtualLayout => {
  const regions = map.descriptors.filter((descriptor) => isMappedRegion(descriptor, width));
  if (identity) {
    const fits = (region: MemoryDescriptor): boolean =>
      width === 32
        ? memoryDescriptorEnd(region) <= FOUR_GIB
        : pagesToBytes(region.numberOfPages) <= EFI_VA_START - EFI_VA_END;
    const descriptors = regions
      .filter(fits)
      .map((region) => ({ ...region, virtualStart: region.physicalStart }));
    return {
      map: { ...map, descriptors },
      unplaced: regions.filter((region) => !fits(region)),
    };
  }
  const placed: MemoryDescriptor[] = [];
  const unplaced: MemoryDescriptor[] = [];
  let next = EFI_VA_START;
  for (const region of regions.toReversed()) {
    const below = next - pagesToBytes(region.numberOfPages);
    const offset = region.physicalStart % LARGE_PAGE;
    const aligned = below - (below % LARGE_PAGE) + offset;
    const at = aligned > below ? aligned - LARGE_PAGE : aligned;
    if (at < EFI_VA_END) unplaced.push(region);
    else {
      placed.push({ ...region, virtualStart: at });
      next = at;
    }
  }
  return { map: { ...map, descriptors: placed }, unplaced };
};

interface Piece {
  readonly start: bigint;
  readonly end: bigint;
  readonly writable: boolean;
  readonly executable: boolean;
}

const isCode = (type: Type): boolean =>
  type === MemoryType.EfiBootServicesCode || type === MemoryType.EfiRuntimeServicesCode;

/** A region cut where the attributes of its parts change; without attributes it is writable and, if code, executable. */
const piecesOf = (
  region: MemoryDescriptor,
  attributes: readonly MemoryDescriptor[],
): readonly Piece[] => {
  const start = region.physicalStart;
  const end = memoryDescriptorEnd(region);
  const inside = attributes.filter(
    (entry) => entry.physicalStart >= start && memoryDescriptorEnd(entry) <= end,
  );
  const edges = new Set([start, end]);
  for (const entry of inside) edges.add(entry.physicalStart).add(memoryDescriptorEnd(entry));
  const sorted = [...edges].toSorted((left, right) => (left < right ? -1 : 1));
  return sorted.slice(1).map((to, index): Piece => {
    const from = sorted[index] ?? start;
    const entry = inside.find((one) => one.physicalStart <= from && memoryDescriptorEnd(one) >= to);
    if (entry === undefined) {
      return { start: from, end: to, writable: true, executable: isCode(region.type) };
    }
    return {
      start: from,
      end: to,
      writable: (entry.attribute & MemoryAttribute.RO) === 0n,
      executable: (entry.attribute & MemoryAttribute.XP) === 0n,
    };
  });
};

const physical = (raw: bigint): PhysAddr => {
  const at = physAddr(raw);
  if (at === undefined) throw new Error('a region beyond physical memory was not dropped');
  return at;
};

const virtual = (raw: bigint): VirtAddr => {
  const at = virtAddr(raw);
  if (at === undefined) throw new Error('a region was placed outside the address space');
  return at;
};

/**
 * The page table for regions that have virtual addresses: each one at its physical address too, since firmware keeps physical
 * pointers, and page 0, since firmware writes to it. Parts named in `attributes` (entries of a memory attributes table) lose
 * what they need not have.
 */
export const pageMappings = (
  regions: readonly MemoryDescriptor[],
  attributes: readonly MemoryDescriptor[] = [],
): readonly PageMapping[] => {
  const mappings: PageMapping[] = [];
  for (const region of regions) {
    const cached = (region.attribute & MemoryAttribute.WB) !== 0n;
    for (const { start, end, writable, executable } of piecesOf(region, attributes)) {
      const phys = physical(start);
      const pages = Number((end - start) / PAGE);
      const shared = { phys, pages, writable, executable, cached };
      mappings.push({ virt: virtual(start), ...shared });
      const at = region.virtualStart + (start - region.physicalStart);
      if (at !== start) mappings.push({ virt: virtual(at), ...shared });
    }
  }
  if (!regions.some(({ physicalStart }) => physicalStart === 0n)) {
    mappings.push({
      virt: virtual(0n),
      phys: physical(0n),
      pages: 1,
      writable: true,
      executable: false,
      cached: true,
    });
  }
  return mappings;
};
