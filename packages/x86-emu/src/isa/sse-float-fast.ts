/**
 * When WebAssembly's arithmetic is the CPU's: the one place that decides between it and the exact path.
 *
 * Scalar operations run on vectors whose lanes all hold the one element, so that every form has the same code. A result is taken as it is if no
 * exception but an already recorded and masked PE can belong to it: operands are neither denormal nor NaN, the result is finite, and too large for
 * underflow. Whatever is in doubt goes to the slow path of the same mnemonic.
 */
import * as e from '../wasm/expr.ts';
import type { I32, I64, V128 } from '../wasm/expr.ts';
import type { Emit } from './emit.ts';
import { exactResult } from './sse-float-slow.ts';
import { ZERO, both64 } from './vector.ts';

export type Lane = 'f32x4' | 'f64x2';

/** PE recorded, all exceptions masked, rounding to nearest, no FTZ (SDM Vol. 1, 10.2.3). DAZ does not matter: denormal operands go the exact way. */
const STEADY = 0x1fa0;
const STEADY_MASK = 0xffa0;

const SMALLEST_NORMAL: Record<Lane, V128> = {
  f32x4: both64(0x0080_0000_0080_0000n),
  f64x2: both64(0x0010_0000_0000_0000n),
};
const INFINITY: Record<Lane, V128> = {
  f32x4: both64(0x7f80_0000_7f80_0000n),
  f64x2: both64(0x7ff0_0000_0000_0000n),
};

/** Operand `i` in lanes: 128 bits as they are, a scalar in every lane. */
export const lanes = (x: Emit, i: number): V128 => {
  if (x.width(i) === 128) return x.readVector(i);
  const value = x.read(i);
  return x.c.let(
    value.type === 'i64'
      ? e.splat('i64x2.splat', value as I64)
      : e.splat('i32x4.splat', value as I32),
  );
};

/** Writes the result to operand 0: all lanes, or the lowest one. */
export const writeLanes = (x: Emit, value: V128): void => {
  if (x.width(0) === 128) x.writeVector(0, value);
  else if (x.width(0) === 64) x.write(0, x.c.let(e.extractLane('i64x2.extract_lane', value, 0)));
  else x.write(0, x.c.let(e.extractLane('i32x4.extract_lane', value, 0)));
};

export const or = (a: V128, ...rest: readonly V128[]): V128 =>
  rest.reduce((sum, lane) => e.simd('v128.or', sum, lane), a);

/** 1 if any lane is marked. */
export const any = (marks: V128): I32 => e.simdTest('v128.any_true', marks);

/** Marks lanes that hold a denormal or a NaN. */
export const special = (lane: Lane, v: V128): V128 =>
  e.simd(
    'v128.andnot',
    e.simd(`${lane}.ne`, v, ZERO),
    e.simd(`${lane}.le`, SMALLEST_NORMAL[lane], e.simd(`${lane}.abs`, v)),
  );

/** Marks lanes that hold an infinity or a NaN. */
export const notFinite = (lane: Lane, v: V128): V128 =>
  e.simd('v128.not', e.simd(`${lane}.lt`, e.simd(`${lane}.abs`, v), INFINITY[lane]));

/** Marks lanes that are zero or so small that they may come from an underflow. */
export const tiny = (lane: Lane, v: V128): V128 =>
  e.simd(`${lane}.le`, e.simd(`${lane}.abs`, v), SMALLEST_NORMAL[lane]);

/** 1 unless MXCSR lets an inexact result be taken without a look at its flags. */
export const unsteady = (x: Emit): I32 => e.ne(e.and(x.field('mxcsr') as I32, STEADY_MASK), STEADY);

/** `fast` unless `doubtful`, else what the slow path `name` makes of the operands. */
export const resultUnless = (
  x: Emit,
  doubtful: I32,
  fast: V128,
  name: string,
  a: V128 | undefined,
  b: V128,
  immediate?: I32,
): V128 => {
  const result = x.c.variable('v128', fast);
  x.c.if(doubtful, () => x.c.set(result, exactResult(x, name, a, b, immediate)));
  return x.c.get(result);
};
