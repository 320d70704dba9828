import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';

/** A NUL-terminated string found in memory. */
export interface Char16Z {
  /** The code units before the terminator, one JavaScript code unit each, whatever they are. */
  readonly text: string;
  /** Bytes taken, terminator included. */
  readonly size: number;
}

/** Bytes of `text` as CHAR16 with its terminator. */
export const char16Size = (text: string): number => (text.length + 1) * 2;

/** `text` as CHAR16 code units without a terminator. */
export const encodeChar16 = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    bytes[index * 2] = unit & 0xff;
    bytes[index * 2 + 1] = unit >>> 8;
  }
  return bytes;
};

/** `text` as CHAR16 with a terminator. A NUL inside `text` is written as it stands and ends the string for a reader. */
export const encodeChar16Z = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(char16Size(text));
  bytes.set(encodeChar16(text));
  return bytes;
};

/** `text` with terminator in a buffer of `size` bytes, rest zero: the IN OUT buffer of GetNextVariableName. Undefined when it does not fit. */
export const char16Buffer = (text: string, size: number): Uint8Array<ArrayBuffer> | undefined => {
  if (size < char16Size(text)) return undefined;
  const bytes = new Uint8Array(size);
  bytes.set(encodeChar16(text));
  return bytes;
};

/** Every whole code unit of `bytes`, terminators included; an odd last byte is ignored. */
export const decodeChar16 = (bytes: Uint8Array): string => {
  const units: string[] = [];
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    units.push(String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)));
  }
  return units.join('');
};

/** The string at `offset` up to its terminator, looked for before `end` (default: the end of `bytes`). */
export const decodeChar16Z = (
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.length,
): Decoded<Char16Z> => {
  const limit = offset < 0 ? 0 : Math.min(end, bytes.length);
  for (let at = offset; at + 1 < limit; at += 2) {
    if (bytes[at] === 0 && bytes[at + 1] === 0) {
      return decoded({ text: decodeChar16(bytes.subarray(offset, at)), size: at + 2 - offset });
    }
  }
  return malformed(
    'CHAR16 string',
    offset,
    'a terminating NUL',
    `${String(Math.max(limit - offset, 0))} bytes without one`,
  );
};
