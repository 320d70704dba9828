import { describe, expect, it } from 'vitest';
import {
  CapsuleFlag,
  daysInMonth,
  DEVICE_PATH_END_ENTIRE,
  DEVICE_PATH_END_INSTANCE,
  DEVICE_PATH_END_TYPE,
  EFI_BOOT_SERVICES_SIGNATURE,
  EFI_FVH_SIGNATURE,
  EFI_MEMORY_ATTRIBUTES_TABLE_VERSION,
  EFI_PAGE_SHIFT,
  EFI_PAGE_SIZE,
  EFI_RUNTIME_SERVICES_SIGNATURE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  EFI_UNSPECIFIED_TIMEZONE,
  EfiFacility,
  EfiStatus,
  encodeChar16,
  LoadOptionAttribute,
  MEMORY_ATTRIBUTE_ISA_MASK,
  MemoryAttribute,
  MemoryType,
  ResetType,
  signaturePayloadSize,
  VARIABLE_START_ID,
  VariableAttribute,
  VariableState,
  WellKnownGuid,
  WIN_CERT_REVISION_2_0,
  WIN_CERT_TYPE_EFI_GUID,
} from '../src/index.ts';
import type { WellKnownGuidName } from '../src/index.ts';

// The numbers of the specifications once more, written down apart from the sources: a slip in either shows.

const ascii = (value: bigint, size: number): string =>
  Array.from({ length: size }, (_, at) =>
    String.fromCharCode(Number((value >> BigInt(at * 8)) & 0xffn)),
  ).join('');

describe('numbers of the specifications', () => {
  it('status codes', () => {
    const errors = Object.entries(EfiStatus)
      .filter(([, value]) => value >> 63n === 1n)
      .map(([name, value]) => `${String(value & 0xffn)} ${name}`);
    expect(errors.join(', ')).toBe(
      '1 LOAD_ERROR, 2 INVALID_PARAMETER, 3 UNSUPPORTED, 4 BAD_BUFFER_SIZE, 5 BUFFER_TOO_SMALL, 6 NOT_READY, ' +
        '7 DEVICE_ERROR, 8 WRITE_PROTECTED, 9 OUT_OF_RESOURCES, 10 VOLUME_CORRUPTED, 11 VOLUME_FULL, 12 NO_MEDIA, ' +
        '13 MEDIA_CHANGED, 14 NOT_FOUND, 15 ACCESS_DENIED, 16 NO_RESPONSE, 17 NO_MAPPING, 18 TIMEOUT, ' +
        '19 NOT_STARTED, 20 ALREADY_STARTED, 21 ABORTED, 22 ICMP_ERROR, 23 TFTP_ERROR, 24 PROTOCOL_ERROR, ' +
        '25 INCOMPATIBLE_VERSION, 26 SECURITY_VIOLATION, 27 CRC_ERROR, 28 END_OF_MEDIA, 31 END_OF_FILE, ' +
        '32 INVALID_LANGUAGE, 33 COMPROMISED_DATA, 34 IP_ADDRESS_CONFLICT, 35 HTTP_ERROR',
    );
    const warnings = Object.entries(EfiStatus)
      .filter(([, value]) => value >> 63n === 0n)
      .map(([name, value]) => `${String(value)} ${name}`);
    expect(warnings.join(', ')).toBe(
      '0 SUCCESS, 1 WARN_UNKNOWN_GLYPH, 2 WARN_DELETE_FAILURE, 3 WARN_WRITE_FAILURE, 4 WARN_BUFFER_TOO_SMALL, ' +
        '5 WARN_STALE_DATA, 6 WARN_FILE_SYSTEM, 7 WARN_RESET_REQUIRED',
    );
  });

  it('memory types and attributes', () => {
    expect(Object.keys(MemoryType)).toEqual(
      'Reserved Loader Loader Boot Boot Runtime Runtime Conventional Unusable ACPI ACPI Memory Memory Pal Persistent Unaccepted'
        .split(' ')
        .map((start) => expect.stringMatching(`^Efi${start}`) as unknown),
    );
    expect(Object.values(MemoryType)).toEqual(Array.from({ length: 16 }, (_, type) => type));
    const bits = Object.values(MemoryAttribute).map((bit) => bit.toString(2).length - 1);
    expect(bits).toEqual([0, 1, 2, 3, 4, 12, 13, 14, 15, 16, 17, 18, 19, 20, 62, 63]);
    expect(Object.values(MemoryAttribute).every((bit) => (bit & (bit - 1n)) === 0n)).toBe(true);
    expect(MEMORY_ATTRIBUTE_ISA_MASK).toBe(0xffffn << 44n);
  });

  it('variables, their records and certificates', () => {
    expect(Object.values(VariableAttribute)).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
    expect(Object.values(VariableState)).toEqual([255, 127, 63, 62, 61, 60]);
    expect([VARIABLE_START_ID, WIN_CERT_REVISION_2_0, WIN_CERT_TYPE_EFI_GUID]).toEqual([
      21_930, 512, 3825,
    ]);
  });

  it('signature sizes', () => {
    const size = (name: WellKnownGuidName): unknown => signaturePayloadSize(WellKnownGuid[name]);
    const sizes = (['SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512'] as const).map((hash) =>
      size(`EFI_CERT_${hash}_GUID`),
    );
    expect(sizes).toEqual([160, 224, 256, 384, 512].map((bits) => bits / 8));
    const rsa = (['RSA2048', 'RSA2048_SHA1', 'RSA2048_SHA256'] as const).map((kind) =>
      size(`EFI_CERT_${kind}_GUID`),
    );
    expect(rsa).toEqual([2048 / 8, 2048 / 8, 2048 / 8]);
    // A digest and the 16 bytes of the time it was revoked at.
    const revoked = ([256, 384, 512] as const).map((bits) => size(`EFI_CERT_X509_SHA${bits}_GUID`));
    expect(revoked).toEqual([256 / 8 + 16, 384 / 8 + 16, 512 / 8 + 16]);
  });

  it('signatures that spell words', () => {
    expect(ascii(EFI_SYSTEM_TABLE_SIGNATURE, 8)).toBe('IBI SYST');
    expect(ascii(EFI_BOOT_SERVICES_SIGNATURE, 8)).toBe('BOOTSERV');
    expect(ascii(EFI_RUNTIME_SERVICES_SIGNATURE, 8)).toBe('RUNTSERV');
    expect(ascii(BigInt(EFI_FVH_SIGNATURE), 4)).toBe('_FVH');
  });

  it('the rest', () => {
    expect(EFI_PAGE_SIZE).toBe(2 ** EFI_PAGE_SHIFT);
    expect([EFI_PAGE_SIZE, EFI_UNSPECIFIED_TIMEZONE]).toEqual([4096, 2047]);
    expect(Object.values(ResetType)).toEqual([0, 1, 2, 3]);
    expect(Object.values(CapsuleFlag)).toEqual([65_536, 131_072, 262_144]);
    expect(Object.values(LoadOptionAttribute)).toEqual([1, 2, 8, 7936, 256]);
    expect(Object.values(EfiFacility)).toEqual([0, 2, 3, 4, 5, 8, 9, 10, 11]);
    expect([DEVICE_PATH_END_TYPE, DEVICE_PATH_END_ENTIRE, DEVICE_PATH_END_INSTANCE]).toEqual([
      127, 255, 1,
    ]);
    expect(EFI_MEMORY_ATTRIBUTES_TABLE_VERSION).toBe(2);
    const days = Array.from({ length: 12 }, (_, month) => daysInMonth(2023, month + 1));
    expect(days).toEqual([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
    expect(encodeChar16('é')).toEqual(Uint8Array.of(0xe9, 0));
  });
});
