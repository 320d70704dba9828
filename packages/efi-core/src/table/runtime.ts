import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { defineStruct, nested, POINTER } from '../struct.ts';
import type { Struct, Width } from '../struct.ts';
import { EFI_TABLE_HEADER } from './header.ts';
import type { EfiTableHeader } from './header.ts';

/** Runtime services in table order (UEFI 2.10, section 4.5). */
export const RUNTIME_SERVICES = [
  'GetTime',
  'SetTime',
  'GetWakeupTime',
  'SetWakeupTime',
  'SetVirtualAddressMap',
  'ConvertPointer',
  'GetVariable',
  'GetNextVariableName',
  'SetVariable',
  'GetNextHighMonotonicCount',
  'ResetSystem',
  'UpdateCapsule',
  'QueryCapsuleCapabilities',
  'QueryVariableInfo',
] as const;

/** Name of a runtime service. */
export type RuntimeServiceName = (typeof RUNTIME_SERVICES)[number];

/** EFI_RUNTIME_SERVICES (UEFI 2.10, section 4.5): the header and one raw pointer per service. */
export type EfiRuntimeServicesTable = { readonly hdr: EfiTableHeader } & Readonly<
  Record<RuntimeServiceName, bigint>
>;

const pointers = Object.fromEntries(RUNTIME_SERVICES.map((name) => [name, POINTER])) as Record<
  RuntimeServiceName,
  typeof POINTER
>;

export const EFI_RUNTIME_SERVICES: Struct<EfiRuntimeServicesTable> =
  defineStruct<EfiRuntimeServicesTable>('EFI_RUNTIME_SERVICES', 'UEFI 2.10, 4.5', {
    hdr: nested(EFI_TABLE_HEADER),
    ...pointers,
  });

/** First revision word that has UpdateCapsule, QueryCapsuleCapabilities and QueryVariableInfo. */
export const EFI_2_00_REVISION = 0x0002_0000;

/**
 * Reads a runtime services table of any age: services beyond the size its header gives are 0n, as for EFI 1.10, whose
 * table ends with ResetSystem.
 */
export const decodeRuntimeServices = (
  bytes: Uint8Array,
  offset = 0,
  width: Width = 64,
): Decoded<EfiRuntimeServicesTable> => {
  const header = EFI_TABLE_HEADER.decode(bytes, offset, width);
  if (!header.ok) return header;
  const { headerSize } = header.value;
  const left = bytes.length - offset;
  if (headerSize < EFI_TABLE_HEADER.size(width) || headerSize > left) {
    return malformed(
      'EFI_RUNTIME_SERVICES.hdr.headerSize',
      offset + EFI_TABLE_HEADER.offsetOf('headerSize', width),
      `${String(EFI_TABLE_HEADER.size(width))} to ${String(left)}`,
      String(headerSize),
    );
  }
  const image = new Uint8Array(EFI_RUNTIME_SERVICES.size(width));
  image.set(bytes.subarray(offset, offset + Math.min(headerSize, image.length)));
  const table = EFI_RUNTIME_SERVICES.decode(image, 0, width);
  return table.ok ? decoded(table.value) : table;
};
