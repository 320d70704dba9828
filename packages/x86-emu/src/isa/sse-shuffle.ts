/** Shuffles, packs, unpacks, widening and blends, MMX and SSE. */
import * as e from '../wasm/expr.ts';
import type { I32, Int, V128 } from '../wasm/expr.ts';
import type { Simd } from '../wasm/opcode.ts';
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

const immediateRow = (
  op: string,
  mnemonic: string,
  exec: Semantics,
  feature?: CpuFeature,
): Row => ({
  ...sse(op, mnemonic, exec, feature),
  operands: ['Vx', 'Wx', 'Ib'],
});

export const sseShuffleRows: readonly Row[] = [
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
];

/** Low unpacks: the MMX form reads 32 bits of memory, the SSE form all 128. */
function unpackLow(op: string, mnemonic: string, size: number): readonly Row[] {
  const exec = unpack(size, false);
  return [
    { op: `NP 0F ${op} /r`, mnemonic, operands: ['Pq', 'Qd'], unit: 'mmx', exec },
    sse(`66 0F ${op} /r`, mnemonic, exec),
  ];
}
