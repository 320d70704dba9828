/**
 * SSE4.2 string comparison: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM Vol. 1, 12.10; Vol. 2B, 4.1).
 *
 * The comparison is TypeScript; staged code hands it both operands, the immediate and the lengths, and puts index, mask and flags where they belong.
 */
import { registerSlowPath } from '../cpu/slow-path.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import { BASE } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, V128 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { immediate } from './vector.ts';

/** Fields of the immediate. */
const WORDS = 0x01;
const SIGNED = 0x02;
const AGGREGATION = { equalAny: 0, ranges: 1, equalEach: 2, equalOrdered: 3 } as const;
const NEGATE = 0x10;
const NEGATE_VALID_ONLY = 0x20;
/** Index form: the highest set bit instead of the lowest. Mask form: whole elements instead of bits. */
const MOST = 0x40;

const CF = 0x01;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
/** Where the index stands in the slow path's result, above the flags. */
const INDEX_SHIFT = 16;

/** Word indices in `CpuState.vectors`. */
const A = 0;
const B = 4;
const RESULT = 8;

/** Element `i` of the operand whose first word is `at`. */
const element = (words: Uint32Array, at: number, i: number, control: number): number => {
  const wide = (control & WORDS) !== 0;
  const perWord = wide ? 2 : 4;
  const word = words[at + Math.floor(i / perWord)] as number;
  const bits = wide ? 16 : 8;
  const value = (word >>> ((i % perWord) * bits)) & (wide ? 0xffff : 0xff);
  return (control & SIGNED) !== 0 ? (value << (32 - bits)) >> (32 - bits) : value;
};

/** Elements before the first that is zero. */
const implicitLength = (
  words: Uint32Array,
  at: number,
  control: number,
  elements: number,
): number => {
  let length = 0;
  while (length < elements && element(words, at, length, control) !== 0) length++;
  return length;
};

/** IntRes1: one bit for each element of the second operand (table 4-6 settles what elements beyond the ends count for). */
const compareAll = (
  words: Uint32Array,
  control: number,
  elements: number,
  aLength: number,
  bLength: number,
): number => {
  const a = (i: number): number => element(words, A, i, control);
  const b = (i: number): number => element(words, B, i, control);
  const matches = (j: number): boolean => {
    switch ((control >> 2) & 3) {
      case AGGREGATION.equalAny:
        for (let i = 0; i < aLength; i++) if (j < bLength && a(i) === b(j)) return true;
        return false;
      case AGGREGATION.ranges:
        for (let i = 0; i + 1 < aLength; i += 2)
          if (j < bLength && a(i) <= b(j) && b(j) <= a(i + 1)) return true;
        return false;
      case AGGREGATION.equalEach:
        return j < aLength && j < bLength ? a(j) === b(j) : j >= aLength && j >= bLength;
      case AGGREGATION.equalOrdered:
      default:
        for (let i = 0; i < aLength && i + j < elements; i++)
          if (i + j >= bLength || a(i) !== b(i + j)) return false;
        return true;
    }
  };
  let result = 0;
  for (let j = 0; j < elements; j++) if (matches(j)) result |= 1 << j;
  return result;
};

/** Writes the mask to the result vector; gives the flags in EFLAGS layout and the index above them. */
const compareStrings = (
  words: Uint32Array,
  control: number,
  elements: number,
  aLength: number,
  bLength: number,
): number => {
  const all = (1 << elements) - 1;
  const valid = (1 << bLength) - 1;
  let result = compareAll(words, control, elements, aLength, bLength);
  if ((control & NEGATE) !== 0) result ^= (control & NEGATE_VALID_ONLY) !== 0 ? valid : all;

  const index =
    result === 0
      ? elements
      : (control & MOST) !== 0
        ? 31 - Math.clz32(result)
        : 31 - Math.clz32(result & -result);
  words.fill(0, RESULT, RESULT + 4);
  if ((control & MOST) === 0) words[RESULT] = result;
  else {
    const bits = 128 / elements;
    const ones = (1 << bits) - 1;
    for (let i = 0; i < elements; i++) {
      if (((result >> i) & 1) === 0) continue;
      const word = RESULT + Math.floor((i * bits) / 32);
      words[word] = (words[word] as number) | (ones << ((i * bits) % 32));
    }
  }
  return (
    (result === 0 ? 0 : CF) |
    (bLength < elements ? ZF : 0) |
    (aLength < elements ? SF : 0) |
    ((result & 1) === 0 ? 0 : OF) |
    (index << INDEX_SHIFT)
  );
};

const elementsOf = (control: number): number => ((control & WORDS) === 0 ? 16 : 8);

registerSlowPath('compareStringsExplicit', (cpu, control, aLength, bLength) => {
  const elements = elementsOf(control);
  return compareStrings(
    cpu.state.vectors,
    control,
    elements,
    Math.min(aLength, elements),
    Math.min(bLength, elements),
  );
});

registerSlowPath('compareStringsImplicit', (cpu, control) => {
  const words = cpu.state.vectors;
  const elements = elementsOf(control);
  const aLength = implicitLength(words, A, control, elements);
  const bLength = implicitLength(words, B, control, elements);
  return compareStrings(words, control, elements, aLength, bLength);
});

/** The magnitude of the length in general register `n`, at most 16; RAX and RDX count whole with REX.W. */
const explicitLength = (x: Emit, n: number): I32 => {
  const raw = x.gpr(n, x.operandSize === 64 ? 64 : 32);
  const length = x.c.let(raw.type === 'i64' ? (raw as I64) : e.extendS(raw as I32));
  const magnitude = x.c.let(e.select(e.ltS(length, e.i64(0)), e.neg(length), length));
  return x.c.let(e.select(e.gtU(magnitude, e.i64(MOST_ELEMENTS)), e.i32(16), e.wrap(magnitude)));
};

const MOST_ELEMENTS = 16;
const [RAX, RCX, RDX] = [0, 1, 2];

/** Runs the comparison; gives flags and index as the slow path does. */
const compared = (x: Emit, lengths: 'explicit' | 'implicit'): I32 => {
  const source = x.readVector(1);
  x.c.storeV128(BASE, x.readVector(0), FIELDS.sseA.address);
  x.c.storeV128(BASE, source, FIELDS.sseB.address);
  const control = immediate(x, 2);
  return lengths === 'implicit'
    ? x.slowPath('compareStringsImplicit', control)
    : x.slowPath('compareStringsExplicit', control, explicitLength(x, RAX), explicitLength(x, RDX));
};

const toIndex =
  (lengths: 'explicit' | 'implicit'): Semantics =>
  (x) => {
    const answer = compared(x, lengths);
    x.setGpr(RCX, 32, e.shrU(answer, INDEX_SHIFT));
    x.flags.set(answer);
  };

const toMask =
  (lengths: 'explicit' | 'implicit'): Semantics =>
  (x) => {
    const answer = compared(x, lengths);
    const mask: V128 = x.c.loadV128(BASE, FIELDS.sseResult.address);
    x.setXmm(0, mask);
    x.flags.set(answer);
  };

const row = (opcode: string, mnemonic: string, exec: Semantics): Row => ({
  op: `66 0F 3A ${opcode} /r`,
  mnemonic,
  operands: ['Vx', 'Wx', 'Ib'],
  unit: 'sse',
  feature: 'SSE42',
  usesOperandSize: true,
  exec,
});

export const sseStringRows: readonly Row[] = [
  row('60', 'PCMPESTRM', toMask('explicit')),
  row('61', 'PCMPESTRI', toIndex('explicit')),
  row('62', 'PCMPISTRM', toMask('implicit')),
  row('63', 'PCMPISTRI', toIndex('implicit')),
];
