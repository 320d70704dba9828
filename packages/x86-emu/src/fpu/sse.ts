/**
 * The exact path of scalar SSE floating-point arithmetic (SDM Vol. 1, 11.5; AMD APM Vol. 1, 4.10): every rounding mode, exception flag,
 * denormal, NaN, DAZ and FTZ. Pure functions of words and MXCSR; each returns the one preallocated `SseResult`.
 */

import {
  addExact,
  compareNumbers,
  divideExact,
  multiplyExact,
  squareRootExact,
  valueExact,
} from './softfloat-arithmetic.ts';
import {
  BINARY32,
  BINARY64,
  FP_FLAG,
  PRE_COMPUTATION_FLAGS,
  ROUNDING,
} from './softfloat-format.ts';
import {
  packIndefinite,
  packInfinity,
  packNan,
  packRounded,
  packZero,
  packedWords,
} from './softfloat-pack.ts';
import { exact, roundExact, rounded } from './softfloat-round.ts';
import type { RoundControl } from './softfloat-round.ts';
import { KIND, unpack32, unpack64, unpacked } from './softfloat-unpacked.ts';
import type { Unpacked } from './softfloat-unpacked.ts';

/** Element formats. */
export const SSE_FORMAT = { single: 32, double: 64 } as const;
export type SseFormat = (typeof SSE_FORMAT)[keyof typeof SSE_FORMAT];

/** Operations of `sseBinary`, numbered as the opcode bytes 0F 58…5F; `min` and `max` return b for NaNs and zeros. */
export const SSE_OP = { add: 0x58, mul: 0x59, sub: 0x5c, min: 0x5d, div: 0x5e, max: 0x5f } as const;
export type SseOp = (typeof SSE_OP)[keyof typeof SSE_OP];

/** Bits of MXCSR beyond flags (0…5) and masks (7…12). */
export const MXCSR = { daz: 0x40, maskShift: 7, roundingShift: 13, ftz: 0x8000 } as const;

/**
 * What an operation gives. `flags` are the exceptions found, to be merged into MXCSR[5:0]; if `unmasked` is not 0 the destination keeps its
 * value and the instruction raises #XM (#UD if CR4.OSXMMEXCPT is 0).
 */
export interface SseResult {
  lo: number;
  /** High word; 0 for 32-bit results. */
  hi: number;
  flags: number;
  /** The part of `flags` whose mask is clear. */
  unmasked: number;
}

const result: SseResult = { lo: 0, hi: 0, flags: 0, unmasked: 0 };
const left = unpacked();
const right = unpacked();
const precise = exact();
const outcome = rounded();
const control: RoundControl = { rounding: 0, unmasked: 0, flushToZero: false };

/** Stores result words and flags; unmasked pre-computation exceptions hide those found later. */
function finish(lo: number, hi: number, flags: number, mxcsr: number): SseResult {
  const masks = mxcsr >>> MXCSR.maskShift;
  const early = flags & PRE_COMPUTATION_FLAGS;
  const seen = (early & ~masks) === 0 ? flags : early;
  result.lo = lo >>> 0;
  result.hi = hi >>> 0;
  result.flags = seen;
  result.unmasked = seen & ~masks;
  return result;
}

/** Takes an operand apart; under DAZ a denormal is a zero of its sign and raises nothing. */
function load(format: SseFormat, lo: number, hi: number, mxcsr: number, out: Unpacked): void {
  if (format === SSE_FORMAT.single) unpack32(lo, out);
  else unpack64(lo, hi, out);
  if (out.denormal && (mxcsr & MXCSR.daz) !== 0) {
    out.kind = KIND.zero;
    out.denormal = false;
  }
}

/** Stores what `softfloat-pack.ts` has put together. */
const finishPacked = (flags: number, mxcsr: number): SseResult =>
  finish(packedWords.lo, packedWords.hi, flags, mxcsr);

function finishZero(format: SseFormat, sign: 0 | 1, flags: number, mxcsr: number): SseResult {
  packZero(format === SSE_FORMAT.single, sign);
  return finishPacked(flags, mxcsr);
}

function finishInfinity(format: SseFormat, sign: 0 | 1, flags: number, mxcsr: number): SseResult {
  packInfinity(format === SSE_FORMAT.single, sign);
  return finishPacked(flags, mxcsr);
}

function finishInvalid(format: SseFormat, mxcsr: number): SseResult {
  packIndefinite(format === SSE_FORMAT.single);
  return finishPacked(FP_FLAG.invalid, mxcsr);
}

/** The quieted NaN of the operand that decides: the first one if it is a NaN, else the second. */
function finishNan(
  format: SseFormat,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
  mxcsr: number,
): SseResult {
  const first = left.kind >= KIND.quietNan;
  const signaling = left.kind === KIND.signalingNan || right.kind === KIND.signalingNan;
  const flags = signaling ? FP_FLAG.invalid : 0;
  const lo = first ? aLo : bLo;
  const hi = first ? aHi : bHi;
  return format === SSE_FORMAT.single
    ? finish(lo | 0x00400000, 0, flags, mxcsr)
    : finish(lo, hi | 0x00080000, flags, mxcsr);
}

/** Rounds `precise` to `format` and adds what was found before. */
function finishExact(format: SseFormat, flags: number, mxcsr: number): SseResult {
  const single = format === SSE_FORMAT.single;
  control.rounding = (mxcsr >>> MXCSR.roundingShift) & 3;
  control.unmasked = ~(mxcsr >>> MXCSR.maskShift) & (FP_FLAG.overflow | FP_FLAG.underflow);
  control.flushToZero = (mxcsr & MXCSR.ftz) !== 0;
  roundExact(precise, single ? BINARY32 : BINARY64, control, outcome);
  packRounded(single, outcome);
  return finishPacked(flags | outcome.flags, mxcsr);
}

const denormalFlag = (): number => (left.denormal || right.denormal ? FP_FLAG.denormal : 0);

/** Sign of an exact zero sum of opposite operands: minus only when rounding down. */
const zeroSumSign = (mxcsr: number): 0 | 1 =>
  ((mxcsr >>> MXCSR.roundingShift) & 3) === ROUNDING.down ? 1 : 0;

function addOrSubtract(format: SseFormat, negate: 0 | 1, mxcsr: number): SseResult {
  const rightSign = (right.sign ^ negate) as 0 | 1;
  const flags = denormalFlag();
  if (left.kind === KIND.infinity) {
    return right.kind === KIND.infinity && left.sign !== rightSign
      ? finishInvalid(format, mxcsr)
      : finishInfinity(format, left.sign, flags, mxcsr);
  }
  if (right.kind === KIND.infinity) {
    return finishInfinity(format, rightSign, flags, mxcsr);
  }
  if (left.kind === KIND.zero && right.kind === KIND.zero) {
    const sign = left.sign === rightSign ? left.sign : zeroSumSign(mxcsr);
    return finishZero(format, sign, flags, mxcsr);
  }
  if (left.kind === KIND.zero) {
    valueExact(right, precise);
    precise.sign = rightSign;
  } else if (right.kind === KIND.zero) valueExact(left, precise);
  else {
    addExact(left, right, negate, precise);
    if (precise.sig === 0n) {
      return finishZero(format, zeroSumSign(mxcsr), flags, mxcsr);
    }
  }
  return finishExact(format, flags, mxcsr);
}

function multiply(format: SseFormat, mxcsr: number): SseResult {
  const sign = (left.sign ^ right.sign) as 0 | 1;
  const flags = denormalFlag();
  const zero = left.kind === KIND.zero || right.kind === KIND.zero;
  if (left.kind === KIND.infinity || right.kind === KIND.infinity) {
    return zero ? finishInvalid(format, mxcsr) : finishInfinity(format, sign, flags, mxcsr);
  }
  if (zero) return finishZero(format, sign, flags, mxcsr);
  multiplyExact(left, right, precise);
  return finishExact(format, flags, mxcsr);
}

function divide(format: SseFormat, mxcsr: number): SseResult {
  const sign = (left.sign ^ right.sign) as 0 | 1;
  const flags = denormalFlag();
  if (left.kind === KIND.infinity) {
    return right.kind === KIND.infinity
      ? finishInvalid(format, mxcsr)
      : finishInfinity(format, sign, flags, mxcsr);
  }
  if (right.kind === KIND.infinity) return finishZero(format, sign, flags, mxcsr);
  if (right.kind === KIND.zero) {
    return left.kind === KIND.zero
      ? finishInvalid(format, mxcsr)
      : finishInfinity(format, sign, FP_FLAG.zeroDivide, mxcsr);
  }
  if (left.kind === KIND.zero) return finishZero(format, sign, flags, mxcsr);
  divideExact(left, right, precise);
  return finishExact(format, flags, mxcsr);
}

/** The chosen operand as its own bits, or a signed zero where DAZ has cleared it. */
function finishOperand(
  format: SseFormat,
  value: Unpacked,
  lo: number,
  hi: number,
  flags: number,
  mxcsr: number,
): SseResult {
  if (value.kind === KIND.zero) return finishZero(format, value.sign, flags, mxcsr);
  return finish(lo, format === SSE_FORMAT.single ? 0 : hi, flags, mxcsr);
}

/**
 * ADD, SUB, MUL, DIV, MIN, MAX of one element: a is the destination operand, b the source.
 * The high words are ignored for single precision.
 */
export function sseBinary(
  op: SseOp,
  format: SseFormat,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
  mxcsr: number,
): SseResult {
  load(format, aLo, aHi, mxcsr, left);
  load(format, bLo, bHi, mxcsr, right);
  const nan = left.kind >= KIND.quietNan || right.kind >= KIND.quietNan;
  if (op === SSE_OP.min || op === SSE_OP.max) {
    if (nan) return finishOperand(format, right, bLo, bHi, FP_FLAG.invalid, mxcsr);
    const order = compareNumbers(left, right);
    const first = op === SSE_OP.min ? order < 0 : order > 0;
    return first
      ? finishOperand(format, left, aLo, aHi, denormalFlag(), mxcsr)
      : finishOperand(format, right, bLo, bHi, denormalFlag(), mxcsr);
  }
  if (nan) return finishNan(format, aLo, aHi, bLo, bHi, mxcsr);
  switch (op) {
    case SSE_OP.add:
      return addOrSubtract(format, 0, mxcsr);
    case SSE_OP.sub:
      return addOrSubtract(format, 1, mxcsr);
    case SSE_OP.mul:
      return multiply(format, mxcsr);
    case SSE_OP.div:
    default:
      return divide(format, mxcsr);
  }
}

/** SQRT of one element. */
export function sseSquareRoot(format: SseFormat, lo: number, hi: number, mxcsr: number): SseResult {
  load(format, lo, hi, mxcsr, right);
  left.kind = KIND.zero;
  left.denormal = false;
  if (right.kind >= KIND.quietNan) return finishNan(format, 0, 0, lo, hi, mxcsr);
  if (right.kind === KIND.zero) return finishZero(format, right.sign, 0, mxcsr);
  if (right.sign === 1) {
    return finishInvalid(format, mxcsr);
  }
  if (right.kind === KIND.infinity) return finishInfinity(format, 0, 0, mxcsr);
  squareRootExact(right, precise);
  return finishExact(format, denormalFlag(), mxcsr);
}

const RELATION = { greater: 0, less: 1, equal: 2, unordered: 3 } as const;

/** Relation of `left` to `right`; `raised` gets the flags, for quiet or signalling comparison. */
function relate(signaling: boolean): number {
  if (left.kind >= KIND.quietNan || right.kind >= KIND.quietNan) {
    const raises = signaling || left.kind === KIND.signalingNan || right.kind === KIND.signalingNan;
    raised = raises ? FP_FLAG.invalid : 0;
    return RELATION.unordered;
  }
  raised = denormalFlag();
  const order = compareNumbers(left, right);
  if (order === 0) return RELATION.equal;
  return order < 0 ? RELATION.less : RELATION.greater;
}
let raised = 0;

/** CMPccxx of one element: all ones or all zeros; `predicate` is imm8[2:0] (SDM, CMPPD, table 3-1). */
export function sseCompare(
  predicate: number,
  format: SseFormat,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
  mxcsr: number,
): SseResult {
  load(format, aLo, aHi, mxcsr, left);
  load(format, bLo, bHi, mxcsr, right);
  const base = predicate & 3;
  const relation = relate(base === 1 || base === 2);
  let holds = false;
  if (base === 0) holds = relation === RELATION.equal;
  else if (base === 1) holds = relation === RELATION.less;
  else if (base === 2) holds = relation === RELATION.less || relation === RELATION.equal;
  else holds = relation === RELATION.unordered;
  if ((predicate & 4) !== 0) holds = !holds;
  const word = holds ? 0xffffffff : 0;
  return finish(word, format === SSE_FORMAT.single ? 0 : word, raised, mxcsr);
}

const RELATION_EFLAGS: readonly number[] = [0x00, 0x01, 0x40, 0x45];

/**
 * COMISx (`signaling`) and UCOMISx: `lo` holds ZF, PF and CF in their EFLAGS places; OF, SF and AF become 0.
 */
export function sseCompareFlags(
  signaling: boolean,
  format: SseFormat,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
  mxcsr: number,
): SseResult {
  load(format, aLo, aHi, mxcsr, left);
  load(format, bLo, bHi, mxcsr, right);
  const relation = relate(signaling);
  return finish(RELATION_EFLAGS[relation] as number, 0, raised, mxcsr);
}

/** CVTSS2SD (`from` single) and CVTSD2SS (`from` double) of one element. */
export function sseConvert(from: SseFormat, lo: number, hi: number, mxcsr: number): SseResult {
  const narrowing = from === SSE_FORMAT.double;
  const to = narrowing ? SSE_FORMAT.single : SSE_FORMAT.double;
  load(from, lo, hi, mxcsr, right);
  const { kind, sign } = right;
  if (kind >= KIND.quietNan) {
    packNan(narrowing, right);
    return finishPacked(kind === KIND.signalingNan ? FP_FLAG.invalid : 0, mxcsr);
  }
  if (kind === KIND.zero) return finishZero(to, sign, 0, mxcsr);
  if (kind === KIND.infinity) return finishInfinity(to, sign, 0, mxcsr);
  valueExact(right, precise);
  return finishExact(to, right.denormal ? FP_FLAG.denormal : 0, mxcsr);
}

/** Takes the value apart for the functions of `sse-integer.ts`. */
export function sseLoad(
  format: SseFormat,
  lo: number,
  hi: number,
  mxcsr: number,
  out: Unpacked,
): void {
  load(format, lo, hi, mxcsr, out);
}

/** Rounds a value to `format` with `flags` found before; zero and finite values only. */
export function sseRoundValue(
  format: SseFormat,
  value: Unpacked,
  flags: number,
  mxcsr: number,
): SseResult {
  if (value.kind === KIND.zero) return finishZero(format, value.sign, flags, mxcsr);
  valueExact(value, precise);
  return finishExact(format, flags, mxcsr);
}

/** Ends an operation whose result words are known. */
export function sseFinish(lo: number, hi: number, flags: number, mxcsr: number): SseResult {
  return finish(lo, hi, flags, mxcsr);
}
