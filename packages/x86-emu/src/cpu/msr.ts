/** Model-specific registers: one declaration each (SDM Vol. 4, chapter 2; AMD APM Vol. 2, appendix A). */
import type { CpuProfile } from './cpuid-profile.ts';
import type { StateField } from './state-layout.ts';
import { writeEfer } from './control.ts';
import type { Cpu } from './helper.ts';
import { machineCheckMsrs } from './machine-check.ts';
import { isCanonical } from './mode.ts';
import { MSR_SLOT, TASK_PRIORITY } from './msr-slots.ts';
import { memoryTypeMsrs } from './mtrr.ts';

export interface Msr {
  readonly index: number;
  /** The SDM's name, or AMD's where the SDM has none. */
  readonly name: string;
  readonly read: (cpu: Cpu) => bigint;
  /** False for a value (or any, for a read-only register) that raises #GP(0). */
  readonly write: (cpu: Cpu, value: bigint) => boolean;
}

type Check = (cpu: Cpu, value: bigint) => boolean;

const anything: Check = () => true;
const readOnly: Check = () => false;
const ignored: Check = () => true;
const canonical: Check = (_, value) => isCanonical(value);
const below =
  (bits: number): Check =>
  (_, value) =>
    value >> BigInt(bits) === 0n;

/** A register that is a 64-bit field of the CPU state. */
const field = (index: number, name: string, place: StateField, valid: Check): Msr => ({
  index,
  name,
  read: ({ state }) => state.big(place),
  write: (cpu, value) => {
    if (!valid(cpu, value)) return false;
    cpu.state.setBig(place, value);
    return true;
  },
});

const constant = (index: number, name: string, value: bigint, write: Check): Msr => ({
  index,
  name,
  read: () => value,
  write,
});

/** A register without effect that keeps what is written. */
const stored = (index: number, name: string, slot: number, valid: Check): Msr => ({
  index,
  name,
  read: ({ state }) => state.msrSlot(slot),
  write: (cpu, value) => {
    if (!valid(cpu, value)) return false;
    cpu.state.setMsrSlot(slot, value);
    return true;
  },
});

/** A segment base that is an MSR. */
const segmentBase = (index: number, name: string, segment: 'fs' | 'gs'): Msr => ({
  index,
  name,
  read: ({ state }) => state.segment(segment).base,
  write: ({ state }, base) => {
    if (!isCanonical(base)) return false;
    state.setSegment(segment, { ...state.segment(segment), base });
    return true;
  },
});

const timeStampCounter: Msr = {
  index: 0x10,
  name: 'IA32_TIME_STAMP_COUNTER',
  read: (cpu) => cpu.timeStamp(),
  write: (cpu, value) => {
    const { state } = cpu;
    const offset = state.big('tscOffset') + value - cpu.timeStamp();
    state.setBig('tscOffset', BigInt.asUintN(64, offset));
    return true;
  },
};

/** Bits of IA32_APIC_BASE: bootstrap processor, global enable. x2APIC mode (bit 10) does not exist. */
const APIC_BASE_FLAGS = 0x900n;

/**
 * IA32_APIC_BASE; `moved` is told of the new value after each change. A machine with a local APIC passes its own declaration to `createMsrs`.
 */
export const apicBaseMsr = (moved: (value: bigint) => void): Msr => ({
  index: 0x1b,
  name: 'IA32_APIC_BASE',
  read: ({ state }) => state.big('apicBase'),
  write: ({ state, physicalBits }, value) => {
    if (value & 0xfffn & ~APIC_BASE_FLAGS || value >> BigInt(physicalBits)) return false;
    state.setBig('apicBase', value);
    moved(value);
    return true;
  },
});

/** CR8 (0 to 15) of a machine with a local APIC: bits 7:4 of its TPR. A machine passes it to `createMsrs`; without one CR8 only keeps its value. */
export const taskPriorityRegister = (
  read: () => number,
  write: (priority: number) => void,
): Msr => ({
  index: TASK_PRIORITY,
  name: 'CR8',
  read: () => BigInt(read()),
  write: (_, value) => {
    write(Number(value));
    return true;
  },
});

/** The page attribute table: eight memory types (SDM Vol. 3A, section 12.12.2). */
const validPat: Check = (_, value) =>
  Array.from({ length: 8 }, (_entry, i) => Number((value >> BigInt(i * 8)) & 0xffn)).every((type) =>
    [0, 1, 4, 5, 6, 7].includes(type),
  );

const registers = (profile: CpuProfile): readonly Msr[] => [
  timeStampCounter,
  constant(0x17, 'IA32_PLATFORM_ID', 0n, readOnly),
  apicBaseMsr(() => {}),
  field(TASK_PRIORITY, 'CR8', 'cr8', anything),
  constant(0x79, 'IA32_BIOS_UPDT_TRIG', 0n, ignored),
  // Writing 0 before CPUID asks for the level (SDM Vol. 3A, section 10.11.7.1); it is always there.
  constant(0x8b, 'IA32_BIOS_SIGN_ID', profile.microcode, ignored),
  field(0x174, 'IA32_SYSENTER_CS', 'sysenterCs', below(32)),
  field(0x175, 'IA32_SYSENTER_ESP', 'sysenterEsp', canonical),
  field(0x176, 'IA32_SYSENTER_EIP', 'sysenterEip', canonical),
  stored(0x1a0, 'IA32_MISC_ENABLE', MSR_SLOT.miscEnable, anything),
  field(0x277, 'IA32_PAT', 'pat', validPat),
  {
    index: 0xc000_0080,
    name: 'IA32_EFER',
    read: ({ state }) => state.big('efer'),
    write: writeEfer,
  },
  field(0xc000_0081, 'IA32_STAR', 'star', anything),
  field(0xc000_0082, 'IA32_LSTAR', 'lstar', canonical),
  field(0xc000_0083, 'IA32_CSTAR', 'cstar', canonical),
  field(0xc000_0084, 'IA32_FMASK', 'sfmask', below(32)),
  segmentBase(0xc000_0100, 'IA32_FS_BASE', 'fs'),
  segmentBase(0xc000_0101, 'IA32_GS_BASE', 'gs'),
  field(0xc000_0102, 'IA32_KERNEL_GS_BASE', 'kernelGsBase', canonical),
  field(0xc000_0103, 'IA32_TSC_AUX', 'tscAux', below(32)),
  stored(0xc001_0010, 'SYSCFG', MSR_SLOT.systemConfiguration, anything),
  stored(0xc001_0015, 'HWCR', MSR_SLOT.hardwareConfiguration, anything),
  stored(0xc001_1029, 'DE_CFG', MSR_SLOT.decodeConfiguration, anything),
  ...memoryTypeMsrs(),
  ...machineCheckMsrs(),
];

/** Read and write of all model-specific registers; undefined and false mean #GP(0). */
export interface MsrFile {
  readonly read: (cpu: Cpu, index: number) => bigint | undefined;
  readonly write: (cpu: Cpu, index: number, value: bigint) => boolean;
  /** Every register, by index. */
  readonly registers: readonly Msr[];
}

/** The registers of a CPU; `machine` adds to them or takes the place of those with the same index. */
export const createMsrs = (profile: CpuProfile, machine: readonly Msr[] = []): MsrFile => {
  const table = new Map<number, Msr>();
  for (const msr of [...registers(profile), ...machine]) table.set(msr.index, msr);
  const ignoresUnknown = profile.unknownMsrs === 'ignore';
  return {
    read: (cpu, index) => table.get(index)?.read(cpu) ?? (ignoresUnknown ? 0n : undefined),
    write: (cpu, index, value) => table.get(index)?.write(cpu, value) ?? ignoresUnknown,
    registers: [...table.values()].toSorted((a, b) => a.index - b.index),
  };
};
