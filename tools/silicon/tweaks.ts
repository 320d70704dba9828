/**
 * State and operands that give an instruction something to do: shift counts in range, pointers for strings, selectors that exist.
 * Longer than most: a table with an entry for each group of mnemonics, and the draws it shares.
 */
import { DS, ES, FS, GS, SS } from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { edge64 } from '../../packages/x86-emu/test/silicon/edge-values.ts';
import { CODE_BASE, DATA_BASE, DATA_SIZE } from '../../packages/x86-emu/test/silicon/layout.ts';
import {
  FX_XMM,
  seededOperand,
  seededState,
} from '../../packages/x86-emu/test/silicon/seeded-state.ts';
import { littleEndian } from './address.ts';
import type { Draft, Tweak } from './case-builder.ts';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSP = 4;
const RBP = 5;
const RSI = 6;
const RDI = 7;

const WORD = (1n << 64n) - 1n;

/** Offsets count from the data window's base where the segment does (16-bit mode), from zero elsewhere. */
const dataAddress = (d: Draft, offset: number): bigint =>
  BigInt((d.mode === 16 ? 0 : DATA_BASE) + offset);
const codeTarget = (d: Draft): bigint =>
  BigInt((d.mode === 16 ? 0 : CODE_BASE) + d.r.below(0x2000));

const set = (d: Draft, register: number, value: bigint): void => {
  d.state.gpr[register] = d.mode === 64 ? value & WORD : value & 0xffff_ffffn;
};

const setLowByte = (d: Draft, register: number, value: number): void =>
  set(d, register, ((d.state.gpr[register] ?? 0n) & ~0xffn) | BigInt(value));

/** Memory patches may not overlap: the recorder undoes them one by one. */
const patch = (d: Draft, offset: number, bytes: Uint8Array | readonly number[]): void => {
  if (offset < 0 || offset + bytes.length > DATA_SIZE) return;
  for (let i = d.memory.length - 1; i >= 0; i--) {
    const m = d.memory[i];
    if (m !== undefined && m.offset < offset + bytes.length && offset < m.offset + m.bytes.length)
      d.memory.splice(i, 1);
  }
  d.memory.push({ offset, bytes: Uint8Array.from(bytes) });
};

const operandOffset = (d: Draft): number =>
  d.operand === undefined ? -1 : Number(BigInt.asIntN(53, d.operand.linear)) - DATA_BASE;

const patchOperand = (d: Draft, bytes: Uint8Array | readonly number[]): void =>
  patch(d, operandOffset(d), bytes);

const count: Tweak = (d) => {
  const value = d.r.oneIn(4) ? d.r.below(256) : d.r.below(d.r.oneIn(2) ? 34 : 70);
  if (d.immediate.length > 0) d.immediate = [value];
  else setLowByte(d, RCX, value);
};

const divide: Tweak = (d) => {
  if (d.r.oneIn(4)) return;
  const negative = d.encoding.mnemonic === 'IDIV' && d.r.oneIn(2);
  if (d.size === 8)
    set(
      d,
      RAX,
      ((d.state.gpr[RAX] ?? 0n) & ~0xff00n) | (negative ? 0xff00n : BigInt(d.r.below(3)) << 8n),
    );
  else set(d, RDX, negative ? WORD : BigInt(d.r.below(3)));
};

const bytesToNumber = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, b) => (value << 8n) | BigInt(b), 0n);

const cmpxchg: Tweak = (d) => {
  if (d.r.oneIn(2)) return;
  const found = d.memory[0];
  if (d.operand === undefined) set(d, RAX, d.state.gpr[d.rm] ?? 0n);
  else if (found !== undefined) set(d, RAX, bytesToNumber(found.bytes) | (edge64(d.r) << 32n));
};

const cmpxchgPair: Tweak = (d) => {
  const found = d.memory[0];
  if (d.r.oneIn(2) || found === undefined) return;
  const half = found.bytes.length / 2;
  set(d, RAX, bytesToNumber(found.bytes.subarray(0, half)));
  set(d, RDX, bytesToNumber(found.bytes.subarray(half)));
};

const bitOffset: Tweak = (d) => {
  if (d.operand === undefined || d.r.oneIn(3)) return;
  const distance = BigInt(d.r.below(4096) - 2048);
  set(d, d.reg, (edge64(d.r) & ~((1n << BigInt(d.size)) - 1n)) | BigInt.asUintN(d.size, distance));
};

const branch: Tweak = (d) => {
  if (d.r.oneIn(4)) return;
  const target = codeTarget(d);
  if (d.operand === undefined) set(d, d.rm, target);
  else patchOperand(d, littleEndian(target, d.size / 8));
};

const STACK_USERS = new Set(['PUSH', 'POP', 'CALL', 'RET', 'PUSHA', 'POPA', 'PUSHF', 'POPF']);

const stack: Tweak = (d) => {
  if (!STACK_USERS.has(d.encoding.mnemonic) || !d.r.oneIn(6)) return;
  const offset = d.r.pick([
    0, 1, 2, 4, 6, 8, 16, 0x1000, 0x1004, 0x1ffc, 0x1ffe, 0x1ff8, 0x1ffa, 0x2000, 0x2004, -8,
  ]);
  set(d, RSP, d.mode === 64 && d.r.oneIn(8) ? edge64(d.r) : dataAddress(d, offset));
};

const stackOffset = (d: Draft): number => Number((d.state.gpr[RSP] ?? 0n) & 0xffffn);

const returns: Tweak = (d) => {
  if (d.immediate.length === 2)
    d.immediate = littleEndian(BigInt(d.r.oneIn(3) ? d.r.below(65536) : d.r.below(64)), 2);
  if (!d.r.oneIn(5)) patch(d, stackOffset(d), littleEndian(codeTarget(d), d.size / 8));
};

const enter: Tweak = (d) => {
  set(d, RBP, dataAddress(d, 0x1700 + d.r.below(0x80) * 2));
  const level = d.r.pick([0, 0, 1, 2, 3, 5, 31, 32, 33, d.r.below(256)]);
  d.immediate = [
    ...littleEndian(BigInt(d.r.oneIn(8) ? d.r.below(65536) : d.r.below(512)), 2),
    level,
  ];
};

const leave: Tweak = (d) => {
  if (!d.r.oneIn(5)) set(d, RBP, dataAddress(d, 0x1000 + d.r.below(0xff0)));
};

const loop: Tweak = (d) => {
  set(
    d,
    RCX,
    BigInt(d.r.pick([0, 1, 2, 3])) |
      (d.r.oneIn(3) ? d.r.pick([0x1_0000n, 0x1_0000_0000n, 0xffff_0000n]) : 0n),
  );
  if (d.r.oneIn(4)) d.prefixes.push(0x67);
};

const xlat: Tweak = (d) => {
  set(d, RBX, d.r.oneIn(8) ? edge64(d.r) : dataAddress(d, d.r.below(0x1f80)));
  if (d.mode === 64 && d.r.oneIn(6)) d.prefixes.push(0x67);
  if (d.mode === 64 && d.r.oneIn(6)) {
    d.state.fsBase = BigInt(d.r.below(0x1000));
    d.prefixes.push(0x64);
  }
};

/** Selectors worth loading: good ones of each kind, null, beyond the tables, wrong privilege or type. */
const SELECTORS = [
  0, 3, 0x07, 0x0f, 0x0c, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x57, 0xffff, 0xfffc,
  0x23, 0x2b, 0x28, 0x2a, 0x33, 0x10, 0x18, 0x1b, 0x40, 0x43, 0x50, 0x53,
];
const selector = (d: Draft): number => d.r.pick(SELECTORS);

const farLoad: Tweak = (d) => {
  const at = operandOffset(d);
  patch(d, at, [...littleEndian(edge64(d.r), d.size / 8), ...littleEndian(BigInt(selector(d)), 2)]);
};

const selectorOperand: Tweak = (d) => {
  const value = selector(d);
  if (d.operand === undefined) set(d, d.rm, (edge64(d.r) & ~0xffffn) | BigInt(value));
  else patchOperand(d, littleEndian(BigInt(value), 2));
  if (d.encoding.operands[0]?.letter === 'S' && d.reg === 2) d.step = 'int3';
};

const selectorOnStack: Tweak = (d) => {
  if (!d.r.oneIn(6))
    patch(
      d,
      stackOffset(d),
      littleEndian((edge64(d.r) & ~0xffffn) | BigInt(selector(d)), d.size / 8),
    );
};

const bextr: Tweak = (d) => {
  if (d.r.oneIn(3)) return;
  const value = BigInt(d.r.below(72)) | (BigInt(d.r.below(72)) << 8n) | (edge64(d.r) & ~0xffffn);
  set(d, d.vvvv, value);
};

const DF = 0x400;

/** Pointers, counts, direction and prefixes for MOVS … SCAS. */
const string: Tweak = (d) => {
  const { r, mode, state } = d;
  const width = d.size / 8;
  const down = r.oneIn(3);
  if (down) state.rflags |= DF;
  const pointer = (): bigint => {
    if (r.oneIn(10))
      return dataAddress(
        d,
        down ? r.below(16) * width : DATA_SIZE - r.below(16) * width - r.below(width),
      );
    if (r.oneIn(16))
      return mode === 64 && r.oneIn(2) ? edge64(r) : dataAddress(d, 0x4000 + r.below(0x1000));
    return dataAddress(d, 0x100 + r.below(0x1e00));
  };
  const source = pointer();
  let target = r.oneIn(4) ? source + BigInt(r.below(24) - 12) : pointer();
  if (r.oneIn(24)) target = source;
  set(d, RSI, source);
  set(d, RDI, target);
  const repeat = r.pick([0, 0xf3, 0xf3, 0xf2]);
  if (repeat !== 0) {
    d.prefixes.push(repeat);
    d.step = 'int3';
    const times = r.oneIn(6) ? 0n : r.oneIn(12) ? edge64(r) & 0xffffn : BigInt(r.below(14));
    set(d, RCX, times);
  }
  if (d.encoding.mnemonic === 'CMPS' || d.encoding.mnemonic === 'SCAS') {
    // equal stretches, so that both conditions of REPE and REPNE end runs
    const at = Number(BigInt.asIntN(53, target)) - (mode === 16 ? 0 : DATA_BASE);
    const run = new Uint8Array(48).fill(r.below(256));
    if (r.oneIn(2)) run[r.below(48)] = r.below(256);
    if (d.encoding.mnemonic === 'CMPS') {
      const other = Number(BigInt.asIntN(53, source)) - (mode === 16 ? 0 : DATA_BASE);
      if (Math.abs(other - at) > 48)
        patch(d, other - (down ? 40 : 0), new Uint8Array(48).fill(run[20] ?? 0));
    }
    patch(d, at - (down ? 40 : 0), run);
    if (!r.oneIn(3)) set(d, RAX, bytesToNumber(run.subarray(16, 24)));
  }
  if (mode === 64 && r.oneIn(6)) d.prefixes.push(0x67);
  if (mode === 32 && r.oneIn(8)) {
    d.prefixes.push(0x67);
    state.segments[DS] = 0x17;
    state.segments[ES] = 0x17;
    set(d, RSI, (state.gpr[RSI] ?? 0n) - BigInt(DATA_BASE) + (edge64(r) & 0xffff_0000n));
    set(d, RDI, (state.gpr[RDI] ?? 0n) - BigInt(DATA_BASE) + (edge64(r) & 0xffff_0000n));
  }
  if (r.oneIn(6)) {
    if (mode === 64) {
      state.fsBase = BigInt(r.below(0x80)) * 16n;
      d.prefixes.push(0x64);
    } else d.prefixes.push(r.pick([0x26, 0x36, 0x3e]));
  }
};

const flagsOnStack: Tweak = (d) => {
  // TF stays clear: the trap it sets is tested by guest programs
  patch(d, stackOffset(d), littleEndian(edge64(d.r) & ~0x100n, d.size / 8));
};

const BASES = [
  0n,
  0x1234n,
  0x7fff_ffff_ffffn,
  0x8000_0000_0000n,
  0xffff_8000_0000_0000n,
  0xffff_7fff_ffff_ffffn,
  WORD,
];
const basePointer: Tweak = (d) => {
  d.state.fsBase = BigInt(d.r.u32());
  d.state.gsBase = BigInt(d.r.u32());
  if (d.encoding.mnemonic.startsWith('WR') && !d.r.oneIn(3)) set(d, d.rm, d.r.pick(BASES));
};

const maskMove: Tweak = (d) => {
  set(d, RDI, dataAddress(d, d.r.oneIn(6) ? 0x1ff8 + d.r.below(16) : d.r.below(0x1ff0)));
  if (d.r.oneIn(8)) d.prefixes.push(0x67);
};

/** Short strings over a small alphabet, lengths around the limits. */
const stringCompare: Tweak = (d) => {
  const alphabet = d.r.pick([2, 3, 8, 26]);
  const words = (d.immediate[0] ?? 0) & 1;
  const fill = (bytes: Uint8Array): void => {
    const end = d.r.below(24);
    for (let i = 0; i < 16; i += 1 + words) {
      bytes[i] = i >= end * (1 + words) ? 0 : 0x61 + d.r.below(alphabet);
      if (words === 1) bytes[i + 1] = 0;
    }
  };
  if (!d.r.oneIn(4)) {
    fill(d.state.fx.subarray(FX_XMM + d.reg * 16, FX_XMM + d.reg * 16 + 16));
    if (d.operand === undefined)
      fill(d.state.fx.subarray(FX_XMM + d.rm * 16, FX_XMM + d.rm * 16 + 16));
    else {
      const bytes = new Uint8Array(16);
      fill(bytes);
      patchOperand(d, bytes);
    }
  }
  for (const register of [RAX, RDX]) {
    if (!d.r.oneIn(6)) set(d, register, BigInt.asUintN(64, BigInt(d.r.below(40) - 20)));
  }
};

const vectorCount: Tweak = (d) => {
  // the low quadword of the source is the shift count
  if (d.r.oneIn(3)) return;
  const value = littleEndian(BigInt(d.r.below(72)), 8);
  if (d.operand !== undefined)
    patchOperand(
      d,
      d.encoding.operands[1]?.letter === 'Q' ? value : [...value, ...littleEndian(edge64(d.r), 8)],
    );
  else if (d.encoding.operands[1]?.letter === 'W') d.state.fx.set(value, FX_XMM + d.rm * 16);
  else d.state.fx.set(value, 32 + ((d.rm + 0) & 7) * 16);
};

const segmentsLoaded: Tweak = (d) => {
  if (d.mode === 64 || !d.r.oneIn(2)) return;
  d.state.segments[d.r.pick([ES, FS, GS])] = d.r.pick([0, 0x0f, 0x17, 0x27, 0x37]);
  if (d.r.oneIn(4)) d.state.segments[SS] = d.mode === 16 ? 0x0f : d.r.pick([0x2b, 0x2b]);
  if (d.r.oneIn(4)) d.state.segments[FS] = 0x23;
};

const bound: Tweak = (d) => {
  const low = BigInt(d.r.below(0x4000) - 0x2000);
  patchOperand(d, [
    ...littleEndian(BigInt.asUintN(64, low), d.size / 8),
    ...littleEndian(BigInt.asUintN(64, low + BigInt(d.r.below(64))), d.size / 8),
  ]);
  set(d, d.reg, BigInt.asUintN(32, low + BigInt(d.r.below(72) - 4)));
};

const interrupt: Tweak = (d) => {
  // 0x80 is Linux's system call; the recorder would refuse it
  if (d.immediate[0] === 0x80) d.immediate = [0x81];
};

const mxcsrImage: Tweak = (d) => {
  const reserved = d.r.oneIn(5) ? d.r.pick([0x10000, 0x8000_0000, 0xffff_0000]) : 0;
  patchOperand(d, littleEndian(BigInt((d.r.below(0x10000) | reserved) >>> 0), 4));
};

const environment: Tweak = (d) => {
  const step = d.size === 16 ? 2 : 4;
  const words = [0x40 | d.r.below(0x1000), d.r.below(0x10000), d.r.below(0x10000)];
  if (d.r.oneIn(2)) words[0] = 0x37f;
  if (d.r.oneIn(2)) words[1] = (words[1] ?? 0) & ~0x80bf;
  const at = operandOffset(d);
  const bytes = words.flatMap((w) =>
    littleEndian(BigInt(w | (step === 4 ? 0xffff_0000 : 0)), step),
  );
  const rest = seededOperand('int', d.seed, step * 4);
  patch(d, at, [...bytes, ...rest]);
  if (d.encoding.mnemonic === 'FRSTOR') {
    const registers = seededOperand('int', d.seed ^ 1, 80);
    const found = d.memory.at(-1);
    if (found !== undefined && found.offset === at) patch(d, at, [...found.bytes, ...registers]);
  }
};

/** An FXSAVE image with the XMM part random, some fields out of range. */
const fxImage: Tweak = (d) => {
  const image = new Uint8Array(512);
  const other = seededState(64, 'x87', d.seed ^ 0x5a5a);
  image.set(other.fx);
  const view = new DataView(image.buffer);
  view.setUint32(24, d.r.oneIn(6) ? d.r.u32() : d.r.below(0x10000), true);
  if (d.r.oneIn(4)) view.setUint16(0, d.r.below(65536), true);
  if (d.r.oneIn(4)) view.setUint16(2, d.r.below(65536), true);
  if (d.r.oneIn(4)) image[5] = d.r.below(256);
  patchOperand(d, image);
};

/** Decimal digits only: the result of any other is undefined (SDM Vol. 2A, FBLD). */
const bcd: Tweak = (d) => {
  const digits = Array.from({ length: 9 }, () => (d.r.below(10) << 4) | d.r.below(10));
  patchOperand(d, [...digits, d.r.pick([0, 0x80, 0x7f, 0xff])]);
};

const predicate: Tweak = (d) => {
  d.immediate = [d.r.below(8)];
};

/**
 * Selectors of code segments first, then whatever. 64-bit code on a 16-bit stack never comes back from Linux: its return
 * path for such stacks and the trap flag chase each other.
 */
const codeSelector = (d: Draft): number => {
  const code = d.r.oneIn(4) ? selector(d) : d.r.pick([0x33, 0x33, 0x23, 0x23, 0x07, 0x2f, 0x37]);
  return d.mode === 16 && code === 0x33 ? 0x23 : code;
};

/** An offset that suits a code selector more often than not. */
const farOffset = (d: Draft, code: number): bigint => {
  const inside = BigInt(d.r.below(0x2000));
  if (d.r.oneIn(6)) return edge64(d.r);
  return (code & 4) === 0 ? BigInt(CODE_BASE) + inside : inside;
};

/** AMD reads m16:16 or m16:32 whatever REX.W says; the size here is that of the offset in memory. */
const farBytes = (d: Draft): number[] => {
  const code = codeSelector(d);
  return [
    ...littleEndian(farOffset(d, code), Math.min(d.size, 32) / 8),
    ...littleEndian(BigInt(code), 2),
  ];
};

const farMemory: Tweak = (d) => patchOperand(d, farBytes(d));

const farImmediate: Tweak = (d) => {
  d.immediate = farBytes(d);
};

const farReturn: Tweak = (d) => {
  if (d.immediate.length === 2)
    d.immediate = littleEndian(BigInt(d.r.oneIn(3) ? d.r.below(65536) : d.r.below(64)), 2);
  const code = codeSelector(d);
  const width = d.size / 8;
  patch(d, stackOffset(d), [
    ...littleEndian(farOffset(d, code), width),
    ...littleEndian(BigInt(code) | (edge64(d.r) & ~0xffffn), width),
  ]);
};

const interruptReturn: Tweak = (d) => {
  const code = codeSelector(d);
  const width = d.size / 8;
  const stackSelector = d.r.oneIn(4) ? selector(d) : d.r.pick([0x2b, 0x2b, 0x0f, 0x17, 0x47]);
  const flags = edge64(d.r) & ~0x2_0100n;
  const frame = [
    farOffset(d, code),
    BigInt(code) | (edge64(d.r) & ~0xffffn),
    flags,
    edge64(d.r),
    BigInt(stackSelector),
  ];
  patch(
    d,
    stackOffset(d),
    frame.flatMap((value) => littleEndian(value, width)),
  );
};

const TABLE: Readonly<Record<string, Tweak>> = {
  count,
  divide,
  cmpxchg,
  cmpxchg8: cmpxchgPair,
  cmpxchg16: cmpxchgPair,
  bitOffset,
  branch,
  return: returns,
  enter,
  leave,
  loop,
  xlat,
  farLoad,
  selector: selectorOperand,
  selectorOnStack,
  bextr,
  string,
  flagsOnStack,
  basePointer,
  maskMove,
  strings: stringCompare,
  vectorCount,
  bound,
  interrupt,
  mxcsrImage,
  environment,
  fpuState: environment,
  fxImage,
  bcd,
  farMemory,
  farImmediate,
  farReturn,
  interruptReturn,
  predicate,
  int3: (d) => {
    d.step = 'int3';
  },
};

/** The tweaks an encoding asks for by attribute, behind the ones that look after the stack and segments of all. */
export const tweaksFor = (attributes: ReadonlySet<string>): Tweak[] => [
  segmentsLoaded,
  stack,
  ...[...attributes].flatMap((a) => TABLE[a] ?? []),
];
