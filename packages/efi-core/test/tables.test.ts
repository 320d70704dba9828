import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeConfigurationTables,
  decodeEsrt,
  decodeMemoryAttributesTable,
  decodeMemoryMap,
  decodeRtProperties,
  decodeRuntimeServices,
  decodeSystemTable,
  EFI_CONFIGURATION_TABLE,
  EFI_MEMORY_ATTRIBUTES_TABLE,
  EFI_RT_PROPERTIES_TABLE,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_RESOURCE_TABLE,
  EFI_SYSTEM_TABLE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  efiRevision,
  efiTableCrc,
  encodeEsrt,
  encodeMemoryAttributesTable,
  encodeMemoryMap,
  esrtSize,
  findConfigurationTable,
  findMemoryDescriptor,
  findMemoryRange,
  formatEfiRevision,
  guid,
  isBootServicesMemory,
  isRuntimeDescriptor,
  isRuntimeServicesMemory,
  MemoryAttribute,
  memoryAttributeNames,
  memoryAttributesAt,
  memoryDescriptorFaults,
  memoryOverlaps,
  MemoryType,
  memoryTypeAt,
  memoryTypeName,
  RT_SUPPORTED_ALL,
  RuntimeSupported,
  sealEfiTable,
  splitEfiRevision,
  supportedServices,
  verifyEfiTableCrc,
  WellKnownGuid,
} from '../src/index.ts';
import type {
  Decoded,
  EfiRuntimeServicesTable,
  EfiSystemTable,
  MemoryDescriptor,
} from '../src/index.ts';

const good = <T>(result: Decoded<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

const table: EfiSystemTable = {
  hdr: {
    signature: EFI_SYSTEM_TABLE_SIGNATURE,
    revision: 0x0002_0046,
    headerSize: 120,
    crc32: 0,
    reserved: 0,
  },
  firmwareVendor: 0x7ee_0018n,
  firmwareRevision: 0x1_0000,
  consoleInHandle: 0n,
  conIn: 0n,
  consoleOutHandle: 0n,
  conOut: 0n,
  standardErrorHandle: 0n,
  stdErr: 0n,
  runtimeServices: 0x7f9_ef18n,
  bootServices: 0n,
  numberOfTableEntries: 11n,
  configurationTable: 0x7f9_ec98n,
};

describe('table headers', () => {
  it('have the CRC zlib gives for the same bytes', () => {
    // zlib.crc32 of the 120 bytes, computed apart from this code.
    const image = EFI_SYSTEM_TABLE.encode(table);
    expect(good(efiTableCrc(image))).toBe(0x36fc_4182);
    expect(good(verifyEfiTableCrc(image))).toBe(false);
    const sealed = good(sealEfiTable(image));
    expect(good(verifyEfiTableCrc(sealed))).toBe(true);
    expect(good(decodeSystemTable(sealed)).hdr.crc32).toBe(0x36fc_4182);
  });

  it('are checked at any offset and notice every changed byte', () => {
    const sealed = good(sealEfiTable(EFI_SYSTEM_TABLE.encode(table)));
    const bytes = new Uint8Array(140);
    bytes.set(sealed, 13);
    expect(good(verifyEfiTableCrc(bytes, 13))).toBe(true);
    for (let at = 20; at < 120; at += 1) {
      const next = Uint8Array.from(sealed);
      next[at] = (next[at] ?? 0) ^ 0x10;
      expect(good(verifyEfiTableCrc(next))).toBe(false);
    }
  });

  it.each([0, 23, 121, 0xffff_ffff])('refuse a header size of %i', (headerSize) => {
    const image = EFI_SYSTEM_TABLE.encode({ ...table, hdr: { ...table.hdr, headerSize } });
    expect(efiTableCrc(image)).toMatchObject({
      error: { structure: 'EFI_TABLE_HEADER.headerSize', offset: 12 },
    });
    expect(sealEfiTable(image).ok).toBe(false);
  });

  it.each([
    [efiRevision(2, 100), '2.10'],
    [0x0002_0046, '2.7'],
    [0x0002_001f, '2.3.1'],
    [0x0002_000a, '2.1'],
    [0x0002_0000, '2.0'],
    [0x0001_000a, '1.10'],
    [0x0001_0002, '1.02'],
  ])('print revision 0x%s as %s', (revision, text) => {
    expect(formatEfiRevision(revision)).toBe(text);
  });

  it('split revisions', () => {
    expect(splitEfiRevision(0x0002_0064)).toEqual({ major: 2, minor: 100 });
  });
});

describe('system and configuration tables', () => {
  it.each([32, 64] as const)('read in %i bits', (width) => {
    const image = EFI_SYSTEM_TABLE.encode(table, width);
    expect(good(decodeSystemTable(image, 0, width))).toEqual(table);
    expect(decodeSystemTable(image.subarray(1), 0, width)).toMatchObject({ ok: false });
    image[0] = 0;
    expect(decodeSystemTable(image, 0, width)).toMatchObject({
      error: { structure: 'EFI_SYSTEM_TABLE.hdr.signature', found: '0x5453595320494200' },
    });
  });

  it.each([32, 64] as const)('list configuration tables in %i bits', (width) => {
    const entries = [
      { vendorGuid: WellKnownGuid.SMBIOS_TABLE_GUID, vendorTable: 0x1000n },
      { vendorGuid: WellKnownGuid.EFI_ACPI_20_TABLE_GUID, vendorTable: 0x2000n },
      { vendorGuid: WellKnownGuid.SMBIOS_TABLE_GUID, vendorTable: 0x3000n },
    ];
    const bytes = Uint8Array.from(
      entries.flatMap((entry) => [...EFI_CONFIGURATION_TABLE.encode(entry, width)]),
    );
    expect(good(decodeConfigurationTables(bytes, 3, 0, width))).toEqual(entries);
    expect(decodeConfigurationTables(bytes, 4, 0, width)).toMatchObject({
      error: { offset: bytes.length },
    });
    expect(decodeConfigurationTables(bytes, 2 ** 40, 0, width).ok).toBe(false);
    expect(findConfigurationTable(entries, WellKnownGuid.SMBIOS_TABLE_GUID)).toBe(0x1000n);
    expect(findConfigurationTable(entries, WellKnownGuid.SMBIOS3_TABLE_GUID)).toBeUndefined();
  });

  it('holds one pointer per runtime service', () => {
    const hdr = { ...table.hdr, headerSize: 136 };
    const services = EFI_RUNTIME_SERVICES.layout()
      .slice(1)
      .map(({ field }, index) => [field, BigInt(index + 1)]);
    const value = { hdr, ...Object.fromEntries(services) };
    const image = EFI_RUNTIME_SERVICES.encode(value);
    expect(image[24]).toBe(1);
    expect(image[128]).toBe(14);
    expect(good(EFI_RUNTIME_SERVICES.decode(image))).toEqual(value);
  });
});

const descriptor = (
  type: number,
  physicalStart: bigint,
  numberOfPages: bigint,
  attribute = 0xfn,
): MemoryDescriptor => ({ type, physicalStart, virtualStart: 0n, numberOfPages, attribute });

describe('runtime services of any age', () => {
  const services = { hdr: { ...table.hdr, headerSize: 0 } } as Record<string, unknown>;
  for (const { field } of EFI_RUNTIME_SERVICES.layout().slice(1)) services[field] = 0x1234n;
  const image = (headerSize: number, width: 32 | 64): Uint8Array =>
    EFI_RUNTIME_SERVICES.encode(
      { ...services, hdr: { ...table.hdr, headerSize } } as EfiRuntimeServicesTable,
      width,
    );

  it.each([
    [112, 64],
    [68, 32],
  ] as const)('end where a header of %i bytes says (%i-bit)', (headerSize, width) => {
    const read = good(
      decodeRuntimeServices(image(headerSize, width).subarray(0, headerSize), 0, width),
    );
    expect([read.GetTime, read.ResetSystem, read.UpdateCapsule, read.QueryVariableInfo]).toEqual([
      0x1234n,
      0x1234n,
      0n,
      0n,
    ]);
  });

  it('are read whole when the header says more than is known', () => {
    const longer = new Uint8Array(200);
    longer.set(image(200, 64));
    expect(good(decodeRuntimeServices(longer)).QueryVariableInfo).toBe(0x1234n);
  });

  it.each([23, 137])('are refused with a header size of %i', (headerSize) => {
    expect(decodeRuntimeServices(image(headerSize, 64))).toMatchObject({
      error: { structure: 'EFI_RUNTIME_SERVICES.hdr.headerSize', offset: 12 },
    });
  });
});

describe('memory maps', () => {
  const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const anyDescriptor = fc.record({
    type: fc.nat(0xffff_ffff),
    physicalStart: u64,
    virtualStart: u64,
    numberOfPages: u64,
    attribute: u64,
  });

  it('step by the size firmware reports, whatever is between the descriptors', () => {
    fc.assert(
      fc.property(
        fc.array(anyDescriptor, { maxLength: 8 }),
        fc.constantFrom(40, 48, 56, 41),
        fc.nat(39),
        (descriptors, descriptorSize, extra) => {
          const map = { descriptorSize, descriptorVersion: 1, descriptors };
          const image = encodeMemoryMap(map);
          const bytes = new Uint8Array(image.length + extra).fill(0xa5);
          bytes.set(image);
          for (let at = 0; at < image.length; at += descriptorSize) {
            bytes.fill(0xa5, at + 40, at + descriptorSize);
          }
          expect(good(decodeMemoryMap(bytes, { descriptorSize }))).toEqual(map);
        },
      ),
    );
  });

  it.each([0, 39, 40.5, -48, Number.NaN])('refuse a descriptor size of %d', (descriptorSize) => {
    expect(decodeMemoryMap(new Uint8Array(96), { descriptorSize })).toMatchObject({
      error: { structure: 'memory map DescriptorSize' },
    });
  });

  it('refuse to be written with less than the structure', () => {
    const map = { descriptorSize: 39, descriptorVersion: 1, descriptors: [] };
    expect(() => encodeMemoryMap(map)).toThrow(RangeError);
  });

  it.each([
    [descriptor(7, 0x1000n, 1n), []],
    [descriptor(7, 0n, 0n), ['empty']],
    [descriptor(7, 0x1000n, 0xf_ffff_ffff_ffffn), ['out of range']],
    [descriptor(7, 0x1001n, 1n), ['misaligned']],
    [descriptor(7, 0n, 1n << 53n), ['wraps']],
    [descriptor(7, 0xffff_ffff_ffff_f000n, 2n), ['wraps']],
    [descriptor(7, 0xffff_ffff_ffff_f000n, 1n), ['out of range']],
    [descriptor(7, 1n << 51n, 1n << 39n), []],
    [descriptor(7, 1n << 51n, (1n << 39n) + 1n), ['out of range']],
    [descriptor(7, 0x801n, 0n), ['empty', 'misaligned']],
  ] as const)('find faults in %o', (one, faults) => {
    expect(memoryDescriptorFaults(one)).toEqual(faults);
  });

  const map = {
    descriptorSize: 48,
    descriptorVersion: 1,
    descriptors: [
      descriptor(MemoryType.EfiConventionalMemory, 0x3000n, 0n),
      descriptor(MemoryType.EfiReservedMemoryType, 0n, 1n << 60n),
      descriptor(MemoryType.EfiRuntimeServicesData, 0x1000n, 2n, 0x8000_0000_0000_000fn),
      descriptor(MemoryType.EfiBootServicesCode, 0x3000n, 1n),
      descriptor(MemoryType.EfiLoaderData, 0x2000n, 1n),
    ],
  };

  it('are looked up in sound entries only, the first one wins', () => {
    expect(memoryTypeAt(map, 0xfffn)).toBeUndefined();
    expect(memoryTypeAt(map, 0x1000)).toBe(MemoryType.EfiRuntimeServicesData);
    expect(memoryTypeAt(map, 0x2fffn)).toBe(MemoryType.EfiRuntimeServicesData);
    expect(memoryTypeAt(map, 0x3000n)).toBe(MemoryType.EfiBootServicesCode);
    expect(memoryAttributesAt(map, 0x1000n)).toBe(0x8000_0000_0000_000fn);
    expect(memoryAttributesAt(map, 0x9000n)).toBeUndefined();
    expect(findMemoryDescriptor(map, 0x4000n)).toBeUndefined();
  });

  it('hold a range only when one entry does', () => {
    expect(findMemoryRange(map, 0x1000n, 0x2000n)?.type).toBe(6);
    expect(findMemoryRange(map, 0x1000n, 0x2001n)).toBeUndefined();
    expect(findMemoryRange(map, 0x9000n, 1n)).toBeUndefined();
  });

  it('show overlaps', () => {
    expect(memoryOverlaps(map)).toEqual([{ first: 2, second: 4 }]);
    expect(memoryOverlaps({ ...map, descriptors: [] })).toEqual([]);
  });

  it('tell what the types and attributes mean', () => {
    expect(memoryTypeName(7)).toBe('EfiConventionalMemory');
    expect(memoryTypeName(15)).toBe('EfiUnacceptedMemoryType');
    expect(memoryTypeName(16)).toBe('EFI_MEMORY_TYPE 0x10');
    expect(memoryTypeName(0x7000_0001)).toBe('OEM 0x70000001');
    expect(memoryTypeName(0x8000_0000)).toBe('OS loader 0x80000000');
    expect([3, 4, 5].map(isBootServicesMemory)).toEqual([true, true, false]);
    expect([4, 5, 6].map(isRuntimeServicesMemory)).toEqual([false, true, true]);
    expect(map.descriptors.map(isRuntimeDescriptor)).toEqual([false, false, true, false, false]);
    expect(memoryAttributeNames(0x8000_0000_0000_000fn)).toEqual({
      names: ['UC', 'WC', 'WT', 'WB', 'RUNTIME'],
      unknown: 0n,
    });
    expect(memoryAttributeNames(MemoryAttribute.XP | 0x100n)).toEqual({
      names: ['XP'],
      unknown: 0x100n,
    });
  });
});

describe('the memory attributes table', () => {
  const value = {
    version: 2,
    descriptorSize: 48,
    flags: 1,
    entries: [
      descriptor(5, 0x1000n, 1n, MemoryAttribute.RUNTIME | MemoryAttribute.RO),
      descriptor(6, 0x2000n, 1n, MemoryAttribute.RUNTIME | MemoryAttribute.XP),
    ],
  };

  it('comes back', () => {
    const image = encodeMemoryAttributesTable(value);
    expect(image).toHaveLength(16 + 96);
    expect(good(decodeMemoryAttributesTable(image))).toEqual(value);
    const shifted = new Uint8Array(image.length + 3);
    shifted.set(image, 3);
    expect(good(decodeMemoryAttributesTable(shifted, 3))).toEqual(value);
  });

  it.each([
    [{ version: 2, numberOfEntries: 3, descriptorSize: 48, flags: 0 }, 'numberOfEntries', 4],
    [{ version: 2, numberOfEntries: 2, descriptorSize: 8, flags: 0 }, 'descriptorSize', 8],
    [
      { version: 2, numberOfEntries: 0xffff_ffff, descriptorSize: 0xffff_ffff, flags: 0 },
      'numberOfEntries',
      4,
    ],
  ])('refuses %o', (head, field, offset) => {
    const image = encodeMemoryAttributesTable(value);
    image.set(EFI_MEMORY_ATTRIBUTES_TABLE.encode(head));
    expect(decodeMemoryAttributesTable(image)).toMatchObject({
      error: { structure: `EFI_MEMORY_ATTRIBUTES_TABLE.${field}`, offset },
    });
  });
});

describe('the ESRT', () => {
  const entry = {
    fwClass: guid('4ecc2480-6d0f-4b5a-9c57-f8ba8b7b4b4a'),
    fwType: 1,
    fwVersion: 0x1_0002,
    lowestSupportedFwVersion: 1,
    capsuleFlags: 0x8010,
    lastAttemptVersion: 0x1_0002,
    lastAttemptStatus: 0,
  };
  const value = { fwResourceCountMax: 4, fwResourceVersion: 1n, entries: [entry, entry] };

  it('comes back', () => {
    const image = encodeEsrt(value);
    expect(image).toHaveLength(esrtSize(2));
    expect(good(decodeEsrt(image))).toEqual(value);
  });

  it('is refused when it says more than it holds or is of another version', () => {
    const image = encodeEsrt(value);
    expect(decodeEsrt(image.subarray(0, 95))).toMatchObject({
      error: { structure: 'EFI_SYSTEM_RESOURCE_ENTRY.lastAttemptStatus', offset: 56 },
    });
    image.set(
      EFI_SYSTEM_RESOURCE_TABLE.encode({
        fwResourceCount: 0xffff_ffff,
        fwResourceCountMax: 1,
        fwResourceVersion: 1n,
      }),
    );
    expect(decodeEsrt(image).ok).toBe(false);
    expect(decodeEsrt(encodeEsrt({ ...value, fwResourceVersion: 2n }))).toMatchObject({
      error: { structure: 'EFI_SYSTEM_RESOURCE_TABLE.fwResourceVersion', offset: 8, found: '2' },
    });
  });
});

describe('the runtime properties table', () => {
  it('has the mask bits of EFI_RT_SUPPORTED, which are not in table order', () => {
    expect(RuntimeSupported).toEqual({
      GetTime: 0x1,
      SetTime: 0x2,
      GetWakeupTime: 0x4,
      SetWakeupTime: 0x8,
      GetVariable: 0x10,
      GetNextVariableName: 0x20,
      SetVariable: 0x40,
      SetVirtualAddressMap: 0x80,
      ConvertPointer: 0x100,
      GetNextHighMonotonicCount: 0x200,
      ResetSystem: 0x400,
      UpdateCapsule: 0x800,
      QueryCapsuleCapabilities: 0x1000,
      QueryVariableInfo: 0x2000,
    });
    expect(RT_SUPPORTED_ALL).toBe(0x3fff);
    expect(supportedServices(0x470)).toEqual([
      'GetVariable',
      'GetNextVariableName',
      'SetVariable',
      'ResetSystem',
    ]);
  });

  it('is read when it is long enough', () => {
    const value = { version: 1, length: 8, runtimeServicesSupported: 0x470 };
    expect(good(decodeRtProperties(EFI_RT_PROPERTIES_TABLE.encode(value)))).toEqual(value);
    expect(
      decodeRtProperties(EFI_RT_PROPERTIES_TABLE.encode({ ...value, length: 7 })),
    ).toMatchObject({ error: { structure: 'EFI_RT_PROPERTIES_TABLE.length', offset: 2 } });
  });
});

describe('hostile bytes', () => {
  it('never make a table decoder throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(210), (bytes, at) => {
        expect(() => {
          decodeSystemTable(bytes, at);
          decodeSystemTable(bytes, at, 32);
          efiTableCrc(bytes, at);
          verifyEfiTableCrc(bytes, at);
          sealEfiTable(bytes);
          decodeConfigurationTables(bytes, at, at);
          decodeMemoryMap(bytes, { descriptorSize: at });
          decodeMemoryAttributesTable(bytes, at);
          decodeEsrt(bytes, at);
          decodeRtProperties(bytes, at);
        }).not.toThrow();
      }),
    );
  });
});
