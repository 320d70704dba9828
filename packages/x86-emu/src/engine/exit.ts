/** Why the engine's inner loop came back to TypeScript (`exitReason`). */
export const EXIT = {
  /** `remaining` instructions are done; `record` is the next one. */
  budget: 0,
  /** `faultVector` is to be delivered; `record` is the faulting instruction. */
  fault: 1,
  /** No record is known for `rip`. */
  lookup: 2,
  /** A helper changed something that the run loop must look at; `rip` is the next instruction. */
  event: 3,
  /** `record` is a place where a breakpoint may be set. */
  breakpoint: 4,
} as const;

/** Why the instruction being executed is given up (`unwind`). */
export const UNWIND = {
  none: 0,
  /** A fault is described in the state. */
  fault: 1,
  /** Translated code met an access that is not plain memory: the interpreter is to execute the instruction. */
  retry: 2,
} as const;
