/// <reference lib="webworker" />
/** 128-bit staged arithmetic against bigint. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModuleBuilder } from '../../src/wasm/module.ts';
import type { I64 } from '../../src/wasm/expr.ts';
import type { Code } from '../../src/wasm/code.ts';
import { divideUnsigned128, magnitude128, multiplyHigh } from '../../src/isa/wide-arithmetic.ts';

type Ternary = (a: bigint, b: bigint, c: bigint) => bigint;

const compile = <Name extends string>(
  builders: Record<Name, (c: Code, args: readonly I64[]) => I64>,
): Record<Name, Ternary> => {
  const module = new ModuleBuilder('test');
  for (const [name, build] of Object.entries<(c: Code, args: readonly I64[]) => I64>(builders)) {
    const { body } = module.function(['i64', 'i64', 'i64'], 'i64', name);
    body.return(
      build(
        body,
        [0, 1, 2].map((i) => body.param(i, 'i64')),
      ),
    );
  }
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), {
    env: { memory },
  });
  return exports as Record<Name, Ternary>;
};

const [A, B, C] = [0, 1, 2] as const;
const at = (args: readonly I64[], i: number): I64 => args[i] as I64;

const staged = compile({
  highUnsigned: (c, args) => multiplyHigh(c, at(args, A), at(args, B), false),
  highSigned: (c, args) => multiplyHigh(c, at(args, A), at(args, B), true),
  quotient: (c, args) => divideUnsigned128(c, at(args, A), at(args, B), at(args, C)).quotient,
  remainder: (c, args) => divideUnsigned128(c, at(args, A), at(args, B), at(args, C)).remainder,
  magnitudeHigh: (c, args) => magnitude128(c, at(args, A), at(args, B)).high,
  magnitudeLow: (c, args) => magnitude128(c, at(args, A), at(args, B)).low,
});

const ONES = (1n << 64n) - 1n;
/** Uniform numbers, and numbers made of few runs of ones and zeros, where the estimates of a digit go wrong. */
const word = fc.oneof(
  fc.bigInt(0n, ONES),
  fc
    .tuple(fc.nat(64), fc.nat(64), fc.integer({ min: -2, max: 2 }))
    .map(([i, j, d]) => BigInt.asUintN(64, (1n << BigInt(i)) - (1n << BigInt(j)) + BigInt(d))),
);

const signed = (x: bigint): bigint => BigInt.asIntN(64, x);
const unsigned = (x: bigint): bigint => BigInt.asUintN(64, x);
const RUNS = { numRuns: 5000 };

test('multiplyHigh gives bits 127:64 of the product', () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(unsigned(staged.highUnsigned(a, b, 0n))).toBe((a * b) >> 64n);
      expect(staged.highSigned(a, b, 0n)).toBe((signed(a) * signed(b)) >> 64n);
    }),
    RUNS,
  );
});

test('divideUnsigned128 gives quotient and remainder of every division that fits', () => {
  fc.assert(
    fc.property(word, word, word, (high, low, divisor) => {
      fc.pre(divisor !== 0n);
      const top = high % divisor;
      const dividend = (top << 64n) | low;
      expect(unsigned(staged.quotient(top, low, divisor))).toBe(dividend / divisor);
      expect(unsigned(staged.remainder(top, low, divisor))).toBe(dividend % divisor);
    }),
    RUNS,
  );
});

test('a dividend whose upper half is just below the divisor', () => {
  for (const divisor of [1n << 63n, (1n << 63n) + 1n, ONES, (1n << 32n) + 1n, 3n]) {
    const dividend = ((divisor - 1n) << 64n) | ONES;
    expect(unsigned(staged.quotient(divisor - 1n, ONES, divisor))).toBe(dividend / divisor);
    expect(unsigned(staged.remainder(divisor - 1n, ONES, divisor))).toBe(dividend % divisor);
  }
});

test('magnitude128 is the absolute value, 2^127 included', () => {
  const check = (high: bigint, low: bigint): void => {
    const value = (signed(high) << 64n) | low;
    const magnitude = value < 0n ? -value : value;
    const got =
      (unsigned(staged.magnitudeHigh(high, low, 0n)) << 64n) |
      unsigned(staged.magnitudeLow(high, low, 0n));
    expect(got).toBe(magnitude);
  };
  fc.assert(fc.property(word, word, check), RUNS);
  check(1n << 63n, 0n);
  check(ONES, 0n);
});
