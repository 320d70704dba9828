/** Packed shifts and byte shifts, MMX and SSE. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, V128 } from '../wasm/expr.ts';
import type { SimdShift } from '../wasm/opcode.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { ZERO, immediate, isMmx, low64, mmxAndSse, readPacked, writePacked } from './vector.ts';

/** Shifts by a count in a register or immediate: counts of the lane width or more give zero, or copies of the sign. */
const shiftBy = (x: Emit, name: SimdShift, value: V128, count: I64, bits: number): V128 => {
  const arithmetic = name.endsWith('shr_s');
  const tooMuch = x.c.let(e.gtU(count, e.i64(bits - 1)));
  const amount = arithmetic
    ? e.select(tooMuch, e.i32(bits - 1), e.wrap(count))
    : e.and(e.wrap(count), bits - 1);
  const shifted = x.c.let(e.simdShift(name, value, amount));
  return arithmetic ? shifted : e.select(tooMuch, ZERO, shifted);
};

const shift = (
  name: SimdShift,
  bits: number,
): { byRegister: Semantics; byImmediate: Semantics } => ({
  byRegister: (x) => {
    const count = x.c.let(low64(readPacked(x, 1)));
    writePacked(x, x.c.let(shiftBy(x, name, readPacked(x, 0), count, bits)));
  },
  byImmediate: (x) => {
    const count = x.c.let(e.extendU(e.and(immediate(x, 1), 0xff)));
    writePacked(x, x.c.let(shiftBy(x, name, readPacked(x, 0), count, bits)));
  },
});

const SHIFTS: readonly (readonly [string, string, number, string, SimdShift, number])[] = [
  ['D1', '71', 2, 'PSRLW', 'i16x8.shr_u', 16],
  ['D2', '72', 2, 'PSRLD', 'i32x4.shr_u', 32],
  ['D3', '73', 2, 'PSRLQ', 'i64x2.shr_u', 64],
  ['E1', '71', 4, 'PSRAW', 'i16x8.shr_s', 16],
  ['E2', '72', 4, 'PSRAD', 'i32x4.shr_s', 32],
  ['F1', '71', 6, 'PSLLW', 'i16x8.shl', 16],
  ['F2', '72', 6, 'PSLLD', 'i32x4.shl', 32],
  ['F3', '73', 6, 'PSLLQ', 'i64x2.shl', 64],
];

const shiftRows = SHIFTS.flatMap(([opcode, group, digit, mnemonic, name, bits]): readonly Row[] => {
  const { byRegister, byImmediate } = shift(name, bits);
  return [
    ...mmxAndSse(opcode, mnemonic, byRegister),
    {
      op: `NP 0F ${group} /${digit}`,
      mnemonic,
      operands: ['Nq', 'Ib'],
      unit: 'mmx',
      exec: byImmediate,
    },
    {
      op: `66 0F ${group} /${digit}`,
      mnemonic,
      operands: ['Ux', 'Ib'],
      unit: 'sse',
      exec: byImmediate,
    },
  ];
});

/** Lane numbers 0 to 15 plus a run-time offset, as a swizzle index. */
const slide = (offset: I32): V128 =>
  e.simd(
    'i8x16.add',
    e.v128(Array.from({ length: 16 }, (_, i) => i)),
    e.splat('i8x16.splat', offset),
  );

/** Whole-register byte shifts; 16 or more clear everything. Indices that leave 0-15 clear their byte. */
const byteShift =
  (direction: 1 | -1): Semantics =>
  (x) => {
    const count = e.and(immediate(x, 1), 0xff);
    const bytes = x.c.let(e.select(e.gtU(count, 15), e.i32(16), count));
    const index = slide(direction === 1 ? bytes : e.neg(bytes));
    x.writeVector(0, x.c.let(e.simd('i8x16.swizzle', x.readVector(0), index)));
  };

const psrldq = byteShift(1);
const pslldq = byteShift(-1);

/** PALIGNR: bytes of destination:source from the immediate on. */
const palignr: Semantics = (x) => {
  const source = readPacked(x, 1);
  const target = readPacked(x, 0);
  const count = x.c.let(e.and(immediate(x, 2), 0xff));
  const bytes = isMmx(x) ? 8 : 16;
  if (isMmx(x)) {
    // Both halves in one vector: a single slide does it.
    const whole = e.shuffle(
      source,
      target,
      [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
    );
    const amount = e.select(e.gtU(count, 15), e.i32(16), count);
    writePacked(x, x.c.let(e.simd('i8x16.swizzle', whole, slide(amount))));
    return;
  }
  const amount = x.c.let(e.select(e.gtU(count, 32), e.i32(32), count));
  const low = e.simd('i8x16.swizzle', source, slide(amount));
  const high = e.simd('i8x16.swizzle', target, slide(e.sub(amount, bytes)));
  writePacked(x, x.c.let(e.simd('v128.or', low, high)));
};

export const sseShiftRows: readonly Row[] = [
  ...shiftRows,
  { op: '66 0F 73 /3', mnemonic: 'PSRLDQ', operands: ['Ux', 'Ib'], unit: 'sse', exec: psrldq },
  { op: '66 0F 73 /7', mnemonic: 'PSLLDQ', operands: ['Ux', 'Ib'], unit: 'sse', exec: pslldq },
  ...mmxAndSse('3A 0F', 'PALIGNR', palignr, 'SSSE3').map((row): Row => ({
    ...row,
    operands: [...row.operands, 'Ib'],
  })),
];
