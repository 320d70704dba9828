/** Shifts: SHL SHR SAR SHLD SHRD (SDM Vol. 2). Flags that the SDM leaves undefined are as Zen 3 gives them: AF is set, OF follows one rule for all counts. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Emit, Semantics, Size } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import type { Row } from './row.ts';
import { bit, low32, signExtended, unsigned } from './width.ts';

/** Operand `i` as a shift count: masked to 5 bits, or 6 for a 64-bit operand. */
export const shiftCount = (x: Emit, i: number, size: Size): I32 =>
  x.c.let(e.and(low32(x.read(i)), size === 64 ? 63 : 31));

/** A result and what its last shifted bit says; `carry` and `overflow` are 0 or 1 and hold for counts other than 0. */
interface Shifted {
  readonly result: Int;
  readonly carry: I32;
  readonly overflow: I32;
}

const writeShifted = (
  x: Emit,
  size: Size,
  count: I32,
  write: (value: Int) => void,
  { result, carry, overflow }: Shifted,
): void => {
  write(result);
  x.c.if(e.nez(count), () =>
    x.flags.result(size, result, e.or(e.or(carry, FLAG.AF), e.shl(overflow, 11))),
  );
};

/** 1 if the top two of `size` bits differ: the sign changed in the last step of a right shift. */
export const topBitsDiffer = (r: Int, size: Size): I32 => bit(e.xor(r, e.shl(r, 1)), size - 1);

const shift =
  (compute: (x: Emit, size: Size, a: Int, n: Int) => Shifted): Semantics =>
  (x) => {
    const size = x.size(0);
    const target = x.modify(0);
    const count = shiftCount(x, 1, size);
    const n = x.c.let(unsigned(count, size));
    writeShifted(x, size, count, target.write, compute(x, size, target.value, n));
  };

const shl = shift((x, size, a, n) => {
  const result = x.c.let(e.shl(a, n));
  // Up to 16 bits the last bit shifted out stands just above the result.
  const carry = size < 32 ? bit(result, size) : bit(e.shrU(a, e.sub(e.int(n.type, size), n)), 0);
  return { result, carry, overflow: e.xor(carry, bit(result, size - 1)) };
});

const shr = shift((x, size, a, n) => {
  const result = x.c.let(e.shrU(a, n));
  return {
    result,
    carry: bit(e.shrU(a, e.sub(n, 1)), 0),
    overflow: topBitsDiffer(result, size),
  };
});

const sar = shift((x, size, a, n) => {
  const wide = x.c.let(signExtended(a, size));
  return {
    result: x.c.let(e.shrS(wide, n)),
    carry: bit(e.shrS(wide, e.sub(n, 1)), 0),
    overflow: e.i32(0),
  };
});

const doubleShift =
  (
    wide: (x: Emit, size: 32 | 64, a: Int, b: Int, n: Int) => Shifted,
    narrow: (x: Emit, a: I32, b: I32, n: I32) => Shifted,
  ): Semantics =>
  (x) => {
    const size = x.size(0);
    const target = x.modify(0);
    const b = x.read(1);
    const count = shiftCount(x, 2, size);
    const n = x.c.let(unsigned(count, size));
    const shifted =
      size === 16
        ? narrow(x, target.value as I32, b as I32, count)
        : wide(x, size as 32 | 64, target.value, b, n);
    writeShifted(x, size, count, target.write, shifted);
  };

/** Three 16-bit values side by side, `high` at bits 47:32. */
const three = (high: I32, middle: I32, low: I32): I64 =>
  e.or(e.shl(e.extendU(high), 32), e.or(e.shl(e.extendU(middle), 16), e.extendU(low)));

const shld = doubleShift(
  (x, size, a, b, n) => {
    // Two steps, because a shift by the operand's whole width would be one by 0.
    const low = e.shrU(e.shrU(b, 1), e.xor(n, size - 1));
    const result = x.c.let(e.or(e.shl(a, n), low));
    const carry = x.c.let(bit(e.shrU(a, e.sub(e.int(n.type, size), n)), 0));
    return { result, carry, overflow: e.xor(carry, bit(result, size - 1)) };
  },
  // Counts above 16 are undefined by the SDM: silicon shifts the source in again, and takes the flags from the destination's own bits.
  (x, a, b, n) => {
    const alone = x.c.let(e.shl(a, n));
    return {
      result: x.c.let(e.wrap(e.shrU(e.shl(three(a, b, b), e.extendU(n)), 32))),
      carry: bit(alone, 16),
      overflow: bit(e.xor(alone, e.shrU(alone, 1)), 15),
    };
  },
);

const shrd = doubleShift(
  (x, size, a, b, n) => {
    const high = e.shl(e.shl(b, 1), e.xor(n, size - 1));
    const result = x.c.let(e.or(e.shrU(a, n), high));
    return {
      result,
      carry: bit(e.shrU(a, e.sub(n, 1)), 0),
      overflow: topBitsDiffer(result, size),
    };
  },
  (x, a, b, n) => {
    const result = x.c.let(e.wrap(e.shrU(three(b, b, a), e.extendU(n))));
    return {
      result,
      carry: bit(e.shrU(a, e.sub(n, 1)), 0),
      overflow: topBitsDiffer(result, 16),
    };
  },
);

/** The encodings of one operation of shift group 2 (`digit` in ModRM.reg). */
export const shiftGroupRows = (
  digit: number,
  mnemonic: string,
  exec: Semantics,
): readonly Row[] => [
  { op: `C0 /${digit}`, mnemonic, operands: ['Eb', 'Ib'], exec },
  { op: `C1 /${digit}`, mnemonic, operands: ['Ev', 'Ib'], exec },
  { op: `D0 /${digit}`, mnemonic, operands: ['Eb', '1'], exec },
  { op: `D1 /${digit}`, mnemonic, operands: ['Ev', '1'], exec },
  { op: `D2 /${digit}`, mnemonic, operands: ['Eb', 'CL'], exec },
  { op: `D3 /${digit}`, mnemonic, operands: ['Ev', 'CL'], exec },
];

export const shiftRows: readonly Row[] = [
  ...shiftGroupRows(4, 'SHL', shl),
  ...shiftGroupRows(5, 'SHR', shr),
  // An undocumented alias of /4 on the processors of both vendors.
  ...shiftGroupRows(6, 'SHL', shl),
  ...shiftGroupRows(7, 'SAR', sar),

  { op: '0F A4 /r', mnemonic: 'SHLD', operands: ['Ev', 'Gv', 'Ib'], exec: shld },
  { op: '0F A5 /r', mnemonic: 'SHLD', operands: ['Ev', 'Gv', 'CL'], exec: shld },
  { op: '0F AC /r', mnemonic: 'SHRD', operands: ['Ev', 'Gv', 'Ib'], exec: shrd },
  { op: '0F AD /r', mnemonic: 'SHRD', operands: ['Ev', 'Gv', 'CL'], exec: shrd },
];
