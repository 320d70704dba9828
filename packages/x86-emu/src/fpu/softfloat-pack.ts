/** Putting results together as binary32 and binary64 words. */

import { highWord, lowWord } from './big-bits.ts';
import type { Rounded } from './softfloat-round.ts';
import { KIND } from './softfloat-unpacked.ts';
import type { Unpacked } from './softfloat-unpacked.ts';

/** The words of the value packed last; `hi` is 0 for binary32. */
export interface PackedWords {
  lo: number;
  hi: number;
}

/** The one result object of this file. */
export const packedWords: PackedWords = { lo: 0, hi: 0 };

function give(single: boolean, sign: number, high: number, low: number): void {
  const top = (high | (sign << 31)) >>> 0;
  packedWords.lo = single ? top : low >>> 0;
  packedWords.hi = single ? 0 : top;
}

export const packZero = (single: boolean, sign: 0 | 1): void => give(single, sign, 0, 0);

export const packInfinity = (single: boolean, sign: 0 | 1): void =>
  give(single, sign, single ? 0x7f800000 : 0x7ff00000, 0);

/** The QNaN floating-point indefinite (SDM Vol. 1, 4.8.3.7). */
export const packIndefinite = (single: boolean): void =>
  give(single, 1, single ? 0x7fc00000 : 0x7ff80000, 0);

/** A NaN of any format, quieted; the payload keeps its highest bits. */
export function packNan(single: boolean, value: Unpacked): void {
  const high = highWord(value.sig);
  if (single) give(true, value.sign, 0x7fc00000 | ((high >>> 8) & 0x7fffff), 0);
  else {
    const low = (high << 21) | (lowWord(value.sig) >>> 11);
    give(false, value.sign, 0x7ff80000 | ((high >>> 11) & 0xfffff), low);
  }
}

/** A result that was rounded to this format. */
export function packRounded(single: boolean, value: Rounded): void {
  if (value.kind === KIND.infinity) packInfinity(single, value.sign);
  else if (value.kind === KIND.zero) packZero(single, value.sign);
  else {
    const low = lowWord(value.sig);
    if (single) {
      const exp = low < 0x00800000 ? 0 : value.exp + 127;
      give(true, value.sign, (exp << 23) | (low & 0x7fffff), 0);
    } else {
      const high = highWord(value.sig);
      const exp = high < 0x00100000 ? 0 : value.exp + 1023;
      give(false, value.sign, (exp << 20) | (high & 0xfffff), low);
    }
  }
}
