// The machine the test images run on: a 64 KiB ROM at the top of 4 GiB, mirrored below 1 MiB, RAM, port 0xe9 for text and
// port 0xf4 to end the run. The same as `qemu-system-x86_64 -M pc -bios` shows them.
import { DEFAULT_PROFILE, QEMU64_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import type { CpuProfile } from '../../src/cpu/cpuid-profile.ts';
import { createMachine } from '../../src/machine.ts';
import type { EngineChoice } from '../../src/machine/options.ts';
import type { Machine } from '../../src/machine.ts';
import type { VmExit } from '../../src/machine/vm-exit.ts';
import { PcMachine } from '../../src/pc/pc-machine.ts';
import type { TestImage } from './images.ts';

const MIB = 1 << 20;
const RAM = 64 * MIB;
const ROM_BASE = 0xffff_0000;
const ROM_SIZE = 0x1_0000;
const MIRROR_BASE = 0xf_0000;
const TEXT_PORT = 0xe9;
const END_PORT = 0xf4;

/** The default profile as an Intel processor: the transcripts follow the SDM where the vendors differ. */
const SDM_PROFILE: CpuProfile = {
  ...DEFAULT_PROFILE,
  name: 'system-tests',
  vendor: 'GenuineIntel',
};

/** What a run of an image gave. */
export interface RomRun {
  readonly text: string;
  readonly exit: VmExit;
  readonly instructions: number;
  readonly machine: Machine;
}

/** The processor with memory and nothing else. */
const createBareMachine = (image: Uint8Array, profile: CpuProfile, engine: EngineChoice): Machine =>
  createMachine({
    engine,
    ram: 0,
    romCapacity: RAM + ROM_SIZE,
    profile,
    setup: ({ memory }) => {
      memory.mapMemory('ram', 0, MIRROR_BASE, 'low RAM');
      memory.mapMemory('ram', MIB, RAM - MIB, 'high RAM');
      const rom = memory.mapMemory('rom', ROM_BASE, ROM_SIZE, 'ROM');
      memory.mapAlias('rom', MIRROR_BASE, rom, 0, ROM_SIZE, 'ROM mirror');
      memory.write(ROM_BASE, image);
    },
  });

/** A whole PC: interrupt controllers and timers. */
const createPcMachine = (image: Uint8Array, profile: CpuProfile, engine: EngineChoice): Machine =>
  new PcMachine({ memory: RAM, flash: [{ image, readOnly: true }], profile, engine }).machine;

/** Runs an image from the reset vector until it ends itself, or `budget` instructions are used up. */
export const runRom = (
  image: Uint8Array,
  { devices, cpu }: Pick<TestImage, 'devices' | 'cpu'>,
  budget: number,
  engine: EngineChoice = 'translator',
): RomRun => {
  const create = devices === 'none' ? createBareMachine : createPcMachine;
  const machine = create(image, cpu === 'plain' ? QEMU64_PROFILE : SDM_PROFILE, engine);
  let text = '';
  machine.hooks.port = (port, _bytes, value, write) => {
    if (write && port === TEXT_PORT) text += String.fromCharCode(value);
    if (write && port === END_PORT) machine.stop({ kind: 'trap', reason: `end ${value}` });
  };
  const exit = machine.run({ budget });
  return { text, exit, instructions: machine.retired, machine };
};
