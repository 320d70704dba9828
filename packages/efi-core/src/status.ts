import type { Width } from './struct.ts';

declare const statusBrand: unique symbol;

/**
 * EFI_STATUS in its 64-bit form: an open set, any 64-bit number is one. Bit 63 marks an error
 * (UEFI 2.10, appendix D).
 */
export type EfiStatus = bigint & { readonly [statusBrand]: true };

const ERROR_BIT = 1n << 63n;

/** Errors of UEFI 2.10, appendix D, by the low bits. */
const ERROR_CODES = {
  LOAD_ERROR: 1,
  INVALID_PARAMETER: 2,
  UNSUPPORTED: 3,
  BAD_BUFFER_SIZE: 4,
  BUFFER_TOO_SMALL: 5,
  NOT_READY: 6,
  DEVICE_ERROR: 7,
  WRITE_PROTECTED: 8,
  OUT_OF_RESOURCES: 9,
  VOLUME_CORRUPTED: 10,
  VOLUME_FULL: 11,
  NO_MEDIA: 12,
  MEDIA_CHANGED: 13,
  NOT_FOUND: 14,
  ACCESS_DENIED: 15,
  NO_RESPONSE: 16,
  NO_MAPPING: 17,
  TIMEOUT: 18,
  NOT_STARTED: 19,
  ALREADY_STARTED: 20,
  ABORTED: 21,
  ICMP_ERROR: 22,
  TFTP_ERROR: 23,
  PROTOCOL_ERROR: 24,
  INCOMPATIBLE_VERSION: 25,
  SECURITY_VIOLATION: 26,
  CRC_ERROR: 27,
  END_OF_MEDIA: 28,
  END_OF_FILE: 31,
  INVALID_LANGUAGE: 32,
  COMPROMISED_DATA: 33,
  IP_ADDRESS_CONFLICT: 34,
  HTTP_ERROR: 35,
} as const;

/** Warnings of UEFI 2.10, appendix D. */
const WARNING_CODES = {
  WARN_UNKNOWN_GLYPH: 1,
  WARN_DELETE_FAILURE: 2,
  WARN_WRITE_FAILURE: 3,
  WARN_BUFFER_TOO_SMALL: 4,
  WARN_STALE_DATA: 5,
  WARN_FILE_SYSTEM: 6,
  WARN_RESET_REQUIRED: 7,
} as const;

/** Name of a status code the specification knows, without the `EFI_` prefix. */
export type EfiStatusName = 'SUCCESS' | keyof typeof ERROR_CODES | keyof typeof WARNING_CODES;

/** The status a 64-bit number is; throws `RangeError` outside 64 bits. */
export const efiStatus = (raw: bigint): EfiStatus => {
  if (raw < 0n || raw >= 1n << 64n) throw new RangeError(`${String(raw)} does not fit EFI_STATUS`);
  return raw as EfiStatus;
};

const named = (): Record<EfiStatusName, EfiStatus> => {
  const all: Partial<Record<EfiStatusName, EfiStatus>> = { SUCCESS: efiStatus(0n) };
  for (const [name, code] of Object.entries(ERROR_CODES)) {
    all[name as EfiStatusName] = efiStatus(ERROR_BIT | BigInt(code));
  }
  for (const [name, code] of Object.entries(WARNING_CODES)) {
    all[name as EfiStatusName] = efiStatus(BigInt(code));
  }
  return all as Record<EfiStatusName, EfiStatus>;
};

/** The codes of UEFI 2.10, appendix D, by name: `EfiStatus.NOT_FOUND` is 0x800000000000000e. */
export const EfiStatus: Readonly<Record<EfiStatusName, EfiStatus>> = Object.freeze(named());

const NAMES: ReadonlyMap<bigint, string> = new Map(
  Object.entries(EfiStatus).map(([name, value]) => [value, `EFI_${name}`]),
);

/** `EFI_NOT_FOUND`; undefined for a value the specification does not name. */
export const efiStatusName = (status: EfiStatus): string | undefined => NAMES.get(status);

/** The name, or the number in hex where there is none. */
export const formatEfiStatus = (status: EfiStatus): string =>
  NAMES.get(status) ?? `EFI_STATUS 0x${status.toString(16).padStart(16, '0')}`;

/** Whether the error bit is set; warnings and success answer false. */
export const isEfiError = (status: EfiStatus): boolean => (status & ERROR_BIT) !== 0n;

/** Whether the value is a warning: neither success nor error. */
export const isEfiWarning = (status: EfiStatus): boolean => status !== 0n && !isEfiError(status);

/**
 * The status a service of the given width left in its return register. A 32-bit firmware's three
 * top bits (error, OEM, and the bit the PI specification sets in its own codes) move to the top of 64 bits.
 */
export const efiStatusFromNative = (raw: bigint, width: Width): EfiStatus => {
  if (width === 64) return efiStatus(BigInt.asUintN(64, raw));
  const low = BigInt.asUintN(32, raw);
  return efiStatus(((low >> 29n) << 61n) | (low & 0x1fff_ffffn));
};

/** The inverse of `efiStatusFromNative`; bits that a 32-bit status has no room for are lost. */
export const efiStatusToNative = (status: EfiStatus, width: Width): bigint =>
  width === 64 ? status : ((status >> 61n) << 29n) | (status & 0x1fff_ffffn);
