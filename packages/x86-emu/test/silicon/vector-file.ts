/**
 * The file format of recorded vectors: forms, each with its cases; a case stores what differs from its seeded state, an
 * outcome what differs from its case. The whole is brotli-compressed.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { ByteSink, ByteSource } from './byte-stream.ts';
import type {
  CaseForm,
  CodeMode,
  CpuCase,
  CpuFault,
  CpuOutcome,
  CpuState,
  MemoryRange,
  StateKind,
} from './cpu-case.ts';
import { cloneState } from './cpu-case.ts';
import { CODE_OFFSET } from './layout.ts';
import {
  codeAddress,
  FX_MXCSR,
  FX_ST,
  FX_XMM,
  seededOperand,
  seededState,
} from './seeded-state.ts';

export interface Vector {
  readonly testCase: CpuCase;
  readonly outcome: CpuOutcome;
}

const FORMAT_VERSION = 1;
const COMPLETED = 0xff;
const KINDS: readonly StateKind[] = ['int', 'f32', 'f64', 'x87', 'mmx'];
const PAGE_FAULT = 14;

const HAS_GPR = 1;
const HAS_RIP = 2;
const HAS_FLAGS = 4;
const HAS_SEGMENTS = 8;
const HAS_BASES = 16;
const HAS_X87_HEAD = 32;
const HAS_MXCSR = 64;
const HAS_ST = 128;
const HAS_XMM = 256;

/** Which 4-byte words of a part of the FX image differ, in order. */
const wordMask = (a: Uint8Array, b: Uint8Array, at: number, words: number): number => {
  let mask = 0;
  for (let i = 0; i < words * 4; i++) if (a[at + i] !== b[at + i]) mask |= 1 << (i >> 2);
  return mask;
};

const writeWords = (sink: ByteSink, fx: Uint8Array, at: number, mask: number): void => {
  for (let rest = mask, i = 0; rest !== 0; rest >>>= 1, i++)
    if ((rest & 1) !== 0) sink.raw(fx.subarray(at + i * 4, at + i * 4 + 4));
};

const readWords = (source: ByteSource, fx: Uint8Array, at: number, mask: number): void => {
  for (let rest = mask, i = 0; rest !== 0; rest >>>= 1, i++)
    if ((rest & 1) !== 0) fx.set(source.raw(4), at + i * 4);
};

/** Parts of the FX image: header without MXCSR, MXCSR, ST0-7, XMM0-15; registers are 4 words each. */
const registersChanged = (a: Uint8Array, b: Uint8Array, at: number, count: number): number => {
  let mask = 0;
  for (let i = 0; i < count; i++) if (wordMask(a, b, at + i * 16, 4) !== 0) mask |= 1 << i;
  return mask;
};

const writeRegisters = (
  sink: ByteSink,
  from: Uint8Array,
  to: Uint8Array,
  at: number,
  mask: number,
): void => {
  sink.varint(mask);
  for (let i = 0; i < 16; i++) {
    if (((mask >> i) & 1) === 0) continue;
    const words = wordMask(from, to, at + i * 16, 4);
    sink.u8(words);
    writeWords(sink, to, at + i * 16, words);
  }
};

const readRegisters = (source: ByteSource, fx: Uint8Array, at: number): void => {
  const mask = source.varint();
  for (let i = 0; i < 16; i++)
    if (((mask >> i) & 1) !== 0) readWords(source, fx, at + i * 16, source.u8());
};

const gprMask = (from: CpuState, to: CpuState): number => {
  let mask = 0;
  for (let i = 0; i < 16; i++) if (from.gpr[i] !== to.gpr[i]) mask |= 1 << i;
  return mask;
};

const writeStateDelta = (sink: ByteSink, from: CpuState, to: CpuState): void => {
  const gprs = gprMask(from, to);
  const segments = from.segments.reduce(
    (mask, s, i) => (s === to.segments[i] ? mask : mask | (1 << i)),
    0,
  );
  const head = wordMask(from.fx, to.fx, 0, 6);
  const st = registersChanged(from.fx, to.fx, FX_ST, 8);
  const xmm = registersChanged(from.fx, to.fx, FX_XMM, 16);
  const parts =
    (gprs === 0 ? 0 : HAS_GPR) |
    (from.rip === to.rip ? 0 : HAS_RIP) |
    (from.rflags === to.rflags ? 0 : HAS_FLAGS) |
    (segments === 0 ? 0 : HAS_SEGMENTS) |
    (from.fsBase === to.fsBase && from.gsBase === to.gsBase ? 0 : HAS_BASES) |
    (head === 0 ? 0 : HAS_X87_HEAD) |
    (wordMask(from.fx, to.fx, FX_MXCSR, 1) === 0 ? 0 : HAS_MXCSR) |
    (st === 0 ? 0 : HAS_ST) |
    (xmm === 0 ? 0 : HAS_XMM);
  sink.varint(parts);
  if ((parts & HAS_GPR) !== 0) {
    sink.varint(gprs);
    for (let i = 0; i < 16; i++)
      if (((gprs >> i) & 1) !== 0) sink.near(to.gpr[i] ?? 0n, from.gpr[i] ?? 0n);
  }
  if ((parts & HAS_RIP) !== 0) sink.near(to.rip, from.rip);
  if ((parts & HAS_FLAGS) !== 0) sink.varint((from.rflags ^ to.rflags) >>> 0);
  if ((parts & HAS_SEGMENTS) !== 0) {
    sink.u8(segments);
    for (let i = 0; i < 6; i++) if (((segments >> i) & 1) !== 0) sink.varint(to.segments[i] ?? 0);
  }
  if ((parts & HAS_BASES) !== 0) {
    sink.near(to.fsBase, from.fsBase);
    sink.near(to.gsBase, from.gsBase);
  }
  if ((parts & HAS_X87_HEAD) !== 0) {
    sink.u8(head);
    writeWords(sink, to.fx, 0, head);
  }
  if ((parts & HAS_MXCSR) !== 0) writeWords(sink, to.fx, FX_MXCSR, 1);
  if ((parts & HAS_ST) !== 0) writeRegisters(sink, from.fx, to.fx, FX_ST, st);
  if ((parts & HAS_XMM) !== 0) writeRegisters(sink, from.fx, to.fx, FX_XMM, xmm);
};

/** Applies a stored difference to `state`. */
const readStateDelta = (source: ByteSource, state: CpuState): void => {
  const parts = source.varint();
  if ((parts & HAS_GPR) !== 0) {
    const gprs = source.varint();
    for (let i = 0; i < 16; i++)
      if (((gprs >> i) & 1) !== 0) state.gpr[i] = source.near(state.gpr[i] ?? 0n);
  }
  if ((parts & HAS_RIP) !== 0) state.rip = source.near(state.rip);
  if ((parts & HAS_FLAGS) !== 0) state.rflags = (state.rflags ^ source.varint()) >>> 0;
  if ((parts & HAS_SEGMENTS) !== 0) {
    const mask = source.u8();
    for (let i = 0; i < 6; i++) if (((mask >> i) & 1) !== 0) state.segments[i] = source.varint();
  }
  if ((parts & HAS_BASES) !== 0) {
    state.fsBase = source.near(state.fsBase);
    state.gsBase = source.near(state.gsBase);
  }
  if ((parts & HAS_X87_HEAD) !== 0) readWords(source, state.fx, 0, source.u8());
  if ((parts & HAS_MXCSR) !== 0) readWords(source, state.fx, FX_MXCSR, 1);
  if ((parts & HAS_ST) !== 0) readRegisters(source, state.fx, FX_ST);
  if ((parts & HAS_XMM) !== 0) readRegisters(source, state.fx, FX_XMM);
};

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** A patch whose bytes follow from the seed is stored as its place alone. */
const writeMemory = (
  sink: ByteSink,
  ranges: readonly MemoryRange[],
  seeded: (length: number) => Uint8Array | undefined,
): void => {
  sink.varint(ranges.length);
  for (const { offset, bytes } of ranges) {
    const known = seeded(bytes.length);
    const derived = known !== undefined && sameBytes(known, bytes);
    sink.varint(offset * 2 + (derived ? 1 : 0));
    sink.varint(bytes.length);
    if (!derived) sink.raw(bytes);
  }
};

const readMemory = (source: ByteSource, seeded: (length: number) => Uint8Array): MemoryRange[] => {
  const ranges: MemoryRange[] = [];
  for (let count = source.varint(); count > 0; count--) {
    const head = source.varint();
    const length = source.varint();
    ranges.push({
      offset: head >> 1,
      bytes: (head & 1) !== 0 ? seeded(length) : source.raw(length),
    });
  }
  return ranges;
};

const nothingSeeded = (): never => {
  throw new Error('an outcome stores its bytes');
};

/** Where RIP stands if nothing unusual happens: behind the instruction, or on it after a fault. */
const expectedFinal = (testCase: CpuCase, completed: boolean): CpuState => {
  const state = cloneState(testCase.initial);
  if (completed) state.rip += BigInt(testCase.code.length);
  return state;
};

const writeVector = (sink: ByteSink, { testCase, outcome }: Vector): void => {
  const { form, seed, code } = testCase;
  const moved = testCase.codeOffset !== CODE_OFFSET;
  sink.u8(code.length | (testCase.step === 'int3' ? 0x40 : 0) | (moved ? 0x80 : 0));
  sink.raw(code);
  if (moved) sink.varint(testCase.codeOffset);
  const base = seededState(form.mode, form.kind, seed);
  base.rip = codeAddress(form.mode, testCase.codeOffset);
  writeStateDelta(sink, base, testCase.initial);
  writeMemory(sink, testCase.memory, (length) => seededOperand(form.kind, seed, length));
  const { fault } = outcome;
  sink.u8(fault === undefined ? COMPLETED : fault.vector);
  if (fault !== undefined) sink.varint(fault.errorCode);
  if (fault?.vector === PAGE_FAULT) sink.near(fault.address, 0n);
  writeStateDelta(sink, expectedFinal(testCase, fault === undefined), outcome.final);
  writeMemory(sink, outcome.memory, () => undefined);
};

const readVector = (source: ByteSource, form: CaseForm, seed: number): Vector => {
  const head = source.u8();
  const code = source.raw(head & 0x1f);
  const codeOffset = (head & 0x80) !== 0 ? source.varint() : CODE_OFFSET;
  const initial = seededState(form.mode, form.kind, seed);
  initial.rip = codeAddress(form.mode, codeOffset);
  readStateDelta(source, initial);
  const memory = readMemory(source, (length) => seededOperand(form.kind, seed, length));
  const testCase: CpuCase = {
    form,
    seed,
    code,
    codeOffset,
    step: (head & 0x40) !== 0 ? 'int3' : 'trap',
    initial,
    memory,
  };
  const vector = source.u8();
  let fault: CpuFault | undefined;
  if (vector !== COMPLETED) {
    const errorCode = source.varint();
    fault = { vector, errorCode, address: vector === PAGE_FAULT ? source.near(0n) : 0n };
  }
  const final = expectedFinal(testCase, fault === undefined);
  readStateDelta(source, final);
  return { testCase, outcome: { final, memory: readMemory(source, nothingSeeded), fault } };
};

export const encodeVectors = (vectors: readonly Vector[]): Uint8Array => {
  const groups = new Map<CaseForm, Vector[]>();
  for (const v of vectors) {
    const group = groups.get(v.testCase.form);
    if (group === undefined) groups.set(v.testCase.form, [v]);
    else group.push(v);
  }
  const sink = new ByteSink();
  sink.varint(FORMAT_VERSION);
  sink.varint(groups.size);
  for (const [form, group] of groups) {
    sink.text(form.mnemonic);
    sink.text(form.label);
    sink.u8(form.mode);
    sink.u8(KINDS.indexOf(form.kind));
    sink.varint(form.size);
    sink.varint(group.length);
    let previous = 0;
    for (const v of group) {
      sink.varint((v.testCase.seed - previous) >>> 0);
      previous = v.testCase.seed;
      writeVector(sink, v);
    }
  }
  const bytes = sink.done();
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
};

/** Yields a file's vectors form by form. Throws on a version or content it does not know. */
export function* decodeVectors(file: Uint8Array): Generator<Vector, void, undefined> {
  const content = brotliDecompressSync(file);
  const source = new ByteSource(new Uint8Array(content.buffer, content.byteOffset, content.length));
  const version = source.varint();
  if (version !== FORMAT_VERSION)
    throw new Error(`vector file has version ${version}, expected ${FORMAT_VERSION}`);
  for (let forms = source.varint(); forms > 0; forms--) {
    const mnemonic = source.text();
    const label = source.text();
    const mode = source.u8();
    if (mode !== 64 && mode !== 32 && mode !== 16)
      throw new Error(`vector file names mode ${mode}`);
    const kind = KINDS[source.u8()];
    if (kind === undefined) throw new Error('vector file names an unknown kind');
    const form: CaseForm = {
      mnemonic,
      label,
      mode: mode satisfies CodeMode,
      kind,
      size: source.varint(),
    };
    let seed = 0;
    for (let cases = source.varint(); cases > 0; cases--) {
      seed = (seed + source.varint()) >>> 0;
      yield readVector(source, form, seed);
    }
  }
  if (!source.exhausted) throw new Error('vector file has bytes behind its end');
}
