// PE images, TE images and sections of firmware files for tests. Microsoft PE and COFF Specification 8.3; PI Specification 1.7.

const HEADER = 0x80;
const OPTIONAL = HEADER + 24;
const OPTIONAL_SIZE = 240;
const SECTION = OPTIONAL + OPTIONAL_SIZE;
const HEADERS = 0x1000;
const DEBUG = 0x1800;
const SUBSYSTEM_APPLICATION = 10;

export interface PeOptions {
  readonly size?: number;
  readonly entry?: number;
  readonly imageBase?: bigint;
  /** At 0x1000, where the entry is. */
  readonly code?: readonly number[];
  readonly debug?: Uint8Array;
}

/** A CodeView entry with the path of a debug file. */
export const codeView = (signature: 'RSDS' | 'NB10' | 'MTOC', path: string): Uint8Array => {
  const at = { RSDS: 24, NB10: 16, MTOC: 20 }[signature];
  const text = Uint8Array.from(`${path}\0`, (character) => character.charCodeAt(0));
  const bytes = new Uint8Array(at + text.length);
  bytes.set(new TextEncoder().encode(signature));
  bytes.set(text, at);
  return bytes;
};

/** An application for x86-64 as its file and, for offsets are equal there, as it is loaded. */
export const peImage = ({
  size = 0x2000,
  entry = HEADERS,
  imageBase = 0n,
  code = [0xc3],
  debug,
}: PeOptions): Uint8Array => {
  const image = new Uint8Array(size);
  const view = new DataView(image.buffer);
  image.set([0x4d, 0x5a]);
  view.setUint32(0x3c, HEADER, true);
  image.set([0x50, 0x45, 0, 0, 0x64, 0x86, 1, 0], HEADER);
  view.setUint16(HEADER + 20, OPTIONAL_SIZE, true);
  // Executable, large addresses.
  view.setUint16(HEADER + 22, 0x22, true);
  view.setUint16(OPTIONAL, 0x20b, true);
  view.setUint32(OPTIONAL + 4, size - HEADERS, true);
  view.setUint32(OPTIONAL + 16, entry, true);
  view.setUint32(OPTIONAL + 20, HEADERS, true);
  view.setBigUint64(OPTIONAL + 24, imageBase, true);
  view.setUint32(OPTIONAL + 32, 0x1000, true);
  view.setUint32(OPTIONAL + 36, 0x1000, true);
  view.setUint32(OPTIONAL + 56, size, true);
  view.setUint32(OPTIONAL + 60, HEADERS, true);
  view.setUint16(OPTIONAL + 68, SUBSYSTEM_APPLICATION, true);
  view.setUint32(OPTIONAL + 108, 16, true);
  image.set(new TextEncoder().encode('.text'), SECTION);
  view.setUint32(SECTION + 8, size - HEADERS, true);
  view.setUint32(SECTION + 12, HEADERS, true);
  view.setUint32(SECTION + 16, size - HEADERS, true);
  view.setUint32(SECTION + 20, HEADERS, true);
  view.setUint32(SECTION + 36, 0x6000_0020, true);
  image.set(code, HEADERS);
  if (debug) {
    view.setUint32(OPTIONAL + 112 + 6 * 8, DEBUG, true);
    view.setUint32(OPTIONAL + 116 + 6 * 8, 28, true);
    view.setUint32(DEBUG + 12, 2, true);
    view.setUint32(DEBUG + 16, debug.length, true);
    view.setUint32(DEBUG + 20, DEBUG + 28, true);
    view.setUint32(DEBUG + 24, DEBUG + 28, true);
    image.set(debug, DEBUG + 28);
  }
  return image;
};

/** The TE image of a PE image, and how many bytes of its headers went. */
export const teImage = (
  pe: Uint8Array,
): { readonly bytes: Uint8Array; readonly stripped: number } => {
  const from = new DataView(pe.buffer);
  const stripped = SECTION;
  const bytes = new Uint8Array(40 + pe.length - stripped);
  const view = new DataView(bytes.buffer);
  bytes.set([0x56, 0x5a, 0x64, 0x86, 1, SUBSYSTEM_APPLICATION]);
  view.setUint16(6, stripped, true);
  view.setUint32(8, from.getUint32(OPTIONAL + 16, true), true);
  view.setUint32(12, HEADERS, true);
  view.setUint32(32, from.getUint32(OPTIONAL + 112 + 6 * 8, true), true);
  view.setUint32(36, from.getUint32(OPTIONAL + 116 + 6 * 8, true), true);
  bytes.set(pe.subarray(stripped), 40);
  return { bytes, stripped };
};

/** The sections of a firmware file: an image, and its name. */
export const sectionsOf = (image: Uint8Array, name: string): Uint8Array => {
  const text = Uint8Array.from(`${name}\0`, (character) => character.charCodeAt(0));
  const second = 4 + image.length + (-image.length & 3);
  const bytes = new Uint8Array(second + 4 + text.length * 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x1000_0000 + 4 + image.length, true);
  bytes.set(image, 4);
  view.setUint32(second, 0x1500_0000 + 4 + text.length * 2, true);
  text.forEach((character, i) => view.setUint16(second + 4 + i * 2, character, true));
  return bytes;
};
