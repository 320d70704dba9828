import {
  bindPlatform,
  createEfi,
  efiFail,
  efiOk,
  EfiStatus,
  encodeEsrt,
  encodeMemoryAttributesTable,
  EFI_RT_PROPERTIES_TABLE,
  guid,
  MemoryAttribute,
  MemoryType,
  RT_SUPPORTED_ALL,
  WellKnownGuid,
} from '@systab/efi-core';
import type { EfiFacility, EsrtTable } from '@systab/efi-core';
import { describe, expect, it } from 'vitest';
import { INIT_STEPS, initEfi } from '../src/index.ts';
import type { EfiInitOptions, EfiInitReport } from '../src/index.ts';
import {
  fakePlatform,
  PLAIN_MAP,
  region,
  RUNTIME,
  SYSTEM_TABLE_AT,
  UC,
  WB,
} from './fake-firmware.ts';
import type { FakeOptions } from './fake-firmware.ts';

const G = WellKnownGuid;

const boot = (fake: FakeOptions = {}, options: EfiInitOptions = {}) => {
  const { tables, record, bytes } = fakePlatform(fake);
  const report = initEfi(tables, options);
  return { ...report, lines: report.log.map(({ text }) => text), record, bytes };
};
const facilities = ({ efi }: Pick<EfiInitReport, 'efi'>): readonly EfiFacility[] =>
  efi.facilities.list();

const MEMATTR_AT = 0x14_1000;
const ESRT_AT = 0x14_2000;
const RTPROP_AT = 0x11_2000;
const ACPI_AT = 0x12_0014;

const attributes = encodeMemoryAttributesTable({
  version: 2,
  descriptorSize: 48,
  flags: 0,
  entries: [
    region(5, 0x10_0000, 0x10_1000, RUNTIME | MemoryAttribute.XP),
    region(5, 0x10_1000, 0x11_0000, RUNTIME | MemoryAttribute.RO),
    region(6, 0x10_f000, 0x12_0000, RUNTIME | MemoryAttribute.XP),
    region(6, 0x11_0000, 0x12_0000, RUNTIME | MemoryAttribute.XP),
  ],
});
const ESRT: EsrtTable = {
  fwResourceCountMax: 1,
  fwResourceVersion: 1n,
  entries: [
    {
      fwClass: guid('11111111-2222-3333-4444-555555555555'),
      fwType: 1,
      fwVersion: 5,
      lowestSupportedFwVersion: 3,
      capsuleFlags: 0,
      lastAttemptVersion: 0,
      lastAttemptStatus: 0,
    },
  ],
};

describe('a plain boot', () => {
  it('says what a kernel says', () => {
    const { lines, efi } = boot({
      configuration: [
        [guid('ee4e5898-3914-4259-9d6e-dc7bd79403cf'), 0x11_3000],
        [G.SMBIOS_TABLE_GUID, 0x11_4000],
        [G.ACPI_TABLE_GUID, 0x12_0000],
        [G.EFI_ACPI_20_TABLE_GUID, ACPI_AT],
      ],
    });
    expect(lines).toEqual([
      'efi: EFI v2.70 by EDK II',
      'efi: SMBIOS=0x114000 ACPI=0x120000 ACPI 2.0=0x120014',
      'efi: Remove mem09: MMIO range=[0xffc00000-0xffffffff] (4MB) from e820 map',
      'secureboot: Secure boot disabled',
    ]);
    expect(efi).toMatchObject({
      vendor: 'EDK II',
      width: 64,
      systemTableAt: SYSTEM_TABLE_AT,
      runtimeVersion: 0x0002_0046,
      runtimeSupportedMask: RT_SUPPORTED_ALL,
      secureBoot: 'disabled',
    });
    expect(efi.configurationTables).toHaveLength(4);
  });

  it('takes the steps it is given, and no others', () => {
    const { tables } = fakePlatform();
    const taken: string[] = [];
    const steps = INIT_STEPS.slice(0, 3).map(({ name, run }) => ({
      name,
      run: (context: Parameters<typeof run>[0]) => {
        taken.push(name);
        run(context);
      },
    }));
    const { efi } = initEfi(tables, { steps });
    expect(taken).toEqual(['locate system table', 'adopt memory map', 'read system table']);
    expect(efi.facilities.list()).toEqual(['EFI_BOOT', 'EFI_MEMMAP', 'EFI_64BIT']);
  });

  it('does everything once and in order, and leaves nothing mapped', () => {
    const { record, efi } = boot();
    expect(record.calls).toEqual([
      'reserveBootServices',
      'enterVirtualMode',
      'freeBootServices',
      'installPageTable',
    ]);
    expect([...record.mapped]).toEqual([]);
    expect(record.reserved.map(({ why }) => why)).toEqual(['memory map']);
    expect(facilities({ efi })).toEqual([
      'EFI_BOOT',
      'EFI_CONFIG_TABLES',
      'EFI_RUNTIME_SERVICES',
      'EFI_MEMMAP',
      'EFI_64BIT',
    ]);
    expect(INIT_STEPS.map(({ name }) => name)).toHaveLength(16);
  });

  it('gives SetVirtualAddressMap what firmware may touch, and keeps less', () => {
    const { record, efi } = boot();
    const [plan] = record.plans;
    expect(plan?.map).toBe(efi.runtimeMap);
    expect(plan?.map.descriptors.map(({ type }) => type)).toEqual([11, 3, 4, 6, 5, 3]);
    expect(plan?.map.descriptorSize).toBe(48);
    expect(record.freed[0]?.map(({ physicalStart }) => physicalStart)).toEqual([
      0x14_0000n,
      0x18_0000n,
    ]);
    const kept = record.pageTables[0]?.map(({ phys }) => phys);
    expect(new Set(kept)).toEqual(new Set([0xffc0_0000, 0x11_0000, 0x10_0000, 0]));
  });

  it('makes an E820 map of the memory map where the loader gave none', () => {
    const { e820 } = boot();
    expect(e820?.map(({ start, type }) => [start, type])).toEqual([
      [0n, 1],
      [0x10_0000n, 2],
      [0x12_0000n, 3],
      [0x13_0000n, 1],
    ]);
  });
});

describe('a machine without EFI', () => {
  it('comes up with nothing and says nothing', () => {
    const report = initEfi(bindPlatform({ name: 'legacy', detect: () => 1 }), {
      commandLine: 'efi=debug',
    });
    expect(facilities(report)).toEqual(['EFI_DBG']);
    expect(report.log.filter(({ level }) => level !== 'debug')).toEqual([]);
    expect(report.e820).toBeUndefined();
  });
});

describe('a platform without a memory map', () => {
  it('has runtime services all the same, and no step that needs a map', () => {
    const { efi, record, e820 } = boot({
      map: 'none',
      systemTable: { runtimeServices: (1n << 64n) - 1n },
    });
    expect(facilities({ efi })).toEqual([
      'EFI_BOOT',
      'EFI_CONFIG_TABLES',
      'EFI_RUNTIME_SERVICES',
      'EFI_64BIT',
    ]);
    expect(record.calls).toEqual([]);
    expect(efi.runtimeMap).toBeUndefined();
    expect(e820).toBeUndefined();
  });

  it('may know where a table lies by itself', () => {
    const { efi, record } = boot({
      map: 'none',
      configuration: [[G.EFI_SYSTEM_RESOURCE_TABLE_GUID, ESRT_AT]],
      memory: new Map([[ESRT_AT, encodeEsrt(ESRT)]]),
      init: {
        describeMemory: () =>
          efiOk(region(MemoryType.EfiRuntimeServicesData, 0x14_0000, 0x15_0000)),
      },
    });
    expect(efi.esrt).toEqual(ESRT);
    // Runtime data stays by itself.
    expect(record.reserved).toEqual([]);
  });

  it('says which tables cannot be used', () => {
    const { lines, efi } = boot({
      map: 'none',
      configuration: [
        [G.SMBIOS_TABLE_GUID, 0x11_4000],
        [G.EFI_SYSTEM_RESOURCE_TABLE_GUID, ESRT_AT],
      ],
      init: {
        adoptConfigurationTable: ({ vendorGuid }) =>
          vendorGuid === G.SMBIOS_TABLE_GUID
            ? efiOk(undefined)
            : efiFail(EfiStatus.ACCESS_DENIED, { why: 'not ours' }),
      },
    });
    expect(lines).toContain('efi: SMBIOS=0x114000 (ESRT=0x142000 unusable)');
    expect(efi.configurationTables.map(({ vendorGuid }) => vendorGuid)).toEqual([
      G.SMBIOS_TABLE_GUID,
    ]);
    expect(efi.esrt).toBeUndefined();
  });
});

describe('the system table', () => {
  it('must be there and have its signature', () => {
    const wrong = boot({
      systemTable: { hdr: { signature: 1n, revision: 0, headerSize: 120, crc32: 0, reserved: 0 } },
    });
    expect(wrong.lines[0]).toBe('efi: System table signature incorrect!');
    const away = boot({
      init: { locateSystemTable: () => efiOk({ address: 0x7fff_0000 as never, width: 64 }) },
    });
    expect(away.lines[0]).toBe("efi: Couldn't map the system table!");
    for (const report of [wrong, away]) {
      expect(facilities(report)).toEqual([
        'EFI_BOOT',
        'EFI_MEMMAP',
        'EFI_64BIT',
        'EFI_PRESERVE_BS_REGIONS',
      ]);
      expect(report.record.plans).toEqual([]);
    }
  });

  it('is told apart by revision and width', () => {
    const first = (fake: FakeOptions): string | undefined => boot(fake).lines[0];
    expect(first({ revision: 0x0001_000a })).toBe('efi: EFI v1.10 by EDK II');
    expect(first({ revision: 0x0002_001f })).toBe('efi: EFI v2.31 by EDK II');
    expect(first({ revision: 0x0002_0064 })).toBe('efi: EFI v2.100 by EDK II');
    expect(first({ revision: 0x63 })).toBe(
      'efi: System table version 0.99, expected 1.00 or greater!',
    );
    const narrow = boot({ width: 32 });
    expect(narrow.lines[0]).toBe('efi: EFI v2.70 by EDK II');
    expect(facilities(narrow)).not.toContain('EFI_64BIT');
    const [plan] = narrow.record.plans;
    expect(plan?.map.descriptors.every((one) => one.virtualStart === one.physicalStart)).toBe(true);
    expect(plan?.map.descriptors.some(({ type }) => type === 7)).toBe(true);
  });

  it('with a wrong CRC is told and used', () => {
    const { lines, efi } = boot({ wrongCrc: true });
    expect(lines[0]).toBe('efi: [Firmware Bug]: System table CRC is wrong');
    expect(efi.facilities.enabled('EFI_RUNTIME_SERVICES')).toBe(true);
  });

  it('of an Apple machine is not believed about its revision', () => {
    const { efi, lines } = boot({ vendor: 'Apple', revision: 0x0002_0028 });
    expect(efi.runtimeVersion).toBe(0x0001_000a);
    expect(lines).toContain('efi: Apple Mac detected, using EFI v1.10 runtime services only');
    expect(boot({ vendor: 'Apple Inc', revision: 0x0002_0028 }).efi.runtimeVersion).toBe(
      0x0002_0028,
    );
    expect(boot({ vendor: 'Apple', revision: 0x0001_000a }).lines).toHaveLength(3);
  });

  it('may have any vendor', () => {
    expect(boot({ vendor: 'Ωmega' }).lines[0]).toBe('efi: EFI v2.70 by ©mega');
    expect(boot({ vendor: 'v'.repeat(150) }).lines[0]).toBe(`efi: EFI v2.70 by ${'v'.repeat(99)}`);
    expect(boot({ vendor: 'v'.repeat(150) }).efi.vendor).toHaveLength(150);
    for (const firmwareVendor of [0n, 0x7000_0000n, (1n << 64n) - 1n]) {
      const { lines } = boot({ systemTable: { firmwareVendor } });
      expect(lines.slice(0, 2)).toEqual([
        'efi: Could not map the firmware vendor!',
        'efi: EFI v2.70 by unknown',
      ]);
    }
    const edge = 0x1f_fff8;
    const cut = boot({
      systemTable: { firmwareVendor: BigInt(edge) },
      memory: new Map([[edge, Uint8Array.from([0x41, 0, 0x42, 0, 0x43, 0, 0x44, 0])]]),
    });
    expect(cut.efi.vendor).toBe('ABCD');
  });

  it('needs a configuration table array that can be read', () => {
    for (const systemTable of [
      { configurationTable: 0x7000_0000n, numberOfTableEntries: 1n },
      { numberOfTableEntries: 1n << 62n },
    ]) {
      const report = boot({ systemTable });
      expect(facilities(report)).not.toContain('EFI_CONFIG_TABLES');
      expect(facilities(report)).not.toContain('EFI_RUNTIME_SERVICES');
    }
  });
});

describe('the command line', () => {
  it('switches runtime services off, and the memory map with them', () => {
    for (const commandLine of ['noefi', 'efi=noruntime']) {
      const report = boot({}, { commandLine });
      expect(facilities(report)).toEqual(['EFI_BOOT', 'EFI_CONFIG_TABLES', 'EFI_64BIT']);
      expect(report.record.calls).toEqual([]);
      expect(report.efi.runtimeSupportedMask).toBe(0);
      expect(report.lines.at(-1)).toBe('secureboot: Secure boot could not be determined (mode 0)');
    }
  });

  it('dumps the maps and keeps boot services memory when debugging', () => {
    const { lines, record, efi } = boot({}, { commandLine: 'efi=debug' });
    expect(lines.filter((line) => /mem\d\d: \[/.test(line))).toHaveLength(PLAIN_MAP.length + 6);
    expect(lines).toContain('efi: EFI runtime memory map:');
    expect(record.freed).toEqual([]);
    expect(efi.facilities.enabled('EFI_PRESERVE_BS_REGIONS')).toBe(true);
  });

  it('leaves services at their physical addresses with efi=novamap', () => {
    const { record, efi } = boot({}, { commandLine: 'efi=novamap' });
    expect(record.calls).toEqual([
      'reserveBootServices',
      'installPageTable',
      'freeBootServices',
      'installPageTable',
    ]);
    expect(efi.runtimeMap?.descriptors.every((one) => one.virtualStart === one.physicalStart)).toBe(
      true,
    );
    expect(record.pageTables[0]?.every(({ virt, phys }) => virt === BigInt(phys))).toBe(true);
  });

  it('adds the memory map to an E820 map when asked, or for specific-purpose memory', () => {
    const e820 = [{ start: 0n, size: 0x1000n, type: 1 }];
    expect(boot({}, { e820 }).e820).toEqual(e820);
    const added = boot({}, { e820, commandLine: 'add_efi_memmap' }).e820;
    expect(added).toHaveLength(4);
    const map = [...PLAIN_MAP, region(7, 0x1000_0000, 0x2000_0000, WB | MemoryAttribute.SP)];
    expect(boot({ map }, { e820 }).e820?.at(-1)).toMatchObject({ type: 0xefff_ffff });
    const plain = boot({ map }, { e820, commandLine: 'efi=nosoftreserve' });
    expect(plain.e820).toEqual(e820);
    expect(facilities(plain)).toContain('EFI_MEM_NO_SOFT_RESERVE');
  });
});

describe('the memory map', () => {
  it('loses what cannot be, with one line each', () => {
    const bad = { ...region(7, 0x1000, 0x2000), numberOfPages: 0n };
    const { lines, efi } = boot({ map: [bad, ...PLAIN_MAP] });
    expect(lines.slice(1, 4)).toEqual([
      'efi: [Firmware Bug]: Invalid EFI memory map entries:',
      'efi: mem00: [Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|  |  |  ] range=[0x0000000000001000-0x0000000000000fff] (invalid)',
      'efi: Removing 1 invalid memory map entries.',
    ]);
    expect(efi.memoryMap?.descriptors).toEqual(PLAIN_MAP);
  });

  it('is told where it contradicts itself', () => {
    const { lines } = boot({ map: [...PLAIN_MAP, region(2, 0x1f_f000, 0x20_1000)] });
    expect(lines).toContain('efi: [Firmware Bug]: mem08 and mem10 overlap');
  });

  it('that cannot be read is none', () => {
    const locate = (location: object) =>
      boot({ init: { locateMemoryMap: () => efiOk(location as never) } });
    for (const location of [
      { address: 0x7000_0000, size: 480, descriptorSize: 48 },
      { address: 0x13_0000, size: 480, descriptorSize: 39 },
      { address: 0x13_0000, size: 2 ** 40, descriptorSize: 48 },
    ]) {
      const report = locate(location);
      expect(report.lines[0]).toMatch(/^efi: Could not map the memory map! phys_map=0x/);
      expect(facilities(report)).toContain('EFI_RUNTIME_SERVICES');
      expect(report.efi.memoryMap).toBeUndefined();
    }
    const odd = locate({ address: 0x13_0000, size: 480, descriptorSize: 48, descriptorVersion: 2 });
    expect(odd.lines[0]).toBe('efi: Unexpected EFI_MEMORY_DESCRIPTOR version 2');
    expect(odd.efi.memoryMap?.descriptorVersion).toBe(2);
  });
});

describe('virtual mode', () => {
  it('that cannot be entered ends runtime services, not the boot', () => {
    const { lines, efi, record } = boot({
      init: { enterVirtualMode: () => efiFail(EfiStatus.UNSUPPORTED) },
    });
    expect(lines.at(-1)).toBe(
      'efi: Unable to switch EFI into virtual mode (status=8000000000000003)!',
    );
    expect(efi.facilities.enabled('EFI_RUNTIME_SERVICES')).toBe(false);
    expect(efi.runtimeMap).toBeUndefined();
    expect(record.freed).toEqual([]);
  });

  it('maps less than all when the window is too small', () => {
    const huge = {
      ...region(6, 0x1_0000_0000, 0x1_0000_1000, UC | RUNTIME),
      numberOfPages: (1n << 24n) + 1n,
    };
    const { lines, record } = boot({ map: [...PLAIN_MAP, huge] });
    expect(lines).toContain('efi: [Firmware Warn]: VA address range overflow!');
    expect(record.plans[0]?.map.descriptors).toHaveLength(6);
  });

  it('loses permissions that the memory attributes table says are not needed', () => {
    const { record, lines, efi } = boot({
      configuration: [[G.EFI_MEMORY_ATTRIBUTES_TABLE_GUID, MEMATTR_AT]],
      memory: new Map([[MEMATTR_AT, attributes]]),
    });
    expect(efi.facilities.enabled('EFI_MEM_ATTR')).toBe(true);
    expect(record.plans[0]?.mappings.every(({ writable }) => writable)).toBe(true);
    const code = record.pageTables[0]?.filter(({ phys }) => phys >= 0x10_0000 && phys < 0x11_0000);
    expect(code?.map((one) => [one.phys, one.writable, one.executable])).toEqual([
      [0x10_0000, true, false],
      [0x10_0000, true, false],
      [0x10_1000, false, true],
      [0x10_1000, false, true],
    ]);
    expect(lines).toContain('efi: memattr: Entry covers multiple EFI memory map regions: 0x10f000');
  });

  it('are kept with the region that the table lies in, and dumped when debugging', () => {
    const table = {
      configuration: [[G.EFI_MEMORY_ATTRIBUTES_TABLE_GUID, MEMATTR_AT]] as const,
      memory: new Map([[MEMATTR_AT, attributes]]),
    };
    const { record, efi } = boot(table);
    const home = efi.runtimeMap?.descriptors.find((one) => one.physicalStart === 0x14_0000n);
    expect(home?.attribute).toBe(WB | RUNTIME);
    expect(record.freed[0]?.map(({ physicalStart }) => physicalStart)).toEqual([0x18_0000n]);
    const { lines } = boot(table, { commandLine: 'efi=debug' });
    const at = lines.indexOf('efi: memattr: Processing EFI Memory Attributes table:');
    expect(lines.slice(at + 1, at + 3)).toEqual([
      'efi: memattr:  0x000000100000-0x000000100fff [Runtime Code|RUN|  |  |  |  |  |XP|  |  |  |   |  |  |  |  ]',
      'efi: memattr:  0x000000101000-0x00000010ffff [Runtime Code|RUN|  |  |  |  |  |  |  |  |RO|   |  |  |  |  ]',
    ]);
    expect(lines[at + 4]).toMatch(/^efi: memattr: ! 0x00000010f000-0x00000011ffff \[Runtime Data/);
  });
});

describe('the memory attributes table', () => {
  const withTable = (bytes: Uint8Array, fake: FakeOptions = {}) =>
    boot({
      configuration: [[G.EFI_MEMORY_ATTRIBUTES_TABLE_GUID, MEMATTR_AT]],
      memory: new Map([[MEMATTR_AT, bytes]]),
      ...fake,
    });
  const patched = (offset: number, value: number): Uint8Array => {
    const bytes = attributes.slice();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    return bytes;
  };

  it('is thrown away when it is corrupted', () => {
    for (const bytes of [patched(4, 1000), patched(4, 0xffff_ffff), patched(8, 8)]) {
      const { efi, lines } = withTable(bytes);
      expect(lines).toContain(
        'efi: [Firmware Bug]: Corrupted EFI Memory Attributes Table detected!',
      );
      expect(efi.memoryAttributes).toBeUndefined();
      expect(efi.facilities.enabled('EFI_MEM_ATTR')).toBe(false);
    }
  });

  it('is read in an unknown version, and not without a memory map', () => {
    const later = withTable(patched(0, 3));
    expect(later.lines).toContain('efi: memattr: Unexpected EFI Memory Attributes table version 3');
    expect(later.efi.memoryAttributes?.entries).toHaveLength(4);
    expect(withTable(attributes, { map: 'none' }).efi.memoryAttributes).toBeUndefined();
  });
});

describe('the RT properties table', () => {
  const mask = (bytes: Uint8Array): number =>
    boot({
      configuration: [[G.EFI_RT_PROPERTIES_TABLE_GUID, RTPROP_AT]],
      memory: new Map([[RTPROP_AT, bytes]]),
    }).efi.runtimeSupportedMask;

  it('takes services away and never adds any', () => {
    const table = { version: 1, length: 8, runtimeServicesSupported: 0xffff_f471 };
    expect(mask(EFI_RT_PROPERTIES_TABLE.encode(table))).toBe(0x3471);
    expect(mask(EFI_RT_PROPERTIES_TABLE.encode({ ...table, length: 4 }))).toBe(RT_SUPPORTED_ALL);
  });
});

describe('Secure Boot', () => {
  const mode = (values: Readonly<Record<string, number | EfiStatus>>): string => {
    const { efi } = boot({
      runtime: {
        getVariable: (name) => {
          const value = values[name ?? ''];
          if (typeof value === 'number')
            return efiOk({ attributes: 6, data: Uint8Array.of(value) });
          return efiFail(value ?? EfiStatus.NOT_FOUND);
        },
      },
    });
    return efi.secureBoot;
  };

  it('is what the variables say', () => {
    expect(mode({})).toBe('disabled');
    expect(mode({ SecureBoot: EfiStatus.DEVICE_ERROR })).toBe('unknown');
    expect(mode({ SecureBoot: 0, SetupMode: 0 })).toBe('disabled');
    expect(mode({ SecureBoot: 1, SetupMode: 1 })).toBe('disabled');
    expect(mode({ SecureBoot: 1 })).toBe('disabled');
    expect(mode({ SecureBoot: 1, SetupMode: EfiStatus.UNSUPPORTED })).toBe('unknown');
    expect(mode({ SecureBoot: 1, SetupMode: 0 })).toBe('enabled');
    expect(mode({ SecureBoot: 1, SetupMode: 0, MokSBStateRT: 1 })).toBe('disabled');
  });

  it('is not asked for where the RT properties table excludes GetVariable', () => {
    const table = { version: 1, length: 8, runtimeServicesSupported: 0x3fef };
    const { efi } = boot({
      configuration: [[G.EFI_RT_PROPERTIES_TABLE_GUID, RTPROP_AT]],
      memory: new Map([[RTPROP_AT, EFI_RT_PROPERTIES_TABLE.encode(table)]]),
    });
    expect(efi.secureBoot).toBe('unknown');
  });

  it('is what the loader said before', () => {
    const { lines, efi } = boot({}, { secureBoot: 'enabled', efi: createEfi() });
    expect(efi.secureBoot).toBe('enabled');
    expect(lines.at(-1)).toBe('secureboot: Secure boot enabled');
  });

  it('costs the runtime services of a firmware that faults over it', () => {
    const { efi, lines, record } = boot({
      runtime: { getVariable: () => efiFail(EfiStatus.ABORTED, { why: 'page fault at 0x8' }) },
    });
    expect(efi.facilities.enabled('EFI_RUNTIME_SERVICES')).toBe(false);
    expect(lines).toContain('efi: [Firmware Bug]: GetVariable: page fault at 0x8');
    expect(record.plans).toEqual([]);
  });
});
