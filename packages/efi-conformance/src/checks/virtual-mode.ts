import {
  decodeRuntimeServices,
  decodeSystemTable,
  EFI_MEMORY_DESCRIPTOR_VERSION,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  encodeMemoryMap,
  formatEfiStatus,
  isRuntimeDescriptor,
  MemoryType,
  pagesFor,
  physAddr,
  RUNTIME_SERVICES,
} from '@systab/efi-core';
import type {
  EfiRuntimeServicesTable,
  EfiSystemTable,
  MemoryDescriptor,
  MemoryMap,
} from '@systab/efi-core';
import { EFI_VA_END, EFI_VA_START } from '@systab/efi-init';
import type { Check } from '../check.ts';
import { checksOf, NO_VIRTUAL_MAP, told, toldContent, yes } from '../check.ts';
import { start } from '../running.ts';
import type { Running } from '../running.ts';
import { bytes, get, set } from './own-variable.ts';

const { check } = checksOf('virtual mode', 'UEFI 2.10, 8.4.1', [
  'firmware tables',
  'memory map',
  'virtual mode',
]);

const LARGE_PAGE = 0x20_0000n;

const runtimeRegions = ({ efi }: Running): readonly MemoryDescriptor[] =>
  (efi.runtimeMap?.descriptors ?? []).filter((one) => isRuntimeDescriptor(one));

/** The physical address behind a virtual one. */
const behind = (running: Running, address: bigint): bigint | undefined => {
  const region = runtimeRegions(running).find(
    ({ virtualStart, numberOfPages }) =>
      address >= virtualStart && address < virtualStart + numberOfPages * 4096n,
  );
  return region && region.physicalStart + (address - region.virtualStart);
};

const readAt = ({ tables }: Running, at: bigint | undefined, length: number): Uint8Array => {
  const from = at === undefined ? undefined : physAddr(at);
  const found = from === undefined ? undefined : tables.memory.read(from, length);
  return found?.ok === true ? found.value : new Uint8Array(length);
};

/** The system table as it is now, not as it was when initialisation read it. */
const systemTable = (running: Running): EfiSystemTable | undefined => {
  const { width, systemTableAt = 0 } = running.efi;
  const image = readAt(running, BigInt(systemTableAt), EFI_SYSTEM_TABLE.size(width));
  const table = decodeSystemTable(image, 0, width);
  return table.ok ? table.value : undefined;
};

const runtimeServices = (running: Running): EfiRuntimeServicesTable | undefined => {
  const { width } = running.efi;
  const at = behind(running, systemTable(running)?.runtimeServices ?? 0n);
  const image = readAt(running, at, EFI_RUNTIME_SERVICES.size(width));
  const table = decodeRuntimeServices(image, 0, width);
  return table.ok ? table.value : undefined;
};

const isCode = (running: Running, address: bigint): boolean =>
  runtimeRegions(running).some(
    ({ type, virtualStart, numberOfPages }) =>
      type === MemoryType.EfiRuntimeServicesCode &&
      address >= virtualStart &&
      address < virtualStart + numberOfPages * 4096n,
  );

/** Calls SetVirtualAddressMap by itself, with a map in memory. */
const setVirtualAddressMap = (
  { tables }: Running,
  map: MemoryMap,
  shape: { readonly size?: number; readonly version?: number } = {},
): string => {
  const image = encodeMemoryMap(map);
  const pages = tables.memory.allocatePages({
    pages: Math.max(1, pagesFor(image.length)),
    below: 1n << 32n,
  });
  if (!pages.ok) return told(pages);
  tables.memory.write(pages.value, image);
  const outcome = tables.call.call('SetVirtualAddressMap', [
    BigInt(image.length),
    BigInt(shape.size ?? map.descriptorSize),
    BigInt(shape.version ?? EFI_MEMORY_DESCRIPTOR_VERSION),
    BigInt(pages.value),
  ]);
  return outcome.kind === 'returned' ? formatEfiStatus(outcome.status) : outcome.kind;
};

const NO_MAP: MemoryMap = { descriptorSize: 48, descriptorVersion: 1, descriptors: [] };

/** Services kept at their addresses, as after `efi=novamap`. */
const identity = ({ efi }: Running): MemoryMap => {
  const map = efi.runtimeMap ?? NO_MAP;
  return {
    ...map,
    descriptors: map.descriptors
      .filter((one) => isRuntimeDescriptor(one))
      .map((one) => ({ ...one, virtualStart: one.physicalStart })),
  };
};

export const VIRTUAL_MODE: readonly Check[] = [
  check(
    'every runtime region has an address',
    (running) => {
      const regions = runtimeRegions(running);
      const wide = running.efi.width === 64;
      return {
        regions: yes(regions.length > 0),
        'in the window of wide firmware, in place for narrow': yes(
          regions.every(({ physicalStart, virtualStart }) =>
            wide
              ? virtualStart >= EFI_VA_END && virtualStart < EFI_VA_START
              : virtualStart === physicalStart,
          ),
        ),
        'as far into a large page as it is': yes(
          regions.every(
            ({ physicalStart, virtualStart }) =>
              physicalStart % LARGE_PAGE === virtualStart % LARGE_PAGE,
          ),
        ),
      };
    },
    {
      regions: 'yes',
      'in the window of wide firmware, in place for narrow': 'yes',
      'as far into a large page as it is': 'yes',
    },
    { commandLines: [''] },
  ),
  check(
    'the tables have followed',
    (running) => {
      const before = running.efi.systemTable;
      const after = systemTable(running);
      const services = runtimeServices(running);
      const follows = (was: bigint | undefined, is: bigint | undefined): string =>
        yes(was !== undefined && is !== undefined && behind(running, is) === was);
      return {
        RuntimeServices: follows(before?.runtimeServices, after?.runtimeServices),
        ConfigurationTable: follows(before?.configurationTable, after?.configurationTable),
        FirmwareVendor: follows(before?.firmwareVendor, after?.firmwareVendor),
        // Neither can be used any more, and EDK II leaves both as they were.
        'services outside of runtime code': RUNTIME_SERVICES.filter(
          (name) => name !== 'SetVirtualAddressMap' && name !== 'ConvertPointer',
        )
          .filter((name) => !isCode(running, services?.[name] ?? 0n))
          .join(),
      };
    },
    {
      RuntimeServices: 'yes',
      ConfigurationTable: 'yes',
      FirmwareVendor: 'yes',
      'services outside of runtime code': '',
    },
    { commandLines: [''] },
  ),
  check(
    'SetVirtualAddressMap once only',
    (running) => ({
      again: setVirtualAddressMap(running, identity(running)),
      time: told(running.services.getTime()),
    }),
    { again: 'EFI_UNSUPPORTED', time: 'EFI_SUCCESS' },
    { commandLines: [''], needs: ['GetTime'] },
  ),
  ...(
    [
      ['a map of another version', { version: 2 }],
      ['descriptors that are too short', { size: 32 }],
    ] as const
  ).map(([what, shape]) =>
    check(
      what,
      (running) => ({
        call: setVirtualAddressMap(running, identity(running), shape),
        time: told(running.services.getTime()),
      }),
      { call: 'EFI_INVALID_PARAMETER', time: 'EFI_SUCCESS' },
      { commandLines: [NO_VIRTUAL_MAP], needs: ['GetTime'] },
    ),
  ),
  check(
    'a map without the regions of the firmware',
    (running) => ({
      call: setVirtualAddressMap(running, NO_MAP),
    }),
    { call: 'EFI_NO_MAPPING' },
    { commandLines: [NO_VIRTUAL_MAP] },
  ),
  check(
    'a map with a region that nobody knows',
    (running) => {
      const map = identity(running);
      const [first] = map.descriptors;
      const unknown = first && {
        ...first,
        physicalStart: 0xf000_0000n,
        virtualStart: 0xf000_0000n,
        numberOfPages: 1n,
      };
      const descriptors = unknown ? [...map.descriptors, unknown] : [];
      return { call: setVirtualAddressMap(running, { ...map, descriptors }) };
    },
    { call: 'EFI_NOT_FOUND' },
    { commandLines: [NO_VIRTUAL_MAP] },
  ),
  check(
    'the firmware stays where it is if asked to',
    (running) => {
      const before = running.efi.systemTable;
      const after = systemTable(running);
      return {
        'no region moves': yes(
          runtimeRegions(running).every(
            ({ physicalStart, virtualStart }) => physicalStart === virtualStart,
          ),
        ),
        RuntimeServices: yes(before?.runtimeServices === after?.runtimeServices),
        time: told(running.services.getTime()),
      };
    },
    { 'no region moves': 'yes', RuntimeServices: 'yes', time: 'EFI_SUCCESS' },
    { commandLines: [NO_VIRTUAL_MAP], needs: ['GetTime'] },
  ),
  check(
    'services keep what they had at physical addresses',
    (physical) => {
      const { services } = physical;
      const written = told(set(services, 'Before', bytes(1, 2)));
      const info = services.queryVariableInfo(7);
      const virtual = start(physical.system);
      const infoAfter = virtual.services.queryVariableInfo(7);
      return {
        written,
        moved: yes(
          virtual.efi.width === 32 ||
            systemTable(virtual)?.runtimeServices !== physical.efi.systemTable?.runtimeServices,
        ),
        read: toldContent(get(virtual.services, 'Before')),
        'the same space': yes(
          info.ok &&
            infoAfter.ok &&
            info.value.remainingVariableStorageSize ===
              infoAfter.value.remainingVariableStorageSize,
        ),
        replace: told(set(virtual.services, 'Before', bytes(3))),
        'read again': toldContent(get(virtual.services, 'Before')),
      };
    },
    {
      written: 'EFI_SUCCESS',
      moved: 'yes',
      read: '7: 0102',
      'the same space': 'yes',
      replace: 'EFI_SUCCESS',
      'read again': '7: 03',
    },
    {
      commandLines: [NO_VIRTUAL_MAP],
      needs: ['GetVariable', 'SetVariable', 'QueryVariableInfo'],
    },
  ),
];
