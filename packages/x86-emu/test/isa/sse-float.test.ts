// Where WebAssembly's arithmetic stands in for the exact path, both must agree in result and MXCSR.
import { describe, expect, it } from 'vitest';
import { SSE_OP, sseBinary, sseConvert, sseSquareRoot } from '../../src/fpu/sse.ts';
import type { SseFormat, SseResult } from '../../src/fpu/sse.ts';
import { sseFromInteger, sseRoundIntegral, sseToInteger } from '../../src/fpu/sse-integer.ts';
import { createGuest } from './guest.ts';

const PAE_OSFXSR_OSXMMEXCPT = 0x620n;
const NO_OSXMMEXCPT = 0x220n;
const NO_OSFXSR = 0x420n;

/** PE seen, PE not seen, FTZ, DAZ, rounding up, all masked; and inexact results unmasked. */
const MXCSRS = [0x1fa0, 0x1f80, 0x9fa0, 0x1fe0, 0x5fa0, 0x0fa0];

const fraction = (format: SseFormat): bigint => (format === 32 ? 23n : 52n);
const signBit = (format: SseFormat): bigint => 1n << BigInt(format - 1);

/** Magnitudes around every limit of a format: zero, denormals, the smallest and largest normals, infinity, NaNs, and plain numbers. */
const magnitudes = (format: SseFormat): readonly bigint[] => {
  const f = fraction(format);
  const bias = format === 32 ? 127n : 1023n;
  const power = (exponent: bigint): bigint => (bias + exponent) << f;
  const normal = 1n << f;
  const infinity = (2n * bias + 1n) << f;
  return [
    0n,
    1n,
    normal - 1n,
    normal,
    normal + 1n,
    2n * normal,
    power(0n),
    power(0n) + 1n,
    power(0n) - 1n,
    power(1n) | (1n << (f - 1n)),
    power(-1n),
    power(30n) + 12_345n,
    power(31n),
    power(31n) - 1n,
    power(62n) + 1n,
    power(63n),
    power(f),
    power(-bias / 2n),
    power(-bias / 2n) + 1n,
    power(bias / 2n) + 1n,
    infinity - 1n,
    infinity,
    infinity | 1n,
    infinity | (1n << (f - 1n)) | 5n,
  ];
};

const operands = (format: SseFormat): readonly bigint[] =>
  magnitudes(format).flatMap((m) => [m, m | signBit(format)]);

/** Second operands: each magnitude once, signs taking turns, and both zeros. */
const seconds = (format: SseFormat): readonly bigint[] => [
  signBit(format),
  ...magnitudes(format).map((m, i) => ((i & 1) === 0 ? m : m | signBit(format))),
];

/** Integers around what the formats hold exactly, and the ends of the integer formats. */
const integers: readonly bigint[] = [24n, 25n, 31n, 53n, 54n, 63n]
  .flatMap((bits) => [(1n << bits) - 1n, 1n << bits, (1n << bits) + 1n, 3n - (1n << bits)])
  .map((value) => BigInt.asUintN(64, value));

const low = (bits: bigint): number => Number(bits & 0xffff_ffffn);
const high = (bits: bigint): number => Number((bits >> 32n) & 0xffff_ffffn);

const guest = createGuest('long');
guest.machine.writeRegister('cr4', PAE_OSFXSR_OSXMMEXCPT);
const { state } = guest.machine;

const UNTOUCHED = 0x0123_4567_89ab_cdefn;

interface Outcome {
  readonly result: bigint;
  readonly mxcsr: number;
  readonly fault: boolean;
}

/** Runs `code` with the operands in XMM0 and XMM1; the result is the low `width` bits of XMM0, or RAX. */
const run = (
  code: readonly number[],
  width: number,
  a: bigint,
  b: bigint,
  mxcsr: number,
  to: 'xmm' | 'rax' = 'xmm',
): Outcome => {
  state.setXmm(0, 0, a);
  state.setXmm(0, 1, UNTOUCHED);
  state.setXmm(1, 0, b);
  state.setXmm(1, 1, 0n);
  state.setGpr(0, b);
  state.set('mxcsr', mxcsr);
  const fault = guest.run(code).kind === 'exception';
  const result = to === 'rax' ? state.gpr(0) : state.xmm(0, 0);
  return { result: BigInt.asUintN(width, result), mxcsr: state.get('mxcsr'), fault };
};

const expected = (r: SseResult, width: number, before: bigint, mxcsr: number): Outcome => {
  const fault = r.unmasked !== 0;
  const bits = (BigInt(r.hi) << 32n) | BigInt(r.lo);
  return {
    result: BigInt.asUintN(width, fault ? before : bits),
    mxcsr: mxcsr | r.flags,
    fault,
  };
};

const show = (o: Outcome): string =>
  `${o.result.toString(16)} mxcsr ${o.mxcsr.toString(16)}${o.fault ? ' fault' : ''}`;

const prefixOf = (format: SseFormat): number => (format === 32 ? 0xf3 : 0xf2);

/** The cases in which machine and exact function differ, one line each. */
const differences = (
  cases: Iterable<readonly [string, Outcome, Outcome]>,
): { readonly count: number; readonly wrong: readonly string[] } => {
  const wrong: string[] = [];
  let count = 0;
  for (const [name, got, want] of cases) {
    count++;
    if (show(got) !== show(want)) wrong.push(`${name}: ${show(got)}, not ${show(want)}`);
  }
  return { count, wrong: wrong.slice(0, 10) };
};

describe.each([32, 64] as const)('scalar arithmetic of %s bits', { timeout: 60_000 }, (format) => {
  it.each(Object.entries(SSE_OP))('%s', (_name, op) => {
    const code = [prefixOf(format), 0x0f, op, 0xc1];
    const cases = function* (): Generator<readonly [string, Outcome, Outcome]> {
      for (const mxcsr of MXCSRS)
        for (const a of operands(format))
          for (const b of seconds(format)) {
            const r = sseBinary(op, format, low(a), high(a), low(b), high(b), mxcsr);
            const want = expected(r, format, a, mxcsr);
            const name = `${a.toString(16)}, ${b.toString(16)}, mxcsr ${mxcsr.toString(16)}`;
            yield [name, run(code, format, a, b, mxcsr), want];
          }
    };
    const { count, wrong } = differences(cases());
    expect(count).toBe(MXCSRS.length * 48 * 25);
    expect(wrong).toEqual([]);
  });

  const other = format === 32 ? 64 : 32;
  const unaries: readonly (readonly [
    string,
    readonly number[],
    number,
    'xmm' | 'rax',
    (lo: number, hi: number, mxcsr: number) => SseResult,
  ])[] = [
    ['sqrt', [0x0f, 0x51, 0xc1], format, 'xmm', (lo, hi, m) => sseSquareRoot(format, lo, hi, m)],
    ['convert', [0x0f, 0x5a, 0xc1], other, 'xmm', (lo, hi, m) => sseConvert(format, lo, hi, m)],
    ...([32, 64] as const).flatMap((width) =>
      [false, true].map((truncate) => {
        const rex = width === 64 ? [0x48] : [];
        const code = [...rex, 0x0f, truncate ? 0x2c : 0x2d, 0xc1];
        return [
          `${truncate ? 'truncate' : 'round'} to ${width} bits`,
          code,
          width,
          'rax',
          (lo: number, hi: number, m: number) => sseToInteger(format, width, truncate, lo, hi, m),
        ] as const;
      }),
    ),
    ...([32, 64] as const).map(
      (width) =>
        [
          `from ${width}-bit integer`,
          [...(width === 64 ? [0x48] : []), 0x0f, 0x2a, 0xc0],
          format,
          'xmm',
          (lo: number, hi: number, m: number) => sseFromInteger(format, width, lo, hi, m),
        ] as const,
    ),
  ];
  it.each(unaries)('%s', (_name, tail, width, to, exact) => {
    const code = [prefixOf(format), ...tail];
    const before = 0x7777_7777_7777_7777n;
    const cases = function* (): Generator<readonly [string, Outcome, Outcome]> {
      for (const mxcsr of MXCSRS)
        for (const b of [...operands(format), ...integers]) {
          const want = expected(
            exact(low(b), high(b), mxcsr),
            width,
            to === 'rax' ? b : before,
            mxcsr,
          );
          const name = `${b.toString(16)}, mxcsr ${mxcsr.toString(16)}`;
          yield [name, run(code, width, before, b, mxcsr, to), want];
        }
    };
    expect(differences(cases()).wrong).toEqual([]);
  });

  it.each(Array.from({ length: 16 }, (_, i) => i))('round to integral, control %i', (control) => {
    const code = [0x66, 0x0f, 0x3a, format === 32 ? 0x0a : 0x0b, 0xc1, control];
    const before = 0x7777_7777_7777_7777n;
    const cases = function* (): Generator<readonly [string, Outcome, Outcome]> {
      for (const mxcsr of MXCSRS)
        for (const b of operands(format)) {
          const r = sseRoundIntegral(control, format, low(b), high(b), mxcsr);
          const name = `${b.toString(16)}, mxcsr ${mxcsr.toString(16)}`;
          yield [name, run(code, format, before, b, mxcsr), expected(r, format, before, mxcsr)];
        }
    };
    expect(differences(cases()).wrong).toEqual([]);
  });
});

const ONE = 0x3ff0_0000_0000_0000n;
const divideByZero = [0xf2, 0x0f, 0x5e, 0xc1];
/** ZM clear. */
const ZERO_DIVIDE_UNMASKED = 0x1d80;

describe('exceptions', () => {
  it('records an unmasked one in MXCSR, keeps the destination and raises #XM', () => {
    const { result, mxcsr } = run(divideByZero, 64, ONE, 0n, ZERO_DIVIDE_UNMASKED);
    expect(result).toBe(ONE);
    expect(state.xmm(0, 1)).toBe(UNTOUCHED);
    expect(mxcsr).toBe(ZERO_DIVIDE_UNMASKED | 4);
    expect(guest.run(divideByZero)).toMatchObject({ kind: 'exception', vector: 19 });
  });

  it('raises #UD instead while CR4.OSXMMEXCPT is clear', () => {
    guest.machine.writeRegister('cr4', NO_OSXMMEXCPT);
    run(divideByZero, 64, ONE, 0n, ZERO_DIVIDE_UNMASKED);
    expect(guest.run(divideByZero)).toMatchObject({ kind: 'exception', vector: 6 });
    guest.machine.writeRegister('cr4', PAE_OSFXSR_OSXMMEXCPT);
  });

  it('raises #UD while CR4.OSFXSR is clear, for the MMX forms too', () => {
    guest.machine.writeRegister('cr4', NO_OSFXSR);
    for (const code of [
      [0xf2, 0x0f, 0x58, 0xc1],
      [0x0f, 0x2d, 0xc1],
      [0x66, 0x0f, 0x2a, 0xc1],
    ])
      expect(guest.run(code)).toMatchObject({ kind: 'exception', vector: 6 });
    guest.machine.writeRegister('cr4', PAE_OSFXSR_OSXMMEXCPT);
  });

  it('demands alignment of 16-byte operands alone', () => {
    guest.set({ rbx: 0x2_0008n });
    // ADDPD, then ADDSD, from [RBX].
    expect(guest.run([0x66, 0x0f, 0x58, 0x03])).toMatchObject({ kind: 'exception', vector: 13 });
    expect(guest.run([0xf2, 0x0f, 0x58, 0x03]).kind).not.toBe('exception');
  });
});

describe('packed lanes', () => {
  it('go the exact way together when one of them needs it', () => {
    // MULPD: 1 × 1 beside the smallest normal × 0.5, an exact denormal: no flag while UM is set.
    state.setXmm(0, 0, ONE);
    state.setXmm(0, 1, 0x0010_0000_0000_0000n);
    state.setXmm(1, 0, ONE);
    state.setXmm(1, 1, 0x3fe0_0000_0000_0000n);
    state.set('mxcsr', 0x1fa0);
    guest.run([0x66, 0x0f, 0x59, 0xc1]);
    expect([state.xmm(0, 0), state.xmm(0, 1)]).toEqual([ONE, 0x0008_0000_0000_0000n]);
    expect(state.get('mxcsr')).toBe(0x1fa0);
    // With FTZ it becomes zero, and is recorded.
    state.setXmm(0, 1, 0x0010_0000_0000_0000n);
    state.set('mxcsr', 0x9fa0);
    guest.run([0x66, 0x0f, 0x59, 0xc1]);
    expect([state.xmm(0, 0), state.xmm(0, 1)]).toEqual([ONE, 0n]);
    expect(state.get('mxcsr')).toBe(0x9fb0);
  });

  it('HADDPD and ADDSUBPS pair the elements as the SDM does', () => {
    const double = (x: number): bigint => {
      const view = new DataView(new ArrayBuffer(8));
      view.setFloat64(0, x);
      return view.getBigUint64(0);
    };
    state.set('mxcsr', 0x1fa0);
    state.setXmm(0, 0, double(1));
    state.setXmm(0, 1, double(2));
    state.setXmm(1, 0, double(10));
    state.setXmm(1, 1, double(20));
    guest.run([0x66, 0x0f, 0x7c, 0xc1]);
    expect([state.xmm(0, 0), state.xmm(0, 1)]).toEqual([double(3), double(30)]);
    // 1, 2, 3, 4 and 1, 1, 1, 1 in single precision: 0, 3, 2, 5.
    state.setXmm(0, 0, 0x4000_0000_3f80_0000n);
    state.setXmm(0, 1, 0x4080_0000_4040_0000n);
    state.setXmm(1, 0, 0x3f80_0000_3f80_0000n);
    state.setXmm(1, 1, 0x3f80_0000_3f80_0000n);
    guest.run([0xf2, 0x0f, 0xd0, 0xc1]);
    expect([state.xmm(0, 0), state.xmm(0, 1)]).toEqual([
      0x4040_0000_0000_0000n,
      0x40a0_0000_4000_0000n,
    ]);
  });
});
