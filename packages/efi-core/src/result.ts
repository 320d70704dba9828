import { EfiStatus, formatEfiStatus, isEfiError } from './status.ts';

/** A service that did its work. */
export interface EfiSuccess<T> {
  readonly ok: true;
  readonly value: T;
  /** The warning status the service returned instead of EFI_SUCCESS. */
  readonly warning?: EfiStatus;
}

/** A service that did not. */
export interface EfiFailure {
  readonly ok: false;
  readonly status: EfiStatus;
  /** With EFI_BUFFER_TOO_SMALL: the size in bytes that would do. */
  readonly needed?: number;
  /** Reason in words, when somebody other than the firmware decided. */
  readonly why?: string;
}

/**
 * What a call that firmware can answer gives. `F` is the failure arm, wider where a service hands
 * back more than a status when it fails.
 */
export type EfiResult<T, F extends EfiFailure = EfiFailure> = EfiSuccess<T> | F;

/** Success with a value. */
export const efiOk = <T>(value: T): EfiSuccess<T> => ({ ok: true, value });

/** Success without a value. */
export const EFI_DONE: EfiSuccess<void> = Object.freeze({ ok: true, value: undefined });

/** What may accompany a failing status. */
export interface EfiFailureDetail {
  readonly needed?: number;
  readonly why?: string;
}

/** Failure; throws `Error` when `status` is success or a warning. */
export const efiFail = (status: EfiStatus, detail: EfiFailureDetail = {}): EfiFailure => {
  if (!isEfiError(status)) throw new Error(`${formatEfiStatus(status)} is no error`);
  return { ok: false, status, ...detail };
};

/** The result a returned status and the outputs read after it make: `value` is only evaluated on success or warning. */
export const efiResult = <T>(status: EfiStatus, value: () => T): EfiResult<T> => {
  if (isEfiError(status)) return { ok: false, status };
  const result = efiOk(value());
  return status === EfiStatus.SUCCESS ? result : { ...result, warning: status };
};

/** The status a result stands for. */
export const statusOf = (result: EfiResult<unknown>): EfiStatus =>
  result.ok ? (result.warning ?? EfiStatus.SUCCESS) : result.status;

/** `result` with its value passed through `change`. */
export const mapResult = <T, U>(result: EfiResult<T>, change: (value: T) => U): EfiResult<U> =>
  result.ok ? { ...result, value: change(result.value) } : result;
