/** Compares an outcome with the recorded one, field by field, leaving out what the architecture leaves open. */
import type { CpuCase, CpuFault, CpuOutcome, CpuState, MemoryRange } from './cpu-case.ts';
import { CS, SEGMENT_NAMES, SS } from './cpu-case.ts';
import { USER_CS64 } from './layout.ts';
import { FX_FTW, FX_MXCSR, FX_ST, FX_XMM } from './seeded-state.ts';
import type { Tolerance } from './undefined-results.ts';
import {
  makersBytes,
  TOLERANCES,
  undefinedDestination,
  undefinedFlags,
  undefinedRegisterBits,
  undefinedStatus,
} from './undefined-results.ts';

export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

const GPR_NAMES = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
];
const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [0x1, 'CF'],
  [0x4, 'PF'],
  [0x10, 'AF'],
  [0x40, 'ZF'],
  [0x80, 'SF'],
  [0x200, 'IF'],
  [0x400, 'DF'],
  [0x800, 'OF'],
  [0x3000, 'IOPL'],
  [0x4000, 'NT'],
  [0x4_0000, 'AC'],
  [0x20_0000, 'ID'],
];
const ARITHMETIC_FLAGS = 0x8d5;

export const hexBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
const hex = (x: number | bigint): string => x.toString(16);
const flagNames = (flags: number): string =>
  FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(' ') || '-';

const describeFault = (f: CpuFault | undefined): string =>
  f === undefined
    ? 'completed'
    : `vector ${f.vector} error ${hex(f.errorCode)}${f.vector === 14 ? ` at ${hex(f.address)}` : ''}`;

const closeF80 = (a: Uint8Array, b: Uint8Array, ulps: number): boolean => {
  const read = (x: Uint8Array): readonly [bigint, number] => {
    const view = new DataView(x.buffer, x.byteOffset);
    return [view.getBigUint64(0, true), view.getUint16(8, true)];
  };
  const [ma, ea] = read(a);
  const [mb, eb] = read(b);
  if ((ea ^ eb) & 0x8000) return false;
  const distance =
    (BigInt(ea & 0x7fff) << 63n) +
    (ma & 0x7fff_ffff_ffff_ffffn) -
    ((BigInt(eb & 0x7fff) << 63n) + (mb & 0x7fff_ffff_ffff_ffffn));
  return distance <= BigInt(ulps) && -distance <= BigInt(ulps);
};

const closeF32 = (a: Uint8Array, b: Uint8Array, relative: number): boolean => {
  const x = new DataView(a.buffer, a.byteOffset);
  const y = new DataView(b.buffer, b.byteOffset);
  for (let i = 0; i < 16; i += 4) {
    const p = x.getFloat32(i, true);
    const q = y.getFloat32(i, true);
    const same = x.getUint32(i, true) === y.getUint32(i, true);
    // both within the bound of the true value, so within twice the bound of each other
    if (!same && !(Math.abs(p - q) <= 2 * relative * Math.abs(p))) return false;
  }
  return true;
};

const closeEnough = (
  t: Tolerance | undefined,
  kind: 'st' | 'xmm',
  a: Uint8Array,
  b: Uint8Array,
): boolean => {
  if (t === undefined) return false;
  if (t.format === 'f80') return kind === 'st' && closeF80(a, b, t.ulps ?? 0);
  return kind === 'xmm' && closeF32(a, b, t.relative ?? 0);
};

const sameBytes = (a: Uint8Array, b: Uint8Array, at: number, length: number): boolean => {
  for (let i = 0; i < length; i++) if (a[at + i] !== b[at + i]) return false;
  return true;
};

const compareFx = (
  c: CpuCase,
  completed: boolean,
  e: CpuState,
  a: CpuState,
  out: Difference[],
): void => {
  if (sameBytes(e.fx, a.fx, 0, e.fx.length)) return;
  const expected = new DataView(e.fx.buffer, e.fx.byteOffset);
  const actual = new DataView(a.fx.buffer, a.fx.byteOffset);
  const word = (field: string, at: number, mask: number): void => {
    const x = expected.getUint16(at, true) & mask;
    const y = actual.getUint16(at, true) & mask;
    if (x !== y) out.push({ field, expected: hex(x), actual: hex(y) });
  };
  word('fcw', 0, 0xffff);
  word('fsw', 2, 0xffff & ~(completed ? undefinedStatus(c, expected.getUint16(2, true)) : 0));
  word('ftw', FX_FTW, 0xff);
  const mx = [expected.getUint32(FX_MXCSR, true), actual.getUint32(FX_MXCSR, true)] as const;
  if (mx[0] !== mx[1]) out.push({ field: 'mxcsr', expected: hex(mx[0]), actual: hex(mx[1]) });
  const tolerance = completed ? TOLERANCES[c.form.mnemonic] : undefined;
  const register = (kind: 'st' | 'xmm', n: number, at: number, length: number): void => {
    if (sameBytes(e.fx, a.fx, at, length)) return;
    const x = e.fx.subarray(at, at + length);
    const y = a.fx.subarray(at, at + length);
    if (!closeEnough(tolerance, kind, x, y))
      out.push({
        field: `${kind}${n}`,
        expected: hexBytes(x.toReversed()),
        actual: hexBytes(y.toReversed()),
      });
  };
  for (let i = 0; i < 8; i++) register('st', i, FX_ST + i * 16, 10);
  for (let i = 0; i < 16; i++) register('xmm', i, FX_XMM + i * 16, 16);
};

const byteMap = (ranges: readonly MemoryRange[]): Map<number, number> => {
  const map = new Map<number, number>();
  for (const { offset, bytes } of ranges) bytes.forEach((b, i) => map.set(offset + i, b));
  return map;
};

const compareMemory = (
  c: CpuCase,
  expected: CpuOutcome,
  actual: CpuOutcome,
  out: Difference[],
): void => {
  const e = byteMap(expected.memory);
  const a = byteMap(actual.memory);
  if (e.size === 0 && a.size === 0) return;
  const makers = makersBytes(c);
  // cases that store an FPU image patch its place beforehand, so the patch tells where it is
  const start = c.memory[0]?.offset ?? 0;
  const wrong: number[] = [];
  for (const at of new Set([...e.keys(), ...a.keys()])) {
    if (e.get(at) === a.get(at)) continue;
    if (makers.some(([from, to]) => at >= start + from && at < start + to)) continue;
    wrong.push(at);
  }
  wrong.sort((x, y) => x - y);
  const show = (m: Map<number, number>): string =>
    wrong
      .slice(0, 16)
      .map((at) => `${hex(at)}:${m.has(at) ? hex(m.get(at) ?? 0).padStart(2, '0') : '--'}`)
      .join(' ') + (wrong.length > 16 ? ' …' : '');
  if (wrong.length > 0) out.push({ field: 'memory', expected: show(e), actual: show(a) });
};

/**
 * Null selectors in data segment registers count as 0: a return to an outer privilege level, through which the recorder
 * sees them, clears their RPL (SDM Vol. 2A, IRET, RETURN-TO-OUTER-PRIVILEGE-LEVEL).
 */
const comparableSelector = (s: CpuState, i: number): number => {
  const selector = s.segments[i] ?? 0;
  return i !== CS && i !== SS && selector < 4 ? 0 : selector;
};

export const compareOutcome = (
  c: CpuCase,
  expected: CpuOutcome,
  actual: CpuOutcome,
): Difference[] => {
  const out: Difference[] = [];
  const ef = expected.fault;
  const af = actual.fault;
  if (ef?.vector !== af?.vector || ef?.errorCode !== af?.errorCode || ef?.address !== af?.address) {
    out.push({ field: 'result', expected: describeFault(ef), actual: describeFault(af) });
  }
  const e = expected.final;
  const a = actual.final;
  if (e.rip !== a.rip) out.push({ field: 'rip', expected: hex(e.rip), actual: hex(a.rip) });
  const lenient = undefinedDestination(c) && ef === undefined;
  // upper halves are lost with 64-bit mode (SDM Vol. 1, 3.4.1.1)
  const width = c.form.mode === 64 && e.segments[CS] === USER_CS64 ? 64 : 32;
  const definedBits = ((1n << BigInt(width)) - 1n) & ~undefinedRegisterBits(c);
  for (let i = 0; i < (c.form.mode === 64 ? 16 : 8); i++) {
    const x = e.gpr[i] ?? 0n;
    const y = a.gpr[i] ?? 0n;
    if (((x ^ y) & definedBits) !== 0n && !lenient)
      out.push({ field: GPR_NAMES[i] ?? '', expected: hex(x), actual: hex(y) });
  }
  const ignored = undefinedFlags(c, ef?.vector);
  const flags = (e.rflags ^ a.rflags) & ~ignored;
  if (flags !== 0) {
    const names = (value: number): string =>
      `${flagNames(value & flags)}${(flags & ~ARITHMETIC_FLAGS) === 0 ? '' : ` (${hex(value)})`}`;
    out.push({
      field: `flags ${flagNames(flags)}`,
      expected: names(e.rflags),
      actual: names(a.rflags),
    });
  }
  for (let i = 0; i < 6; i++) {
    if (comparableSelector(e, i) !== comparableSelector(a, i))
      out.push({
        field: SEGMENT_NAMES[i] ?? '',
        expected: hex(e.segments[i] ?? 0),
        actual: hex(a.segments[i] ?? 0),
      });
  }
  if (e.fsBase !== a.fsBase)
    out.push({ field: 'fs.base', expected: hex(e.fsBase), actual: hex(a.fsBase) });
  if (e.gsBase !== a.gsBase)
    out.push({ field: 'gs.base', expected: hex(e.gsBase), actual: hex(a.gsBase) });
  compareFx(c, ef === undefined, e, a, out);
  if (!lenient) compareMemory(c, expected, actual, out);
  return out;
};
