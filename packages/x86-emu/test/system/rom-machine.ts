// The machine the test images run on: a 64 KiB ROM at the top of 4 GiB, mirrored below 1 MiB, RAM, port 0xe9 for text and
// port 0xf4 to end the run. The same as `qemu-system-x86_64 -M pc -bios` shows them.
import { DEFAULT_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import type { CpuProfile } from '../../src/cpu/cpuid-profile.ts';
import { createMachine } from '../../src/machine.ts';
import type { Machine } from '../../src/machine.ts';
import type { VmExit } from '../../src/machine/vm-exit.ts';

const MIB = 1 << 20;
const RAM = 64 * MIB;
const ROM_BASE = 0xffff_0000;
const ROM_SIZE = 0x1_0000;
const MIRROR_BASE = 0xf_0000;
const TEXT_PORT = 0xe9;
const END_PORT = 0xf4;

/** The default profile as an Intel processor: the transcripts follow the SDM where the vendors differ. */
const PROFILE: CpuProfile = { ...DEFAULT_PROFILE, name: 'system-tests', vendor: 'GenuineIntel' };

/** What a run of an image gave. */
export interface RomRun {
  readonly text: string;
  readonly exit: VmExit;
  readonly instructions: number;
}

/** A machine that will start `image` from the reset vector; `onText` receives every byte written to port 0xe9. */
export const createRomMachine = (image: Uint8Array, onText: (byte: number) => void): Machine =>
  createMachine({
    ram: 0,
    romCapacity: RAM + ROM_SIZE,
    profile: PROFILE,
    setup: ({ memory, ports }) => {
      memory.mapMemory('ram', 0, MIRROR_BASE, 'low RAM');
      memory.mapMemory('ram', MIB, RAM - MIB, 'high RAM');
      const rom = memory.mapMemory('rom', ROM_BASE, ROM_SIZE, 'ROM');
      memory.mapAlias('rom', MIRROR_BASE, rom, 0, ROM_SIZE, 'ROM mirror');
      memory.write(ROM_BASE, image);
      ports.map(TEXT_PORT, 1, 'text', {
        read: () => TEXT_PORT,
        write: (_offset, _size, value) => onText(value),
      });
    },
  });

/** Runs `image` until it ends itself, or `budget` instructions are used up. */
export const runRom = (image: Uint8Array, budget: number): RomRun => {
  let text = '';
  const machine = createRomMachine(image, (byte) => {
    text += String.fromCharCode(byte);
  });
  machine.ports.map(END_PORT, 1, 'end of run', {
    read: () => 0,
    write: (_offset, _size, value) => machine.stop({ kind: 'trap', reason: `end ${value}` }),
  });
  const exit = machine.run({ budget });
  return { text, exit, instructions: machine.retired };
};
