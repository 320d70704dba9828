import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BOOLEAN,
  byteArray,
  defineStruct,
  EFI_BOOT_SERVICES,
  EFI_CONFIGURATION_TABLE,
  EFI_MEMORY_ATTRIBUTES_TABLE,
  EFI_MEMORY_DESCRIPTOR,
  EFI_RT_PROPERTIES_TABLE,
  EFI_RUNTIME_SERVICES,
  EFI_SIGNATURE_LIST,
  EFI_SYSTEM_RESOURCE_ENTRY,
  EFI_SYSTEM_TABLE,
  EFI_TABLE_HEADER,
  EFI_TIME,
  EFI_TIME_CAPABILITIES,
  EFI_VARIABLE_AUTHENTICATION_2,
  INT16,
  nested,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
  UINTN,
  WIN_CERTIFICATE_UEFI_GUID,
} from '../src/index.ts';

const offsets = (
  struct: { layout: (width?: 32 | 64) => readonly { field: string; offset: number }[] },
  width?: 32 | 64,
): Record<string, number> =>
  Object.fromEntries(struct.layout(width).map(({ field, offset }) => [field, offset]));

interface Mixed {
  readonly a: number;
  readonly b: bigint;
  readonly c: number;
  readonly d: bigint;
  readonly e: Uint8Array;
}
const fields = { a: UINT8, b: UINT64, c: UINT16, d: UINTN, e: byteArray(3) };
const MIXED = defineStruct<Mixed>('MIXED', 'test', fields);
const PACKED = defineStruct<Mixed>('PACKED', 'test', fields, { packed: true });

describe('struct layout', () => {
  it('aligns naturally, pads the tail, and follows the width', () => {
    expect(offsets(MIXED)).toEqual({ a: 0, b: 8, c: 16, d: 24, e: 32 });
    expect(MIXED.size()).toBe(40);
    expect(offsets(MIXED, 32)).toEqual({ a: 0, b: 8, c: 16, d: 20, e: 24 });
    expect(MIXED.size(32)).toBe(32);
    expect(offsets(PACKED)).toEqual({ a: 0, b: 1, c: 9, d: 11, e: 19 });
    expect(PACKED.size()).toBe(22);
  });

  it('keeps the alignment of a nested structure', () => {
    const outer = defineStruct<{ readonly x: number; readonly inner: Mixed }>('OUTER', 'test', {
      x: UINT8,
      inner: nested(MIXED),
    });
    expect(outer.offsetOf('inner')).toBe(8);
    expect(outer.size()).toBe(48);
  });

  it.each([
    [EFI_TABLE_HEADER.size(), 24],
    [EFI_SYSTEM_TABLE.size(), 120],
    [EFI_SYSTEM_TABLE.size(32), 72],
    [EFI_RUNTIME_SERVICES.size(), 136],
    [EFI_RUNTIME_SERVICES.size(32), 80],
    [EFI_BOOT_SERVICES.size(), 376],
    [EFI_BOOT_SERVICES.size(32), 200],
    [EFI_CONFIGURATION_TABLE.size(), 24],
    [EFI_CONFIGURATION_TABLE.size(32), 20],
    [EFI_MEMORY_DESCRIPTOR.size(), 40],
    [EFI_MEMORY_DESCRIPTOR.size(32), 40],
    [EFI_TIME.size(), 16],
    [EFI_TIME_CAPABILITIES.size(), 12],
    [EFI_SYSTEM_RESOURCE_ENTRY.size(), 40],
    [EFI_MEMORY_ATTRIBUTES_TABLE.size(), 16],
    [EFI_RT_PROPERTIES_TABLE.size(), 8],
    [WIN_CERTIFICATE_UEFI_GUID.size(), 24],
    [EFI_VARIABLE_AUTHENTICATION_2.size(), 40],
    [EFI_SIGNATURE_LIST.size(), 28],
  ])('derives %i bytes', (actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('places the fields of the tables where UEFI 2.10 has them', () => {
    expect(offsets(EFI_SYSTEM_TABLE)).toEqual({
      hdr: 0,
      firmwareVendor: 24,
      firmwareRevision: 32,
      consoleInHandle: 40,
      conIn: 48,
      consoleOutHandle: 56,
      conOut: 64,
      standardErrorHandle: 72,
      stdErr: 80,
      runtimeServices: 88,
      bootServices: 96,
      numberOfTableEntries: 104,
      configurationTable: 112,
    });
    expect(EFI_SYSTEM_TABLE.offsetOf('runtimeServices', 32)).toBe(56);
    expect(offsets(EFI_RUNTIME_SERVICES)).toMatchObject({
      GetTime: 24,
      SetVirtualAddressMap: 56,
      GetVariable: 72,
      ResetSystem: 104,
      QueryVariableInfo: 128,
    });
    expect(offsets(EFI_BOOT_SERVICES)).toMatchObject({
      GetMemoryMap: 56,
      ExitBootServices: 232,
      CreateEventEx: 368,
    });
    expect(offsets(EFI_TIME)).toMatchObject({ nanosecond: 8, timeZone: 12, daylight: 14 });
  });
});

describe('struct codec', () => {
  const u = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << bits) - 1n });
  const mixed = fc.record({
    a: fc.integer({ min: 0, max: 255 }),
    b: u(64n),
    c: fc.integer({ min: 0, max: 0xffff }),
    d: u(32n),
    e: fc.uint8Array({ minLength: 3, maxLength: 3 }),
  });

  it('reads back what it wrote, in both widths and anywhere', () => {
    fc.assert(
      fc.property(
        mixed,
        fc.constantFrom<32 | 64>(32, 64),
        fc.nat(9),
        fc.constantFrom(MIXED, PACKED),
        (value, width, at, struct) => {
          const image = struct.encode(value, width);
          const bytes = new Uint8Array(at + image.length + 2).fill(0xa5);
          bytes.set(image, at);
          expect(struct.decode(bytes, at, width)).toEqual({ ok: true, value });
        },
      ),
    );
  });

  it('decodes a view that does not start at its buffer', () => {
    const image = EFI_TIME.encode({ ...zeroTime, year: 2026, nanosecond: 5 });
    const buffer = new Uint8Array(40);
    buffer.set(image, 11);
    expect(EFI_TIME.decode(buffer.subarray(11))).toMatchObject({
      ok: true,
      value: { year: 2026, nanosecond: 5 },
    });
  });

  it('answers bytes that are too few with the field that is cut, never a throw', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: -5, max: 70 }),
        (bytes, at) => {
          const result = MIXED.decode(bytes, at);
          expect(result.ok).toBe(at >= 0 && bytes.length - at >= 40);
        },
      ),
    );
    expect(MIXED.decode(new Uint8Array(20))).toEqual({
      ok: false,
      error: {
        structure: 'MIXED.d',
        offset: 0,
        expected: '40 bytes',
        found: '20 bytes',
      },
    });
    expect(MIXED.decode(new Uint8Array(80), 0.5).ok).toBe(false);
  });

  it('refuses to write what does not fit, and names the field', () => {
    const good = { a: 0, b: 0n, c: 0, d: 0n, e: new Uint8Array(3) };
    expect(() => MIXED.encode({ ...good, a: 256 })).toThrow(/MIXED\.a: 256 does not fit UINT8/);
    expect(() => MIXED.encode({ ...good, a: -1 })).toThrow(RangeError);
    expect(() => MIXED.encode({ ...good, c: 1.5 })).toThrow(/MIXED\.c/);
    expect(() => MIXED.encode({ ...good, b: 1n << 64n })).toThrow(/MIXED\.b/);
    expect(() => MIXED.encode({ ...good, d: 1n << 32n }, 32)).toThrow(/UINTN of 32 bits/);
    expect(MIXED.encode({ ...good, d: 1n << 32n }, 64)).toHaveLength(40);
    expect(() => MIXED.encode({ ...good, e: new Uint8Array(4) })).toThrow(/MIXED\.e/);
  });

  it('throws for a field that was never declared', () => {
    expect(() => MIXED.offsetOf('nope' as 'a')).toThrow(/MIXED has no field nope/);
  });
});

const zeroTime = {
  year: 0,
  month: 0,
  day: 0,
  hour: 0,
  minute: 0,
  second: 0,
  pad1: 0,
  nanosecond: 0,
  timeZone: 0,
  daylight: 0,
  pad2: 0,
};

describe('integers', () => {
  it.each([
    [UINT8, -1, 0],
    [UINT8, 0x100, 0xff],
    [UINT16, 0x1_0000, 0xffff],
    [INT16, -0x8001, -0x8000],
    [INT16, 0x8000, 0x7fff],
    [UINT32, 0x1_0000_0000, 0xffff_ffff],
  ])('%o takes no %i but %i', (type, beyond, last) => {
    const one = defineStruct<{ readonly v: number }>('ONE', 'test', { v: type });
    expect(() => one.encode({ v: beyond })).toThrow(RangeError);
    expect(one.decode(one.encode({ v: last }))).toEqual({ ok: true, value: { v: last } });
  });

  it('BOOLEAN is written as 0 or 1 and read as 0 or not', () => {
    const one = defineStruct<{ readonly v: boolean }>('ONE', 'test', { v: BOOLEAN });
    expect([one.encode({ v: true }), one.encode({ v: false })]).toEqual([
      Uint8Array.of(1),
      Uint8Array.of(0),
    ]);
    expect(one.decode(Uint8Array.of(0x80))).toEqual({ ok: true, value: { v: true } });
    expect(one.decode(Uint8Array.of(0))).toEqual({ ok: true, value: { v: false } });
  });

  it('of 32 bits are unsigned', () => {
    const one = defineStruct<{ readonly v: number }>('ONE', 'test', { v: UINT32 });
    expect(one.decode(Uint8Array.of(255, 255, 255, 255))).toMatchObject({
      value: { v: 0xffff_ffff },
    });
  });
});
