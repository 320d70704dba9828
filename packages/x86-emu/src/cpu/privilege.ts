/** Checks that open the privileged instructions. */
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { isProtected, isVirtual8086 } from './mode.ts';

/** #GP(0) unless CPL is 0. */
export const demandSupervisor = (cpu: Cpu): void => {
  if (cpu.state.get('cpl') !== 0) cpu.fault(VECTOR.GP, 0);
};

/** #UD in real and virtual-8086 mode. */
export const demandProtected = (cpu: Cpu): void => {
  if (!isProtected(cpu.state) || isVirtual8086(cpu.state)) cpu.fault(VECTOR.UD);
};

/** #UD unless the bit of CR4 is set. */
export const demandControl = (cpu: Cpu, bit: number): void => {
  if ((cpu.state.low('cr4') & bit) === 0) cpu.fault(VECTOR.UD);
};
