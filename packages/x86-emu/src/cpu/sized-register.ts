/** Writes of general registers with the rules of operand and address sizes (SDM Vol. 1, section 3.4.1.1). */
import type { CpuState } from './cpu-state.ts';

/** 16 bits keep the rest, 32 bits clear the upper half. */
export const setSized = (state: CpuState, n: number, size: 16 | 32 | 64, value: bigint): void => {
  if (size === 16) state.setGpr(n, (state.gpr(n) & ~0xffffn) | BigInt.asUintN(16, value));
  else state.setGpr(n, BigInt.asUintN(size, value));
};
