import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { decodeMemoryMap, EFI_MEMORY_DESCRIPTOR, encodeMemoryMap } from './memory-map.ts';
import type { MemoryDescriptor } from './memory-map.ts';
import { joinBytes } from './join-bytes.ts';
import { defineStruct, UINT32 } from './struct.ts';
import type { Struct } from './struct.ts';

/** EFI_MEMORY_ATTRIBUTES_TABLE without its entries (UEFI 2.10, section 4.6). */
export interface MemoryAttributesHeader {
  readonly version: number;
  readonly numberOfEntries: number;
  readonly descriptorSize: number;
  readonly flags: number;
}

export const EFI_MEMORY_ATTRIBUTES_TABLE: Struct<MemoryAttributesHeader> =
  defineStruct<MemoryAttributesHeader>('EFI_MEMORY_ATTRIBUTES_TABLE', 'UEFI 2.10, 4.6', {
    version: UINT32,
    numberOfEntries: UINT32,
    descriptorSize: UINT32,
    flags: UINT32,
  });

/** The highest version the specification defines. */
export const EFI_MEMORY_ATTRIBUTES_TABLE_VERSION = 2;
/** Flag: runtime code keeps to forward-edge control flow guards. */
export const EFI_MEMORY_ATTRIBUTES_FLAGS_RT_FORWARD_CONTROL_FLOW_GUARD = 0x1;

/** A memory attributes table with its entries. */
export interface MemoryAttributesTable {
  readonly version: number;
  readonly descriptorSize: number;
  readonly flags: number;
  /** Parts of runtime regions with the RO and XP each may have. */
  readonly entries: readonly MemoryDescriptor[];
}

/** Bytes a table takes once its header is known. */
export const memoryAttributesSize = (header: MemoryAttributesHeader): number =>
  EFI_MEMORY_ATTRIBUTES_TABLE.size() + header.numberOfEntries * header.descriptorSize;

/** Reads a table whole, stepping by its own descriptor size. An unknown version is read like the known ones; the caller judges. */
export const decodeMemoryAttributesTable = (
  bytes: Uint8Array,
  offset = 0,
): Decoded<MemoryAttributesTable> => {
  const head = EFI_MEMORY_ATTRIBUTES_TABLE.decode(bytes, offset);
  if (!head.ok) return head;
  const { version, numberOfEntries, descriptorSize, flags } = head.value;
  const end = offset + memoryAttributesSize(head.value);
  if (descriptorSize < EFI_MEMORY_DESCRIPTOR.size()) {
    return malformed(
      'EFI_MEMORY_ATTRIBUTES_TABLE.descriptorSize',
      offset + EFI_MEMORY_ATTRIBUTES_TABLE.offsetOf('descriptorSize'),
      `at least ${String(EFI_MEMORY_DESCRIPTOR.size())}`,
      String(descriptorSize),
    );
  }
  if (end > bytes.length) {
    return malformed(
      'EFI_MEMORY_ATTRIBUTES_TABLE.numberOfEntries',
      offset + EFI_MEMORY_ATTRIBUTES_TABLE.offsetOf('numberOfEntries'),
      `entries within ${String(bytes.length - offset)} bytes`,
      `${String(numberOfEntries)} of ${String(descriptorSize)} bytes`,
    );
  }
  const body = bytes.subarray(offset + EFI_MEMORY_ATTRIBUTES_TABLE.size(), end);
  const map = decodeMemoryMap(body, { descriptorSize });
  if (!map.ok) return map;
  return decoded({ version, descriptorSize, flags, entries: map.value.descriptors });
};

/** The bytes of a table. */
export const encodeMemoryAttributesTable = (
  table: MemoryAttributesTable,
): Uint8Array<ArrayBuffer> =>
  joinBytes([
    EFI_MEMORY_ATTRIBUTES_TABLE.encode({
      version: table.version,
      numberOfEntries: table.entries.length,
      descriptorSize: table.descriptorSize,
      flags: table.flags,
    }),
    encodeMemoryMap({
      descriptorSize: table.descriptorSize,
      descriptorVersion: 1,
      descriptors: table.entries,
    }),
  ]);
