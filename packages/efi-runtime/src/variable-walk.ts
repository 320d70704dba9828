import {
  char16Buffer,
  decodeChar16,
  decodeChar16Z,
  EfiStatus,
  guid,
  variableLabel,
} from '@systab/efi-core';
import type {
  EfiRuntimeOps,
  EfiStatus as Status,
  Guid,
  NextVariableName,
  VariableLabel,
} from '@systab/efi-core';

/** Why a walk over the variable names ended. */
export type WalkEnd =
  /** The firmware said that there are no more. */
  | { readonly kind: 'complete' }
  /** The firmware gave a name again; going on would never end. */
  | { readonly kind: 'repeated'; readonly label: VariableLabel }
  /** The firmware gave something that is no name, so there is nothing to go on from. */
  | { readonly kind: 'garbage'; readonly what: string }
  /** More names than the limit. */
  | { readonly kind: 'too many'; readonly limit: number }
  /** The service failed. */
  | { readonly kind: 'failed'; readonly status: Status; readonly why?: string };

/** A returned size that is not that of the returned name; the name counts. */
export interface WrongNameSize {
  readonly label: VariableLabel;
  /** Bytes the firmware claimed. */
  readonly reported: number;
  /** Bytes of the name with its terminator. */
  readonly actual: number;
}

/** The names a store has, as far as its firmware would tell. */
export interface VariableWalk {
  readonly labels: readonly VariableLabel[];
  readonly end: WalkEnd;
  readonly wrongSizes: readonly WrongNameSize[];
}

/** Bounds of a walk. */
export interface WalkLimits {
  /** Bytes of the first name buffer; default 512, because firmware is known that refuses a larger one. */
  readonly firstBuffer?: number;
  /** Bytes of the largest name buffer; default 64 KiB. */
  readonly largestBuffer?: number;
  /** Most names to take; default 16384. */
  readonly names?: number;
}

const NO_GUID = guid('00000000-0000-0000-0000-000000000000');
const UNIT = 2;

/** The name in the buffer, by its terminator; by the claimed size where there is none. Undefined for garbage. */
const nameIn = (found: NextVariableName): string | undefined => {
  const terminated = decodeChar16Z(found.variableName);
  if (terminated.ok) return terminated.value.text;
  const { variableNameSize: size, variableName } = found;
  const plausible = Number.isInteger(size) && size > 0 && size % UNIT === 0;
  return plausible && size <= variableName.length
    ? decodeChar16(variableName.subarray(0, size))
    : undefined;
};

/**
 * Asks for every variable name once. Survives firmware that repeats itself, counts a name wrongly, loses terminators, never
 * ends, or wants ever larger buffers; the name is handed back in a clean buffer each time, never as the firmware left it.
 */
export const walkVariables = (
  services: Pick<EfiRuntimeOps, 'getNextVariableName'>,
  limits: WalkLimits = {},
): VariableWalk => {
  const { firstBuffer = 512, largestBuffer = 0x1_0000, names = 16_384 } = limits;
  const labels: VariableLabel[] = [];
  const wrongSizes: WrongNameSize[] = [];
  const seen = new Set<string>();
  let size = firstBuffer;
  let last: { readonly name: string; readonly vendorGuid: Guid } = {
    name: '',
    vendorGuid: NO_GUID,
  };
  const ended = (end: WalkEnd): VariableWalk => ({ labels, end, wrongSizes });

  for (;;) {
    const buffer = char16Buffer(last.name, size);
    if (buffer === undefined) throw new Error('the name buffer shrank below the name in it');
    const next = services.getNextVariableName(size, buffer, last.vendorGuid);
    if (!next.ok) {
      const { status, needed, why } = next;
      if (status === EfiStatus.NOT_FOUND) return ended({ kind: 'complete' });
      if (status === EfiStatus.BUFFER_TOO_SMALL) {
        if (needed === undefined || needed <= size || needed > largestBuffer) {
          const what = `EFI_BUFFER_TOO_SMALL for ${String(size)} bytes, asking for ${String(needed)}`;
          return ended({ kind: 'garbage', what });
        }
        size = needed;
        continue;
      }
      return ended({ kind: 'failed', status, ...(why === undefined ? {} : { why }) });
    }
    const name = nameIn(next.value);
    if (name === undefined || name === '') {
      return ended({
        kind: 'garbage',
        what: name === '' ? 'an empty name' : 'a name without an end',
      });
    }
    const label: VariableLabel = { name, vendorGuid: next.value.vendorGuid };
    const text = variableLabel(name, label.vendorGuid);
    if (seen.has(text)) return ended({ kind: 'repeated', label });
    if (labels.length >= names) return ended({ kind: 'too many', limit: names });
    seen.add(text);
    labels.push(label);
    const actual = (name.length + 1) * UNIT;
    if (next.value.variableNameSize !== actual) {
      wrongSizes.push({ label, reported: next.value.variableNameSize, actual });
    }
    // A name that fills its buffer to the last unit has no room for the terminator it lost.
    size = Math.max(size, actual);
    last = label;
  }
};
