/** 128-bit arithmetic in staged code, on pairs of i64. */
import * as e from '../wasm/expr.ts';
import type { I64 } from '../wasm/expr.ts';
import type { Code } from '../wasm/code.ts';

const LOW_HALF = 0xffff_ffffn;
const lowHalf = (value: I64): I64 => e.and(value, e.i64(LOW_HALF));

/** Bits 127:64 of a × b. */
export const multiplyHigh = (c: Code, a: I64, b: I64, signed: boolean): I64 => {
  const [aLow, aHigh] = [c.let(lowHalf(a)), c.let(e.shrU(a, 32))];
  const [bLow, bHigh] = [c.let(lowHalf(b)), c.let(e.shrU(b, 32))];
  const cross = c.let(e.mul(aLow, bHigh));
  const carried = e.shrU(e.mul(aLow, bLow), 32);
  // At most (2^32 - 1)^2 + 2 (2^32 - 1): it just fits.
  const middle = c.let(e.add(e.add(e.mul(aHigh, bLow), carried), lowHalf(cross)));
  const high = e.add(e.add(e.mul(aHigh, bHigh), e.shrU(cross, 32)), e.shrU(middle, 32));
  if (!signed) return c.let(high);
  const correction = e.add(e.and(e.shrS(a, 63), b), e.and(e.shrS(b, 63), a));
  return c.let(e.sub(high, correction));
};

/** The absolute value of a signed 128-bit number, as an unsigned one. */
export const magnitude128 = (
  c: Code,
  high: I64,
  low: I64,
): { readonly high: I64; readonly low: I64 } => {
  const negative = c.let(e.ltS(high, 0));
  const negatedHigh = e.sub(e.not(high), e.neg(e.extendU(e.eqz(low))));
  return {
    high: c.let(e.select(negative, negatedHigh, high)),
    low: c.let(e.select(negative, e.neg(low), low)),
  };
};

/**
 * high:low / divisor, unsigned; needs high < divisor. Two rounds of schoolbook division with 32-bit digits on a normalised divisor
 * (Knuth, The Art of Computer Programming, Vol. 2, section 4.3.1, algorithm D).
 */
export const divideUnsigned128 = (
  c: Code,
  high: I64,
  low: I64,
  divisor: I64,
): { readonly quotient: I64; readonly remainder: I64 } => {
  const quotient = c.variable('i64');
  const remainder = c.variable('i64');
  c.if(
    e.eqz(high),
    () => {
      c.set(quotient, e.divU(low, divisor));
      c.set(remainder, e.remU(low, divisor));
    },
    () => {
      const shift = c.let(e.clz(divisor));
      const d = c.let(e.shl(divisor, shift));
      const d1 = c.let(e.shrU(d, 32));
      const d0 = c.let(lowHalf(d));
      // Two steps, because a shift by 64 would be one by 0.
      const carried = e.shrU(e.shrU(low, 1), e.xor(shift, 63));
      const n = c.let(e.or(e.shl(high, shift), carried));
      const rest = c.let(e.shl(low, shift));

      /** One digit: the quotient of (top, digit) by d, and the remainder that takes its place. */
      const round = (top: I64, digit: I64): { readonly q: I64; readonly r: I64 } => {
        const q = c.variable('i64', e.divU(top, d1));
        const r = c.variable('i64', e.sub(top, e.mul(c.get(q), d1)));
        // The estimate is too large by two at most.
        c.block((done) => {
          c.loop((again) => {
            const tooLarge = e.or(
              e.nez(e.shrU(c.get(q), 32)),
              e.gtU(e.mul(c.get(q), d0), e.or(e.shl(c.get(r), 32), digit)),
            );
            c.brIf(e.eqz(tooLarge), done);
            c.set(q, e.sub(c.get(q), 1));
            c.set(r, e.add(c.get(r), d1));
            c.brIf(e.eqz(e.shrU(c.get(r), 32)), again);
          });
        });
        const exact = c.get(q);
        const left = e.sub(e.or(e.shl(top, 32), digit), e.mul(exact, d));
        return { q: exact, r: c.let(left) };
      };

      const first = round(n, c.let(e.shrU(rest, 32)));
      const second = round(first.r, c.let(lowHalf(rest)));
      c.set(quotient, e.or(e.shl(first.q, 32), second.q));
      c.set(remainder, e.shrU(second.r, shift));
    },
  );
  return { quotient: c.snapshot(quotient), remainder: c.snapshot(remainder) };
};
