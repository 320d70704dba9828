import {
  EFI_DONE,
  efiFail,
  efiOk,
  EfiStatus,
  efiStatusToErrno,
  VariableAttribute,
} from '@systab/efi-core';
import type {
  EfiFailure,
  EfiResult,
  EfiRuntimeOps,
  EfiSuccess,
  EfivarfsContent,
  ErrnoEra,
  ErrnoName,
  Guid,
  VariableAttributes,
  VariableInfo,
} from '@systab/efi-core';
import { checkVariableSpace, deleteDummyVariable, EFI_MIN_RESERVE } from './storage-policy.ts';
import { isVariableDataSound } from './variable-check.ts';
import { walkVariables } from './variable-walk.ts';
import type { VariableWalk, WalkLimits } from './variable-walk.ts';

/** A variable operation that failed, with the error number a user of efivarfs sees. */
export interface VariableFailure extends EfiFailure {
  readonly errno: ErrnoName;
}

/** What a variable operation gives. */
export type VariableResult<T> = EfiSuccess<T> | VariableFailure;

/** `failure` with the error number its status becomes. */
const withErrno = (failure: EfiFailure, era?: ErrnoEra): VariableFailure => ({
  ...failure,
  errno: efiStatusToErrno(failure.status, era) ?? 'EIO',
});

/** A failure found before the firmware was asked. */
export const refused = (status: EfiStatus, why: string): VariableFailure =>
  withErrno(efiFail(status, { why }));

/** How variables are handled. */
export interface VariablesOptions {
  /** Whether writes must leave `EFI_MIN_RESERVE` bytes; default true, `efi_no_storage_paranoia` is false. */
  readonly storageParanoia?: boolean;
  readonly walk?: WalkLimits;
  /** Which kernel's error numbers; default `later`. */
  readonly era?: ErrnoEra;
  /** Receives lines for the kernel log; default: nobody listens. */
  readonly warn?: (line: string) => void;
}

/** Room in the variable store, as `statfs` of efivarfs tells it. Bytes. */
export interface VariableSpace {
  readonly total: bigint;
  readonly free: bigint;
  /** What the reserve leaves of `free`, never below 0. */
  readonly available: bigint;
}

/** The variables of the system, with the policy and the error numbers of efivarfs. */
export interface Variables {
  /** Every name the firmware tells. */
  readonly list: () => VariableWalk;
  /** ENOENT where there is none; EIO when the firmware cannot make up its mind about the size. */
  readonly read: (name: string, vendorGuid: Guid) => VariableResult<EfivarfsContent>;
  /** Creates or replaces. Empty data deletes, as it does in the firmware. */
  readonly write: (
    name: string,
    vendorGuid: Guid,
    attributes: VariableAttributes,
    data: Uint8Array,
  ) => VariableResult<void>;
  /** Adds to the end, creating what is not there; APPEND_WRITE is implied. */
  readonly append: (
    name: string,
    vendorGuid: Guid,
    attributes: VariableAttributes,
    data: Uint8Array,
  ) => VariableResult<void>;
  /** ENOENT where there is none, EINVAL for whatever else the firmware has against it. */
  readonly delete: (name: string, vendorGuid: Guid) => VariableResult<void>;
  /** Room for non-volatile variables. */
  readonly space: () => VariableResult<VariableSpace>;
  /** Removes what a storage check that was cut short may have left; EFI_NOT_FOUND counts as done. */
  readonly cleanUp: () => VariableResult<void>;
}

const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS, APPEND_WRITE } = VariableAttribute;
/** Attributes that efivarfs passes on; ENHANCED_AUTHENTICATED_ACCESS is not among them. */
const KNOWN_ATTRIBUTES = 0x7f;
/** Most variables fit; one call is enough then. Bytes. */
const FIRST_READ = 1024;
/** A variable of this many bytes cannot be. */
const ABSURD_SIZE = 0x400_0000;
/** How often a size may turn out wrong before reading is given up. */
const READ_ATTEMPTS = 3;
const EFIVARFS_NAME_LIMIT = 1024;

/** Variables over (guarded) runtime services. */
export const createVariables = (
  services: EfiRuntimeOps,
  options: VariablesOptions = {},
): Variables => {
  const { storageParanoia = true, walk: limits, era, warn = () => undefined } = options;
  const finish = (result: EfiResult<void>): VariableResult<void> =>
    result.ok ? result : withErrno(result, era);

  const read: Variables['read'] = (name, vendorGuid) => {
    let size = FIRST_READ;
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      const found = services.getVariable(name, vendorGuid, size);
      if (found.ok) {
        const { attributes = 0, data } = found.value;
        return efiOk({ attributes, data });
      }
      if (found.status !== EfiStatus.BUFFER_TOO_SMALL) return withErrno(found, era);
      const { needed } = found;
      if (needed === undefined || needed <= size || needed > ABSURD_SIZE) break;
      size = needed;
    }
    return refused(EfiStatus.DEVICE_ERROR, `no buffer for ${name} is ever right for the firmware`);
  };

  const set = (
    name: string,
    vendorGuid: Guid,
    attributes: VariableAttributes,
    data: Uint8Array,
  ): VariableResult<void> => {
    if ((attributes & ~KNOWN_ATTRIBUTES) !== 0) {
      return refused(EfiStatus.INVALID_PARAMETER, 'unknown attribute bits');
    }
    const appends = (attributes & APPEND_WRITE) !== 0;
    if (data.length > 0) {
      if (!appends && !isVariableDataSound(name, vendorGuid, data)) {
        return refused(EfiStatus.INVALID_PARAMETER, `data that ${name} cannot have`);
      }
      const nameSize = Math.min(name.length * 2, EFIVARFS_NAME_LIMIT);
      const size = BigInt(data.length + nameSize);
      const room = checkVariableSpace(services, attributes & ~APPEND_WRITE, size, storageParanoia);
      if (!room.ok) return withErrno(room, era);
    }
    const value = data.length === 0 ? null : data;
    return finish(services.setVariable(name, vendorGuid, attributes, data.length, value));
  };

  const write: Variables['write'] = (name, vendorGuid, attributes, data) => {
    const result = set(name, vendorGuid, attributes, data);
    // A file that is being written exists; efivarfs turns the firmware's ENOENT into EIO.
    return !result.ok && result.errno === 'ENOENT' ? { ...result, errno: 'EIO' } : result;
  };

  return Object.freeze<Variables>({
    list: () => {
      const walk = walkVariables(services, limits);
      const { end } = walk;
      if (end.kind === 'repeated') {
        warn(`efivars: duplicate variable: ${end.label.name}-${end.label.vendorGuid}`);
      } else if (end.kind === 'failed') {
        warn(`efivars: get_next_variable: status=${end.status.toString(16)}`);
      } else if (end.kind === 'garbage') warn(`efivars: get_next_variable: ${end.what}`);
      else if (end.kind === 'too many') {
        warn(`efivars: get_next_variable: more than ${String(end.limit)} names`);
      }
      return walk;
    },
    read,
    write,
    append: (name, vendorGuid, attributes, data) =>
      write(name, vendorGuid, attributes | APPEND_WRITE, data),
    delete: (name, vendorGuid) => {
      const result = finish(services.setVariable(name, vendorGuid, 0, 0, null));
      // Unlinking a file has one errno for everything that the firmware may have against it.
      return result.ok || result.errno === 'ENOENT' ? result : { ...result, errno: 'EINVAL' };
    },
    space: () => {
      const attributes = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;
      const info: EfiResult<VariableInfo> = services.queryVariableInfo(attributes);
      if (!info.ok) return withErrno(info, era);
      const free = info.value.remainingVariableStorageSize;
      const available = free > EFI_MIN_RESERVE ? free - EFI_MIN_RESERVE : 0n;
      return efiOk({ total: info.value.maximumVariableStorageSize, free, available });
    },
    cleanUp: () => {
      const result = deleteDummyVariable(services);
      return !result.ok && result.status === EfiStatus.NOT_FOUND ? EFI_DONE : finish(result);
    },
  });
};
