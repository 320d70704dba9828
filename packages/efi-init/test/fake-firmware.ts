import {
  bindPlatform,
  EFI_CONFIGURATION_TABLE,
  EFI_DONE,
  EFI_SYSTEM_TABLE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  efiFail,
  efiOk,
  EfiStatus,
  encodeChar16Z,
  encodeMemoryMap,
  MemoryAttribute,
  MemoryType,
  physAddr,
  sealEfiTable,
} from '@systab/efi-core';
import type {
  BoundPlatform,
  EfiInitOps,
  EfiRuntimeOps,
  EfiSystemTable,
  Guid,
  MemoryDescriptor,
  MemoryOps,
  PageMapping,
  PhysAddr,
  PhysRange,
  VirtualModePlan,
  Width,
} from '@systab/efi-core';

export const { UC, WB, RUNTIME } = MemoryAttribute;

export const at = (raw: number): PhysAddr => {
  const address = physAddr(raw);
  if (address === undefined) throw new Error('bad test address');
  return address;
};

/** One descriptor; `start` and `end` in bytes, the end excluded. */
export const region = (
  type: number,
  start: number,
  end: number,
  attribute: bigint = WB,
): MemoryDescriptor => ({
  type,
  physicalStart: BigInt(start),
  virtualStart: 0n,
  numberOfPages: BigInt((end - start) / 4096),
  attribute,
});

/** 2 MiB of memory with every interesting type; tables live in runtime data at 0x110000, boot data at 0x140000. */
export const PLAIN_MAP: readonly MemoryDescriptor[] = [
  region(MemoryType.EfiBootServicesCode, 0, 0x1000),
  region(MemoryType.EfiConventionalMemory, 0x1000, 0xa_0000),
  region(MemoryType.EfiRuntimeServicesCode, 0x10_0000, 0x11_0000, WB | RUNTIME),
  region(MemoryType.EfiRuntimeServicesData, 0x11_0000, 0x12_0000, WB | RUNTIME),
  region(MemoryType.EfiACPIReclaimMemory, 0x12_0000, 0x13_0000),
  region(MemoryType.EfiLoaderData, 0x13_0000, 0x14_0000),
  region(MemoryType.EfiBootServicesData, 0x14_0000, 0x18_0000),
  region(MemoryType.EfiBootServicesCode, 0x18_0000, 0x19_0000),
  region(MemoryType.EfiConventionalMemory, 0x19_0000, 0x20_0000),
  region(MemoryType.EfiMemoryMappedIO, 0xffc0_0000, 0x1_0000_0000, UC | RUNTIME),
];

export const SYSTEM_TABLE_AT = 0x11_0000;
const VENDOR_AT = 0x11_0200;
const CONFIG_AT = 0x11_0400;
const MAP_AT = 0x13_0000;
const SIZE = 0x20_0000;

export interface FakeOptions {
  readonly width?: Width;
  readonly vendor?: string;
  readonly revision?: number;
  readonly map?: readonly MemoryDescriptor[] | 'none';
  readonly descriptorSize?: number;
  readonly configuration?: readonly (readonly [Guid, number])[];
  /** Bytes by address, written last. */
  readonly memory?: ReadonlyMap<number, Uint8Array>;
  readonly systemTable?: Partial<EfiSystemTable>;
  readonly init?: Partial<EfiInitOps>;
  readonly runtime?: Partial<EfiRuntimeOps>;
  readonly wrongCrc?: boolean;
}

/** What the platform was asked to do. */
export interface Asked {
  readonly reserved: { readonly range: PhysRange; readonly why: string }[];
  readonly calls: string[];
  readonly plans: VirtualModePlan[];
  readonly pageTables: (readonly PageMapping[])[];
  readonly freed: (readonly MemoryDescriptor[])[];
  /** Early mappings that were not taken back. */
  readonly mapped: Set<string>;
}

/** A platform whose firmware left these tables in memory. */
export const fakePlatform = (
  options: FakeOptions = {},
): { readonly tables: BoundPlatform; readonly record: Asked; readonly bytes: Uint8Array } => {
  const { width = 64, vendor = 'EDK II', revision = 0x0002_0046, map = PLAIN_MAP } = options;
  const { configuration = [], descriptorSize = 48 } = options;
  const bytes = new Uint8Array(SIZE);
  bytes.set(encodeChar16Z(vendor), VENDOR_AT);
  configuration.forEach(([vendorGuid, address], index) => {
    const entry = EFI_CONFIGURATION_TABLE.encode(
      { vendorGuid, vendorTable: BigInt(address) },
      width,
    );
    bytes.set(entry, CONFIG_AT + index * entry.length);
  });
  const image = EFI_SYSTEM_TABLE.encode(
    {
      hdr: {
        signature: EFI_SYSTEM_TABLE_SIGNATURE,
        revision,
        headerSize: EFI_SYSTEM_TABLE.size(width),
        crc32: 0,
        reserved: 0,
      },
      firmwareVendor: BigInt(VENDOR_AT),
      firmwareRevision: 0x1_0000,
      consoleInHandle: 0n,
      conIn: 0n,
      consoleOutHandle: 0n,
      conOut: 0n,
      standardErrorHandle: 0n,
      stdErr: 0n,
      runtimeServices: 0x11_1000n,
      bootServices: 0n,
      numberOfTableEntries: BigInt(configuration.length),
      configurationTable: BigInt(CONFIG_AT),
      ...options.systemTable,
    },
    width,
  );
  const sealed = sealEfiTable(image);
  bytes.set(sealed.ok && options.wrongCrc !== true ? sealed.value : image, SYSTEM_TABLE_AT);
  const descriptors = map === 'none' ? [] : map;
  const mapBytes = encodeMemoryMap({ descriptorSize, descriptorVersion: 1, descriptors });
  bytes.set(mapBytes, MAP_AT);
  for (const [address, data] of options.memory ?? []) bytes.set(data, address);

  const record: Asked = {
    reserved: [],
    calls: [],
    plans: [],
    pageTables: [],
    freed: [],
    mapped: new Set(),
  };
  const key = ({ start, length }: PhysRange): string => `${String(start)}+${String(length)}`;
  const memory: Partial<MemoryOps> = {
    read: (start, length) =>
      start + length <= bytes.length
        ? efiOk(bytes.slice(start, start + length))
        : efiFail(EfiStatus.INVALID_PARAMETER),
    earlyMap: (range) => {
      record.mapped.add(key(range));
      return EFI_DONE;
    },
    earlyUnmap: (range) => {
      record.mapped.delete(key(range));
      return EFI_DONE;
    },
    installPageTable: (mappings) => {
      record.calls.push('installPageTable');
      record.pageTables.push(mappings);
      return EFI_DONE;
    },
  };
  const init: Partial<EfiInitOps> = {
    locateSystemTable: () => efiOk({ address: at(SYSTEM_TABLE_AT), width }),
    ...(map === 'none'
      ? {}
      : {
          locateMemoryMap: () =>
            efiOk({ address: at(MAP_AT), size: mapBytes.length, descriptorSize }),
        }),
    reserveMemory: (range, why) => {
      record.reserved.push({ range, why });
      return EFI_DONE;
    },
    reserveBootServices: () => {
      record.calls.push('reserveBootServices');
      return EFI_DONE;
    },
    enterVirtualMode: (plan) => {
      record.calls.push('enterVirtualMode');
      record.plans.push(plan);
      return EFI_DONE;
    },
    freeBootServices: (freeing) => {
      record.calls.push('freeBootServices');
      record.freed.push(freeing.descriptors);
      return EFI_DONE;
    },
    ...options.init,
  };
  const tables = bindPlatform({
    name: 'fake',
    detect: () => 1,
    memory: () => memory,
    runtime: () => ({ getVariable: () => efiFail(EfiStatus.NOT_FOUND), ...options.runtime }),
    init: () => init,
  });
  return { tables, record, bytes };
};
