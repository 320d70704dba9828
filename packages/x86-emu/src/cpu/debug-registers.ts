/**
 * Debug registers (SDM Vol. 3B, section 17.2).
 *
 * Single step: the engine's run loop looks at RFLAGS.TF before an instruction and, if it was set, calls `recordDebug(state, DR6.BS)` and delivers #DB after it.
 * Breakpoints: the engine asks `armedBreakpoints` when DR7 changes (`modeChanged` is called) and reports hits through `recordDebug`.
 */
import { CR4 } from './control-bits.ts';
import type { CpuState } from './cpu-state.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';

/** DR6 bits; B0 to B3 are bits 0 to 3. */
export const DR6 = { BD: 0x2000, BS: 0x4000, BT: 0x8000 } as const;

/** Bits of DR6 that read as ones, and those that a program can change. */
const DR6_ONES = 0xffff_0ff0;
const DR6_BITS = 0xe00f;
const DR7_ONES = 0x400;
/** Bits 11, 12, 14 and 15 read as zero. */
const DR7_BITS = 0xffff_27ff;
const DR7_GD = 0x2000;

/** Reset values. */
export const DR6_RESET = 0xffff_0ff0n;
export const DR7_RESET = 0x400n;

const ADDRESS = ['dr0', 'dr1', 'dr2', 'dr3'] as const;

export interface Breakpoint {
  /** 0 to 3: its bit in DR6. */
  readonly index: number;
  readonly linear: bigint;
  readonly length: 1 | 2 | 4 | 8;
  /** `access` is a read or a write, `io` a port access (with CR4.DE). */
  readonly kind: 'execute' | 'write' | 'io' | 'access';
}

const KINDS = ['execute', 'write', 'io', 'access'] as const;
const LENGTHS = [1, 2, 8, 4] as const;

/** The breakpoints that DR7 arms, local or global; I/O breakpoints exist with CR4.DE alone. */
export const armedBreakpoints = (state: CpuState): readonly Breakpoint[] => {
  const control = state.low('dr7');
  if ((control & 0xff) === 0) return [];
  const extensions = (state.low('cr4') & CR4.DE) !== 0;
  return ADDRESS.flatMap((register, index) => {
    if ((control & (3 << (index * 2))) === 0) return [];
    const field = (control >>> (16 + index * 4)) & 15;
    const kind = KINDS[(field & 3) as 0 | 1 | 2 | 3];
    if (kind === 'io' && !extensions) return [];
    const length = LENGTHS[(field >> 2) as 0 | 1 | 2 | 3];
    // The address is aligned by its length (section 17.2.5).
    const linear = state.big(register) & ~BigInt(length - 1);
    return [{ index, linear, length, kind }];
  });
};

/** Adds the cause of a #DB to DR6. The processor never clears the others. */
export const recordDebug = (state: CpuState, bits: number): void => {
  state.setBig('dr6', state.big('dr6') | BigInt(bits));
};

/** DR4 and DR5 are DR6 and DR7, or #UD with CR4.DE; DR7.GD guards every access. */
const checkedRegister = (cpu: Cpu, index: number): number => {
  const { state } = cpu;
  if (index > 7) cpu.fault(VECTOR.UD);
  if (index === 4 || index === 5) {
    if (state.low('cr4') & CR4.DE) cpu.fault(VECTOR.UD);
    return checkedRegister(cpu, index + 2);
  }
  if (state.low('dr7') & DR7_GD) {
    recordDebug(state, DR6.BD);
    cpu.fault(VECTOR.DB);
  }
  return index;
};

export const readDebugRegister = (cpu: Cpu, register: number): bigint => {
  const { state } = cpu;
  const index = checkedRegister(cpu, register);
  const address = ADDRESS[index];
  return address !== undefined ? state.big(address) : state.big(index === 6 ? 'dr6' : 'dr7');
};

/** Raises #GP(0) for a value of DR6 or DR7 above 32 bits. */
export const writeDebugRegister = (cpu: Cpu, register: number, value: bigint): void => {
  const { state } = cpu;
  const index = checkedRegister(cpu, register);
  const address = ADDRESS[index];
  if (address !== undefined) state.setBig(address, value);
  else if (value >> 32n) cpu.fault(VECTOR.GP, 0);
  else if (index === 6) state.setBig('dr6', BigInt(((Number(value) & DR6_BITS) | DR6_ONES) >>> 0));
  else state.setBig('dr7', BigInt(((Number(value) & DR7_BITS) | DR7_ONES) >>> 0));
  cpu.modeChanged();
};
