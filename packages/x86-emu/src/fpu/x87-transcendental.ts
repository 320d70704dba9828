/**
 * F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS, FSINCOS: correctly rounded as FCW.RC says, whatever FCW.PC. Silicon promises one
 * unit in the last place and differs between makers, so the last bit here may not be that of a given CPU (SDM Vol. 1, 8.3.10).
 * What angles are reduced by, and what comes of operands out of range, is as on AMD Zen 3.
 */

import { bitLength } from './big-bits.ts';
import {
  FRACTION,
  LN2,
  LOG2_E,
  ONE,
  PI,
  arctangentRatio,
  arctanhSeries,
  cosineSeries,
  divide,
  exponentialSeries,
  multiply,
  reduceAngle,
  sineSeries,
} from './fixed-point.ts';
import { EXTENDED64, FP_FLAG } from './softfloat-format.ts';
import { exact } from './softfloat-round.ts';
import { KIND, unpacked } from './softfloat-unpacked.ts';
import type { Unpacked } from './softfloat-unpacked.ts';
import {
  INDEFINITE,
  denormalFlag,
  extendedResult,
  giveInfinity,
  giveInvalid,
  giveNan,
  giveNans,
  givePower,
  giveRounded,
  giveZero,
} from './x87-extended.ts';
import {
  commit,
  replaceEmpty,
  roomToPush,
  roundControl,
  signal,
  underflow,
} from './x87-response.ts';
import {
  FSW,
  isEmpty,
  pop,
  push,
  readFsw,
  unpackRegister,
  writeFsw,
  writeRegister,
} from './x87-state.ts';
import type { X87State } from './x87-state.ts';

const x = unpacked();
const y = unpacked();
const precise = exact();

/** Gives (−1)^sign × sig × 2^scale, `sig` approximating an irrational number from 0 on. */
function giveScaled(s: X87State, sign: 0 | 1, sig: bigint, scale: number, flags: number): void {
  // 160 bits keep what rounding can need; the rest and the tail of the series become a sticky bit.
  const excess = bitLengthWide(sig) - 160;
  precise.sign = sign;
  precise.sig = (excess > 0 ? sig >> BigInt(excess) : sig << BigInt(-excess)) | 1n;
  precise.width = 160;
  precise.exp = scale + excess + 159;
  giveRounded(precise, EXTENDED64, roundControl(s), flags);
}

/** `bitLength` for values beyond the range of a double. */
function bitLengthWide(value: bigint): number {
  const low = 768n;
  const high = value >> low;
  return high === 0n ? bitLength(value) : Number(low) + bitLengthWide(high);
}

/** Gives an exact finite value. */
function giveExact(s: X87State, sign: 0 | 1, sig: bigint, scale: number, flags: number): void {
  precise.sign = sign;
  precise.sig = sig;
  precise.width = bitLength(sig);
  precise.exp = scale + precise.width - 1;
  giveRounded(precise, EXTENDED64, roundControl(s), flags);
}

/** The value in fixed point, 0 where it is too small to matter. */
function fixed(value: Unpacked): bigint {
  const shift = FRACTION - 63 + value.exp;
  return shift >= 0 ? value.sig << BigInt(shift) : value.sig >> BigInt(Math.min(-shift, 64));
}

/** A series' sum never is exactly one: says on which side of it the true sum lies. */
const besideOne = (sum: bigint, below: boolean): bigint =>
  sum !== ONE ? sum : below ? ONE - 1n : ONE + 1n;

/** F2XM1: 2^ST(0) − 1 for |ST(0)| ≤ 1; outside the operand stays as it is. */
export function exponential(s: X87State): void {
  if (isEmpty(s, 0)) {
    replaceEmpty(s, 0);
    return;
  }
  unpackRegister(s, 0, x);
  const flags = x.denormal ? FP_FLAG.denormal : 0;
  const { kind, sign, exp, sig } = x;
  if (kind >= KIND.quietNan) giveNan(x);
  else if (kind === KIND.zero) giveZero(sign, 0);
  else if (kind === KIND.infinity) {
    if (sign === 0) giveInfinity(0, 0);
    else givePower(1, 0, 0);
  } else if (exp >= 0) {
    // Exact results raise PE too, and operands out of range stay as they are: as silicon does.
    if (exp > 0 || sig !== 1n << 63n) {
      giveExact(s, sign, sig, exp - 63, flags | FP_FLAG.precision);
    } else givePower(sign, sign === 0 ? 0 : -1, flags | FP_FLAG.precision);
  } else {
    const magnitude = multiply(fixed(x), LN2);
    const t = sign === 0 ? magnitude : -magnitude;
    const sum = besideOne(exponentialSeries(t), sign === 1);
    giveScaled(s, sign, sig * LN2 * sum, exp - 63 - 2 * FRACTION, flags);
  }
  commit(s, 0);
}

/** log2 of a positive number as an integer scaled by 2^-`scale`; exact for powers of two. */
interface Logarithm {
  value: bigint;
  scale: number;
  exact: boolean;
}

/** Bits beyond FRACTION that keep the relative error of logarithms near 0 low. */
const LOG_GUARD = 80;

/** log2 of sig × 2^(exp − (width − 1)), `sig` having exactly `width` bits, at most LOG_GUARD. */
function logarithm2(sig: bigint, width: number, exp: number): Logarithm {
  const unit = 1n << BigInt(width - 1);
  if (sig === unit) return { value: BigInt(exp), scale: 0, exact: true };
  // m in about [√½, √2): m = 1 + distance ÷ base.
  const halve = sig - unit > (unit * 53n) >> 7n;
  const base = halve ? unit << 1n : unit;
  const distance = sig - base;
  // log2 m = 2 z (1 + z²/3 + …) log2 e, with z = (m − 1) ÷ (m + 1).
  const z = (distance << BigInt(FRACTION + LOG_GUARD)) / (sig + base);
  const short = z >> BigInt(LOG_GUARD);
  const sum = arctanhSeries(multiply(short, short));
  const fraction = (2n * z * multiply(sum, LOG2_E)) >> BigInt(FRACTION);
  const whole = BigInt(halve ? exp + 1 : exp) << BigInt(FRACTION + LOG_GUARD);
  return { value: whole + fraction, scale: FRACTION + LOG_GUARD, exact: false };
}

/** Gives y × log2, y being finite and the logarithm not 0. Silicon calls exact products inexact. */
function giveLogarithm(s: X87State, log: Logarithm, flags: number): void {
  const negative = log.value < 0n;
  const sign = (y.sign ^ (negative ? 1 : 0)) as 0 | 1;
  const product = y.sig * (negative ? -log.value : log.value);
  const give = log.exact ? giveExact : giveScaled;
  give(s, sign, product, y.exp - 63 - log.scale, flags | FP_FLAG.precision);
  if (precise.exp < EXTENDED64.emin) extendedResult.flags |= FP_FLAG.underflow;
}

/** Ends an instruction that replaces ST(1) and pops. */
function commitPop(s: X87State): void {
  if (commit(s, 1)) pop(s);
}

/** Answers an empty operand of such an instruction; true if it did. */
function emptyPair(s: X87State): boolean {
  if (!isEmpty(s, 0) && !isEmpty(s, 1)) return false;
  if (underflow(s)) {
    writeRegister(s, 1, INDEFINITE);
    pop(s);
  }
  return true;
}

/** FYL2X: ST(1) × log2 ST(0), popped. */
export function logarithm(s: X87State): void {
  if (emptyPair(s)) return;
  unpackRegister(s, 0, x);
  unpackRegister(s, 1, y);
  const flags = denormalFlag(x, y);
  if (x.kind >= KIND.quietNan || y.kind >= KIND.quietNan) giveNans(y, x);
  else if (x.kind === KIND.zero) {
    const sign = (y.sign ^ 1) as 0 | 1;
    if (y.kind === KIND.zero) giveInvalid();
    else if (y.kind === KIND.infinity) giveInfinity(sign, 0);
    else giveInfinity(sign, FP_FLAG.zeroDivide);
  } else if (x.sign === 1) giveInvalid();
  else if (x.kind === KIND.infinity) {
    if (y.kind === KIND.zero) giveInvalid();
    else giveInfinity(y.sign, flags);
  } else {
    const log = logarithm2(x.sig, 64, x.exp);
    const sign = (y.sign ^ (log.value < 0n ? 1 : 0)) as 0 | 1;
    if (y.kind === KIND.infinity) {
      if (log.value === 0n) giveInvalid();
      else giveInfinity(sign, flags);
    } else if (y.kind === KIND.zero || log.value === 0n) giveZero(sign, flags);
    else giveLogarithm(s, log, flags);
  }
  commitPop(s);
}

/** FYL2XP1: ST(1) × log2(ST(0) + 1), popped. */
export function logarithmPlusOne(s: X87State): void {
  if (emptyPair(s)) return;
  unpackRegister(s, 0, x);
  unpackRegister(s, 1, y);
  const flags = denormalFlag(x, y);
  const sign = (x.sign ^ y.sign) as 0 | 1;
  if (x.kind >= KIND.quietNan || y.kind >= KIND.quietNan) giveNans(y, x);
  else if (x.kind === KIND.infinity) {
    if (x.sign === 1 || y.kind === KIND.zero) giveInvalid();
    else giveInfinity(sign, flags);
  } else if (y.kind === KIND.infinity) {
    if (x.kind === KIND.zero) giveInvalid();
    else giveInfinity(sign, flags);
  } else if (x.kind === KIND.zero || y.kind === KIND.zero) giveZero(sign, flags);
  else if (x.exp >= -3) logarithmOfSum(s, flags);
  else {
    const magnitude = fixed(x);
    const value = x.sign === 0 ? magnitude : -magnitude;
    // log2(1 + x) = 2 z (1 + z²/3 + …) log2 e, with z = x ÷ (2 + x).
    const inverse = divide(ONE, 2n * ONE + value);
    const z = multiply(value, inverse);
    const sum = 2n * multiply(inverse, arctanhSeries(multiply(z, z)));
    const factor = besideOne(sum, x.sign === 0);
    const product = x.sig * y.sig * ((factor * LOG2_E) >> BigInt(FRACTION));
    giveScaled(s, sign, product, x.exp + y.exp - 126 - FRACTION, flags);
  }
  commitPop(s);
}

/** Beyond this exponent of x, 1 + x and x have the same logarithm as far as a result can tell. */
const SUM_LIMIT = 320;

/** FYL2XP1 for |x| ≥ 1/8, where 1 + x is taken exactly. Beyond (√2 − 1) the instruction is undefined. */
function logarithmOfSum(s: X87State, flags: number): void {
  if (x.sign === 1 && x.exp >= 0) {
    giveExact(s, 1, x.sig, x.exp - 63, flags | FP_FLAG.precision);
    return;
  }
  if (x.exp > SUM_LIMIT) {
    giveLogarithm(s, logarithm2(x.sig, 64, x.exp), flags);
    return;
  }
  const one = 1n << 66n;
  const shifted = x.sig << BigInt(x.exp + 3);
  const sum = x.sign === 0 ? one + shifted : one - shifted;
  const width = bitLength(sum);
  giveLogarithm(s, logarithm2(sum, width, width - 67), flags);
}

/** FPATAN: the angle of the point (ST(0), ST(1)), popped. */
export function arctangent(s: X87State): void {
  if (emptyPair(s)) return;
  unpackRegister(s, 0, x);
  unpackRegister(s, 1, y);
  const flags = denormalFlag(x, y);
  const { sign } = y;
  if (x.kind >= KIND.quietNan || y.kind >= KIND.quietNan) giveNans(y, x);
  else if (y.kind === KIND.zero) {
    if (x.sign === 0) giveZero(sign, flags);
    else giveScaled(s, sign, PI, -FRACTION, flags);
  } else if (y.kind === KIND.infinity) {
    let angle = PI >> 1n;
    if (x.kind === KIND.infinity) angle = x.sign === 0 ? PI >> 2n : (3n * PI) >> 2n;
    giveScaled(s, sign, angle, -FRACTION, flags);
  } else if (x.kind === KIND.infinity) {
    if (x.sign === 0) giveZero(sign, flags);
    else giveScaled(s, sign, PI, -FRACTION, flags);
  } else if (x.kind === KIND.zero) giveScaled(s, sign, PI >> 1n, -FRACTION, flags);
  else angleOfFinite(s, flags);
  commitPop(s);
}

/** The angle of finite non-zero coordinates. */
function angleOfFinite(s: X87State, flags: number): void {
  const steep = y.exp > x.exp || (y.exp === x.exp && y.sig > x.sig);
  const [opposite, adjacent] = steep ? [x, y] : [y, x];
  const numerator = opposite.sig << BigInt(FRACTION);
  const ratio = numerator / adjacent.sig;
  const scale = opposite.exp - adjacent.exp;
  const q = scale < -FRACTION ? 0n : ratio >> BigInt(-scale);
  const sum = besideOne(arctangentRatio(q), true);
  if (!steep && x.sign === 0) {
    // A quotient without remainder and far below one still is not the angle: `besideOne` tells.
    giveScaled(s, y.sign, ratio * sum, scale - 2 * FRACTION, flags);
    return;
  }
  const angle = multiply(q, sum);
  let full = steep ? PI >> 1n : PI;
  if (steep && x.sign === 1) full += angle;
  else full -= angle;
  giveScaled(s, y.sign, full, -FRACTION, flags);
}

/** Sets or clears C2: the operand of a trigonometric instruction was out of range. */
function setIncomplete(s: X87State, incomplete: boolean): void {
  const fsw = readFsw(s) & ~FSW.c2;
  writeFsw(s, incomplete ? fsw | FSW.c2 : fsw);
}

interface Angle {
  readonly sine: bigint;
  readonly cosine: bigint;
  readonly sineSign: 0 | 1;
  readonly cosineSign: 0 | 1;
  /** Scale of `sine`; `cosine` is scaled by 2^FRACTION. */
  readonly sineScale: number;
  readonly cosineScale: number;
}

/** Sine and cosine of the finite value in `x`. */
function sineAndCosine(): Angle {
  const { quadrant, rest } =
    x.exp < -1 ? { quadrant: 0, rest: fixed(x) } : reduceAngle(x.sig, x.exp - 63);
  const square = multiply(rest, rest);
  const sum = besideOne(sineSeries(square), true);
  const cosineOfRest = besideOne(cosineSeries(square), true);
  const small = x.exp < -1;
  const magnitude = rest < 0n ? -rest : rest;
  const sineOfRest = (small ? x.sig : magnitude) * sum;
  const sineScale = small ? x.exp - 63 - FRACTION : -2 * FRACTION;
  const restSign = rest < 0n ? 1 : 0;
  const swapped = (quadrant & 1) === 1;
  // sin and cos of rest + quadrant × π/2.
  const sineSign = (x.sign ^ (quadrant >> 1) ^ (swapped ? 0 : restSign)) as 0 | 1;
  const cosineSign = ((quadrant >> 1) ^ (swapped ? 1 ^ restSign : 0)) as 0 | 1;
  return swapped
    ? {
        sine: cosineOfRest,
        cosine: sineOfRest,
        sineSign,
        cosineSign,
        sineScale: -FRACTION,
        cosineScale: sineScale,
      }
    : {
        sine: sineOfRest,
        cosine: cosineOfRest,
        sineSign,
        cosineSign,
        sineScale,
        cosineScale: -FRACTION,
      };
}

/** First operand exponent that is out of the range of trigonometric instructions: |x| ≥ 2^63. */
const ANGLE_LIMIT = 63;

/** Loads the operand of a trigonometric instruction; true if there is a finite number within range, else all is done. */
function angleOperand(s: X87State, pushes: boolean): boolean {
  if (isEmpty(s, 0)) {
    if (underflow(s)) {
      writeRegister(s, 0, INDEFINITE);
      if (pushes) push(s, INDEFINITE);
    }
    setIncomplete(s, false);
    return false;
  }
  unpackRegister(s, 0, x);
  if (pushes && !roomToPush(s, true)) {
    setIncomplete(s, false);
    return false;
  }
  if (x.kind === KIND.finite && x.exp >= ANGLE_LIMIT) {
    signal(s, 0, false);
    setIncomplete(s, true);
    return false;
  }
  if (x.kind < KIND.infinity) return true;
  if (x.kind === KIND.infinity) giveInvalid();
  else giveNan(x);
  if (commit(s, 0) && pushes) push(s, extendedResult);
  setIncomplete(s, false);
  return false;
}

/** FSIN. */
export function sine(s: X87State): void {
  if (!angleOperand(s, false)) return;
  if (x.kind === KIND.zero) giveZero(x.sign, 0);
  else {
    const angle = sineAndCosine();
    giveScaled(s, angle.sineSign, angle.sine, angle.sineScale, denormalFlag(x, x));
  }
  commit(s, 0);
  setIncomplete(s, false);
}

/** FCOS. */
export function cosine(s: X87State): void {
  if (!angleOperand(s, false)) return;
  if (x.kind === KIND.zero) givePower(0, 0, 0);
  else {
    const angle = sineAndCosine();
    giveScaled(s, angle.cosineSign, angle.cosine, angle.cosineScale, denormalFlag(x, x));
  }
  commit(s, 0);
  setIncomplete(s, false);
}

/** FSINCOS: the sine replaces ST(0), then the cosine is pushed. */
export function sineCosine(s: X87State): void {
  if (!angleOperand(s, true)) return;
  if (x.kind === KIND.zero) {
    giveZero(x.sign, 0);
    commit(s, 0);
    givePower(0, 0, 0);
    push(s, extendedResult);
  } else {
    const flags = denormalFlag(x, x);
    const angle = sineAndCosine();
    giveScaled(s, angle.sineSign, angle.sine, angle.sineScale, flags);
    if (commit(s, 0)) {
      giveScaled(s, angle.cosineSign, angle.cosine, angle.cosineScale, flags);
      push(s, extendedResult);
    }
  }
  setIncomplete(s, false);
}

/** FPTAN: the tangent replaces ST(0), then 1.0 is pushed. */
export function tangent(s: X87State): void {
  if (!angleOperand(s, true)) return;
  if (x.kind === KIND.zero) giveZero(x.sign, 0);
  else {
    const angle = sineAndCosine();
    const quotient = (angle.sine << BigInt(2 * FRACTION)) / angle.cosine;
    const sign = (angle.sineSign ^ angle.cosineSign) as 0 | 1;
    const scale = angle.sineScale - angle.cosineScale - 2 * FRACTION;
    giveScaled(s, sign, quotient, scale, denormalFlag(x, x));
  }
  if (commit(s, 0)) {
    givePower(0, 0, 0);
    push(s, extendedResult);
  }
  setIncomplete(s, false);
}
