/** Operand values that find faults: boundaries first, random bits for the rest. All derived from a generator. */
import type { Prng } from './prng.ts';

const EDGES_64: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  0x7fn,
  0x80n,
  0x81n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0x8001n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0x8000_0001n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0x8000_0000_0000_0001n,
  0xffff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_fffen,
  0x5555_5555_5555_5555n,
  0xaaaa_aaaa_aaaa_aaaan,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_ffff_8000n,
  0xffff_ffff_ffff_ff80n,
  0x0102_0408_1020_4080n,
  0x9999_9999_9999_9999n,
];

export const random64 = (r: Prng): bigint => (BigInt(r.u32()) << 32n) | BigInt(r.u32());

/** A 64-bit value, about half of them near a boundary of some operand size. */
export const edge64 = (r: Prng): bigint => {
  switch (r.below(8)) {
    case 0:
    case 1:
    case 2:
      return random64(r);
    case 3:
      return BigInt(r.u32());
    case 4:
      return BigInt(r.below(256));
    case 5:
      return BigInt.asUintN(64, (1n << BigInt(r.below(64))) + BigInt(r.below(3)) - 1n);
    case 6:
      return (r.pick(EDGES_64) & ~0xffffn) | (r.pick(EDGES_64) & 0xffffn);
    default:
      return r.pick(EDGES_64);
  }
};

/** A float's bits: `mantissa` explicit bits, `exponent` bits of exponent. */
const edgeFloat = (r: Prng, exponentBits: number, mantissaBits: number): bigint => {
  const sign = BigInt(r.below(2)) << BigInt(exponentBits + mantissaBits);
  const maxExponent = (1 << exponentBits) - 1;
  const bias = maxExponent >> 1;
  const full = (1n << BigInt(mantissaBits)) - 1n;
  const mantissa = ((): bigint => {
    switch (r.below(6)) {
      case 0:
        return 0n;
      case 1:
        return full;
      case 2:
        return 1n << BigInt(r.below(mantissaBits));
      case 3:
        return BigInt(r.below(4));
      case 4:
        return random64(r) & full & ~((1n << BigInt(mantissaBits >> 1)) - 1n);
      default:
        return random64(r) & full;
    }
  })();
  const exponent = ((): number => {
    switch (r.below(16)) {
      case 0:
      case 1:
        return 0;
      case 2:
      case 3:
        return maxExponent;
      case 4:
        return r.below(3) + 1;
      case 5:
        return maxExponent - 1 - r.below(3);
      case 6:
        return r.below(maxExponent + 1);
      case 7:
        return bias + 7 + r.below(60 < bias ? 60 : 30);
      default:
        return bias + r.below(8) - 4;
    }
  })();
  return sign | (BigInt(exponent) << BigInt(mantissaBits)) | mantissa;
};

export const edgeF32 = (r: Prng): number => Number(edgeFloat(r, 8, 23));
export const edgeF64 = (r: Prng): bigint => edgeFloat(r, 11, 52);

/** An 80-bit extended value: significand with its explicit integer bit, then sign and exponent. */
export const edgeF80 = (r: Prng): { significand: bigint; signExponent: number } => {
  const bits = edgeFloat(r, 15, 63);
  const signExponent = Number(bits >> 63n);
  const fraction = bits & 0x7fff_ffff_ffff_ffffn;
  const exponent = signExponent & 0x7fff;
  // mostly well-formed; one in 12 has the wrong integer bit (pseudo-denormal, unnormal, pseudo-infinity, pseudo-NaN)
  const integer = (exponent !== 0) !== r.oneIn(12);
  return { significand: fraction | (integer ? 1n << 63n : 0n), signExponent };
};
