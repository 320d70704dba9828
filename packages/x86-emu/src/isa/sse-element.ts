/** Single elements and masks, MMX and SSE: extracts, inserts, MOVMSK, PTEST. */
import * as e from '../wasm/expr.ts';
import type { I32, Int } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { immediate, isMmx, readPacked, sse, writePacked } from './vector.ts';

/** Which lane: constant in the translator, a chain of selects in the interpreter. */
const laneValue = <T extends Int>(lane: I32, lanes: readonly T[]): T =>
  lane.constant === undefined
    ? lanes.reduce((rest, value, i) =>
        i === 0 ? value : (e.select(e.eq(lane, i), value, rest as never) as T),
      )
    : (lanes[Number(lane.constant)] as T);

const extractElement =
  (bits: 8 | 16 | 32 | 64): Semantics =>
  (x) => {
    const source = readPacked(x, 1);
    const count = x.width(1) === 64 ? 64 / bits : 128 / bits;
    const lane = x.c.let(e.and(immediate(x, 2), count - 1));
    const name = (
      {
        8: 'i8x16.extract_lane_u',
        16: 'i16x8.extract_lane_u',
        32: 'i32x4.extract_lane',
        64: 'i64x2.extract_lane',
      } as const
    )[bits];
    const lanes = Array.from({ length: count }, (_, i) => x.c.let(e.extractLane(name, source, i)));
    x.write(0, laneValue<Int>(lane, lanes));
  };

const insertElement =
  (bits: 8 | 16 | 32 | 64): Semantics =>
  (x) => {
    const value = x.read(1);
    const target = readPacked(x, 0);
    const count = isMmx(x) ? 64 / bits : 128 / bits;
    const lane = x.c.let(e.and(immediate(x, 2), count - 1));
    const lanes = ({ 8: 'i8x16', 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const)[bits];
    const result = x.c.variable('v128', target);
    for (let i = 0; i < count; i++)
      x.c.if(e.eq(lane, i), () =>
        x.c.set(result, e.replaceLane(`${lanes}.replace_lane`, target, i, value)),
      );
    writePacked(x, x.c.get(result));
  };

/** INSERTPS: one element of the source into one of the destination, then elements cleared by mask. */
const insertps: Semantics = (x) => {
  const control = immediate(x, 2);
  const value =
    x.kind(1) === 'memory'
      ? (x.read(1) as I32)
      : x.c.let(laneValue(e.shrU(e.and(control, 0xc0), 6), sourceLanes(x)));
  const target = x.readVector(0);
  const result = x.c.variable('v128', target);
  const place = x.c.let(e.and(e.shrU(control, 4), 3));
  for (let i = 0; i < 4; i++)
    x.c.if(e.eq(place, i), () =>
      x.c.set(result, e.replaceLane('i32x4.replace_lane', target, i, value)),
    );
  for (let i = 0; i < 4; i++)
    x.c.if(e.and(control, 1 << i), () =>
      x.c.set(result, e.replaceLane('i32x4.replace_lane', x.c.get(result), i, e.i32(0))),
    );
  x.writeVector(0, x.c.get(result));
};

/** The four elements of a register operand that is declared with its memory form's 32 bits. */
const sourceLanes = (x: Emit): readonly I32[] => {
  const source = x.readVector(1);
  return [0, 1, 2, 3].map((i) => x.c.let(e.extractLane('i32x4.extract_lane', source, i)));
};

const mask =
  (name: 'i8x16.bitmask' | 'i32x4.bitmask' | 'i64x2.bitmask'): Semantics =>
  (x) => {
    const source = readPacked(x, 1);
    const bits = e.simdTest(name, source);
    const all = x.width(1) === 64 ? e.and(bits, 0xff) : bits;
    x.write(0, x.width(0) === 64 ? e.extendU(all) : all);
  };

const pmovmskb = mask('i8x16.bitmask');

/** PTEST: ZF if no bit is common, CF if the source has no bit outside the destination. */
const ptest: Semantics = (x) => {
  const source = x.readVector(1);
  const target = x.readVector(0);
  const zero = e.eqz(e.simdTest('v128.any_true', e.simd('v128.and', source, target)));
  const carry = e.eqz(e.simdTest('v128.any_true', e.simd('v128.andnot', source, target)));
  x.flags.set(e.or(e.shl(zero, 6), carry));
};

export const sseElementRows: readonly Row[] = [
  {
    op: 'NP 0F C5 /r',
    mnemonic: 'PEXTRW',
    operands: ['Gy', 'Nq', 'Ib'],
    unit: 'mmx',
    exec: toGeneral(16),
  },
  {
    op: '66 0F C5 /r',
    mnemonic: 'PEXTRW',
    operands: ['Gy', 'Ux', 'Ib'],
    unit: 'sse',
    exec: toGeneral(16),
  },
  ...extractRows('14', 'PEXTRB', 8),
  ...extractRows('15', 'PEXTRW', 16),
  {
    op: '66 0F 3A 16 /r',
    mnemonic: 'PEXTRD',
    operands: ['Ey', 'Vx', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: bySize(extractElement(32), extractElement(64)),
  },
  {
    op: '66 0F 3A 17 /r',
    mnemonic: 'EXTRACTPS',
    operands: ['Ed', 'Vx', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: extractElement(32),
  },
  {
    op: 'NP 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Pq', 'Mw', 'Ib'],
    unit: 'mmx',
    exec: insertElement(16),
  },
  {
    op: 'NP 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Pq', 'Rd', 'Ib'],
    unit: 'mmx',
    exec: insertElement(16),
  },
  {
    op: '66 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Vx', 'Mw', 'Ib'],
    unit: 'sse',
    exec: insertElement(16),
  },
  {
    op: '66 0F C4 /r',
    mnemonic: 'PINSRW',
    operands: ['Vx', 'Rd', 'Ib'],
    unit: 'sse',
    exec: insertElement(16),
  },
  {
    op: '66 0F 3A 20 /r',
    mnemonic: 'PINSRB',
    operands: ['Vx', 'Mb', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertElement(8),
  },
  {
    op: '66 0F 3A 20 /r',
    mnemonic: 'PINSRB',
    operands: ['Vx', 'Rd', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertElement(8),
  },
  {
    op: '66 0F 3A 22 /r',
    mnemonic: 'PINSRD',
    operands: ['Vx', 'Ey', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertDoubleword,
  },
  {
    op: '66 0F 3A 21 /r',
    mnemonic: 'INSERTPS',
    operands: ['Vx', 'Md', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertps,
  },
  {
    op: '66 0F 3A 21 /r',
    mnemonic: 'INSERTPS',
    operands: ['Vx', 'Ux', 'Ib'],
    unit: 'sse',
    feature: 'SSE41',
    exec: insertps,
  },

  { op: 'NP 0F D7 /r', mnemonic: 'PMOVMSKB', operands: ['Gy', 'Nq'], unit: 'mmx', exec: pmovmskb },
  { op: '66 0F D7 /r', mnemonic: 'PMOVMSKB', operands: ['Gy', 'Ux'], unit: 'sse', exec: pmovmskb },
  {
    op: 'NP 0F 50 /r',
    mnemonic: 'MOVMSKPS',
    operands: ['Gy', 'Ux'],
    unit: 'sse',
    exec: mask('i32x4.bitmask'),
  },
  {
    op: '66 0F 50 /r',
    mnemonic: 'MOVMSKPD',
    operands: ['Gy', 'Ux'],
    unit: 'sse',
    exec: mask('i64x2.bitmask'),
  },
  sse('66 0F 38 17 /r', 'PTEST', ptest, 'SSE41'),
];

/** PEXTRW to a general register: zero-extended whatever its width. */
function toGeneral(bits: 16): Semantics {
  return (x) => {
    const source = readPacked(x, 1);
    const count = x.width(1) / bits;
    const lane = x.c.let(e.and(immediate(x, 2), count - 1));
    const lanes = Array.from({ length: count }, (_, i) =>
      x.c.let(e.extractLane('i16x8.extract_lane_u', source, i)),
    );
    const value = laneValue(lane, lanes);
    x.write(0, x.width(0) === 64 ? e.extendU(value) : value);
  };
}

/** Byte and word extracts: to memory as they are, to a register zero-extended. */
function extractRows(opcode: string, mnemonic: string, bits: 8 | 16): readonly Row[] {
  const base = { mnemonic, unit: 'sse', feature: 'SSE41' } as const;
  const op = `66 0F 3A ${opcode} /r`;
  const exec = extractElement(bits);
  return [
    { ...base, op, operands: [bits === 8 ? 'Mb' : 'Mw', 'Vx', 'Ib'], exec },
    { ...base, op, operands: ['Rd', 'Vx', 'Ib'], exec },
  ];
}

function bySize(narrow: Semantics, wide: Semantics): Semantics {
  return (x) => (x.width(0) === 64 ? wide(x) : narrow(x));
}

function insertDoubleword(x: Emit): void {
  (x.width(1) === 64 ? insertElement(64) : insertElement(32))(x);
}
