/** Bit work on bigint significands: shift counts, powers and masks made once, and bit lengths. */

const LIMIT = 300;

const counts: bigint[] = [];
const powers: bigint[] = [];
const masks: bigint[] = [];
for (let n = 0; n < LIMIT; n++) {
  counts.push(BigInt(n));
  powers.push(1n << BigInt(n));
  masks.push((1n << BigInt(n)) - 1n);
}

/** `BigInt(n)` without an allocation, for shift counts 0…299. */
export const count = (n: number): bigint => counts[n] as bigint;
/** 2^n, for n in 0…299. */
export const power = (n: number): bigint => powers[n] as bigint;
/** 2^n − 1, for n in 0…299. */
export const mask = (n: number): bigint => masks[n] as bigint;

/** One 64-bit cell seen as bigint, as words and as a double: conversions without arithmetic. */
const cell: ArrayBuffer = new ArrayBuffer(8);
const cellBig: BigUint64Array = new BigUint64Array(cell);
const cellWords: Uint32Array = new Uint32Array(cell);
const cellFloat: Float64Array = new Float64Array(cell);

/** Joins two 32-bit words, low word first, to an unsigned 64-bit bigint. */
export function joinWords(lo: number, hi: number): bigint {
  cellWords[0] = lo;
  cellWords[1] = hi;
  return cellBig[0] as bigint;
}

/** Bits 0…31 of `value` as an unsigned number. */
export function lowWord(value: bigint): number {
  cellBig[0] = value;
  return cellWords[0] as number;
}

/** Bits 32…63 of `value` as an unsigned number. */
export function highWord(value: bigint): number {
  cellBig[0] = value;
  return cellWords[1] as number;
}

/** Position of the highest set bit, plus one; 0 for 0. `value` is non-negative, below 2^1000. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  cellFloat[0] = Number(value);
  const high = cellWords[1] as number;
  const length = (high >>> 20) - 1022;
  // The conversion rounds to nearest: 2^n − 1 may have become 2^n, and only then the fraction is 0.
  if ((high & 0xfffff) === 0 && cellWords[0] === 0 && value >> BigInt(length - 1) === 0n) {
    return length - 1;
  }
  return length;
}

/** Floor of the square root of a value in [2^134, 2^136). */
export function squareRoot136(value: bigint): bigint {
  // A double gives 52 good bits of 68; one Newton step makes them more than 68, never too low.
  const estimate = BigInt(Math.floor(Math.sqrt(Number(value))));
  let root = (estimate + value / estimate) >> 1n;
  if (root * root > value) root -= 1n;
  return root;
}
