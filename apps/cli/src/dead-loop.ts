/** Notices that a guest will never do anything again: edk2's CpuDeadLoop, `jmp $` and the like. */
import type { Machine, RegisterName } from '@systab/x86-emu';

/** Looks in a row, each a slice after the one before, that see no change before the loop is examined. */
const LOOKS = 20;
/** Bytes of code and instructions that such a loop has at most. */
const REACH = 64n;
const STEPS = 32;
const RFLAGS_IF = 1n << 9n;

const REGISTERS: readonly RegisterName[] = [
  'rip',
  'rflags',
  ...(['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'] as const),
  ...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const),
];

const registers = (machine: Machine): string =>
  REGISTERS.map((name) => machine.readRegister(name).toString(16)).join();

export class DeadLoop {
  #traceHash = '';
  #rip = 0n;
  #looks = 0;

  /**
   * Looks at a machine between two slices. True when nothing can end what it does: interrupts are off, no device was touched for many slices, and
   * all registers come back to the same values within a few instructions.
   */
  isIn(machine: Machine): boolean {
    const { traceHash, rip } = machine;
    const distance = rip > this.#rip ? rip - this.#rip : this.#rip - rip;
    const quiet =
      (machine.readRegister('rflags') & RFLAGS_IF) === 0n &&
      traceHash === this.#traceHash &&
      distance < REACH;
    this.#traceHash = traceHash;
    this.#rip = rip;
    this.#looks = quiet ? this.#looks + 1 : 0;
    if (this.#looks < LOOKS) return false;
    this.#looks = 0;
    return comesBack(machine);
  }
}

const comesBack = (machine: Machine): boolean => {
  const start = registers(machine);
  for (let step = 0; step < STEPS; step++) {
    if (machine.run({ budget: 1 }).kind !== 'budget') return false;
    if (registers(machine) === start) return true;
  }
  return false;
};
