/**
 * The state a case starts from, as a function of its seed; vector files store only what differs from it.
 * A change here makes every recorded file unreadable: record again and raise `FORMAT_VERSION` in vector-file.ts.
 */
import type { CodeMode, CpuState, StateKind } from './cpu-case.ts';
import { CS, DS, ES, SS } from './cpu-case.ts';
import { edge64, edgeF32, edgeF64, edgeF80, random64 } from './edge-values.ts';
import {
  CODE_BASE,
  CODE_OFFSET,
  DATA_BASE,
  FX_SIZE,
  USER_CS32,
  USER_CS64,
  USER_DS,
} from './layout.ts';
import type { Prng } from './prng.ts';
import { createPrng } from './prng.ts';

const STACK_OFFSET = 0x1800;
const ARITHMETIC_FLAGS = 0x8d5;
const FLAGS_ALWAYS = 0x202;

const FX_FCW = 0;
export const FX_FSW = 2;
export const FX_FTW = 4;
export const FX_MXCSR = 24;
export const FX_ST = 32;
export const FX_XMM = 160;

const fillVectorBytes = (
  r: Prng,
  kind: StateKind,
  view: DataView,
  at: number,
  length: number,
): void => {
  for (let i = 0; i < length; i += 8) {
    if (kind === 'f32') {
      view.setUint32(at + i, edgeF32(r), true);
      view.setUint32(at + i + 4, edgeF32(r), true);
    } else if (kind === 'f64') {
      view.setBigUint64(at + i, edgeF64(r), true);
    } else {
      view.setBigUint64(at + i, r.oneIn(3) ? edge64(r) : random64(r), true);
    }
  }
};

/** MXCSR for floating-point forms: each rounding mode, FTZ, DAZ, some exceptions unmasked, some flags already set. */
const seededMxcsr = (r: Prng): number => {
  let value = 0x1f80 | (r.below(4) << 13);
  if (r.oneIn(6)) value |= 0x8000;
  if (r.oneIn(6)) value |= 0x40;
  if (r.oneIn(6)) value &= ~(r.below(64) << 7);
  if (r.oneIn(4)) value |= r.below(64);
  return value;
};

const seedX87 = (r: Prng, kind: StateKind, view: DataView): void => {
  let control = 0x37f;
  if (!r.oneIn(3)) control = 0x7f | (r.pick([0, 2, 3, 3]) << 8) | (r.below(4) << 10);
  if (r.oneIn(6)) control &= ~r.below(64);
  let status = (r.below(8) << 11) | (r.below(8) << 8) | (r.below(2) << 14);
  if (r.oneIn(5)) status |= r.below(128);
  // ES and B summarise unmasked flags (SDM Vol. 1, 8.1.3); a pending exception is left to one case in eight
  if ((status & ~control & 0x3f) !== 0) {
    if (r.oneIn(8)) status |= 0x8080;
    else status &= ~0x7f;
  }
  view.setUint16(FX_FCW, control, true);
  view.setUint16(FX_FSW, status, true);
  view.setUint8(FX_FTW, r.oneIn(3) ? r.below(256) : r.oneIn(8) ? 0 : 0xff);
  for (let i = 0; i < 8; i++) {
    const value = kind === 'mmx' ? { significand: edge64(r), signExponent: 0xffff } : edgeF80(r);
    view.setBigUint64(FX_ST + i * 16, value.significand, true);
    view.setUint16(FX_ST + i * 16 + 8, value.signExponent, true);
  }
};

const CODE_SELECTORS: Readonly<Record<CodeMode, number>> = {
  64: USER_CS64,
  32: USER_CS32,
  16: 0x07,
};
const DATA_SELECTORS: Readonly<Record<CodeMode, number>> = { 64: 0, 32: USER_DS, 16: 0x0f };
const STACK_SELECTORS: Readonly<Record<CodeMode, number>> = { 64: USER_DS, 32: USER_DS, 16: 0x0f };

/** Address of `offset` in the code window as RIP counts it: 16-bit code runs in a segment based there. */
export const codeAddress = (mode: CodeMode, offset: number): bigint =>
  BigInt(mode === 16 ? offset : CODE_BASE + offset);

export const seededState = (mode: CodeMode, kind: StateKind, seed: number): CpuState => {
  const r = createPrng(seed);
  const gpr = new BigUint64Array(16);
  for (let i = 0; i < (mode === 64 ? 16 : 8); i++)
    gpr[i] = mode === 64 ? edge64(r) : BigInt.asUintN(32, edge64(r));
  gpr[4] = BigInt((mode === 16 ? 0 : DATA_BASE) + STACK_OFFSET);
  const fx = new Uint8Array(FX_SIZE);
  const view = new DataView(fx.buffer);
  view.setUint16(FX_FCW, 0x37f, true);
  view.setUint32(FX_MXCSR, kind === 'f32' || kind === 'f64' ? seededMxcsr(r) : 0x1f80, true);
  if (kind === 'x87' || kind === 'mmx') seedX87(r, kind, view);
  fillVectorBytes(r, kind, view, FX_XMM, 256);
  const segments = new Uint16Array(6);
  segments[CS] = CODE_SELECTORS[mode];
  segments[SS] = STACK_SELECTORS[mode];
  segments[DS] = DATA_SELECTORS[mode];
  segments[ES] = DATA_SELECTORS[mode];
  return {
    gpr,
    rip: codeAddress(mode, CODE_OFFSET),
    rflags: FLAGS_ALWAYS | (r.u32() & ARITHMETIC_FLAGS),
    segments,
    fsBase: 0n,
    gsBase: 0n,
    fx,
  };
};

/** Bytes for a memory operand of a case, in the taste of its kind. */
export const seededOperand = (kind: StateKind, seed: number, length: number): Uint8Array => {
  const r = createPrng(seed ^ 0x3c6e_f372);
  const bytes = new Uint8Array((length + 15) & ~15);
  const view = new DataView(bytes.buffer);
  if (kind !== 'x87' && kind !== 'mmx') fillVectorBytes(r, kind, view, 0, bytes.length);
  else if (kind === 'mmx') fillVectorBytes(r, 'int', view, 0, bytes.length);
  else {
    const value = edgeF80(r);
    if (length === 4) view.setUint32(0, edgeF32(r), true);
    else if (length === 8) view.setBigUint64(0, edgeF64(r), true);
    else fillVectorBytes(r, 'int', view, 0, bytes.length);
    if (length === 10) {
      view.setBigUint64(0, value.significand, true);
      view.setUint16(8, value.signExponent, true);
    }
  }
  return bytes.subarray(0, length);
};
