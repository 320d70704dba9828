import { char16Buffer, decodeChar16Z } from '../char16.ts';
import { formatDecodeError } from '../decoded.ts';
import { findGlobalVariable } from '../global-variables.ts';
import type { Guid } from '../guid.ts';
import { equalBytes, joinBytes } from '../join-bytes.ts';
import { neutralRuntimeOps } from '../ops/runtime-ops.ts';
import type { EfiRuntimeOps } from '../ops/runtime-ops.ts';
import { EFI_DONE, efiFail, efiOk } from '../result.ts';
import type { EfiFailure, EfiResult } from '../result.ts';
import { decodeSignatureLists, encodeSignatureLists } from '../signature-list.ts';
import { EfiStatus } from '../status.ts';
import { compareEfiTime, EFI_TIME_ZERO } from '../time.ts';
import type { EfiTime } from '../time.ts';
import { decodeAuthenticatedPayload } from '../variable-auth.ts';
import { VariableAttribute, variableAttributeFaults, variableNameSize } from '../variable.ts';
import type { VariableAttributes } from '../variable.ts';
import { deleteStoredVariable, setStoredVariable } from './edit.ts';
import type { StoreEdit, StoreError } from './edit.ts';
import { recordHeader } from './record.ts';
import { findRecord, liveRecords, storeSpace } from './volume.ts';
import type { VariableVolume } from './volume.ts';

/** A store that answers the variable services, without a machine or a firmware. */
export interface StoreServices {
  /** The four variable services; every other one is EFI_UNSUPPORTED. */
  readonly services: EfiRuntimeOps;
  /** The volume as the calls so far left it. */
  readonly volume: () => VariableVolume;
}

const {
  NON_VOLATILE,
  BOOTSERVICE_ACCESS,
  RUNTIME_ACCESS,
  AUTHENTICATED_WRITE_ACCESS,
  TIME_BASED_AUTHENTICATED_WRITE_ACCESS,
  APPEND_WRITE,
  ENHANCED_AUTHENTICATED_ACCESS,
} = VariableAttribute;
const OLD_AUTHENTICATION = AUTHENTICATED_WRITE_ACCESS | ENHANCED_AUTHENTICATED_ACCESS;

const invalid = (why?: string): EfiFailure =>
  efiFail(EfiStatus.INVALID_PARAMETER, why === undefined ? {} : { why });

const failureOf = (error: StoreError): EfiFailure => {
  switch (error.kind) {
    case 'bad name':
      return invalid(`a name that cannot be: ${error.faults.join(', ')}`);
    case 'bad attributes':
      return invalid(`attributes that a store cannot hold: ${error.faults.join(', ')}`);
    case 'full':
      return efiFail(EfiStatus.OUT_OF_RESOURCES, {
        why: `the store is full: ${String(error.needed)} bytes are needed, ${String(error.free)} are free after a reclaim`,
      });
    case 'not found':
      return efiFail(EfiStatus.NOT_FOUND);
    case 'write pending':
      return efiFail(EfiStatus.NOT_READY, {
        why: 'an unfinished fault tolerant write would undo the change at the next boot; boot once first',
      });
    default:
      return efiFail(EfiStatus.VOLUME_CORRUPTED, { why: formatDecodeError(error.error) });
  }
};

/** Signatures of `added` that `old` does not have: what an append adds to a signature database (UEFI 2.10, 8.2.3). */
const newSignatures = (old: Uint8Array, added: Uint8Array): Uint8Array => {
  const before = decodeSignatureLists(old);
  const after = decodeSignatureLists(added);
  if (!before.ok || !after.ok) return added;
  const lists = after.value.map((list) => ({
    ...list,
    signatures: list.signatures.filter(
      (one) =>
        !before.value.some(
          ({ signatureType, signatures }) =>
            signatureType === list.signatureType &&
            signatures.some(({ owner, data }) => owner === one.owner && equalBytes(data, one.data)),
        ),
    ),
  }));
  return encodeSignatureLists(lists.filter(({ signatures }) => signatures.length > 0));
};

const appended = (
  name: string,
  vendorGuid: Guid,
  old: Uint8Array,
  added: Uint8Array,
): Uint8Array => {
  const isDatabase = findGlobalVariable(name, vendorGuid)?.shape === 'EFI_SIGNATURE_LIST[]';
  return joinBytes([old, isDatabase ? newSignatures(old, added) : added]);
};

interface Content {
  readonly data: Uint8Array;
  readonly timeStamp: EfiTime | undefined;
}

/** What a write brings: for a time-based authenticated one, what stands behind its descriptor. */
const contentOf = (attributes: VariableAttributes, data: Uint8Array): EfiResult<Content> => {
  if ((attributes & TIME_BASED_AUTHENTICATED_WRITE_ACCESS) === 0) {
    return efiOk({ data, timeStamp: undefined });
  }
  const signed = decodeAuthenticatedPayload(data);
  if (!signed.ok) {
    return efiFail(EfiStatus.SECURITY_VIOLATION, { why: formatDecodeError(signed.error) });
  }
  return efiOk({ data: signed.value.payload, timeStamp: signed.value.timeStamp });
};

const later = (left: EfiTime, right: EfiTime): EfiTime =>
  compareEfiTime(left, right) > 0 ? left : right;

/**
 * The variable services over a volume, before ExitBootServices and with the rights of whoever holds the file: no signature and
 * no order of time stamps is asked for, an authenticated variable is deleted without a descriptor. Everything else is as UEFI
 * 2.10, section 8.2 has it. Volatile variables have no place in a file: to write one is EFI_INVALID_PARAMETER.
 */
export const createStoreServices = (start: VariableVolume): StoreServices => {
  let volume = start;

  const apply = (edit: StoreEdit): EfiResult<void> => {
    if (!edit.ok) return failureOf(edit.error);
    volume = edit.value;
    return EFI_DONE;
  };

  const setVariable: EfiRuntimeOps['setVariable'] = (
    name,
    vendorGuid,
    attributes,
    dataSize,
    data,
  ) => {
    if (name === null || name === '' || vendorGuid === null) return invalid();
    if (dataSize > 0 && data === null) return invalid();
    const faults = variableAttributeFaults(attributes);
    if (faults.length > 0) {
      return failureOf({ kind: 'bad attributes', faults });
    }
    if ((attributes & OLD_AUTHENTICATION) !== 0) {
      return efiFail(EfiStatus.UNSUPPORTED, { why: 'authentication that is not by time' });
    }
    const remove = (): EfiResult<void> => apply(deleteStoredVariable(volume, name, vendorGuid));
    if ((attributes & (BOOTSERVICE_ACCESS | RUNTIME_ACCESS)) === 0) return remove();
    const old = findRecord(volume, name, vendorGuid);
    const stored = attributes & ~APPEND_WRITE;
    if (old !== undefined && old.attributes !== stored) {
      return invalid(
        `it is stored with attributes 0x${old.attributes.toString(16)}, not 0x${stored.toString(16)}`,
      );
    }
    const content = contentOf(attributes, (data ?? new Uint8Array()).subarray(0, dataSize));
    if (!content.ok) return content;
    const appends = (attributes & APPEND_WRITE) !== 0;
    if (content.value.data.length === 0) return appends ? EFI_DONE : remove();
    const { timeStamp } = content.value;
    const joins = appends && old !== undefined;
    return apply(
      setStoredVariable(volume, {
        name,
        vendorGuid,
        attributes: stored,
        data: joins ? appended(name, vendorGuid, old.data, content.value.data) : content.value.data,
        ...(timeStamp === undefined
          ? {}
          : { timeStamp: joins ? later(old.timeStamp ?? EFI_TIME_ZERO, timeStamp) : timeStamp }),
      }),
    );
  };

  const getVariable: EfiRuntimeOps['getVariable'] = (name, vendorGuid, dataSize, nullOut = []) => {
    if (name === null || vendorGuid === null || nullOut.includes('dataSize')) return invalid();
    const record = findRecord(volume, name, vendorGuid);
    if (record === undefined) return efiFail(EfiStatus.NOT_FOUND);
    const { attributes, data } = record;
    const known = nullOut.includes('attributes') ? {} : { attributes };
    if (dataSize < data.length) {
      return { ...efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed: data.length }), ...known };
    }
    if (nullOut.includes('data') && data.length > 0) return invalid();
    return efiOk({ ...known, data: data.slice() });
  };

  const getNextVariableName: EfiRuntimeOps['getNextVariableName'] = (size, buffer, vendorGuid) => {
    if (size === null || buffer === null || vendorGuid === null) return invalid();
    const given = decodeChar16Z(buffer, 0, size);
    if (!given.ok) return invalid();
    const { text } = given.value;
    const records = liveRecords(volume);
    const at = records.findIndex(
      (record) => record.name === text && record.vendorGuid === vendorGuid,
    );
    if (text !== '' && at < 0) return invalid();
    const next = records[text === '' ? 0 : at + 1];
    if (next === undefined) return efiFail(EfiStatus.NOT_FOUND);
    const needed = variableNameSize(next.name);
    const variableName = char16Buffer(next.name, size);
    return variableName === undefined
      ? efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed })
      : efiOk({ variableNameSize: needed, variableName, vendorGuid: next.vendorGuid });
  };

  const queryVariableInfo: EfiRuntimeOps['queryVariableInfo'] = (attributes, nullOut = []) => {
    if (nullOut.length > 0 || attributes === 0) return invalid();
    const faults = variableAttributeFaults(attributes);
    if (faults.length > 0) return invalid(faults.join(', '));
    if ((attributes & NON_VOLATILE) === 0 || (attributes & OLD_AUTHENTICATION) !== 0) {
      return efiFail(EfiStatus.UNSUPPORTED);
    }
    const { total, live } = storeSpace(volume);
    const remaining = total - live;
    return efiOk({
      maximumVariableStorageSize: BigInt(total),
      remainingVariableStorageSize: BigInt(remaining),
      maximumVariableSize: BigInt(Math.max(0, remaining - recordHeader(volume.format).size())),
    });
  };

  return {
    services: Object.freeze({
      ...neutralRuntimeOps,
      getVariable,
      getNextVariableName,
      setVariable,
      queryVariableInfo,
    }),
    volume: () => volume,
  };
};
