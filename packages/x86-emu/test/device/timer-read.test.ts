// A read of the ACPI timer takes virtual time of its own: who waits by polling it executes less.
import { expect, test } from 'vitest';
import { PcMachine } from '../../src/pc/pc-machine.ts';

const PM_BASE = 0xb000;
const INSTRUCTION_NS = 128;
const READ_NS = 16_000;
/** `mov dx, PM_TMR`, then `in eax, dx` and a jump back to it. */
const CODE = [0xba, 0x08, 0xb0, 0x66, 0xed, 0xeb, 0xfc];

const polling = (timerReadTime?: number): PcMachine => {
  const image = new Uint8Array(0x1000).fill(0xff);
  image.set(CODE, image.length - 16);
  const pc = new PcMachine({
    memory: 2 ** 22,
    flash: [{ image, readOnly: true }],
    ...(timerReadTime === undefined ? {} : { timerReadTime }),
  });
  // PMBA and PMIOSE of function 00:01.3.
  const { ports } = pc.pc;
  for (const [register, value] of [
    [0x40, PM_BASE | 1],
    [0x80, 1],
  ] as const) {
    ports.write(0xcf8, 4, 0x8000_0b00 | register);
    ports.write(0xcfc, 4, value);
  }
  return pc;
};

test.each([
  [undefined, READ_NS],
  [0, 0],
  [1000, 1000],
])('%s: each read takes %i ns', (option, readTime) => {
  const pc = polling(option);
  pc.run({ budget: 1 + 2 * 50 });
  expect(pc.machine.clock.now()).toBe(INSTRUCTION_NS * 101 + readTime * 50);
  const ticks = Number(pc.machine.readRegister('eax'));
  pc.run({ budget: 2 });
  const passed = Number(pc.machine.readRegister('eax')) - ticks;
  expect(Math.abs(passed - ((readTime + 2 * INSTRUCTION_NS) * 3.579545) / 1000)).toBeLessThan(1);
});

test.each([1, 2, 7, 1000])(
  'what is due by then happens right behind it, in runs of %i',
  (slice) => {
    const pc = polling();
    const { machine } = pc;
    const fired: number[] = [];
    // Within the third read, and within an instruction long after it.
    for (const deadline of [3 * READ_NS, 9 * READ_NS + 20 * INSTRUCTION_NS + 1])
      machine.clock.at(deadline, () => fired.push(machine.retired));
    while (machine.retired < 40) machine.run({ budget: Math.min(slice, 40 - machine.retired) });
    // Reads are instructions 2, 4, 6 and so on.
    expect(fired).toEqual([6, 20]);
  },
);
