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
  /** As `fault`, but the machine knows of it already; `rip` is the faulting instruction. */
  announced: 5,
  /** The machine does not want a fault to be delivered. */
  intercepted: 6,
} as const;
