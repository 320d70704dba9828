import { describe, expect, test } from 'vitest';
import { SSE_FORMAT, SSE_OP, sseBinary } from '../../src/fpu/sse.ts';
import { sseReciprocal, sseReciprocalRoot } from '../../src/fpu/sse-approximation.ts';
import { sseToInteger } from '../../src/fpu/sse-integer.ts';
import { ssePacked, ssePackedBinary } from '../../src/fpu/sse-packed.ts';

const CALM = 0x1f80;
const ONE = 0x3f800000;
const THREE = 0x40400000;
const SNAN = 0x7f800001;
const SMALLEST = 0x00000001;

/** FNV-1a over 32-bit words, little endian. */
function fnv(words: Iterable<number>): number {
  let hash = 0x811c9dc5;
  for (const word of words) {
    for (let shift = 0; shift < 32; shift += 8) {
      hash = Math.imul(hash ^ ((word >>> shift) & 255), 0x01000193);
    }
  }
  return hash >>> 0;
}

describe('approximations', () => {
  test('RCPSS of all 4096 leading significands is that of AMD Zen 3', () => {
    const results = Array.from({ length: 4096 }, (_, i) => sseReciprocal(ONE | (i << 11)));
    expect(fnv(results)).toBe(0x45a86427);
  });

  test('RSQRTSS of all 8192 leading significands is that of AMD Zen 3', () => {
    const results = Array.from({ length: 8192 }, (_, i) => sseReciprocalRoot(ONE + (i << 11)));
    expect(fnv(results)).toBe(0xe4a52541);
  });

  test("both stay within the architecture's bound of 1.5 × 2^-12", () => {
    const cell = new DataView(new ArrayBuffer(4));
    const value = (bits: number): number => {
      cell.setUint32(0, bits);
      return cell.getFloat32(0);
    };
    for (let bits = ONE; bits < ONE + 0x01000000; bits += 0x1777) {
      const x = value(bits);
      expect(Math.abs(value(sseReciprocal(bits)) * x - 1)).toBeLessThan(1.5 * 2 ** -12);
      const root = value(sseReciprocalRoot(bits)) * Math.sqrt(x);
      expect(Math.abs(root - 1)).toBeLessThan(1.5 * 2 ** -12);
    }
  });

  test('zeros, denormals, infinities, negatives and NaNs', () => {
    expect(sseReciprocal(0x80000001)).toBe(0xff800000);
    expect(sseReciprocal(0xff800000)).toBe(0x80000000);
    expect(sseReciprocal(0x7f000000)).toBe(0);
    expect(sseReciprocal(SNAN)).toBe(0x7fc00001);
    expect(sseReciprocalRoot(0x80000000)).toBe(0xff800000);
    expect(sseReciprocalRoot(0xbf800000)).toBe(0xffc00000);
    expect(sseReciprocalRoot(0x7f800000)).toBe(0);
  });
});

describe('exceptions of scalar operations', () => {
  test('a result is told even when its exception is unmasked after the computation', () => {
    const { flags, unmasked } = sseBinary(SSE_OP.div, SSE_FORMAT.single, ONE, 0, THREE, 0, 0);
    expect([flags, unmasked]).toEqual([0x20, 0x20]);
  });

  test('an unmasked denormal operand hides underflow and precision', () => {
    const mxcsr = CALM & ~0x100;
    const r = sseBinary(SSE_OP.mul, SSE_FORMAT.single, SMALLEST, 0, 0x3eaaaaab, 0, mxcsr);
    expect([r.flags, r.unmasked]).toEqual([0x02, 0x02]);
    const masked = sseBinary(SSE_OP.mul, SSE_FORMAT.single, SMALLEST, 0, 0x3eaaaaab, 0, CALM);
    expect([masked.lo, masked.flags]).toEqual([0, 0x32]);
  });

  test('the result object is reused: words must be taken before the next call', () => {
    const first = sseBinary(SSE_OP.add, SSE_FORMAT.single, ONE, 0, ONE, 0, CALM);
    const second = sseBinary(SSE_OP.sub, SSE_FORMAT.single, ONE, 0, ONE, 0, CALM);
    expect(first).toBe(second);
  });

  test.each([
    [0x4f000000, 32, 0x80000000, 0, 1],
    [0xcf000000, 32, 0x80000000, 0, 0],
    [0x5f000000, 64, 0, 0x80000000, 1],
    [0xdf000000, 64, 0, 0x80000000, 0],
    [0xbf000001, 32, 0xffffffff, 0, 0x20],
    [SNAN, 32, 0x80000000, 0, 1],
  ] as const)('binary32 with bits %i to an integer of %i bits', (bits, width, lo, hi, flags) => {
    const r = sseToInteger(SSE_FORMAT.single, width, false, bits, 0, CALM);
    expect([r.lo, r.hi, r.flags]).toEqual([lo, hi, flags]);
  });
});

describe('packed operations', () => {
  test('an unmasked invalid operand of one element hides the inexactness of another', () => {
    const a = Uint32Array.of(ONE, SNAN, ONE, ONE);
    const b = Uint32Array.of(THREE, ONE, ONE, ONE);
    const unmaskedInvalid = CALM & ~0x80;
    const r = ssePackedBinary(SSE_OP.div, SSE_FORMAT.single, a, 0, b, 0, unmaskedInvalid);
    expect([r.flags, r.unmasked]).toEqual([1, 1]);
    const masked = ssePackedBinary(SSE_OP.div, SSE_FORMAT.single, a, 0, b, 0, CALM);
    expect([masked.flags, masked.unmasked]).toEqual([0x21, 0]);
    expect([...masked.words]).toEqual([0x3eaaaaab, 0x7fc00001, ONE, ONE]);
  });

  test('operands stand at word indices of any memory', () => {
    const memory = new Uint32Array(16);
    memory.set([ONE, ONE, ONE, ONE], 4);
    memory.set([THREE, ONE, ONE, ONE], 9);
    const r = ssePackedBinary(SSE_OP.add, SSE_FORMAT.single, memory, 4, memory, 9, CALM);
    expect([...r.words]).toEqual([0x40800000, 0x40000000, 0x40000000, 0x40000000]);
  });

  test('elements that are not asked for are zero', () => {
    const r = ssePacked(
      SSE_FORMAT.single,
      CALM,
      () => sseBinary(SSE_OP.add, SSE_FORMAT.single, ONE, 0, ONE, 0, CALM),
      2,
    );
    expect([...r.words]).toEqual([0x40000000, 0x40000000, 0, 0]);
  });
});
