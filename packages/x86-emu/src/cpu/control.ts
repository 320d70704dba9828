/** Control registers and what follows from writing them (SDM Vol. 3A, sections 2.5 and 10.8.5; Vol. 2B, MOV to control registers). */
import { ATTRIBUTE } from './cpu-state.ts';
import type { CpuState } from './cpu-state.ts';
import { CR0, CR4, EFER } from './control-bits.ts';
import { featureEnabled } from './cpuid-feature.ts';
import { SYSTEM_TYPE } from './descriptor.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { is64Bit, isLongMode } from './mode.ts';
import { TASK_PRIORITY } from './msr-slots.ts';

const CR0_BITS =
  CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG;

/** CR0 bits that decide how addresses are translated or checked. */
const CR0_TRANSLATION = CR0.PE | CR0.WP | CR0.PG;
const CR4_TRANSLATION = CR4.PSE | CR4.PAE | CR4.PGE | CR4.SMEP | CR4.SMAP;

/** CR4 bits that every profile has. */
const CR4_BASE =
  CR4.TSD | CR4.DE | CR4.PSE | CR4.PAE | CR4.MCE | CR4.PGE | CR4.PCE | CR4.OSFXSR | CR4.OSXMMEXCPT;

const efer = (state: CpuState): number => state.low('efer');

/** Raises #GP(0) for combinations that the SDM forbids; switches IA-32e mode on or off with paging. */
export const writeCr0 = (cpu: Cpu, value: bigint): void => {
  const { state } = cpu;
  if (value >> 32n) cpu.fault(VECTOR.GP, 0);
  // Reserved bits below 32 are ignored; ET is hard-wired.
  const next = ((Number(value) & CR0_BITS) | CR0.ET) >>> 0;
  const old = state.low('cr0');
  if (next & CR0.PG && !(next & CR0.PE)) cpu.fault(VECTOR.GP, 0);
  if (next & CR0.NW && !(next & CR0.CD)) cpu.fault(VECTOR.GP, 0);
  const changed = next ^ old;
  if (changed & CR0.PG) {
    if (next & CR0.PG) startPaging(cpu);
    else stopPaging(cpu);
  }
  state.setBig('cr0', BigInt(next));
  if (changed & CR0_TRANSLATION) cpu.flushTlb(true);
  if (changed) cpu.modeChanged();
};

/** Activation of IA-32e mode (SDM Vol. 3A, section 10.8.5). */
const startPaging = (cpu: Cpu): void => {
  const { state } = cpu;
  if (!(efer(state) & EFER.LME)) return;
  const task = state.segment('tr').attributes & 0x1f;
  const bad =
    !(state.low('cr4') & CR4.PAE) ||
    (state.segment('cs').attributes & ATTRIBUTE.long) !== 0 ||
    task === SYSTEM_TYPE.tss16 ||
    task === SYSTEM_TYPE.tss16Busy;
  if (bad) cpu.fault(VECTOR.GP, 0);
  state.setBig('efer', state.big('efer') | BigInt(EFER.LMA));
};

const stopPaging = (cpu: Cpu): void => {
  const { state } = cpu;
  if (is64Bit(state)) cpu.fault(VECTOR.GP, 0);
  state.setBig('efer', state.big('efer') & ~BigInt(EFER.LMA));
};

/** In IA-32e mode bits from the physical address width up are reserved. */
export const writeCr3 = (cpu: Cpu, value: bigint): void => {
  if (isLongMode(cpu.state) && value >> BigInt(cpu.physicalBits)) cpu.fault(VECTOR.GP, 0);
  cpu.state.setBig('cr3', value);
  cpu.flushTlb(false);
};

/** The CR4 bits that the profile offers; all others are reserved. */
const cr4Bits = (cpu: Cpu): number =>
  CR4_BASE |
  (featureEnabled(cpu, 'FSGSBASE') ? CR4.FSGSBASE : 0) |
  (featureEnabled(cpu, 'XSAVE') ? CR4.OSXSAVE : 0) |
  (featureEnabled(cpu, 'SMEP') ? CR4.SMEP : 0) |
  (featureEnabled(cpu, 'SMAP') ? CR4.SMAP : 0);

export const writeCr4 = (cpu: Cpu, value: bigint): void => {
  const { state } = cpu;
  if (value & ~BigInt(cr4Bits(cpu))) cpu.fault(VECTOR.GP, 0);
  const next = Number(value);
  if (isLongMode(state) && !(next & CR4.PAE)) cpu.fault(VECTOR.GP, 0);
  const changed = next ^ state.low('cr4');
  state.setBig('cr4', value);
  if (changed & CR4_TRANSLATION) cpu.flushTlb(true);
  if (changed) cpu.modeChanged();
};

/** The task priority: a lower one may let an interrupt through. */
export const writeCr8 = (cpu: Cpu, value: bigint): void => {
  if (value > 15n) cpu.fault(VECTOR.GP, 0);
  cpu.writeMsr(TASK_PRIORITY, value);
  cpu.checkEvents();
};

export const readCr8 = (cpu: Cpu): bigint => cpu.readMsr(TASK_PRIORITY) ?? 0n;

/** Writes EFER; false for what raises #GP(0): reserved bits, or LME changed under paging. LMA is the processor's own. */
export const writeEfer = (cpu: Cpu, value: bigint): boolean => {
  const { state } = cpu;
  const own = BigInt(EFER.LMA);
  if (value & ~BigInt(EFER.SCE | EFER.LME | EFER.LMA | EFER.NXE)) return false;
  const old = state.big('efer');
  const next = (value & ~own) | (old & own);
  const changed = Number(next ^ old);
  if (changed & EFER.LME && state.low('cr0') & CR0.PG) return false;
  state.setBig('efer', next);
  if (changed & EFER.NXE) cpu.flushTlb(true);
  if (changed) cpu.modeChanged();
  return true;
};

/** LMSW: the low four bits of CR0; PE can be set, never cleared. */
export const loadMachineStatus = (cpu: Cpu, word: number): void => {
  const old = cpu.state.big('cr0');
  writeCr0(cpu, (old & ~0xen) | BigInt(word & 0xf));
};

export const clearTaskSwitched = (cpu: Cpu): void => {
  writeCr0(cpu, cpu.state.big('cr0') & ~BigInt(CR0.TS));
};

/** XCR0 may enable x87 (always) and SSE state (SDM Vol. 1, section 13.3). */
const XCR0_BITS = 3n;

/** XSETBV; raises #GP(0). */
export const writeXcr = (cpu: Cpu, index: number, value: bigint): void => {
  if (index !== 0 || !(value & 1n) || value & ~XCR0_BITS) cpu.fault(VECTOR.GP, 0);
  cpu.state.setBig('xcr0', value);
  cpu.modeChanged();
};
