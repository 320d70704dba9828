import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACPI_BGRT,
  ACPI_RSDP_1,
  ACPI_RSDP_2,
  ACPI_TABLE_HEADER,
  areCapsuleFlagsLegal,
  asciiArray,
  bgrtFaults,
  byteSum,
  CapsuleFlag,
  decodeAcpiRsdp,
  decodeAcpiTable,
  decodeCapsule,
  decodeCapsuleBlocks,
  decodeFinalEvents,
  decodeMemReserve,
  decodeMokVariables,
  decodeRandomSeed,
  decodeSmbiosAnchor,
  decodeTcgLog,
  decodeTcgPcrEvent2,
  decodeTcgSpecId,
  defineStruct,
  EFI_CAPSULE_BLOCK_DESCRIPTOR,
  EFI_CAPSULE_HEADER,
  EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER,
  EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER,
  EFI_TCG2_FINAL_EVENTS_TABLE,
  encodeCapsule,
  encodeCapsuleBlocks,
  LINUX_EFI_INITRD,
  LINUX_EFI_MEMRESERVE,
  LINUX_EFI_MEMRESERVE_ENTRY,
  LINUX_EFI_MOKVAR_ENTRY,
  LINUX_EFI_TPM_EVENTLOG,
  LINUX_EFI_UNACCEPTED_MEMORY,
  SMBIOS3_ENTRY_POINT,
  SMBIOS_ENTRY_POINT,
  TCG_ALGORITHM_SIZE,
  TCG_PCR_EVENT,
  TCG_SPEC_ID_EVENT,
  TCG_SPEC_ID_SIGNATURE,
  WellKnownGuid,
} from '../src/index.ts';
import type { Bgrt, Decoded } from '../src/index.ts';

const good = <T>(result: Decoded<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
/** A copy with the byte at `at` chosen so that the first `length` bytes add up to 0. */
const balanced = (bytes: Uint8Array, at: number, length: number = bytes.length): Uint8Array => {
  const next = Uint8Array.from(bytes);
  next[at] = 0;
  next[at] = (0x100 - byteSum(next.subarray(0, length))) & 0xff;
  return next;
};

describe('capsules', () => {
  const capsule = {
    capsuleGuid: WellKnownGuid.EFI_FIRMWARE_MANAGEMENT_CAPSULE_ID_GUID,
    flags: CapsuleFlag.PERSIST_ACROSS_RESET | 0x12,
    extraHeader: Uint8Array.of(1, 2, 3, 4),
    body: Uint8Array.of(9, 9, 9),
  };

  it('come back', () => {
    const bytes = encodeCapsule(capsule);
    expect(bytes).toHaveLength(28 + 4 + 3);
    expect(good(decodeCapsule(bytes))).toEqual(capsule);
    expect(good(decodeCapsule(join([0, 0], bytes, [7]), 2))).toEqual(capsule);
  });

  it.each([
    [{ headerSize: 27, capsuleImageSize: 35 }, 'headerSize', 16],
    [{ headerSize: 36, capsuleImageSize: 35 }, 'headerSize', 16],
    [{ headerSize: 28, capsuleImageSize: 36 }, 'capsuleImageSize', 24],
  ])('are refused with sizes %o', (sizes, field, offset) => {
    const bytes = encodeCapsule(capsule);
    bytes.set(EFI_CAPSULE_HEADER.encode({ capsuleGuid: capsule.capsuleGuid, flags: 0, ...sizes }));
    expect(decodeCapsule(bytes)).toMatchObject({
      error: { structure: `EFI_CAPSULE_HEADER.${field}`, offset },
    });
  });

  it('need persistence for everything else', () => {
    const { PERSIST_ACROSS_RESET, POPULATE_SYSTEM_TABLE, INITIATE_RESET } = CapsuleFlag;
    expect(
      [0, 1, PERSIST_ACROSS_RESET, PERSIST_ACROSS_RESET | INITIATE_RESET].map(areCapsuleFlagsLegal),
    ).toEqual([true, true, true, true]);
    expect([POPULATE_SYSTEM_TABLE, INITIATE_RESET].map(areCapsuleFlagsLegal)).toEqual([
      false,
      false,
    ]);
  });

  it('are scattered over blocks', () => {
    const blocks = [
      { length: 0x1000n, address: 0x10_0000n },
      { length: 1n, address: 0n },
    ];
    const end = encodeCapsuleBlocks({ blocks, continuation: undefined });
    expect(end).toHaveLength(3 * EFI_CAPSULE_BLOCK_DESCRIPTOR.size());
    expect(good(decodeCapsuleBlocks(end))).toEqual({ blocks, continuation: undefined });
    const linked = { blocks, continuation: 0x2000n };
    expect(good(decodeCapsuleBlocks(encodeCapsuleBlocks(linked)))).toEqual(linked);
    expect(decodeCapsuleBlocks(end.subarray(0, 32))).toMatchObject({ error: { offset: 32 } });
  });

  it('of firmware management have their headers', () => {
    expect(EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER.size()).toBe(8);
    expect(EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER.size()).toBe(48);
    expect(EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER.offsetOf('updateHardwareInstance')).toBe(
      32,
    );
  });
});

describe('ACPI anchors', () => {
  const first = {
    signature: 'RSD PTR ',
    checksum: 0,
    oemId: 'BOCHS ',
    revision: 0,
    rsdtAddress: 0x7fe_1234,
  };
  const one = balanced(ACPI_RSDP_1.encode(first), 8);
  const second = {
    first: { ...first, revision: 2 },
    length: 36,
    xsdtAddress: 0x1_0000_0000n,
    extendedChecksum: 0,
    reserved: new Uint8Array(3),
  };
  const two = balanced(balanced(ACPI_RSDP_2.encode(second), 8, 20), 32);

  it('have the sizes of the specification', () => {
    expect([ACPI_RSDP_1, ACPI_RSDP_2, ACPI_TABLE_HEADER, ACPI_BGRT].map((s) => s.size())).toEqual([
      20, 36, 36, 56,
    ]);
  });

  it('read in both revisions', () => {
    expect(good(decodeAcpiRsdp(one))).toEqual({
      revision: 0,
      oemId: 'BOCHS ',
      rsdtAddress: 0x7fe_1234,
      xsdtAddress: undefined,
    });
    expect(good(decodeAcpiRsdp(join([1], two), 1)).xsdtAddress).toBe(0x1_0000_0000n);
  });

  it('are refused for every kind of damage', () => {
    const broken = (bytes: Uint8Array, at: number, value: number): unknown => {
      const next = Uint8Array.from(bytes);
      next[at] = value;
      const read = decodeAcpiRsdp(next);
      return read.ok ? 'read' : read.error.structure;
    };
    expect(broken(one, 0, 0x20)).toBe('RSDP.signature');
    expect(broken(one, 9, 0)).toBe('RSDP.checksum');
    expect(broken(two, 20, 35)).toBe('RSDP.length');
    expect(broken(two, 20, 37)).toBe('RSDP.length');
    expect(broken(two, 24, 9)).toBe('RSDP.extendedChecksum');
    expect(decodeAcpiRsdp(two.subarray(0, 35))).toMatchObject({ ok: false });
  });

  const header = {
    signature: 'BGRT',
    length: 56,
    revision: 1,
    checksum: 0,
    oemId: 'INTEL ',
    oemTableId: 'EDK2    ',
    oemRevision: 2,
    creatorId: '    ',
    creatorRevision: 0x0100_0013,
  };
  const bgrt: Bgrt = {
    header,
    version: 1,
    status: 1,
    imageType: 0,
    imageAddress: 0x7000_0000n,
    imageOffsetX: 100,
    imageOffsetY: 200,
  };

  it('tell a right table checksum from a wrong one', () => {
    const image = ACPI_BGRT.encode(bgrt);
    expect(good(decodeAcpiTable(image)).checksumOk).toBe(false);
    expect(good(decodeAcpiTable(balanced(image, 9)))).toMatchObject({
      header: { signature: 'BGRT', oemTableId: 'EDK2    ' },
      checksumOk: true,
    });
    expect(decodeAcpiTable(image.subarray(0, 55))).toMatchObject({
      error: { structure: 'DESCRIPTION_HEADER.length', offset: 4 },
    });
    expect(good(ACPI_BGRT.decode(image))).toEqual(bgrt);
  });

  it.each<[Partial<Bgrt>, readonly string[]]>([
    [{}, []],
    [{ status: 7 }, []],
    [{ header: { ...header, length: 55 } }, ['length']],
    [{ version: 0 }, ['version']],
    [{ status: 8 }, ['reserved status bits']],
    [{ imageType: 1 }, ['image type']],
    [{ imageAddress: 0n }, ['null image']],
  ])('find what is wrong with a logo: %o', (change, faults) => {
    expect(bgrtFaults({ ...bgrt, ...change })).toEqual(faults);
  });
});

describe('SMBIOS anchors', () => {
  const old = balanced(
    SMBIOS_ENTRY_POINT.encode({
      anchor: '_SM_',
      checksum: 0,
      length: 0x1f,
      majorVersion: 2,
      minorVersion: 8,
      maximumStructureSize: 94,
      entryPointRevision: 0,
      formattedArea: new Uint8Array(5),
      intermediateAnchor: '_DMI_',
      intermediateChecksum: 0,
      structureTableLength: 0x164,
      structureTableAddress: 0x7f7_e000,
      numberOfStructures: 9,
      bcdRevision: 0x28,
    }),
    4,
  );
  const recent = balanced(
    SMBIOS3_ENTRY_POINT.encode({
      anchor: '_SM3_',
      checksum: 0,
      length: 0x18,
      majorVersion: 3,
      minorVersion: 7,
      docRevision: 0,
      entryPointRevision: 1,
      reserved: 0,
      structureTableMaximumSize: 0x1000,
      structureTableAddress: 0x1_0000_0000n,
    }),
    5,
  );

  it('read in both kinds', () => {
    expect([SMBIOS_ENTRY_POINT.size(), SMBIOS3_ENTRY_POINT.size()]).toEqual([31, 24]);
    expect(good(decodeSmbiosAnchor(old))).toEqual({
      majorVersion: 2,
      minorVersion: 8,
      tableAddress: 0x7f7_e000n,
      tableLength: 0x164,
    });
    expect(good(decodeSmbiosAnchor(join([0], recent), 1)).tableAddress).toBe(0x1_0000_0000n);
  });

  it('are refused for every kind of damage', () => {
    const broken = (bytes: Uint8Array, at: number, value: number): unknown => {
      const next = Uint8Array.from(bytes);
      next[at] = value;
      const read = decodeSmbiosAnchor(next);
      return read.ok ? 'read' : read.error.structure;
    };
    expect(broken(old, 0, 0)).toBe('SMBIOS anchor');
    expect(broken(old, 5, 29)).toBe('SMBIOS entry point length');
    expect(broken(old, 8, 0xff)).toBe('SMBIOS entry point checksum');
    expect(broken(recent, 6, 25)).toBe('SMBIOS 3 entry point length');
    expect(broken(recent, 12, 1)).toBe('SMBIOS 3 entry point checksum');
    expect(decodeSmbiosAnchor(old.subarray(0, 20))).toMatchObject({ ok: false });
  });
});

describe('measurement logs', () => {
  const algorithms = [
    { algorithmId: 4, digestSize: 20 },
    { algorithmId: 11, digestSize: 32 },
  ];
  const spec = join(
    TCG_SPEC_ID_EVENT.encode({
      signature: TCG_SPEC_ID_SIGNATURE,
      platformClass: 0,
      specVersionMinor: 0,
      specVersionMajor: 2,
      specErrata: 2,
      uintnSize: 2,
      numberOfAlgorithms: algorithms.length,
    }),
    ...algorithms.map((one) => TCG_ALGORITHM_SIZE.encode(one)),
    [0],
  );
  const event1 = (eventType: number, event: Uint8Array): Uint8Array =>
    join(
      TCG_PCR_EVENT.encode({
        pcrIndex: 0,
        eventType,
        digest: new Uint8Array(20),
        eventDataSize: event.length,
      }),
      event,
    );
  const event2 = join(
    [7, 0, 0, 0, 1, 0, 0, 0x80, 2, 0, 0, 0, 4, 0],
    new Uint8Array(20).fill(1),
    [11, 0],
    new Uint8Array(32).fill(2),
    [3, 0, 0, 0, 0xa, 0xb, 0xc],
  );

  it('are crypto agile when their first event says so', () => {
    const log = good(decodeTcgLog(join(event1(3, spec), event2, event2)));
    expect(log.algorithms).toEqual(algorithms);
    expect(log.events).toHaveLength(3);
    expect(log.events[2]).toEqual({
      pcrIndex: 7,
      eventType: 0x8000_0001,
      digests: [
        { algorithmId: 4, digest: new Uint8Array(20).fill(1) },
        { algorithmId: 11, digest: new Uint8Array(32).fill(2) },
      ],
      event: Uint8Array.of(0xa, 0xb, 0xc),
      offset: 32 + spec.length + event2.length,
      size: event2.length,
    });
  });

  it('are SHA-1 logs otherwise', () => {
    const log = good(decodeTcgLog(join(event1(8, Uint8Array.of(1)), event1(4, new Uint8Array()))));
    expect(log.algorithms).toBeUndefined();
    expect(log.events.map(({ eventType, size }) => [eventType, size])).toEqual([
      [8, 33],
      [4, 32],
    ]);
  });

  it('say where they are broken', () => {
    const start = event1(3, spec);
    expect(decodeTcgLog(join(start, event2.subarray(0, 70)))).toMatchObject({
      error: { structure: 'TCG_PCR_EVENT2.eventSize' },
    });
    expect(decodeTcgPcrEvent2(event2, algorithms.slice(0, 1))).toMatchObject({
      error: { structure: 'TCG_PCR_EVENT2.digests.hashAlg', offset: 34, found: '0xb' },
    });
    expect(decodeTcgPcrEvent2(event2.subarray(0, 40), algorithms)).toMatchObject({
      error: { structure: 'TCG_PCR_EVENT2.digests.digest', offset: 36 },
    });
    expect(decodeTcgSpecId(event2)).toMatchObject({
      error: { structure: 'TCG_EfiSpecIdEvent.signature' },
    });
    expect(decodeTcgSpecId(spec.subarray(0, 30))).toMatchObject({ ok: false });
    expect(decodeTcgLog(new Uint8Array())).toMatchObject({ ok: false });
    expect(decodeTcgLog(start.subarray(0, 40))).toMatchObject({
      error: { structure: 'TCG_PCClientPCREvent.eventDataSize', offset: 28 },
    });
  });

  it('are finished by a table that may lie about its length', () => {
    const table = (numberOfEvents: bigint): Uint8Array =>
      join(EFI_TCG2_FINAL_EVENTS_TABLE.encode({ version: 1n, numberOfEvents }), event2, event2);
    expect(good(decodeFinalEvents(table(2n), algorithms))).toMatchObject({ cut: false });
    const lie = good(decodeFinalEvents(table(1n << 40n), algorithms));
    expect([lie.events.length, lie.cut]).toEqual([2, true]);
  });
});

describe('tables a boot stub installs', () => {
  it('read', () => {
    expect(good(decodeRandomSeed(Uint8Array.of(0, 2, 0, 0, 0, 7, 8, 9), 1))).toEqual(
      Uint8Array.of(7, 8),
    );
    expect(good(decodeRandomSeed(Uint8Array.of(1, 0, 0, 0, 7)))).toEqual(Uint8Array.of(7));
    expect(decodeRandomSeed(Uint8Array.of(9, 0, 0, 0, 1))).toMatchObject({ ok: false });
    const page = join(
      LINUX_EFI_MEMRESERVE.encode({ size: 3, count: 1, next: 0x5000n }),
      LINUX_EFI_MEMRESERVE_ENTRY.encode({ base: 0x1000n, size: 0x20n }),
    );
    expect(good(decodeMemReserve(page))).toEqual({
      next: 0x5000n,
      entries: [{ base: 0x1000n, size: 0x20n }],
    });
    page[4] = 4;
    expect(decodeMemReserve(page)).toMatchObject({
      error: { structure: 'linux_efi_memreserve.count', offset: 4 },
    });
    page[4] = 2;
    expect(decodeMemReserve(page)).toMatchObject({ ok: false });
  });

  it('mirror the variables of shim', () => {
    const entry = (name: string, data: Uint8Array, dataSize = BigInt(data.length)): Uint8Array =>
      join(LINUX_EFI_MOKVAR_ENTRY.encode({ name: name.padEnd(256, '\0'), dataSize }), data);
    const end = entry('', new Uint8Array());
    const table = join(
      entry('MokListRT', Uint8Array.of(1, 2)),
      entry('SbatLevelRT', new Uint8Array()),
      end,
    );
    expect(good(decodeMokVariables(table))).toEqual([
      { name: 'MokListRT', data: Uint8Array.of(1, 2) },
      { name: 'SbatLevelRT', data: new Uint8Array() },
    ]);
    expect(decodeMokVariables(table.subarray(0, 300))).toMatchObject({ ok: false });
    expect(decodeMokVariables(join(entry('A', new Uint8Array(), 1n << 63n), end))).toMatchObject({
      error: { structure: 'efi_mokvar_table_entry.dataSize', offset: 256 },
    });
  });

  it('have the sizes of their C structures', () => {
    expect(LINUX_EFI_MOKVAR_ENTRY.size()).toBe(264);
    expect(LINUX_EFI_INITRD.size()).toBe(16);
    expect(LINUX_EFI_TPM_EVENTLOG.size()).toBe(9);
    expect(LINUX_EFI_UNACCEPTED_MEMORY.size()).toBe(24);
  });
});

describe('CHAR8 fields', () => {
  const text = defineStruct<{ readonly t: string }>('T', 'test', { t: asciiArray(3) });
  it('hold exactly their length of 8-bit characters', () => {
    expect(text.encode({ t: 'a\u00ffc' })).toEqual(Uint8Array.of(0x61, 0xff, 0x63));
    expect(() => text.encode({ t: 'ab' })).toThrow(/T\.t/);
    expect(() => text.encode({ t: 'ab\u0100' })).toThrow(/T\.t/);
  });
});

describe('hostile bytes', () => {
  it('never make a decoder throw', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 160 }),
      fc
        .uint8Array({ maxLength: 100 })
        .map((rest) => join(new TextEncoder().encode('RSD PTR '), rest)),
      fc
        .uint8Array({ maxLength: 100 })
        .map((rest) => join(new TextEncoder().encode('_SM3_'), rest)),
    );
    fc.assert(
      fc.property(bytes, fc.integer({ min: -3, max: 170 }), (input, at) => {
        expect(() => {
          decodeCapsule(input, at);
          decodeCapsuleBlocks(input);
          decodeAcpiRsdp(input, at);
          decodeAcpiTable(input, at);
          decodeSmbiosAnchor(input, at);
          decodeTcgLog(input);
          decodeTcgSpecId(input);
          decodeTcgPcrEvent2(input, [{ algorithmId: 0, digestSize: 0xffff }], Math.max(at, 0));
          decodeFinalEvents(input, []);
          decodeRandomSeed(input, at);
          decodeMemReserve(input, at);
        }).not.toThrow();
      }),
    );
  });
});
