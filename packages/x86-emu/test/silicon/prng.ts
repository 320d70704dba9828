/** Seeded 32-bit generator (Chris Doty-Humphrey's sfc32). Vectors depend on its exact sequence. */
export interface Prng {
  readonly u32: () => number;
  /** Below `n`, n <= 2^32. */
  readonly below: (n: number) => number;
  /** True once in `n`. */
  readonly oneIn: (n: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
}

export const createPrng = (seed: number): Prng => {
  let a = 0x9e3779b9;
  let b = seed | 0;
  let c = 0x243f6a88;
  let counter = 1;
  const u32 = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 10; i++) u32();
  const below = (n: number): number => Math.floor((u32() / 0x1_0000_0000) * n);
  return {
    u32,
    below,
    oneIn: (n) => below(n) === 0,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('pick from an empty list');
      return item;
    },
  };
};
