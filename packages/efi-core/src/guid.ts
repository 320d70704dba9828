import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import type { FieldType } from './struct.ts';

declare const guidBrand: unique symbol;

/** A GUID in its canonical text form, lower case: `8be4df61-93ca-11d2-aa0d-00e098032b8c`. */
export type Guid = string & { readonly [guidBrand]: true };

/** Size of EFI_GUID in bytes. */
export const GUID_SIZE = 16;

const TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// Text position of each byte in memory: Data1..Data3 are little-endian integers, Data4 is bytes
// (UEFI 2.10, appendix A).
const TEXT_AT: readonly number[] = [6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34];

/** The GUID a text spells, in any case and with or without braces; undefined when it spells none. */
export const parseGuid = (text: string): Guid | undefined => {
  const lower = text.toLowerCase();
  const bare = lower.startsWith('{') && lower.endsWith('}') ? lower.slice(1, -1) : lower;
  return TEXT.test(bare) ? (bare as Guid) : undefined;
};

/** A GUID the caller knows to be well formed; throws `Error` when it is not. */
export const guid = (text: string): Guid => {
  const parsed = parseGuid(text);
  if (parsed === undefined) throw new Error(`not a GUID: ${JSON.stringify(text)}`);
  return parsed;
};

/** Value of a lower-case hex digit by its character code. */
const nibble = (code: number): number => (code < 0x3a ? code - 0x30 : code - 0x57);

/** The GUID in its 16-byte mixed-endian form. */
export const guidToBytes = (value: Guid): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(GUID_SIZE);
  TEXT_AT.forEach((at, index) => {
    bytes[index] = (nibble(value.charCodeAt(at)) << 4) | nibble(value.charCodeAt(at + 1));
  });
  return bytes;
};

/** Reads 16 mixed-endian bytes at `offset` (default 0). */
export const guidFromBytes = (bytes: Uint8Array, offset = 0): Decoded<Guid> => {
  const slice = offset < 0 ? new Uint8Array() : bytes.subarray(offset, offset + GUID_SIZE);
  if (slice.length < GUID_SIZE) {
    return malformed('EFI_GUID', offset, '16 bytes', `${String(slice.length)} bytes`);
  }
  const hex: string[] = Array.from({ length: 36 }, () => '-');
  slice.forEach((byte, index) => {
    const at = TEXT_AT[index] ?? 0;
    const pair = byte.toString(16).padStart(2, '0');
    hex[at] = pair.charAt(0);
    hex[at + 1] = pair.charAt(1);
  });
  return decoded(hex.join('') as Guid);
};

/** EFI_GUID as a field of a structure. */
export const EFI_GUID: FieldType<Guid> = {
  name: 'EFI_GUID',
  size: () => GUID_SIZE,
  align: () => 4,
  read: (view, at) => {
    const value = guidFromBytes(new Uint8Array(view.buffer, view.byteOffset + at, GUID_SIZE));
    if (!value.ok) throw new Error('EFI_GUID read outside its structure');
    return value.value;
  },
  write: (view, at, value) => {
    new Uint8Array(view.buffer, view.byteOffset + at, GUID_SIZE).set(guidToBytes(value));
  },
};
