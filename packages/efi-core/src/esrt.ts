import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { EFI_GUID } from './guid.ts';
import type { Guid } from './guid.ts';
import { joinBytes } from './join-bytes.ts';
import { defineStruct, UINT32, UINT64 } from './struct.ts';
import type { Struct } from './struct.ts';

/** EFI_SYSTEM_RESOURCE_TABLE without its entries (UEFI 2.10, section 23.4). */
export interface EsrtHeader {
  readonly fwResourceCount: number;
  readonly fwResourceCountMax: number;
  readonly fwResourceVersion: bigint;
}

export const EFI_SYSTEM_RESOURCE_TABLE: Struct<EsrtHeader> = defineStruct<EsrtHeader>(
  'EFI_SYSTEM_RESOURCE_TABLE',
  'UEFI 2.10, 23.4',
  { fwResourceCount: UINT32, fwResourceCountMax: UINT32, fwResourceVersion: UINT64 },
);

/** EFI_SYSTEM_RESOURCE_ENTRY (UEFI 2.10, section 23.4). */
export interface EsrtEntry {
  readonly fwClass: Guid;
  /** 0 unknown, 1 system firmware, 2 device firmware, 3 UEFI driver. */
  readonly fwType: number;
  readonly fwVersion: number;
  readonly lowestSupportedFwVersion: number;
  readonly capsuleFlags: number;
  readonly lastAttemptVersion: number;
  /** 0 success, 1 failed, 2 resources, 3 version, 4 format, 5 authentication, 6 and 7 power. */
  readonly lastAttemptStatus: number;
}

export const EFI_SYSTEM_RESOURCE_ENTRY: Struct<EsrtEntry> = defineStruct<EsrtEntry>(
  'EFI_SYSTEM_RESOURCE_ENTRY',
  'UEFI 2.10, 23.4',
  {
    fwClass: EFI_GUID,
    fwType: UINT32,
    fwVersion: UINT32,
    lowestSupportedFwVersion: UINT32,
    capsuleFlags: UINT32,
    lastAttemptVersion: UINT32,
    lastAttemptStatus: UINT32,
  },
);

/** The only version there is. */
export const EFI_SYSTEM_RESOURCE_TABLE_FIRMWARE_RESOURCE_VERSION = 1n;

/** A resource table with its entries. */
export interface EsrtTable {
  readonly fwResourceCountMax: number;
  readonly fwResourceVersion: bigint;
  readonly entries: readonly EsrtEntry[];
}

/** Bytes a table takes once its header is known: header and 40 per entry. */
export const esrtSize = (count: number): number =>
  EFI_SYSTEM_RESOURCE_TABLE.size() + count * EFI_SYSTEM_RESOURCE_ENTRY.size();

/** Reads a table whole. Only version 1 has known entries; a count that the bytes cannot hold is an error. */
export const decodeEsrt = (bytes: Uint8Array, offset = 0): Decoded<EsrtTable> => {
  const head = EFI_SYSTEM_RESOURCE_TABLE.decode(bytes, offset);
  if (!head.ok) return head;
  const { fwResourceCount, fwResourceCountMax, fwResourceVersion } = head.value;
  if (fwResourceVersion !== EFI_SYSTEM_RESOURCE_TABLE_FIRMWARE_RESOURCE_VERSION) {
    return malformed(
      'EFI_SYSTEM_RESOURCE_TABLE.fwResourceVersion',
      offset + EFI_SYSTEM_RESOURCE_TABLE.offsetOf('fwResourceVersion'),
      '1',
      String(fwResourceVersion),
    );
  }
  const entries: EsrtEntry[] = [];
  for (let index = 0; index < fwResourceCount; index += 1) {
    const entry = EFI_SYSTEM_RESOURCE_ENTRY.decode(bytes, offset + esrtSize(index));
    if (!entry.ok) return entry;
    entries.push(entry.value);
  }
  return decoded({ fwResourceCountMax, fwResourceVersion, entries });
};

/** The bytes of a table. */
export const encodeEsrt = (table: EsrtTable): Uint8Array<ArrayBuffer> =>
  joinBytes([
    EFI_SYSTEM_RESOURCE_TABLE.encode({
      fwResourceCount: table.entries.length,
      fwResourceCountMax: table.fwResourceCountMax,
      fwResourceVersion: table.fwResourceVersion,
    }),
    ...table.entries.map((entry) => EFI_SYSTEM_RESOURCE_ENTRY.encode(entry)),
  ]);
