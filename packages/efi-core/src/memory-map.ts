import { EFI_PAGE_SIZE, pagesToBytes, PHYS_ADDR_LIMIT } from './address.ts';
import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { MemoryAttribute } from './memory-type.ts';
import type { MemoryType } from './memory-type.ts';
import { defineStruct, UINT32, UINT64 } from './struct.ts';
import type { Struct } from './struct.ts';

/**
 * EFI_MEMORY_DESCRIPTOR version 1, addresses as the firmware wrote them: real maps hold empty,
 * wrapping and misaligned entries, which `memoryDescriptorFaults` names.
 */
export interface MemoryDescriptor {
  readonly type: MemoryType;
  readonly physicalStart: bigint;
  readonly virtualStart: bigint;
  readonly numberOfPages: bigint;
  readonly attribute: bigint;
}

export const EFI_MEMORY_DESCRIPTOR: Struct<MemoryDescriptor> = defineStruct<MemoryDescriptor>(
  'EFI_MEMORY_DESCRIPTOR',
  'UEFI 2.10, 7.2.3',
  {
    type: UINT32,
    physicalStart: UINT64,
    virtualStart: UINT64,
    numberOfPages: UINT64,
    attribute: UINT64,
  },
);

/** The only descriptor version there is. */
export const EFI_MEMORY_DESCRIPTOR_VERSION = 1;

/** A memory map with the step and version GetMemoryMap reported for it. */
export interface MemoryMap {
  /** Bytes from one descriptor to the next, at least 40; edk2 reports 48. */
  readonly descriptorSize: number;
  readonly descriptorVersion: number;
  /** In the firmware's order. */
  readonly descriptors: readonly MemoryDescriptor[];
}

/** How GetMemoryMap (or whoever recorded its answer) describes the buffer. */
export interface MemoryMapShape {
  readonly descriptorSize: number;
  /** Default 1. */
  readonly descriptorVersion?: number;
}

/** Reads a map, stepping by the reported descriptor size. Bytes after the last whole descriptor are ignored. */
export const decodeMemoryMap = (bytes: Uint8Array, shape: MemoryMapShape): Decoded<MemoryMap> => {
  const { descriptorSize, descriptorVersion = EFI_MEMORY_DESCRIPTOR_VERSION } = shape;
  const least = EFI_MEMORY_DESCRIPTOR.size();
  if (!Number.isInteger(descriptorSize) || descriptorSize < least) {
    return malformed(
      'memory map DescriptorSize',
      0,
      `at least ${String(least)}`,
      String(descriptorSize),
    );
  }
  const descriptors: MemoryDescriptor[] = [];
  for (let at = 0; at + descriptorSize <= bytes.length; at += descriptorSize) {
    const descriptor = EFI_MEMORY_DESCRIPTOR.decode(bytes, at);
    if (!descriptor.ok) return descriptor;
    descriptors.push(descriptor.value);
  }
  return decoded({ descriptorSize, descriptorVersion, descriptors });
};

/** The bytes of a map, padding between descriptors zero. Throws `RangeError` for a descriptor size below 40. */
export const encodeMemoryMap = (map: MemoryMap): Uint8Array<ArrayBuffer> => {
  if (map.descriptorSize < EFI_MEMORY_DESCRIPTOR.size()) {
    throw new RangeError(`DescriptorSize ${String(map.descriptorSize)} is below 40`);
  }
  const bytes = new Uint8Array(map.descriptors.length * map.descriptorSize);
  map.descriptors.forEach((descriptor, index) => {
    bytes.set(EFI_MEMORY_DESCRIPTOR.encode(descriptor), index * map.descriptorSize);
  });
  return bytes;
};

/** First address after a descriptor; above 2^64 when the entry wraps. */
export const memoryDescriptorEnd = (descriptor: MemoryDescriptor): bigint =>
  descriptor.physicalStart + pagesToBytes(descriptor.numberOfPages);

/** What can be wrong with one descriptor by itself. */
export type MemoryDescriptorFault =
  /** It covers no page. */
  | 'empty'
  /** Start plus size passes 2^64. */
  | 'wraps'
  /** The start is not the start of a page. */
  | 'misaligned'
  /** It reaches beyond 2^52, where no physical memory can be. */
  | 'out of range';

/** Every fault of one descriptor; none for a sound one. */
export const memoryDescriptorFaults = (
  descriptor: MemoryDescriptor,
): readonly MemoryDescriptorFault[] => {
  const faults: MemoryDescriptorFault[] = [];
  const end = memoryDescriptorEnd(descriptor);
  if (descriptor.numberOfPages === 0n) faults.push('empty');
  if (end > 1n << 64n) faults.push('wraps');
  else if (end > PHYS_ADDR_LIMIT) faults.push('out of range');
  if (descriptor.physicalStart % BigInt(EFI_PAGE_SIZE) !== 0n) faults.push('misaligned');
  return faults;
};

/** Whether the firmware asks to keep the range mapped for runtime services. */
export const isRuntimeDescriptor = (descriptor: MemoryDescriptor): boolean =>
  (descriptor.attribute & MemoryAttribute.RUNTIME) !== 0n;

const covers = (descriptor: MemoryDescriptor, at: bigint): boolean =>
  at >= descriptor.physicalStart &&
  at < memoryDescriptorEnd(descriptor) &&
  memoryDescriptorFaults(descriptor).length === 0;

/** The first sound descriptor that covers a physical address. */
export const findMemoryDescriptor = (
  map: MemoryMap,
  at: bigint | number,
): MemoryDescriptor | undefined => {
  const address = BigInt(at);
  return map.descriptors.find((descriptor) => covers(descriptor, address));
};

/** The first sound descriptor that covers `length` bytes from `at` whole; undefined when no single one does. */
export const findMemoryRange = (
  map: MemoryMap,
  at: bigint | number,
  length: bigint | number,
): MemoryDescriptor | undefined => {
  const found = findMemoryDescriptor(map, at);
  if (found === undefined) return undefined;
  return BigInt(at) + BigInt(length) <= memoryDescriptorEnd(found) ? found : undefined;
};

/** Type of the memory at an address; undefined when the map does not say. */
export const memoryTypeAt = (map: MemoryMap, at: bigint | number): MemoryType | undefined =>
  findMemoryDescriptor(map, at)?.type;

/** Attributes of the memory at an address; undefined when the map does not say. */
export const memoryAttributesAt = (map: MemoryMap, at: bigint | number): bigint | undefined =>
  findMemoryDescriptor(map, at)?.attribute;

/** Two sound descriptors that claim the same page, by index. */
export interface MemoryOverlap {
  readonly first: number;
  readonly second: number;
}

/** Pairs of neighbours, by address, that overlap; empty, wrapping and misaligned entries take no part. */
export const memoryOverlaps = (map: MemoryMap): readonly MemoryOverlap[] => {
  const sound = map.descriptors
    .map((descriptor, index) => ({ descriptor, index }))
    .filter(({ descriptor }) => memoryDescriptorFaults(descriptor).length === 0)
    .toSorted((left, right) =>
      Number(left.descriptor.physicalStart - right.descriptor.physicalStart),
    );
  const overlaps: MemoryOverlap[] = [];
  let widest = sound[0];
  for (const entry of sound.slice(1)) {
    if (widest === undefined) break;
    if (entry.descriptor.physicalStart < memoryDescriptorEnd(widest.descriptor)) {
      overlaps.push({ first: widest.index, second: entry.index });
    }
    if (memoryDescriptorEnd(entry.descriptor) > memoryDescriptorEnd(widest.descriptor))
      widest = entry;
  }
  return overlaps;
};
