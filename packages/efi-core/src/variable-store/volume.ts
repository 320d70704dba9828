import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { EFI_GUID } from '../guid.ts';
import type { Guid } from '../guid.ts';
import { joinBytes } from '../join-bytes.ts';
import { defineStruct, UINT16, UINT32, UINT8 } from '../struct.ts';
import type { Struct } from '../struct.ts';
import { WellKnownGuid } from '../well-known-guids.ts';
import { decodeFirmwareVolumeHeader, encodeFirmwareVolumeHeader } from './firmware-volume.ts';
import type { FirmwareVolumeHeader } from './firmware-volume.ts';
import { decodeRecord, encodeRecord, recordSize, VariableState } from './record.ts';
import type { StoreFormat, StoreRecord } from './record.ts';

/** VARIABLE_STORE_HEADER (edk2 MdeModulePkg/Include/Guid/VariableFormat.h). */
export interface VariableStoreHeader {
  readonly signature: Guid;
  /** Bytes of the store, this header included. */
  readonly size: number;
  readonly format: number;
  readonly state: number;
  readonly reserved: number;
  readonly reserved1: number;
}

export const VARIABLE_STORE_HEADER: Struct<VariableStoreHeader> = defineStruct<VariableStoreHeader>(
  'VARIABLE_STORE_HEADER',
  'edk2 MdeModulePkg/Include/Guid/VariableFormat.h',
  {
    signature: EFI_GUID,
    size: UINT32,
    format: UINT8,
    state: UINT8,
    reserved: UINT16,
    reserved1: UINT32,
  },
);

/** Format byte of a formatted store. */
export const VARIABLE_STORE_FORMATTED = 0x5a;
/** State byte of a healthy store. */
export const VARIABLE_STORE_HEALTHY = 0xfe;

/** An NV variable volume, taken apart so that putting it together gives every byte back. */
export interface VariableVolume {
  readonly header: FirmwareVolumeHeader;
  readonly store: VariableStoreHeader;
  readonly format: StoreFormat;
  /** In storage order, dead ones included. */
  readonly records: readonly StoreRecord[];
  /** From the end of the last record to the end of the store: 0xFF unless a write was cut short. */
  readonly free: Uint8Array;
  /** Everything after the store: event log, fault tolerant write areas, whatever else the file holds. */
  readonly rest: Uint8Array;
}

const FORMATS: ReadonlyMap<Guid, StoreFormat> = new Map([
  [WellKnownGuid.EFI_AUTHENTICATED_VARIABLE_GUID, 'authenticated'],
  [WellKnownGuid.EFI_VARIABLE_GUID, 'plain'],
]);

const STORE_HEADER = VARIABLE_STORE_HEADER.size();

const decodeStoreHeader = (
  bytes: Uint8Array,
  at: number,
  volumeEnd: number,
): Decoded<readonly [VariableStoreHeader, StoreFormat]> => {
  const store = VARIABLE_STORE_HEADER.decode(bytes, at);
  if (!store.ok) return store;
  const { signature, size, format: formatted, state } = store.value;
  const bad = (
    field: keyof VariableStoreHeader,
    expected: string,
    found: string,
  ): ReturnType<typeof malformed> =>
    malformed(
      `VARIABLE_STORE_HEADER.${field}`,
      at + VARIABLE_STORE_HEADER.offsetOf(field),
      expected,
      found,
    );
  const format = FORMATS.get(signature);
  if (format === undefined) return bad('signature', 'a variable store GUID', signature);
  if (size < STORE_HEADER || at + size > volumeEnd) {
    return bad('size', `${String(STORE_HEADER)} to ${String(volumeEnd - at)}`, String(size));
  }
  if (formatted !== VARIABLE_STORE_FORMATTED) {
    return bad('format', '0x5a', `0x${formatted.toString(16)}`);
  }
  if (state !== VARIABLE_STORE_HEALTHY) return bad('state', '0xfe', `0x${state.toString(16)}`);
  return decoded([store.value, format]);
};

/** Reads a `.fd` file that starts with an NV variable volume, such as `OVMF_VARS.fd` or a whole `OVMF.fd`. */
export const decodeVariableVolume = (bytes: Uint8Array): Decoded<VariableVolume> => {
  const header = decodeFirmwareVolumeHeader(bytes);
  if (!header.ok) return header;
  const { fileSystemGuid, fvLength, headerLength } = header.value;
  if (fileSystemGuid !== WellKnownGuid.EFI_SYSTEM_NV_DATA_FV_GUID) {
    return malformed(
      'EFI_FIRMWARE_VOLUME_HEADER.fileSystemGuid',
      16,
      WellKnownGuid.EFI_SYSTEM_NV_DATA_FV_GUID,
      fileSystemGuid,
    );
  }
  if (fvLength > BigInt(bytes.length)) {
    return malformed(
      'EFI_FIRMWARE_VOLUME_HEADER.fvLength',
      32,
      `at most ${String(bytes.length)}`,
      String(fvLength),
    );
  }
  const storeHeader = decodeStoreHeader(bytes, headerLength, Number(fvLength));
  if (!storeHeader.ok) return storeHeader;
  const [store, format] = storeHeader.value;
  const end = headerLength + store.size;
  const records: StoreRecord[] = [];
  let at = headerLength + STORE_HEADER;
  for (;;) {
    const record = decodeRecord(bytes, at, end, format);
    if (!record.ok) return record;
    if (record.value === undefined) break;
    records.push(record.value);
    at += recordSize(record.value, format);
  }
  return decoded({
    header: header.value,
    store,
    format,
    records,
    free: bytes.slice(at, end),
    rest: bytes.slice(end),
  });
};

/** The bytes of a volume: what `decodeVariableVolume` read, with the edits made since. */
export const encodeVariableVolume = (volume: VariableVolume): Uint8Array<ArrayBuffer> =>
  joinBytes([
    encodeFirmwareVolumeHeader(volume.header),
    VARIABLE_STORE_HEADER.encode(volume.store),
    ...volume.records.map((record) => encodeRecord(record, volume.format)),
    volume.free,
    volume.rest,
  ]);

/** A record and the offset in the file it starts at. */
export interface PlacedRecord {
  readonly offset: number;
  readonly record: StoreRecord;
}

/** The records of a volume with their offsets. */
export const placeRecords = (volume: VariableVolume): readonly PlacedRecord[] => {
  let offset = volume.header.headerLength + STORE_HEADER;
  return volume.records.map((record) => {
    const placed = { offset, record };
    offset += recordSize(record, volume.format);
    return placed;
  });
};

const isSame = (left: StoreRecord, right: StoreRecord): boolean =>
  left.name === right.name && left.vendorGuid === right.vendorGuid;

/** Whether a record is the current value of its variable among `records`. */
const isLive = (record: StoreRecord, records: readonly StoreRecord[]): boolean => {
  if (record.torn !== undefined) return false;
  if (record.state === VariableState.ADDED) return true;
  return (
    record.state === VariableState.IN_DELETED_TRANSITION &&
    !records.some((other) => other.state === VariableState.ADDED && isSame(other, record))
  );
};

/** The records that are variables, in storage order. */
export const liveRecords = (volume: VariableVolume): readonly StoreRecord[] =>
  volume.records.filter((record) => isLive(record, volume.records));

/** The current record of one variable. */
export const findRecord = (
  volume: VariableVolume,
  name: string,
  vendorGuid: Guid,
): StoreRecord | undefined =>
  liveRecords(volume).find((record) => record.name === name && record.vendorGuid === vendorGuid);

/** Where the bytes of a store went. */
export interface StoreSpace {
  /** Bytes for records: the store less its header. */
  readonly total: number;
  /** Bytes of live records. */
  readonly live: number;
  /** Bytes of dead records: back after a reclaim. */
  readonly dead: number;
  /** Bytes after the last record. */
  readonly free: number;
}

/** Space accounting of a volume. */
export const storeSpace = (volume: VariableVolume): StoreSpace => {
  const sum = (records: readonly StoreRecord[]): number =>
    records.reduce((bytes, record) => bytes + recordSize(record, volume.format), 0);
  const live = sum(liveRecords(volume));
  return {
    total: volume.store.size - STORE_HEADER,
    live,
    dead: sum(volume.records) - live,
    free: volume.free.length,
  };
};
