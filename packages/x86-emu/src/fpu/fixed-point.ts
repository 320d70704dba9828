/**
 * Elementary functions in binary fixed point: integers scaled by 2^FRACTION. Each series is accurate to about 2^-240, far beyond the 64 bits of a result; its
 * leading factor is kept apart by the callers, so that the relative error of small results stays as low.
 */

/** Fraction bits of every value here. */
export const FRACTION = 256;
const SCALE = BigInt(FRACTION);
export const ONE: bigint = 1n << SCALE;

export const multiply = (a: bigint, b: bigint): bigint => (a * b) >> SCALE;
export const divide = (a: bigint, b: bigint): bigint => (a << SCALE) / b;

/** Fraction bits of the longest constant. */
const LONG = 320n;

/** π scaled by 2^LONG. */
const PI_LONG: bigint =
  0x3243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89452821e638d01377n;

export const PI: bigint = PI_LONG >> (LONG - SCALE);
export const LN2: bigint = 0xb17217f7d1cf79abc9e3b39803f2f6af40f343267298b62d8a0d175b8baafa2bn;
export const LOG2_E: bigint = 0x171547652b82fe1777d0ffda0d23a7d11d6aef551bad2b4b1164a2cd9a342648fn;

/** (atanh z) ÷ z for |z| < 1/3, given z². */
export function arctanhSeries(square: bigint): bigint {
  let sum = ONE;
  let power = ONE;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = multiply(power, square);
    sum += power / k;
  }
  return sum;
}

/** (e^t − 1) ÷ t for |t| < 1. */
export function exponentialSeries(t: bigint): bigint {
  let sum = ONE;
  let term = ONE;
  for (let k = 2n; term !== 0n && term !== -1n; k += 1n) {
    term = multiply(term, t) / k;
    sum += term;
  }
  return sum;
}

/** (sin r) ÷ r for |r| < 1, given r². */
export function sineSeries(square: bigint): bigint {
  let sum = ONE;
  let term = ONE;
  for (let k = 2n; term !== 0n; k += 2n) {
    term = -multiply(term < 0n ? -term : term, square) * (term < 0n ? -1n : 1n);
    term /= k * (k + 1n);
    sum += term;
  }
  return sum;
}

/** cos r for |r| < 1, given r². */
export function cosineSeries(square: bigint): bigint {
  let sum = ONE;
  let term = ONE;
  for (let k = 1n; term !== 0n; k += 2n) {
    term = -multiply(term < 0n ? -term : term, square) * (term < 0n ? -1n : 1n);
    term /= k * (k + 1n);
    sum += term;
  }
  return sum;
}

/** (atan q) ÷ q for |q| < 1/8, given q². */
function arctangentSeries(square: bigint): bigint {
  let sum = ONE;
  let power = ONE;
  let sign = -1n;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = multiply(power, square);
    sum += (sign * power) / k;
    sign = -sign;
  }
  return sum;
}

const STEPS = 8n;
const stepAngles: bigint[] = [];

/** atan(n/8) for n in 0…8. */
function stepAngle(n: bigint): bigint {
  let angle = stepAngles[Number(n)];
  if (angle === undefined) {
    // atan(n/8) = atan((n−1)/8) + atan(8 ÷ (64 + n(n−1))), whose argument is below 1/8.
    const ratio = divide(STEPS, STEPS * STEPS + n * (n - 1n));
    angle =
      n === 0n ? 0n : stepAngle(n - 1n) + multiply(ratio, arctangentSeries(multiply(ratio, ratio)));
    stepAngles[Number(n)] = angle;
  }
  return angle;
}

/** (atan q) ÷ q for 0 ≤ q ≤ 1. */
export function arctangentRatio(q: bigint): bigint {
  const step = (q * STEPS) >> SCALE;
  if (step === 0n) return arctangentSeries(multiply(q, q));
  const rest = divide(q * STEPS - step * ONE, STEPS * ONE + step * q);
  const angle = stepAngle(step) + multiply(rest, arctangentSeries(multiply(rest, rest)));
  return divide(angle, q);
}

/** An angle reduced to |r| ≤ π/4. */
export interface ReducedAngle {
  /** Multiples of π/2 taken off, modulo 4. */
  quadrant: number;
  rest: bigint;
}

/** π as trigonometric instructions know it: 66 bits, on AMD and Intel silicon alike. */
const ANGLE_PI: bigint = (PI_LONG >> (LONG - 64n)) << (LONG - 64n);

/** Reduces sig × 2^shift (shift −64 … −1) by multiples of half the processor's π. */
export function reduceAngle(sig: bigint, shift: number): ReducedAngle {
  const value = sig << (LONG - BigInt(-shift));
  const half = ANGLE_PI >> 1n;
  const turns = (value + (half >> 1n)) / half;
  const rest = (value - turns * half) >> (LONG - SCALE);
  return { quadrant: Number(turns & 3n), rest };
}
