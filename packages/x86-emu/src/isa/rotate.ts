/** Rotates: ROL ROR RCL RCR (SDM Vol. 2). OF for counts other than 1, undefined by the SDM, follows the same rule as for 1, as on Zen 3. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Emit, Semantics, Size } from './emit.ts';
import type { Row } from './row.ts';
import { shiftCount, shiftGroupRows, topBitsDiffer } from './shift.ts';
import { bit, low32, unsigned } from './width.ts';

interface Rotated {
  readonly result: Int;
  readonly carry: I32;
}

type Overflow = (rotated: Rotated, size: Size) => I32;

const leftOverflow: Overflow = ({ result, carry }, size) => e.xor(carry, bit(result, size - 1));
const rightOverflow: Overflow = ({ result }, size) => topBitsDiffer(result, size);

const rotate =
  (overflow: Overflow, compute: (x: Emit, size: Size, a: Int, n: Int) => Rotated): Semantics =>
  (x) => {
    const size = x.size(0);
    const target = x.modify(0);
    const count = shiftCount(x, 1, size);
    const n = x.c.let(unsigned(count, size));
    const rotated = compute(x, size, target.value, n);
    target.write(rotated.result);
    x.c.if(e.nez(count), () => x.flags.setCarryOverflow(rotated.carry, overflow(rotated, size)));
  };

/** `a` rotated within `size` bits; bits above are garbage. */
const rotatedLeft = (x: Emit, size: Size, a: Int, n: Int): Int => {
  if (size >= 32) return x.c.let(e.rotl(a, n));
  const k = x.c.let(e.and(n, size - 1));
  return x.c.let(e.or(e.shl(a, k), e.shrU(a, e.sub(e.int(n.type, size), k))));
};

const rol = rotate(leftOverflow, (x, size, a, n) => {
  const result = rotatedLeft(x, size, a, n);
  return { result, carry: bit(result, 0) };
});

const ror = rotate(rightOverflow, (x, size, a, n) => {
  const result = size >= 32 ? x.c.let(e.rotr(a, n)) : rotatedLeft(x, size, a, x.c.let(e.neg(n)));
  return { result, carry: bit(result, size - 1) };
});

/** Rotation through carry left by `k` of 0 to `size` in a value one bit wider than the operand; needs `size` + 1 ≤ 33 bits. */
const throughCarry = (x: Emit, size: 8 | 16 | 32, a: Int, left: Int): Rotated => {
  const value: Int = size === 32 ? e.extendU(a as I32) : a;
  const k = size === 32 ? e.extendU(left as I32) : left;
  const carry: Int = size === 32 ? e.extendU(x.flags.carry()) : x.flags.carry();
  const wide = x.c.let(e.or(value, e.shl(carry, size)));
  const r = x.c.let(e.or(e.shl(wide, k), e.shrU(wide, e.sub(e.int(k.type, size + 1), k))));
  return { result: x.c.let(low32(r)), carry: bit(r, size) };
};

/** Steps that count in a ring of `size` + 1 bits. */
const ringSteps = (x: Emit, size: 8 | 16 | 32, n: Int): Int =>
  size === 32 ? n : x.c.let(e.remU(n, size + 1));

const rcl = rotate(leftOverflow, (x, size, a, n) => {
  if (size !== 64) return throughCarry(x, size, a, ringSteps(x, size, n));
  const carry = e.extendU(x.flags.carry());
  const count = n as I64;
  const back = x.c.let(e.sub(e.i64(64), count));
  // Two steps, because a shift by 64 would be one by 0.
  const rotated = e.or(
    e.or(e.shl(a as I64, count), e.shl(carry, e.sub(count, 1))),
    e.shrU(e.shrU(a as I64, 1), back),
  );
  return {
    result: x.c.let(e.select(e.eqz(count), a as I64, rotated)),
    carry: bit(e.shrU(a, back), 0),
  };
});

const rcr = rotate(rightOverflow, (x, size, a, n) => {
  if (size !== 64) {
    const steps = ringSteps(x, size, n);
    return throughCarry(x, size, a, x.c.let(e.sub(e.int(n.type, size + 1), steps)));
  }
  const carry = e.extendU(x.flags.carry());
  const count = n as I64;
  const back = x.c.let(e.sub(e.i64(64), count));
  const rotated = e.or(
    e.or(e.shrU(a as I64, count), e.shl(carry, back)),
    e.shl(e.shl(a as I64, 1), back),
  );
  return {
    result: x.c.let(e.select(e.eqz(count), a as I64, rotated)),
    carry: bit(e.shrU(a, e.sub(n, 1)), 0),
  };
});

export const rotateRows: readonly Row[] = [
  ...shiftGroupRows(0, 'ROL', rol),
  ...shiftGroupRows(1, 'ROR', ror),
  ...shiftGroupRows(2, 'RCL', rcl),
  ...shiftGroupRows(3, 'RCR', rcr),
];
