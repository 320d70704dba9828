// A processor that halts for good ends the run, whatever timers go on.

import { expect, test } from 'vitest';
import { PcMachine } from '../../src/pc/pc-machine.ts';

/** A flash image with code at the reset vector. */
const machineWith = (code: readonly number[]): PcMachine => {
  const image = new Uint8Array(0x1000).fill(0xff);
  image.set(code, image.length - 16);
  return new PcMachine({ memory: 2 ** 20 * 4, flash: [{ image, readOnly: true }] });
};
const CLI = 0xfa;
const STI = 0xfb;
const HLT = 0xf4;

test.each([
  ['interrupts off', CLI],
  ['interrupts on, none gets through', STI],
])('%s: the 8254 alone does not keep it running', (_, flag) => {
  // cli or sti; hlt; jmp to the hlt
  const pc = machineWith([flag, HLT, 0xeb, 0xfd]);
  expect(pc.run({ budget: 1000 })).toEqual({ kind: 'halt' });
  expect(pc.machine.retired).toBe(2);
});

test('the same virtual time every time', () => {
  const ends = [0, 1].map(() => {
    const pc = machineWith([CLI, HLT]);
    pc.run();
    return pc.machine.clock.now();
  });
  expect(ends[0]).toBe(ends[1]);
});
