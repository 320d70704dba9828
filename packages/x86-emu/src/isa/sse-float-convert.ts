/** SSE conversions between floating-point formats and integers, MMX forms included (SDM Vol. 1, 10.4.4 and 11.4.1.6). */
import { VECTOR } from '../cpu/helper.ts';
import * as e from '../wasm/expr.ts';
import type { Expr, I32, I64, V128 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';
import {
  any,
  lanes,
  notFinite,
  or,
  resultUnless,
  special,
  unsteady,
  writeLanes,
} from './sse-float-fast.ts';
import type { Lane } from './sse-float-fast.ts';
import { callExact, exactResult } from './sse-float-slow.ts';
import { ZERO, both64, isMmx, low64, readPacked } from './vector.ts';

type Suffix = 'S' | 'D';
const LANE: Record<Suffix, Lane> = { S: 'f32x4', D: 'f64x2' };

/** CVTSS2SD, CVTPS2PD: exact for all but NaNs and denormals. */
const widen =
  (name: string): Semantics =>
  (x) => {
    // The packed form has two elements, in the low half of the source.
    const source = x.width(0) === 128 ? readPacked(x, 1) : lanes(x, 1);
    const r = x.c.let(e.simd('f64x2.promote_low_f32x4', source));
    writeLanes(x, resultUnless(x, any(special('f32x4', source)), r, name, undefined, source));
  };

/** CVTSD2SS, CVTPD2PS. */
const narrow =
  (name: string): Semantics =>
  (x) => {
    const source = lanes(x, 1);
    const r = x.c.let(e.simd('f32x4.demote_f64x2_zero', source));
    // The two upper lanes are zero and count for nothing: lanes are compared as the source has them.
    const back = x.c.let(e.simd('f64x2.promote_low_f32x4', r));
    const small = e.simd(
      'v128.and',
      e.simd('f64x2.le', e.simd('f64x2.abs', back), SMALLEST_SINGLE),
      e.simd('f64x2.ne', source, ZERO),
    );
    const marks = or(special('f64x2', source), notFinite('f64x2', back), small);
    const slow = e.or(any(marks), unsteady(x));
    writeLanes(x, resultUnless(x, slow, r, name, undefined, source));
  };

/** The smallest normal single-precision number, as doubles. */
const SMALLEST_SINGLE = both64(0x3810_0000_0000_0000n);

const TWO_TO_31: Record<Lane, V128> = {
  f32x4: both64(0x4f00_0000_4f00_0000n),
  f64x2: both64(0x41e0_0000_0000_0000n),
};
const TWO_TO_63: Record<Lane, V128> = {
  f32x4: both64(0x5f00_0000_5f00_0000n),
  f64x2: both64(0x43e0_0000_0000_0000n),
};

/** Rounded lanes, and 1 where one of them does not fit below `limit` or tells of an exception not yet recorded. */
const integral = (
  x: Emit,
  lane: Lane,
  truncate: boolean,
  source: V128,
  limit: V128,
): { readonly rounded: V128; readonly slow: I32 } => {
  const rounded = x.c.let(e.simd(`${lane}.${truncate ? 'trunc' : 'nearest'}`, source));
  const outside = e.simd('v128.not', e.simd(`${lane}.lt`, e.simd(`${lane}.abs`, rounded), limit));
  const changed = e.simd(`${lane}.ne`, rounded, source);
  return { rounded, slow: e.or(any(outside), e.and(any(changed), unsteady(x))) };
};

const toInt32 = (lane: Lane, rounded: V128): V128 =>
  e.simd(lane === 'f32x4' ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f64x2_s_zero', rounded);

/** CVTxS2SI and CVTTxS2SI: to a general register of 32 or 64 bits. */
const scalarToInteger =
  (stem: string, lane: Lane, truncate: boolean): Semantics =>
  (x) => {
    const source = lanes(x, 1);
    if (x.width(0) === 32) {
      const { rounded, slow } = integral(x, lane, truncate, source, TWO_TO_31[lane]);
      const value = e.extractLane('i32x4.extract_lane', toInt32(lane, rounded), 0);
      const result = x.c.variable('i32', value);
      x.c.if(slow, () => x.c.set(result, callExact(x, `${stem}32`, undefined, source)));
      x.write(0, x.c.get(result));
      return;
    }
    const { rounded, slow } = integral(x, lane, truncate, source, TWO_TO_63[lane]);
    const result = x.c.variable('i64');
    x.c.if(
      slow,
      () => x.c.set(result, low64(exactResult(x, `${stem}64`, undefined, source))),
      () => x.c.set(result, truncate64(lane, rounded)),
    );
    x.write(0, x.c.get(result));
  };

const truncate64 = (lane: Lane, v: V128): I64 =>
  lane === 'f32x4'
    ? e.numeric('i64.trunc_f32_s', e.extractLane('f32x4.extract_lane', v, 0))
    : e.numeric('i64.trunc_f64_s', e.extractLane('f64x2.extract_lane', v, 0));

/** CVTPx2DQ and CVTTPx2DQ; with an MMX destination CVTPx2PI and CVTTPx2PI. */
const packedToInteger =
  (name: string, lane: Lane, truncate: boolean): Semantics =>
  (x) => {
    if (isMmx(x)) requireSse(x);
    const source = readPacked(x, 1);
    // #XM comes after the transition.
    if (isMmx(x)) x.enterMmx();
    const { rounded, slow } = integral(x, lane, truncate, source, TWO_TO_31[lane]);
    const r = x.c.let(toInt32(lane, rounded));
    const result = resultUnless(x, slow, r, name, undefined, source);
    if (isMmx(x)) x.write(0, x.c.let(low64(result)));
    else x.writeVector(0, result);
  };

/** Integers of at most this magnitude are exact in single and double precision: an offset and the size of the range above it. */
const EXACT_INTEGER: Record<Suffix, bigint> = { S: 1n << 24n, D: 1n << 53n };

const converted = (suffix: Suffix, value: I64): Expr<'f32' | 'f64'> =>
  suffix === 'S' ? e.numeric('f32.convert_i64_s', value) : e.numeric('f64.convert_i64_s', value);

/** CVTSI2SS, CVTSI2SD from 32 or 64 bits. */
const integerToScalar =
  (suffix: Suffix): Semantics =>
  (x) => {
    const raw = x.read(1);
    const value = x.c.let(raw.type === 'i64' ? (raw as I64) : e.extendS(raw as I32));
    const fast = converted(suffix, value);
    const r = x.c.let(
      suffix === 'S'
        ? e.replaceLane('f32x4.replace_lane', ZERO, 0, fast)
        : e.replaceLane('f64x2.replace_lane', ZERO, 0, fast),
    );
    if (suffix === 'D' && raw.type === 'i32') {
      writeLanes(x, r);
      return;
    }
    const limit = EXACT_INTEGER[suffix];
    const large = e.gtU(e.add(value, e.i64(limit)), e.i64(2n * limit));
    const slow = e.and(large, unsteady(x));
    const name = `CVTSI642S${suffix}`;
    const source = e.splat('i64x2.splat', value);
    writeLanes(x, resultUnless(x, slow, r, name, undefined, source));
  };

/** CVTDQ2PS and CVTPI2PS: single precision cannot hold every integer. */
const integersToSingles = (x: Emit): V128 => {
  const source = readPacked(x, 1);
  const r = x.c.let(e.simd('f32x4.convert_i32x4_s', source));
  const back = e.simd('i32x4.trunc_sat_f32x4_s', r);
  // 7FFFFFFFH rounds up to 2^31, which saturates to itself again.
  const highest = e.simd('i32x4.eq', source, both64(0x7fff_ffff_7fff_ffffn));
  const inexact = or(e.simd('v128.not', e.simd('i32x4.eq', back, source)), highest);
  const slow = e.and(any(inexact), unsteady(x));
  return resultUnless(x, slow, r, 'CVTDQ2PS', undefined, source);
};

const cvtdq2ps: Semantics = (x) => x.writeVector(0, integersToSingles(x));

/** CVTDQ2PD, CVTPI2PD: exact. */
const cvtdq2pd: Semantics = (x) => {
  x.writeVector(0, x.c.let(e.simd('f64x2.convert_low_i32x4_s', readPacked(x, 1))));
};

/** CVTPI2PS: two elements, the upper half of the destination stays. */
const cvtpi2ps: Semantics = (x) => {
  requireSse(x);
  x.write(0, x.c.let(low64(integersToSingles(x))));
};

const cvtpi2pd: Semantics = (x) => {
  requireSse(x);
  cvtdq2pd(x);
};

/** The MMX forms need the SSE unit too, of which the row's `unit` does not tell. */
const requireSse = (x: Emit): void =>
  x.raiseIf(e.eq(x.field('sseBlocked') as I32, VECTOR.UD), VECTOR.UD);

const plain = (
  op: string,
  mnemonic: string,
  operands: readonly string[],
  exec: Semantics,
): Row => ({
  op: `${op} /r`,
  mnemonic,
  operands,
  unit: operands.some((o) => o === 'Pq' || o === 'Nq') ? 'mmx' : 'sse',
  exec,
  ...(operands.includes('Wx') ? { aligned: true } : {}),
});

/** CVTxS2SI and CVTTxS2SI, CVTPx2PI and CVTTPx2PI. */
const toIntegerRows = (suffix: Suffix): readonly Row[] => {
  const [scalarPrefix, packedPrefix] = suffix === 'S' ? ['F3', 'NP'] : ['F2', '66'];
  const lane = LANE[suffix];
  return [true, false].flatMap((truncate): readonly Row[] => {
    const stem = truncate ? 'CVTT' : 'CVT';
    const opcode = truncate ? '2C' : '2D';
    const scalarName = `${stem}S${suffix}2SI`;
    const packedName = `${stem}P${suffix}2PI`;
    return [
      plain(
        `${scalarPrefix} 0F ${opcode}`,
        scalarName,
        ['Gy', suffix === 'S' ? 'Wss' : 'Wsd'],
        scalarToInteger(scalarName, lane, truncate),
      ),
      plain(
        `${packedPrefix} 0F ${opcode}`,
        packedName,
        ['Pq', suffix === 'S' ? 'Wq' : 'Wx'],
        packedToInteger(packedName, lane, truncate),
      ),
    ];
  });
};

const toDwords = (op: string, mnemonic: string, lane: Lane): Row =>
  plain(op, mnemonic, ['Vx', 'Wx'], packedToInteger(mnemonic, lane, mnemonic.startsWith('CVTT')));

export const sseFloatConvertRows: readonly Row[] = [
  plain('F3 0F 5A', 'CVTSS2SD', ['Vsd', 'Wss'], widen('CVTSS2SD')),
  plain('F2 0F 5A', 'CVTSD2SS', ['Vss', 'Wsd'], narrow('CVTSD2SS')),
  plain('NP 0F 5A', 'CVTPS2PD', ['Vx', 'Wq'], widen('CVTPS2PD')),
  plain('66 0F 5A', 'CVTPD2PS', ['Vx', 'Wx'], narrow('CVTPD2PS')),
  plain('F3 0F 2A', 'CVTSI2SS', ['Vss', 'Ey'], integerToScalar('S')),
  plain('F2 0F 2A', 'CVTSI2SD', ['Vsd', 'Ey'], integerToScalar('D')),
  ...toIntegerRows('S'),
  ...toIntegerRows('D'),
  plain('NP 0F 5B', 'CVTDQ2PS', ['Vx', 'Wx'], cvtdq2ps),
  toDwords('66 0F 5B', 'CVTPS2DQ', 'f32x4'),
  toDwords('F3 0F 5B', 'CVTTPS2DQ', 'f32x4'),
  toDwords('F2 0F E6', 'CVTPD2DQ', 'f64x2'),
  toDwords('66 0F E6', 'CVTTPD2DQ', 'f64x2'),
  plain('F3 0F E6', 'CVTDQ2PD', ['Vx', 'Wq'], cvtdq2pd),
  // With a memory operand these have nothing to do with MMX.
  plain('NP 0F 2A', 'CVTPI2PS', ['Vq', 'Mq'], cvtpi2ps),
  plain('NP 0F 2A', 'CVTPI2PS', ['Vq', 'Nq'], cvtpi2ps),
  plain('66 0F 2A', 'CVTPI2PD', ['Vx', 'Mq'], cvtpi2pd),
  plain('66 0F 2A', 'CVTPI2PD', ['Vx', 'Nq'], cvtpi2pd),
];
