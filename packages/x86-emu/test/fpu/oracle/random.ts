/** Seeded numbers and floating-point operands that favour the edges. */

/** A seeded source of 32-bit numbers (xorshift128). */
export interface Random {
  readonly word: () => number;
  /** A number in 0…limit − 1. */
  readonly below: (limit: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
}

export function createRandom(seed: number): Random {
  let x = 0x9e3779b9 ^ seed;
  let y = 0x243f6a88;
  let z = 0xb7e15162;
  let w = seed * 2654435761 + 1;
  const word = (): number => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w >>> 0;
  };
  for (let i = 0; i < 16; i++) word();
  const below = (limit: number): number => word() % limit;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  return { word, below, pick };
}

/** A significand of `bits` bits below the integer bit: zero, ones, one bit, short runs, or random. */
function fraction(random: Random, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const noise = (BigInt(random.word()) << 32n) | BigInt(random.word());
  switch (random.below(10)) {
    case 0:
      return 0n;
    case 1:
      return all;
    case 2:
      return 1n << BigInt(random.below(bits));
    case 3:
      return all ^ (1n << BigInt(random.below(bits)));
    case 4:
      return BigInt(random.below(4));
    case 5:
      return all - BigInt(random.below(4));
    case 6:
      return noise & all & ~((1n << BigInt(random.below(bits))) - 1n);
    default:
      return noise & all;
  }
}

/** Bits of an IEEE operand; exponents crowd at the ends, around one, and near `near` if given. */
export function ieeeOperand(random: Random, expBits: number, fracBits: number, near = -1): bigint {
  const top = (1 << expBits) - 1;
  const middle = top >> 1;
  let exp = random.below(top + 1);
  const kind = random.below(16);
  if (kind < 2) exp = 0;
  else if (kind === 2) exp = top;
  else if (kind === 3) exp = 1 + random.below(3);
  else if (kind === 4) exp = top - 1 - random.below(3);
  else if (kind < 8) exp = middle + random.below(2 * fracBits) - fracBits;
  else if (kind < 12 && near >= 0) exp = near + random.below(2 * fracBits + 8) - fracBits - 4;
  exp = Math.max(0, Math.min(top, exp));
  const sign = BigInt(random.below(2));
  const frac = fraction(random, fracBits);
  return (((sign << BigInt(expBits)) | BigInt(exp)) << BigInt(fracBits)) | frac;
}

/** 80 bits of an x87 operand; sometimes with an integer bit that does not fit its exponent. */
export function extendedOperand(random: Random, near = -1): bigint {
  const top = 0x7fff;
  let exp = random.below(top + 1);
  const kind = random.below(20);
  if (kind < 2) exp = 0;
  else if (kind === 2) exp = top;
  else if (kind === 3) exp = 1 + random.below(3);
  else if (kind === 4) exp = top - 1 - random.below(3);
  else if (kind < 10) exp = 0x3fff + random.below(140) - 70;
  else if (kind < 16 && near >= 0) exp = near + random.below(140) - 70;
  exp = Math.max(0, Math.min(top, exp));
  const sign = BigInt(random.below(2));
  let integer = exp === 0 ? 0n : 1n;
  if (random.below(24) === 0) integer ^= 1n;
  const frac = fraction(random, 63);
  const lost = random.below(4) === 0 ? (1n << BigInt(random.pick([11, 40]))) - 1n : 0n;
  return (((sign << 15n) | BigInt(exp)) << 64n) | (integer << 63n) | (frac & ~lost);
}
