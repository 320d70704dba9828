/** Conversions between operand widths, and single bits of a value, in staged code. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Emit, Size } from './emit.ts';

/** The type in which staged code holds a value of `size` bits. */
export const typeOf = (size: Size): 'i32' | 'i64' => (size === 64 ? 'i64' : 'i32');

/** The low 32 bits of a value of either type. */
export const low32 = (value: Int): I32 =>
  value.type === 'i64' ? e.wrap(value as I64) : (value as I32);

/** An unsigned i32 as a value of `size` bits. */
export const unsigned = (value: I32, size: Size): Int => (size === 64 ? e.extendU(value) : value);

/** The low `size` bits of `value`, sign-extended to the whole of its type. */
export const signExtended = (value: Int, size: Size): Int => {
  if (size === 8) return e.extend8S(value);
  if (size === 16) return e.extend16S(value);
  return size === 32 && value.type === 'i64' ? e.extend32S(value as I64) : value;
};

/** A value of `size` bits, sign-extended to i64. */
export const signExtended64 = (value: Int, size: Size): I64 => {
  const wide = signExtended(value, size);
  return wide.type === 'i64' ? (wide as I64) : e.extendS(wide as I32);
};

/** Bit `at` of `value` as an i32 0 or 1. */
export const bit = (value: Int, at: number): I32 => e.and(low32(e.shrU(value, at)), 1);

/** Operand `i` sign-extended to `size`: an Iz or Ib that is shorter than the operation (SDM Vol. 2A, section 2.2.1.5). */
export const readSigned = (x: Emit, i: number, size: Size): Int => {
  const value = x.read(i);
  const width = x.size(i);
  if (width >= size) return value;
  return x.c.let(size === 64 ? signExtended64(value, width) : signExtended(value, width));
};
