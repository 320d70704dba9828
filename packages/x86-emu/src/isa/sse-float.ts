/** SSE floating-point arithmetic, comparison and logic (SDM Vol. 1, 10.4 and 11.4). */
import * as e from '../wasm/expr.ts';
import type { I32, V128 } from '../wasm/expr.ts';
import type { Semantics } from './emit.ts';
import type { CpuFeature, Row } from './row.ts';
import {
  any,
  lanes,
  notFinite,
  or,
  resultUnless,
  special,
  tiny,
  unsteady,
  writeLanes,
} from './sse-float-fast.ts';
import type { Lane } from './sse-float-fast.ts';
import { callExact, exactResult } from './sse-float-slow.ts';
import { ZERO, both64, immediate, packed, sse } from './vector.ts';

type Binary = 'add' | 'sub' | 'mul' | 'div';

const nonZero = (lane: Lane, v: V128): V128 => e.simd(`${lane}.ne`, v, ZERO);
const and = (a: V128, b: V128): V128 => e.simd('v128.and', a, b);

/**
 * Lanes of `r` = a op b whose exceptions need a closer look. A sum that is small is exact (its operands are multiples of the smallest denormal);
 * a product or quotient is exactly zero only for a zero operand.
 */
const doubtful = (lane: Lane, op: Binary, a: V128, b: V128, r: V128): V128 => {
  const marks = or(special(lane, a), special(lane, b), notFinite(lane, r));
  if (op === 'add' || op === 'sub') return marks;
  const fromNumbers = op === 'mul' ? and(nonZero(lane, a), nonZero(lane, b)) : nonZero(lane, a);
  return or(marks, and(tiny(lane, r), fromNumbers));
};

/** ADD, SUB, MUL, DIV. */
const arithmetic =
  (name: string, lane: Lane, op: Binary): Semantics =>
  (x) => {
    const b = lanes(x, 1);
    const a = lanes(x, 0);
    const r = x.c.let(e.simd(`${lane}.${op}`, a, b));
    const slow = e.or(any(doubtful(lane, op, a, b, r)), unsteady(x));
    writeLanes(x, resultUnless(x, slow, r, name, a, b));
  };

/** Adds or subtracts lanes that `split` has arranged; the slow path arranges them itself. */
const rearranged =
  (
    name: string,
    lane: Lane,
    op: 'add' | 'sub',
    split: (a: V128, b: V128) => readonly [V128, V128],
  ): Semantics =>
  (x) => {
    const b = x.readVector(1);
    const a = x.readVector(0);
    const [left, right] = split(a, b).map((v) => x.c.let(v)) as [V128, V128];
    const r = x.c.let(e.simd(`${lane}.${op}`, left, right));
    const slow = e.or(any(doubtful(lane, op, left, right, r)), unsteady(x));
    writeLanes(x, resultUnless(x, slow, r, name, a, b));
  };

const ELEMENT_BYTES: Record<Lane, number> = { f32x4: 4, f64x2: 8 };

/** HADD, HSUB: even elements of both operands, and odd ones. */
const horizontal = (name: string, lane: Lane, op: 'add' | 'sub'): Semantics =>
  rearranged(name, lane, op, (a, b) => {
    const size = ELEMENT_BYTES[lane];
    const pick = (first: number): V128 => {
      const bytes = Array.from({ length: 16 }, (_, i) => {
        const element = 2 * Math.floor(i / size) + first;
        return element * size + (i % size);
      });
      return e.shuffle(a, b, bytes);
    };
    return [pick(0), pick(1)];
  });

const EVEN_SIGNS: Record<Lane, V128> = {
  f32x4: both64(0x8000_0000n),
  f64x2: e.v128(Array.from({ length: 16 }, (_, i) => (i === 7 ? 0x80 : 0))),
};

/** ADDSUB: even elements are subtracted. */
const alternating = (name: string, lane: Lane): Semantics =>
  rearranged(name, lane, 'add', (a, b) => [a, e.simd('v128.xor', b, EVEN_SIGNS[lane])]);

const squareRoot =
  (name: string, lane: Lane): Semantics =>
  (x) => {
    const source = lanes(x, 1);
    const r = x.c.let(e.simd(`${lane}.sqrt`, source));
    const marks = or(special(lane, source), notFinite(lane, r));
    writeLanes(x, resultUnless(x, e.or(any(marks), unsteady(x)), r, name, undefined, source));
  };

/** MIN and MAX give the second operand unless the first is less (greater). */
const extreme =
  (name: string, lane: Lane, most: 'min' | 'max'): Semantics =>
  (x) => {
    const b = lanes(x, 1);
    const a = lanes(x, 0);
    const first = most === 'min' ? e.simd(`${lane}.lt`, a, b) : e.simd(`${lane}.lt`, b, a);
    const r = x.c.let(e.simd('v128.bitselect', a, b, first));
    const marks = or(special(lane, a), special(lane, b));
    writeLanes(x, resultUnless(x, any(marks), r, name, a, b));
  };

const ONES = both64(0xffff_ffff_ffff_ffffn);

/** CMPccxx: bits 1:0 of the immediate choose equal, less, less or equal, unordered; bit 2 negates. */
const compare =
  (name: string, lane: Lane): Semantics =>
  (x) => {
    const b = lanes(x, 1);
    const a = lanes(x, 0);
    const predicate = x.c.let(e.and(immediate(x, 2), 7));
    const base = x.c.let(e.and(predicate, 3));
    const ordered = e.select(
      e.eq(base, 0),
      e.simd(`${lane}.eq`, a, b),
      e.select(e.eq(base, 1), e.simd(`${lane}.lt`, a, b), e.simd(`${lane}.le`, a, b)),
    );
    const holds = e.select(e.eq(base, 3), ZERO, ordered);
    const negated = e.select(e.nez(e.and(predicate, 4)), ONES, ZERO);
    const r = x.c.let(e.simd('v128.xor', holds, negated));
    const marks = or(special(lane, a), special(lane, b));
    writeLanes(x, resultUnless(x, any(marks), r, name, a, b, predicate));
  };

/** COMIS, UCOMIS: ZF, PF and CF as after an unsigned comparison. */
const compareFlags =
  (name: string, lane: Lane): Semantics =>
  (x) => {
    const b = lanes(x, 1);
    const a = lanes(x, 0);
    const equal = any(e.simd(`${lane}.eq`, a, b));
    const less = any(e.simd(`${lane}.lt`, a, b));
    const flags = x.c.variable('i32', e.or(e.shl(equal, 6), less));
    x.c.if(any(or(special(lane, a), special(lane, b))), () =>
      x.c.set(flags, callExact(x, name, a, b)),
    );
    x.flags.set(x.c.get(flags));
  };

const MODES = ['nearest', 'floor', 'ceil', 'trunc'] as const;

/** ROUNDxx: bits 1:0 of the immediate or, by bit 2, MXCSR choose the direction; bit 3 leaves PE alone. */
const roundToIntegral =
  (name: string, lane: Lane): Semantics =>
  (x) => {
    const source = lanes(x, 1);
    const control = x.c.let(immediate(x, 2));
    const fromMxcsr = e.shrU(x.field('mxcsr') as I32, 13);
    const mode = x.c.let(e.and(e.select(e.nez(e.and(control, 4)), fromMxcsr, control), 3));
    const [nearest, down, up, truncated] = MODES.map((way) => e.simd(`${lane}.${way}`, source)) as [
      V128,
      V128,
      V128,
      V128,
    ];
    const r = x.c.let(
      e.select(
        e.eq(mode, 0),
        nearest,
        e.select(e.eq(mode, 1), down, e.select(e.eq(mode, 2), up, truncated)),
      ),
    );
    const changed = e.simd(`${lane}.ne`, r, source);
    const inexact = e.and(
      e.and(any(changed), e.eqz(e.and(control, 8))),
      e.ne(e.and(x.field('mxcsr') as I32, PRECISION_SEEN), PRECISION_SEEN),
    );
    const slow = e.or(any(special(lane, source)), inexact);
    writeLanes(x, resultUnless(x, slow, r, name, undefined, source, control));
  };

/** PE and PM. */
const PRECISION_SEEN = 0x1020;

/** DPPS, DPPD: rare, and rounded at every step. */
const dotProduct =
  (name: string): Semantics =>
  (x) => {
    const b = x.readVector(1);
    const a = x.readVector(0);
    x.writeVector(0, exactResult(x, name, a, b, immediate(x, 2)));
  };

/** RCPPS, RSQRTPS and their scalar forms: a table, no exceptions. */
const approximate =
  (name: string): Semantics =>
  (x) => {
    if (x.width(1) === 128) x.writeVector(0, exactResult(x, name, undefined, x.readVector(1)));
    else x.write(0, x.slowPath(name, x.read(1) as I32));
  };

const PREFIX = { PS: 'NP', PD: '66', SS: 'F3', SD: 'F2' } as const;
type Form = keyof typeof PREFIX;
const FORMS = Object.keys(PREFIX) as Form[];

const laneOf = (form: Form): Lane => (form.endsWith('S') ? 'f32x4' : 'f64x2');

const row = (
  prefix: string,
  opcode: string,
  mnemonic: string,
  form: Form,
  exec: Semantics,
  extra: { readonly feature?: CpuFeature; readonly immediate?: true } = {},
): Row => {
  const scalar = form === 'SS' ? ['Vss', 'Wss'] : form === 'SD' ? ['Vsd', 'Wsd'] : undefined;
  const operands = scalar ?? ['Vx', 'Wx'];
  return {
    op: `${prefix} 0F ${opcode} /r`,
    mnemonic,
    operands: extra.immediate ? [...operands, 'Ib'] : operands,
    unit: 'sse',
    exec,
    ...(scalar ? {} : { aligned: true }),
    ...(extra.feature ? { feature: extra.feature } : {}),
  };
};

/** The four rows of an operation that exists packed and scalar, in both formats. */
const fourForms = (
  opcode: string,
  stem: string,
  make: (name: string, lane: Lane) => Semantics,
  extra?: { readonly immediate?: true },
): readonly Row[] =>
  FORMS.map((form) => {
    const mnemonic = `${stem}${form}`;
    return row(PREFIX[form], opcode, mnemonic, form, make(mnemonic, laneOf(form)), extra);
  });

const and128 = packed(and);
const or128 = packed((a, b) => e.simd('v128.or', a, b));
const xor128 = packed((a, b) => e.simd('v128.xor', a, b));
/** WebAssembly complements the second operand, x86 the first. */
const andnot128 = packed((a, b) => e.simd('v128.andnot', b, a));

const logic = (opcode: string, stem: string, exec: Semantics): readonly Row[] => [
  sse(`NP 0F ${opcode} /r`, `${stem}PS`, exec),
  sse(`66 0F ${opcode} /r`, `${stem}PD`, exec),
];

/** SSE3 pairs: F2 for single, 66 for double precision. */
const pairForms = (
  opcode: string,
  stem: string,
  make: (name: string, lane: Lane) => Semantics,
): readonly Row[] => [
  row('F2', opcode, `${stem}PS`, 'PS', make(`${stem}PS`, 'f32x4'), { feature: 'SSE3' }),
  row('66', opcode, `${stem}PD`, 'PD', make(`${stem}PD`, 'f64x2'), { feature: 'SSE3' }),
];

const comparisonRows = (opcode: string, stem: string): readonly Row[] => [
  row('NP', opcode, `${stem}SS`, 'SS', compareFlags(`${stem}SS`, 'f32x4')),
  row('66', opcode, `${stem}SD`, 'SD', compareFlags(`${stem}SD`, 'f64x2')),
];

const sse41 = (opcode: string, mnemonic: string, form: Form, exec: Semantics): Row =>
  row('66', `3A ${opcode}`, mnemonic, form, exec, { feature: 'SSE41', immediate: true });

export const sseFloatRows: readonly Row[] = [
  ...fourForms('58', 'ADD', (name, lane) => arithmetic(name, lane, 'add')),
  ...fourForms('59', 'MUL', (name, lane) => arithmetic(name, lane, 'mul')),
  ...fourForms('5C', 'SUB', (name, lane) => arithmetic(name, lane, 'sub')),
  ...fourForms('5E', 'DIV', (name, lane) => arithmetic(name, lane, 'div')),
  ...fourForms('5D', 'MIN', (name, lane) => extreme(name, lane, 'min')),
  ...fourForms('5F', 'MAX', (name, lane) => extreme(name, lane, 'max')),
  ...fourForms('51', 'SQRT', squareRoot),
  ...fourForms('C2', 'CMP', compare, { immediate: true }),
  ...comparisonRows('2E', 'UCOMI'),
  ...comparisonRows('2F', 'COMI'),
  ...logic('54', 'AND', and128),
  ...logic('55', 'ANDN', andnot128),
  ...logic('56', 'OR', or128),
  ...logic('57', 'XOR', xor128),
  row('NP', '53', 'RCPPS', 'PS', approximate('RCPPS')),
  row('F3', '53', 'RCPSS', 'SS', approximate('RCPSS')),
  row('NP', '52', 'RSQRTPS', 'PS', approximate('RSQRTPS')),
  row('F3', '52', 'RSQRTSS', 'SS', approximate('RSQRTSS')),
  ...pairForms('7C', 'HADD', (name, lane) => horizontal(name, lane, 'add')),
  ...pairForms('7D', 'HSUB', (name, lane) => horizontal(name, lane, 'sub')),
  ...pairForms('D0', 'ADDSUB', alternating),
  sse41('08', 'ROUNDPS', 'PS', roundToIntegral('ROUNDPS', 'f32x4')),
  sse41('09', 'ROUNDPD', 'PD', roundToIntegral('ROUNDPD', 'f64x2')),
  sse41('0A', 'ROUNDSS', 'SS', roundToIntegral('ROUNDSS', 'f32x4')),
  sse41('0B', 'ROUNDSD', 'SD', roundToIntegral('ROUNDSD', 'f64x2')),
  sse41('40', 'DPPS', 'PS', dotProduct('DPPS')),
  sse41('41', 'DPPD', 'PD', dotProduct('DPPD')),
];
