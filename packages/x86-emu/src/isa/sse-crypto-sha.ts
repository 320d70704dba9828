/** SHA-1 and SHA-256 (SDM Vol. 1, 12.14), staged in 32-bit words. Words are numbered by lane: lane 3 is the first word of the standard. */
import * as e from '../wasm/expr.ts';
import type { I32, V128 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { immediate, packed } from './vector.ts';

type Words = readonly [I32, I32, I32, I32];

const wordsOf = (x: Emit, v: V128): Words =>
  [0, 1, 2, 3].map((i) => x.c.let(e.extractLane('i32x4.extract_lane', v, i))) as unknown as Words;

const vectorOf = ([w0, w1, w2, w3]: Words): V128 => {
  const first = e.splat('i32x4.splat', w0);
  return [w1, w2, w3].reduce((v, w, i) => e.replaceLane('i32x4.replace_lane', v, i + 1, w), first);
};

const sum = (first: I32, ...rest: readonly I32[]): I32 => rest.reduce((a, b) => e.add(a, b), first);
const xor = (first: I32, ...rest: readonly I32[]): I32 => rest.reduce((a, b) => e.xor(a, b), first);

const choose = (x: I32, y: I32, z: I32): I32 => e.xor(z, e.and(x, e.xor(y, z)));
const parity = (x: I32, y: I32, z: I32): I32 => xor(x, y, z);
const majority = (x: I32, y: I32, z: I32): I32 => e.or(e.and(x, y), e.and(z, e.or(x, y)));

/** SHA-1's functions and constants for rounds 0-19, 20-39, 40-59 and 60-79 (FIPS 180-4, 4.1.1 and 4.2.1). */
const SHA1 = [
  { f: choose, k: 0x5a82_7999 },
  { f: parity, k: 0x6ed9_eba1 },
  { f: majority, k: 0x8f1b_bcdc },
  { f: parity, k: 0xca62_c1d6 },
] as const;

/** Four rounds; lane 3 of the first operand is A, the second holds the words, E already added to the first of them. */
const sha1rnds4: Semantics = (x) => {
  const { c } = x;
  const words = wordsOf(x, x.readVector(1));
  const state = wordsOf(x, x.readVector(0));
  const kind = c.let(e.and(immediate(x, 2), 3));
  const byKind = (pick: (i: 0 | 1 | 2 | 3) => I32): I32 =>
    e.select(
      e.eq(kind, 0),
      pick(0),
      e.select(e.eq(kind, 1), pick(1), e.select(e.eq(kind, 2), pick(2), pick(3))),
    );
  const k = c.let(byKind((i) => e.i32(SHA1[i].k)));
  let [d, cc, b, a] = state;
  let last: I32 = e.i32(0);
  for (let round = 0; round < 4; round++) {
    const [p, q, r] = [b, cc, d];
    const f = byKind((i) => SHA1[i].f(p, q, r));
    const next = c.let(sum(f, e.rotl(a, 5), words[3 - round] as I32, last, k));
    last = d;
    d = cc;
    cc = c.let(e.rotl(b, 30));
    b = a;
    a = next;
  }
  x.writeVector(0, c.let(vectorOf([d, cc, b, a])));
};

const LANE_3 = [12, 13, 14, 15];

/** Adds the E of the next four rounds to the first word. */
const sha1nexte = packed((a, b, x) => {
  const first = e.rotl(x.c.let(e.extractLane('i32x4.extract_lane', a, 3)), 30);
  const old = e.extractLane('i32x4.extract_lane', b, 3);
  return e.replaceLane('i32x4.replace_lane', b, 3, e.add(old, first));
});

const sha1msg1 = packed((a, b) => {
  const next = e.shuffle(b, a, [8, 9, 10, 11, ...LANE_3, 16, 17, 18, 19, 20, 21, 22, 23]);
  return e.simd('v128.xor', a, next);
});

const sha1msg2: Semantics = (x) => {
  const [b0, b1, b2] = wordsOf(x, x.readVector(1));
  const [a0, a1, a2, a3] = wordsOf(x, x.readVector(0));
  const w16 = x.c.let(e.rotl(e.xor(a3, b2), 1));
  const w17 = e.rotl(e.xor(a2, b1), 1);
  const w18 = e.rotl(e.xor(a1, b0), 1);
  const w19 = e.rotl(e.xor(a0, w16), 1);
  x.writeVector(0, x.c.let(vectorOf([w19, w18, w17, w16])));
};

/** Two rounds (FIPS 180-4, 6.2.2): the first operand holds C D G H, the second A B E F, XMM0 two words with their constants added. */
const sha256rnds2: Semantics = (x) => {
  const { c } = x;
  const source = x.readVector(1);
  const schedule = wordsOf(x, x.xmm(0));
  let [f, ee, b, a] = wordsOf(x, source);
  let [h, g, d, cc] = wordsOf(x, x.readVector(0));
  for (const word of [schedule[0], schedule[1]]) {
    const bigSigma1 = xor(e.rotr(ee, 6), e.rotr(ee, 11), e.rotr(ee, 25));
    const t1 = c.let(sum(choose(ee, f, g), bigSigma1, word, h));
    const bigSigma0 = xor(e.rotr(a, 2), e.rotr(a, 13), e.rotr(a, 22));
    const next = c.let(sum(t1, majority(a, b, cc), bigSigma0));
    h = g;
    g = f;
    f = ee;
    ee = c.let(e.add(t1, d));
    d = cc;
    cc = b;
    b = a;
    a = next;
  }
  x.writeVector(0, c.let(vectorOf([f, ee, b, a])));
};

/** Small sigma of each lane: two rotations and a shift. */
const smallSigma = (v: V128, first: number, second: number, shift: number): V128 => {
  const right = (by: number): V128 => e.simdShift('i32x4.shr_u', v, e.i32(by));
  const rotated = (by: number): V128 =>
    e.simd('v128.or', right(by), e.simdShift('i32x4.shl', v, e.i32(32 - by)));
  return e.simd('v128.xor', e.simd('v128.xor', rotated(first), rotated(second)), right(shift));
};

const sha256msg1 = packed((a, b, x) => {
  const next = x.c.let(e.shuffle(a, b, [4, 5, 6, 7, 8, 9, 10, 11, ...LANE_3, 16, 17, 18, 19]));
  return e.simd('i32x4.add', a, smallSigma(next, 7, 18, 3));
});

const sigma = (w: I32): I32 => xor(e.rotr(w, 17), e.rotr(w, 19), e.shrU(w, 10));

const sha256msg2: Semantics = (x) => {
  const { c } = x;
  const [, , b2, b3] = wordsOf(x, x.readVector(1));
  const [a0, a1, a2, a3] = wordsOf(x, x.readVector(0));
  const w16 = c.let(e.add(a0, sigma(b2)));
  const w17 = c.let(e.add(a1, sigma(b3)));
  const w18 = e.add(a2, sigma(w16));
  const w19 = e.add(a3, sigma(w17));
  x.writeVector(0, c.let(vectorOf([w16, w17, w18, w19])));
};

/** As on Zen 3 the memory operand may be misaligned; the SDM has #GP(0) here (Vol. 2B, SHA1MSG1, type 4 exceptions). */
const sha = (op: string, mnemonic: string, exec: Semantics): Row => ({
  op,
  mnemonic,
  operands: ['Vx', 'Wx'],
  unit: 'sse',
  feature: 'SHA',
  exec,
});

export const sseCryptoShaRows: readonly Row[] = [
  sha('NP 0F 38 C8 /r', 'SHA1NEXTE', sha1nexte),
  sha('NP 0F 38 C9 /r', 'SHA1MSG1', sha1msg1),
  sha('NP 0F 38 CA /r', 'SHA1MSG2', sha1msg2),
  sha('NP 0F 38 CB /r', 'SHA256RNDS2', sha256rnds2),
  sha('NP 0F 38 CC /r', 'SHA256MSG1', sha256msg1),
  sha('NP 0F 38 CD /r', 'SHA256MSG2', sha256msg2),
  {
    ...sha('NP 0F 3A CC /r', 'SHA1RNDS4', sha1rnds4),
    operands: ['Vx', 'Wx', 'Ib'],
  },
];
