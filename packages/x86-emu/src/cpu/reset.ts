/** The CPU state after power-up reset (SDM Vol. 3A, table 10-1). */
import { CR0 } from './control-bits.ts';
import type { CpuState, Segment } from './cpu-state.ts';
import type { CpuProfile } from './cpuid-profile.ts';
import { DR6_RESET, DR7_RESET } from './debug-registers.ts';
import { MSR_SLOT } from './msr-slots.ts';

/** Bootstrap processor, enabled, at the usual place. */
const APIC_BASE_RESET = 0xfee0_0900n;
const PAT_RESET = 0x0007_0406_0007_0406n;
const MXCSR_RESET = 0x1f80;
const RDX = 2;

const segment = (attributes: number, selector = 0, base = 0n): Segment => ({
  selector,
  base,
  limit: 0xffff,
  attributes,
});

/** Puts registers, segments, control and model-specific registers at their reset values; the state must be all zero before. The x87 part is the FPU's. */
export const resetCpuState = (state: CpuState, profile: CpuProfile): void => {
  state.setBig('rip', 0xfff0n);
  state.rflags = 2;
  state.setGpr(RDX, BigInt(profile.signature));
  state.setSegment('cs', segment(0x9b, 0xf000, 0xffff_0000n));
  for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const) state.setSegment(name, segment(0x93));
  state.setSegment('ldtr', segment(0x82));
  state.setSegment('tr', segment(0x8b));
  state.set('gdtrLimit', 0xffff);
  state.set('idtrLimit', 0xffff);
  state.setBig('cr0', BigInt(CR0.ET + CR0.NW + CR0.CD));
  state.setBig('xcr0', 1n);
  state.setBig('dr6', DR6_RESET);
  state.setBig('dr7', DR7_RESET);
  state.setBig('pat', PAT_RESET);
  state.setBig('apicBase', APIC_BASE_RESET);
  state.set('mxcsr', MXCSR_RESET);
  // Fast string operations enabled.
  state.setMsrSlot(MSR_SLOT.miscEnable, 1n);
};
