import { decodeChar16Z, encodeChar16Z } from '../char16.ts';
import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { EFI_GUID } from '../guid.ts';
import type { Guid } from '../guid.ts';
import { joinBytes } from '../join-bytes.ts';
import { defineStruct, nested, UINT16, UINT32, UINT64, UINT8, viewOf } from '../struct.ts';
import type { Struct } from '../struct.ts';
import { EFI_TIME, EFI_TIME_ZERO } from '../time.ts';
import type { EfiTime } from '../time.ts';
import type { VariableAttributes } from '../variable.ts';

/** VARIABLE_HEADER as edk2 stores it (MdeModulePkg/Include/Guid/VariableFormat.h). */
export interface VariableHeader {
  readonly startId: number;
  readonly state: number;
  readonly reserved: number;
  readonly attributes: VariableAttributes;
  readonly nameSize: number;
  readonly dataSize: number;
  readonly vendorGuid: Guid;
}

/** AUTHENTICATED_VARIABLE_HEADER (same file): the header with what authenticated variables need. */
export interface AuthenticatedVariableHeader extends VariableHeader {
  readonly monotonicCount: bigint;
  readonly timeStamp: EfiTime;
  readonly pubKeyIndex: number;
}

const CLAUSE = 'edk2 MdeModulePkg/Include/Guid/VariableFormat.h';

export const VARIABLE_HEADER: Struct<VariableHeader> = defineStruct<VariableHeader>(
  'VARIABLE_HEADER',
  CLAUSE,
  {
    startId: UINT16,
    state: UINT8,
    reserved: UINT8,
    attributes: UINT32,
    nameSize: UINT32,
    dataSize: UINT32,
    vendorGuid: EFI_GUID,
  },
  { packed: true },
);

export const AUTHENTICATED_VARIABLE_HEADER: Struct<AuthenticatedVariableHeader> =
  defineStruct<AuthenticatedVariableHeader>(
    'AUTHENTICATED_VARIABLE_HEADER',
    CLAUSE,
    {
      startId: UINT16,
      state: UINT8,
      reserved: UINT8,
      attributes: UINT32,
      monotonicCount: UINT64,
      timeStamp: nested(EFI_TIME),
      pubKeyIndex: UINT32,
      nameSize: UINT32,
      dataSize: UINT32,
      vendorGuid: EFI_GUID,
    },
    { packed: true },
  );

/** StartId of every record. */
export const VARIABLE_START_ID = 0x55aa;

/** State bytes; flash can only clear bits, so each is reached from the one before. */
export const VariableState: {
  /** Nothing but the header may be there. */
  readonly RAW: 0xff;
  readonly HEADER_VALID: 0x7f;
  /** Live. */
  readonly ADDED: 0x3f;
  /** Live until the record that replaces it is ADDED. */
  readonly IN_DELETED_TRANSITION: 0x3e;
  readonly DELETED: 0x3d;
  /** Replaced by a later record. */
  readonly SUPERSEDED: 0x3c;
} = Object.freeze({
  RAW: 0xff,
  HEADER_VALID: 0x7f,
  ADDED: 0x3f,
  IN_DELETED_TRANSITION: 0x3e,
  DELETED: 0x3d,
  SUPERSEDED: 0x3c,
});

/** Which header the records of a store have. */
export type StoreFormat = 'authenticated' | 'plain';

/** One record of a store, dead or alive, with every byte it takes. */
export interface StoreRecord {
  readonly state: number;
  readonly reserved: number;
  readonly attributes: VariableAttributes;
  /** The name up to its terminator. */
  readonly name: string;
  /** The name field as it stands, terminator included. */
  readonly nameBytes: Uint8Array;
  readonly vendorGuid: Guid;
  readonly data: Uint8Array;
  /** 0n in a plain store. */
  readonly monotonicCount: bigint;
  /** Undefined in a plain store. */
  readonly timeStamp: EfiTime | undefined;
  /** 0 in a plain store. */
  readonly pubKeyIndex: number;
  /** Set for a write cut short before its sizes were there: the header's own bytes, which mean nothing. */
  readonly torn: Uint8Array | undefined;
  /** Bytes up to the next 4-byte boundary. */
  readonly padding: Uint8Array;
}

const ERASED_32 = 0xffff_ffff;
const RECORD_ALIGN = 4;

/** The structure in front of each record of a format. */
export const recordHeader = (
  format: StoreFormat,
): Struct<VariableHeader> | Struct<AuthenticatedVariableHeader> =>
  format === 'authenticated' ? AUTHENTICATED_VARIABLE_HEADER : VARIABLE_HEADER;

/** Bytes a record takes in its store, padding included. */
export const recordSize = (record: StoreRecord, format: StoreFormat): number =>
  record.torn === undefined
    ? recordHeader(format).size() +
      record.nameBytes.length +
      record.data.length +
      record.padding.length
    : record.torn.length + record.padding.length;

/** Bytes to add after `size` to reach the next record. */
export const recordPadding = (size: number): number =>
  (RECORD_ALIGN - (size % RECORD_ALIGN)) % RECORD_ALIGN;

interface AnyHeader extends VariableHeader {
  readonly monotonicCount: bigint;
  readonly timeStamp: EfiTime | undefined;
  readonly pubKeyIndex: number;
}

const decodeHeader = (bytes: Uint8Array, at: number, format: StoreFormat): Decoded<AnyHeader> => {
  if (format === 'authenticated') return AUTHENTICATED_VARIABLE_HEADER.decode(bytes, at);
  const plain = VARIABLE_HEADER.decode(bytes, at);
  if (!plain.ok) return plain;
  return decoded({ ...plain.value, monotonicCount: 0n, timeStamp: undefined, pubKeyIndex: 0 });
};

const isTorn = (header: VariableHeader): boolean =>
  header.state === VariableState.RAW ||
  header.nameSize === ERASED_32 ||
  header.dataSize === ERASED_32 ||
  header.attributes === ERASED_32;

/** Reads the record at `at` of a store that ends at `end`; undefined where no record starts. */
export const decodeRecord = (
  bytes: Uint8Array,
  at: number,
  end: number,
  format: StoreFormat,
): Decoded<StoreRecord | undefined> => {
  const struct = recordHeader(format);
  const startsHere =
    at + 2 <= end &&
    at + 2 <= bytes.length &&
    viewOf(bytes).getUint16(at, true) === VARIABLE_START_ID;
  if (!startsHere) return decoded(undefined);
  const head = decodeHeader(bytes.subarray(0, end), at, format);
  if (!head.ok) return head;
  const { state, reserved, attributes, vendorGuid, monotonicCount, timeStamp, pubKeyIndex } =
    head.value;
  const torn = isTorn(head.value);
  const nameSize = torn ? 0 : head.value.nameSize;
  const dataSize = torn ? 0 : head.value.dataSize;
  const nameAt = at + struct.size();
  const after = nameAt + nameSize + dataSize;
  if (after > end) {
    return malformed(
      `${struct.name}.nameSize and dataSize`,
      at,
      `at most ${String(end - nameAt)} bytes`,
      `${String(nameSize)} and ${String(dataSize)}`,
    );
  }
  const nameBytes = bytes.slice(nameAt, nameAt + nameSize);
  const name = decodeChar16Z(nameBytes);
  if (!name.ok && !torn) {
    return malformed(`${struct.name} name`, nameAt, 'a terminated CHAR16 string', 'none');
  }
  return decoded({
    state,
    reserved,
    attributes,
    name: name.ok ? name.value.text : '',
    nameBytes,
    vendorGuid,
    data: bytes.slice(nameAt + nameSize, after),
    monotonicCount,
    timeStamp,
    pubKeyIndex,
    torn: torn ? bytes.slice(at, nameAt) : undefined,
    padding: bytes.slice(after, Math.min(after + recordPadding(after - at), end)),
  });
};

/** The bytes of a record. */
export const encodeRecord = (record: StoreRecord, format: StoreFormat): Uint8Array<ArrayBuffer> => {
  if (record.torn !== undefined) return joinBytes([record.torn, record.padding]);
  const header: AuthenticatedVariableHeader = {
    startId: VARIABLE_START_ID,
    state: record.state,
    reserved: record.reserved,
    attributes: record.attributes,
    monotonicCount: record.monotonicCount,
    timeStamp: record.timeStamp ?? EFI_TIME_ZERO,
    pubKeyIndex: record.pubKeyIndex,
    nameSize: record.nameBytes.length,
    dataSize: record.data.length,
    vendorGuid: record.vendorGuid,
  };
  const head =
    format === 'authenticated'
      ? AUTHENTICATED_VARIABLE_HEADER.encode(header)
      : VARIABLE_HEADER.encode(header);
  return joinBytes([head, record.nameBytes, record.data, record.padding]);
};

/** What a new record is made of. */
export interface NewRecord {
  readonly name: string;
  readonly vendorGuid: Guid;
  readonly attributes: VariableAttributes;
  readonly data: Uint8Array;
  /** Default: all zero, as for a variable that is not authenticated by time. */
  readonly timeStamp?: EfiTime;
}

/** A live record, padded with erased bytes as firmware leaves them. */
export const newRecord = (variable: NewRecord, format: StoreFormat): StoreRecord => {
  const nameBytes = encodeChar16Z(variable.name);
  const size = recordHeader(format).size() + nameBytes.length + variable.data.length;
  return {
    state: VariableState.ADDED,
    reserved: 0,
    attributes: variable.attributes,
    name: variable.name,
    nameBytes,
    vendorGuid: variable.vendorGuid,
    data: Uint8Array.from(variable.data),
    monotonicCount: 0n,
    timeStamp: format === 'authenticated' ? (variable.timeStamp ?? EFI_TIME_ZERO) : undefined,
    pubKeyIndex: 0,
    torn: undefined,
    padding: new Uint8Array(recordPadding(size)).fill(0xff),
  };
};
