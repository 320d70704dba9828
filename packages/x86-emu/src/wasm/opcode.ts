/**
 * The WebAssembly instructions that the builder emits (core spec 2.0, section 5.4). One declaration per instruction:
 * the integer pairs give the i32 and the i64 form of the same operation.
 */

export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const ELSE = 0x05;
export const END = 0x0b;
export const BR = 0x0c;
export const BR_IF = 0x0d;
export const BR_TABLE = 0x0e;
export const RETURN = 0x0f;
export const UNREACHABLE = 0x00;
export const CALL = 0x10;
export const CALL_INDIRECT = 0x11;
export const DROP = 0x1a;
export const SELECT = 0x1b;
export const LOCAL_GET = 0x20;
export const LOCAL_SET = 0x21;
export const I32_CONST = 0x41;
export const I64_CONST = 0x42;
export const EMPTY_BLOCK = 0x40;
export const PREFIX_NUMERIC = 0xfc;
export const PREFIX_SIMD = 0xfd;
export const MEMORY_COPY = 0x0a;
export const MEMORY_FILL = 0x0b;

export const VALUE_TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** Binary integer operations with operands and result of one type: [i32 opcode, i64 opcode]. */
export const INTEGER_BINARY = {
  add: [0x6a, 0x7c],
  sub: [0x6b, 0x7d],
  mul: [0x6c, 0x7e],
  divS: [0x6d, 0x7f],
  divU: [0x6e, 0x80],
  remU: [0x70, 0x82],
  and: [0x71, 0x83],
  or: [0x72, 0x84],
  xor: [0x73, 0x85],
  shl: [0x74, 0x86],
  shrS: [0x75, 0x87],
  shrU: [0x76, 0x88],
  rotl: [0x77, 0x89],
  rotr: [0x78, 0x8a],
} as const;

/** Comparisons: operands of one integer type, result i32: [i32 opcode, i64 opcode]. */
export const INTEGER_COMPARE = {
  eq: [0x46, 0x51],
  ne: [0x47, 0x52],
  ltS: [0x48, 0x53],
  ltU: [0x49, 0x54],
  gtS: [0x4a, 0x55],
  gtU: [0x4b, 0x56],
  leS: [0x4c, 0x57],
  leU: [0x4d, 0x58],
  geU: [0x4f, 0x5a],
} as const;

/** Unary integer operations with operand and result of one type: [i32 opcode, i64 opcode]. */
export const INTEGER_UNARY = {
  clz: [0x67, 0x79],
  ctz: [0x68, 0x7a],
  popcnt: [0x69, 0x7b],
  extend8S: [0xc0, 0xc2],
  extend16S: [0xc1, 0xc3],
} as const;

export const EQZ = [0x45, 0x50] as const;
export const I64_EXTEND32_S = 0xc4;
export const I32_WRAP_I64 = 0xa7;
export const I64_EXTEND_I32_S = 0xac;
export const I64_EXTEND_I32_U = 0xad;

export type IntegerBinary = keyof typeof INTEGER_BINARY;
export type IntegerCompare = keyof typeof INTEGER_COMPARE;
export type IntegerUnary = keyof typeof INTEGER_UNARY;

/** Floating-point and conversion operations by their text-format names: opcode, operand types, result type. */
export const NUMERIC = {
  'f32.add': [0x92, 'f32', 'f32'],
  'f32.sub': [0x93, 'f32', 'f32'],
  'f32.mul': [0x94, 'f32', 'f32'],
  'f32.div': [0x95, 'f32', 'f32'],
  'f32.sqrt': [0x91, 'f32', 'f32'],
  'f32.abs': [0x8b, 'f32', 'f32'],
  'f32.eq': [0x5b, 'f32', 'i32'],
  'f32.ne': [0x5c, 'f32', 'i32'],
  'f32.lt': [0x5d, 'f32', 'i32'],
  'f32.gt': [0x5e, 'f32', 'i32'],
  'f32.le': [0x5f, 'f32', 'i32'],
  'f32.ge': [0x60, 'f32', 'i32'],
  'f64.add': [0xa0, 'f64', 'f64'],
  'f64.sub': [0xa1, 'f64', 'f64'],
  'f64.mul': [0xa2, 'f64', 'f64'],
  'f64.div': [0xa3, 'f64', 'f64'],
  'f64.sqrt': [0x9f, 'f64', 'f64'],
  'f64.abs': [0x99, 'f64', 'f64'],
  'f64.eq': [0x61, 'f64', 'i32'],
  'f64.ne': [0x62, 'f64', 'i32'],
  'f64.lt': [0x63, 'f64', 'i32'],
  'f64.gt': [0x64, 'f64', 'i32'],
  'f64.le': [0x65, 'f64', 'i32'],
  'f64.ge': [0x66, 'f64', 'i32'],
  'i32.reinterpret_f32': [0xbc, 'f32', 'i32'],
  'i64.reinterpret_f64': [0xbd, 'f64', 'i64'],
  'f32.reinterpret_i32': [0xbe, 'i32', 'f32'],
  'f64.reinterpret_i64': [0xbf, 'i64', 'f64'],
  'f32.convert_i32_s': [0xb2, 'i32', 'f32'],
  'f32.convert_i64_s': [0xb4, 'i64', 'f32'],
  'f64.convert_i32_s': [0xb7, 'i32', 'f64'],
  'f64.convert_i64_s': [0xb9, 'i64', 'f64'],
  'f32.demote_f64': [0xb6, 'f64', 'f32'],
  'f64.promote_f32': [0xbb, 'f32', 'f64'],
  'i64.trunc_f32_s': [0xae, 'f32', 'i64'],
  'i64.trunc_f64_s': [0xb0, 'f64', 'i64'],
} as const;

export type Numeric = keyof typeof NUMERIC;

/** Loads by text-format name: opcode, result type, alignment exponent. */
export const LOAD = {
  'i32.load': [0x28, 'i32'],
  'i64.load': [0x29, 'i64'],
  'f32.load': [0x2a, 'f32'],
  'f64.load': [0x2b, 'f64'],
  'i32.load8_s': [0x2c, 'i32'],
  'i32.load8_u': [0x2d, 'i32'],
  'i32.load16_s': [0x2e, 'i32'],
  'i32.load16_u': [0x2f, 'i32'],
  'i64.load8_u': [0x31, 'i64'],
  'i64.load16_u': [0x33, 'i64'],
  'i64.load32_s': [0x34, 'i64'],
  'i64.load32_u': [0x35, 'i64'],
} as const;

/** Stores by text-format name. */
export const STORE = {
  'i32.store': 0x36,
  'i64.store': 0x37,
  'f32.store': 0x38,
  'f64.store': 0x39,
  'i32.store8': 0x3a,
  'i32.store16': 0x3b,
  'i64.store8': 0x3c,
  'i64.store16': 0x3d,
  'i64.store32': 0x3e,
} as const;

export type Load = keyof typeof LOAD;
export type Store = keyof typeof STORE;

export const V128_LOAD = 0x00;
export const V128_STORE = 0x0b;
export const V128_CONST = 0x0c;
export const I8X16_SHUFFLE = 0x0d;

/** 128-bit vector operations that take only vector operands, by text-format name. */
export const SIMD = {
  'i8x16.swizzle': 0x0e,
  'i8x16.eq': 0x23,
  'i8x16.gt_s': 0x27,
  'i16x8.eq': 0x2d,
  'i16x8.gt_s': 0x31,
  'i32x4.eq': 0x37,
  'i32x4.gt_s': 0x3b,
  'i64x2.eq': 0xd6,
  'i64x2.gt_s': 0xd9,
  'f32x4.eq': 0x41,
  'f32x4.ne': 0x42,
  'f32x4.lt': 0x43,
  'f32x4.le': 0x45,
  'f64x2.eq': 0x47,
  'f64x2.ne': 0x48,
  'f64x2.lt': 0x49,
  'f64x2.le': 0x4b,
  'v128.not': 0x4d,
  'v128.and': 0x4e,
  'v128.andnot': 0x4f,
  'v128.or': 0x50,
  'v128.xor': 0x51,
  'v128.bitselect': 0x52,
  'i8x16.abs': 0x60,
  'i8x16.neg': 0x61,
  'i8x16.narrow_i16x8_s': 0x65,
  'i8x16.narrow_i16x8_u': 0x66,
  'i8x16.add': 0x6e,
  'i8x16.add_sat_s': 0x6f,
  'i8x16.add_sat_u': 0x70,
  'i8x16.sub': 0x71,
  'i8x16.sub_sat_s': 0x72,
  'i8x16.sub_sat_u': 0x73,
  'i8x16.min_s': 0x76,
  'i8x16.min_u': 0x77,
  'i8x16.max_s': 0x78,
  'i8x16.max_u': 0x79,
  'i8x16.avgr_u': 0x7b,
  'i16x8.extadd_pairwise_i8x16_s': 0x7c,
  'i16x8.extadd_pairwise_i8x16_u': 0x7d,
  'i32x4.extadd_pairwise_i16x8_s': 0x7e,
  'i32x4.extadd_pairwise_i16x8_u': 0x7f,
  'i16x8.abs': 0x80,
  'i16x8.neg': 0x81,
  'i16x8.q15mulr_sat_s': 0x82,
  'i16x8.narrow_i32x4_s': 0x85,
  'i16x8.narrow_i32x4_u': 0x86,
  'i16x8.extend_low_i8x16_s': 0x87,
  'i16x8.extend_high_i8x16_s': 0x88,
  'i16x8.extend_low_i8x16_u': 0x89,
  'i16x8.extend_high_i8x16_u': 0x8a,
  'i16x8.add': 0x8e,
  'i16x8.add_sat_s': 0x8f,
  'i16x8.add_sat_u': 0x90,
  'i16x8.sub': 0x91,
  'i16x8.sub_sat_s': 0x92,
  'i16x8.sub_sat_u': 0x93,
  'i16x8.mul': 0x95,
  'i16x8.min_s': 0x96,
  'i16x8.min_u': 0x97,
  'i16x8.max_s': 0x98,
  'i16x8.max_u': 0x99,
  'i16x8.avgr_u': 0x9b,
  'i32x4.abs': 0xa0,
  'i32x4.neg': 0xa1,
  'i32x4.extend_low_i16x8_s': 0xa7,
  'i32x4.extend_high_i16x8_s': 0xa8,
  'i32x4.extend_low_i16x8_u': 0xa9,
  'i32x4.extend_high_i16x8_u': 0xaa,
  'i32x4.add': 0xae,
  'i32x4.sub': 0xb1,
  'i32x4.mul': 0xb5,
  'i32x4.min_s': 0xb6,
  'i32x4.min_u': 0xb7,
  'i32x4.max_s': 0xb8,
  'i32x4.max_u': 0xb9,
  'i32x4.dot_i16x8_s': 0xba,
  'i32x4.extmul_low_i16x8_s': 0xbc,
  'i32x4.extmul_high_i16x8_s': 0xbd,
  'i32x4.extmul_low_i16x8_u': 0xbe,
  'i32x4.extmul_high_i16x8_u': 0xbf,
  'i64x2.extend_low_i32x4_s': 0xc7,
  'i64x2.extend_high_i32x4_s': 0xc8,
  'i64x2.extend_low_i32x4_u': 0xc9,
  'i64x2.extend_high_i32x4_u': 0xca,
  'i64x2.add': 0xce,
  'i64x2.sub': 0xd1,
  'i64x2.mul': 0xd5,
  'i64x2.extmul_low_i32x4_s': 0xdc,
  'i64x2.extmul_high_i32x4_s': 0xdd,
  'i64x2.extmul_low_i32x4_u': 0xde,
  'i64x2.extmul_high_i32x4_u': 0xdf,
  'f32x4.abs': 0xe0,
  'f32x4.sqrt': 0xe3,
  'f32x4.add': 0xe4,
  'f32x4.sub': 0xe5,
  'f32x4.mul': 0xe6,
  'f32x4.div': 0xe7,
  'f64x2.abs': 0xec,
  'f64x2.sqrt': 0xef,
  'f64x2.add': 0xf0,
  'f64x2.sub': 0xf1,
  'f64x2.mul': 0xf2,
  'f64x2.div': 0xf3,
  'f32x4.ceil': 0x67,
  'f32x4.floor': 0x68,
  'f32x4.trunc': 0x69,
  'f32x4.nearest': 0x6a,
  'f64x2.ceil': 0x74,
  'f64x2.floor': 0x75,
  'f64x2.trunc': 0x7a,
  'f64x2.nearest': 0x94,
  'f32x4.demote_f64x2_zero': 0x5e,
  'f64x2.promote_low_f32x4': 0x5f,
  'i32x4.trunc_sat_f32x4_s': 0xf8,
  'f32x4.convert_i32x4_s': 0xfa,
  'i32x4.trunc_sat_f64x2_s_zero': 0xfc,
  'f64x2.convert_low_i32x4_s': 0xfe,
} as const;

export type Simd = keyof typeof SIMD;

/** Vector shifts: vector, then an i32 count that the operation takes modulo the lane width. */
export const SIMD_SHIFT = {
  'i8x16.shl': 0x6b,
  'i16x8.shl': 0x8b,
  'i16x8.shr_s': 0x8c,
  'i16x8.shr_u': 0x8d,
  'i32x4.shl': 0xab,
  'i32x4.shr_s': 0xac,
  'i32x4.shr_u': 0xad,
  'i64x2.shl': 0xcb,
  'i64x2.shr_s': 0xcc,
  'i64x2.shr_u': 0xcd,
} as const;

export type SimdShift = keyof typeof SIMD_SHIFT;

/** Vector to integer: bit masks and tests. */
export const SIMD_TEST = {
  'v128.any_true': 0x53,
  'i8x16.all_true': 0x63,
  'i8x16.bitmask': 0x64,
  'i16x8.all_true': 0x83,
  'i16x8.bitmask': 0x84,
  'i32x4.all_true': 0xa3,
  'i32x4.bitmask': 0xa4,
  'i64x2.all_true': 0xc3,
  'i64x2.bitmask': 0xc4,
} as const;

export type SimdTest = keyof typeof SIMD_TEST;

/** Scalar to all lanes: opcode, operand type. */
export const SIMD_SPLAT = {
  'i8x16.splat': [0x0f, 'i32'],
  'i16x8.splat': [0x10, 'i32'],
  'i32x4.splat': [0x11, 'i32'],
  'i64x2.splat': [0x12, 'i64'],
} as const;

export type SimdSplat = keyof typeof SIMD_SPLAT;

/** Lane access: opcode, scalar type. */
export const SIMD_EXTRACT = {
  'i8x16.extract_lane_u': [0x16, 'i32'],
  'i16x8.extract_lane_u': [0x19, 'i32'],
  'i32x4.extract_lane': [0x1b, 'i32'],
  'i64x2.extract_lane': [0x1d, 'i64'],
  'f32x4.extract_lane': [0x1f, 'f32'],
  'f64x2.extract_lane': [0x21, 'f64'],
} as const;

export const SIMD_REPLACE = {
  'i8x16.replace_lane': [0x17, 'i32'],
  'i16x8.replace_lane': [0x1a, 'i32'],
  'i32x4.replace_lane': [0x1c, 'i32'],
  'i64x2.replace_lane': [0x1e, 'i64'],
  'f32x4.replace_lane': [0x20, 'f32'],
  'f64x2.replace_lane': [0x22, 'f64'],
} as const;

export type SimdExtract = keyof typeof SIMD_EXTRACT;
export type SimdReplace = keyof typeof SIMD_REPLACE;
