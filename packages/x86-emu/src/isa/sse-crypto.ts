/** AES-NI and PCLMULQDQ (SDM Vol. 1, 12.13). */
import { registerSlowPath } from '../cpu/slow-path.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import { BASE } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I64, V128 } from '../wasm/expr.ts';
import type { Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { high64, immediate, low64, sse } from './vector.ts';

/** Word indices in `CpuState.vectors`. */
const A = 0;
const B = 4;
const RESULT = 8;

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2). */
const timesX = (byte: number): number => ((byte << 1) ^ ((byte & 0x80) === 0 ? 0 : 0x11b)) & 0xff;

const multiply = (a: number, b: number): number => {
  let product = 0;
  let power = a;
  for (let bits = b; bits !== 0; bits >>= 1) {
    if ((bits & 1) !== 0) product ^= power;
    power = timesX(power);
  }
  return product;
};

const rotateLeft8 = (byte: number, by: number): number =>
  ((byte << by) | (byte >> (8 - by))) & 0xff;

/** The substitution box and its inverse (FIPS 197, 5.1.1): inversion in the field, then an affine map. */
const [SUBSTITUTE, RESTORE] = ((): readonly [Uint8Array, Uint8Array] => {
  const forward = new Uint8Array(256);
  const backward = new Uint8Array(256);
  for (let value = 0; value < 256; value++) {
    // The inverse is the 254th power.
    let inverse = 1;
    for (let i = 0; i < 254; i++) inverse = multiply(inverse, value);
    const mapped = [1, 2, 3, 4].reduce((sum, by) => sum ^ rotateLeft8(inverse, by), inverse) ^ 0x63;
    forward[value] = mapped;
    backward[mapped] = value;
  }
  return [forward, backward];
})();

/** Column of the state matrix that a byte with this value in row 0 adds to, by the matrix's first column. */
const columnTable = (factors: readonly [number, number, number, number]): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, value) =>
    factors.reduce((word, factor, row) => word | (multiply(value, factor) << (8 * row)), 0),
  );

const MIX = columnTable([2, 1, 1, 3]);
const UNMIX = columnTable([14, 9, 13, 11]);

const mixColumn = (table: Uint32Array, column: number): number => {
  let mixed = 0;
  for (let row = 0; row < 4; row++) {
    const word = table[(column >>> (8 * row)) & 0xff] as number;
    mixed ^= row === 0 ? word : (word << (8 * row)) | (word >>> (32 - 8 * row));
  }
  return mixed >>> 0;
};

/** Rows move `step` columns to the left per row, bytes go through `box`; gives column `c`. */
const shiftAndSubstitute = (
  words: Uint32Array,
  box: Uint8Array,
  c: number,
  step: 1 | -1,
): number => {
  let column = 0;
  for (let row = 0; row < 4; row++) {
    const word = words[A + ((c + step * row) & 3)] as number;
    column |= (box[(word >>> (8 * row)) & 0xff] as number) << (8 * row);
  }
  return column >>> 0;
};

/** One round on the operand at A, with the round key at B. */
const cipherRound = (name: string, encrypts: boolean, last: boolean): void => {
  const box = encrypts ? SUBSTITUTE : RESTORE;
  const table = encrypts ? MIX : UNMIX;
  registerSlowPath(name, (cpu) => {
    const words = cpu.state.vectors;
    for (let c = 0; c < 4; c++) {
      const column = shiftAndSubstitute(words, box, c, encrypts ? 1 : -1);
      words[RESULT + c] = (last ? column : mixColumn(table, column)) ^ (words[B + c] as number);
    }
    return 0;
  });
};

cipherRound('AESENC', true, false);
cipherRound('AESENCLAST', true, true);
cipherRound('AESDEC', false, false);
cipherRound('AESDECLAST', false, true);

registerSlowPath('AESIMC', (cpu) => {
  const words = cpu.state.vectors;
  for (let c = 0; c < 4; c++) words[RESULT + c] = mixColumn(UNMIX, words[B + c] as number);
  return 0;
});

const substituteWord = (word: number): number => {
  let result = 0;
  for (let at = 0; at < 32; at += 8) result |= (SUBSTITUTE[(word >>> at) & 0xff] as number) << at;
  return result;
};

registerSlowPath('AESKEYGENASSIST', (cpu, roundConstant) => {
  const words = cpu.state.vectors;
  for (const half of [0, 2]) {
    const word = substituteWord(words[B + half + 1] as number);
    words[RESULT + half] = word;
    words[RESULT + half + 1] = ((word >>> 8) | (word << 24)) ^ (roundConstant & 0xff);
  }
  return 0;
});

/** An instruction whose result is the slow path's, from both operands. */
const round =
  (name: string): Semantics =>
  (x) => {
    x.c.storeV128(BASE, x.readVector(1), FIELDS.sseB.address);
    x.c.storeV128(BASE, x.readVector(0), FIELDS.sseA.address);
    x.slowPath(name, ...(x.operandCount > 2 ? [immediate(x, 2)] : []));
    x.writeVector(0, x.c.loadV128(BASE, FIELDS.sseResult.address));
  };

/** PCLMULQDQ: the 128-bit product of two polynomials over GF(2), one bit of the first factor a turn. */
const pclmulqdq: Semantics = (x) => {
  const { c } = x;
  const control = immediate(x, 2);
  const half = (vector: V128, bit: number): I64 =>
    c.let(e.select(e.nez(e.and(control, bit)), high64(vector), low64(vector)));
  const b = half(x.readVector(1), 0x10);
  const a = half(x.readVector(0), 0x01);
  const [low, high] = [c.variable('i64', e.i64(0)), c.variable('i64', e.i64(0))];
  const left = c.variable('i64', a);
  c.block((done) => {
    c.loop((again) => {
      c.brIf(e.eqz(c.get(left)), done);
      const at = c.let(e.ctz(c.get(left)));
      c.set(low, e.xor(c.get(low), e.shl(b, at)));
      // The part beyond 64 bits; a shift by 64 must give nothing.
      c.set(high, e.xor(c.get(high), e.shrU(e.shrU(b, 1), e.sub(e.i64(63), at))));
      c.set(left, e.and(c.get(left), e.sub(c.get(left), e.i64(1))));
      c.br(again);
    });
  });
  const product = e.replaceLane(
    'i64x2.replace_lane',
    e.splat('i64x2.splat', c.get(low)),
    1,
    c.get(high),
  );
  x.writeVector(0, c.let(product));
};

const withByte = (
  op: string,
  mnemonic: string,
  exec: Semantics,
  feature: 'AESNI' | 'PCLMULQDQ',
): Row => ({ ...sse(op, mnemonic, exec, feature), operands: ['Vx', 'Wx', 'Ib'] });

export const sseCryptoRows: readonly Row[] = [
  sse('66 0F 38 DB /r', 'AESIMC', round('AESIMC'), 'AESNI'),
  sse('66 0F 38 DC /r', 'AESENC', round('AESENC'), 'AESNI'),
  sse('66 0F 38 DD /r', 'AESENCLAST', round('AESENCLAST'), 'AESNI'),
  sse('66 0F 38 DE /r', 'AESDEC', round('AESDEC'), 'AESNI'),
  sse('66 0F 38 DF /r', 'AESDECLAST', round('AESDECLAST'), 'AESNI'),
  withByte('66 0F 3A DF /r', 'AESKEYGENASSIST', round('AESKEYGENASSIST'), 'AESNI'),
  withByte('66 0F 3A 44 /r', 'PCLMULQDQ', pclmulqdq, 'PCLMULQDQ'),
];
