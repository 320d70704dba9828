import { EFI_DONE, efiOk } from '../result.ts';
import type { EfiFailure, EfiSuccess } from '../result.ts';
import { EfiStatus } from '../status.ts';

/** Why a member of an operation table does what it does when no backend overrides it. */
export interface OpDefault {
  readonly kind:
    /** Does nothing and succeeds. */
    | 'not needed'
    /** Fails with EFI_UNSUPPORTED. */
    | 'unsupported'
    /** Does the work through other tables or data, the same everywhere. */
    | 'generic';
  readonly reason: string;
}

const DEFAULTS = new WeakMap<object, OpDefault>();

const remember = <F extends object>(op: F, kind: OpDefault['kind'], reason: string): F => {
  if (reason.trim() === '') throw new Error('a default needs a reason');
  DEFAULTS.set(op, Object.freeze({ kind, reason }));
  return op;
};

/** A member that has nothing to do: succeeds without a value, for this reason. */
export const notNeeded = (reason: string): (() => EfiSuccess<void>) =>
  remember(() => EFI_DONE, 'not needed', reason);

/** A member that has nothing to do and answers a fixed value, for this reason. */
export const notNeededValue = <T>(reason: string, value: T): (() => EfiSuccess<T>) =>
  remember(() => efiOk(value), 'not needed', reason);

/** A member that cannot be had: EFI_UNSUPPORTED, and the reason in `why`. */
export const unsupported = (reason: string): (() => EfiFailure) => {
  const failure: EfiFailure = Object.freeze({
    ok: false,
    status: EfiStatus.UNSUPPORTED,
    why: reason,
  });
  return remember(() => failure, 'unsupported', reason);
};

/** A member with one implementation for all platforms, replaced only where a platform knows better. */
export const generic = <F extends object>(reason: string, op: F): F =>
  remember(
    // A fresh function, so that the mark never sticks to an implementation used elsewhere.
    ((...args: readonly unknown[]): unknown =>
      (op as unknown as (...all: readonly unknown[]) => unknown)(...args)) as unknown as F,
    'generic',
    reason,
  );

/** The reason a member carries; undefined when it is no default. */
export const defaultOf = (op: object): OpDefault | undefined => DEFAULTS.get(op);
