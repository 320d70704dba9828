/** What a machine is made of, and the checks of it. */
import { DEFAULT_PROFILE } from '../cpu/cpuid-profile.ts';
import type { CpuProfile } from '../cpu/cpuid-profile.ts';
import type { Msr } from '../cpu/msr.ts';
import { GUEST_MEMORY, PAGE_SIZE } from '../engine/layout.ts';
import type { Machine } from '../machine.ts';

const ENGINES = ['interpreter', 'translator', 'alternating'] as const;
export type EngineChoice = (typeof ENGINES)[number];

export interface MachineOptions {
  /** Bytes of RAM at physical address 0: a multiple of 4096, 0 to `MAX_RAM`. Default 64 MiB; 0 for a machine whose RAM is mapped by hand. */
  readonly ram?: number;
  /** Bytes set aside for memory that is mapped later (ROM, flash, RAM elsewhere). Default 16 MiB. */
  readonly romCapacity?: number;
  readonly profile?: CpuProfile;
  /** Seed of RDRAND and RDSEED. Default 0. */
  readonly entropySeed?: bigint;
  /** Instructions per second of virtual time: 1 to 10^12. Default 10^9. */
  readonly clockRate?: number;
  /** What an access to nothing reads (`ones` as hardware, `zeros` as QEMU), or `exit` to end the run. Default `ones`. */
  readonly unclaimed?: 'ones' | 'zeros' | 'exit';
  /**
   * `interpreter` alone; `translator` (default): hot code becomes WebAssembly; `alternating`: changes between both at random, seeded by `entropySeed`, for
   * tests. All compute the same.
   */
  readonly engine?: EngineChoice;
  /** Model-specific registers of the machine, beside the processor's own. */
  readonly msrs?: readonly Msr[];
  /** Maps memory and handlers; called by the constructor, and again for every fork. */
  readonly setup?: (machine: Machine) => void;
}

/** WebAssembly memory ends at 4 GiB. */
export const MAX_RAM: number = 2 ** 32 - GUEST_MEMORY - 0x1_0000;

const MIB = 1 << 20;
const MAX_CLOCK_RATE = 1e12;

const checkSize = (name: string, value: number, limit: number): void => {
  if (!Number.isInteger(value) || value < 0 || value % PAGE_SIZE !== 0)
    throw new RangeError(`${name} is ${value}, expected a multiple of 4096 that is not negative`);
  if (value > limit) throw new RangeError(`${name} is ${value}, expected at most ${limit} bytes`);
};

/** Fills in defaults; throws a RangeError that names the option and what was expected. */
export const checkOptions = (
  options: MachineOptions,
): Required<Omit<MachineOptions, 'msrs' | 'setup'>> => {
  const {
    ram = 64 * MIB,
    romCapacity = 16 * MIB,
    profile = DEFAULT_PROFILE,
    entropySeed = 0n,
    clockRate = 1e9,
    unclaimed = 'ones',
    engine = 'translator',
  } = options;
  checkSize('ram', ram, MAX_RAM);
  checkSize('romCapacity', romCapacity, MAX_RAM - ram);
  if (!(clockRate >= 1 && clockRate <= MAX_CLOCK_RATE))
    throw new RangeError(
      `clockRate is ${clockRate}, expected 1 to ${MAX_CLOCK_RATE} instructions per second`,
    );
  if (!['ones', 'zeros', 'exit'].includes(unclaimed))
    throw new RangeError(`unclaimed is '${unclaimed}', expected 'ones', 'zeros' or 'exit'`);
  if (!ENGINES.includes(engine))
    throw new RangeError(
      `engine is '${engine}', expected ${ENGINES.map((e) => `'${e}'`).join(', ')}`,
    );
  return { ram, romCapacity, profile, entropySeed, clockRate, unclaimed, engine };
};

/** The budget of a run as a number of instructions; Infinity if there is none. */
export const checkBudget = (budget: number | undefined): number => {
  if (budget === undefined) return Infinity;
  if (!Number.isSafeInteger(budget) || budget < 0)
    throw new RangeError(
      `budget is ${budget}, expected a whole number of instructions from 0 to 2^53 - 1`,
    );
  return budget;
};
