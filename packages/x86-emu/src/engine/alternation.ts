/**
 * Changes between interpreter and translator at random: before each slice what comes next may be translated, or what was translated may be dropped, and the length
 * of the slice is random too. All of that must be invisible; tests run whole systems so. The same seed gives the same choices.
 */

/** What is done to the engine. */
export interface AlternationTarget {
  /** Translates the region at RIP. */
  readonly translateHere: () => void;
  /** Forgets the code of the page at RIP, translated or decoded. */
  readonly dropHere: () => void;
}

/** Longest slice: 2 to this. */
const MOST_BITS = 14;
/** One slice of so many is translated at first; later fewer, for whole boots are to end. */
const TRANSLATED = { first: 2, slower: 1 / 64 } as const;
/** One translated slice of so many is dropped instead. */
const DROPPED = 8;

export class Alternation {
  #state: number;
  #slices = 0;

  constructor(seed: bigint) {
    // Any state of the generator but 0.
    this.#state = Number(BigInt.asUintN(32, seed)) ^ 0x9e37_79b9 || 1;
  }

  /** Does something or nothing to the engine; gives how many instructions it may execute then. */
  next(target: AlternationTarget): number {
    const odds = Math.floor(TRANSLATED.first + this.#slices++ * TRANSLATED.slower);
    if (this.#random(odds) === 0) {
      if (this.#random(DROPPED) === 0) target.dropHere();
      else target.translateHere();
    }
    return 1 + this.#random(2 ** this.#random(MOST_BITS + 1));
  }

  /** xorshift32 (Marsaglia 2003), as a number below `limit`. */
  #random(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % limit;
  }
}
