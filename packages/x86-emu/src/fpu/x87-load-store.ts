/** Loads, stores, exchanges and conditional moves: FLD, FILD, FBLD, FST(P), FIST(P), FISTTP, FBSTP, FXCH, FCMOVcc, FLDcc. */

import { highWord, lowWord } from './big-bits.ts';
import { LN2, LOG2_E, PI } from './fixed-point.ts';
import { valueExact } from './softfloat-arithmetic.ts';
import { BINARY32, BINARY64, EXTENDED64, FP_FLAG, ROUNDING } from './softfloat-format.ts';
import { fitsSigned, integral, roundToIntegral } from './softfloat-integer.ts';
import {
  packIndefinite,
  packInfinity,
  packNan,
  packRounded,
  packZero,
  packedWords,
} from './softfloat-pack.ts';
import { exact, roundExact, rounded } from './softfloat-round.ts';
import { KIND, unpackInteger, unpacked } from './softfloat-unpacked.ts';
import type { X87Context, X87Memory } from './x87-context.ts';
import {
  INDEFINITE,
  extendedResult,
  giveInfinity,
  giveNan,
  giveRounded,
  giveValue,
} from './x87-extended.ts';
import { MEMORY_FORMAT, readOperand } from './x87-operand.ts';
import type { MemoryFormat } from './x87-operand.ts';
import { commitPush, roomToPush, roundControl, signal, underflow } from './x87-response.ts';
import {
  isEmpty,
  pop,
  push,
  readFcw,
  readRegister,
  unpackRegister,
  writeRegister,
} from './x87-state.ts';
import type { Extended, X87State } from './x87-state.ts';

const value = unpacked();
const precise = exact();
const outcome = rounded();
const whole = integral();
const register: Extended = { lo: 0, hi: 0, signExp: 0 };
const other: Extended = { lo: 0, hi: 0, signExp: 0 };

/** Exceptions that keep a store to memory from happening. */
const STORE_STOPPERS: number = FP_FLAG.invalid | FP_FLAG.overflow | FP_FLAG.underflow;

/** FLD m32, FLD m64 and FILD: exact conversions, but denormals raise DE and SNaNs IE. */
export function loadNumber(s: X87State, memory: X87Memory, format: MemoryFormat): void {
  readOperand(memory, format, value);
  if (value.kind >= KIND.quietNan) giveNan(value);
  else if (value.kind === KIND.infinity) giveInfinity(value.sign, 0);
  else giveValue(value, EXTENDED64, roundControl(s), value.denormal ? FP_FLAG.denormal : 0);
  commitPush(s);
}

/** FLD m80: any bit pattern, no exception but stack overflow. */
export function loadExtended(s: X87State, memory: X87Memory): void {
  register.lo = memory.read32(0);
  register.hi = memory.read32(4);
  register.signExp = memory.read16(8);
  if (!roomToPush(s, false)) return;
  signal(s, 0, false);
  push(s, register);
}

/** FLD ST(i). */
export function loadRegister(s: X87State, i: number): void {
  if (isEmpty(s, i)) {
    if (underflow(s)) push(s, INDEFINITE);
    return;
  }
  readRegister(s, i, register);
  if (!roomToPush(s, false)) return;
  signal(s, 0, false);
  push(s, register);
}

/** Decimal digits of an FBLD operand, 18 in 9 bytes, then the sign in bit 7 of the last byte. */
export function loadDecimal(s: X87State, memory: X87Memory): void {
  const words = [memory.read32(0), memory.read32(4), memory.read16(8)];
  let magnitude = 0n;
  for (let digit = 17; digit >= 0; digit--) {
    const word = words[digit >> 3] as number;
    magnitude = magnitude * 10n + BigInt((word >>> ((digit & 7) * 4)) & 15);
  }
  unpackInteger(magnitude, value);
  value.sign = (((words[2] as number) >>> 15) & 1) as 0 | 1;
  giveValue(value, EXTENDED64, roundControl(s), 0);
  commitPush(s);
}

/** log2(10), log2(e), π, log10(2), ln(2) with 128 significant bits, and their exponents. */
const CONSTANTS: readonly { readonly sig: bigint; readonly exp: number }[] = [
  { sig: 0xd49a784bcd1b8afe492bf6ff4dafdb4cn, exp: 1 },
  { sig: LOG2_E >> 129n, exp: 0 },
  { sig: PI >> 130n, exp: 1 },
  { sig: 0x9a209a84fbcff7988f8959ac0b7c9178n, exp: -2 },
  { sig: LN2 >> 128n, exp: -1 },
];

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ by `index` 0…6: rounded as FCW says, raising no PE. */
export function loadConstant(s: X87State, index: number): void {
  const constant = CONSTANTS[index - 1];
  if (constant === undefined) {
    unpackInteger(index === 0 ? 1n : 0n, value);
    giveValue(value, EXTENDED64, roundControl(s), 0);
  } else {
    precise.sign = 0;
    precise.sig = constant.sig;
    precise.width = 128;
    precise.exp = constant.exp;
    giveRounded(precise, EXTENDED64, roundControl(s), 0);
    extendedResult.flags = 0;
    extendedResult.up = false;
  }
  commitPush(s);
}

/** FST(P) ST(i). */
export function storeRegister(s: X87State, i: number, pops: boolean): void {
  if (isEmpty(s, 0)) {
    if (!underflow(s)) return;
    writeRegister(s, i, INDEFINITE);
  } else {
    readRegister(s, 0, register);
    signal(s, 0, false);
    writeRegister(s, i, register);
  }
  if (pops) pop(s);
}

/** FSTP ST(i) by its alias D9 D8+i: an empty ST(0) is popped without a stack fault, and ST(i) keeps its value. */
export function storeUnchecked(s: X87State, i: number): void {
  signal(s, 0, false);
  if (!isEmpty(s, 0)) {
    readRegister(s, 0, register);
    writeRegister(s, i, register);
  }
  pop(s);
}

/** FXCH ST(i). */
export function exchange(s: X87State, i: number): void {
  const masked = !isEmpty(s, 0) && !isEmpty(s, i) ? signal(s, 0, false) === 0 : underflow(s);
  if (!masked) return;
  if (isEmpty(s, 0)) writeRegister(s, 0, INDEFINITE);
  if (isEmpty(s, i)) writeRegister(s, i, INDEFINITE);
  readRegister(s, 0, register);
  readRegister(s, i, other);
  writeRegister(s, 0, other);
  writeRegister(s, i, register);
}

/** EFLAGS bits tested by FCMOVcc, by bits 4:3 of the opcode: B, E, BE, U. */
const MOVE_FLAGS: readonly number[] = [0x01, 0x40, 0x41, 0x04];

/** FCMOVcc ST(0), ST(i); `negated` for the opcodes under DB. */
export function moveIf(
  s: X87State,
  i: number,
  condition: number,
  negated: boolean,
  context: X87Context,
): void {
  if (isEmpty(s, 0) || isEmpty(s, i)) {
    if (underflow(s)) writeRegister(s, 0, INDEFINITE);
    return;
  }
  const holds = (context.eflags & (MOVE_FLAGS[condition] as number)) !== 0;
  if (holds === negated) return;
  readRegister(s, i, register);
  writeRegister(s, 0, register);
}

/** FST(P) m32 and m64. */
export function storeFloat(s: X87State, memory: X87Memory, single: boolean, pops: boolean): void {
  if (isEmpty(s, 0)) {
    if (!underflow(s)) return;
    packIndefinite(single);
  } else {
    let flags = 0;
    let up = false;
    unpackRegister(s, 0, value);
    if (value.kind === KIND.unsupported) {
      flags = FP_FLAG.invalid;
      packIndefinite(single);
    } else if (value.kind >= KIND.quietNan) {
      flags = value.kind === KIND.signalingNan ? FP_FLAG.invalid : 0;
      packNan(single, value);
    } else if (value.kind === KIND.infinity) packInfinity(single, value.sign);
    else if (value.kind === KIND.zero) packZero(single, value.sign);
    else {
      valueExact(value, precise);
      roundExact(precise, single ? BINARY32 : BINARY64, roundControl(s), outcome);
      packRounded(single, outcome);
      ({ flags, up } = outcome);
      // Nothing is stored, so nothing is inexact.
      const range = flags & roundControl(s).unmasked;
      if (range !== 0) [flags, up] = [range, false];
    }
    if ((signal(s, flags, up) & STORE_STOPPERS) !== 0) return;
  }
  memory.write32(0, packedWords.lo);
  if (!single) memory.write32(4, packedWords.hi);
  if (pops) pop(s);
}

/** FSTP m80: any bit pattern, no exception but stack underflow. */
export function storeExtended(s: X87State, memory: X87Memory): void {
  if (isEmpty(s, 0)) {
    if (!underflow(s)) return;
    Object.assign(register, INDEFINITE);
  } else {
    readRegister(s, 0, register);
    signal(s, 0, false);
  }
  memory.write32(0, register.lo);
  memory.write32(4, register.hi);
  memory.write16(8, register.signExp);
  pop(s);
}

/** Rounds ST(0) to an integer of at most `limit` and records exceptions; undefined if nothing may be stored, else the magnitude or −1. */
function integerOf(
  s: X87State,
  truncate: boolean,
  fits: (magnitude: bigint, negative: boolean) => boolean,
): bigint | undefined {
  if (isEmpty(s, 0)) return underflow(s) ? -1n : undefined;
  unpackRegister(s, 0, value);
  if (value.kind === KIND.zero) {
    signal(s, 0, false);
    return 0n;
  }
  if (value.kind === KIND.finite && value.exp < 64) {
    roundToIntegral(value, truncate ? ROUNDING.zero : (readFcw(s) >>> 10) & 3, whole);
    if (fits(whole.magnitude, value.sign === 1)) {
      signal(s, whole.inexact ? FP_FLAG.precision : 0, whole.up);
      return whole.magnitude;
    }
  }
  return signal(s, FP_FLAG.invalid, false) === 0 ? -1n : undefined;
}

const INT_WIDTH: readonly number[] = [0, 0, 16, 32, 64];

/** FIST(P) and FISTTP (`truncate`): what does not fit is the integer indefinite value. */
export function storeInteger(
  s: X87State,
  memory: X87Memory,
  format: MemoryFormat,
  pops: boolean,
  truncate: boolean,
): void {
  const width = INT_WIDTH[format] as number;
  const magnitude = integerOf(s, truncate, (m, negative) => fitsSigned(m, negative, width));
  if (magnitude === undefined) return;
  let bits = BigInt.asUintN(64, value.sign === 1 ? -magnitude : magnitude);
  if (magnitude < 0n) bits = 1n << BigInt(width - 1);
  if (format === MEMORY_FORMAT.int16) memory.write16(0, lowWord(bits) & 0xffff);
  else memory.write32(0, lowWord(bits));
  if (format === MEMORY_FORMAT.int64) memory.write32(4, highWord(bits));
  if (pops) pop(s);
}

const DECIMAL_LIMIT = 10n ** 18n;

/** FBSTP: 18 decimal digits; what does not fit is the packed decimal indefinite value. */
export function storeDecimal(s: X87State, memory: X87Memory): void {
  const magnitude = integerOf(s, false, (m) => m < DECIMAL_LIMIT);
  if (magnitude === undefined) return;
  const words = [0, 0xc0000000, 0xffff];
  if (magnitude >= 0n) {
    words.fill(0);
    const digits = magnitude.toString().padStart(18, '0');
    for (let digit = 0; digit < 18; digit++) {
      const word = digit >> 3;
      const bits = Number(digits.charAt(17 - digit)) << ((digit & 7) * 4);
      words[word] = ((words[word] as number) | bits) >>> 0;
    }
    words[2] = (words[2] as number) | (value.sign << 15);
  }
  memory.write32(0, words[0] as number);
  memory.write32(4, words[1] as number);
  memory.write16(8, words[2] as number);
  pop(s);
}
