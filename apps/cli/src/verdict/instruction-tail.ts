/** The last instructions of a run, with the interrupts and exceptions between them. */
import type { Machine } from '@systab/x86-emu';

export interface ExecutedInstruction {
  readonly kind: 'instruction';
  /** Linear. */
  readonly address: bigint;
  /** Up to 15 bytes from there on; none where nothing can be fetched. */
  readonly code: Uint8Array;
  readonly bits: 16 | 32 | 64;
}

export interface TakenEvent {
  readonly kind: 'event';
  readonly vector: number;
  readonly errorCode: number | undefined;
}

export type TailStep = ExecutedInstruction | TakenEvent;

/** Instructions that a tail has. */
export const TAIL_LENGTH = 16;

/** Watches a machine until it is ended; instructions run one at a time meanwhile. */
export class InstructionTail {
  readonly #machine: Machine;
  readonly #interrupt: Machine['hooks']['interrupt'];
  #steps: TailStep[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#interrupt = machine.hooks.interrupt;
    machine.hooks.code = () => this.#instruction();
    machine.hooks.interrupt = (event) => {
      this.#steps.push({ kind: 'event', vector: event.vector, errorCode: event.errorCode });
      return this.#interrupt?.(event);
    };
  }

  /** Lets the machine run as before, and gives what it did last. */
  end(): readonly TailStep[] {
    this.#machine.hooks.code = undefined;
    this.#machine.hooks.interrupt = this.#interrupt;
    return this.#steps.slice(-2 * TAIL_LENGTH);
  }

  #instruction(): void {
    const machine = this.#machine;
    const address = BigInt.asUintN(64, machine.segment('cs').base + machine.rip);
    const last = this.#steps.at(-1);
    // A repeated string instruction is seen once for each iteration.
    if (last?.kind === 'instruction' && last.address === address) return;
    this.#steps.push({
      kind: 'instruction',
      address,
      code: machine.codeBytes(),
      bits: machine.codeBits,
    });
  }
}
