/**
 * Typed, pure WebAssembly expressions with constant folding.
 *
 * An expression reads only constants and immutable locals, so it may be evaluated anywhere in the function, more than once or not at all.
 * Whatever reads mutable state (memory, the registers, a variable) is bound to a local by the statement builder (`code.ts`) first.
 */
import {
  EQZ,
  I32_CONST,
  I32_WRAP_I64,
  I64_CONST,
  I64_EXTEND32_S,
  I64_EXTEND_I32_S,
  I64_EXTEND_I32_U,
  I8X16_SHUFFLE,
  INTEGER_BINARY,
  INTEGER_COMPARE,
  INTEGER_UNARY,
  LOCAL_GET,
  NUMERIC,
  PREFIX_SIMD,
  SELECT,
  SIMD,
  SIMD_EXTRACT,
  SIMD_REPLACE,
  SIMD_SHIFT,
  SIMD_SPLAT,
  SIMD_TEST,
  V128_CONST,
} from './opcode.ts';
import type {
  IntegerBinary,
  IntegerCompare,
  IntegerUnary,
  Numeric,
  Simd,
  SimdExtract,
  SimdReplace,
  SimdShift,
  SimdSplat,
  SimdTest,
} from './opcode.ts';
import type { ByteWriter } from './byte-writer.ts';

export type IntType = 'i32' | 'i64';
export type ValType = IntType | 'f32' | 'f64' | 'v128';

/**
 * An expression of one WebAssembly type. `constant` is present on integer constants, signed: a number if that holds it exactly, else (i64) a bigint.
 */
export interface Expr<T extends ValType = ValType> {
  readonly type: T;
  readonly constant: number | bigint | undefined;
  /** The instruction bytes that follow the operands. */
  readonly code: readonly number[];
  readonly operands: readonly Expr[];
  /** Local index for a local read, -1 otherwise. */
  readonly local: number;
}

export type I32 = Expr<'i32'>;
export type I64 = Expr<'i64'>;
export type Int = Expr<IntType>;
export type V128 = Expr<'v128'>;

const NONE: readonly Expr[] = [];

const node = <T extends ValType>(
  type: T,
  code: readonly number[],
  operands: readonly Expr[],
): Expr<T> => ({
  type,
  constant: undefined,
  code,
  operands,
  local: -1,
});

/** A read of local `index`. */
export const localExpr = <T extends ValType>(type: T, index: number): Expr<T> => ({
  type,
  constant: undefined,
  code: [LOCAL_GET],
  operands: NONE,
  local: index,
});

export const i32 = (value: number): I32 => ({
  type: 'i32',
  constant: value | 0,
  code: [I32_CONST],
  operands: NONE,
  local: -1,
});

export const i64 = (value: number | bigint): I64 => ({
  type: 'i64',
  constant: signedConstant(value),
  code: [I64_CONST],
  operands: NONE,
  local: -1,
});

/** An integer constant of type `type`. */
export const int = <T extends IntType>(type: T, value: number | bigint): Expr<T> => {
  if (type === 'i64') return i64(value) as Expr<T>;
  return i32(typeof value === 'number' ? value : Number(BigInt.asIntN(32, value))) as Expr<T>;
};

const signedConstant = (value: number | bigint): number | bigint => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  const signed = BigInt.asIntN(64, BigInt(value));
  const small = Number(signed);
  return Number.isSafeInteger(small) ? small : signed;
};

/** A vector constant from its 16 bytes. */
export const v128 = (bytes: readonly number[]): V128 => {
  if (bytes.length !== 16)
    throw new RangeError(`v128 constant needs 16 bytes, got ${bytes.length}`);
  return node('v128', [PREFIX_SIMD, V128_CONST, ...bytes], NONE);
};

/** Writes the expression in stack order. */
export const emitExpr = (expr: Expr, out: ByteWriter): void => {
  if (expr.constant !== undefined) {
    out.byte(expr.code[0] as number);
    if (expr.type === 'i32') out.s32(expr.constant as number);
    else out.s64(expr.constant);
    return;
  }
  if (expr.local >= 0) {
    out.byte(LOCAL_GET);
    out.u32(expr.local);
    return;
  }
  for (const operand of expr.operands) emitExpr(operand, out);
  out.bytes(expr.code);
};

const pick = (type: IntType, pair: readonly [number, number]): number =>
  type === 'i32' ? pair[0] : pair[1];

const coerce = <T extends IntType>(type: T, value: Expr<T> | number): Expr<T> =>
  typeof value === 'number' ? int(type, value) : value;

const asU = (type: IntType, value: bigint): bigint =>
  BigInt.asUintN(type === 'i32' ? 32 : 64, value);

/** The value of a constant operation; undefined where WebAssembly would trap. */
const foldBinary = (op: IntegerBinary, type: IntType, x: bigint, y: bigint): bigint | undefined => {
  const width = type === 'i32' ? 32n : 64n;
  const [ux, uy] = [asU(type, x), asU(type, y)];
  const count = uy % width;
  switch (op) {
    case 'add':
      return x + y;
    case 'sub':
      return x - y;
    case 'mul':
      return x * y;
    case 'and':
      return x & y;
    case 'or':
      return x | y;
    case 'xor':
      return x ^ y;
    case 'shl':
      return x << count;
    case 'shrS':
      return x >> count;
    case 'shrU':
      return ux >> count;
    case 'rotl':
      return (ux << count) | (ux >> (width - count));
    case 'rotr':
      return (ux >> count) | (ux << (width - count));
    case 'divU':
      return uy === 0n ? undefined : ux / uy;
    case 'remU':
      return uy === 0n ? undefined : ux % uy;
    case 'divS':
      return undefined;
  }
};

const isZero = (e: Int): boolean => e.constant !== undefined && Number(e.constant) === 0;
const isOnes = (e: Int): boolean => e.constant !== undefined && Number(e.constant) === -1;

const simplify = <T extends IntType>(
  op: IntegerBinary,
  a: Expr<T>,
  b: Expr<T>,
): Expr<T> | undefined => {
  switch (op) {
    case 'add':
    case 'or':
    case 'xor':
      return isZero(b) ? a : isZero(a) ? b : undefined;
    case 'sub':
    case 'shl':
    case 'shrS':
    case 'shrU':
    case 'rotl':
    case 'rotr':
      return isZero(b) ? a : undefined;
    case 'and':
      return isOnes(b) ? a : isOnes(a) ? b : isZero(b) ? b : isZero(a) ? a : undefined;
    default:
      return undefined;
  }
};

const binary =
  (op: IntegerBinary) =>
  <T extends IntType>(a: Expr<T>, right: NoInfer<Expr<T>> | number): Expr<T> => {
    const b = coerce(a.type, right);
    if (a.type !== b.type) throw new TypeError(`${op}: ${a.type} and ${b.type}`);
    if (a.constant !== undefined && b.constant !== undefined) {
      const folded = foldBinary(op, a.type, BigInt(a.constant), BigInt(b.constant));
      if (folded !== undefined) return int(a.type, folded);
    }
    return simplify(op, a, b) ?? node(a.type, [pick(a.type, INTEGER_BINARY[op])], [a, b]);
  };

type Binary = <T extends IntType>(a: Expr<T>, b: NoInfer<Expr<T>> | number) => Expr<T>;

export const add: Binary = binary('add');
export const sub: Binary = binary('sub');
export const mul: Binary = binary('mul');
export const and: Binary = binary('and');
export const or: Binary = binary('or');
export const xor: Binary = binary('xor');
export const shl: Binary = binary('shl');
export const shrU: Binary = binary('shrU');
export const shrS: Binary = binary('shrS');
export const rotl: Binary = binary('rotl');
export const rotr: Binary = binary('rotr');
/** Division and remainder trap in WebAssembly on a zero divisor (and MIN / -1 for `divS`): test first. */
export const divU: Binary = binary('divU');
export const divS: Binary = binary('divS');
export const remU: Binary = binary('remU');

const foldCompare = (op: IntegerCompare, type: IntType, x: bigint, y: bigint): boolean => {
  const [ux, uy] = [asU(type, x), asU(type, y)];
  switch (op) {
    case 'eq':
      return x === y;
    case 'ne':
      return x !== y;
    case 'ltS':
      return x < y;
    case 'ltU':
      return ux < uy;
    case 'gtS':
      return x > y;
    case 'gtU':
      return ux > uy;
    case 'leS':
      return x <= y;
    case 'leU':
      return ux <= uy;
    case 'geU':
      return ux >= uy;
  }
};

type Compare = <T extends IntType>(a: Expr<T>, b: NoInfer<Expr<T>> | number) => I32;

const compare =
  (op: IntegerCompare): Compare =>
  (a, right) => {
    const b = coerce(a.type, right);
    if (a.type !== b.type) throw new TypeError(`${op}: ${a.type} and ${b.type}`);
    if (a.constant !== undefined && b.constant !== undefined)
      return i32(foldCompare(op, a.type, BigInt(a.constant), BigInt(b.constant)) ? 1 : 0);
    return node('i32', [pick(a.type, INTEGER_COMPARE[op])], [a, b]);
  };

export const eq: Compare = compare('eq');
export const ne: Compare = compare('ne');
export const ltS: Compare = compare('ltS');
export const ltU: Compare = compare('ltU');
export const gtS: Compare = compare('gtS');
export const gtU: Compare = compare('gtU');
export const leS: Compare = compare('leS');
export const leU: Compare = compare('leU');
export const geU: Compare = compare('geU');

/** 1 if the operand is zero, else 0. */
export const eqz = (a: Int): I32 =>
  a.constant === undefined ? node('i32', [pick(a.type, EQZ)], [a]) : i32(isZero(a) ? 1 : 0);

/** 1 if the operand is not zero, else 0. */
export const nez = (a: Int): I32 => (a.constant === undefined ? ne(a, 0) : i32(isZero(a) ? 0 : 1));

const unary =
  (op: IntegerUnary) =>
  <T extends IntType>(a: Expr<T>): Expr<T> => {
    if (a.constant !== undefined && op === 'extend8S')
      return int(a.type, BigInt.asIntN(8, BigInt(a.constant)));
    if (a.constant !== undefined && op === 'extend16S')
      return int(a.type, BigInt.asIntN(16, BigInt(a.constant)));
    return node(a.type, [pick(a.type, INTEGER_UNARY[op])], [a]);
  };

type Unary = <T extends IntType>(a: Expr<T>) => Expr<T>;

export const clz: Unary = unary('clz');
export const ctz: Unary = unary('ctz');
export const popcnt: Unary = unary('popcnt');
export const extend8S: Unary = unary('extend8S');
export const extend16S: Unary = unary('extend16S');

/** Bitwise complement. */
export const not = <T extends IntType>(a: Expr<T>): Expr<T> => xor(a, int(a.type, -1));
/** Two's complement negation. */
export const neg = <T extends IntType>(a: Expr<T>): Expr<T> => sub(int(a.type, 0), a);

/** Low 32 bits. */
export const wrap = (a: I64): I32 =>
  a.constant !== undefined
    ? i32(Number(BigInt.asIntN(32, BigInt(a.constant))))
    : a.code[0] === I64_EXTEND_I32_U || a.code[0] === I64_EXTEND_I32_S
      ? (a.operands[0] as I32)
      : node('i32', [I32_WRAP_I64], [a]);

/** Zero extension to 64 bits. */
export const extendU = (a: I32): I64 =>
  a.constant === undefined
    ? node('i64', [I64_EXTEND_I32_U], [a])
    : i64(BigInt.asUintN(32, BigInt(a.constant)));

/** Sign extension from 32 to 64 bits. */
export const extendS = (a: I32): I64 =>
  a.constant === undefined ? node('i64', [I64_EXTEND_I32_S], [a]) : i64(BigInt(a.constant));

/** Sign extension of the low 32 bits of a 64-bit value. */
export const extend32S = (a: I64): I64 =>
  a.constant === undefined
    ? node('i64', [I64_EXTEND32_S], [a])
    : i64(BigInt.asIntN(32, BigInt(a.constant)));

/** `condition ? a : b`, both evaluated. */
export const select = <T extends ValType>(
  condition: I32,
  a: Expr<T>,
  b: NoInfer<Expr<T>>,
): Expr<T> => {
  if (condition.constant !== undefined) return condition.constant === 0 ? b : a;
  if (a.type === 'v128') return node(a.type, [0x1c, 1, 0x7b], [a, b, condition]);
  return node(a.type, [SELECT], [a, b, condition]);
};

/** A floating-point or conversion operation by its text-format name. */
export const numeric = <N extends Numeric>(
  name: N,
  ...operands: readonly Expr[]
): Expr<(typeof NUMERIC)[N][2]> =>
  node(NUMERIC[name][2], [NUMERIC[name][0]], operands) as Expr<(typeof NUMERIC)[N][2]>;

const leb = (value: number): readonly number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];

/** A vector operation by its text-format name. */
export const simd = (name: Simd, ...operands: readonly V128[]): V128 =>
  node('v128', [PREFIX_SIMD, ...leb(SIMD[name])], operands);

export const simdShift = (name: SimdShift, vector: V128, count: I32): V128 =>
  node('v128', [PREFIX_SIMD, ...leb(SIMD_SHIFT[name])], [vector, count]);

export const simdTest = (name: SimdTest, vector: V128): I32 =>
  node('i32', [PREFIX_SIMD, ...leb(SIMD_TEST[name])], [vector]);

export const splat = (name: SimdSplat, scalar: Int): V128 =>
  node('v128', [PREFIX_SIMD, SIMD_SPLAT[name][0]], [scalar]);

export const extractLane = <N extends SimdExtract>(
  name: N,
  vector: V128,
  lane: number,
): Expr<(typeof SIMD_EXTRACT)[N][1]> =>
  node(SIMD_EXTRACT[name][1], [PREFIX_SIMD, SIMD_EXTRACT[name][0], lane], [vector]) as Expr<
    (typeof SIMD_EXTRACT)[N][1]
  >;

export const replaceLane = (name: SimdReplace, vector: V128, lane: number, scalar: Expr): V128 =>
  node('v128', [PREFIX_SIMD, SIMD_REPLACE[name][0], lane], [vector, scalar]);

/** Byte shuffle of two vectors: `lanes[i]` picks byte 0-15 of `a` or 16-31 of `b`. */
export const shuffle = (a: V128, b: V128, lanes: readonly number[]): V128 =>
  node('v128', [PREFIX_SIMD, I8X16_SHUFFLE, ...lanes], [a, b]);
