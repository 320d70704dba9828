import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { defineStruct, nested, POINTER, UINT32, UINTN } from '../struct.ts';
import type { Struct, Width } from '../struct.ts';
import { EFI_SYSTEM_TABLE_SIGNATURE, EFI_TABLE_HEADER } from './header.ts';
import type { EfiTableHeader } from './header.ts';

/** EFI_SYSTEM_TABLE (UEFI 2.10, section 4.3); one shape for both widths, pointers raw. */
export interface EfiSystemTable {
  readonly hdr: EfiTableHeader;
  readonly firmwareVendor: bigint;
  readonly firmwareRevision: number;
  readonly consoleInHandle: bigint;
  readonly conIn: bigint;
  readonly consoleOutHandle: bigint;
  readonly conOut: bigint;
  readonly standardErrorHandle: bigint;
  readonly stdErr: bigint;
  readonly runtimeServices: bigint;
  readonly bootServices: bigint;
  readonly numberOfTableEntries: bigint;
  readonly configurationTable: bigint;
}

export const EFI_SYSTEM_TABLE: Struct<EfiSystemTable> = defineStruct<EfiSystemTable>(
  'EFI_SYSTEM_TABLE',
  'UEFI 2.10, 4.3',
  {
    hdr: nested(EFI_TABLE_HEADER),
    firmwareVendor: POINTER,
    firmwareRevision: UINT32,
    consoleInHandle: POINTER,
    conIn: POINTER,
    consoleOutHandle: POINTER,
    conOut: POINTER,
    standardErrorHandle: POINTER,
    stdErr: POINTER,
    runtimeServices: POINTER,
    bootServices: POINTER,
    numberOfTableEntries: UINTN,
    configurationTable: POINTER,
  },
);

/** Reads a system table and insists on its signature. The CRC is a separate question: `verifyEfiTableCrc`. */
export const decodeSystemTable = (
  bytes: Uint8Array,
  offset = 0,
  width: Width = 64,
): Decoded<EfiSystemTable> => {
  const table = EFI_SYSTEM_TABLE.decode(bytes, offset, width);
  if (!table.ok) return table;
  const { signature } = table.value.hdr;
  if (signature !== EFI_SYSTEM_TABLE_SIGNATURE) {
    return malformed(
      'EFI_SYSTEM_TABLE.hdr.signature',
      offset,
      `0x${EFI_SYSTEM_TABLE_SIGNATURE.toString(16)}`,
      `0x${signature.toString(16)}`,
    );
  }
  return decoded(table.value);
};
