/** Runs cases on the engine: a long-mode machine with the recorder's address space, at CPL 3. */
import { createMachine } from '../../src/machine.ts';
import type { EngineChoice } from '../../src/machine/options.ts';
import type { Machine } from '../../src/machine.ts';
import { X87_LAYOUT } from '../../src/fpu/x87-state.ts';
import type { Segment } from '../../src/cpu/cpu-state.ts';
import type {
  CpuCase,
  CpuFault,
  CpuOutcome,
  CpuState,
  CpuTestDriver,
  MemoryRange,
} from './cpu-case.ts';
import { CS, FS, GS, SEGMENT_NAMES, SS } from './cpu-case.ts';
import {
  CODE_PHYSICAL,
  DATA_PHYSICAL,
  descriptorOf,
  GDT_BASE,
  GDT_LIMIT,
  guestImage,
  IDT_BASE,
  IDT_LIMIT,
  LDT_LIMIT,
  LDT_LINEAR,
  LDT_SELECTOR,
  PML4_PHYSICAL,
  RAM_SIZE,
  STACK_TOP_PHYSICAL,
  TSS_LIMIT,
  TSS_LINEAR,
  TSS_SELECTOR,
  vectorAt,
} from './guest-image.ts';
import { CODE_SIZE, DATA_SIZE, dataPattern, FX_SIZE } from './layout.ts';
import { FX_FTW, FX_MXCSR, FX_ST, FX_XMM } from './seeded-state.ts';

/** PE, MP, ET, NE, WP, AM, PG. */
const CR0 = 0x8005_0033n;
/** DE, PAE, MCE, PGE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE: what Linux sets and user code can tell. */
const CR4 = 0x5_06e8n;
/** x87 and SSE. */
const XCR0 = 3n;
/** SCE, LME, LMA, NXE. */
const EFER = 0xd01n;
const UNUSABLE = 0x1_0000;
const NO_SHADOW = 0xffff_ffff;
const PAGE_FAULT = 14;
const TF_RF = 0x1_0100;
/** A rep string may be executed an iteration at a time. */
const MOST_STEPS = 0x1_0000;

const segmentOf = (selector: number, base: bigint): Segment => {
  const d = descriptorOf(selector);
  if ((selector & 0xfffc) === 0 || d === undefined)
    return { selector, base, limit: 0, attributes: UNUSABLE };
  const limit = (d.attributes & 0x8000) === 0 ? d.limit : ((d.limit << 12) | 0xfff) >>> 0;
  return { selector, base: BigInt(d.base), limit, attributes: d.attributes };
};

/** Sets up what all cases share. */
const prepare = (machine: Machine): void => {
  const { state } = machine;
  machine.memory.write(0, guestImage());
  state.setBig('cr3', BigInt(PML4_PHYSICAL));
  state.setBig('cr4', CR4);
  state.setBig('efer', EFER);
  state.setBig('cr0', CR0);
  state.setBig('xcr0', XCR0);
  state.setBig('gdtrBase', GDT_BASE);
  state.set('gdtrLimit', GDT_LIMIT);
  state.setBig('idtrBase', IDT_BASE);
  state.set('idtrLimit', IDT_LIMIT);
  state.setSegment('ldtr', {
    selector: LDT_SELECTOR,
    base: LDT_LINEAR,
    limit: LDT_LIMIT,
    attributes: 0x82,
  });
  state.setSegment('tr', {
    selector: TSS_SELECTOR,
    base: TSS_LINEAR,
    limit: TSS_LIMIT,
    attributes: 0x8b,
  });
};

const writeFx = (machine: Machine, fx: Uint8Array): void => {
  const { state } = machine;
  const from = new DataView(fx.buffer, fx.byteOffset, FX_SIZE);
  const { view, base } = state.x87;
  for (const at of [X87_LAYOUT.fcw, X87_LAYOUT.fsw, X87_LAYOUT.fop])
    view.setUint16(base + at, from.getUint16(at, true), true);
  view.setUint8(base + X87_LAYOUT.tags, from.getUint8(FX_FTW));
  for (const at of [X87_LAYOUT.fip, X87_LAYOUT.fdp])
    view.setBigUint64(base + at, from.getBigUint64(at, true), true);
  view.setUint32(base + X87_LAYOUT.fcs, 0, true);
  const top = (from.getUint16(X87_LAYOUT.fsw, true) >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const slot = base + X87_LAYOUT.registers + ((top + i) & 7) * X87_LAYOUT.stride;
    view.setBigUint64(slot, from.getBigUint64(FX_ST + i * 16, true), true);
    view.setUint16(slot + X87_LAYOUT.signExponent, from.getUint16(FX_ST + i * 16 + 8, true), true);
  }
  state.set('mxcsr', from.getUint32(FX_MXCSR, true));
  for (let i = 0; i < 16; i++) {
    state.setXmm(i, 0, from.getBigUint64(FX_XMM + i * 16, true));
    state.setXmm(i, 1, from.getBigUint64(FX_XMM + i * 16 + 8, true));
  }
};

const readFx = (machine: Machine): Uint8Array => {
  const { state } = machine;
  const fx = new Uint8Array(FX_SIZE);
  const to = new DataView(fx.buffer);
  const { view, base } = state.x87;
  for (const at of [X87_LAYOUT.fcw, X87_LAYOUT.fsw, X87_LAYOUT.fop])
    to.setUint16(at, view.getUint16(base + at, true), true);
  to.setUint8(FX_FTW, view.getUint8(base + X87_LAYOUT.tags));
  const top = (view.getUint16(base + X87_LAYOUT.fsw, true) >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const slot = base + X87_LAYOUT.registers + ((top + i) & 7) * X87_LAYOUT.stride;
    to.setBigUint64(FX_ST + i * 16, view.getBigUint64(slot, true), true);
    to.setUint16(FX_ST + i * 16 + 8, view.getUint16(slot + X87_LAYOUT.signExponent, true), true);
  }
  to.setUint32(FX_MXCSR, state.get('mxcsr'), true);
  for (let i = 0; i < 16; i++) {
    to.setBigUint64(FX_XMM + i * 16, state.xmm(i, 0), true);
    to.setBigUint64(FX_XMM + i * 16 + 8, state.xmm(i, 1), true);
  }
  return fx;
};

const writeState = (machine: Machine, s: CpuState): void => {
  const { state } = machine;
  s.gpr.forEach((value, n) => state.setGpr(n, value));
  state.setBig('rip', s.rip);
  state.rflags = s.rflags;
  SEGMENT_NAMES.forEach((name, i) => {
    const base = i === FS ? s.fsBase : i === GS ? s.gsBase : 0n;
    state.setSegment(name, segmentOf(s.segments[i] ?? 0, base));
  });
  state.set('cpl', 3);
  state.setBig('cr2', 0n);
  state.set('halted', 0);
  state.set('shadow', NO_SHADOW);
  writeFx(machine, s.fx);
  machine.stateChanged();
};

const readState = (machine: Machine): CpuState => {
  const { state } = machine;
  const gpr = new BigUint64Array(16);
  for (let n = 0; n < 16; n++) gpr[n] = state.gpr(n);
  return {
    gpr,
    rip: state.big('rip'),
    rflags: state.rflags & ~TF_RF,
    segments: Uint16Array.from(SEGMENT_NAMES, (name) => state.segment(name).selector),
    fsBase: state.segment('fs').base,
    gsBase: state.segment('gs').base,
    fx: readFx(machine),
  };
};

/** State as the handler's stack frame tells it, for an event that was delivered. */
const interruptedState = (machine: Machine, s: CpuState): CpuState => {
  const frame = machine.memory.read(STACK_TOP_PHYSICAL - 40, 40);
  const view = new DataView(frame.buffer, frame.byteOffset);
  s.rip = view.getBigUint64(0, true);
  s.segments[CS] = view.getUint16(8, true);
  s.rflags = view.getUint32(16, true) & ~TF_RF;
  s.gpr[4] = view.getBigUint64(24, true);
  s.segments[SS] = view.getUint16(32, true);
  return s;
};

export const createMachineDriver = (engine: EngineChoice = 'translator'): CpuTestDriver => {
  const machine = createMachine({ ram: RAM_SIZE, romCapacity: 0, engine });
  prepare(machine);
  machine.hooks.interrupt = ({ kind }) => (kind === 'exception' ? 'stop' : undefined);
  const ram = machine.memory.regions[0];
  if (ram === undefined) throw new Error('the machine has no RAM');
  const data = machine.memory.contents(ram).subarray(DATA_PHYSICAL, DATA_PHYSICAL + DATA_SIZE);
  const words = new Int32Array(data.buffer, data.byteOffset, DATA_SIZE / 4);
  const pattern = dataPattern();
  const expected = pattern.slice();
  const expectedWords = new Int32Array(expected.buffer);
  data.set(pattern);

  /** The bytes that changed; puts the pattern back. */
  const takeChanges = (patches: readonly MemoryRange[]): MemoryRange[] => {
    const changes: MemoryRange[] = [];
    for (let w = 0; w < words.length; w++) {
      if (words[w] === expectedWords[w]) continue;
      for (let at = w * 4; at < w * 4 + 4; at++) {
        const byte = data[at] ?? 0;
        if (byte !== expected[at]) changes.push({ offset: at, bytes: Uint8Array.of(byte) });
      }
      data.set(pattern.subarray(w * 4, w * 4 + 4), w * 4);
    }
    for (const { offset, bytes } of patches) {
      const original = pattern.subarray(offset, offset + bytes.length);
      data.set(original, offset);
      expected.set(original, offset);
    }
    return changes;
  };

  const execute = (c: CpuCase): { final: CpuState; fault: CpuFault | undefined } => {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const exit = machine.step();
      if (exit?.kind === 'exception') {
        const { vector, errorCode = 0 } = exit;
        const address = vector === PAGE_FAULT ? machine.state.big('cr2') : 0n;
        return { final: readState(machine), fault: { vector, errorCode, address } };
      }
      if (exit !== undefined) throw new Error(`step ended with ${exit.kind}`);
      const final = readState(machine);
      const vector = machine.state.get('cpl') === 0 ? vectorAt(final.rip) : undefined;
      if (vector !== undefined)
        return {
          final: interruptedState(machine, final),
          fault: { vector, errorCode: 0, address: 0n },
        };
      const repeating = c.step === 'int3' && final.rip === c.initial.rip;
      if (!repeating) return { final, fault: undefined };
    }
    throw new Error('the instruction does not end');
  };

  const run = (c: CpuCase): CpuOutcome => {
    for (const { offset, bytes } of c.memory) {
      data.set(bytes, offset);
      expected.set(bytes, offset);
    }
    const code = c.code.subarray(0, CODE_SIZE - c.codeOffset);
    machine.memory.write(CODE_PHYSICAL + c.codeOffset, code);
    try {
      writeState(machine, c.initial);
      const ended = execute(c);
      return { ...ended, memory: takeChanges(c.memory) };
    } catch (error) {
      takeChanges(c.memory);
      throw error;
    } finally {
      machine.memory.write(CODE_PHYSICAL + c.codeOffset, new Uint8Array(code.length).fill(0xcc));
    }
  };
  return { run };
};
