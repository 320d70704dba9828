import { decoded } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { EFI_GUID } from '../guid.ts';
import type { Guid } from '../guid.ts';
import { defineStruct, POINTER } from '../struct.ts';
import type { Struct, Width } from '../struct.ts';

/** EFI_CONFIGURATION_TABLE (UEFI 2.10, section 4.6). */
export interface EfiConfigurationTable {
  readonly vendorGuid: Guid;
  /** Where the vendor's table is, physical for ever: SetVirtualAddressMap does not convert it. */
  readonly vendorTable: bigint;
}

export const EFI_CONFIGURATION_TABLE: Struct<EfiConfigurationTable> =
  defineStruct<EfiConfigurationTable>('EFI_CONFIGURATION_TABLE', 'UEFI 2.10, 4.6', {
    vendorGuid: EFI_GUID,
    vendorTable: POINTER,
  });

/** Reads `count` entries from `offset`; entries are 24 bytes on 64-bit firmware, 20 on 32-bit. */
export const decodeConfigurationTables = (
  bytes: Uint8Array,
  count: number,
  offset = 0,
  width: Width = 64,
): Decoded<readonly EfiConfigurationTable[]> => {
  const entries: EfiConfigurationTable[] = [];
  const step = EFI_CONFIGURATION_TABLE.size(width);
  for (let index = 0; index < count; index += 1) {
    const entry = EFI_CONFIGURATION_TABLE.decode(bytes, offset + index * step, width);
    if (!entry.ok) return entry;
    entries.push(entry.value);
  }
  return decoded(entries);
};

/** Address of the first table with this GUID; undefined when there is none. */
export const findConfigurationTable = (
  tables: readonly EfiConfigurationTable[],
  vendorGuid: Guid,
): bigint | undefined => tables.find((table) => table.vendorGuid === vendorGuid)?.vendorTable;
