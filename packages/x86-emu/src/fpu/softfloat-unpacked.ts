/**
 * Floating-point values taken apart. All formats share one form: a significand of exactly 64 bits with the integer bit
 * at bit 63, and the exponent of that bit; so one set of algorithms serves binary32, binary64 and x87 extended.
 */

import { joinWords, count } from './big-bits.ts';
import { EXTENDED_BIAS } from './softfloat-format.ts';

/** Classes of values, ordered so that `kind >= KIND.quietNan` means "no number". */
export const KIND = {
  zero: 0,
  finite: 1,
  infinity: 2,
  quietNan: 3,
  signalingNan: 4,
  /** x87 only: integer bit clear with a non-zero exponent (SDM Vol. 1, 8.2.2). */
  unsupported: 5,
} as const;

export type Kind = (typeof KIND)[keyof typeof KIND];

/** A value taken apart; reused as scratch, so never kept across calls. */
export interface Unpacked {
  kind: Kind;
  sign: 0 | 1;
  /** Exponent of bit 63 of `sig`; meaningful for finite values. */
  exp: number;
  /** 64 bits, bit 63 set, for finite values; payload with bits 63 (and 62 if quiet) for NaNs. */
  sig: bigint;
  /** True if the encoding is denormal or pseudo-denormal: raises DE. */
  denormal: boolean;
}

/** A fresh scratch value, +0. */
export const unpacked = (): Unpacked => ({
  kind: KIND.zero,
  sign: 0,
  exp: 0,
  sig: 0n,
  denormal: false,
});

const leadingZeros = (lo: number, hi: number): number =>
  hi === 0 ? 32 + Math.clz32(lo) : Math.clz32(hi);

/** Finishes a denormal whose significand words stand left-aligned below bit 63's exponent `exp`. */
function unpackDenormal(lo: number, hi: number, exp: number, out: Unpacked): void {
  const zeros = leadingZeros(lo, hi);
  out.kind = KIND.finite;
  out.denormal = true;
  out.exp = exp - zeros;
  out.sig = joinWords(lo, hi) << count(zeros);
}

function unpackSpecial(lo: number, hi: number, out: Unpacked): void {
  if (lo === 0 && hi === 0x80000000) {
    out.kind = KIND.infinity;
    return;
  }
  out.kind = (hi & 0x40000000) === 0 ? KIND.signalingNan : KIND.quietNan;
  out.sig = joinWords(lo, hi);
}

/** Takes a binary32 apart. */
export function unpack32(bits: number, out: Unpacked): void {
  const exp = (bits >>> 23) & 0xff;
  const fraction = (bits << 8) & 0x7fffffff;
  out.sign = (bits >>> 31) as 0 | 1;
  out.denormal = false;
  if (exp === 0) {
    if (fraction === 0) out.kind = KIND.zero;
    else unpackDenormal(0, fraction, -126, out);
  } else if (exp === 0xff) {
    unpackSpecial(0, (fraction | 0x80000000) >>> 0, out);
  } else {
    out.kind = KIND.finite;
    out.exp = exp - 127;
    out.sig = joinWords(0, fraction | 0x80000000);
  }
}

/** Takes a binary64 apart, given as two words. */
export function unpack64(lo: number, hi: number, out: Unpacked): void {
  const exp = (hi >>> 20) & 0x7ff;
  const high = ((hi << 11) | (lo >>> 21)) & 0x7fffffff;
  const low = (lo << 11) >>> 0;
  out.sign = (hi >>> 31) as 0 | 1;
  out.denormal = false;
  if (exp === 0) {
    if ((high | low) === 0) out.kind = KIND.zero;
    else unpackDenormal(low, high, -1022, out);
  } else if (exp === 0x7ff) {
    unpackSpecial(low, (high | 0x80000000) >>> 0, out);
  } else {
    out.kind = KIND.finite;
    out.exp = exp - 1023;
    out.sig = joinWords(low, high | 0x80000000);
  }
}

/** Takes an x87 extended value apart: two significand words, then sign and exponent. */
export function unpack80(lo: number, hi: number, signExp: number, out: Unpacked): void {
  const exp = signExp & 0x7fff;
  out.sign = ((signExp >>> 15) & 1) as 0 | 1;
  out.denormal = false;
  if (exp === 0) {
    if ((lo | hi) === 0) out.kind = KIND.zero;
    else unpackDenormal(lo >>> 0, hi >>> 0, 1 - EXTENDED_BIAS, out);
  } else if (hi >= 0 && hi < 0x80000000) {
    out.kind = KIND.unsupported;
  } else if (exp === 0x7fff) {
    unpackSpecial(lo >>> 0, hi >>> 0, out);
  } else {
    out.kind = KIND.finite;
    out.exp = exp - EXTENDED_BIAS;
    out.sig = joinWords(lo, hi);
  }
}

/** Takes a signed integer apart; exact, since 64 bits hold every operand. */
export function unpackInteger(value: bigint, out: Unpacked): void {
  out.denormal = false;
  out.sign = value < 0n ? 1 : 0;
  const magnitude = value < 0n ? -value : value;
  if (magnitude === 0n) {
    out.kind = KIND.zero;
    return;
  }
  const lo = Number(magnitude & 0xffffffffn);
  const hi = Number(magnitude >> 32n);
  const zeros = leadingZeros(lo, hi);
  out.kind = KIND.finite;
  out.exp = 63 - zeros;
  out.sig = magnitude << count(zeros);
}
