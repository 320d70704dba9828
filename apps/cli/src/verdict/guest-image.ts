/**
 * Which PE or TE image in guest memory holds an address. Firmware loads its modules where it likes and keeps their headers; in edk2's debug builds these lead to
 * the path of the module's debug file. Everything read here is the guest's: each number is bounded before it is used, and so is the whole search.
 *
 * PE: Microsoft PE and COFF Specification 8.3; TE: PI Specification 1.7, volume 1, section 15; RSDS, NB10 and MTOC entries as edk2 writes them.
 */
import type { Machine } from '@systab/x86-emu';

/** An image in memory. */
export interface GuestImage {
  /** Linear address to which offsets are relative (RVA 0). */
  readonly base: bigint;
  /** Bytes from `base` on. */
  readonly size: number;
  /** Base name of the debug file, without what may not be printed. */
  readonly name: string | undefined;
  /** The headers, but for the address at which the image was loaded: equal for all copies of an image, and for these alone. */
  readonly identity: string;
}

/** Bytes at a linear address, or undefined if some of them are not memory. */
export type ReadBytes = (address: bigint, length: number) => Uint8Array | undefined;

const PAGE = 4096;
const PAGE_MASK = ~BigInt(PAGE - 1);
/** No module of firmware is larger, and no header is looked for further away. */
const LARGEST = 16 * 2 ** 20;
/** Sections of a firmware file begin at multiples of this. */
const STEP = 4;
/** Signatures that turn out to be none before the search ends: memory may be full of them. */
const MOST_CANDIDATES = 10_000;
const MOST_SECTIONS = 96;
const MOST_DEBUG_ENTRIES = 16;
const LONGEST_PATH = 512;
const LONGEST_NAME = 64;

/** The first two bytes of a PE image and of a TE image. */
export const SIGNATURE = { mz: 0x5a4d, vz: 0x5a56 } as const;
const PE_SIGNATURE = 0x4550;
const MACHINES = new Set([0x014c, 0x8664]);
const PE32 = 0x10b;
const PE32_PLUS = 0x20b;
const DOS_HEADER = 64;
const COFF_HEADER = 24;
const SMALLEST_OPTIONAL_HEADER = 96;
const LARGEST_OPTIONAL_HEADER = 1024;
const DEBUG_DIRECTORY = 6;
const TE_HEADER = 40;
const SECTION_HEADER = 40;
const DEBUG_ENTRY = 28;
const CODEVIEW = 2;
/** Where the path stands behind each signature of a CodeView entry. */
const PATH_OFFSETS: Readonly<Record<string, number>> = { RSDS: 24, NB10: 16, MTOC: 20 };

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Equal for equal bytes alone. */
const identityOf = (...parts: readonly Uint8Array[]): string => parts.map(ascii).join('');

/** The last part of a path without its extension; control characters could play tricks on a terminal. */
const baseName = (path: string): string | undefined => {
  const name = (path.split(/[\\/]/).at(-1) ?? '').replace(/\.\w{1,8}$/, '');
  return name.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, LONGEST_NAME) || undefined;
};

/** The name in a debug directory at `rva`. */
const debugName = (
  read: ReadBytes,
  base: bigint,
  rva: number,
  length: number,
): string | undefined => {
  const count = Math.min(Math.floor(length / DEBUG_ENTRY), MOST_DEBUG_ENTRIES);
  for (let i = 0; i < count; i++) {
    const entry = read(base + BigInt(rva + i * DEBUG_ENTRY), DEBUG_ENTRY);
    if (!entry) return undefined;
    const view = viewOf(entry);
    if (view.getUint32(12, true) !== CODEVIEW) continue;
    const size = Math.min(view.getUint32(16, true), LONGEST_PATH);
    const data = read(base + BigInt(view.getUint32(20, true)), size);
    const at = data && PATH_OFFSETS[ascii(data.subarray(0, 4))];
    if (data && at !== undefined) return baseName(ascii(data.subarray(at)).split('\0')[0] ?? '');
  }
  return undefined;
};

/** The PE image whose DOS header is at `base`. */
const readPe = (read: ReadBytes, base: bigint): GuestImage | undefined => {
  const dos = read(base, DOS_HEADER);
  const at = dos ? viewOf(dos).getUint32(60, true) : 0;
  if (at < 4 || at > PAGE || at % 4 !== 0) return undefined;
  const coff = read(base + BigInt(at), COFF_HEADER);
  if (!coff) return undefined;
  const file = viewOf(coff);
  const optionalSize = file.getUint16(20, true);
  const sections = file.getUint16(6, true);
  if (
    file.getUint32(0, true) !== PE_SIGNATURE ||
    !MACHINES.has(file.getUint16(4, true)) ||
    sections === 0 ||
    sections > MOST_SECTIONS ||
    optionalSize < SMALLEST_OPTIONAL_HEADER ||
    optionalSize > LARGEST_OPTIONAL_HEADER
  )
    return undefined;
  const optional = read(base + BigInt(at + COFF_HEADER), optionalSize);
  if (!optional) return undefined;
  const header = viewOf(optional);
  const magic = header.getUint16(0, true);
  if (magic !== PE32 && magic !== PE32_PLUS) return undefined;
  const entry = header.getUint32(16, true);
  const size = header.getUint32(56, true);
  const headers = header.getUint32(60, true);
  if (size > LARGEST || headers >= size || entry >= size) return undefined;
  const directories = magic === PE32 ? 92 : 108;
  const debug = directories + 4 + DEBUG_DIRECTORY * 8;
  const hasDebug =
    debug + 8 <= optionalSize && header.getUint32(directories, true) > DEBUG_DIRECTORY;
  const name = hasDebug
    ? debugName(read, base, header.getUint32(debug, true), header.getUint32(debug + 4, true))
    : undefined;
  const table = read(base + BigInt(at + COFF_HEADER + optionalSize), sections * SECTION_HEADER);
  if (!table) return undefined;
  // ImageBase, which loaders change.
  const fixed = optional.slice();
  if (magic === PE32) fixed.fill(0, 28, 32);
  else fixed.fill(0, 24, 32);
  return { base, size, name, identity: identityOf(coff, fixed, table) };
};

/** The image whose first bytes, the signature, are at `at`. */
export const readImage = (read: ReadBytes, at: bigint, signature: number): GuestImage | undefined =>
  signature === SIGNATURE.mz ? readPe(read, at) : readTe(read, at);

/** The TE image whose header is at `at`: the headers of the PE image that it was made from are stripped, and offsets count as before. */
const readTe = (read: ReadBytes, at: bigint): GuestImage | undefined => {
  const bytes = read(at, TE_HEADER);
  if (!bytes) return undefined;
  const header = viewOf(bytes);
  const sections = header.getUint8(4);
  const stripped = header.getUint16(6, true);
  if (!MACHINES.has(header.getUint16(2, true)) || sections === 0 || sections > MOST_SECTIONS)
    return undefined;
  const base = at + BigInt(TE_HEADER - stripped);
  if (stripped < TE_HEADER || base < 0n) return undefined;
  const table = read(at + BigInt(TE_HEADER), sections * SECTION_HEADER);
  if (!table) return undefined;
  const view = viewOf(table);
  let size = 0;
  for (let i = 0; i < sections; i++) {
    const section = i * SECTION_HEADER;
    size = Math.max(size, view.getUint32(section + 8, true) + view.getUint32(section + 12, true));
  }
  if (size > LARGEST || header.getUint32(8, true) >= size) return undefined;
  const name = debugName(read, base, header.getUint32(32, true), header.getUint32(36, true));
  return { base, size, name, identity: identityOf(bytes, table) };
};

/** Identity of a PE file, with which its image in memory is recognised; undefined if it is none. */
export const peIdentity = (file: Uint8Array): string | undefined =>
  readPe((address, length) => {
    const at = Number(address);
    return at + length <= file.length ? file.subarray(at, at + length) : undefined;
  }, 0n)?.identity;

/** The image that holds a linear address: the nearest header below it whose image reaches that far. */
export const findImage = (read: ReadBytes, address: bigint): GuestImage | undefined => {
  let candidates = 0;
  const lowest = address < BigInt(LARGEST) ? 0n : address - BigInt(LARGEST);
  for (let page = address & PAGE_MASK; page >= (lowest & PAGE_MASK); page -= BigInt(PAGE)) {
    const bytes = read(page, PAGE);
    if (!bytes) continue;
    const last = address - page < BigInt(PAGE) ? Number(address - page) : PAGE - 1;
    for (let at = last - (last % STEP); at >= 0; at -= STEP) {
      const signature = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      if (signature !== SIGNATURE.mz && signature !== SIGNATURE.vz) continue;
      if (++candidates > MOST_CANDIDATES) return undefined;
      const image = readImage(read, page + BigInt(at), signature);
      if (image && address - image.base < BigInt(image.size)) return image;
    }
  }
  return undefined;
};

/** Reads guest memory through the present page tables, page by page; a page is read once. */
export const guestReader = (machine: Machine): ReadBytes => {
  const pages = new Map<bigint, Uint8Array | undefined>();
  const pageAt = (page: bigint): Uint8Array | undefined => {
    if (!pages.has(page)) {
      const physical = machine.physicalAddress(BigInt.asUintN(64, page));
      pages.set(page, physical === undefined ? undefined : machine.memory.read(physical, PAGE));
    }
    return pages.get(page);
  };
  return (address, length) => {
    const first = address & PAGE_MASK;
    const offset = Number(address - first);
    const whole = pageAt(first);
    if (offset + length <= PAGE) return whole?.subarray(offset, offset + length);
    const out = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const here = address + BigInt(at);
      const bytes = pageAt(here & PAGE_MASK);
      if (!bytes) return undefined;
      const piece = bytes.subarray(
        Number(here & ~PAGE_MASK),
        Number(here & ~PAGE_MASK) + length - at,
      );
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  };
};
