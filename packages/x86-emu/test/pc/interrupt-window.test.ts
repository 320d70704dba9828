// An interrupt that waits behind STI is delivered at the first boundary that allows it, whatever the budget of the run.
import { expect, test } from 'vitest';
import { createMachine } from '@systab/x86-emu';

const BASE = 0x1000;
const VECTOR = 0x20;

/** Real-mode code: cli, two nops, sti, then increments of BX for ever. */
const CODE = [0xfa, 0x90, 0x90, 0xfb, 0x43, 0xeb, 0xfd];
/** Instructions up to and with the first increment. */
const WINDOW = 5;

test.each([1, 2, 3, 4, 5, 7, 1000])('in runs of %i instructions', (slice) => {
  const machine = createMachine({ ram: 1 << 20 });
  machine.memory.write(BASE, Uint8Array.from(CODE));
  machine.setSegment('cs', { ...machine.segment('cs'), base: 0n, selector: 0 });
  machine.writeRegister('rip', BigInt(BASE));
  const taken: { readonly retired: number; readonly vector: number; readonly bx: bigint }[] = [];
  machine.hooks.interrupt = ({ vector }) => {
    taken.push({ retired: machine.retired, vector, bx: machine.readRegister('rbx') });
    machine.setInterruptLine(false, () => VECTOR);
  };
  machine.setInterruptLine(true, () => VECTOR);
  while (machine.retired < 20) machine.run({ budget: slice });
  expect(taken).toEqual([{ retired: WINDOW, vector: VECTOR, bx: 1n }]);
});
