/** The processor's mode of operation, read from the CPU state (SDM Vol. 3A, section 2.2). */
import { ATTRIBUTE } from './cpu-state.ts';
import { CR0, EFER, FLAG } from './control-bits.ts';
import type { CpuState } from './cpu-state.ts';
import { SEGMENT_NAMES } from './state-layout.ts';
import type { SegmentName } from './state-layout.ts';

/** Segment register numbers in SDM encoding order, then LDTR and TR. */
export const SEG = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5, ldtr: 6, tr: 7 } as const;

export const segmentName = (index: number): SegmentName => {
  const name = SEGMENT_NAMES[index];
  if (name === undefined) throw new RangeError(`segment register ${index}`);
  return name;
};

/** CR0.PE is set (virtual-8086 mode included). */
export const isProtected = (state: CpuState): boolean => (state.low('cr0') & CR0.PE) !== 0;

export const isVirtual8086 = (state: CpuState): boolean =>
  (state.get('systemFlags') & FLAG.VM) !== 0;

/** IA-32e mode: 64-bit or compatibility. */
export const isLongMode = (state: CpuState): boolean => (state.low('efer') & EFER.LMA) !== 0;

/** 64-bit mode: long mode and CS.L. */
export const is64Bit = (state: CpuState): boolean =>
  isLongMode(state) && (state.attributes('cs') & ATTRIBUTE.long) !== 0;

/** Bits 63:47 are alike. */
export const isCanonical = (linear: bigint): boolean =>
  linear < 0x8000_0000_0000n || linear >= 0xffff_8000_0000_0000n;

export const descriptorPrivilege = (attributes: number): number =>
  (attributes >> ATTRIBUTE.dplShift) & 3;
