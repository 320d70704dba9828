/** Rounding to integers: FRNDINT, ROUNDxx, FIST and CVTxx2SI all end here. */

import { bitLength, count, mask, power } from './big-bits.ts';
import { ROUNDING } from './softfloat-format.ts';
import type { Unpacked } from './softfloat-unpacked.ts';

/** A magnitude rounded to an integer. */
export interface Integral {
  /** The rounded magnitude; exact only while the value's exponent is below 64. */
  magnitude: bigint;
  inexact: boolean;
  /** True if the magnitude was rounded up. */
  up: boolean;
}

/** A fresh scratch result. */
export const integral = (): Integral => ({ magnitude: 0n, inexact: false, up: false });

/** Rounds a finite non-zero value whose exponent is below 64. */
export function roundToIntegral(value: Unpacked, rounding: number, out: Integral): void {
  const cut = 63 - value.exp;
  if (cut <= 0) {
    out.magnitude = value.sig;
    out.inexact = false;
    out.up = false;
    return;
  }
  // Below one half everything is rest: 65 bits cut from 64 say the same as any more.
  const bits = Math.min(cut, 65);
  const kept = value.sig >> count(bits);
  const rest = value.sig & mask(bits);
  out.inexact = rest !== 0n;
  if (!out.inexact) out.up = false;
  else if (rounding === ROUNDING.nearest) {
    const half = power(bits - 1);
    out.up = rest > half || (rest === half && (kept & 1n) === 1n);
  } else out.up = rounding === (value.sign === 0 ? ROUNDING.up : ROUNDING.down);
  out.magnitude = out.up ? kept + 1n : kept;
}

/** Tells whether a signed integer of `width` bits holds the rounded magnitude. */
export function fitsSigned(magnitude: bigint, negative: boolean, width: number): boolean {
  const length = bitLength(magnitude);
  if (length < width) return true;
  return negative && length === width && magnitude === power(width - 1);
}
