/** What one operation of a scenario gave on one route: words that are shown, and compared. */
import { formatEfiStatus, statusOf } from '@systab/efi-core';
import type { EfiFailure, EfiResult } from '@systab/efi-core';

/** The outcome of an operation. Two are equal when `value` is. */
export interface Observation {
  /** Everything that counts, as text. */
  readonly value: string;
  /** The same in a few characters, for a table; default: `value`. */
  readonly short?: string;
  /** A reason given by somebody other than the firmware; not compared. */
  readonly why?: string;
}

/** `NOT_FOUND`, `SUCCESS`: the status without its prefix. */
const statusWord = (result: EfiResult<unknown>): string =>
  formatEfiStatus(statusOf(result)).replace(/^EFI_/, '');

const failed = (result: EfiFailure): Observation => {
  const needed = result.needed === undefined ? '' : ` ${String(result.needed)}`;
  const why = result.why === undefined ? {} : { why: result.why };
  return { value: `${statusWord(result)}${needed}`, ...why };
};

/** A result as an observation: the status, and on success what `words` makes of the value. */
export const observe = <T>(
  result: EfiResult<T>,
  words: (value: T) => string = () => '',
): Observation => {
  if (!result.ok) return failed(result);
  const text = words(result.value);
  const status = statusWord(result);
  return { value: text === '' ? status : status === 'SUCCESS' ? text : `${status} ${text}` };
};

/** A fact that no call can fail to give; absent facts are `absent`. */
export const fact = (value: string | undefined, short?: string): Observation => ({
  value: value ?? 'absent',
  ...(value === undefined || short === undefined ? {} : { short }),
});
