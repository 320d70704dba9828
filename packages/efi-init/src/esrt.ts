import {
  decodeEsrt,
  EFI_SYSTEM_RESOURCE_TABLE,
  EFI_SYSTEM_RESOURCE_TABLE_FIRMWARE_RESOURCE_VERSION,
  esrtSize,
  isRuntimeDescriptor,
  MemoryType,
  memoryDescriptorEnd,
  WellKnownGuid,
} from '@systab/efi-core';
import type { MemoryType as Type } from '@systab/efi-core';
import { configurationTableAt } from './config-tables.ts';
import { readFirmware } from './context.ts';
import type { InitContext } from './context.ts';
import { reserveFirmwareMemory } from './reservation.ts';

/** More resources than this are a garbage count. */
const MOST_RESOURCES = 128;

/** Memory a firmware may keep the table in, besides what is marked RUNTIME. */
const HOMES: ReadonlySet<Type> = new Set<Type>([
  MemoryType.EfiBootServicesData,
  MemoryType.EfiRuntimeServicesData,
  MemoryType.EfiACPIReclaimMemory,
  MemoryType.EfiACPIMemoryNVS,
]);

/** An address as the kernel prints those of its own type for them. */
const place = (at: number): string => `0x${at.toString(16).padStart(16, '0')}`;

/** Reads the system resource table, where the memory it lies in is known and likely, and keeps that memory. */
export const readEsrt = (context: InitContext): void => {
  const { efi, tables, log } = context;
  const at = configurationTableAt(context, WellKnownGuid.EFI_SYSTEM_RESOURCE_TABLE_GUID);
  if (at === undefined) return;
  const home = tables.init.describeMemory(at, efi.memoryMap);
  if (!home.ok || !(isRuntimeDescriptor(home.value) || HOMES.has(home.value.type))) {
    log.warn('esrt: ESRT header is not in the memory map.');
    return;
  }
  const room = memoryDescriptorEnd(home.value) - BigInt(at);
  const headSize = EFI_SYSTEM_RESOURCE_TABLE.size();
  if (room < BigInt(headSize)) {
    log.err(
      `esrt: ESRT header doesn't fit on single memory map entry. (size: ${String(headSize)} max: ${String(room)})`,
    );
    return;
  }
  const head = readFirmware(tables.memory, at, headSize);
  const header = head.ok ? EFI_SYSTEM_RESOURCE_TABLE.decode(head.value) : undefined;
  if (header?.ok !== true) {
    log.err(`esrt: could not read the table at 0x${at.toString(16)}`);
    return;
  }
  const { fwResourceCount: count, fwResourceVersion: version } = header.value;
  if (version !== EFI_SYSTEM_RESOURCE_TABLE_FIRMWARE_RESOURCE_VERSION) {
    log.err(`esrt: Unsupported ESRT version ${String(version)}.`);
    return;
  }
  const size = esrtSize(count);
  if (count > MOST_RESOURCES) {
    log.err(`esrt: ESRT says fw_resource_count has very large value ${String(count)}.`);
    return;
  }
  if (BigInt(size) > room) {
    log.err(
      `esrt: ESRT does not fit on single memory map entry (size: ${String(size)} max: ${String(room)})`,
    );
    return;
  }
  const bytes = readFirmware(tables.memory, at, size);
  const table = bytes.ok ? decodeEsrt(bytes.value) : undefined;
  if (table?.ok !== true) {
    log.err(`esrt: could not read the table at 0x${at.toString(16)}`);
    return;
  }
  efi.esrt = table.value;
  log.info(`esrt: Reserving ESRT space from ${place(at)} to ${place(at + size)}.`);
  // Other memory stays by itself.
  if (home.value.type === MemoryType.EfiBootServicesData)
    reserveFirmwareMemory(context, { start: at, length: size }, 'ESRT');
};
