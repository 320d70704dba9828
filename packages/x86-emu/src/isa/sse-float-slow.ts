/**
 * The exact path of every SSE floating-point instruction, by mnemonic: the functions of `fpu/` on the operands that staged code has put into
 * `CpuState.vectors`. MXCSR gets the exceptions found; an unmasked one raises #XM, or #UD while CR4.OSXMMEXCPT is clear (SDM Vol. 3A, 2.5).
 */
import { CR4 } from '../cpu/control-bits.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu } from '../cpu/helper.ts';
import { registerSlowPath } from '../cpu/slow-path.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import {
  SSE_OP,
  sseBinary,
  sseCompare,
  sseCompareFlags,
  sseConvert,
  sseSquareRoot,
} from '../fpu/sse.ts';
import type { SseFormat, SseOp, SseResult } from '../fpu/sse.ts';
import { sseReciprocal, sseReciprocalRoot } from '../fpu/sse-approximation.ts';
import { sseFromInteger, sseRoundIntegral, sseToInteger } from '../fpu/sse-integer.ts';
import {
  sseDotProduct,
  ssePacked,
  ssePackedAddSubtract,
  ssePackedBinary,
  ssePackedHorizontal,
} from '../fpu/sse-packed.ts';
import type { SsePackedResult } from '../fpu/sse-packed.ts';
import { BASE } from '../wasm/code.ts';
import type { I32, V128 } from '../wasm/expr.ts';
import type { Emit } from './emit.ts';

/** Word indices in `CpuState.vectors`. */
const A = 0;
const B = 4;
const RESULT = 8;

interface Exceptions {
  readonly flags: number;
  readonly unmasked: number;
}

/** Merges the exceptions into MXCSR; throws for an unmasked one, before the destination changes. */
const settle = (cpu: Cpu, { flags, unmasked }: Exceptions): void => {
  const { state } = cpu;
  state.set('mxcsr', state.get('mxcsr') | flags);
  if (unmasked === 0) return;
  const enabled = (state.big('cr4') & BigInt(CR4.OSXMMEXCPT)) !== 0n;
  cpu.fault(enabled ? VECTOR.XM : VECTOR.UD);
};

type Scalar = (words: Uint32Array, mxcsr: number, immediate: number) => SseResult;
type Packed = (words: Uint32Array, mxcsr: number, immediate: number) => SsePackedResult;

/** Gives the low word of the result; both words stand in `vectors` too. */
const scalar = (name: string, run: Scalar): void =>
  registerSlowPath(name, (cpu, immediate) => {
    const { vectors } = cpu.state;
    const result = run(vectors, cpu.state.get('mxcsr'), immediate);
    const { lo, hi } = result;
    settle(cpu, result);
    vectors[RESULT] = lo;
    vectors[RESULT + 1] = hi;
    return lo | 0;
  });

const packed = (name: string, run: Packed): void =>
  registerSlowPath(name, (cpu, immediate) => {
    const { vectors } = cpu.state;
    const result = run(vectors, cpu.state.get('mxcsr'), immediate);
    settle(cpu, result);
    vectors.set(result.words, RESULT);
    return 0;
  });

const at = (words: Uint32Array, index: number): number => words[index] as number;

/** One element of the second operand at word `index`: its low and high word (the high one is ignored for 32 bits). */
type Element = (
  format: SseFormat,
  lo: number,
  hi: number,
  mxcsr: number,
  immediate: number,
) => SseResult;

/** The scalar form and the packed form of an operation with one source; `count` limits the elements of the packed form. */
const unary = (
  scalarName: string,
  packedName: string,
  from: SseFormat,
  to: SseFormat,
  run: Element,
  count = Math.min(128 / from, 128 / to),
): void => {
  const step = from / 32;
  scalar(scalarName, (v, mxcsr, imm) => run(from, at(v, B), at(v, B + 1), mxcsr, imm));
  packed(packedName, (v, mxcsr, imm) =>
    ssePacked(
      to,
      mxcsr,
      (i) => run(from, at(v, B + i * step), at(v, B + i * step + 1), mxcsr, imm),
      count,
    ),
  );
};

const registerFormat = (format: SseFormat): void => {
  const suffix = format === 32 ? 'S' : 'D';
  const other = format === 32 ? 64 : 32;
  const otherSuffix = format === 32 ? 'D' : 'S';
  const step = format / 32;

  for (const [name, op] of Object.entries(SSE_OP)) {
    const mnemonic = name.toUpperCase();
    scalar(`${mnemonic}S${suffix}`, (v, mxcsr) =>
      sseBinary(op, format, at(v, A), at(v, A + 1), at(v, B), at(v, B + 1), mxcsr),
    );
    packed(`${mnemonic}P${suffix}`, (v, mxcsr) => ssePackedBinary(op, format, v, A, v, B, mxcsr));
  }
  const horizontal: readonly (readonly [string, SseOp])[] = [
    ['HADD', SSE_OP.add],
    ['HSUB', SSE_OP.sub],
  ];
  for (const [mnemonic, op] of horizontal)
    packed(`${mnemonic}P${suffix}`, (v, mxcsr) =>
      ssePackedHorizontal(op, format, v, A, v, B, mxcsr),
    );
  packed(`ADDSUBP${suffix}`, (v, mxcsr) => ssePackedAddSubtract(format, v, A, v, B, mxcsr));
  packed(`DPP${suffix}`, (v, mxcsr, imm) => sseDotProduct(imm, format, v, A, v, B, mxcsr));

  unary(`SQRTS${suffix}`, `SQRTP${suffix}`, format, format, sseSquareRoot);
  unary(`ROUNDS${suffix}`, `ROUNDP${suffix}`, format, format, (f, lo, hi, mxcsr, imm) =>
    sseRoundIntegral(imm, f, lo, hi, mxcsr),
  );
  unary(
    `CVTS${suffix}2S${otherSuffix}`,
    `CVTP${suffix}2P${otherSuffix}`,
    format,
    other,
    sseConvert,
  );
  for (const [truncates, truncate] of [
    ['T', true],
    ['', false],
  ] as const) {
    const to = (width: 32 | 64): Element => {
      return (f, lo, hi, mxcsr) => sseToInteger(f, width, truncate, lo, hi, mxcsr);
    };
    const name = `CVT${truncates}`;
    unary(`${name}S${suffix}2SI32`, `${name}P${suffix}2DQ`, format, 32, to(32));
    scalar(`${name}S${suffix}2SI64`, (v, mxcsr) =>
      to(64)(format, at(v, B), at(v, B + 1), mxcsr, 0),
    );
    packed(`${name}P${suffix}2PI`, (v, mxcsr) =>
      ssePacked(
        32,
        mxcsr,
        (i) => to(32)(format, at(v, B + i * step), at(v, B + i * step + 1), mxcsr, 0),
        2,
      ),
    );
  }
  scalar(`CVTSI642S${suffix}`, (v, mxcsr) =>
    sseFromInteger(format, 64, at(v, B), at(v, B + 1), mxcsr),
  );

  scalar(`CMPS${suffix}`, (v, mxcsr, imm) =>
    sseCompare(imm, format, at(v, A), at(v, A + 1), at(v, B), at(v, B + 1), mxcsr),
  );
  packed(`CMPP${suffix}`, (v, mxcsr, imm) =>
    ssePacked(format, mxcsr, (i) => {
      const low = i * step;
      const high = low + 1;
      return sseCompare(
        imm,
        format,
        at(v, A + low),
        at(v, A + high),
        at(v, B + low),
        at(v, B + high),
        mxcsr,
      );
    }),
  );
  for (const [mnemonic, signaling] of [
    ['UCOMIS', false],
    ['COMIS', true],
  ] as const)
    scalar(`${mnemonic}${suffix}`, (v, mxcsr) =>
      sseCompareFlags(signaling, format, at(v, A), at(v, A + 1), at(v, B), at(v, B + 1), mxcsr),
    );
};

registerFormat(32);
registerFormat(64);
packed('CVTDQ2PS', (v, mxcsr) =>
  ssePacked(32, mxcsr, (i) => sseFromInteger(32, 32, at(v, B + i), 0, mxcsr)),
);

const approximation = (name: string, run: (bits: number) => number): void => {
  registerSlowPath(`${name}SS`, (_cpu, bits) => run(bits) | 0);
  registerSlowPath(`${name}PS`, (cpu) => {
    const { vectors } = cpu.state;
    for (let i = 0; i < 4; i++) vectors[RESULT + i] = run(at(vectors, B + i));
    return 0;
  });
};

approximation('RCP', sseReciprocal);
approximation('RSQRT', sseReciprocalRoot);

/** The result of the slow path `name`; `a` is the first operand where there are two. */
export const exactResult = (
  x: Emit,
  name: string,
  a: V128 | undefined,
  b: V128,
  immediate?: I32,
): V128 => {
  callExact(x, name, a, b, immediate);
  return x.c.loadV128(BASE, FIELDS.sseResult.address);
};

/** Calls the slow path `name` for the i32 it gives. */
export const callExact = (
  x: Emit,
  name: string,
  a: V128 | undefined,
  b: V128,
  immediate?: I32,
): I32 => {
  if (a) x.c.storeV128(BASE, a, FIELDS.sseA.address);
  x.c.storeV128(BASE, b, FIELDS.sseB.address);
  return x.slowPath(name, ...(immediate ? [immediate] : []));
};
