import {
  decodeMemoryAttributesTable,
  EFI_MEMORY_ATTRIBUTES_TABLE,
  EFI_MEMORY_ATTRIBUTES_TABLE_VERSION,
  EFI_MEMORY_DESCRIPTOR,
  findMemoryDescriptor,
  isRuntimeDescriptor,
  isRuntimeServicesMemory,
  memoryAttributesSize,
  memoryDescriptorEnd,
  memoryDescriptorFaults,
  WellKnownGuid,
} from '@systab/efi-core';
import type { MemoryDescriptor, MemoryMap } from '@systab/efi-core';
import { configurationTableAt } from './config-tables.ts';
import { keepMemory, readFirmware } from './context.ts';
import type { InitContext } from './context.ts';

/** A table has at most this many times the bytes of the memory map it refines. */
const LARGEST_SHARE = 3;

/** Finds and judges the memory attributes table. Needs the memory map. Sets EFI_MEM_ATTR. */
export const readMemoryAttributes = (context: InitContext): void => {
  const { efi, tables, log } = context;
  const at = configurationTableAt(context, WellKnownGuid.EFI_MEMORY_ATTRIBUTES_TABLE_GUID);
  if (at === undefined || efi.memoryMap === undefined) return;
  const head = readFirmware(tables.memory, at, EFI_MEMORY_ATTRIBUTES_TABLE.size());
  const header = head.ok ? EFI_MEMORY_ATTRIBUTES_TABLE.decode(head.value) : undefined;
  if (header?.ok !== true) {
    log.err(`efi: memattr: Failed to map EFI Memory Attributes table @ 0x${at.toString(16)}`);
    return;
  }
  const { version, descriptorSize } = header.value;
  if (version > EFI_MEMORY_ATTRIBUTES_TABLE_VERSION) {
    log.warn(`efi: memattr: Unexpected EFI Memory Attributes table version ${String(version)}`);
  }
  const { descriptors, descriptorSize: step } = efi.memoryMap;
  const size = memoryAttributesSize(header.value);
  const most = LARGEST_SHARE * descriptors.length * step;
  const corrupted =
    descriptorSize < EFI_MEMORY_DESCRIPTOR.size() ||
    size - EFI_MEMORY_ATTRIBUTES_TABLE.size() > most;
  const bytes = corrupted ? undefined : readFirmware(tables.memory, at, size);
  const table = bytes?.ok === true ? decodeMemoryAttributesTable(bytes.value) : undefined;
  if (table?.ok !== true) {
    log.warn('efi: [Firmware Bug]: Corrupted EFI Memory Attributes Table detected!');
    return;
  }
  keepMemory(context, { start: at, length: size }, 'memory attributes table');
  efi.memoryAttributes = table.value;
  efi.facilities.enable('EFI_MEM_ATTR', 'a sound memory attributes table was found');
};

/** Why an entry of the table cannot be applied to a map; undefined when it can. */
export const memoryAttributesFault = (
  map: MemoryMap,
  entry: MemoryDescriptor,
): string | undefined => {
  if (!isRuntimeServicesMemory(entry.type)) return 'Entry type should be RuntimeServiceCode/Data';
  if (memoryDescriptorFaults(entry).length > 0) return 'Entry attributes invalid range';
  const covering = findMemoryDescriptor(
    { ...map, descriptors: map.descriptors.filter(isRuntimeDescriptor) },
    entry.physicalStart,
  );
  if (covering === undefined) return 'No matching entry found in the EFI memory map';
  if (memoryDescriptorEnd(entry) > memoryDescriptorEnd(covering)) {
    return 'Entry covers multiple EFI memory map regions';
  }
  return covering.type === entry.type
    ? undefined
    : 'Entry type deviates from EFI memory map region type';
};
