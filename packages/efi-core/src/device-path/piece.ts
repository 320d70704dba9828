import { decodeChar16, encodeChar16 } from '../char16.ts';
import { guidFromBytes, guidToBytes, parseGuid } from '../guid.ts';
import { bytesToHex, hexToBytes } from '../hex.ts';
import { joinBytes } from '../join-bytes.ts';

/** One field of a device path node: how many bytes it takes, and its text. */
export interface DevicePathPiece {
  /** Bytes; `rest` takes all that is left, `asciiz` runs up to and including a NUL. */
  readonly size: number | 'rest' | 'asciiz';
  /** Arguments its text takes, commas between them; default 1, 0 for a field that has no text. */
  readonly arity?: number;
  /** Text to assume when trailing arguments are left out. */
  readonly fallback?: string;
  /** Undefined when the bytes have no text in this form. */
  readonly print: (bytes: Uint8Array) => string | undefined;
  /** Undefined when the text is no value of the field. */
  readonly parse: (text: string) => Uint8Array | undefined;
}

const toNumber = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

const fromNumber = (value: bigint, size: number): Uint8Array | undefined =>
  value >> BigInt(size * 8) === 0n
    ? Uint8Array.from({ length: size }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn))
    : undefined;

const parseNumber = (text: string, size: number): Uint8Array | undefined =>
  /^(?:0x[0-9a-f]{1,32}|[0-9]{1,32})$/i.test(text) ? fromNumber(BigInt(text), size) : undefined;

const exactly = (bytes: Uint8Array | undefined, size: number): Uint8Array | undefined =>
  bytes?.length === size ? bytes : undefined;

/** A little-endian integer written `0x1F`; read in hex or decimal. */
export const hex = (size: number, fallback?: string): DevicePathPiece => ({
  size,
  ...(fallback === undefined ? {} : { fallback }),
  print: (bytes) => `0x${toNumber(bytes).toString(16).toUpperCase()}`,
  parse: (text) => parseNumber(text, size),
});

/** A little-endian integer written in decimal. */
export const dec = (size: number): DevicePathPiece => ({
  size,
  print: (bytes) => toNumber(bytes).toString(),
  parse: (text) => parseNumber(text, size),
});

/** Bytes that must have one value and do not show. */
export const constant = (value: bigint, size: number): DevicePathPiece => ({
  size,
  arity: 0,
  print: (bytes) => (toNumber(bytes) === value ? '' : undefined),
  parse: () => fromNumber(value, size),
});

/** A GUID that must have one value and does not show. */
export const constantGuid = (value: Parameters<typeof guidToBytes>[0]): DevicePathPiece =>
  constant(toNumber(guidToBytes(value)), 16);

/** An integer with words for some of its values; `open` also shows other values as numbers. */
export const choice = (
  size: number,
  words: Readonly<Record<number, string>>,
  open = false,
): DevicePathPiece => ({
  size,
  print: (bytes) => words[Number(toNumber(bytes))] ?? (open ? hex(size).print(bytes) : undefined),
  parse: (text) => {
    const found = Object.entries(words).find(
      ([, word]) => word.toLowerCase() === text.toLowerCase(),
    );
    if (found !== undefined) return fromNumber(BigInt(found[0]), size);
    const number = parseNumber(text, size);
    if (number === undefined || open) return number;
    return words[Number(toNumber(number))] === undefined ? undefined : number;
  },
});

export const GUID: DevicePathPiece = {
  size: 16,
  print: (bytes) => {
    const value = guidFromBytes(bytes);
    return value.ok ? value.value : undefined;
  },
  parse: (text) => {
    const value = parseGuid(text);
    return value === undefined ? undefined : guidToBytes(value);
  },
};

/** A fixed number of bytes as hex digits, first byte first; `prefix` stands before them. */
export const hexBytes = (size: number, prefix = ''): DevicePathPiece => ({
  size,
  print: (bytes) => `${prefix}${bytesToHex(bytes)}`,
  parse: (text) =>
    exactly(hexToBytes(text.startsWith(prefix) ? text.slice(prefix.length) : text), size),
});

/** A little-endian integer as exactly its hex digits, highest first, without `0x`. */
export const hexDigits = (size: number): DevicePathPiece => ({
  size,
  print: (bytes) => bytesToHex(bytes.toReversed()).toUpperCase(),
  parse: (text) => exactly(hexToBytes(text)?.toReversed(), size),
});

/** Bytes, last one first, with dashes between: an EUI-64. */
export const dashedReverse = (size: number): DevicePathPiece => ({
  size,
  print: (bytes) =>
    [...bytes]
      .toReversed()
      .map((byte) => bytesToHex(Uint8Array.of(byte)).toUpperCase())
      .join('-'),
  parse: (text) => exactly(hexToBytes(text.replaceAll('-', ''))?.toReversed(), size),
});

/** Everything left as hex digits. */
export const REST_HEX: DevicePathPiece = {
  size: 'rest',
  fallback: '',
  print: bytesToHex,
  parse: hexToBytes,
};

const printable = (bytes: Uint8Array): string | undefined =>
  bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
    : undefined;

const parsePrintable = (text: string): Uint8Array | undefined =>
  /^[\x20-\x7e]*$/.test(text) ? Uint8Array.from(text, (letter) => letter.charCodeAt(0)) : undefined;

/** Everything left as ASCII; takes every argument that follows, for texts with commas of their own. */
export const REST_ASCII: DevicePathPiece = {
  size: 'rest',
  fallback: '',
  arity: Number.POSITIVE_INFINITY,
  print: printable,
  parse: parsePrintable,
};

/** Everything left as ASCII, one argument. */
export const REST_ASCII_WORD: DevicePathPiece = {
  size: 'rest',
  print: printable,
  parse: parsePrintable,
};

/** ASCII padded with NULs to a fixed size. */
export const asciiPadded = (size: number): DevicePathPiece => ({
  size,
  print: (bytes) => {
    const end = bytes.indexOf(0);
    return printable(end < 0 ? bytes : bytes.subarray(0, end));
  },
  parse: (text) => {
    const letters = parsePrintable(text);
    if (letters === undefined || letters.length > size) return undefined;
    const bytes = new Uint8Array(size);
    bytes.set(letters);
    return bytes;
  },
});

/** NUL-terminated ASCII. */
export const ASCIIZ: DevicePathPiece = {
  size: 'asciiz',
  fallback: '',
  print: (bytes) => printable(bytes.subarray(0, -1)),
  parse: (text) => {
    const letters = parsePrintable(text);
    return letters === undefined ? undefined : joinBytes([letters, Uint8Array.of(0)]);
  },
};

const isUnquotable = (letter: string): boolean => letter === '"' || letter < ' ';

/** Everything left as CHAR16 in double quotes. */
export const REST_QUOTED_CHAR16: DevicePathPiece = {
  size: 'rest',
  print: (bytes) => {
    const text = decodeChar16(bytes);
    return bytes.length % 2 === 0 && !Array.from(text).some(isUnquotable) ? `"${text}"` : undefined;
  },
  parse: (text) => (/^".*"$/.test(text) ? encodeChar16(text.slice(1, -1)) : undefined),
};

/** An ACPI `_HID`: compressed EISA identifier, `PNP0A03`; other vendors as a number. */
export const EISA_ID: DevicePathPiece = {
  size: 4,
  print: (bytes) => {
    const value = Number(toNumber(bytes));
    return (value & 0xffff) === 0x41d0
      ? `PNP${(value >>> 16).toString(16).toUpperCase().padStart(4, '0')}`
      : `0x${value.toString(16).toUpperCase().padStart(8, '0')}`;
  },
  parse: (text) => {
    const id = /^([A-Z]{3})([0-9A-F]{4})$/i.exec(text);
    if (id?.[1] === undefined || id[2] === undefined) return parseNumber(text, 4);
    const vendor = Array.from(id[1].toUpperCase(), (letter) => letter.charCodeAt(0) - 64).reduce(
      (packed, letter) => (packed << 5) | letter,
      0,
    );
    return fromNumber((BigInt(Number.parseInt(id[2], 16)) << 16n) | BigInt(vendor), 4);
  },
};

/** An IPv4 address. */
export const ipv4 = (fallback?: string): DevicePathPiece => ({
  size: 4,
  ...(fallback === undefined ? {} : { fallback }),
  print: (bytes) => bytes.join('.'),
  parse: (text) => {
    const parts = text.split('.');
    const numbers = parts.map((part) => (/^[0-9]{1,3}$/.test(part) ? Number(part) : 256));
    return numbers.length === 4 && numbers.every((number) => number < 256)
      ? Uint8Array.from(numbers)
      : undefined;
  },
});

/** An IPv6 address, eight groups of hex digits, none left out. */
export const ipv6 = (fallback?: string): DevicePathPiece => ({
  size: 16,
  ...(fallback === undefined ? {} : { fallback }),
  print: (bytes) => (bytesToHex(bytes).match(/.{4}/g) ?? []).join(':'),
  parse: (text) =>
    /^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$/i.test(text)
      ? hexToBytes(
          text
            .split(':')
            .map((group) => group.padStart(4, '0'))
            .join(''),
        )
      : undefined,
});

/** A list of 32-bit numbers to the end of the node. */
export const REST_NUMBERS: DevicePathPiece = {
  size: 'rest',
  arity: Number.POSITIVE_INFINITY,
  print: (bytes) => {
    if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
    const count = bytes.length / 4;
    return Array.from({ length: count }, (_, index) =>
      hex(4).print(bytes.subarray(index * 4, index * 4 + 4)),
    ).join(',');
  },
  parse: (text) => {
    const numbers = text.split(',').map((part) => parseNumber(part, 4));
    return numbers.every((number) => number !== undefined) ? joinBytes(numbers) : undefined;
  },
};

const DIGEST = { none: 'None', crc: 'CRC32C' };
const HEADER_DIGEST = 0x0002;
const DATA_DIGEST = 0x0008;
const NO_AUTHENTICATION = 0x0800;
const CHAP_UNIDIRECTIONAL = 0x1000;

const digest = (word: string | undefined, bit: number): number | undefined => {
  if (word === DIGEST.crc) return bit;
  return word === DIGEST.none ? 0 : undefined;
};

/** Login options of an iSCSI node: header digest, data digest, authentication (UEFI 2.10, section 10.3.4). */
export const ISCSI_OPTIONS: DevicePathPiece = {
  size: 2,
  arity: 3,
  print: (bytes) => {
    const value = Number(toNumber(bytes));
    const chap = (value & CHAP_UNIDIRECTIONAL) === 0 ? 'CHAP_BI' : 'CHAP_UNI';
    return [
      (value & HEADER_DIGEST) === 0 ? DIGEST.none : DIGEST.crc,
      (value & DATA_DIGEST) === 0 ? DIGEST.none : DIGEST.crc,
      (value & NO_AUTHENTICATION) === 0 ? chap : 'None',
    ].join(',');
  },
  parse: (text) => {
    const [header, data, authentication] = text.split(',');
    const bits = [
      digest(header, HEADER_DIGEST),
      digest(data, DATA_DIGEST),
      new Map([
        ['None', NO_AUTHENTICATION],
        ['CHAP_UNI', CHAP_UNIDIRECTIONAL],
        ['CHAP_BI', 0],
      ]).get(authentication ?? ''),
    ];
    return bits.every((bit) => bit !== undefined)
      ? fromNumber(BigInt(bits.reduce((sum, bit) => sum | bit, 0)), 2)
      : undefined;
  },
};
