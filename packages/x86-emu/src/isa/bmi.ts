/** BMI1, BMI2 and ADX: ANDN BEXTR BLSI BLSMSK BLSR BZHI MULX PDEP PEXT RORX SARX SHLX SHRX ADCX ADOX (SDM Vol. 2). Undefined flags are as on Zen 3. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Emit, Semantics, Size } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import { RDX } from './register.ts';
import type { Row } from './row.ts';
import { low32, unsigned } from './width.ts';
import { multiplyHigh } from './wide-arithmetic.ts';

const andn: Semantics = (x) => {
  const r = x.c.let(e.and(e.not(x.read(1)), x.read(2)));
  x.write(0, r);
  x.flags.logic(x.size(0), r);
};

/** The `length` low bits of `value` by a run-time length; all of them from `size` on. */
const lowBits = (x: Emit, value: Int, length: I32, size: Size): Int => {
  const mask = e.sub(e.shl(e.int(value.type, 1), unsigned(length, size)), 1);
  return x.c.let(e.select(e.ltU(length, size), e.and(value, mask), value));
};

const bextr: Semantics = (x) => {
  const { c } = x;
  const size = x.size(0);
  const value = x.read(1);
  const control = low32(x.read(2));
  const start = c.let(e.and(control, 0xff));
  const length = c.let(e.and(e.shrU(control, 8), 0xff));
  const shifted = e.shrU(value, unsigned(start, size));
  const field = c.let(e.select(e.ltU(start, size), shifted, e.int(value.type, 0)));
  const r = lowBits(x, field, length, size);
  x.write(0, r);
  // ZF is defined; AF is set, SF clear, PF as usual.
  const parity = e.eqz(e.and(e.popcnt(e.and(low32(r), 0xff)), 1));
  x.flags.set(c.let(e.or(e.or(e.shl(e.eqz(r), 6), e.shl(parity, 2)), FLAG.AF)));
};

const bzhi: Semantics = (x) => {
  const { c } = x;
  const size = x.size(0);
  const value = x.read(1);
  const length = c.let(e.and(low32(x.read(2)), 0xff));
  const r = lowBits(x, value, length, size);
  x.write(0, r);
  x.flags.result(size, r, c.let(e.geU(length, size)));
};

/** BLSI, BLSMSK, BLSR: operations on the lowest set bit; CF tells by `carry` whether the source was zero. */
const lowestBit =
  (operation: (value: Int) => Int, carry: (value: Int) => I32): Semantics =>
  (x) => {
    const source = x.read(1);
    const r = x.c.let(operation(source));
    x.write(0, r);
    x.flags.result(x.size(0), r, x.c.let(carry(source)));
  };

const blsi = lowestBit((v) => e.and(v, e.neg(v)), e.nez);
const blsmsk = lowestBit((v) => e.xor(v, e.sub(v, 1)), e.eqz);
const blsr = lowestBit((v) => e.and(v, e.sub(v, 1)), e.eqz);

/** MULX: the high half is written last and wins if both destinations are one register. */
const mulx: Semantics = (x) => {
  const { c } = x;
  const size = x.size(0);
  const b = x.read(2);
  const a = x.gpr(RDX, size);
  if (size === 64) {
    const high = multiplyHigh(c, a as I64, b as I64, false);
    x.write(1, c.let(e.mul(a, b)));
    x.write(0, high);
    return;
  }
  const product = c.let(e.mul(e.extendU(a as I32), e.extendU(b as I32)));
  x.write(1, e.wrap(product));
  x.write(0, e.wrap(e.shrU(product, 32)));
};

/** Walks the set bits of `mask` from below: `each` gets the bit alone and the bit's ordinal as a power of two, and gives what to add to the result. */
const overMask = (x: Emit, mask: Int, each: (lowest: Int, ordinal: Int) => Int): Int => {
  const { c } = x;
  const type = mask.type;
  const rest = c.variable(type, mask);
  const ordinal = c.variable(type, e.int(type, 1));
  const result = c.variable(type, e.int(type, 0));
  c.block((end) =>
    c.loop((again) => {
      c.brIf(e.eqz(c.get(rest)), end);
      const lowest = e.and(c.get(rest), e.neg(c.get(rest)));
      c.set(result, e.or(c.get(result), each(lowest, c.get(ordinal))));
      c.set(rest, e.and(c.get(rest), e.sub(c.get(rest), 1)));
      c.set(ordinal, e.shl(c.get(ordinal), 1));
      c.br(again);
    }),
  );
  return c.get(result);
};

const pdep: Semantics = (x) => {
  const source = x.read(1);
  const zero = e.int(source.type, 0);
  const scattered = overMask(x, x.read(2), (lowest, ordinal) =>
    e.select(e.nez(e.and(source, ordinal)), lowest, zero),
  );
  x.write(0, scattered);
};

const pext: Semantics = (x) => {
  const source = x.read(1);
  const zero = e.int(source.type, 0);
  const gathered = overMask(x, x.read(2), (lowest, ordinal) =>
    e.select(e.nez(e.and(source, lowest)), ordinal, zero),
  );
  x.write(0, gathered);
};

/** RORX and the shifts by register; WebAssembly masks the count as they do. They leave the flags alone. */
const flaglessShift =
  (operation: (value: Int, count: Int) => Int): Semantics =>
  (x) => {
    const size = x.size(0);
    const value = x.read(1);
    const count = unsigned(low32(x.read(2)), size);
    x.write(0, operation(value, count));
  };

const rorx = flaglessShift((v, n) => e.rotr(v, n));
const sarx = flaglessShift((v, n) => e.shrS(v, n));
const shlx = flaglessShift((v, n) => e.shl(v, n));
const shrx = flaglessShift((v, n) => e.shrU(v, n));

/** Operand 0 += operand 1 + `carryIn`; gives the carry out. */
const addWithCarry = (x: Emit, carryIn: I32): I32 => {
  const { c } = x;
  const size = x.size(0);
  const a = x.read(0);
  const b = x.read(1);
  const sum = c.let(e.add(a, b));
  const r = c.let(e.add(sum, unsigned(carryIn, size)));
  x.write(0, r);
  return c.let(e.or(e.ltU(sum, a), e.ltU(r, sum)));
};

const adcx: Semantics = (x) => x.flags.setCarry(addWithCarry(x, x.flags.carry()));

const adox: Semantics = (x) => {
  const carry = x.flags.carry();
  x.flags.setCarryOverflow(carry, addWithCarry(x, x.flags.condition(0)));
};

export const bmiRows: readonly Row[] = [
  {
    op: 'VEX.LZ.0F38 F2 /r',
    mnemonic: 'ANDN',
    operands: ['Gy', 'By', 'Ey'],
    feature: 'BMI1',
    exec: andn,
  },
  {
    op: 'VEX.LZ.0F38 F7 /r',
    mnemonic: 'BEXTR',
    operands: ['Gy', 'Ey', 'By'],
    feature: 'BMI1',
    exec: bextr,
  },
  {
    op: 'VEX.LZ.0F38 F3 /1',
    mnemonic: 'BLSR',
    operands: ['By', 'Ey'],
    feature: 'BMI1',
    exec: blsr,
  },
  {
    op: 'VEX.LZ.0F38 F3 /2',
    mnemonic: 'BLSMSK',
    operands: ['By', 'Ey'],
    feature: 'BMI1',
    exec: blsmsk,
  },
  {
    op: 'VEX.LZ.0F38 F3 /3',
    mnemonic: 'BLSI',
    operands: ['By', 'Ey'],
    feature: 'BMI1',
    exec: blsi,
  },

  {
    op: 'VEX.LZ.0F38 F5 /r',
    mnemonic: 'BZHI',
    operands: ['Gy', 'Ey', 'By'],
    feature: 'BMI2',
    exec: bzhi,
  },
  {
    op: 'VEX.LZ.F2.0F38 F6 /r',
    mnemonic: 'MULX',
    operands: ['Gy', 'By', 'Ey'],
    feature: 'BMI2',
    exec: mulx,
  },
  {
    op: 'VEX.LZ.F2.0F38 F5 /r',
    mnemonic: 'PDEP',
    operands: ['Gy', 'By', 'Ey'],
    feature: 'BMI2',
    exec: pdep,
  },
  {
    op: 'VEX.LZ.F3.0F38 F5 /r',
    mnemonic: 'PEXT',
    operands: ['Gy', 'By', 'Ey'],
    feature: 'BMI2',
    exec: pext,
  },
  {
    op: 'VEX.LZ.F2.0F3A F0 /r',
    mnemonic: 'RORX',
    operands: ['Gy', 'Ey', 'Ib'],
    feature: 'BMI2',
    exec: rorx,
  },
  {
    op: 'VEX.LZ.F3.0F38 F7 /r',
    mnemonic: 'SARX',
    operands: ['Gy', 'Ey', 'By'],
    feature: 'BMI2',
    exec: sarx,
  },
  {
    op: 'VEX.LZ.66.0F38 F7 /r',
    mnemonic: 'SHLX',
    operands: ['Gy', 'Ey', 'By'],
    feature: 'BMI2',
    exec: shlx,
  },
  {
    op: 'VEX.LZ.F2.0F38 F7 /r',
    mnemonic: 'SHRX',
    operands: ['Gy', 'Ey', 'By'],
    feature: 'BMI2',
    exec: shrx,
  },

  { op: '66 0F 38 F6 /r', mnemonic: 'ADCX', operands: ['Gy', 'Ey'], feature: 'ADX', exec: adcx },
  { op: 'F3 0F 38 F6 /r', mnemonic: 'ADOX', operands: ['Gy', 'Ey'], feature: 'ADX', exec: adox },
];
