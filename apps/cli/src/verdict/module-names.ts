/**
 * Names of the firmware's modules, from the files that it unpacks itself from: behind the section of a firmware file that holds the image stands one that holds
 * the name (PI Specification 1.7, volume 3, 2.2.4 and 3.2.5). Release builds have no path of a debug file, but these names.
 */
import type { Machine } from '@systab/x86-emu';
import { readImage, SIGNATURE } from './guest-image.ts';
import type { ReadBytes } from './guest-image.ts';

/** Names by `GuestImage.identity`. */
export type ImageNames = ReadonlyMap<string, string>;

/** EFI_SECTION_TYPE, the last byte of a section's header of four bytes; the others are its size, header included. */
const SECTION = { pe32: 0x10, te: 0x12, name: 0x15, first: 0x10, last: 0x1c } as const;
const SECTION_HEADER = 4;
/** Sections behind the image that are looked at. */
const NEXT_SECTIONS = 4;
const LONGEST_NAME = 64;
/** Guest memory is read in pieces. */
const CHUNK = 2 ** 20;
/** Files that are looked at: memory may be full of what looks like some. */
const MOST_FILES = 4096;

/** Physical memory of a machine as words; `visit` sees every word and the one before it, and its address. */
const forEachWord = (
  { memory }: Machine,
  visit: (before: number, word: number, address: number) => boolean,
): void => {
  for (const { kind, base, length } of memory.regions) {
    if (kind === 'mmio') continue;
    let before = 0;
    for (let at = 0; at < length; at += CHUNK) {
      const bytes = memory.read(base + at, Math.min(CHUNK, length - at));
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
      for (let i = 0; i < words.length; i++) {
        const word = words[i] as number;
        const low = word & 0xffff;
        if (
          (low === SIGNATURE.mz || low === SIGNATURE.vz) &&
          !visit(before, word, base + at + i * 4)
        )
          return;
        before = word;
      }
    }
  }
};

/** The name in one of the sections behind the one whose header is at `section`. */
const nameBehind = (read: ReadBytes, section: number, size: number): string | undefined => {
  let at = section + size;
  for (let i = 0; i < NEXT_SECTIONS; i++) {
    at += -at & 3;
    const header = read(BigInt(at), SECTION_HEADER);
    if (!header) return undefined;
    const word = new DataView(header.buffer, header.byteOffset).getUint32(0, true);
    const length = word & 0xff_ffff;
    const type = word >>> 24;
    if (length <= SECTION_HEADER || type < SECTION.first || type > SECTION.last) return undefined;
    if (type === SECTION.name) {
      const text = read(BigInt(at + SECTION_HEADER), Math.min(length - 4, 2 * LONGEST_NAME));
      const name = text && new TextDecoder('utf-16le').decode(text).split('\0')[0];
      return name?.replaceAll(/[^\x21-\x7e]/g, '?') || undefined;
    }
    at += length;
  }
  return undefined;
};

/** Looks through all of the machine's memory for files of modules with names. */
export const moduleNames = (machine: Machine): ImageNames => {
  const names = new Map<string, string>();
  const read: ReadBytes = (address, length) =>
    address >= 0n && address < 1n << 32n ? machine.memory.read(Number(address), length) : undefined;
  let files = 0;
  forEachWord(machine, (before, word, address) => {
    const signature = word & 0xffff;
    const type = signature === SIGNATURE.mz ? SECTION.pe32 : SECTION.te;
    if (before >>> 24 !== type) return true;
    const identity = readImage(read, BigInt(address), signature)?.identity;
    const name =
      identity !== undefined && nameBehind(read, address - SECTION_HEADER, before & 0xff_ffff);
    if (identity !== undefined && name && !names.has(identity)) names.set(identity, name);
    return ++files < MOST_FILES;
  });
  return names;
};
