/** Packed integer arithmetic, comparison and logic, MMX and SSE (SDM Vol. 1, chapters 9, 11 and 12). */
import * as e from '../wasm/expr.ts';
import type { V128 } from '../wasm/expr.ts';
import type { Simd } from '../wasm/opcode.ts';
import type { Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { ZERO, both64, isMmx, mmxAndSse, packed, packedUnary, sse } from './vector.ts';

const op = (name: Simd): Semantics => packed((a, b) => e.simd(name, a, b));

/** Operations that WebAssembly has as they are: opcode, mnemonic, name. */
const DIRECT: readonly (readonly [string, string, Simd])[] = [
  ['FC', 'PADDB', 'i8x16.add'],
  ['FD', 'PADDW', 'i16x8.add'],
  ['FE', 'PADDD', 'i32x4.add'],
  ['D4', 'PADDQ', 'i64x2.add'],
  ['F8', 'PSUBB', 'i8x16.sub'],
  ['F9', 'PSUBW', 'i16x8.sub'],
  ['FA', 'PSUBD', 'i32x4.sub'],
  ['FB', 'PSUBQ', 'i64x2.sub'],
  ['EC', 'PADDSB', 'i8x16.add_sat_s'],
  ['ED', 'PADDSW', 'i16x8.add_sat_s'],
  ['DC', 'PADDUSB', 'i8x16.add_sat_u'],
  ['DD', 'PADDUSW', 'i16x8.add_sat_u'],
  ['E8', 'PSUBSB', 'i8x16.sub_sat_s'],
  ['E9', 'PSUBSW', 'i16x8.sub_sat_s'],
  ['D8', 'PSUBUSB', 'i8x16.sub_sat_u'],
  ['D9', 'PSUBUSW', 'i16x8.sub_sat_u'],
  ['D5', 'PMULLW', 'i16x8.mul'],
  ['F5', 'PMADDWD', 'i32x4.dot_i16x8_s'],
  ['E0', 'PAVGB', 'i8x16.avgr_u'],
  ['E3', 'PAVGW', 'i16x8.avgr_u'],
  ['DA', 'PMINUB', 'i8x16.min_u'],
  ['DE', 'PMAXUB', 'i8x16.max_u'],
  ['EA', 'PMINSW', 'i16x8.min_s'],
  ['EE', 'PMAXSW', 'i16x8.max_s'],
  ['DB', 'PAND', 'v128.and'],
  ['EB', 'POR', 'v128.or'],
  ['EF', 'PXOR', 'v128.xor'],
  ['74', 'PCMPEQB', 'i8x16.eq'],
  ['75', 'PCMPEQW', 'i16x8.eq'],
  ['76', 'PCMPEQD', 'i32x4.eq'],
  ['64', 'PCMPGTB', 'i8x16.gt_s'],
  ['65', 'PCMPGTW', 'i16x8.gt_s'],
  ['66', 'PCMPGTD', 'i32x4.gt_s'],
];

/** SSE4.1 and SSE4.2, SSE registers alone. */
const SSE4: readonly (readonly [string, string, Simd, 'SSE41' | 'SSE42'])[] = [
  ['38', 'PMINSB', 'i8x16.min_s', 'SSE41'],
  ['39', 'PMINSD', 'i32x4.min_s', 'SSE41'],
  ['3A', 'PMINUW', 'i16x8.min_u', 'SSE41'],
  ['3B', 'PMINUD', 'i32x4.min_u', 'SSE41'],
  ['3C', 'PMAXSB', 'i8x16.max_s', 'SSE41'],
  ['3D', 'PMAXSD', 'i32x4.max_s', 'SSE41'],
  ['3E', 'PMAXUW', 'i16x8.max_u', 'SSE41'],
  ['3F', 'PMAXUD', 'i32x4.max_u', 'SSE41'],
  ['40', 'PMULLD', 'i32x4.mul', 'SSE41'],
  ['29', 'PCMPEQQ', 'i64x2.eq', 'SSE41'],
  ['37', 'PCMPGTQ', 'i64x2.gt_s', 'SSE42'],
];

/** High halves of 16-bit products: the odd 16-bit lanes of the 32-bit products, put together again. */
const highProducts = (low: Simd, high: Simd): Semantics =>
  packed((a, b) =>
    e.shuffle(
      e.simd(low, a, b),
      e.simd(high, a, b),
      [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31],
    ),
  );

const pmulhw = highProducts('i32x4.extmul_low_i16x8_s', 'i32x4.extmul_high_i16x8_s');
const pmulhuw = highProducts('i32x4.extmul_low_i16x8_u', 'i32x4.extmul_high_i16x8_u');

/** Lanes 0 and 2 of 32 bits multiplied to 64. */
const evenProducts = (name: Simd): Semantics =>
  packed((a, b) => {
    const even = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];
    return e.simd(name, e.shuffle(a, a, even), e.shuffle(b, b, even));
  });

const pmuludq = evenProducts('i64x2.extmul_low_i32x4_u');
const pmuldq = evenProducts('i64x2.extmul_low_i32x4_s');

/** WebAssembly complements the second operand, x86 the first. */
const pandn = packed((a, b) => e.simd('v128.andnot', b, a));

/** Sums of absolute byte differences, one per 8 bytes. */
const psadbw = packed((a, b, x) => {
  const difference = x.c.let(
    e.simd('v128.or', e.simd('i8x16.sub_sat_u', a, b), e.simd('i8x16.sub_sat_u', b, a)),
  );
  const words = e.simd('i16x8.extadd_pairwise_i8x16_u', difference);
  const pairs = x.c.let(e.simd('i32x4.extadd_pairwise_i16x8_u', words));
  const sums = e.simd('i64x2.add', e.simdShift('i64x2.shr_u', pairs, e.i32(32)), pairs);
  return e.simd('v128.and', sums, both64(0xffff_ffffn));
});

/** The odd bytes as words. */
const oddBytes = (v: V128, signed: boolean): V128 =>
  e.simdShift(signed ? 'i16x8.shr_s' : 'i16x8.shr_u', v, e.i32(8));

/** The even bytes as words. */
const evenBytes = (v: V128, signed: boolean): V128 =>
  oddBytes(e.simdShift('i16x8.shl', v, e.i32(8)), signed);

/** SSSE3: products of unsigned and signed bytes, added in pairs with saturation. */
const pmaddubsw = packed((a, b, x) => {
  const product = (part: typeof oddBytes): V128 =>
    x.c.let(e.simd('i16x8.mul', part(a, false), part(b, true)));
  return e.simd('i16x8.add_sat_s', product(evenBytes), product(oddBytes));
});

/** SSSE3: rounded high part of a 16-bit product; unlike WebAssembly's, 8000H times itself wraps. */
const pmulhrsw = packed((a, b, x) => {
  const saturated = x.c.let(e.simd('i16x8.q15mulr_sat_s', a, b));
  const lowest = both64(0x8000_8000_8000_8000n);
  const wraps = e.simd('v128.and', e.simd('i16x8.eq', a, lowest), e.simd('i16x8.eq', b, lowest));
  return e.simd('v128.xor', saturated, wraps);
});

/** SSSE3 horizontal operations: even and odd elements of both operands, combined. */
const horizontal = (name: Simd, bytes: 2 | 4): Semantics =>
  packed((a, b, x) => {
    const pick = (first: number): V128 => {
      const lanes: number[] = [];
      const half = isMmx(x) ? 8 : 16;
      for (const source of [0, 16])
        for (let at = first * bytes; at < half; at += 2 * bytes)
          for (let i = 0; i < bytes; i++) lanes.push(source + at + i);
      while (lanes.length < 16) lanes.push(0);
      return x.c.let(e.shuffle(a, b, lanes));
    };
    return e.simd(name, pick(0), pick(1));
  });

/** SSSE3: the first operand's elements, negated or cleared by the sign of the second's. */
const sign = (bits: 8 | 16 | 32): Semantics =>
  packed((a, b, x) => {
    const lane = bits === 8 ? 'i8x16' : bits === 16 ? 'i16x8' : 'i32x4';
    const negative = x.c.let(e.simd(`${lane}.gt_s`, ZERO, b));
    const zero = e.simd(`${lane}.eq`, ZERO, b);
    const flipped = e.simd(`${lane}.sub`, e.simd('v128.xor', a, negative), negative);
    return e.simd('v128.andnot', flipped, zero);
  });

const abs = (name: Simd): Semantics => packedUnary((a) => e.simd(name, a));

/** SSSE3: bytes picked by the low bits of the second operand, zero where bit 7 is set. */
const pshufb = packed((a, b, x) => {
  // Swizzle clears lanes with an index of 16 or more.
  const index = e.simd(
    'v128.and',
    b,
    both64(isMmx(x) ? 0x8787_8787_8787_8787n : 0x8f8f_8f8f_8f8f_8f8fn),
  );
  return e.simd('i8x16.swizzle', a, index);
});

/** SSE4.1: the smallest of eight words and its index. */
const phminposuw: Semantics = (x) => {
  const source = x.readVector(1);
  const best = x.c.variable('i32', e.i32((0xffff << 3) | 7));
  for (let lane = 0; lane < 8; lane++) {
    const word = e.extractLane('i16x8.extract_lane_u', source, lane);
    const candidate = x.c.let(e.or(e.shl(word, 3), lane));
    x.c.set(best, e.select(e.ltU(candidate, x.c.get(best)), candidate, x.c.get(best)));
  }
  const answer = e.or(e.shrU(x.c.get(best), 3), e.shl(e.and(x.c.get(best), 7), 16));
  x.writeZeroExtended(0, x.c.let(answer));
};

/** The bytes of a vector from `first` on. */
const bytesFrom = (v: V128, first: e.I32): V128 => {
  const lanes = e.v128(Array.from({ length: 16 }, (_, i) => i));
  return e.simd('i8x16.swizzle', v, e.simd('i8x16.add', lanes, e.splat('i8x16.splat', first)));
};

/** SSE4.1: eight sums of four absolute byte differences, at offsets that the immediate chooses. */
const mpsadbw: Semantics = (x) => {
  const control = x.read(2) as e.I32;
  const source = x.readVector(1);
  const target = x.readVector(0);
  const block = x.c.let(
    e.shuffle(
      bytesFrom(source, e.shl(e.and(control, 3), 2)),
      ZERO,
      [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3],
    ),
  );
  const start = x.c.let(bytesFrom(target, e.and(control, 4)));
  const difference = (from: number): V128 => {
    const lanes = [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].map((k) => from + i + k));
    const window = x.c.let(e.shuffle(start, start, lanes));
    const d = e.simd(
      'v128.or',
      e.simd('i8x16.sub_sat_u', window, block),
      e.simd('i8x16.sub_sat_u', block, window),
    );
    return x.c.let(
      e.simd('i32x4.extadd_pairwise_i16x8_u', e.simd('i16x8.extadd_pairwise_i8x16_u', d)),
    );
  };
  x.writeVector(0, x.c.let(e.simd('i16x8.narrow_i32x4_u', difference(0), difference(4))));
};

export const sseIntegerRows: readonly Row[] = [
  ...DIRECT.flatMap(([opcode, mnemonic, name]) => mmxAndSse(opcode, mnemonic, op(name))),
  ...mmxAndSse('E5', 'PMULHW', pmulhw),
  ...mmxAndSse('E4', 'PMULHUW', pmulhuw),
  ...mmxAndSse('F4', 'PMULUDQ', pmuludq),
  ...mmxAndSse('DF', 'PANDN', pandn),
  ...mmxAndSse('F6', 'PSADBW', psadbw),

  ...mmxAndSse('38 00', 'PSHUFB', pshufb, 'SSSE3'),
  ...mmxAndSse('38 01', 'PHADDW', horizontal('i16x8.add', 2), 'SSSE3'),
  ...mmxAndSse('38 02', 'PHADDD', horizontal('i32x4.add', 4), 'SSSE3'),
  ...mmxAndSse('38 03', 'PHADDSW', horizontal('i16x8.add_sat_s', 2), 'SSSE3'),
  ...mmxAndSse('38 04', 'PMADDUBSW', pmaddubsw, 'SSSE3'),
  ...mmxAndSse('38 05', 'PHSUBW', horizontal('i16x8.sub', 2), 'SSSE3'),
  ...mmxAndSse('38 06', 'PHSUBD', horizontal('i32x4.sub', 4), 'SSSE3'),
  ...mmxAndSse('38 07', 'PHSUBSW', horizontal('i16x8.sub_sat_s', 2), 'SSSE3'),
  ...mmxAndSse('38 08', 'PSIGNB', sign(8), 'SSSE3'),
  ...mmxAndSse('38 09', 'PSIGNW', sign(16), 'SSSE3'),
  ...mmxAndSse('38 0A', 'PSIGND', sign(32), 'SSSE3'),
  ...mmxAndSse('38 0B', 'PMULHRSW', pmulhrsw, 'SSSE3'),
  ...mmxAndSse('38 1C', 'PABSB', abs('i8x16.abs'), 'SSSE3'),
  ...mmxAndSse('38 1D', 'PABSW', abs('i16x8.abs'), 'SSSE3'),
  ...mmxAndSse('38 1E', 'PABSD', abs('i32x4.abs'), 'SSSE3'),

  ...SSE4.map(([opcode, mnemonic, name, feature]) =>
    sse(`66 0F 38 ${opcode} /r`, mnemonic, op(name), feature),
  ),
  sse('66 0F 38 28 /r', 'PMULDQ', pmuldq, 'SSE41'),
  sse('66 0F 38 41 /r', 'PHMINPOSUW', phminposuw, 'SSE41'),
  { ...sse('66 0F 3A 42 /r', 'MPSADBW', mpsadbw, 'SSE41'), operands: ['Vx', 'Wx', 'Ib'] },
];
