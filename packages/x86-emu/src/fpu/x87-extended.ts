/** Arithmetic of the x87 on unpacked operands: special operands, NaN choice, rounding and packing; nothing here knows the stack. */

import { highWord, lowWord, count } from './big-bits.ts';
import {
  addExact,
  divideExact,
  multiplyExact,
  squareRootExact,
  valueExact,
} from './softfloat-arithmetic.ts';
import { EXTENDED_BIAS, FP_FLAG, ROUNDING } from './softfloat-format.ts';
import type { RoundTarget } from './softfloat-format.ts';
import { exact, roundExact, rounded } from './softfloat-round.ts';
import type { Exact, RoundControl } from './softfloat-round.ts';
import { KIND } from './softfloat-unpacked.ts';
import type { Unpacked } from './softfloat-unpacked.ts';
import type { Extended } from './x87-state.ts';

/** Result of the last operation of this file; valid until the next one. */
export interface ExtendedResult extends Extended {
  /** Exceptions found. */
  flags: number;
  /** C1: the magnitude was rounded up. */
  up: boolean;
}

/** The one result object of this file's operations. */
export const extendedResult: ExtendedResult = { lo: 0, hi: 0, signExp: 0, flags: 0, up: false };

const precise: Exact = exact();
const outcome = rounded();

/** The QNaN floating-point indefinite (SDM Vol. 1, 4.2.2). */
export const INDEFINITE: Readonly<Extended> = { lo: 0, hi: 0xc0000000, signExp: 0xffff };

function give(lo: number, hi: number, signExp: number, flags: number): void {
  extendedResult.lo = lo;
  extendedResult.hi = hi;
  extendedResult.signExp = signExp;
  extendedResult.flags = flags;
  extendedResult.up = false;
}

export const giveZero = (sign: 0 | 1, flags: number): void => give(0, 0, sign << 15, flags);

export const giveInfinity = (sign: 0 | 1, flags: number): void =>
  give(0, 0x80000000, (sign << 15) | 0x7fff, flags);

export const giveInvalid = (): void =>
  give(INDEFINITE.lo, INDEFINITE.hi, INDEFINITE.signExp, FP_FLAG.invalid);

/** Gives ±1.0 × 2^exp. */
export const givePower = (sign: 0 | 1, exp: number, flags: number): void =>
  give(0, 0x80000000, (sign << 15) | (exp + EXTENDED_BIAS), flags);

const giveQuieted = (value: Unpacked, flags: number): void =>
  give(
    lowWord(value.sig),
    (highWord(value.sig) | 0x40000000) >>> 0,
    (value.sign << 15) | 0x7fff,
    flags,
  );

/** Answers a single operand that is no number: its NaN quieted, or the indefinite if unsupported. */
export function giveNan(value: Unpacked): void {
  if (value.kind === KIND.unsupported) giveInvalid();
  else giveQuieted(value, value.kind === KIND.signalingNan ? FP_FLAG.invalid : 0);
}

/** Answers two operands of which at least one is no number (SDM Vol. 1, table 4-7, x87 column). */
export function giveNans(a: Unpacked, b: Unpacked): void {
  if (a.kind === KIND.unsupported || b.kind === KIND.unsupported) {
    giveInvalid();
    return;
  }
  const flags = a.kind === KIND.signalingNan || b.kind === KIND.signalingNan ? FP_FLAG.invalid : 0;
  if (b.kind < KIND.quietNan) giveQuieted(a, flags);
  else if (a.kind < KIND.quietNan) giveQuieted(b, flags);
  else if (a.kind !== b.kind) giveQuieted(a.kind === KIND.quietNan ? a : b, flags);
  else if (a.sig !== b.sig) giveQuieted(a.sig > b.sig ? a : b, flags);
  else giveQuieted(a.sign === 0 ? a : b, flags);
}

/** Gives `precise`, or any exact value, rounded to `target`. */
export function giveRounded(
  value: Exact,
  target: RoundTarget,
  control: RoundControl,
  flags: number,
): void {
  roundExact(value, target, control, outcome);
  const all = flags | outcome.flags;
  if (outcome.kind === KIND.infinity) giveInfinity(outcome.sign, all);
  else if (outcome.kind === KIND.zero) giveZero(outcome.sign, all);
  else {
    const left = 64 - target.precision;
    const sig = left === 0 ? outcome.sig : outcome.sig << count(left);
    const high = highWord(sig);
    const exp = high < 0x80000000 ? 0 : outcome.exp + EXTENDED_BIAS;
    give(lowWord(sig), high, (outcome.sign << 15) | (exp & 0x7fff), all);
  }
  extendedResult.up = outcome.up;
}

/** Gives a finite or zero value rounded to `target`. */
export function giveValue(
  value: Unpacked,
  target: RoundTarget,
  control: RoundControl,
  flags: number,
): void {
  if (value.kind === KIND.zero) giveZero(value.sign, flags);
  else {
    valueExact(value, precise);
    giveRounded(precise, target, control, flags);
  }
}

/** Operations of `extendedBinary`, as the reg field of D8. */
const X87_OP = { add: 0, mul: 1, sub: 4, subr: 5, div: 6, divr: 7 } as const;

const zeroSumSign = (control: RoundControl): 0 | 1 => (control.rounding === ROUNDING.down ? 1 : 0);

function sum(
  a: Unpacked,
  b: Unpacked,
  negate: 0 | 1,
  flags: number,
  target: RoundTarget,
  control: RoundControl,
): void {
  const bSign = (b.sign ^ negate) as 0 | 1;
  if (a.kind === KIND.infinity) {
    if (b.kind === KIND.infinity && a.sign !== bSign) giveInvalid();
    else giveInfinity(a.sign, flags);
  } else if (b.kind === KIND.infinity) giveInfinity(bSign, flags);
  else if (a.kind === KIND.zero && b.kind === KIND.zero) {
    giveZero(a.sign === bSign ? a.sign : zeroSumSign(control), flags);
  } else if (a.kind === KIND.zero) {
    valueExact(b, precise);
    precise.sign = bSign;
    giveRounded(precise, target, control, flags);
  } else if (b.kind === KIND.zero) {
    valueExact(a, precise);
    giveRounded(precise, target, control, flags);
  } else {
    addExact(a, b, negate, precise);
    if (precise.sig === 0n) giveZero(zeroSumSign(control), flags);
    else giveRounded(precise, target, control, flags);
  }
}

function product(
  a: Unpacked,
  b: Unpacked,
  flags: number,
  target: RoundTarget,
  control: RoundControl,
): void {
  const sign = (a.sign ^ b.sign) as 0 | 1;
  const zero = a.kind === KIND.zero || b.kind === KIND.zero;
  if (a.kind === KIND.infinity || b.kind === KIND.infinity) {
    if (zero) giveInvalid();
    else giveInfinity(sign, flags);
  } else if (zero) giveZero(sign, flags);
  else {
    multiplyExact(a, b, precise);
    giveRounded(precise, target, control, flags);
  }
}

function quotient(
  a: Unpacked,
  b: Unpacked,
  flags: number,
  target: RoundTarget,
  control: RoundControl,
): void {
  const sign = (a.sign ^ b.sign) as 0 | 1;
  if (a.kind === KIND.infinity) {
    if (b.kind === KIND.infinity) giveInvalid();
    else giveInfinity(sign, flags);
  } else if (b.kind === KIND.infinity) giveZero(sign, flags);
  else if (b.kind === KIND.zero) {
    if (a.kind === KIND.zero) giveInvalid();
    else giveInfinity(sign, FP_FLAG.zeroDivide);
  } else if (a.kind === KIND.zero) giveZero(sign, flags);
  else {
    divideExact(a, b, precise);
    giveRounded(precise, target, control, flags);
  }
}

/** DE if an operand is denormal. */
export const denormalFlag = (a: Unpacked, b: Unpacked): number =>
  a.denormal || b.denormal ? FP_FLAG.denormal : 0;

/** a op b, a being the destination; the reversed operations exchange them. */
export function extendedBinary(
  op: number,
  a: Unpacked,
  b: Unpacked,
  target: RoundTarget,
  control: RoundControl,
): void {
  if (a.kind >= KIND.quietNan || b.kind >= KIND.quietNan) {
    giveNans(a, b);
    return;
  }
  const flags = denormalFlag(a, b);
  if (op === X87_OP.add) sum(a, b, 0, flags, target, control);
  else if (op === X87_OP.mul) product(a, b, flags, target, control);
  else if (op === X87_OP.sub) sum(a, b, 1, flags, target, control);
  else if (op === X87_OP.subr) sum(b, a, 1, flags, target, control);
  else if (op === X87_OP.div) quotient(a, b, flags, target, control);
  else quotient(b, a, flags, target, control);
}

/** √a. */
export function extendedRoot(a: Unpacked, target: RoundTarget, control: RoundControl): void {
  if (a.kind >= KIND.quietNan) giveNan(a);
  else if (a.kind === KIND.zero) giveZero(a.sign, 0);
  else if (a.sign === 1) giveInvalid();
  else if (a.kind === KIND.infinity) giveInfinity(0, 0);
  else {
    squareRootExact(a, precise);
    giveRounded(precise, target, control, a.denormal ? FP_FLAG.denormal : 0);
  }
}
