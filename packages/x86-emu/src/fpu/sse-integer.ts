/** SSE conversions between floating point and integers, and ROUNDxx (SSE4.1). */

import { highWord, lowWord } from './big-bits.ts';
import { FP_FLAG, ROUNDING } from './softfloat-format.ts';
import { fitsSigned, integral, roundToIntegral } from './softfloat-integer.ts';
import { KIND, unpackInteger, unpacked } from './softfloat-unpacked.ts';
import { MXCSR, SSE_FORMAT, sseFinish, sseLoad, sseRoundValue } from './sse.ts';
import type { SseFormat, SseResult } from './sse.ts';

const value = unpacked();
const whole = integral();

const INT64_WRAP = 1n << 64n;

/** CVTSI2SS, CVTSI2SD, CVTDQ2PS and their like: a signed integer of 32 or 64 bits to `format`. */
export function sseFromInteger(
  format: SseFormat,
  width: 32 | 64,
  lo: number,
  hi: number,
  mxcsr: number,
): SseResult {
  if (width === 32) unpackInteger(BigInt(lo | 0), value);
  else unpackInteger((BigInt(hi | 0) << 32n) | BigInt(lo >>> 0), value);
  return sseRoundValue(format, value, 0, mxcsr);
}

/**
 * CVTxx2SI, CVTxx2DQ and the truncating forms: to a signed integer of 32 or 64 bits.
 * What does not fit gives the integer indefinite value (highest bit alone) and IE; denormals raise no DE.
 */
export function sseToInteger(
  format: SseFormat,
  width: 32 | 64,
  truncate: boolean,
  lo: number,
  hi: number,
  mxcsr: number,
): SseResult {
  sseLoad(format, lo, hi, mxcsr, value);
  if (value.kind === KIND.zero) return sseFinish(0, 0, 0, mxcsr);
  if (value.kind === KIND.finite && value.exp < width) {
    const rounding = truncate ? ROUNDING.zero : (mxcsr >>> MXCSR.roundingShift) & 3;
    roundToIntegral(value, rounding, whole);
    if (fitsSigned(whole.magnitude, value.sign === 1, width)) {
      const flags = whole.inexact ? FP_FLAG.precision : 0;
      const bits = value.sign === 1 ? INT64_WRAP - whole.magnitude : whole.magnitude;
      const high = width === 64 ? highWord(bits) : 0;
      return sseFinish(lowWord(bits), high, flags, mxcsr);
    }
  }
  return width === 32
    ? sseFinish(0x80000000, 0, FP_FLAG.invalid, mxcsr)
    : sseFinish(0, 0x80000000, FP_FLAG.invalid, mxcsr);
}

/**
 * ROUNDPS/PD/SS/SD of one element. `imm`: bits 1:0 rounding, bit 2 takes it from MXCSR instead, bit 3 keeps PE quiet.
 */
export function sseRoundIntegral(
  imm: number,
  format: SseFormat,
  lo: number,
  hi: number,
  mxcsr: number,
): SseResult {
  const single = format === SSE_FORMAT.single;
  sseLoad(format, lo, hi, mxcsr, value);
  if (value.kind >= KIND.quietNan) {
    const flags = value.kind === KIND.signalingNan ? FP_FLAG.invalid : 0;
    return single
      ? sseFinish(lo | 0x00400000, 0, flags, mxcsr)
      : sseFinish(lo, hi | 0x00080000, flags, mxcsr);
  }
  if (value.kind === KIND.zero) return sseRoundValue(format, value, 0, mxcsr);
  if (value.kind === KIND.infinity || value.exp >= 63) {
    return sseFinish(lo, single ? 0 : hi, 0, mxcsr);
  }
  const rounding = ((imm & 4) === 0 ? imm : mxcsr >>> MXCSR.roundingShift) & 3;
  const { sign } = value;
  roundToIntegral(value, rounding, whole);
  const flags = whole.inexact && (imm & 8) === 0 ? FP_FLAG.precision : 0;
  unpackInteger(whole.magnitude, value);
  value.sign = sign;
  return sseRoundValue(format, value, flags, mxcsr);
}
