import { byteSum } from './byte-sum.ts';
import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { asciiArray, byteArray, defineStruct, UINT16, UINT32, UINT64, UINT8 } from './struct.ts';
import type { Struct } from './struct.ts';

/** SMBIOS 2.1 entry point (DSP0134 3.7, section 5.2.1). */
export interface SmbiosEntryPoint {
  readonly anchor: string;
  readonly checksum: number;
  /** Bytes of this structure, 0x1f. */
  readonly length: number;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly maximumStructureSize: number;
  readonly entryPointRevision: number;
  readonly formattedArea: Uint8Array;
  readonly intermediateAnchor: string;
  readonly intermediateChecksum: number;
  readonly structureTableLength: number;
  readonly structureTableAddress: number;
  readonly numberOfStructures: number;
  readonly bcdRevision: number;
}

export const SMBIOS_ENTRY_POINT: Struct<SmbiosEntryPoint> = defineStruct<SmbiosEntryPoint>(
  'SMBIOS entry point',
  'DSP0134 3.7, 5.2.1',
  {
    anchor: asciiArray(4),
    checksum: UINT8,
    length: UINT8,
    majorVersion: UINT8,
    minorVersion: UINT8,
    maximumStructureSize: UINT16,
    entryPointRevision: UINT8,
    formattedArea: byteArray(5),
    intermediateAnchor: asciiArray(5),
    intermediateChecksum: UINT8,
    structureTableLength: UINT16,
    structureTableAddress: UINT32,
    numberOfStructures: UINT16,
    bcdRevision: UINT8,
  },
  { packed: true },
);

/** SMBIOS 3.0 entry point (DSP0134 3.7, section 5.2.2). */
export interface Smbios3EntryPoint {
  readonly anchor: string;
  readonly checksum: number;
  /** Bytes of this structure, 0x18. */
  readonly length: number;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly docRevision: number;
  readonly entryPointRevision: number;
  readonly reserved: number;
  readonly structureTableMaximumSize: number;
  readonly structureTableAddress: bigint;
}

export const SMBIOS3_ENTRY_POINT: Struct<Smbios3EntryPoint> = defineStruct<Smbios3EntryPoint>(
  'SMBIOS 3 entry point',
  'DSP0134 3.7, 5.2.2',
  {
    anchor: asciiArray(5),
    checksum: UINT8,
    length: UINT8,
    majorVersion: UINT8,
    minorVersion: UINT8,
    docRevision: UINT8,
    entryPointRevision: UINT8,
    reserved: UINT8,
    structureTableMaximumSize: UINT32,
    structureTableAddress: UINT64,
  },
  { packed: true },
);

/** What either entry point says. */
export interface SmbiosAnchor {
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly tableAddress: bigint;
  /** Bytes; an upper bound in version 3. */
  readonly tableLength: number;
}

const SMBIOS2_ANCHOR = '_SM_';
const SMBIOS3_ANCHOR = '_SM3_';

const checked = (
  name: string,
  bytes: Uint8Array,
  offset: number,
  length: number,
  least: number,
): Decoded<true> => {
  const left = bytes.length - offset;
  if (length < least || length > left) {
    return malformed(
      `${name} length`,
      offset,
      `${String(least)} to ${String(left)}`,
      String(length),
    );
  }
  const sum = byteSum(bytes.subarray(offset, offset + length));
  return sum === 0
    ? decoded(true)
    : malformed(`${name} checksum`, offset, 'bytes that add up to 0', `0x${sum.toString(16)}`);
};

/** Reads an entry point of either kind and checks anchor, length and checksum. */
export const decodeSmbiosAnchor = (bytes: Uint8Array, offset = 0): Decoded<SmbiosAnchor> => {
  const start = offset < 0 ? '' : String.fromCharCode(...bytes.subarray(offset, offset + 5));
  if (start === SMBIOS3_ANCHOR) {
    const entry = SMBIOS3_ENTRY_POINT.decode(bytes, offset);
    if (!entry.ok) return entry;
    const { name } = SMBIOS3_ENTRY_POINT;
    const good = checked(name, bytes, offset, entry.value.length, SMBIOS3_ENTRY_POINT.size());
    if (!good.ok) return good;
    const { majorVersion, minorVersion, structureTableAddress, structureTableMaximumSize } =
      entry.value;
    return decoded({
      majorVersion,
      minorVersion,
      tableAddress: structureTableAddress,
      tableLength: structureTableMaximumSize,
    });
  }
  if (!start.startsWith(SMBIOS2_ANCHOR)) {
    return malformed('SMBIOS anchor', offset, '"_SM_" or "_SM3_"', JSON.stringify(start));
  }
  const entry = SMBIOS_ENTRY_POINT.decode(bytes, offset);
  if (!entry.ok) return entry;
  // Some 2.1 firmware says 0x1e where the structure has 0x1f bytes (DSP0134 3.7, section 5.2.1).
  const least = SMBIOS_ENTRY_POINT.size() - 1;
  const good = checked(SMBIOS_ENTRY_POINT.name, bytes, offset, entry.value.length, least);
  if (!good.ok) return good;
  const { majorVersion, minorVersion, structureTableAddress, structureTableLength } = entry.value;
  return decoded({
    majorVersion,
    minorVersion,
    tableAddress: BigInt(structureTableAddress),
    tableLength: structureTableLength,
  });
};
