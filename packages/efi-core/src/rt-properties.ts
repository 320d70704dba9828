import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { defineStruct, UINT16, UINT32 } from './struct.ts';
import type { Struct } from './struct.ts';
import { RUNTIME_SERVICES } from './table/runtime.ts';
import type { RuntimeServiceName } from './table/runtime.ts';

/** EFI_RT_PROPERTIES_TABLE (UEFI 2.10, section 4.6). */
export interface RtPropertiesTable {
  readonly version: number;
  readonly length: number;
  /** Bits of `RuntimeSupported`: the services that may answer something else than EFI_UNSUPPORTED. */
  readonly runtimeServicesSupported: number;
}

export const EFI_RT_PROPERTIES_TABLE: Struct<RtPropertiesTable> = defineStruct<RtPropertiesTable>(
  'EFI_RT_PROPERTIES_TABLE',
  'UEFI 2.10, 4.6',
  { version: UINT16, length: UINT16, runtimeServicesSupported: UINT32 },
);

// Bit 0 first. Not the order of the services table: the variable services come before the virtual mode ones.
const BIT_ORDER: readonly RuntimeServiceName[] = [
  'GetTime',
  'SetTime',
  'GetWakeupTime',
  'SetWakeupTime',
  'GetVariable',
  'GetNextVariableName',
  'SetVariable',
  'SetVirtualAddressMap',
  'ConvertPointer',
  'GetNextHighMonotonicCount',
  'ResetSystem',
  'UpdateCapsule',
  'QueryCapsuleCapabilities',
  'QueryVariableInfo',
];

/** Mask bit of each runtime service: EFI_RT_SUPPORTED_* (UEFI 2.10, section 4.6). */
export const RuntimeSupported: Readonly<Record<RuntimeServiceName, number>> = Object.freeze(
  Object.fromEntries(BIT_ORDER.map((name, bit) => [name, 1 << bit])) as Record<
    RuntimeServiceName,
    number
  >,
);

/** Every runtime service supported: what holds without a table. */
export const RT_SUPPORTED_ALL: number = (1 << BIT_ORDER.length) - 1;

/** Services a mask allows, in table order. */
export const supportedServices = (mask: number): readonly RuntimeServiceName[] =>
  RUNTIME_SERVICES.filter((name) => (mask & RuntimeSupported[name]) !== 0);

/** Reads a table; the length it claims must be at least 8. */
export const decodeRtProperties = (bytes: Uint8Array, offset = 0): Decoded<RtPropertiesTable> => {
  const table = EFI_RT_PROPERTIES_TABLE.decode(bytes, offset);
  if (!table.ok) return table;
  if (table.value.length < EFI_RT_PROPERTIES_TABLE.size()) {
    return malformed(
      'EFI_RT_PROPERTIES_TABLE.length',
      offset + EFI_RT_PROPERTIES_TABLE.offsetOf('length'),
      'at least 8',
      String(table.value.length),
    );
  }
  return decoded(table.value);
};
