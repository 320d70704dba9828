/** Packed shifts, shuffles, packs, unpacks, blends, inserts and extracts, MMX and SSE. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int, V128 } from '../wasm/expr.ts';
import type { Simd, SimdShift } from '../wasm/opcode.ts';
import type { Emit, Semantics } from './emit.ts';
import type { CpuFeature, Row } from './row.ts';
import {
  ZERO,
  high64,
  immediate,
  isMmx,
  low64,
  mmxAndSse,
  packed,
  readPacked,
  sse,
  writePacked,
} from './vector.ts';

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

/** Interleaves the low or high halves of two operands in elements of `size` bytes. */
const unpack = (size: number, high: boolean): Semantics =>
  packed((a, b, x) => {
    const half = isMmx(x) ? 4 : 8;
    const lanes: number[] = [];
    for (let at = high ? half : 0; lanes.length < 2 * half; at += size)
      for (const source of [0, 16]) for (let i = 0; i < size; i++) lanes.push(source + at + i);
    while (lanes.length < 16) lanes.push(0);
    return e.shuffle(a, b, lanes);
  });

/** Narrows both operands with saturation into one register. */
const pack = (name: Simd): Semantics =>
  packed((a, b, x) => {
    if (!isMmx(x)) return e.simd(name, a, b);
    const whole = e.shuffle(a, b, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
    return e.simd(name, x.c.let(whole), ZERO);
  });

/** Swizzle index for four elements of `size` bytes picked by a control byte, starting at byte `from`. */
const pickFour = (x: Emit, control: I32, size: 2 | 4, from: 0 | 8): V128 => {
  const index = x.c.variable('v128', ZERO);
  const lanes = size === 2 ? 'i16x8' : 'i32x4';
  const within = size === 2 ? 0x0100 : 0x0302_0100;
  const spread = size === 2 ? 0x0202 : 0x0404_0404;
  for (let i = 0; i < 4; i++) {
    const element = e.and(e.shrU(control, 2 * i), 3);
    const bytes = e.add(e.mul(element, spread), within + from * (size === 2 ? 0x0101 : 0));
    const lane = from / size + i;
    x.c.set(index, e.replaceLane(`${lanes}.replace_lane`, x.c.get(index), lane, bytes));
  }
  return x.c.get(index);
};

const pshufd: Semantics = (x) => {
  const source = x.readVector(1);
  const index = pickFour(x, immediate(x, 2), 4, 0);
  x.writeVector(0, x.c.let(e.simd('i8x16.swizzle', source, index)));
};

/** PSHUFLW, PSHUFHW, PSHUFW: four words of one half picked, the other half kept. */
const shuffleWords =
  (from: 0 | 8): Semantics =>
  (x) => {
    const source = readPacked(x, 1);
    const index = pickFour(x, immediate(x, 2), 2, from);
    const shuffled = e.simd('i8x16.swizzle', source, index);
    const lanes = Array.from({ length: 16 }, (_, i) => (i >= from && i < from + 8 ? i : 16 + i));
    writePacked(x, x.c.let(e.shuffle(shuffled, source, lanes)));
  };

const pshuflw = shuffleWords(0);
const pshufhw = shuffleWords(8);

/** SHUFPS and SHUFPD: elements of the destination, then of the source. */
const shufps: Semantics = (x) => {
  const source = x.readVector(1);
  const target = x.readVector(0);
  const index = x.c.let(pickFour(x, immediate(x, 2), 4, 0));
  const low = e.simd('i8x16.swizzle', target, index);
  const high = e.simd('i8x16.swizzle', source, index);
  x.writeVector(
    0,
    x.c.let(e.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31])),
  );
};

const shufpd: Semantics = (x) => {
  const source = x.readVector(1);
  const target = x.readVector(0);
  const control = immediate(x, 2);
  const low = e.select(e.and(control, 1), high64(target), low64(target));
  const high = e.select(e.and(control, 2), high64(source), low64(source));
  const result = e.replaceLane('i64x2.replace_lane', e.splat('i64x2.splat', low), 1, high);
  x.writeVector(0, x.c.let(result));
};

/** SSE4.1 widening of the low elements. */
const widenLow =
  (steps: readonly Simd[]): Semantics =>
  (x) => {
    const source = x.width(1) === 128 ? x.readVector(1) : lowVector(x);
    x.writeVector(0, x.c.let(steps.reduce((v: V128, name) => e.simd(name, v), source)));
  };

const lowVector = (x: Emit): V128 => {
  const value: Int = x.read(1);
  return value.type === 'i64'
    ? e.replaceLane('i64x2.replace_lane', ZERO, 0, value)
    : e.replaceLane('i32x4.replace_lane', ZERO, 0, value);
};

const WIDEN: readonly (readonly [string, string, 16 | 32 | 64, readonly Simd[]])[] = (
  ['s', 'u'] as const
).flatMap((kind) => {
  const [b, w, d] = [
    `i16x8.extend_low_i8x16_${kind}`,
    `i32x4.extend_low_i16x8_${kind}`,
    `i64x2.extend_low_i32x4_${kind}`,
  ] as const;
  const base = kind === 's' ? 2 : 3;
  const name = kind === 's' ? 'PMOVSX' : 'PMOVZX';
  return [
    [`${base}0`, `${name}BW`, 64, [b]],
    [`${base}1`, `${name}BD`, 32, [b, w]],
    [`${base}2`, `${name}BQ`, 16, [b, w, d]],
    [`${base}3`, `${name}WD`, 64, [w]],
    [`${base}4`, `${name}WQ`, 32, [w, d]],
    [`${base}5`, `${name}DQ`, 64, [d]],
  ] as const;
});

/** Blends by an immediate: bit i chooses the source's element i of `size` bytes. */
const blendImmediate =
  (size: number): Semantics =>
  (x) => {
    const source = x.readVector(1);
    const target = x.readVector(0);
    const control = immediate(x, 2);
    const mask = x.c.variable('v128', ZERO);
    for (let i = 0; i < 16 / size; i++) {
      const bit = e.neg(e.and(e.shrU(control, i), 1));
      const lanes = size === 2 ? 'i16x8' : size === 4 ? 'i32x4' : 'i64x2';
      const value = size === 8 ? e.extendS(bit) : bit;
      x.c.set(mask, e.replaceLane(`${lanes}.replace_lane`, x.c.get(mask), i, value));
    }
    x.writeVector(0, x.c.let(e.simd('v128.bitselect', source, target, x.c.get(mask))));
  };

/** Blends by the top bits of XMM0's elements. */
const blendVariable =
  (signs: (v: V128) => V128): Semantics =>
  (x) => {
    const source = x.readVector(1);
    const mask = x.c.let(signs(x.xmm(0)));
    x.writeVector(0, x.c.let(e.simd('v128.bitselect', source, x.readVector(0), mask)));
  };

const pblendvb = blendVariable((v) => e.simd('i8x16.gt_s', ZERO, v));
const blendvps = blendVariable((v) => e.simdShift('i32x4.shr_s', v, e.i32(31)));
const blendvpd = blendVariable((v) => e.simdShift('i64x2.shr_s', v, e.i32(63)));

/** Which lane: constant in the translator, a chain of selects in the interpreter. */
const laneValue = <T extends Int>(lane: I32, lanes: readonly T[]): T =>
  lane.constant === undefined
    ? lanes.reduce((rest, value, i) =>
        i === 0 ? value : (e.select(e.eq(lane, i), value, rest as never) as T),
      )
    : (lanes[Number(lane.constant)] as T);

const extractElement =
  (bits: 8 | 16 | 32 | 64): Semantics =>
  (x) => {
    const source = readPacked(x, 1);
    const count = x.width(1) === 64 ? 64 / bits : 128 / bits;
    const lane = x.c.let(e.and(immediate(x, 2), count - 1));
    const name = (
      {
        8: 'i8x16.extract_lane_u',
        16: 'i16x8.extract_lane_u',
        32: 'i32x4.extract_lane',
        64: 'i64x2.extract_lane',
      } as const
    )[bits];
    const lanes = Array.from({ length: count }, (_, i) => x.c.let(e.extractLane(name, source, i)));
    x.write(0, laneValue<Int>(lane, lanes));
  };

const insertElement =
  (bits: 8 | 16 | 32 | 64): Semantics =>
  (x) => {
    const value = x.read(1);
    const target = readPacked(x, 0);
    const count = isMmx(x) ? 64 / bits : 128 / bits;
    const lane = x.c.let(e.and(immediate(x, 2), count - 1));
    const lanes = ({ 8: 'i8x16', 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const)[bits];
    const result = x.c.variable('v128', target);
    for (let i = 0; i < count; i++)
      x.c.if(e.eq(lane, i), () =>
        x.c.set(result, e.replaceLane(`${lanes}.replace_lane`, target, i, value)),
      );
    writePacked(x, x.c.get(result));
  };

/** INSERTPS: one element of the source into one of the destination, then elements cleared by mask. */
const insertps: Semantics = (x) => {
  const control = immediate(x, 2);
  const value =
    x.kind(1) === 'memory'
      ? (x.read(1) as I32)
      : x.c.let(laneValue(e.shrU(e.and(control, 0xc0), 6), sourceLanes(x)));
  const target = x.readVector(0);
  const result = x.c.variable('v128', target);
  const place = x.c.let(e.and(e.shrU(control, 4), 3));
  for (let i = 0; i < 4; i++)
    x.c.if(e.eq(place, i), () =>
      x.c.set(result, e.replaceLane('i32x4.replace_lane', target, i, value)),
    );
  for (let i = 0; i < 4; i++)
    x.c.if(e.and(control, 1 << i), () =>
      x.c.set(result, e.replaceLane('i32x4.replace_lane', x.c.get(result), i, e.i32(0))),
    );
  x.writeVector(0, x.c.get(result));
};

/** The four elements of a register operand that is declared with its memory form's 32 bits. */
const sourceLanes = (x: Emit): readonly I32[] => {
  const source = x.readVector(1);
  return [0, 1, 2, 3].map((i) => x.c.let(e.extractLane('i32x4.extract_lane', source, i)));
};

const mask =
  (name: 'i8x16.bitmask' | 'i32x4.bitmask' | 'i64x2.bitmask'): Semantics =>
  (x) => {
    const source = readPacked(x, 1);
    const bits = e.simdTest(name, source);
    const all = x.width(1) === 64 ? e.and(bits, 0xff) : bits;
    x.write(0, x.width(0) === 64 ? e.extendU(all) : all);
  };

const pmovmskb = mask('i8x16.bitmask');

/** PTEST: ZF if no bit is common, CF if the source has no bit outside the destination. */
const ptest: Semantics = (x) => {
  const source = x.readVector(1);
  const target = x.readVector(0);
  const zero = e.eqz(e.simdTest('v128.any_true', e.simd('v128.and', source, target)));
  const carry = e.eqz(e.simdTest('v128.any_true', e.simd('v128.andnot', source, target)));
  x.flags.set(e.or(e.shl(zero, 6), carry));
};

const withByte = (row: Row, operands: readonly string[]): Row => ({ ...row, operands });

const immediateRow = (op: string, mnemonic: string, exec: Semantics, feature?: CpuFeature): Row =>
  withByte(sse(op, mnemonic, exec, feature), ['Vx', 'Wx', 'Ib']);

export const sseShuffleRows: readonly Row[] = [
  ...shiftRows,
  { op: '66 0F 73 /3', mnemonic: 'PSRLDQ', operands: ['Ux', 'Ib'], unit: 'sse', exec: psrldq },
  { op: '66 0F 73 /7', mnemonic: 'PSLLDQ', operands: ['Ux', 'Ib'], unit: 'sse', exec: pslldq },
  ...mmxAndSse('3A 0F', 'PALIGNR', palignr, 'SSSE3').map((row) =>
    withByte(row, [...row.operands, 'Ib']),
  ),

  ...unpackLow('60', 'PUNPCKLBW', 1),
  ...unpackLow('61', 'PUNPCKLWD', 2),
  ...unpackLow('62', 'PUNPCKLDQ', 4),
  sse('66 0F 6C /r', 'PUNPCKLQDQ', unpack(8, false)),
  ...mmxAndSse('68', 'PUNPCKHBW', unpack(1, true)),
  ...mmxAndSse('69', 'PUNPCKHWD', unpack(2, true)),
  ...mmxAndSse('6A', 'PUNPCKHDQ', unpack(4, true)),
  sse('66 0F 6D /r', 'PUNPCKHQDQ', unpack(8, true)),
  sse('NP 0F 14 /r', 'UNPCKLPS', unpack(4, false)),
  sse('66 0F 14 /r', 'UNPCKLPD', unpack(8, false)),
  sse('NP 0F 15 /r', 'UNPCKHPS', unpack(4, true)),
  sse('66 0F 15 /r', 'UNPCKHPD', unpack(8, true)),
  ...mmxAndSse('63', 'PACKSSWB', pack('i8x16.narrow_i16x8_s')),
  ...mmxAndSse('67', 'PACKUSWB', pack('i8x16.narrow_i16x8_u')),
  ...mmxAndSse('6B', 'PACKSSDW', pack('i16x8.narrow_i32x4_s')),
  sse('66 0F 38 2B /r', 'PACKUSDW', pack('i16x8.narrow_i32x4_u'), 'SSE41'),

  immediateRow('66 0F 70 /r', 'PSHUFD', pshufd),
  immediateRow('F2 0F 70 /r', 'PSHUFLW', pshuflw),
  immediateRow('F3 0F 70 /r', 'PSHUFHW', pshufhw),
  {
    op: 'NP 0F 70 /r',
    mnemonic: 'PSHUFW',
    operands: ['Pq', 'Qq', 'Ib'],
    unit: 'mmx',
    exec: pshuflw,
  },
  immediateRow('NP 0F C6 /r', 'SHUFPS', shufps),
  immediateRow('66 0F C6 /r', 'SHUFPD', shufpd),

  ...WIDEN.map(([opcode, mnemonic, bits, steps]): Row => ({
    op: `66 0F 38 ${opcode} /r`,
    mnemonic,
    operands: ['Vx', `W${bits}`],
    unit: 'sse',
    feature: 'SSE41',
    exec: widenLow(steps),
  })),

  immediateRow('66 0F 3A 0E /r', 'PBLENDW', blendImmediate(2), 'SSE41'),
  immediateRow('66 0F 3A 0C /r', 'BLENDPS', blendImmediate(4), 'SSE41'),
  immediateRow('66 0F 3A 0D /r', 'BLENDPD', blendImmediate(8), 'SSE41'),
  sse('66 0F 38 10 /r', 'PBLENDVB', pblendvb, 'SSE41'),
  sse('66 0F 38 14 /r', 'BLENDVPS', blendvps, 'SSE41'),
  sse('66 0F 38 15 /r', 'BLENDVPD', blendvpd, 'SSE41'),

  {
    op: 'NP 0F C5 /r',
    mnemonic: 'PEXTRW',
    operands: ['Gy', 'Nq', 'Ib'],
    unit: 'mmx',
    exec: toGeneral(16),
  },
  {
    op: '66 0F C5 /r',
    mnemonic: 'PEXTRW',
    operands: ['Gy', 'Ux', 'Ib'],
    unit: 'sse',
    exec: toGeneral(16),
  },
  ...extractRows('14', 'PEXTRB', 8),
  ...extractRows('15', 'PEXTRW', 16),
  {
    op: '66 0F 3A 16 /r',
    mnemonic: 'PEXTRD',
    operands: ['Ey', 'Vx', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: bySize(extractElement(32), extractElement(64)),
  },
  {
    op: '66 0F 3A 17 /r',
    mnemonic: 'EXTRACTPS',
    operands: ['Ed', 'Vx', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: extractElement(32),
  },
  {
    op: 'NP 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Pq', 'Mw', 'Ib'],
    unit: 'mmx',
    exec: insertElement(16),
  },
  {
    op: 'NP 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Pq', 'Rd', 'Ib'],
    unit: 'mmx',
    exec: insertElement(16),
  },
  {
    op: '66 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Vx', 'Mw', 'Ib'],
    unit: 'sse',
    exec: insertElement(16),
  },
  {
    op: '66 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Vx', 'Rd', 'Ib'],
    unit: 'sse',
    exec: insertElement(16),
  },
  {
    op: '66 0F 3A 20 /r',
    mnemonic: 'PINSRB',
    operands: ['Vx', 'Mb', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertElement(8),
  },
  {
    op: '66 0F 3A 20 /r',
    mnemonic: 'PINSRB',
    operands: ['Vx', 'Rd', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertElement(8),
  },
  {
    op: '66 0F 3A 22 /r',
    mnemonic: 'PINSRD',
    operands: ['Vx', 'Ey', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertDoubleword,
  },
  {
    op: '66 0F 3A 21 /r',
    mnemonic: 'INSERTPS',
    operands: ['Vx', 'Md', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertps,
  },
  {
    op: '66 0F 3A 21 /r',
    mnemonic: 'INSERTPS',
    operands: ['Vx', 'Ux', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertps,
  },

  { op: 'NP 0F D7 /r', mnemonic: 'PMOVMSKB', operands: ['Gy', 'Nq'], unit: 'mmx', exec: pmovmskb },
  { op: '66 0F D7 /r', mnemonic: 'PMOVMSKB', operands: ['Gy', 'Ux'], unit: 'sse', exec: pmovmskb },
  {
    op: 'NP 0F 50 /r',
    mnemonic: 'MOVMSKPS',
    operands: ['Gy', 'Ux'],
    unit: 'sse',
    exec: mask('i32x4.bitmask'),
  },
  {
    op: '66 0F 50 /r',
    mnemonic: 'MOVMSKPD',
    operands: ['Gy', 'Ux'],
    unit: 'sse',
    exec: mask('i64x2.bitmask'),
  },
  sse('66 0F 38 17 /r', 'PTEST', ptest, 'SSE41'),
];

/** Low unpacks: the MMX form reads 32 bits of memory, the SSE form all 128. */
function unpackLow(op: string, mnemonic: string, size: number): readonly Row[] {
  const exec = unpack(size, false);
  return [
    { op: `NP 0F ${op} /r`, mnemonic, operands: ['Pq', 'Qd'], unit: 'mmx', exec },
    sse(`66 0F ${op} /r`, mnemonic, exec),
  ];
}

/** PEXTRW to a general register: zero-extended whatever its width. */
function toGeneral(bits: 16): Semantics {
  return (x) => {
    const source = readPacked(x, 1);
    const count = x.width(1) / bits;
    const lane = x.c.let(e.and(immediate(x, 2), count - 1));
    const lanes = Array.from({ length: count }, (_, i) =>
      x.c.let(e.extractLane('i16x8.extract_lane_u', source, i)),
    );
    const value = laneValue(lane, lanes);
    x.write(0, x.width(0) === 64 ? e.extendU(value) : value);
  };
}

/** Byte and word extracts: to memory as they are, to a register zero-extended. */
function extractRows(opcode: string, mnemonic: string, bits: 8 | 16): readonly Row[] {
  const base = { mnemonic, unit: 'sse', feature: 'SSE41' } as const;
  const op = `66 0F 3A ${opcode} /r`;
  const exec = extractElement(bits);
  return [
    { ...base, op, operands: [bits === 8 ? 'Mb' : 'Mw', 'Vx', 'Ib'], exec },
    { ...base, op, operands: ['Rd', 'Vx', 'Ib'], exec },
  ];
}

function bySize(narrow: Semantics, wide: Semantics): Semantics {
  return (x) => (x.width(0) === 64 ? wide(x) : narrow(x));
}

function insertDoubleword(x: Emit): void {
  (x.width(1) === 64 ? insertElement(64) : insertElement(32))(x);
}
