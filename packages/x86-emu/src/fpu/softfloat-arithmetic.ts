/**
 * Exact (or sticky-exact) sum, product, quotient and root of finite non-zero values. Special operands are the caller's, because SSE and x87
 * answer them differently.
 */

import { bitLength, count, power, squareRoot136 } from './big-bits.ts';
import type { Exact } from './softfloat-round.ts';
import type { Unpacked } from './softfloat-unpacked.ts';

/** Beyond this distance of exponents the smaller operand is only a sticky bit. */
const STICKY_DISTANCE = 66;

/** a + b, or a − b if `negate` is 1. A zero sum has `sig` 0 and no meaningful sign. */
export function addExact(a: Unpacked, b: Unpacked, negate: 0 | 1, out: Exact): void {
  let big = a;
  let small = b;
  let bigSign = a.sign;
  let smallSign = (b.sign ^ negate) as 0 | 1;
  if (a.exp < b.exp || (a.exp === b.exp && a.sig < b.sig)) {
    big = b;
    small = a;
    [bigSign, smallSign] = [smallSign, bigSign];
  }
  const distance = big.exp - small.exp;
  out.sign = bigSign;
  if (distance > STICKY_DISTANCE) {
    const wide = big.sig << 3n;
    out.sig = bigSign === smallSign ? wide | 1n : wide - 1n;
    out.width = out.sig < power(66) ? 66 : 67;
    out.exp = out.width === 67 ? big.exp : big.exp - 1;
    return;
  }
  const aligned = distance === 0 ? big.sig : big.sig << count(distance);
  const width = 64 + distance;
  if (bigSign === smallSign) {
    out.sig = aligned + small.sig;
    out.width = out.sig >= power(width) ? width + 1 : width;
  } else {
    out.sig = aligned - small.sig;
    out.width = bitLength(out.sig);
  }
  out.exp = big.exp + out.width - width;
}

/** a × b. */
export function multiplyExact(a: Unpacked, b: Unpacked, out: Exact): void {
  out.sign = (a.sign ^ b.sign) as 0 | 1;
  out.sig = a.sig * b.sig;
  out.width = out.sig >= power(127) ? 128 : 127;
  out.exp = a.exp + b.exp + out.width - 127;
}

/** a ÷ b, with a sticky last bit. */
export function divideExact(a: Unpacked, b: Unpacked, out: Exact): void {
  const numerator = a.sig << 67n;
  let quotient = numerator / b.sig;
  if (quotient * b.sig !== numerator) quotient |= 1n;
  out.sign = (a.sign ^ b.sign) as 0 | 1;
  out.sig = quotient;
  out.width = quotient >= power(67) ? 68 : 67;
  out.exp = a.exp - b.exp + out.width - 68;
}

/** √a for a positive value, with a sticky last bit. */
export function squareRootExact(a: Unpacked, out: Exact): void {
  const odd = a.exp & 1;
  const radicand = a.sig << (odd === 0 ? 71n : 72n);
  let root = squareRoot136(radicand);
  if (root * root !== radicand) root |= 1n;
  out.sign = 0;
  out.sig = root;
  out.width = 68;
  out.exp = (a.exp - odd) / 2;
}

/** The value itself, ready to be rounded to another format. */
export function valueExact(a: Unpacked, out: Exact): void {
  out.sign = a.sign;
  out.sig = a.sig;
  out.width = 64;
  out.exp = a.exp;
}

/** Order of two numbers (no NaNs, infinities and zeros allowed): −1, 0 or 1. */
export function compareNumbers(a: Unpacked, b: Unpacked): -1 | 0 | 1 {
  if (a.kind === 0 && b.kind === 0) return 0;
  if (a.kind === 0) return b.sign === 1 ? 1 : -1;
  if (b.kind === 0 || a.sign !== b.sign) return a.sign === 1 ? -1 : 1;
  const larger = a.sign === 0 ? 1 : -1;
  const smaller = a.sign === 0 ? -1 : 1;
  if (a.kind !== b.kind) return a.kind > b.kind ? larger : smaller;
  if (a.kind === 2) return 0;
  if (a.exp !== b.exp) return a.exp > b.exp ? larger : smaller;
  if (a.sig === b.sig) return 0;
  return a.sig > b.sig ? larger : smaller;
}
