/**
 * Rounding an exact value to a destination, with the exceptions found after a computation.
 * Tininess is detected after rounding, as x86 does (SDM Vol. 1, 4.9.1.5).
 */

import { count, mask, power } from './big-bits.ts';
import { FP_FLAG, ROUNDING } from './softfloat-format.ts';
import type { RoundTarget } from './softfloat-format.ts';
import { KIND } from './softfloat-unpacked.ts';
import type { Kind } from './softfloat-unpacked.ts';

/**
 * An exact result before rounding: (−1)^sign × sig × 2^(exp − (width − 1)), `sig` having exactly `width` bits. Its lowest bit may stand for
 * any non-zero rest below it (sticky) if at least two bits lie below the last kept one. `sig` = 0 is an exact zero.
 */
export interface Exact {
  sign: 0 | 1;
  exp: number;
  sig: bigint;
  width: number;
}

/** A rounded result. */
export interface Rounded {
  kind: Kind;
  sign: 0 | 1;
  /** Exponent of the integer bit; `emin` for a subnormal. */
  exp: number;
  /** `precision` bits, right-aligned; the integer bit is clear for a subnormal. */
  sig: bigint;
  /** Exceptions raised. */
  flags: number;
  /** True if the magnitude was rounded up: C1 of the x87. */
  up: boolean;
}

/** How to round: rounding control, the exceptions that are unmasked, and flush-to-zero. */
export interface RoundControl {
  rounding: number;
  /** OE and UE bits as in `FP_FLAG`, set when that exception is unmasked. */
  unmasked: number;
  flushToZero: boolean;
}

/** Says whether the magnitude goes up, given the last kept bit and the part cut off. */
function roundsUp(sign: 0 | 1, odd: boolean, rest: bigint, cut: number, rounding: number): boolean {
  if (rest === 0n) return false;
  if (rounding === ROUNDING.nearest) {
    const half = power(cut - 1);
    return rest > half || (rest === half && odd);
  }
  return rounding === (sign === 0 ? ROUNDING.up : ROUNDING.down);
}

/** Cuts `cut` bits off `sig` into `out`, rounding; tells whether anything was lost. */
function cutBits(exact: Exact, cut: number, rounding: number, out: Rounded): boolean {
  const { sig, sign } = exact;
  if (cut <= 0) {
    out.sig = cut === 0 ? sig : sig << count(-cut);
    out.up = false;
    return false;
  }
  const kept = sig >> count(cut);
  const rest = sig & mask(cut);
  if (rest === 0n) {
    out.sig = kept;
    out.up = false;
    return false;
  }
  out.up = roundsUp(sign, (kept & 1n) === 1n, rest, cut, rounding);
  out.sig = out.up ? kept + 1n : kept;
  return true;
}

/** Rounds with an unbounded exponent: exactly `precision` bits. */
function roundUnbounded(exact: Exact, precision: number, rounding: number, out: Rounded): boolean {
  const inexact = cutBits(exact, exact.width - precision, rounding, out);
  out.exp = exact.exp;
  if (out.up && out.sig === power(precision)) {
    out.sig = power(precision - 1);
    out.exp += 1;
  }
  return inexact;
}

function overflow(
  target: RoundTarget,
  control: RoundControl,
  inexact: boolean,
  out: Rounded,
): void {
  if ((control.unmasked & FP_FLAG.overflow) !== 0) {
    out.flags = FP_FLAG.overflow | (inexact ? FP_FLAG.precision : 0);
    out.exp -= target.wrap;
    // Only FSCALE gets so far that the adjusted exponent does not fit either.
    if (target.wrap !== 0 && out.exp > target.emax) {
      out.kind = KIND.infinity;
      out.flags |= FP_FLAG.precision;
      out.up = true;
    }
    return;
  }
  out.flags = FP_FLAG.overflow | FP_FLAG.precision;
  const away = out.sign === 0 ? ROUNDING.up : ROUNDING.down;
  out.up = control.rounding === ROUNDING.nearest || control.rounding === away;
  if (out.up) {
    out.kind = KIND.infinity;
  } else {
    out.exp = target.emax;
    out.sig = mask(target.precision);
  }
}

function belowNormal(exact: Exact, target: RoundTarget, control: RoundControl, out: Rounded): void {
  const { precision, emin } = target;
  let inexact = roundUnbounded(exact, precision, control.rounding, out);
  const tiny = out.exp < emin;
  if (tiny && (control.unmasked & FP_FLAG.underflow) !== 0) {
    out.flags = FP_FLAG.underflow | (inexact ? FP_FLAG.precision : 0);
    out.exp += target.wrap;
    if (target.wrap !== 0 && out.exp < emin) {
      out.kind = KIND.zero;
      out.sig = 0n;
      out.up = false;
      out.flags |= FP_FLAG.precision;
    }
    return;
  }
  if (tiny && control.flushToZero) {
    out.kind = KIND.zero;
    out.sig = 0n;
    out.up = false;
    out.flags = FP_FLAG.underflow | FP_FLAG.precision;
    return;
  }
  // Beyond width + 1 bits every cut leaves nothing and a rest below one half.
  const cut = Math.min(exact.width - precision + (emin - exact.exp), exact.width + 1);
  inexact = cutBits(exact, cut, control.rounding, out);
  out.exp = emin;
  if (out.sig === 0n) out.kind = KIND.zero;
  if (inexact) out.flags = FP_FLAG.precision | (tiny ? FP_FLAG.underflow : 0);
}

/** Rounds a non-zero exact value to `target`; everything about the result goes to `out`. */
export function roundExact(
  exact: Exact,
  target: RoundTarget,
  control: RoundControl,
  out: Rounded,
): void {
  out.kind = KIND.finite;
  out.sign = exact.sign;
  out.flags = 0;
  if (exact.exp < target.emin) {
    belowNormal(exact, target, control, out);
    return;
  }
  const inexact = roundUnbounded(exact, target.precision, control.rounding, out);
  if (out.exp > target.emax) overflow(target, control, inexact, out);
  else if (inexact) out.flags = FP_FLAG.precision;
}

/** A fresh scratch result. */
export const rounded = (): Rounded => ({
  kind: KIND.zero,
  sign: 0,
  exp: 0,
  sig: 0n,
  flags: 0,
  up: false,
});

/** A fresh scratch exact value. */
export const exact = (): Exact => ({ sign: 0, exp: 0, sig: 0n, width: 0 });
