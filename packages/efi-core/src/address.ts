declare const physBrand: unique symbol;
declare const virtBrand: unique symbol;

/** A physical address: a whole number below 2^52 (MAXPHYADDR is at most 52 bits, Intel SDM vol. 3A, 4.1.4). */
export type PhysAddr = number & { readonly [physBrand]: true };

/** A virtual address of 64 bits; canonical addresses use the top ones. */
export type VirtAddr = bigint & { readonly [virtBrand]: true };

/** The first number that is no physical address any more. */
export const PHYS_ADDR_LIMIT: bigint = 1n << 52n;

/** Bytes of an EFI page (UEFI 2.10, section 2.3.1). */
export const EFI_PAGE_SIZE = 4096;

/** Bits of an offset inside an EFI page. */
export const EFI_PAGE_SHIFT = 12;

/** The physical address a raw 64-bit field names; undefined when no machine can have it. */
export const physAddr = (raw: bigint | number): PhysAddr | undefined => {
  if (typeof raw === 'number' && !Number.isInteger(raw)) return undefined;
  return raw >= 0 && raw < PHYS_ADDR_LIMIT ? (Number(raw) as PhysAddr) : undefined;
};

/** The virtual address a raw field names; undefined outside 64 bits. */
export const virtAddr = (raw: bigint): VirtAddr | undefined =>
  raw >= 0n && raw < 1n << 64n ? (raw as VirtAddr) : undefined;

/** `at` plus `bytes`; undefined when the sum leaves the physical address space. */
export const physAdd = (at: PhysAddr, bytes: number): PhysAddr | undefined => physAddr(at + bytes);

/** Pages needed for `bytes`. */
export const pagesFor = (bytes: number): number => Math.ceil(bytes / EFI_PAGE_SIZE);

/** Start of the page `at` lies in. */
export const pageStart = (at: PhysAddr): PhysAddr => (at - (at % EFI_PAGE_SIZE)) as PhysAddr;

/** Bytes in `pages` pages. */
export const pagesToBytes = (pages: bigint): bigint => pages << BigInt(EFI_PAGE_SHIFT);

/** A run of physical memory. */
export interface PhysRange {
  readonly start: PhysAddr;
  /** Bytes. */
  readonly length: number;
}

/** An address as the kernel prints it: `0x` and at least `digits` hex digits. */
export const formatAddress = (at: number | bigint, digits = 1): string =>
  `0x${at.toString(16).padStart(digits, '0')}`;
