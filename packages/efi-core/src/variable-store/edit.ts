import type { DecodeError, Outcome } from '../decoded.ts';
import type { Guid } from '../guid.ts';
import { equalBytes } from '../join-bytes.ts';
import { EFI_TIME } from '../time.ts';
import { VariableAttribute, variableAttributeFaults, variableNameFaults } from '../variable.ts';
import type { EfiVariable, VariableAttributeFault, VariableNameFault } from '../variable.ts';
import { decodeWorkingBlock } from './fault-tolerant-write.ts';
import { newRecord, recordSize, VariableState } from './record.ts';
import type { StoreRecord } from './record.ts';
import { encodeVariableVolume, findRecord, liveRecords, storeSpace } from './volume.ts';
import type { VariableVolume } from './volume.ts';

/** Why a store was left as it was. */
export type StoreError =
  /** The name breaks a rule. */
  | { readonly kind: 'bad name'; readonly faults: readonly VariableNameFault[] }
  /** The attributes break a rule, or ask for something a store cannot hold. */
  | {
      readonly kind: 'bad attributes';
      readonly faults: readonly (VariableAttributeFault | 'not non-volatile' | 'append')[];
    }
  /** Not enough room even after a reclaim; sizes in bytes. */
  | { readonly kind: 'full'; readonly needed: number; readonly free: number }
  /** No such variable. */
  | { readonly kind: 'not found' }
  /** A fault tolerant write waits to be replayed: firmware would undo the edit. */
  | { readonly kind: 'write pending' }
  /** The working block cannot be read. */
  | { readonly kind: 'damaged'; readonly error: DecodeError };

/** The volume after an edit, or why there was none. */
export type StoreEdit = Outcome<VariableVolume, StoreError>;

const refuse = (error: StoreError): { readonly ok: false; readonly error: StoreError } => ({
  ok: false,
  error,
});

const ready = (volume: VariableVolume): StoreError | undefined => {
  const block = decodeWorkingBlock(encodeVariableVolume(volume));
  if (!block.ok) return { kind: 'damaged', error: block.error };
  return block.value?.pending === true ? { kind: 'write pending' } : undefined;
};

const retire = (record: StoreRecord, clear: number): StoreRecord => ({
  ...record,
  state: record.state & clear,
});

const named =
  (name: string, vendorGuid: Guid) =>
  (record: StoreRecord): boolean =>
    record.torn === undefined && record.name === name && record.vendorGuid === vendorGuid;

const CURRENT: readonly number[] = [VariableState.ADDED, VariableState.IN_DELETED_TRANSITION];

/** Marks every current record of a variable as gone, clearing state bits the way flash can. */
const retireAll = (
  volume: VariableVolume,
  name: string,
  vendorGuid: Guid,
  clear: number,
): readonly StoreRecord[] => {
  const isNamed = named(name, vendorGuid);
  return volume.records.map((record) =>
    isNamed(record) && CURRENT.includes(record.state) ? retire(record, clear) : record,
  );
};

/** The volume with dead records dropped and the space behind the live ones erased: firmware's reclaim. */
export const reclaimStore = (volume: VariableVolume): VariableVolume => {
  const records = liveRecords(volume).map((record) => ({ ...record, state: VariableState.ADDED }));
  const { total } = storeSpace(volume);
  const used = records.reduce((sum, record) => sum + recordSize(record, volume.format), 0);
  return { ...volume, records, free: new Uint8Array(total - used).fill(0xff) };
};

const append = (volume: VariableVolume, record: StoreRecord): VariableVolume | undefined => {
  const size = recordSize(record, volume.format);
  const erased = volume.free.subarray(0, size).every((byte) => byte === 0xff);
  if (size > volume.free.length || !erased) return undefined;
  return { ...volume, records: [...volume.records, record], free: volume.free.slice(size) };
};

const isUnchanged = (record: StoreRecord, variable: EfiVariable): boolean =>
  record.attributes === variable.attributes &&
  equalBytes(record.data, variable.data) &&
  (variable.timeStamp === undefined ||
    (record.timeStamp !== undefined &&
      equalBytes(EFI_TIME.encode(record.timeStamp), EFI_TIME.encode(variable.timeStamp))));

/**
 * Creates or replaces a variable the way firmware does: a new record behind the last one, the old one marked as
 * superseded; a reclaim first when there is no room. Writing what is there changes nothing. Authentication is not
 * asked for: whoever holds the file holds the keys. The fault tolerant write areas are left alone.
 */
export const setStoredVariable = (volume: VariableVolume, variable: EfiVariable): StoreEdit => {
  const { name, vendorGuid, attributes } = variable;
  const nameFaults = variableNameFaults(name, vendorGuid, attributes);
  if (nameFaults.length > 0) return refuse({ kind: 'bad name', faults: nameFaults });
  const isAppend = (attributes & VariableAttribute.APPEND_WRITE) !== 0;
  const isVolatile = (attributes & VariableAttribute.NON_VOLATILE) === 0;
  const faults = [
    ...variableAttributeFaults(attributes),
    ...(isVolatile ? (['not non-volatile'] as const) : []),
    ...(isAppend ? (['append'] as const) : []),
  ];
  if (faults.length > 0) return refuse({ kind: 'bad attributes', faults });
  const obstacle = ready(volume);
  if (obstacle !== undefined) return refuse(obstacle);
  const old = findRecord(volume, name, vendorGuid);
  if (old !== undefined && isUnchanged(old, variable)) return { ok: true, value: volume };
  const record = newRecord(variable, volume.format);
  const retired = {
    ...volume,
    records: retireAll(volume, name, vendorGuid, VariableState.SUPERSEDED),
  };
  const value = append(retired, record) ?? append(reclaimStore(retired), record);
  if (value !== undefined) return { ok: true, value };
  const free = reclaimStore(retired).free.length;
  return refuse({ kind: 'full', needed: recordSize(record, volume.format), free });
};

/** Deletes a variable by clearing the state bit of its record; its bytes stay until a reclaim. */
export const deleteStoredVariable = (
  volume: VariableVolume,
  name: string,
  vendorGuid: Guid,
): StoreEdit => {
  if (findRecord(volume, name, vendorGuid) === undefined) return refuse({ kind: 'not found' });
  const obstacle = ready(volume);
  if (obstacle !== undefined) return refuse(obstacle);
  const records = retireAll(volume, name, vendorGuid, VariableState.DELETED);
  return { ok: true, value: { ...volume, records } };
};

/** The live variables of a volume, in storage order, as exchange formats carry them. */
export const storedVariables = (volume: VariableVolume): readonly EfiVariable[] =>
  liveRecords(volume).map(({ name, vendorGuid, attributes, data, timeStamp }) => ({
    name,
    vendorGuid,
    attributes,
    data,
    ...(timeStamp !== undefined && EFI_TIME.encode(timeStamp).some((byte) => byte !== 0)
      ? { timeStamp }
      : {}),
  }));
