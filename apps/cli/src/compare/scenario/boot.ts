/** What initialisation leaves: facilities, system table, maps, configuration tables. */
import {
  findConfigurationTable,
  formatAddress,
  formatEfiRevision,
  memoryDescriptorEnd,
  memoryTypeName,
  physAddr,
  RuntimeSupported,
  RUNTIME_SERVICES,
  WellKnownGuid,
} from '@systab/efi-core';
import type { Guid, MemoryMap } from '@systab/efi-core';
import type { System } from '../../system.ts';
import { fact } from '../observation.ts';
import type { Observation } from '../observation.ts';
import { operations } from '../operation.ts';
import type { Operation } from '../operation.ts';

const mapText = (map: MemoryMap | undefined): Observation => {
  if (map === undefined) return fact(undefined);
  const entries = map.descriptors.map(
    (one) =>
      `${memoryTypeName(one.type)} ${formatAddress(one.physicalStart)}-${formatAddress(memoryDescriptorEnd(one))} ${formatAddress(one.attribute)}`,
  );
  return fact(entries.join('\n'), `${String(entries.length)} entries`);
};

const runtimeMapText = (map: MemoryMap | undefined): Observation => {
  if (map === undefined) return fact(undefined);
  const entries = map.descriptors.map(
    (one) => `${formatAddress(one.physicalStart)} -> ${formatAddress(one.virtualStart)}`,
  );
  return fact(entries.join('\n'), `${String(entries.length)} regions`);
};

const tableAt = ({ efi }: System, guid: Guid): bigint | undefined =>
  findConfigurationTable(efi.configurationTables, guid);

/** The first bytes of a table as text: they are anchors like `RSD PTR ` and `_SM_`. */
const anchor =
  (guid: Guid, length: number) =>
  (system: System): Observation => {
    const raw = tableAt(system, guid);
    const at = raw === undefined ? undefined : physAddr(raw);
    if (at === undefined) return fact(undefined);
    const bytes = system.platform.memory.read(at, length);
    return bytes.ok
      ? fact(new TextDecoder('latin1').decode(bytes.value))
      : { value: 'unreadable', ...(bytes.why === undefined ? {} : { why: bytes.why }) };
  };

export const BOOT_OPERATIONS: readonly Operation[] = operations('boot', [
  [
    'facilities',
    'facility flags',
    ({ efi }) =>
      fact(efi.facilities.list().join(' '), `${String(efi.facilities.list().length)} flags`),
  ],
  [
    'system-table',
    'system table',
    ({ efi }) =>
      fact(
        efi.systemTable === undefined
          ? undefined
          : `${efi.vendor ?? 'no vendor'}, EFI v${formatEfiRevision(efi.systemTable.hdr.revision)}, firmware revision ${formatAddress(efi.systemTable.firmwareRevision)}`,
        'yes',
      ),
  ],
  [
    'system-table-address',
    'system table at',
    ({ efi }) =>
      fact(efi.systemTableAt === undefined ? undefined : formatAddress(efi.systemTableAt)),
  ],
  [
    'runtime-pointer',
    'runtime services table at',
    ({ efi }) =>
      fact(
        efi.systemTable === undefined ? undefined : formatAddress(efi.systemTable.runtimeServices),
      ),
  ],
  ['memory-map', 'memory map', ({ efi }) => mapText(efi.memoryMap)],
  ['runtime-map', 'virtual addresses', ({ efi }) => runtimeMapText(efi.runtimeMap)],
  [
    'services',
    'services that may be called',
    ({ efi }) => {
      const names = RUNTIME_SERVICES.filter(
        (name) => (efi.runtimeSupportedMask & RuntimeSupported[name]) !== 0,
      );
      return fact(
        efi.facilities.enabled('EFI_RUNTIME_SERVICES') ? names.join(' ') : undefined,
        `${String(names.length)} of ${String(RUNTIME_SERVICES.length)}`,
      );
    },
  ],
  ['secure-boot', 'Secure Boot', ({ efi }) => fact(efi.secureBoot)],
]);

export const TABLE_OPERATIONS: readonly Operation[] = operations('tables', [
  [
    'list',
    'configuration tables',
    ({ efi }) =>
      fact(
        efi.configurationTables.map(({ vendorGuid }) => vendorGuid).join('\n'),
        `${String(efi.configurationTables.length)} tables`,
      ),
  ],
  [
    'addresses',
    'their addresses',
    ({ efi }) =>
      fact(
        efi.configurationTables.map(({ vendorTable }) => formatAddress(vendorTable)).join('\n'),
        `${String(efi.configurationTables.length)} tables`,
      ),
  ],
  ['acpi', 'ACPI 2.0 anchor', anchor(WellKnownGuid.EFI_ACPI_20_TABLE_GUID, 8)],
  ['smbios', 'SMBIOS anchor', anchor(WellKnownGuid.SMBIOS_TABLE_GUID, 4)],
  [
    'esrt',
    'ESRT',
    ({ efi }) =>
      fact(
        efi.esrt?.entries
          .map(({ fwClass, fwVersion }) => `${fwClass} ${String(fwVersion)}`)
          .join('\n'),
        `${String(efi.esrt?.entries.length ?? 0)} entries`,
      ),
  ],
  [
    'memory-attributes',
    'memory attributes table',
    ({ efi }) =>
      fact(
        efi.memoryAttributes?.entries
          .map(
            ({ physicalStart, attribute }) =>
              `${formatAddress(physicalStart)} ${formatAddress(attribute)}`,
          )
          .join('\n'),
        `${String(efi.memoryAttributes?.entries.length ?? 0)} entries`,
      ),
  ],
]);
