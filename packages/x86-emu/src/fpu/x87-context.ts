/** What an x87 instruction needs from the CPU around it, and what it answers. */

/**
 * The memory operand: byte offsets count from the operand's effective address, values are unsigned.
 * `probe` comes before anything else and may throw the engine's fault, so that state changes only when the access is sure to succeed.
 */
export interface X87Memory {
  readonly read16: (at: number) => number;
  readonly read32: (at: number) => number;
  readonly write16: (at: number, value: number) => void;
  readonly write32: (at: number, value: number) => void;
  /**
   * Throws what access to all `bytes` bytes of the operand would throw, and accesses none. `first` is the size of the first access,
   * by which alignment is checked; of a longer operand the last byte is tried next.
   */
  readonly probe: (bytes: number, first: 2 | 4 | 8, access: 'read' | 'write') => void;
}

/** The CPU around one instruction; one object serves all, the engine refreshes what changes. */
export interface X87Context {
  /** Offset of the instruction in its code segment, prefixes included: low and high word. */
  ipLow: number;
  ipHigh: number;
  /** Code segment selector. */
  cs: number;
  /** Effective address (offset) of the memory operand: low and high word. */
  dataLow: number;
  dataHigh: number;
  /** Selector of the memory operand's segment. */
  ds: number;
  /** True for the 16-bit operand size: FLDENV, FNSTENV, FRSTOR and FNSAVE use 14-byte environments. */
  operand16: boolean;
  /** False in real and virtual-8086 mode: environments hold linear addresses. */
  protectedMode: boolean;
  /** EFLAGS: read by FCMOVcc, ZF, PF and CF written by FCOMI and its like. */
  eflags: number;
  /** AX, written by FNSTSW AX. */
  ax: number;
}

/** A context as after reset. */
export const createX87Context = (): X87Context => ({
  ipLow: 0,
  ipHigh: 0,
  cs: 0,
  dataLow: 0,
  dataHigh: 0,
  ds: 0,
  operand16: false,
  protectedMode: true,
  eflags: 0,
  ax: 0,
});

/** What `executeX87` answers. */
export const X87_OUTCOME = {
  /** Executed; an unmasked exception it raised waits in FSW.ES for the next waiting instruction. */
  done: 0,
  /** Executed, and ZF, PF and CF of `context.eflags` are new (OF, SF and AF become 0). */
  flags: 1,
  /** Executed, and `context.ax` is new. */
  ax: 2,
  /** Not executed: an unmasked exception is pending; #MF if CR0.NE, else FERR# (IRQ 13). */
  pending: 3,
  /** Not executed: no such encoding, #UD. */
  undefined: 4,
} as const;
export type X87Outcome = (typeof X87_OUTCOME)[keyof typeof X87_OUTCOME];
