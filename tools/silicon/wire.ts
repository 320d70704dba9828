/** The recorder's input and output, as recorder.c declares them. */
import { spawnSync } from 'node:child_process';
import type {
  CpuCase,
  CpuOutcome,
  CpuState,
  MemoryRange,
} from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { CS, DS, ES, FS, GS, SS } from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import * as layout from '../../packages/x86-emu/test/silicon/layout.ts';

const MAGIC = 0x32434953;
const INPUT_SIZE = 616;
const OUTPUT_SIZE = 608;
const MODES = [64, 32, 16];
const RFLAGS_TF_RF = 0x1_0100;
const VECTOR_DB = 1;
const VECTOR_BP = 3;
const VECTOR_PF = 14;
const PF_PRESENT = 1;
const SYSTEM_CALL = 0xff;

const encodeCases = (cases: readonly CpuCase[]): Uint8Array => {
  const patterns = [layout.dataPattern(), layout.readOnlyPattern()];
  const head = 48;
  const sizes = cases.map((c) => INPUT_SIZE + c.memory.reduce((n, m) => n + 4 + m.bytes.length, 0));
  const bytes = new Uint8Array(
    head + layout.DATA_SIZE + layout.RO_SIZE + sizes.reduce((a, b) => a + b, 0),
  );
  const view = new DataView(bytes.buffer);
  [MAGIC, cases.length].forEach((x, i) => view.setUint32(i * 4, x, true));
  [layout.DATA_BASE, layout.RO_BASE, layout.CODE_BASE].forEach((x, i) =>
    view.setBigUint64(8 + i * 8, BigInt(x), true),
  );
  [layout.DATA_SIZE, layout.RO_SIZE, layout.CODE_SIZE, layout.FX_SIZE].forEach((x, i) =>
    view.setUint32(32 + i * 4, x, true),
  );
  let at = head;
  for (const p of patterns) {
    bytes.set(p, at);
    at += p.length;
  }
  cases.forEach((c, i) => {
    const s = c.initial;
    view.setUint32(at, sizes[i] ?? 0, true);
    bytes.set(
      [MODES.indexOf(c.form.mode), c.step === 'int3' ? 1 : 0, c.code.length, c.memory.length],
      at + 4,
    );
    view.setUint16(at + 8, c.codeOffset, true);
    [DS, ES, FS, GS, SS].forEach((index, k) =>
      view.setUint16(at + 10 + k * 2, s.segments[index] ?? 0, true),
    );
    s.gpr.forEach((x, k) => view.setBigUint64(at + 24 + k * 8, x, true));
    view.setBigUint64(at + 152, BigInt(s.rflags), true);
    view.setBigUint64(at + 160, s.fsBase, true);
    view.setBigUint64(at + 168, s.gsBase, true);
    bytes.set(s.fx, at + 176);
    bytes.set(c.code, at + 592);
    at += INPUT_SIZE;
    for (const m of c.memory) {
      view.setUint16(at, m.offset, true);
      view.setUint16(at + 2, m.bytes.length, true);
      bytes.set(m.bytes, at + 4);
      at += 4 + m.bytes.length;
    }
  });
  return bytes;
};

const decodeOutcome = (bytes: Uint8Array, at: number, c: CpuCase): CpuOutcome => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const vector = view.getUint8(4);
  if (vector === SYSTEM_CALL)
    throw new Error(`${c.form.mnemonic} ${c.form.label} reached the kernel`);
  const segments = new Uint16Array(6);
  [CS, DS, ES, FS, GS, SS].forEach(
    (index, k) => (segments[index] = view.getUint16(8 + k * 2, true)),
  );
  const gpr = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) gpr[i] = view.getBigUint64(32 + i * 8, true);
  // upper halves and R8-R15 hold nothing defined below 64-bit mode (SDM Vol. 1, 3.4.1.1), nor do they through a signal
  if (c.form.mode !== 64) gpr.forEach((x, i) => (gpr[i] = i < 8 ? BigInt.asUintN(32, x) : 0n));
  const final: CpuState = {
    gpr,
    rip: view.getBigUint64(160, true),
    rflags: Number(view.getBigUint64(168, true)) & ~RFLAGS_TF_RF,
    segments,
    fsBase: view.getBigUint64(176, true),
    gsBase: view.getBigUint64(184, true),
    fx: bytes.slice(at + 192, at + 192 + layout.FX_SIZE),
  };
  final.fx.fill(0, 28, 32); // MXCSR_MASK tells of the host, not of the case
  const memory: MemoryRange[] = [];
  let p = at + OUTPUT_SIZE;
  for (let n = view.getUint16(6, true); n > 0; n--) {
    const piece = new DataView(bytes.buffer, bytes.byteOffset + p);
    const offset = piece.getUint16(0, true);
    const length = piece.getUint16(2, true);
    const last = memory.at(-1);
    const data = bytes.slice(p + 4, p + 4 + length);
    if (last !== undefined && last.offset + last.bytes.length === offset) {
      memory[memory.length - 1] = {
        offset: last.offset,
        bytes: Uint8Array.from([...last.bytes, ...data]),
      };
    } else memory.push({ offset, bytes: data });
    p += 4 + length;
  }
  if (c.step === 'trap' ? vector === VECTOR_DB : vector === VECTOR_BP) {
    if (c.step === 'int3') final.rip = BigInt.asUintN(64, final.rip - 1n);
    return { final, memory, fault: undefined };
  }
  const address = vector === VECTOR_PF ? view.getBigUint64(24, true) : 0n;
  // Linux sets P for each fault in the kernel's half, mapped or not; nothing is mapped there in a replay
  const errorCode = view.getUint32(20, true) & ~(address >> 63n === 0n ? 0 : PF_PRESENT);
  return { final, memory, fault: { vector, errorCode, address } };
};

/** Runs cases on the host CPU through the compiled recorder. */
export const runOnHost = (recorder: string, cases: readonly CpuCase[]): CpuOutcome[] => {
  const result = spawnSync(recorder, [], { input: encodeCases(cases), maxBuffer: 2 ** 30 });
  if (result.status !== 0)
    throw new Error(
      `recorder ended with ${result.status ?? result.signal}: ${result.stderr.toString()}`,
    );
  const bytes = new Uint8Array(
    result.stdout.buffer,
    result.stdout.byteOffset,
    result.stdout.length,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = 0;
  return cases.map((c) => {
    const outcome = decodeOutcome(bytes, at, c);
    at += view.getUint32(at, true);
    return outcome;
  });
};
