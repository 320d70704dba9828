/** Picks an addressing mode for a memory operand and the register values that make it reach a chosen linear address. */
import type { CodeMode, CpuState } from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { DS, ES, FS, GS } from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { edge64, random64 } from '../../packages/x86-emu/test/silicon/edge-values.ts';
import {
  CODE_BASE,
  DATA_BASE,
  DATA_SIZE,
  RO_BASE,
  RO_SIZE,
} from '../../packages/x86-emu/test/silicon/layout.ts';
import type { Prng } from '../../packages/x86-emu/test/silicon/prng.ts';

/** Where a memory operand lies, or how it is reached. */
export type Placement =
  | 'plain'
  | 'cross'
  | 'guard-end'
  | 'guard-start'
  | 'read-only'
  | 'code'
  | 'noncanonical'
  | 'segment'
  | 'address-size'
  | 'misaligned'
  | 'alignment-check';

export interface MemoryOperand {
  readonly mod: number;
  readonly rm: number;
  readonly sib: number | undefined;
  readonly rexX: boolean;
  readonly rexB: boolean;
  readonly displacement: readonly number[];
  /** Effective address that a RIP-relative displacement must reach; then `displacement` is empty and 4 bytes follow. */
  readonly ripTarget: bigint | undefined;
  readonly prefixes: readonly number[];
  /** Linear address. */
  readonly linear: bigint;
}

export const littleEndian = (value: bigint, bytes: number): number[] => {
  const out: number[] = [];
  for (let i = 0; i < bytes; i++) out.push(Number((value >> BigInt(8 * i)) & 0xffn));
  return out;
};

/** A linear address for an operand of `bytes` bytes; `align` asks for natural alignment where the placement allows. */
const chooseLinear = (r: Prng, placement: Placement, bytes: number, align: boolean): bigint => {
  const snap = (x: number): number =>
    align || r.oneIn(2) ? x & ~(Math.max(1, Math.min(16, bytes & -bytes)) - 1) : x;
  const inside = (): number => snap(r.below(DATA_SIZE - Math.max(bytes, 1) - 16) + 8);
  switch (placement) {
    case 'cross':
      return BigInt(DATA_BASE + (bytes > 1 ? 0x1000 - 1 - r.below(bytes - 1) : inside()));
    case 'guard-end':
      return BigInt(
        DATA_BASE + DATA_SIZE + (align ? r.below(3) * 16 : 1 - bytes + r.below(bytes + 8)),
      );
    case 'guard-start':
      return BigInt(DATA_BASE - (align ? 16 : 1 + r.below(bytes + 16)));
    case 'read-only':
      return BigInt(RO_BASE + snap(r.below(RO_SIZE - bytes)));
    case 'code':
      return BigInt(CODE_BASE + 0x1000 + snap(r.below(0x1000 - bytes)));
    case 'noncanonical':
      return (
        BigInt.asUintN(64, (1n << 47n) + (random64(r) % ((1n << 64n) - (1n << 48n) - 256n))) &
        (align ? ~15n : ~0n)
      );
    case 'misaligned':
    case 'alignment-check':
      return BigInt(DATA_BASE + 16 * r.below(DATA_SIZE / 16 - 40) + 1 + r.below(15));
    case 'plain':
    case 'segment':
    case 'address-size':
    default:
      return BigInt(DATA_BASE + inside());
  }
};

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
/** Selectors that a data segment register may hold below 64-bit mode, with the base each brings. */
const LOADED: readonly { selector: number; base: bigint }[] = [0x0f, 0x17, 0x1f, 0x27, 0x47]
  .map((selector) => ({ selector, base: BigInt(DATA_BASE) }))
  .concat({ selector: 0x37, base: BigInt(CODE_BASE) }, { selector: 0, base: BigInt(DATA_BASE) });

interface Segment {
  readonly base: bigint;
  readonly prefix: number | undefined;
}

const chooseSegment = (
  r: Prng,
  mode: CodeMode,
  state: CpuState,
  placement: Placement,
  linear: bigint,
): Segment => {
  if (mode === 64) {
    if (placement !== 'segment') return { base: 0n, prefix: undefined };
    if (r.oneIn(4)) return { base: 0n, prefix: r.pick(SEGMENT_PREFIX.slice(0, 4)) };
    const fs = r.oneIn(2);
    const base = r.oneIn(2)
      ? BigInt.asUintN(64, linear - BigInt(r.below(0x1000)) * 16n)
      : edge64(r) & 0x7fff_ffff_ffffn;
    if (fs) state.fsBase = base;
    else state.gsBase = base;
    return { base, prefix: fs ? 0x64 : 0x65 };
  }
  const own = mode === 16 ? BigInt(DATA_BASE) : 0n;
  if (placement !== 'segment') return { base: own, prefix: undefined };
  const { selector, base } = r.pick(LOADED);
  const index = r.pick([ES, DS, FS, GS]);
  state.segments[index] = selector;
  return { base, prefix: SEGMENT_PREFIX[index] };
};

/** 16-bit addressing: [BX+SI] … [BX] (SDM Vol. 2A, table 2-1). */
const PAIRS: readonly (readonly [number, number | undefined])[] = [
  [3, 6],
  [3, 7],
  [5, 6],
  [5, 7],
  [6, undefined],
  [7, undefined],
  [5, undefined],
  [3, undefined],
];

const setLow = (state: CpuState, register: number, width: number, value: bigint): void => {
  const mask = (1n << BigInt(width)) - 1n;
  state.gpr[register] = ((state.gpr[register] ?? 0n) & ~mask & (2n ** 64n - 1n)) | (value & mask);
};

type Encoded = Pick<
  MemoryOperand,
  'mod' | 'rm' | 'sib' | 'rexX' | 'rexB' | 'displacement' | 'ripTarget'
>;

const plainForm = (mod: number, rm: number, displacement: readonly number[]): Encoded => ({
  mod,
  rm,
  sib: undefined,
  rexX: false,
  rexB: false,
  displacement,
  ripTarget: undefined,
});

const encode16 = (r: Prng, state: CpuState, offset: bigint): Encoded => {
  if (r.oneIn(8)) return plainForm(0, 6, littleEndian(BigInt.asUintN(16, offset), 2));
  const rm = r.below(8);
  const mod = rm === 6 ? r.below(2) + 1 : r.below(3);
  const size = mod === 0 ? 0 : mod;
  const displacement = size === 0 ? 0n : BigInt.asIntN(size * 8, BigInt(r.u32()));
  const [base, index] = PAIRS[rm] ?? [3, undefined];
  const indexValue = index === undefined ? 0n : (state.gpr[index] ?? 0n);
  setLow(state, base, 16, offset - indexValue - displacement);
  return plainForm(mod, rm, littleEndian(BigInt.asUintN(16, displacement), size));
};

const encodeWide = (
  r: Prng,
  state: CpuState,
  offset: bigint,
  width: number,
  mode: CodeMode,
  reserved: ReadonlySet<number>,
): Encoded => {
  const count = mode === 64 ? 16 : 8;
  const register = (not: number): number => {
    for (let tries = 0; tries < 64; tries++) {
      const n = r.below(count);
      if (n !== not && !reserved.has(n) && (n !== 4 || r.oneIn(4))) return n;
    }
    return 6;
  };
  const short = BigInt.asIntN(32, offset) === BigInt.asIntN(64, offset) || width === 32;
  const near = BigInt.asUintN(64, offset - BigInt(CODE_BASE) + 0x4000_0000n) < 0x8000_0000n;
  const shape = r.below(12);
  if (shape === 0 && short && mode !== 64) return plainForm(0, 5, littleEndian(offset, 4));
  if (shape === 0 && near && mode === 64) return { ...plainForm(0, 5, []), ripTarget: offset };
  if (shape === 1 && short)
    return {
      ...plainForm(0, 4, littleEndian(offset, 4)),
      sib: 0x25 | (r.below(4) << 6),
      rexX: false,
    };
  const mod = r.below(3);
  const displacement =
    mod === 0
      ? 0n
      : BigInt.asIntN(mod === 1 ? 8 : 32, r.oneIn(2) ? BigInt(r.u32()) : BigInt(r.below(64)));
  const bytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
  const encodedDisplacement = littleEndian(BigInt.asUintN(32, displacement), bytes);
  if (shape < 6) {
    const base = register(-1);
    if (mod === 0 && (base & 7) === 5) {
      setLow(state, base, width, offset);
      return { ...plainForm(1, 5, [0]), rexB: base > 7 };
    }
    setLow(state, base, width, offset - displacement);
    const sib = (base & 7) === 4 ? 0x24 | (r.below(4) << 6) : undefined;
    return { ...plainForm(mod, base & 7, encodedDisplacement), sib, rexB: base > 7 };
  }
  let index = register(-1);
  if (index === 4) index = 6;
  const scale = r.below(4);
  if (shape === 6) {
    // no base: index * scale + disp32
    const value = BigInt.asIntN(32, offset) & ~((1n << BigInt(scale)) - 1n);
    const part = short ? value - BigInt(r.below(0x1000) << scale) : BigInt(r.below(0x10000));
    setLow(state, index, width, (offset - part) >> BigInt(scale));
    const rest = offset - (((offset - part) >> BigInt(scale)) << BigInt(scale));
    return {
      ...plainForm(0, 4, littleEndian(BigInt.asUintN(32, rest), 4)),
      sib: (scale << 6) | ((index & 7) << 3) | 5,
      rexX: index > 7,
    };
  }
  const base = register(index);
  const indexValue = state.gpr[index] ?? 0n;
  const baseMod = mod === 0 && (base & 7) === 5 ? 1 : mod;
  setLow(state, base, width, offset - displacement - (indexValue << BigInt(scale)));
  return {
    ...plainForm(baseMod, 4, baseMod === mod ? encodedDisplacement : [0]),
    sib: (scale << 6) | ((index & 7) << 3) | (base & 7),
    rexX: index > 7,
    rexB: base > 7,
  };
};

/** An absolute offset in the instruction (MOV A0-A3): its bytes and prefixes. */
export const chooseAbsolute = (
  r: Prng,
  mode: CodeMode,
  state: CpuState,
  placement: Placement,
  bytes: number,
): { readonly immediate: number[]; readonly prefixes: number[]; readonly linear: bigint } => {
  const linear = chooseLinear(r, placement, bytes, false);
  const otherSize = placement === 'address-size';
  const width = mode === 64 ? (otherSize ? 32 : 64) : (mode === 32) === otherSize ? 16 : 32;
  let segment = chooseSegment(r, mode, state, placement, linear);
  if (mode === 32 && width === 16) {
    state.segments[DS] = 0x17;
    segment = { base: BigInt(DATA_BASE), prefix: 0x3e };
  }
  const prefixes = otherSize ? [0x67] : [];
  if (segment.prefix !== undefined) prefixes.push(segment.prefix);
  const offset = BigInt.asUintN(width, linear - segment.base);
  return { immediate: littleEndian(offset, width / 8), prefixes, linear };
};

/** Sets registers, segment selectors and bases in `state` so that the operand lies at the chosen address. */
export const chooseMemory = (
  r: Prng,
  mode: CodeMode,
  state: CpuState,
  placement: Placement,
  bytes: number,
  align: boolean,
  reserved: ReadonlySet<number>,
): MemoryOperand => {
  const linear = chooseLinear(r, placement, bytes, align);
  const prefixes: number[] = [];
  const otherSize = placement === 'address-size';
  const width = mode === 64 ? (otherSize ? 32 : 64) : (mode === 32) === otherSize ? 16 : 32;
  let segment = chooseSegment(r, mode, state, placement, linear);
  if (mode === 32 && width === 16) {
    state.segments[DS] = 0x17;
    segment = { base: BigInt(DATA_BASE), prefix: 0x3e };
  }
  if (otherSize) prefixes.push(0x67);
  if (segment.prefix !== undefined) prefixes.push(segment.prefix);
  const offset = BigInt.asUintN(width, linear - segment.base);
  const encoded =
    width === 16 ? encode16(r, state, offset) : encodeWide(r, state, offset, width, mode, reserved);
  return { ...encoded, prefixes, linear };
};
