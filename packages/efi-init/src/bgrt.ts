import {
  ACPI_BGRT,
  ACPI_RSDP_2,
  ACPI_TABLE_HEADER,
  bgrtFaults,
  decodeAcpiRsdp,
  MemoryType,
  viewOf,
  WellKnownGuid,
} from '@systab/efi-core';
import type { Bgrt, PhysAddr } from '@systab/efi-core';
import { configurationTableAt } from './config-tables.ts';
import { firmwarePointer, readFirmware } from './context.ts';
import type { InitContext } from './context.ts';
import { reserveFirmwareMemory } from './reservation.ts';

/** Bytes; a root table that claims more is garbage. */
const LARGEST_ROOT = 0x1_0000;
/** File header of a bitmap: "BM", then the size of the file. */
const BITMAP_HEADER = 6;
const BITMAP_SIGNATURE = 0x4d42;

/** Addresses of all tables the root pointer leads to; none when something on the way is no table. */
const acpiTables = (context: InitContext): readonly PhysAddr[] => {
  const { memory } = context.tables;
  const at =
    configurationTableAt(context, WellKnownGuid.EFI_ACPI_20_TABLE_GUID) ??
    configurationTableAt(context, WellKnownGuid.ACPI_TABLE_GUID);
  if (at === undefined) return [];
  const bytes = readFirmware(memory, at, ACPI_RSDP_2.size());
  const rsdp = bytes.ok ? decodeAcpiRsdp(bytes.value) : undefined;
  if (rsdp?.ok !== true) return [];
  const { xsdtAddress = 0n, rsdtAddress } = rsdp.value;
  const wide = xsdtAddress !== 0n;
  const root = wide ? xsdtAddress : BigInt(rsdtAddress);
  const head = readFirmware(memory, root, ACPI_TABLE_HEADER.size());
  const header = head.ok ? ACPI_TABLE_HEADER.decode(head.value) : undefined;
  if (header?.ok !== true || header.value.signature !== (wide ? 'XSDT' : 'RSDT')) return [];
  const { length } = header.value;
  const whole = length > LARGEST_ROOT ? undefined : readFirmware(memory, root, length);
  if (whole?.ok !== true) return [];
  const view = viewOf(whole.value);
  const step = wide ? 8 : 4;
  const pointers: PhysAddr[] = [];
  for (let offset = ACPI_TABLE_HEADER.size(); offset + step <= length; offset += step) {
    const raw = wide ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true));
    const pointer = firmwarePointer(raw);
    if (pointer !== undefined) pointers.push(pointer);
  }
  return pointers;
};

const findBgrt = (context: InitContext): Bgrt | undefined => {
  for (const at of acpiTables(context)) {
    const bytes = readFirmware(context.tables.memory, at, ACPI_BGRT.size());
    const table = bytes.ok ? ACPI_BGRT.decode(bytes.value) : undefined;
    if (table?.ok === true && table.value.header.signature === 'BGRT') return table.value;
  }
  return undefined;
};

/** Finds the logo the firmware showed and keeps its memory. Only an image in boot services memory is believed. */
export const readBgrt = (context: InitContext): void => {
  const { efi, tables, log } = context;
  if (efi.memoryMap === undefined) return;
  const table = findBgrt(context);
  if (table === undefined) return;
  const faults = bgrtFaults(table);
  if (faults.length > 0) {
    log.info(`efi_bgrt: Ignoring BGRT: ${faults.join(', ')}`);
    return;
  }
  const at = firmwarePointer(table.imageAddress);
  const home = at === undefined ? undefined : tables.init.describeMemory(at, efi.memoryMap);
  if (at === undefined || home?.ok !== true || home.value.type !== MemoryType.EfiBootServicesData) {
    log.info('efi_bgrt: Ignoring BGRT: invalid image address');
    return;
  }
  const head = readFirmware(tables.memory, at, BITMAP_HEADER);
  const view = head.ok ? viewOf(head.value) : undefined;
  if (view?.getUint16(0, true) !== BITMAP_SIGNATURE) {
    log.info('efi_bgrt: Ignoring BGRT: Incorrect BMP magic number');
    return;
  }
  const size = view.getUint32(2, true);
  context.bgrt = { table, size };
  reserveFirmwareMemory(context, { start: at, length: size }, 'BGRT image');
};
