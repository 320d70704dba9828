import { defineStruct, nested, POINTER } from '../struct.ts';
import type { Struct } from '../struct.ts';
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
