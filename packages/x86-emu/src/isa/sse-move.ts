/** Moves of MMX and SSE registers (SDM Vol. 2, MOVAPS and following). */
import * as e from '../wasm/expr.ts';
import type { I32, I64, V128 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { high64, low64, readPacked } from './vector.ts';

/** All 128 bits. */
const move: Semantics = (x) => x.writeVector(0, x.readVector(1));

/** MMX registers, or the low quadword of an XMM register to memory. */
const moveQuad: Semantics = (x) => x.write(0, x.read(1));

/** To an XMM register from memory or a general register: the rest becomes zero. */
const moveZeroExtended: Semantics = (x) => x.writeZeroExtended(0, x.read(1));

/** To an MMX register from 32 or 64 bits. */
const moveToMmx: Semantics = (x) => {
  const value = x.read(1);
  x.write(0, value.type === 'i64' ? value : e.extendU(value as I32));
};

/** MOVSS, MOVSD between registers: the rest of the destination stays. */
const moveLow: Semantics = (x) => x.write(0, x.read(1));

const withHigh = (vector: V128, high: I64): V128 =>
  e.replaceLane('i64x2.replace_lane', vector, 1, high);
const withLow = (vector: V128, low: I64): V128 =>
  e.replaceLane('i64x2.replace_lane', vector, 0, low);

/** Replaces one half of operand 0 by what `source` gives. */
const moveHalf =
  (half: 'low' | 'high', source: (x: Emit) => I64): Semantics =>
  (x) => {
    const value = source(x);
    const target = x.readVector(0);
    x.writeVector(0, x.c.let(half === 'low' ? withLow(target, value) : withHigh(target, value)));
  };

const quadword = (x: Emit): I64 => x.read(1) as I64;
const lowOfSource = (x: Emit): I64 => x.c.let(low64(x.readVector(1)));
const highOfSource = (x: Emit): I64 => x.c.let(high64(x.readVector(1)));

const loadLow = moveHalf('low', quadword);
const loadHigh = moveHalf('high', quadword);
const movhlps = moveHalf('low', highOfSource);
const movlhps = moveHalf('high', lowOfSource);

const storeLow: Semantics = (x) => x.write(0, x.c.let(low64(x.readVector(1))));
const storeHigh: Semantics = (x) => x.write(0, x.c.let(high64(x.readVector(1))));

/** Elements of the source, repeated. */
const spread =
  (lanes: readonly number[]): Semantics =>
  (x) => {
    const source = readPacked(x, 1);
    x.writeVector(0, x.c.let(e.shuffle(source, source, lanes)));
  };

const movddup = spread([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
const movsldup = spread([0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11]);
const movshdup = spread([4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15]);

/**
 * Stores the bytes whose mask has its top bit set, at DS:rDI. Whether the other bytes may fault is the implementation's choice (SDM Vol. 2B,
 * MASKMOVDQU): as on Zen 3 they do, even if the mask selects none.
 */
const maskedMove: Semantics = (x) => {
  if (x.width(1) === 64) x.enterMmx();
  const mask = x.c.let(e.simdTest('i8x16.bitmask', readPacked(x, 2)));
  const source = readPacked(x, 1);
  const bytes = x.width(1) / 8;
  const at = (i: number): I64 => x.linear(0, 1, 'write', e.i64(i));
  // First the check of all bytes, selected or not, so that nothing is stored if one faults.
  for (let i = 0; i < bytes; i += 8) x.modifyAt(64, x.linear(0, 8, 'write', e.i64(i)));
  for (let i = 0; i < bytes; i++)
    x.c.if(e.and(mask, 1 << i), () =>
      x.store(8, at(i), e.extractLane('i8x16.extract_lane_u', source, i)),
    );
};

/** MMX state ends: all registers are tagged empty. */
const emms: Semantics = (x) => x.leaveMmx();

/** The pair of a load and a store of the same kind. */
const pair = (
  prefix: string,
  load: string,
  store: string,
  mnemonic: string,
  aligned: boolean,
): readonly Row[] => [
  {
    op: `${prefix} 0F ${load} /r`,
    mnemonic,
    operands: ['Vx', 'Wx'],
    unit: 'sse',
    ...(aligned ? { aligned } : {}),
    exec: move,
  },
  {
    op: `${prefix} 0F ${store} /r`,
    mnemonic,
    operands: ['Wx', 'Vx'],
    unit: 'sse',
    ...(aligned ? { aligned } : {}),
    exec: move,
  },
];

const scalar = (prefix: string, mnemonic: string, size: 'd' | 'q'): readonly Row[] => [
  {
    op: `${prefix} 0F 10 /r`,
    mnemonic,
    operands: ['Vx', `M${size}`],
    unit: 'sse',
    exec: moveZeroExtended,
  },
  {
    op: `${prefix} 0F 10 /r`,
    mnemonic,
    operands: [`V${size}`, `U${size}`],
    unit: 'sse',
    exec: moveLow,
  },
  {
    op: `${prefix} 0F 11 /r`,
    mnemonic,
    operands: [`W${size}`, `V${size}`],
    unit: 'sse',
    exec: moveLow,
  },
];

export const sseMoveRows: readonly Row[] = [
  ...pair('NP', '28', '29', 'MOVAPS', true),
  ...pair('66', '28', '29', 'MOVAPD', true),
  ...pair('NP', '10', '11', 'MOVUPS', false),
  ...pair('66', '10', '11', 'MOVUPD', false),
  ...pair('66', '6F', '7F', 'MOVDQA', true),
  ...pair('F3', '6F', '7F', 'MOVDQU', false),
  ...scalar('F3', 'MOVSS', 'd'),
  ...scalar('F2', 'MOVSD', 'q'),

  { op: 'NP 0F 6F /r', mnemonic: 'MOVQ', operands: ['Pq', 'Qq'], unit: 'mmx', exec: moveQuad },
  { op: 'NP 0F 7F /r', mnemonic: 'MOVQ', operands: ['Qq', 'Pq'], unit: 'mmx', exec: moveQuad },
  { op: 'NP 0F 6E /r', mnemonic: 'MOVD', operands: ['Pq', 'Ey'], unit: 'mmx', exec: moveToMmx },
  { op: 'NP 0F 7E /r', mnemonic: 'MOVD', operands: ['Ey', 'Py'], unit: 'mmx', exec: moveQuad },
  {
    op: '66 0F 6E /r',
    mnemonic: 'MOVD',
    operands: ['Vx', 'Ey'],
    unit: 'sse',
    exec: moveZeroExtended,
  },
  { op: '66 0F 7E /r', mnemonic: 'MOVD', operands: ['Ey', 'Vy'], unit: 'sse', exec: moveQuad },
  {
    op: 'F3 0F 7E /r',
    mnemonic: 'MOVQ',
    operands: ['Vx', 'Wq'],
    unit: 'sse',
    exec: moveZeroExtended,
  },
  { op: '66 0F D6 /r', mnemonic: 'MOVQ', operands: ['Mq', 'Vq'], unit: 'sse', exec: moveQuad },
  {
    op: '66 0F D6 /r',
    mnemonic: 'MOVQ',
    operands: ['Ux', 'Vq'],
    unit: 'sse',
    exec: moveZeroExtended,
  },
  {
    op: 'F3 0F D6 /r',
    mnemonic: 'MOVQ2DQ',
    operands: ['Vx', 'Nq'],
    unit: 'mmx',
    exec: moveZeroExtended,
  },
  { op: 'F2 0F D6 /r', mnemonic: 'MOVDQ2Q', operands: ['Pq', 'Uq'], unit: 'mmx', exec: moveQuad },

  { op: 'NP 0F 12 /r', mnemonic: 'MOVLPS', operands: ['Vx', 'Mq'], unit: 'sse', exec: loadLow },
  { op: 'NP 0F 12 /r', mnemonic: 'MOVHLPS', operands: ['Vx', 'Ux'], unit: 'sse', exec: movhlps },
  { op: '66 0F 12 /r', mnemonic: 'MOVLPD', operands: ['Vx', 'Mq'], unit: 'sse', exec: loadLow },
  { op: 'NP 0F 13 /r', mnemonic: 'MOVLPS', operands: ['Mq', 'Vx'], unit: 'sse', exec: storeLow },
  { op: '66 0F 13 /r', mnemonic: 'MOVLPD', operands: ['Mq', 'Vx'], unit: 'sse', exec: storeLow },
  { op: 'NP 0F 16 /r', mnemonic: 'MOVHPS', operands: ['Vx', 'Mq'], unit: 'sse', exec: loadHigh },
  { op: 'NP 0F 16 /r', mnemonic: 'MOVLHPS', operands: ['Vx', 'Ux'], unit: 'sse', exec: movlhps },
  { op: '66 0F 16 /r', mnemonic: 'MOVHPD', operands: ['Vx', 'Mq'], unit: 'sse', exec: loadHigh },
  { op: 'NP 0F 17 /r', mnemonic: 'MOVHPS', operands: ['Mq', 'Vx'], unit: 'sse', exec: storeHigh },
  { op: '66 0F 17 /r', mnemonic: 'MOVHPD', operands: ['Mq', 'Vx'], unit: 'sse', exec: storeHigh },
  {
    op: 'F2 0F 12 /r',
    mnemonic: 'MOVDDUP',
    operands: ['Vx', 'Wq'],
    unit: 'sse',
    feature: 'SSE3',
    exec: movddup,
  },
  {
    op: 'F3 0F 12 /r',
    mnemonic: 'MOVSLDUP',
    operands: ['Vx', 'Wx'],
    unit: 'sse',
    feature: 'SSE3',
    aligned: true,
    exec: movsldup,
  },
  {
    op: 'F3 0F 16 /r',
    mnemonic: 'MOVSHDUP',
    operands: ['Vx', 'Wx'],
    unit: 'sse',
    feature: 'SSE3',
    aligned: true,
    exec: movshdup,
  },
  {
    op: 'F2 0F F0 /r',
    mnemonic: 'LDDQU',
    operands: ['Vx', 'Mdq'],
    unit: 'sse',
    feature: 'SSE3',
    exec: move,
  },

  {
    op: 'NP 0F 2B /r',
    mnemonic: 'MOVNTPS',
    operands: ['Mdq', 'Vx'],
    unit: 'sse',
    aligned: true,
    exec: move,
  },
  {
    op: '66 0F 2B /r',
    mnemonic: 'MOVNTPD',
    operands: ['Mdq', 'Vx'],
    unit: 'sse',
    aligned: true,
    exec: move,
  },
  {
    op: '66 0F E7 /r',
    mnemonic: 'MOVNTDQ',
    operands: ['Mdq', 'Vx'],
    unit: 'sse',
    aligned: true,
    exec: move,
  },
  {
    op: '66 0F 38 2A /r',
    mnemonic: 'MOVNTDQA',
    operands: ['Vx', 'Mdq'],
    unit: 'sse',
    feature: 'SSE41',
    aligned: true,
    exec: move,
  },
  { op: 'NP 0F E7 /r', mnemonic: 'MOVNTQ', operands: ['Mq', 'Pq'], unit: 'mmx', exec: moveQuad },
  {
    op: 'NP 0F F7 /r',
    mnemonic: 'MASKMOVQ',
    operands: ['Kb', 'Pq', 'Nq'],
    unit: 'mmx',
    usesAddressSize: true,
    exec: maskedMove,
  },
  {
    op: '66 0F F7 /r',
    mnemonic: 'MASKMOVDQU',
    operands: ['Kb', 'Vx', 'Ux'],
    unit: 'sse',
    usesAddressSize: true,
    exec: maskedMove,
  },
  { op: 'NP 0F 77', mnemonic: 'EMMS', operands: [], unit: 'mmx', exec: emms },
];
