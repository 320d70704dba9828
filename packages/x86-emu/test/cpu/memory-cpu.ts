/** A `Cpu` without an engine: linear memory is an array, faults are recorded, calls to the engine are counted. */
import { CpuState } from '../../src/cpu/cpu-state.ts';
import { createCpuid } from '../../src/cpu/cpuid.ts';
import { DEFAULT_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import type { CpuProfile } from '../../src/cpu/cpuid-profile.ts';
import { CR0, EFER } from '../../src/cpu/control-bits.ts';
import { Fault } from '../../src/cpu/helper.ts';
import type { AccessRights, Cpu } from '../../src/cpu/helper.ts';
import { createMsrs } from '../../src/cpu/msr.ts';
import { resetCpuState } from '../../src/cpu/reset.ts';
import { flatSegment, linearAddress } from '../../src/cpu/segments.ts';
import { STATE_END } from '../../src/cpu/state-layout.ts';

export const GDT = 0x1000;
export const IDT = 0x2000;
export const TSS = 0x3000;
export const LDT = 0x4000;
const MEMORY_SIZE = 0x40000;

export interface RecordedFault {
  readonly vector: number;
  readonly errorCode: number | undefined;
}

export interface MemoryCpu extends Cpu {
  readonly bytes: Uint8Array;
  /** Names of the calls to the engine, in order. */
  readonly calls: string[];
  /** Accesses with the processor's own rights, as `r` or `w` and the address. */
  readonly systemAccesses: string[];
  /** Pages (linear address >> 12) that are not present, and those that are read-only. */
  readonly absent: Set<number>;
  readonly readOnly: Set<number>;
  time: bigint;
  readonly portAccesses: string[];
  /** What port reads give. */
  portValue: number;
}

export const createMemoryCpu = (profile: CpuProfile = DEFAULT_PROFILE): MemoryCpu => {
  const state = new CpuState(new ArrayBuffer(STATE_END));
  const bytes = new Uint8Array(MEMORY_SIZE);
  const calls: string[] = [];
  const systemAccesses: string[] = [];
  const absent = new Set<number>();
  const readOnly = new Set<number>();
  const portAccesses: string[] = [];
  const fault = (vector: number, errorCode?: number): never => {
    const thrown = new Fault(`fault ${vector}`);
    thrown.vector = vector;
    thrown.errorCode = errorCode;
    throw thrown;
  };
  const check = (linear: bigint, count: number, write: boolean, rights?: AccessRights): number => {
    const user = rights !== 'system' && state.get('cpl') === 3;
    for (const at of [linear, linear + BigInt(count - 1)]) {
      const page = Number(at >> 12n);
      const present = at < BigInt(MEMORY_SIZE) && !absent.has(page);
      if (present && !(write && readOnly.has(page))) continue;
      state.setBig('cr2', at);
      fault(14, (present ? 1 : 0) | (write ? 2 : 0) | (user ? 4 : 0));
    }
    if (rights === 'system') systemAccesses.push(`${write ? 'w' : 'r'}${linear.toString(16)}`);
    return Number(linear);
  };
  const msrs = createMsrs(profile);
  const cpu: MemoryCpu = {
    state,
    bytes,
    calls,
    systemAccesses,
    absent,
    readOnly,
    portAccesses,
    portValue: 0,
    time: 0n,
    memory: {
      read: (count, linear, rights) => {
        const at = check(linear, count, false, rights);
        let value = 0n;
        for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
        return value;
      },
      write: (count, linear, value, rights) => {
        const at = check(linear, count, true, rights);
        for (let i = 0; i < count; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      },
      probe: (count, linear, access, rights) => {
        check(linear, count, access === 'write', rights);
      },
      probeWrite: (count, linear, rights) => {
        check(linear, count, true, rights);
      },
      readBlock: (linear, into, rights) => {
        const at = check(linear, into.length, false, rights);
        into.set(bytes.subarray(at, at + into.length));
      },
      writeBlock: (linear, from, rights) => {
        bytes.set(from, check(linear, from.length, true, rights));
      },
    },
    ports: {
      read: (count, port) => {
        portAccesses.push(`r${count} ${port.toString(16)}`);
        return cpu.portValue;
      },
      write: (count, port, value) => {
        portAccesses.push(`w${count} ${port.toString(16)} ${value.toString(16)}`);
      },
    },
    fault,
    linear: (segment, offset, count, access) => linearAddress(cpu, segment, offset, count, access),
    continueAt: (rip) => {
      state.setBig('rip', rip);
      calls.push('continueAt');
    },
    flushTlb: (global) => calls.push(global ? 'flushTlb all' : 'flushTlb'),
    invalidatePage: (linear) => calls.push(`invalidatePage ${linear.toString(16)}`),
    modeChanged: () => calls.push('modeChanged'),
    blockInterrupts: () => calls.push('blockInterrupts'),
    checkEvents: () => calls.push('checkEvents'),
    halt: () => calls.push('halt'),
    timeStamp: () => BigInt.asUintN(64, cpu.time + state.big('tscOffset')),
    entropy: () => 0n,
    cpuid: createCpuid(profile, state),
    readMsr: (index) => msrs.read(cpu, index),
    writeMsr: (index, value) => msrs.write(cpu, index, value),
    physicalBits: profile.physicalBits,
  };
  resetCpuState(state, profile);
  return cpu;
};

/** The fault that `run` raises, or undefined. */
export const faultOf = (run: () => void): RecordedFault | undefined => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { vector: error.vector, errorCode: error.errorCode };
  }
  return undefined;
};

export interface DescriptorFields {
  readonly base?: number;
  /** In bytes; 4-KiB granularity is chosen above 1 MiB. */
  readonly limit?: number;
  /** Bits 40-47: type, S, DPL, P. */
  readonly access: number;
  /** Bits 52-55 without G: AVL 1, L 2, D/B 4. */
  readonly flags?: number;
}

export const descriptor = ({
  base = 0,
  limit = 0xffff_ffff,
  access,
  flags = 4,
}: DescriptorFields): bigint => {
  const granular = limit > 0xfffff;
  const units = BigInt(granular ? Math.floor(limit / 4096) : limit);
  const b = BigInt(base);
  return (
    (units & 0xffffn) |
    ((b & 0xff_ffffn) << 16n) |
    (BigInt(access) << 40n) |
    (((units >> 16n) & 0xfn) << 48n) |
    (BigInt(flags | (granular ? 8 : 0)) << 52n) |
    ((b >> 24n) << 56n)
  );
};

/** An interrupt, trap, call or task gate; the second half is for long mode. */
export const gate = (
  selector: number,
  offset: bigint,
  access: number,
  low5 = 0,
): readonly [bigint, bigint] => [
  (offset & 0xffffn) |
    (BigInt(selector) << 16n) |
    (BigInt(low5) << 32n) |
    (BigInt(access) << 40n) |
    (((offset >> 16n) & 0xffffn) << 48n),
  offset >> 32n,
];

export const poke = (cpu: MemoryCpu, bytes: 1 | 2 | 4 | 8, at: number, value: bigint): void => {
  for (let i = 0; i < bytes; i++) cpu.bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
};

export const peek = (cpu: MemoryCpu, bytes: 1 | 2 | 4 | 8, at: number): bigint => {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(cpu.bytes[at + i] ?? 0);
  return value;
};

/** `count` values of `bytes` bytes from `at` up. */
export const peekAll = (
  cpu: MemoryCpu,
  bytes: 1 | 2 | 4 | 8,
  at: number,
  count: number,
): bigint[] => Array.from({ length: count }, (_, i) => peek(cpu, bytes, at + i * bytes));

export const setGdt = (cpu: MemoryCpu, selector: number, raw: bigint): void =>
  poke(cpu, 8, GDT + (selector & 0xfff8), raw);

/** Selectors of the descriptors that `enterProtected` and `enterLong` lay out. */
export const SEL = {
  code0: 0x08,
  data0: 0x10,
  code3: 0x1b,
  data3: 0x23,
  code16: 0x28,
  conforming: 0x30,
  /** 16 bytes. */
  tss: 0x38,
  long0: 0x48,
  long3: 0x53,
  ldt: 0x58,
  data1: 0x69,
  code1: 0x71,
} as const;

const layOut = (cpu: MemoryCpu): void => {
  setGdt(cpu, SEL.code0, descriptor({ access: 0x9b }));
  setGdt(cpu, SEL.data0, descriptor({ access: 0x93 }));
  setGdt(cpu, SEL.code3, descriptor({ access: 0xfb }));
  setGdt(cpu, SEL.data3, descriptor({ access: 0xf3 }));
  setGdt(cpu, SEL.code16, descriptor({ access: 0x9b, limit: 0xffff, flags: 0 }));
  setGdt(cpu, SEL.conforming, descriptor({ access: 0x9f }));
  setGdt(cpu, SEL.tss, descriptor({ base: TSS, limit: 0x67, access: 0x89, flags: 0 }));
  setGdt(cpu, SEL.long0, descriptor({ access: 0x9b, flags: 2 }));
  setGdt(cpu, SEL.long3, descriptor({ access: 0xfb, flags: 2 }));
  setGdt(cpu, SEL.ldt, descriptor({ base: LDT, limit: 0x1f, access: 0x82, flags: 0 }));
  setGdt(cpu, SEL.data1, descriptor({ access: 0xb3 }));
  setGdt(cpu, SEL.code1, descriptor({ access: 0xbb }));
  // No I/O permission bitmap.
  poke(cpu, 2, TSS + 0x66, 0x68n);
  const { state } = cpu;
  state.setBig('gdtrBase', BigInt(GDT));
  state.set('gdtrLimit', 0x7f);
  state.setBig('idtrBase', BigInt(IDT));
  state.set('idtrLimit', 0x7ff);
  state.setSegment('tr', {
    selector: SEL.tss,
    base: BigInt(TSS),
    limit: 0x67,
    attributes: 0x8b,
  });
  state.setBig('cr0', BigInt(CR0.PE | CR0.ET));
};

/** Flat 32-bit protected mode at `privilege`, RSP = 0x8000. */
export const enterProtected = (cpu: MemoryCpu, privilege: 0 | 3 = 0): void => {
  layOut(cpu);
  const { state } = cpu;
  const [code, data] = privilege === 0 ? [SEL.code0, SEL.data0] : [SEL.code3, SEL.data3];
  state.set('cpl', privilege);
  state.setSegment('cs', flatSegment(code, 'code32', privilege));
  for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const)
    state.setSegment(name, flatSegment(data, 'data', privilege));
  state.setGpr(4, 0x8000n);
};

/** 64-bit mode at `privilege`, RSP = 0x8000. */
export const enterLong = (cpu: MemoryCpu, privilege: 0 | 3 = 0): void => {
  enterProtected(cpu, privilege);
  const { state } = cpu;
  state.setBig('efer', BigInt(EFER.LME | EFER.LMA | EFER.SCE));
  state.setBig('cr0', state.big('cr0') | BigInt(CR0.PG));
  state.setBig('cr4', 0x20n);
  const selector = privilege === 0 ? SEL.long0 : SEL.long3;
  state.setSegment('cs', flatSegment(selector, 'code64', privilege));
};

/** An 8-byte IDT entry. */
export const setGate = (cpu: MemoryCpu, vector: number, raw: bigint): void =>
  poke(cpu, 8, IDT + vector * 8, raw);

/** A 16-byte IDT entry. */
export const setLongGate = (
  cpu: MemoryCpu,
  vector: number,
  [low, high]: readonly [bigint, bigint],
): void => {
  poke(cpu, 8, IDT + vector * 16, low);
  poke(cpu, 8, IDT + vector * 16 + 8, high);
};
