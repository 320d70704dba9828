/** FADD to FDIVR in all forms, FSQRT, FCHS, FABS, FRNDINT, FSCALE, FXTRACT, FPREM and FPREM1. */

import { bitLength, count } from './big-bits.ts';
import { EXTENDED64, FP_FLAG } from './softfloat-format.ts';
import { integral, roundToIntegral } from './softfloat-integer.ts';
import { exact } from './softfloat-round.ts';
import { KIND, unpackInteger, unpacked } from './softfloat-unpacked.ts';
import type { X87Memory } from './x87-context.ts';
import {
  INDEFINITE,
  denormalFlag,
  extendedBinary,
  extendedResult,
  extendedRoot,
  giveInfinity,
  giveInvalid,
  giveNan,
  giveNans,
  giveRounded,
  giveValue,
  giveZero,
} from './x87-extended.ts';
import { readOperand } from './x87-operand.ts';
import type { MemoryFormat } from './x87-operand.ts';
import {
  allows,
  arithmeticTarget,
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
  readFcw,
  readFsw,
  readRegister,
  unpackRegister,
  writeFsw,
  writeRegister,
} from './x87-state.ts';
import type { Extended, X87State } from './x87-state.ts';

const left = unpacked();
const right = unpacked();
const precise = exact();
const whole = integral();
const register: Extended = { lo: 0, hi: 0, signExp: 0 };

/** ST(to) = ST(to) op ST(from). */
export function arithmeticRegisters(
  s: X87State,
  op: number,
  to: number,
  from: number,
  pops: boolean,
): void {
  if (isEmpty(s, to) || isEmpty(s, from)) {
    if (!underflow(s)) return;
    writeRegister(s, to, INDEFINITE);
  } else {
    unpackRegister(s, to, left);
    unpackRegister(s, from, right);
    extendedBinary(op, left, right, arithmeticTarget(s), roundControl(s));
    if (!commit(s, to)) return;
  }
  if (pops) pop(s);
}

/** ST(0) = ST(0) op memory operand. */
export function arithmeticMemory(
  s: X87State,
  op: number,
  memory: X87Memory,
  format: MemoryFormat,
): void {
  readOperand(memory, format, right);
  if (isEmpty(s, 0)) {
    replaceEmpty(s, 0);
    return;
  }
  unpackRegister(s, 0, left);
  extendedBinary(op, left, right, arithmeticTarget(s), roundControl(s));
  commit(s, 0);
}

/** FSQRT. */
export function squareRoot(s: X87State): void {
  if (isEmpty(s, 0)) {
    replaceEmpty(s, 0);
    return;
  }
  unpackRegister(s, 0, left);
  extendedRoot(left, arithmeticTarget(s), roundControl(s));
  commit(s, 0);
}

/** FCHS (`flip`) and FABS: the sign bit alone, of any bit pattern. */
export function changeSign(s: X87State, flip: boolean): void {
  if (isEmpty(s, 0)) {
    replaceEmpty(s, 0);
    return;
  }
  signal(s, 0, false);
  readRegister(s, 0, register);
  register.signExp = flip ? register.signExp ^ 0x8000 : register.signExp & 0x7fff;
  writeRegister(s, 0, register);
}

/** FRNDINT. */
export function roundToInteger(s: X87State): void {
  if (isEmpty(s, 0)) {
    replaceEmpty(s, 0);
    return;
  }
  unpackRegister(s, 0, left);
  if (left.kind >= KIND.quietNan) giveNan(left);
  else if (left.kind === KIND.infinity) giveInfinity(left.sign, 0);
  else if (left.kind === KIND.zero || left.exp >= 63) {
    giveValue(left, EXTENDED64, roundControl(s), 0);
  } else {
    const { sign, denormal } = left;
    roundToIntegral(left, (readFcw(s) >>> 10) & 3, whole);
    unpackInteger(whole.magnitude, left);
    left.sign = sign;
    const flags = (denormal ? FP_FLAG.denormal : 0) | (whole.inexact ? FP_FLAG.precision : 0);
    giveValue(left, EXTENDED64, roundControl(s), flags);
    extendedResult.up = whole.up;
  }
  commit(s, 0);
}

/** Beyond this power of two every scaled value over- or underflows, biased results included. */
const SCALE_LIMIT = 0x10000;

/** FSCALE: ST(0) × 2^trunc(ST(1)). */
export function scale(s: X87State): void {
  if (isEmpty(s, 0) || isEmpty(s, 1)) {
    replaceEmpty(s, 0);
    return;
  }
  unpackRegister(s, 0, left);
  unpackRegister(s, 1, right);
  const flags = denormalFlag(left, right);
  if (left.kind >= KIND.quietNan || right.kind >= KIND.quietNan) giveNans(left, right);
  else if (right.kind === KIND.infinity) {
    if (right.sign === 0) {
      if (left.kind === KIND.zero) giveInvalid();
      else giveInfinity(left.sign, flags);
    } else if (left.kind === KIND.infinity) giveInvalid();
    else giveZero(left.sign, flags);
  } else if (left.kind === KIND.infinity) giveInfinity(left.sign, flags);
  else if (left.kind === KIND.zero) giveZero(left.sign, flags);
  else {
    let shift = 0;
    if (right.kind === KIND.finite && right.exp >= 0) {
      const magnitude = right.exp > 16 ? SCALE_LIMIT : Number(right.sig >> BigInt(63 - right.exp));
      shift = right.sign === 1 ? -magnitude : magnitude;
    }
    precise.sign = left.sign;
    precise.sig = left.sig;
    precise.width = 64;
    precise.exp = left.exp + shift;
    giveRounded(precise, EXTENDED64, roundControl(s), flags);
  }
  commit(s, 0);
}

/** FXTRACT: the exponent replaces ST(0), then the significand is pushed. */
export function extract(s: X87State): void {
  if (isEmpty(s, 0)) {
    if (!underflow(s)) return;
    writeRegister(s, 0, INDEFINITE);
    push(s, INDEFINITE);
    return;
  }
  if (!roomToPush(s, true)) return;
  unpackRegister(s, 0, left);
  const { kind, sign } = left;
  if (kind >= KIND.quietNan) {
    giveNan(left);
    if (!commit(s, 0)) return;
    push(s, extendedResult);
  } else if (kind === KIND.infinity) {
    giveInfinity(0, 0);
    commit(s, 0);
    giveInfinity(sign, 0);
    push(s, extendedResult);
  } else if (kind === KIND.zero) {
    giveInfinity(1, FP_FLAG.zeroDivide);
    if (!commit(s, 0)) return;
    giveZero(sign, 0);
    push(s, extendedResult);
  } else {
    if (!allows(s, left.denormal ? FP_FLAG.denormal : 0, false)) return;
    unpackInteger(BigInt(left.exp), right);
    giveValue(right, EXTENDED64, roundControl(s), 0);
    writeRegister(s, 0, extendedResult);
    left.exp = 0;
    giveValue(left, EXTENDED64, roundControl(s), 0);
    push(s, extendedResult);
  }
}

/** Sets C2 (incomplete) and the quotient bits Q2, Q1, Q0 in C0, C3, C1. */
function setQuotient(s: X87State, incomplete: boolean, quotient: bigint): void {
  let bits = incomplete ? FSW.c2 : 0;
  const low = incomplete ? 0 : Number(quotient & 7n);
  if ((low & 4) !== 0) bits |= FSW.c0;
  if ((low & 2) !== 0) bits |= FSW.c3;
  if ((low & 1) !== 0) bits |= FSW.c1;
  writeFsw(s, (readFsw(s) & ~FSW.conditions) | bits);
}

/** FPREM (`nearest` false: quotient truncated) and FPREM1 (quotient to nearest even). */
export function partialRemainder(s: X87State, nearest: boolean): void {
  if (isEmpty(s, 0) || isEmpty(s, 1)) {
    replaceEmpty(s, 0);
    writeFsw(s, readFsw(s) & ~FSW.c2);
    return;
  }
  unpackRegister(s, 0, left);
  unpackRegister(s, 1, right);
  const flags = denormalFlag(left, right);
  let quotient = 0n;
  let incomplete = false;
  let divided = false;
  if (left.kind >= KIND.quietNan || right.kind >= KIND.quietNan) giveNans(left, right);
  else if (left.kind === KIND.infinity || right.kind === KIND.zero) giveInvalid();
  else if (left.kind === KIND.zero || right.kind === KIND.infinity) {
    giveValue(left, EXTENDED64, roundControl(s), flags);
    divided = true;
  } else {
    divided = true;
    const distance = left.exp - right.exp;
    incomplete = distance >= 64;
    // An incomplete reduction takes off N bits, 32 to 63, that leave the distance a multiple of 32 lower.
    const bits = incomplete ? 32 + (distance & 31) : distance;
    reduce(nearest && !incomplete, bits, distance);
    quotient = reduced;
    if (precise.sig === 0n) giveZero(left.sign, flags);
    else giveRounded(precise, EXTENDED64, roundControl(s), flags);
  }
  const stored = commit(s, 0);
  if (stored && divided) setQuotient(s, incomplete, quotient);
  else writeFsw(s, readFsw(s) & ~FSW.c2);
}

let reduced = 0n;

/** Takes multiples of `right` off `left`, `bits` quotient bits of them; the rest goes to `precise`, the quotient to `reduced`. */
function reduce(nearest: boolean, bits: number, distance: number): void {
  precise.sign = left.sign;
  if (bits < -1) {
    reduced = 0n;
    precise.sig = left.sig;
    precise.width = 64;
    precise.exp = left.exp;
    return;
  }
  // One place below the divisor's last, so that a quotient of 1/2 … 1 stands in the same terms.
  const dividend = left.sig << count(bits + 1);
  const divisor = right.sig << 1n;
  reduced = dividend / divisor;
  let rest = dividend - reduced * divisor;
  if (nearest && (rest > right.sig || (rest === right.sig && (reduced & 1n) === 1n))) {
    reduced += 1n;
    rest = divisor - rest;
    precise.sign = (left.sign ^ 1) as 0 | 1;
  }
  precise.sig = rest;
  precise.width = bitLength(rest);
  precise.exp = right.exp + (distance - bits) + precise.width - 65;
}
