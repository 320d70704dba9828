import {
  decodeChar16,
  decodeSystemTable,
  EFI_PAGE_SIZE,
  EFI_SYSTEM_TABLE,
  EFI_TABLE_HEADER,
  efiRevision,
  encodeChar16,
  splitEfiRevision,
  verifyEfiTableCrc,
} from '@systab/efi-core';
import type { MemoryOps } from '@systab/efi-core';
import { readFirmware } from './context.ts';
import type { InitContext } from './context.ts';

/** Bytes of vendor string to look for an end in. */
const VENDOR_LIMIT = 1024;
/** Characters the kernel prints of it. */
const VENDOR_PRINTED = 99;
const UNKNOWN_VENDOR = 'unknown';
/** Larger header sizes are garbage, not a table to sum up. */
const LARGEST_TABLE = 4096;
const EFI_1_10 = efiRevision(1, 10);

/** Asks the platform where the system table is. Sets EFI_BOOT and, by the pointer width, EFI_64BIT. */
export const locateSystemTable = ({ efi, tables, log }: InitContext): void => {
  const found = tables.init.locateSystemTable();
  if (!found.ok) {
    log.debug(`efi: no system table: ${found.why ?? 'not booted by EFI firmware'}`);
    return;
  }
  efi.systemTableAt = found.value.address;
  efi.width = found.value.width;
  efi.facilities.enable('EFI_BOOT', 'the platform found a system table');
  if (efi.width === 64) efi.facilities.enable('EFI_64BIT', 'the firmware is 64-bit');
};

/** The vendor string up to its terminator, page by page: the page behind it may not be there. Undefined when unreadable. */
const readVendor = (memory: MemoryOps, at: bigint): string | undefined => {
  let text = '';
  let from = at;
  const end = at + BigInt(VENDOR_LIMIT);
  while (from < end) {
    const page = BigInt(EFI_PAGE_SIZE);
    const stop = (from / page + 1n) * page;
    const length = Number((stop < end ? stop : end) - from);
    const bytes = readFirmware(memory, from, length);
    if (!bytes.ok) return text === '' ? undefined : text;
    text += decodeChar16(bytes.value);
    const terminator = text.indexOf('\0');
    if (terminator >= 0) return text.slice(0, terminator);
    from += BigInt(length);
  }
  return text;
};

/** As the kernel prints it: 99 characters, 8 bits of each. */
const printable = (vendor: string): string =>
  decodeChar16(
    encodeChar16(vendor.slice(0, VENDOR_PRINTED)).map((byte, at) => (at % 2 === 0 ? byte : 0)),
  );

/** `2.70`, `1.10`: the two parts of the revision word as decimal numbers. */
const kernelRevision = (revision: number): string => {
  const { major, minor } = splitEfiRevision(revision);
  return `${String(major)}.${String(minor).padStart(2, '0')}`;
};

const checkCrc = ({ efi, tables, log }: InitContext, headerSize: number): void => {
  const least = EFI_TABLE_HEADER.size();
  const sound = headerSize >= least && headerSize <= LARGEST_TABLE;
  const bytes = sound ? readFirmware(tables.memory, efi.systemTableAt ?? 0, headerSize) : undefined;
  const right = bytes?.ok === true ? verifyEfiTableCrc(bytes.value) : undefined;
  // No kernel looks at it, so it is told and nothing more.
  if (right?.ok !== true || !right.value)
    log.warn('efi: [Firmware Bug]: System table CRC is wrong');
};

/** Reads and judges the system table: signature, revision, vendor. Without a good one nothing more can be done. */
export const readSystemTable = (context: InitContext): void => {
  const { efi, tables, log } = context;
  if (efi.systemTableAt === undefined) return;
  const bytes = readFirmware(tables.memory, efi.systemTableAt, EFI_SYSTEM_TABLE.size(efi.width));
  if (!bytes.ok) {
    log.err("efi: Couldn't map the system table!");
    return;
  }
  const table = decodeSystemTable(bytes.value, 0, efi.width);
  if (!table.ok) {
    log.err('efi: System table signature incorrect!');
    return;
  }
  const { hdr, firmwareVendor } = table.value;
  efi.systemTable = table.value;
  efi.runtimeVersion = hdr.revision;
  checkCrc(context, hdr.headerSize);
  const version = kernelRevision(hdr.revision);
  if (splitEfiRevision(hdr.revision).major === 0) {
    log.warn(`efi: System table version ${version}, expected 1.00 or greater!`);
  }
  const vendor = firmwareVendor === 0n ? undefined : readVendor(tables.memory, firmwareVendor);
  if (vendor === undefined) log.err('efi: Could not map the firmware vendor!');
  efi.vendor = vendor ?? UNKNOWN_VENDOR;
  log.info(`efi: EFI v${version} by ${printable(efi.vendor)}`);
  // Apple's firmware says 2.x and hangs in the services that came with it.
  if (efi.width === 64 && vendor === 'Apple' && hdr.revision > EFI_1_10) {
    log.info('efi: Apple Mac detected, using EFI v1.10 runtime services only');
    efi.runtimeVersion = EFI_1_10;
  }
};
