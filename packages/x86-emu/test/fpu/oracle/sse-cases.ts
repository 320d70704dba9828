/** SSE cases: random instructions with operands and MXCSR, and what our functions make of them. */

import {
  SSE_FORMAT,
  SSE_OP,
  sseBinary,
  sseCompare,
  sseCompareFlags,
  sseConvert,
  sseSquareRoot,
} from '../../../src/fpu/sse.ts';
import type { SseFormat, SseOp, SseResult } from '../../../src/fpu/sse.ts';
import { sseReciprocal, sseReciprocalRoot } from '../../../src/fpu/sse-approximation.ts';
import { sseFromInteger, sseRoundIntegral, sseToInteger } from '../../../src/fpu/sse-integer.ts';
import {
  sseDotProduct,
  ssePacked,
  ssePackedAddSubtract,
  ssePackedBinary,
  ssePackedHorizontal,
} from '../../../src/fpu/sse-packed.ts';
import { ieeeOperand } from './random.ts';
import type { Random } from './random.ts';
import { AT, RECORD_SIZE, TRAP, setCode } from './case-record.ts';

/** Where a result goes. */
type Destination = 'element' | 'vector' | 'rax' | 'flags' | 'low64';

interface Kind {
  readonly name: string;
  readonly to: Destination;
  /** Format of the operands in xmm0 and xmm1, and of the result element. */
  readonly from: SseFormat;
  readonly result: SseFormat;
  readonly code: (imm: number) => readonly number[];
  readonly run: (a: Uint32Array, b: Uint32Array, imm: number, mxcsr: number) => Outcome;
}

interface Outcome {
  readonly words: ArrayLike<number>;
  readonly flags: number;
  readonly unmasked: number;
}

const scalar = (r: SseResult): Outcome => ({
  words: [r.lo, r.hi],
  flags: r.flags,
  unmasked: r.unmasked,
});

const quiet = (word: number): Outcome => ({ words: [word, 0], flags: 0, unmasked: 0 });

const at = (v: Uint32Array, index: number): number => v[index] ?? 0;

const SCALAR_PREFIX = { 32: 0xf3, 64: 0xf2 } as const;

const prefixed = (prefix: number, ...rest: number[]): number[] =>
  prefix === 0 ? rest : [prefix, ...rest];

/** ModRM xmm0, xmm1. */
const RM = 0xc1;

function formatKinds(format: SseFormat): Kind[] {
  const sp = SCALAR_PREFIX[format];
  const pp = format === 32 ? 0 : 0x66;
  const suffix = format === 32 ? 's' : 'd';
  const step = format / 32;
  const other: SseFormat = format === 32 ? 64 : 32;
  const base = { from: format, result: format };
  const kinds: Kind[] = [];
  const each = (f: (lo: number, hi: number, index: number) => SseResult) => {
    return (v: Uint32Array, mxcsr: number, count?: number, to: SseFormat = format): Outcome => {
      return ssePacked(to, mxcsr, (i) => f(at(v, i * step), at(v, i * step + 1), i), count);
    };
  };
  for (const [name, op] of Object.entries(SSE_OP)) {
    kinds.push({
      ...base,
      name: `${name}s${suffix}`,
      to: 'element',
      code: () => [sp, 0x0f, op, RM],
      run: (a, b, _imm, mxcsr) =>
        scalar(sseBinary(op, format, at(a, 0), at(a, 1), at(b, 0), at(b, 1), mxcsr)),
    });
    kinds.push({
      ...base,
      name: `${name}p${suffix}`,
      to: 'vector',
      code: () => prefixed(pp, 0x0f, op, RM),
      run: (a, b, _imm, mxcsr) => ssePackedBinary(op, format, a, 0, b, 0, mxcsr),
    });
  }
  const horizontal = format === 32 ? 0xf2 : 0x66;
  const pairs: [string, number, SseOp][] = [
    ['hadd', 0x7c, SSE_OP.add],
    ['hsub', 0x7d, SSE_OP.sub],
  ];
  for (const [name, opcode, op] of pairs) {
    kinds.push({
      ...base,
      name: `${name}p${suffix}`,
      to: 'vector',
      code: () => [horizontal, 0x0f, opcode, RM],
      run: (a, b, _imm, mxcsr) => ssePackedHorizontal(op, format, a, 0, b, 0, mxcsr),
    });
  }
  kinds.push(
    {
      ...base,
      name: `addsubp${suffix}`,
      to: 'vector',
      code: () => [horizontal, 0x0f, 0xd0, RM],
      run: (a, b, _imm, mxcsr) => ssePackedAddSubtract(format, a, 0, b, 0, mxcsr),
    },
    {
      ...base,
      name: `dpp${suffix}`,
      to: 'vector',
      code: (imm) => [0x66, 0x0f, 0x3a, format === 32 ? 0x40 : 0x41, RM, imm],
      run: (a, b, imm, mxcsr) => sseDotProduct(imm, format, a, 0, b, 0, mxcsr),
    },
    {
      ...base,
      name: `sqrts${suffix}`,
      to: 'element',
      code: () => [sp, 0x0f, 0x51, RM],
      run: (_a, b, _imm, mxcsr) => scalar(sseSquareRoot(format, at(b, 0), at(b, 1), mxcsr)),
    },
    {
      ...base,
      name: `sqrtp${suffix}`,
      to: 'vector',
      code: () => prefixed(pp, 0x0f, 0x51, RM),
      run: (_a, b, _imm, mxcsr) => each((lo, hi) => sseSquareRoot(format, lo, hi, mxcsr))(b, mxcsr),
    },
    {
      ...base,
      name: `cmps${suffix}`,
      to: 'element',
      code: (imm) => [sp, 0x0f, 0xc2, RM, imm & 7],
      run: (a, b, imm, mxcsr) =>
        scalar(sseCompare(imm & 7, format, at(a, 0), at(a, 1), at(b, 0), at(b, 1), mxcsr)),
    },
    {
      ...base,
      name: `ucomis${suffix}`,
      to: 'flags',
      code: () => prefixed(pp, 0x0f, 0x2e, RM),
      run: (a, b, _imm, mxcsr) =>
        scalar(sseCompareFlags(false, format, at(a, 0), at(a, 1), at(b, 0), at(b, 1), mxcsr)),
    },
    {
      ...base,
      name: `comis${suffix}`,
      to: 'flags',
      code: () => prefixed(pp, 0x0f, 0x2f, RM),
      run: (a, b, _imm, mxcsr) =>
        scalar(sseCompareFlags(true, format, at(a, 0), at(a, 1), at(b, 0), at(b, 1), mxcsr)),
    },
    {
      ...base,
      name: `cvts${suffix}2s${format === 32 ? 'd' : 's'}`,
      to: 'element',
      result: other,
      code: () => [sp, 0x0f, 0x5a, RM],
      run: (_a, b, _imm, mxcsr) => scalar(sseConvert(format, at(b, 0), at(b, 1), mxcsr)),
    },
    {
      ...base,
      name: `cvtp${suffix}2p${format === 32 ? 'd' : 's'}`,
      to: 'vector',
      result: other,
      code: () => prefixed(pp, 0x0f, 0x5a, RM),
      run: (_a, b, _imm, mxcsr) =>
        each((lo, hi) => sseConvert(format, lo, hi, mxcsr))(b, mxcsr, 2, other),
    },
    {
      ...base,
      name: `rounds${suffix}`,
      to: 'element',
      code: (imm) => [0x66, 0x0f, 0x3a, format === 32 ? 0x0a : 0x0b, RM, imm & 15],
      run: (_a, b, imm, mxcsr) => scalar(sseRoundIntegral(imm, format, at(b, 0), at(b, 1), mxcsr)),
    },
    {
      ...base,
      name: `roundp${suffix}`,
      to: 'vector',
      code: (imm) => [0x66, 0x0f, 0x3a, format === 32 ? 0x08 : 0x09, RM, imm & 15],
      run: (_a, b, imm, mxcsr) =>
        each((lo, hi) => sseRoundIntegral(imm, format, lo, hi, mxcsr))(b, mxcsr),
    },
  );
  for (const width of [32, 64] as const) {
    const rex = width === 64 ? [0x48] : [];
    kinds.push({
      ...base,
      name: `cvtsi2s${suffix} r${width}`,
      to: 'element',
      code: () => [sp, ...rex, 0x0f, 0x2a, 0xc0],
      run: (a, b, _imm, mxcsr) => scalar(sseFromInteger(format, width, at(b, 2), at(b, 3), mxcsr)),
    });
    for (const truncate of [false, true]) {
      kinds.push({
        ...base,
        name: `cvt${truncate ? 't' : ''}s${suffix}2si r${width}`,
        to: 'rax',
        code: () => [sp, ...rex, 0x0f, truncate ? 0x2c : 0x2d, RM],
        run: (_a, b, _imm, mxcsr) =>
          scalar(sseToInteger(format, width, truncate, at(b, 0), at(b, 1), mxcsr)),
      });
    }
  }
  return kinds;
}

function otherKinds(): Kind[] {
  const base = { from: SSE_FORMAT.single, result: SSE_FORMAT.single };
  const kinds: Kind[] = [
    {
      ...base,
      name: 'rcpss',
      to: 'element',
      code: () => [0xf3, 0x0f, 0x53, RM],
      run: (_a, b) => quiet(sseReciprocal(at(b, 0))),
    },
    {
      ...base,
      name: 'rsqrtss',
      to: 'element',
      code: () => [0xf3, 0x0f, 0x52, RM],
      run: (_a, b) => quiet(sseReciprocalRoot(at(b, 0))),
    },
    {
      ...base,
      name: 'cvtdq2ps',
      to: 'vector',
      code: () => [0x0f, 0x5b, RM],
      run: (_a, b, _imm, mxcsr) =>
        ssePacked(32, mxcsr, (i) => sseFromInteger(32, 32, at(b, i), 0, mxcsr)),
    },
  ];
  for (const truncate of [false, true]) {
    kinds.push({
      ...base,
      name: `cvt${truncate ? 't' : ''}ps2dq`,
      to: 'vector',
      code: () => [truncate ? 0xf3 : 0x66, 0x0f, 0x5b, RM],
      run: (_a, b, _imm, mxcsr) =>
        ssePacked(32, mxcsr, (i) => sseToInteger(32, 32, truncate, at(b, i), 0, mxcsr)),
    });
    kinds.push({
      from: SSE_FORMAT.double,
      result: SSE_FORMAT.single,
      name: `cvt${truncate ? 't' : ''}pd2dq`,
      to: 'vector',
      code: () => [truncate ? 0x66 : 0xf2, 0x0f, 0xe6, RM],
      run: (_a, b, _imm, mxcsr) =>
        ssePacked(
          32,
          mxcsr,
          (i) => sseToInteger(64, 32, truncate, at(b, 2 * i), at(b, 2 * i + 1), mxcsr),
          2,
        ),
    });
  }
  return kinds;
}

/** Every SSE instruction form that is checked. */
const SSE_KINDS: readonly Kind[] = [...formatKinds(32), ...formatKinds(64), ...otherKinds()];

/** A random MXCSR: all masked mostly, any rounding, DAZ and FTZ now and then, stale flags. */
function randomMxcsr(random: Random): number {
  let mxcsr = 0x1f80 | (random.below(4) << 13);
  if (random.below(4) === 0) mxcsr |= 0x40;
  if (random.below(4) === 0) mxcsr |= 0x8000;
  if (random.below(6) === 0) mxcsr &= ~(random.below(64) << 7);
  if (random.below(8) === 0) mxcsr |= random.below(64);
  return mxcsr;
}

function randomVector(
  random: Random,
  format: SseFormat,
  words: Uint32Array,
  like: Uint32Array,
): void {
  const single = format === 32;
  for (let i = 0; i < 4; i += single ? 1 : 2) {
    const peer = single ? (at(like, i) >>> 23) & 0xff : (at(like, i + 1) >>> 20) & 0x7ff;
    const bits = ieeeOperand(random, single ? 8 : 11, single ? 23 : 52, peer);
    words[i] = Number(bits & 0xffffffffn);
    if (!single) words[i + 1] = Number(bits >> 32n);
  }
}

/** Fills one record with a random case; returns the name of its instruction. */
export function generateSse(random: Random, record: Uint8Array): string {
  record.fill(0);
  const view = new DataView(record.buffer, record.byteOffset, RECORD_SIZE);
  const kind = random.pick(SSE_KINDS);
  const imm = random.below(256);
  setCode(record, kind.code(imm));
  // What is not part of the instruction still tells the replay the immediate.
  record[AT.codeLength + 2] = imm;
  view.setUint32(AT.mxcsr, randomMxcsr(random), true);
  view.setUint32(AT.rflags, 0x202 | (random.below(2) * 0x8d5), true);
  view.setUint16(AT.x87, 0x37f, true);
  const none = new Uint32Array(4);
  const a = new Uint32Array(4);
  const b = new Uint32Array(4);
  randomVector(random, kind.from, a, none);
  randomVector(random, kind.from, b, a);
  for (let i = 0; i < 4; i++) {
    view.setUint32(AT.xmm + 4 * i, at(a, i), true);
    view.setUint32(AT.xmm + 16 + 4 * i, at(b, i), true);
  }
  view.setUint32(AT.rax, at(b, 2), true);
  view.setUint32(AT.rax + 4, at(b, 3), true);
  return kind.name;
}

function applyResult(kind: Kind, view: DataView, words: ArrayLike<number>, width: number): void {
  const word = (i: number): number => words[i] ?? 0;
  if (kind.to === 'flags') {
    const kept = view.getUint32(AT.rflags, true) & ~0x8d5;
    view.setUint32(AT.rflags, kept | word(0), true);
  } else if (kind.to === 'rax') {
    view.setUint32(AT.rax, word(0), true);
    view.setUint32(AT.rax + 4, word(1), true);
  } else {
    const count = kind.to === 'vector' ? 4 : width / 32;
    for (let i = 0; i < count; i++) view.setUint32(AT.xmm + 4 * i, word(i), true);
  }
}

/** Runs the case with our functions, changing the record as the CPU would. */
export function replaySse(name: string, record: Uint8Array): void {
  const kind = SSE_KINDS.find((k) => k.name === name);
  if (kind === undefined) throw new Error(`no SSE case named ${name}`);
  const view = new DataView(record.buffer, record.byteOffset, RECORD_SIZE);
  const a = new Uint32Array(4);
  const b = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    a[i] = view.getUint32(AT.xmm + 4 * i, true);
    b[i] = view.getUint32(AT.xmm + 16 + 4 * i, true);
  }
  const mxcsr = view.getUint32(AT.mxcsr, true);
  const { words, flags, unmasked } = kind.run(a, b, record[AT.codeLength + 2] ?? 0, mxcsr);
  view.setUint32(AT.mxcsr, mxcsr | flags, true);
  if (unmasked !== 0) record[AT.trap] = TRAP.xm;
  else applyResult(kind, view, words, kind.result);
}
