// Worked examples of the standards: FIPS 197 rounds, a carry-less product, and the digests of "abc" (FIPS 180-4) by the SHA instructions.
import { describe, expect, it } from 'vitest';
import { createGuest } from './guest.ts';

const guest = createGuest('long');
guest.machine.writeRegister('cr4', 0x620n);
const { state } = guest.machine;

const MASK_64 = (1n << 64n) - 1n;

const set = (n: number, value: bigint): void => {
  state.setXmm(n, 0, value & MASK_64);
  state.setXmm(n, 1, value >> 64n);
};
const get = (n: number): bigint => (state.xmm(n, 1) << 64n) | state.xmm(n, 0);

const apply = (code: readonly number[], a: bigint, b: bigint): string => {
  set(0, a);
  set(1, b);
  expect(guest.run(code).kind).not.toBe('exception');
  return get(0).toString(16).padStart(32, '0');
};

const STATE = 0x7b5b_5465_7374_5665_6374_6f72_5d53_475dn;
const KEY = 0x4869_2853_6861_7929_5b47_7565_726f_6e5dn;

describe('AES', () => {
  it.each([
    ['AESENC', 0xdc, 'a8311c2f9fdba3c58b104b58ded7e595'],
    ['AESENCLAST', 0xdd, 'c7fb881e938c5964177ec42553fdc611'],
    ['AESDEC', 0xde, '138ac342faea2787b58eb95eb730392a'],
    ['AESDECLAST', 0xdf, 'c5a391ef6b317f95d410637b72a593d0'],
  ])('%s', (_name, opcode, result) => {
    expect(apply([0x66, 0x0f, 0x38, opcode, 0xc1], STATE, KEY)).toBe(result);
  });

  it('AESIMC', () => {
    const code = [0x66, 0x0f, 0x38, 0xdb, 0xc1];
    expect(apply(code, 0n, STATE)).toBe('627a6f6644b109c82b18330a81c3b3e5');
  });

  it('AESKEYGENASSIST', () => {
    const key = 0x3c4f_cf09_8815_f7ab_a6d2_ae28_1615_7e2bn;
    const code = [0x66, 0x0f, 0x3a, 0xdf, 0xc1, 0x01];
    expect(apply(code, 0n, key)).toBe('01eb848beb848a013424b5e524b5e434');
  });

  it('AESDECLAST undoes the substitution and row shift of AESENCLAST', () => {
    const shifted = BigInt(`0x${apply([0x66, 0x0f, 0x38, 0xdd, 0xc1], STATE, 0n)}`);
    expect(BigInt(`0x${apply([0x66, 0x0f, 0x38, 0xdf, 0xc1], shifted, 0n)}`)).toBe(STATE);
  });
});

/** The product of two polynomials over GF(2), by the schoolbook. */
const carrylessProduct = (a: bigint, b: bigint): bigint => {
  let product = 0n;
  for (let i = 0n; i < 64n; i++) if ((a >> i) & 1n) product ^= b << i;
  return product;
};

describe('PCLMULQDQ', () => {
  it.each([0x00, 0x01, 0x10, 0x11, 0xee])('multiplies the halves that %i chooses', (control) => {
    const half = (v: bigint, high: boolean): bigint => (high ? v >> 64n : v & MASK_64);
    const want = carrylessProduct(
      half(STATE, (control & 1) !== 0),
      half(KEY, (control & 0x10) !== 0),
    );
    const code = [0x66, 0x0f, 0x3a, 0x44, 0xc1, control];
    expect(BigInt(`0x${apply(code, STATE, KEY)}`)).toBe(want);
  });

  it('keeps the bit that 63 places move beyond 64', () => {
    const top = 1n << 63n;
    const code = [0x66, 0x0f, 0x3a, 0x44, 0xc1, 0];
    expect(BigInt(`0x${apply(code, top, top | 1n)}`)).toBe((1n << 126n) | top);
    expect(BigInt(`0x${apply(code, 1n, top | 1n)}`)).toBe(top | 1n);
    expect(BigInt(`0x${apply(code, 0n, top)}`)).toBe(0n);
  });
});

/** Four words, the first one in the highest lane. */
const pack = (words: readonly number[]): bigint =>
  words.reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
const unpack = (value: bigint): number[] =>
  [96n, 64n, 32n, 0n].map((at) => Number((value >> at) & 0xffff_ffffn));
const hex = (words: readonly number[]): string =>
  words.map((w) => (w >>> 0).toString(16).padStart(8, '0')).join('');

/** The padded block of "abc". */
const BLOCK = [0x6162_6380, ...Array.from({ length: 14 }, () => 0), 24];

describe('SHA', () => {
  it('SHA-1 of "abc"', () => {
    const step = (code: readonly number[], a: bigint, b: bigint): bigint =>
      BigInt(`0x${apply(code, a, b)}`);
    const message = [0, 4, 8, 12].map((i) => pack(BLOCK.slice(i, i + 4)));
    for (let i = 4; i < 20; i++) {
      const [w0, w1, w2, w3] = message.slice(i - 4, i) as [bigint, bigint, bigint, bigint];
      const partial = step([0x0f, 0x38, 0xc9, 0xc1], w0, w1) ^ w2;
      message.push(step([0x0f, 0x38, 0xca, 0xc1], partial, w3));
    }
    const start = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    const e0 = 0xc3d2_e1f0;
    let abcd = pack(start);
    let previous = 0n;
    message.forEach((words, i) => {
      // SHA1NEXTE adds the E that four rounds ago was A; the first E is given.
      const scheduled =
        i === 0
          ? pack(unpack(words).map((w, k) => (k === 0 ? w + e0 : w)))
          : step([0x0f, 0x38, 0xc8, 0xc1], previous, words);
      previous = abcd;
      abcd = step([0x0f, 0x3a, 0xcc, 0xc1, Math.floor(i / 5)], abcd, scheduled);
    });
    const last = unpack(step([0x0f, 0x38, 0xc8, 0xc1], previous, pack([e0, 0, 0, 0])))[0] ?? 0;
    const digest = [...unpack(abcd).map((w, i) => w + (start[i] ?? 0)), last];
    expect(hex(digest)).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });

  it('SHA-256 of "abc"', () => {
    /** Fractional bits of the square (cube) root of the n-th prime, the constants of FIPS 180-4, 4.2.2 and 5.3.3. */
    const primes: number[] = [];
    for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
    const rootBits = (value: number, degree: 2n | 3n): number => {
      const scaled = BigInt(value) << (32n * degree);
      let root = 0n;
      for (let bit = 1n << 40n; bit > 0n; bit >>= 1n)
        if ((root | bit) ** degree <= scaled) root |= bit;
      return Number(root & 0xffff_ffffn);
    };
    const k = primes.map((p) => rootBits(p, 3n));
    const [a, b, c, d, ee, f, g, h] = primes.slice(0, 8).map((p) => rootBits(p, 2n)) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    // The message words stand in memory order here: the first one in the lowest lane.
    const inOrder = (words: readonly number[]): bigint => pack(words.toReversed());
    const message = [0, 4, 8, 12].map((i) => inOrder(BLOCK.slice(i, i + 4)));
    const add = (x: bigint, y: bigint): bigint => {
      const other = unpack(y);
      return pack(unpack(x).map((w, i) => w + (other[i] ?? 0)));
    };
    for (let i = 4; i < 16; i++) {
      const [w0, w1, w2, w3] = message.slice(i - 4, i) as [bigint, bigint, bigint, bigint];
      const partial = BigInt(`0x${apply([0x0f, 0x38, 0xcc, 0xc1], w0, w1)}`);
      const sevenBack = ((w3 << 96n) | (w2 >> 32n)) & ((1n << 128n) - 1n);
      message.push(BigInt(`0x${apply([0x0f, 0x38, 0xcd, 0xc1], add(partial, sevenBack), w3)}`));
    }
    let abef = pack([a, b, ee, f]);
    let cdgh = pack([c, d, g, h]);
    message.forEach((words, i) => {
      const sums = add(words, inOrder(k.slice(4 * i, 4 * i + 4)));
      for (const pair of [sums, sums >> 64n]) {
        set(0, pair);
        set(1, cdgh);
        set(2, abef);
        guest.run([0x0f, 0x38, 0xcb, 0xca]);
        [abef, cdgh] = [get(1), abef];
      }
    });
    const [a2, b2, e2, f2] = unpack(abef) as [number, number, number, number];
    const [c2, d2, g2, h2] = unpack(cdgh) as [number, number, number, number];
    const digest = [a + a2, b + b2, c + c2, d + d2, ee + e2, f + f2, g + g2, h + h2];
    expect(hex(digest)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
