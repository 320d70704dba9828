// What one boot of one firmware measures.
import type { CallKind } from './work.ts';

/** How long calls of a kind took. */
export interface Timed {
  readonly rounds: number;
  /** CPU time of the process that runs the machine, in seconds. */
  readonly cpu: number;
  /** The same by the clock of who makes the calls: in QEMU the guest's, with us the host's. */
  readonly seconds: number;
}

/** One boot and its calls. */
export interface ServiceRun {
  /** Seconds from the start of the process until log and variables are known. */
  readonly facts: number;
  readonly calls: Readonly<Partial<Record<CallKind, Timed>>>;
}
