import { efiFail, EfiStatus, efiStatusToErrno } from '@systab/efi-core';
import type { EfiFailure, EfiSuccess, ErrnoEra, ErrnoName } from '@systab/efi-core';

/** A variable operation that failed, with the error number a user of efivarfs sees. */
export interface VariableFailure extends EfiFailure {
  readonly errno: ErrnoName;
}

/** What a variable operation gives. */
export type VariableResult<T> = EfiSuccess<T> | VariableFailure;

/** `failure` with the error number its status becomes. */
export const withErrno = (failure: EfiFailure, era?: ErrnoEra): VariableFailure => ({
  ...failure,
  errno: efiStatusToErrno(failure.status, era) ?? 'EIO',
});

/** A failure found before the firmware was asked. */
export const refused = (status: EfiStatus, why: string): VariableFailure =>
  withErrno(efiFail(status, { why }));
