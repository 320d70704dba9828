import {
  decodeConfigurationTables,
  decodeRtProperties,
  EFI_CONFIGURATION_TABLE,
  EFI_RT_PROPERTIES_TABLE,
  findConfigurationTable,
  physAddr,
  WellKnownGuid,
} from '@systab/efi-core';
import type { EfiConfigurationTable, Guid, PhysAddr } from '@systab/efi-core';
import { readFirmware } from './context.ts';
import type { InitContext } from './context.ts';

/** More entries than this are a garbage count. */
const MOST_ENTRIES = 4096n;

const G = WellKnownGuid;

/** Names the kernel prints, by table GUID. */
const NAMES: ReadonlyMap<Guid, string> = new Map([
  [G.EFI_ACPI_20_TABLE_GUID, 'ACPI 2.0'],
  [G.ACPI_TABLE_GUID, 'ACPI'],
  [G.SMBIOS_TABLE_GUID, 'SMBIOS'],
  [G.SMBIOS3_TABLE_GUID, 'SMBIOS 3.0'],
  [G.EFI_SYSTEM_RESOURCE_TABLE_GUID, 'ESRT'],
  [G.EFI_MEMORY_ATTRIBUTES_TABLE_GUID, 'MEMATTR'],
  [G.LINUX_EFI_RANDOM_SEED_TABLE_GUID, 'RNG'],
  [G.LINUX_EFI_TPM_EVENT_LOG_GUID, 'TPMEventLog'],
  [G.EFI_TCG2_FINAL_EVENTS_TABLE_GUID, 'TPMFinalLog'],
  [G.EFI_CC_FINAL_EVENTS_TABLE_GUID, 'CCFinalLog'],
  [G.LINUX_EFI_MEMRESERVE_TABLE_GUID, 'MEMRESERVE'],
  [G.LINUX_EFI_INITRD_MEDIA_GUID, 'INITRD'],
  [G.EFI_RT_PROPERTIES_TABLE_GUID, 'RTPROP'],
  [G.DELLEMC_EFI_RCI2_TABLE_GUID, 'RCI2'],
  [G.LINUX_EFI_MOK_VARIABLE_TABLE_GUID, 'MOKvar'],
  [G.LINUX_EFI_COCO_SECRET_AREA_GUID, 'CocoSecret'],
  [G.LINUX_EFI_UNACCEPTED_MEM_TABLE_GUID, 'Unaccepted'],
  [G.OVMF_MEMORY_LOG_TABLE_GUID, 'OvmfDebugLog'],
  [G.MPS_TABLE_GUID, 'MPS'],
  [G.HCDP_TABLE_GUID, 'HCDP'],
  [G.UGA_IO_PROTOCOL_GUID, 'UGA'],
  [G.UV_SYSTEM_TABLE_GUID, 'UVsystab'],
]);

/**
 * Reads the configuration tables, asks the platform about each and prints those with a name on one line. What the platform
 * does not adopt is printed as unusable and forgotten. Sets EFI_CONFIG_TABLES.
 */
export const readConfigurationTables = ({ efi, tables, log }: InitContext): void => {
  const { systemTable } = efi;
  if (systemTable === undefined) return;
  const { numberOfTableEntries: count, configurationTable } = systemTable;
  if (count > MOST_ENTRIES) {
    log.err(`efi: [Firmware Bug]: ${String(count)} configuration tables`);
    return;
  }
  const size = Number(count) * EFI_CONFIGURATION_TABLE.size(efi.width);
  const bytes = readFirmware(tables.memory, configurationTable, size);
  const all = bytes.ok
    ? decodeConfigurationTables(bytes.value, Number(count), 0, efi.width)
    : undefined;
  if (all?.ok !== true) {
    log.err('efi: Could not map Configuration table!');
    return;
  }
  const adopted: EfiConfigurationTable[] = [];
  const pieces: string[] = [];
  for (const table of all.value) {
    const usable = tables.init.adoptConfigurationTable(table);
    if (usable.ok) adopted.push(table);
    const name = NAMES.get(table.vendorGuid);
    if (name === undefined) continue;
    const piece = `${name}=0x${table.vendorTable.toString(16)}`;
    pieces.push(usable.ok ? piece : `(${piece} unusable)`);
  }
  if (pieces.length > 0) log.info(`efi: ${pieces.join(' ')}`);
  efi.configurationTables = adopted;
  efi.facilities.enable('EFI_CONFIG_TABLES', 'the configuration tables were read');
};

/** Where an adopted table is; undefined when there is none or its address is none. */
export const configurationTableAt = (
  { efi }: Pick<InitContext, 'efi'>,
  vendorGuid: Guid,
): PhysAddr | undefined => {
  const raw = findConfigurationTable(efi.configurationTables, vendorGuid);
  return raw === undefined || raw === 0n ? undefined : physAddr(raw);
};

/** Takes the services that the RT properties table excludes out of the supported mask (UEFI 2.10, section 4.6). */
export const applyRtProperties = (context: InitContext): void => {
  const { efi, tables, log } = context;
  const at = configurationTableAt(context, WellKnownGuid.EFI_RT_PROPERTIES_TABLE_GUID);
  if (at === undefined) return;
  const bytes = readFirmware(tables.memory, at, EFI_RT_PROPERTIES_TABLE.size());
  const table = bytes.ok ? decodeRtProperties(bytes.value) : undefined;
  if (table?.ok === true) efi.runtimeSupportedMask &= table.value.runtimeServicesSupported;
  // A longer table of a later version starts like this one; only an unreadable one is of no use.
  else log.warn('efi: Could not read the RT properties table');
};
