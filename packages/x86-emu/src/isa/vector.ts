/** What the MMX and SSE families share: one semantic function for both register files, and the pair of rows that it serves. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, V128 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { CpuFeature, Row } from './row.ts';

export const ZERO: V128 = e.v128(Array.from({ length: 16 }, () => 0));

/** A vector constant whose 64-bit halves both are `half`. */
export const both64 = (half: bigint): V128 =>
  e.v128(Array.from({ length: 16 }, (_, i) => Number((half >> BigInt((i % 8) * 8)) & 0xffn)));

/** An i64 as the low half of a vector, the high half zero. */
const fromLow = (low: I64): V128 => e.replaceLane('i64x2.replace_lane', ZERO, 0, low);

export const low64 = (vector: V128): I64 => e.extractLane('i64x2.extract_lane', vector, 0);
export const high64 = (vector: V128): I64 => e.extractLane('i64x2.extract_lane', vector, 1);

/** Whether the instruction works on MMX registers. */
export const isMmx = (x: Emit): boolean => x.width(0) === 64;

/** Operand `i` of an MMX or SSE instruction as a vector; operands of 64 or 32 bits stand in its low part. */
export const readPacked = (x: Emit, i: number): V128 => {
  if (x.width(i) === 128) return x.readVector(i);
  const value = x.read(i);
  return x.c.let(fromLow(value.type === 'i64' ? (value as I64) : e.extendU(value as I32)));
};

/** Writes the result to operand 0: all of an XMM register, or the low half to an MMX register. */
export const writePacked = (x: Emit, value: V128): void => {
  if (isMmx(x)) x.write(0, x.c.let(low64(value)));
  else x.writeVector(0, value);
};

/** destination = f(destination, source). */
export const packed =
  (f: (a: V128, b: V128, x: Emit) => V128): Semantics =>
  (x) => {
    const source = readPacked(x, 1);
    writePacked(x, x.c.let(f(readPacked(x, 0), source, x)));
  };

/** destination = f(source). */
export const packedUnary =
  (f: (a: V128, x: Emit) => V128): Semantics =>
  (x) => {
    writePacked(x, x.c.let(f(readPacked(x, 1), x)));
  };

/** The rows of an instruction that exists for MMX and, with 66, for SSE. */
export const mmxAndSse = (
  op: string,
  mnemonic: string,
  exec: Semantics,
  feature?: CpuFeature,
): readonly Row[] => {
  const gate = feature === undefined ? {} : { feature };
  return [
    { op: `NP 0F ${op} /r`, mnemonic, operands: ['Pq', 'Qq'], unit: 'mmx', exec, ...gate },
    sse(`66 0F ${op} /r`, mnemonic, exec, feature),
  ];
};

/** A row of an SSE instruction with an aligned 128-bit source. */
export const sse = (op: string, mnemonic: string, exec: Semantics, feature?: CpuFeature): Row => ({
  op,
  mnemonic,
  operands: ['Vx', 'Wx'],
  unit: 'sse',
  aligned: true,
  exec,
  ...(feature === undefined ? {} : { feature }),
});

/** An immediate operand as a staged number where it is known, else as an expression. */
export const immediate = (x: Emit, i: number): I32 => x.read(i) as I32;
