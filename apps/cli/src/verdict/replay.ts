/** Repeats a run up to its end to see its last instructions: the machine is deterministic, so what came from outside is all there is to keep. */
import type { PcMachine } from '@systab/x86-emu';
import { InstructionTail, TAIL_LENGTH } from './instruction-tail.ts';
import type { TailStep } from './instruction-tail.ts';

/** Bytes that reached the guest's serial line, and when. */
export interface SerialInput {
  /** Instructions retired until then. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A run to repeat. */
export interface PastRun {
  /** Instructions retired at its end, and the trace hash there. */
  readonly end: number;
  readonly traceHash: string;
  readonly inputs: readonly SerialInput[];
  /** Resets were carried out. */
  readonly reboot: boolean;
}

/** Deliveries of exceptions behind the last instruction, of which a triple fault is made. */
const SLACK = 4;

/**
 * Runs a machine that stands where the run began.
 * @returns nothing if the machine did not end as the run did: it was changed by what is not known here.
 */
export const replayTail = (
  pc: PcMachine,
  { end, traceHash, inputs, reboot }: PastRun,
): readonly TailStep[] | undefined => {
  const { machine } = pc;
  const runTo = (target: number): void => {
    while (machine.retired < target) {
      const exit = pc.run({ budget: target - machine.retired });
      if (exit.kind !== 'shutdown' || exit.event === 'off' || !reboot) return;
      pc.reset();
    }
  };
  let tail: InstructionTail | undefined;
  const start = Math.max(machine.retired, end - TAIL_LENGTH);
  for (const { at, bytes } of inputs) {
    if (at > start) {
      runTo(start);
      tail ??= new InstructionTail(machine);
    }
    runTo(at);
    pc.sendSerial(bytes);
  }
  runTo(start);
  tail ??= new InstructionTail(machine);
  runTo(end + SLACK);
  const steps = tail.end();
  return machine.traceHash === traceHash ? steps : undefined;
};
