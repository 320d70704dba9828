/** EFI_MEMORY_TYPE: an open set of 32-bit numbers (UEFI 2.10, section 7.2). */
export type MemoryType = number;

/** The types the specification names (UEFI 2.10, section 7.2). */
export const MemoryType: {
  readonly EfiReservedMemoryType: 0;
  readonly EfiLoaderCode: 1;
  readonly EfiLoaderData: 2;
  readonly EfiBootServicesCode: 3;
  readonly EfiBootServicesData: 4;
  readonly EfiRuntimeServicesCode: 5;
  readonly EfiRuntimeServicesData: 6;
  readonly EfiConventionalMemory: 7;
  readonly EfiUnusableMemory: 8;
  readonly EfiACPIReclaimMemory: 9;
  readonly EfiACPIMemoryNVS: 10;
  readonly EfiMemoryMappedIO: 11;
  readonly EfiMemoryMappedIOPortSpace: 12;
  readonly EfiPalCode: 13;
  readonly EfiPersistentMemory: 14;
  readonly EfiUnacceptedMemoryType: 15;
} = Object.freeze({
  EfiReservedMemoryType: 0,
  EfiLoaderCode: 1,
  EfiLoaderData: 2,
  EfiBootServicesCode: 3,
  EfiBootServicesData: 4,
  EfiRuntimeServicesCode: 5,
  EfiRuntimeServicesData: 6,
  EfiConventionalMemory: 7,
  EfiUnusableMemory: 8,
  EfiACPIReclaimMemory: 9,
  EfiACPIMemoryNVS: 10,
  EfiMemoryMappedIO: 11,
  EfiMemoryMappedIOPortSpace: 12,
  EfiPalCode: 13,
  EfiPersistentMemory: 14,
  EfiUnacceptedMemoryType: 15,
});

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(MemoryType).map(([name, value]) => [value, name]),
);

/** The specification's name, `OEM 0x7…` or `OS loader 0x8…` for the reserved ranges, else the number in hex. */
export const memoryTypeName = (type: MemoryType): string => {
  const known = TYPE_NAMES.get(type);
  if (known !== undefined) return known;
  const hex = `0x${type.toString(16)}`;
  if (type >= 0x8000_0000) return `OS loader ${hex}`;
  return type >= 0x7000_0000 ? `OEM ${hex}` : `EFI_MEMORY_TYPE ${hex}`;
};

/** Memory the specification hands to the OS when boot services end, which firmware is known to touch later. */
export const isBootServicesMemory = (type: MemoryType): boolean =>
  type === MemoryType.EfiBootServicesCode || type === MemoryType.EfiBootServicesData;

/** Code or data of the runtime services by type; the RUNTIME attribute is a different question. */
export const isRuntimeServicesMemory = (type: MemoryType): boolean =>
  type === MemoryType.EfiRuntimeServicesCode || type === MemoryType.EfiRuntimeServicesData;

/** Attribute bits of a memory descriptor (UEFI 2.10, section 7.2.3). */
export const MemoryAttribute: {
  readonly UC: bigint;
  readonly WC: bigint;
  readonly WT: bigint;
  readonly WB: bigint;
  readonly UCE: bigint;
  readonly WP: bigint;
  readonly RP: bigint;
  readonly XP: bigint;
  readonly NV: bigint;
  readonly MORE_RELIABLE: bigint;
  readonly RO: bigint;
  readonly SP: bigint;
  readonly CPU_CRYPTO: bigint;
  readonly HOT_PLUGGABLE: bigint;
  readonly ISA_VALID: bigint;
  readonly RUNTIME: bigint;
} = Object.freeze({
  UC: 0x1n,
  WC: 0x2n,
  WT: 0x4n,
  WB: 0x8n,
  UCE: 0x10n,
  WP: 0x1000n,
  RP: 0x2000n,
  XP: 0x4000n,
  NV: 0x8000n,
  MORE_RELIABLE: 0x1_0000n,
  RO: 0x2_0000n,
  SP: 0x4_0000n,
  CPU_CRYPTO: 0x8_0000n,
  HOT_PLUGGABLE: 0x10_0000n,
  ISA_VALID: 1n << 62n,
  RUNTIME: 1n << 63n,
});

/** Name of an attribute bit. */
export type MemoryAttributeName = keyof typeof MemoryAttribute;

/** Bits that carry an architecture's own attributes when ISA_VALID is set. */
export const MEMORY_ATTRIBUTE_ISA_MASK: bigint = 0x0fff_f000_0000_0000n;

/** Names of the bits set, lowest bit first, and the bits that have no name. */
export const memoryAttributeNames = (
  attribute: bigint,
): { readonly names: readonly MemoryAttributeName[]; readonly unknown: bigint } => {
  const names: MemoryAttributeName[] = [];
  let unknown = BigInt.asUintN(64, attribute) & ~MEMORY_ATTRIBUTE_ISA_MASK;
  for (const [name, bit] of Object.entries(MemoryAttribute) as [MemoryAttributeName, bigint][]) {
    if ((attribute & bit) !== 0n) names.push(name);
    unknown &= ~bit;
  }
  return { names, unknown };
};
