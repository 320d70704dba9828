import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteSum,
  bytesToHex,
  char16Buffer,
  char16Size,
  crc32,
  decodeChar16,
  decodeChar16Z,
  EFI_DONE,
  efiFail,
  efiOk,
  efiResult,
  EfiStatus,
  efiStatus,
  efiStatusFromNative,
  efiStatusName,
  efiStatusToErrno,
  efiStatusToNative,
  encodeChar16Z,
  Errno,
  formatDecodeError,
  formatEfiStatus,
  guid,
  guidFromBytes,
  guidToBytes,
  hexToBytes,
  isEfiError,
  isEfiWarning,
  mapResult,
  pageStart,
  pagesFor,
  parseGuid,
  physAdd,
  physAddr,
  statusOf,
  virtAddr,
  WellKnownGuid,
  wellKnownGuidName,
} from '../src/index.ts';

describe('GUIDs', () => {
  it('are mixed-endian in memory', () => {
    expect(bytesToHex(guidToBytes(WellKnownGuid.EFI_GLOBAL_VARIABLE))).toBe(
      '61dfe48bca93d211aa0d00e098032b8c',
    );
  });

  it('come back from bytes and from text in any dress', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const read = guidFromBytes(bytes);
        const text = read.ok ? read.value : '';
        expect(guidToBytes(guid(text))).toEqual(bytes);
        expect(parseGuid(`{${text.toUpperCase()}}`)).toBe(text);
      }),
    );
  });

  it.each([
    '',
    '8be4df61',
    '8be4df61-93ca-11d2-aa0d-00e098032b8',
    '{8be4df61-93ca-11d2-aa0d-00e098032b8c',
    '8be4df61-93ca-11d2-aa0d-00e098032b8g',
  ])('are not %j', (text) => {
    expect(parseGuid(text)).toBeUndefined();
    expect(() => guid(text)).toThrow(/not a GUID/);
  });

  it('are refused when the bytes run out', () => {
    expect(guidFromBytes(new Uint8Array(20), 5)).toEqual({
      ok: false,
      error: { structure: 'EFI_GUID', offset: 5, expected: '16 bytes', found: '15 bytes' },
    });
  });

  it('do not start before the bytes', () => {
    expect(guidFromBytes(new Uint8Array(20), -1)).toMatchObject({ ok: false });
    expect(decodeChar16Z(new Uint8Array(20), -2)).toMatchObject({ ok: false });
  });

  it('have one name each', () => {
    const values = Object.values(WellKnownGuid);
    expect(new Set(values).size).toBe(values.length);
    expect(wellKnownGuidName(WellKnownGuid.EFI_CERT_SHA256_GUID)).toBe('EFI_CERT_SHA256_GUID');
    expect(wellKnownGuidName(guid('00000000-0000-0000-0000-000000000001'))).toBeUndefined();
  });
});

describe('CHAR16', () => {
  it('keeps every code unit, lone surrogates included', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 0xffff })), (units) => {
        const text = units.map((unit) => String.fromCharCode(unit)).join('');
        const bytes = encodeChar16Z(text);
        expect(bytes).toHaveLength(char16Size(text));
        expect(decodeChar16Z(bytes)).toEqual({ ok: true, value: { text, size: bytes.length } });
        expect(decodeChar16(bytes)).toBe(`${text}\0`);
      }),
    );
  });

  it('stops at the terminator and looks no further than it may', () => {
    const bytes = Uint8Array.of(0x41, 0, 0x42, 0, 0, 0, 0x43, 0);
    expect(decodeChar16Z(bytes, 2)).toMatchObject({ value: { text: 'B', size: 4 } });
    expect(decodeChar16Z(bytes, 0, 5)).toMatchObject({
      error: { offset: 0, expected: 'a terminating NUL', found: '5 bytes without one' },
    });
    expect(decodeChar16Z(bytes, 6)).toMatchObject({ ok: false });
    expect(decodeChar16Z(bytes, 99)).toMatchObject({ error: { found: '0 bytes without one' } });
  });

  it('leaves an odd last byte alone', () => {
    expect(decodeChar16(Uint8Array.of(0x41, 0, 0x42))).toBe('A');
    expect(decodeChar16(Uint8Array.of(0x41))).toBe('');
  });

  it('fills the buffer of GetNextVariableName', () => {
    expect(char16Buffer('A', 6)).toEqual(Uint8Array.of(0x41, 0, 0, 0, 0, 0));
    expect(char16Buffer('', 2)).toEqual(Uint8Array.of(0, 0));
    expect(char16Buffer('A', 3)).toBeUndefined();
  });
});

describe('hex', () => {
  it('round-trips and refuses odd or foreign digits', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(hexToBytes(bytesToHex(bytes))).toEqual(bytes);
      }),
    );
    expect(hexToBytes('abc')).toBeUndefined();
    expect(hexToBytes('zz')).toBeUndefined();
  });
});

describe('checksums', () => {
  it('CRC-32 gives the check values of its catalogue', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926);
    expect(crc32(new Uint8Array())).toBe(0);
    expect(crc32(new Uint8Array(32))).toBe(0x190a_55ad);
  });

  it('byte sums wrap', () => {
    expect(byteSum(Uint8Array.of(0xff, 2))).toBe(1);
  });
});

describe('addresses', () => {
  it('are made only from what can be one', () => {
    expect(physAddr(0xffff_f000n)).toBe(0xffff_f000);
    expect(physAddr((1n << 52n) - 1n)).toBe(2 ** 52 - 1);
    expect(physAddr(1n << 52n)).toBeUndefined();
    expect(physAddr(-1)).toBeUndefined();
    expect(physAddr(0.5)).toBeUndefined();
    expect(virtAddr(0xffff_ffff_0000_0000n)).toBe(0xffff_ffff_0000_0000n);
    expect(virtAddr(1n << 64n)).toBeUndefined();
  });

  it('are counted in pages', () => {
    const at = physAddr(0x1fff);
    expect(at === undefined ? undefined : pageStart(at)).toBe(0x1000);
    expect(at === undefined ? undefined : physAdd(at, 1)).toBe(0x2000);
    expect([0, 1, 4096, 4097].map(pagesFor)).toEqual([0, 1, 1, 2]);
  });
});

describe('status codes', () => {
  it.each([
    ['SUCCESS', 0n],
    ['INVALID_PARAMETER', 0x8000_0000_0000_0002n],
    ['UNSUPPORTED', 0x8000_0000_0000_0003n],
    ['BUFFER_TOO_SMALL', 0x8000_0000_0000_0005n],
    ['OUT_OF_RESOURCES', 0x8000_0000_0000_0009n],
    ['NOT_FOUND', 0x8000_0000_0000_000en],
    ['ABORTED', 0x8000_0000_0000_0015n],
    ['SECURITY_VIOLATION', 0x8000_0000_0000_001an],
    ['END_OF_FILE', 0x8000_0000_0000_001fn],
    ['HTTP_ERROR', 0x8000_0000_0000_0023n],
    ['WARN_RESET_REQUIRED', 7n],
  ] as const)('%s is 0x%s', (name, value) => {
    expect(EfiStatus[name]).toBe(value);
    expect(efiStatusName(efiStatus(value))).toBe(`EFI_${name}`);
  });

  it('are an open set', () => {
    const strange = efiStatus(0xa000_0000_0000_0002n);
    expect(efiStatusName(strange)).toBeUndefined();
    expect(formatEfiStatus(strange)).toBe('EFI_STATUS 0xa000000000000002');
    expect(isEfiError(strange)).toBe(true);
    expect(() => efiStatus(-1n)).toThrow(RangeError);
    expect(() => efiStatus(1n << 64n)).toThrow(RangeError);
  });

  it('tell errors from warnings', () => {
    expect([isEfiError(EfiStatus.SUCCESS), isEfiWarning(EfiStatus.SUCCESS)]).toEqual([
      false,
      false,
    ]);
    expect(isEfiWarning(EfiStatus.WARN_STALE_DATA)).toBe(true);
    expect(isEfiWarning(EfiStatus.TIMEOUT)).toBe(false);
  });

  it('move their top bits between 32 and 64 bits', () => {
    expect(efiStatusFromNative(0x8000_000en, 32)).toBe(EfiStatus.NOT_FOUND);
    expect(efiStatusFromNative(0xa000_0002n, 32)).toBe(0xa000_0000_0000_0002n);
    expect(efiStatusFromNative(0xdead_0000_8000_000en, 32)).toBe(EfiStatus.NOT_FOUND);
    expect(efiStatusFromNative(-0x7fff_ffff_ffff_fff2n, 64)).toBe(EfiStatus.NOT_FOUND);
    expect(efiStatusToNative(EfiStatus.NOT_FOUND, 32)).toBe(0x8000_000en);
    expect(efiStatusToNative(EfiStatus.NOT_FOUND, 64)).toBe(0x8000_0000_0000_000en);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), (raw) => {
        expect(efiStatusToNative(efiStatusFromNative(raw, 32), 32)).toBe(raw);
      }),
    );
  });

  it.each([
    ['SUCCESS', undefined, undefined],
    ['INVALID_PARAMETER', 'EINVAL', 'EINVAL'],
    ['OUT_OF_RESOURCES', 'ENOSPC', 'ENOSPC'],
    ['DEVICE_ERROR', 'EIO', 'EIO'],
    ['WRITE_PROTECTED', 'EROFS', 'EROFS'],
    ['SECURITY_VIOLATION', 'EACCES', 'EACCES'],
    ['NOT_FOUND', 'ENOENT', 'ENOENT'],
    ['ABORTED', 'EINTR', 'EINVAL'],
    ['UNSUPPORTED', 'EINVAL', 'EINVAL'],
    ['BUFFER_TOO_SMALL', 'EINVAL', 'EINVAL'],
    ['WARN_STALE_DATA', 'EINVAL', 'EINVAL'],
  ] as const)('%s becomes %s, in 2013 %s', (name, later, then) => {
    expect(efiStatusToErrno(EfiStatus[name])).toBe(later);
    expect(efiStatusToErrno(EfiStatus[name], '2013')).toBe(then);
  });

  it('map to the numbers of Linux', () => {
    expect(Errno).toEqual({
      ENOENT: 2,
      EINTR: 4,
      EIO: 5,
      EACCES: 13,
      EINVAL: 22,
      ENOSPC: 28,
      EROFS: 30,
    });
  });
});

describe('results', () => {
  it('evaluate outputs only when there are some', () => {
    let read = 0;
    const value = (): number => (read += 1);
    expect(efiResult(EfiStatus.NOT_FOUND, value)).toEqual({
      ok: false,
      status: EfiStatus.NOT_FOUND,
    });
    expect(read).toBe(0);
    expect(efiResult(EfiStatus.SUCCESS, value)).toEqual(efiOk(1));
    expect(efiResult(EfiStatus.WARN_RESET_REQUIRED, value)).toEqual({
      ok: true,
      value: 2,
      warning: EfiStatus.WARN_RESET_REQUIRED,
    });
  });

  it('carry what goes with a failure, and refuse to fail with success', () => {
    expect(efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed: 8 })).toEqual({
      ok: false,
      status: EfiStatus.BUFFER_TOO_SMALL,
      needed: 8,
    });
    expect(() => efiFail(EfiStatus.SUCCESS)).toThrow(/EFI_SUCCESS is no error/);
    expect(() => efiFail(EfiStatus.WARN_STALE_DATA)).toThrow(/no error/);
  });

  it('map values and give their status back', () => {
    const warned = efiResult(EfiStatus.WARN_STALE_DATA, () => 1);
    expect(mapResult(warned, (one) => one + 1)).toMatchObject({ value: 2, warning: 5n });
    expect(statusOf(warned)).toBe(EfiStatus.WARN_STALE_DATA);
    expect(statusOf(EFI_DONE)).toBe(EfiStatus.SUCCESS);
    const failed = efiFail(EfiStatus.TIMEOUT);
    expect(mapResult(failed, () => 1)).toBe(failed);
    expect(statusOf(failed)).toBe(EfiStatus.TIMEOUT);
  });
});

describe('decode errors', () => {
  it('read as one line', () => {
    const error = { structure: 'X.y', offset: 24, expected: '8 bytes', found: '3 bytes' };
    expect(formatDecodeError(error)).toBe('X.y at 0x18: expected 8 bytes, found 3 bytes');
  });
});
