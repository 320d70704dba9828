/**
 * Unified images: a hypervisor's PE file that carries its configuration and the initial domain's kernel in sections of its own
 * (Xen's docs/misc/efi.pandoc). Microsoft PE/COFF specification, revision 11.
 */
import { viewOf } from '@systab/efi-core';

/** A section to add. */
export interface NamedSection {
  /** At most eight ASCII characters, the dot included. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a unified image is made of. */
export interface UnifiedImageParts {
  /** The hypervisor: a PE32+ image for x64. */
  readonly hypervisor: Uint8Array;
  /** The initial domain's kernel: an ELF file. */
  readonly kernel: Uint8Array;
  /** The hypervisor's options, as in `options=` of its configuration file. */
  readonly options?: string;
  /** The kernel's command line. */
  readonly commandLine?: string;
}

/** Bytes that are not the image they should be: where, and what was expected. */
export class ImageFormatError extends Error {
  override readonly name = 'ImageFormatError';
}

const DOS_MAGIC = 0x5a4d;
const LFANEW = 0x3c;
const PE_SIGNATURE = 0x4550;
const MACHINE_X64 = 0x8664;
const PE32_PLUS = 0x20b;
const FILE_HEADER_SIZE = 24;
const SECTION_HEADER_SIZE = 40;
const NAME_SIZE = 8;
const DEBUG_DIRECTORY = 6;
const DEBUG_ENTRY_SIZE = 28;
/** Initialised data, readable. */
const CHARACTERISTICS = 0x4000_0040;

interface SectionHeader {
  /** Offset of the header itself. */
  readonly at: number;
  readonly virtualSize: number;
  readonly virtualAddress: number;
  readonly rawSize: number;
  readonly rawPointer: number;
}

interface PeHeaders {
  /** Offset of the COFF file header's signature. */
  readonly signature: number;
  readonly optional: number;
  readonly sections: readonly SectionHeader[];
  readonly sectionTableEnd: number;
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
}

const alignUp = (value: number, alignment: number): number =>
  Math.ceil(value / alignment) * alignment;

const isPowerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;

const readHeaders = (image: Uint8Array, what: string): PeHeaders => {
  const view = viewOf(image);
  const fail = (offset: number, expected: string): never => {
    throw new ImageFormatError(`${what}: offset 0x${offset.toString(16)}: expected ${expected}`);
  };
  const need = (offset: number, length: number, expected: string): void => {
    if (offset + length > image.length) fail(offset, `${expected}, the file ends before`);
  };
  need(0, LFANEW + 4, 'a DOS header');
  if (view.getUint16(0, true) !== DOS_MAGIC) fail(0, 'MZ, the beginning of a PE image');
  const signature = view.getUint32(LFANEW, true);
  need(signature, FILE_HEADER_SIZE + 112, 'PE headers');
  if (view.getUint32(signature, true) !== PE_SIGNATURE) fail(signature, 'the signature PE');
  if (view.getUint16(signature + 4, true) !== MACHINE_X64)
    fail(signature + 4, 'machine type 0x8664 (x64)');
  const optional = signature + FILE_HEADER_SIZE;
  if (view.getUint16(optional, true) !== PE32_PLUS) fail(optional, 'magic 0x20b (PE32+)');
  const sectionAlignment = view.getUint32(optional + 32, true);
  const fileAlignment = view.getUint32(optional + 36, true);
  if (!isPowerOfTwo(sectionAlignment)) fail(optional + 32, 'a power of two as SectionAlignment');
  if (!isPowerOfTwo(fileAlignment)) fail(optional + 36, 'a power of two as FileAlignment');
  const count = view.getUint16(signature + 6, true);
  const table = optional + view.getUint16(signature + 20, true);
  need(table, count * SECTION_HEADER_SIZE, `a table of ${count} sections`);
  const sections = Array.from({ length: count }, (_, index): SectionHeader => {
    const at = table + index * SECTION_HEADER_SIZE;
    const section = {
      at,
      virtualSize: view.getUint32(at + 8, true),
      virtualAddress: view.getUint32(at + 12, true),
      rawSize: view.getUint32(at + 16, true),
      rawPointer: view.getUint32(at + 20, true),
    };
    if (section.rawSize > 0) need(section.rawPointer, section.rawSize, `section ${index}`);
    return section;
  });
  if (count === 0) fail(signature + 6, 'at least one section');
  return {
    signature,
    optional,
    sections,
    sectionTableEnd: table + count * SECTION_HEADER_SIZE,
    sectionAlignment,
    fileAlignment,
  };
};

const imageEnd = ({ sections }: PeHeaders): number =>
  Math.max(
    ...sections.map(
      ({ virtualAddress, virtualSize, rawSize }) => virtualAddress + Math.max(virtualSize, rawSize),
    ),
  );

/** File offset of an address in the image; undefined where no section has file contents. */
const fileOffset = ({ sections }: PeHeaders, address: number): number | undefined => {
  const found = sections.find(
    ({ virtualAddress, virtualSize, rawSize }) =>
      virtualAddress <= address && address < virtualAddress + Math.min(virtualSize, rawSize),
  );
  return found === undefined ? undefined : found.rawPointer + (address - found.virtualAddress);
};

/** Adds `shift` to every file offset that the headers and the debug directory hold. */
const shiftFileOffsets = (view: DataView, headers: PeHeaders, shift: number): void => {
  const move = (at: number): void => {
    const old = view.getUint32(at, true);
    if (old !== 0) view.setUint32(at, old + shift, true);
  };
  const debug = headers.optional + 112 + DEBUG_DIRECTORY * 8;
  const hasDebug = view.getUint32(headers.optional + 108, true) > DEBUG_DIRECTORY;
  if (hasDebug) {
    const entries = fileOffset(headers, view.getUint32(debug, true));
    const count = Math.floor(view.getUint32(debug + 4, true) / DEBUG_ENTRY_SIZE);
    if (entries !== undefined)
      for (let index = 0; index < count; index += 1) {
        const at = entries + shift + index * DEBUG_ENTRY_SIZE + 24;
        if (at + 4 <= view.byteLength) move(at);
      }
  }
  for (const { at } of headers.sections) move(at + 20);
};

/**
 * A PE image with more sections: behind the others in memory and at the end of the file. Makes room for their headers where there is
 * none. The checksum is left 0, which means that there is none.
 * @throws ImageFormatError when `image` is no PE32+ image for x64
 * @throws RangeError for a name of more than eight characters, and for no bytes
 */
export const appendSections = (
  image: Uint8Array,
  added: readonly NamedSection[],
  what = 'image',
): Uint8Array => {
  const headers = readHeaders(image, what);
  for (const { name, bytes } of added) {
    if (!/^[\x21-\x7e]{1,8}$/.test(name))
      throw new RangeError(`section name '${name}': expected 1 to ${NAME_SIZE} ASCII characters`);
    if (bytes.length === 0) throw new RangeError(`section ${name} is empty`);
  }
  const firstRaw = Math.min(
    image.length,
    ...headers.sections.filter(({ rawSize }) => rawSize > 0).map(({ rawPointer }) => rawPointer),
  );
  const tableEnd = headers.sectionTableEnd + added.length * SECTION_HEADER_SIZE;
  const shift = tableEnd > firstRaw ? alignUp(tableEnd - firstRaw, headers.fileAlignment) : 0;

  let fileEnd = alignUp(image.length + shift, headers.fileAlignment);
  let memoryEnd = alignUp(imageEnd(headers), headers.sectionAlignment);
  const placed = added.map((section) => {
    const place = { ...section, rawPointer: fileEnd, virtualAddress: memoryEnd };
    fileEnd = alignUp(fileEnd + section.bytes.length, headers.fileAlignment);
    memoryEnd = alignUp(memoryEnd + section.bytes.length, headers.sectionAlignment);
    return place;
  });

  const result = new Uint8Array(fileEnd);
  result.set(image.subarray(0, firstRaw));
  result.set(image.subarray(firstRaw), firstRaw + shift);
  const view = viewOf(result);
  if (shift > 0) shiftFileOffsets(view, headers, shift);
  placed.forEach(({ name, bytes, rawPointer, virtualAddress }, index) => {
    const at = headers.sectionTableEnd + index * SECTION_HEADER_SIZE;
    result.fill(0, at, at + SECTION_HEADER_SIZE);
    result.set(new TextEncoder().encode(name), at);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, virtualAddress, true);
    view.setUint32(at + 16, alignUp(bytes.length, headers.fileAlignment), true);
    view.setUint32(at + 20, rawPointer, true);
    view.setUint32(at + 36, CHARACTERISTICS, true);
    result.set(bytes, rawPointer);
  });
  view.setUint16(headers.signature + 6, headers.sections.length + added.length, true);
  view.setUint32(headers.optional + 56, memoryEnd, true); // SizeOfImage
  view.setUint32(headers.optional + 60, alignUp(firstRaw + shift, headers.fileAlignment), true); // SizeOfHeaders
  view.setUint32(headers.optional + 64, 0, true); // CheckSum
  return result;
};

const oneLine = (what: string, text: string): string => {
  if (/[\r\n\0]/.test(text)) throw new RangeError(`${what}: expected one line of text`);
  return text;
};

/**
 * One PE image of a hypervisor, its configuration and the initial domain's kernel, to be started by firmware.
 * @throws ImageFormatError when `hypervisor` is no PE32+ image for x64
 * @throws RangeError for options of more than one line
 */
export const unifiedImage = ({
  hypervisor,
  kernel,
  options = '',
  commandLine = '',
}: UnifiedImageParts): Uint8Array => {
  const config = [
    '[global]',
    'default=dom0',
    '[dom0]',
    `options=${oneLine('options', options)}`,
    `kernel=dom0 ${oneLine('commandLine', commandLine)}`.trimEnd(),
    '',
  ].join('\n');
  return appendSections(
    hypervisor,
    [
      { name: '.config', bytes: new TextEncoder().encode(config) },
      { name: '.kernel', bytes: kernel },
    ],
    'hypervisor',
  );
};
