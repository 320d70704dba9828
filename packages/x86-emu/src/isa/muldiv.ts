/** Multiplication and division: MUL IMUL DIV IDIV (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Code } from '../wasm/code.ts';
import { divideUnsigned128, magnitude128, multiplyHigh } from './wide-arithmetic.ts';
import type { Emit, Semantics, Size } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import { RAX, RDX } from './register.ts';
import type { Row } from './row.ts';
import { low32, readSigned, signExtended64 } from './width.ts';

/** CF = OF = `lost`: the product's upper half is significant. The flags that the SDM leaves undefined stay, as on Zen 3. */
const setProductFlags = (x: Emit, lost: I32): void => {
  const flag = x.c.let(lost);
  x.flags.setCarryOverflow(flag, flag);
};

/** MUL and one-operand IMUL: rDX:rAX (AX for bytes) = accumulator × operand. */
const multiply =
  (signed: boolean): Semantics =>
  (x) => {
    const { c } = x;
    const size = x.size(0);
    const b = x.read(0);
    const a = x.gpr(RAX, size);
    if (size === 64) {
      const low = c.let(e.mul(a as I64, b as I64));
      const high = multiplyHigh(c, a as I64, b as I64, signed);
      x.setGpr(RAX, 64, low);
      x.setGpr(RDX, 64, high);
      setProductFlags(x, e.ne(high, signed ? e.shrS(low, 63) : e.i64(0)));
      return;
    }
    const wide = (value: Int): I64 =>
      signed ? signExtended64(value, size) : e.extendU(value as I32);
    const product = c.let(e.mul(wide(a), wide(b)));
    if (size === 8) x.setGpr(RAX, 16, e.wrap(product));
    else {
      x.setGpr(RAX, size, e.wrap(product));
      x.setGpr(RDX, size, e.wrap(e.shrU(product, size)));
    }
    setProductFlags(
      x,
      signed ? e.ne(product, signExtended64(product, size)) : e.nez(e.shrU(product, size)),
    );
  };

const mul = multiply(false);
const imul = multiply(true);

/** IMUL with two or three operands: operand 0 = `a` × `b`, truncated. */
const multiplyInto = (x: Emit, a: Int, b: Int): void => {
  const { c } = x;
  const size = x.size(0);
  if (size === 64) {
    const low = c.let(e.mul(a, b) as I64);
    x.write(0, low);
    const high = multiplyHigh(c, a as I64, b as I64, true);
    setProductFlags(x, e.ne(high, e.shrS(low, 63)));
    return;
  }
  const product = c.let(e.mul(signExtended64(a, size), signExtended64(b, size)));
  x.write(0, e.wrap(product));
  setProductFlags(x, e.ne(product, signExtended64(product, size)));
};

const imul2: Semantics = (x) => {
  const b = x.read(1);
  multiplyInto(x, x.read(0), b);
};

const imul3: Semantics = (x) => {
  const a = x.read(1);
  multiplyInto(x, a, readSigned(x, 2, x.size(0)));
};

/** AF is set, ZF SF PF are clear, CF and OF stay: what Zen 3 makes of flags that the SDM leaves undefined. */
const setQuotientFlags = (x: Emit): void =>
  x.flags.set(x.c.let(e.or(e.or(x.flags.carry(), e.shl(x.flags.condition(0), 11)), FLAG.AF)));

/** The dividend of an operation on 8, 16 or 32 bits: AX, DX:AX or EDX:EAX, zero-extended to i64. */
const dividend = (x: Emit, size: Size): I64 => {
  if (size === 8) return e.extendU(x.gpr(RAX, 16) as I32);
  const high = e.extendU(x.gpr(RDX, size) as I32);
  return x.c.let(e.or(e.shl(high, size), e.extendU(x.gpr(RAX, size) as I32)));
};

const writeQuotient = (x: Emit, size: Size, quotient: Int, remainder: Int): void => {
  if (size === 8) x.setGpr(RAX, 16, e.or(e.and(low32(quotient), 0xff), e.shl(low32(remainder), 8)));
  else {
    x.setGpr(RAX, size, size === 64 ? quotient : low32(quotient));
    x.setGpr(RDX, size, size === 64 ? remainder : low32(remainder));
  }
  setQuotientFlags(x);
};

const div: Semantics = (x) => {
  const { c } = x;
  const size = x.size(0);
  const divisor = x.read(0);
  if (size === 64) {
    const high = x.gpr(RDX, 64) as I64;
    const low = x.gpr(RAX, 64) as I64;
    // The quotient fits exactly if the upper half is below the divisor; this covers a divisor of 0.
    x.raiseIf(e.geU(high, divisor as I64), VECTOR.DE);
    const { quotient, remainder } = divideUnsigned128(c, high, low, divisor as I64);
    writeQuotient(x, 64, quotient, remainder);
    return;
  }
  x.raiseIf(e.eqz(divisor), VECTOR.DE);
  const a = dividend(x, size);
  const b = e.extendU(divisor as I32);
  const quotient = c.let(e.divU(a, b));
  x.raiseIf(e.nez(e.shrU(quotient, size)), VECTOR.DE);
  writeQuotient(x, size, quotient, c.let(e.sub(a, e.mul(quotient, b))));
};

const negatedIf = (c: Code, negative: I32, value: I64): I64 =>
  c.let(e.select(negative, e.neg(value), value));

const idiv64 = (x: Emit, divisor: I64): void => {
  const { c } = x;
  const high = x.gpr(RDX, 64) as I64;
  const low = x.gpr(RAX, 64) as I64;
  const dividendNegative = c.let(e.ltS(high, 0));
  const divisorNegative = c.let(e.ltS(divisor, 0));
  const quotientNegative = c.let(e.xor(dividendNegative, divisorNegative));
  const a = magnitude128(c, high, low);
  const b = negatedIf(c, divisorNegative, divisor);
  x.raiseIf(e.geU(a.high, b), VECTOR.DE);
  const { quotient, remainder } = divideUnsigned128(c, a.high, a.low, b);
  // A magnitude of 2^63 fits only with a minus sign.
  const limit = e.add(e.extendU(quotientNegative), e.i64((1n << 63n) - 1n));
  x.raiseIf(e.gtU(quotient, limit), VECTOR.DE);
  writeQuotient(
    x,
    64,
    negatedIf(c, quotientNegative, quotient),
    negatedIf(c, dividendNegative, remainder),
  );
};

const idiv: Semantics = (x) => {
  const { c } = x;
  const size = x.size(0);
  const divisor = x.read(0);
  if (size === 64) {
    idiv64(x, divisor as I64);
    return;
  }
  const raw = dividend(x, size);
  const doubled = (size * 2) as Size;
  const a = c.let(signExtended64(raw, doubled));
  const b = c.let(signExtended64(divisor, size));
  // MIN / -1 does not fit at any size, and WebAssembly traps on it at 64 bits.
  const overflows = e.and(e.eq(a, e.i64(-(1n << 63n))), e.eq(b, e.i64(-1)));
  x.raiseIf(e.or(e.eqz(b), overflows), VECTOR.DE);
  const quotient = c.let(e.divS(a, b));
  x.raiseIf(e.ne(quotient, signExtended64(quotient, size)), VECTOR.DE);
  writeQuotient(x, size, quotient, c.let(e.sub(a, e.mul(quotient, b))));
};

export const muldivRows: readonly Row[] = [
  { op: 'F6 /4', mnemonic: 'MUL', operands: ['Eb'], exec: mul },
  { op: 'F7 /4', mnemonic: 'MUL', operands: ['Ev'], exec: mul },
  { op: 'F6 /5', mnemonic: 'IMUL', operands: ['Eb'], exec: imul },
  { op: 'F7 /5', mnemonic: 'IMUL', operands: ['Ev'], exec: imul },
  { op: '0F AF /r', mnemonic: 'IMUL', operands: ['Gv', 'Ev'], exec: imul2 },
  { op: '69 /r', mnemonic: 'IMUL', operands: ['Gv', 'Ev', 'Iz'], exec: imul3 },
  { op: '6B /r', mnemonic: 'IMUL', operands: ['Gv', 'Ev', 'Ib'], exec: imul3 },
  { op: 'F6 /6', mnemonic: 'DIV', operands: ['Eb'], exec: div },
  { op: 'F7 /6', mnemonic: 'DIV', operands: ['Ev'], exec: div },
  { op: 'F6 /7', mnemonic: 'IDIV', operands: ['Eb'], exec: idiv },
  { op: 'F7 /7', mnemonic: 'IDIV', operands: ['Ev'], exec: idiv },
];
