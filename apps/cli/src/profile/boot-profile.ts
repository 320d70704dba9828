/** Where the wall time of a boot goes: by phase of the firmware, by part of the machine, by device. */
import type { EngineStatistics, PcMachine } from '@systab/x86-emu';
import type { BootPhase, PhaseMark } from '../boot-phases.ts';
import { AccessCounter } from './access-counter.ts';
import type { AccessCount } from './access-counter.ts';
import { CpuSampler } from './cpu-sampler.ts';
import type { StackSample } from './cpu-sampler.ts';
import { PARTS, placeOf } from './parts.ts';
import type { Part } from './parts.ts';

/** `load`: Node.js and the modules; `before`: files and the machine; `after`: whatever follows the end of the boot. */
export type ProfilePhase = 'load' | 'before' | BootPhase | 'after';

/** Milliseconds of wall time. */
export interface PhaseProfile {
  readonly phase: ProfilePhase;
  readonly wall: number;
  readonly instructions: number;
  /** Time of each part; `load` is not sampled and all of it is the host's. */
  readonly parts: Readonly<Record<Part, number>>;
}

export interface DeviceProfile {
  /** The device's source file. */
  readonly device: string;
  /** Milliseconds within the device and what its accesses set off, dispatch not included. */
  readonly wall: number;
}

export interface BootProfile {
  readonly phases: readonly PhaseProfile[];
  /** The most expensive first. */
  readonly devices: readonly DeviceProfile[];
  readonly accesses: readonly AccessCount[];
  readonly interrupts: number;
  readonly engine: EngineStatistics;
}

/** A stretch of the process's time, in milliseconds of `performance.now()`. */
export interface Stretch {
  readonly phase: ProfilePhase;
  readonly from: number;
  readonly to: number;
  readonly instructions: number;
}

/** A boot as it went: what the profile is to be cut by. */
export interface BootCourse {
  readonly marks: readonly PhaseMark[];
  /** `performance.now()` at the reset, and at the end. */
  readonly reset: number;
  readonly end: number;
  readonly instructions: number;
}

const noParts = (): Record<Part, number> =>
  Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>;

/** The phases on the time scale of the samples, without gaps. */
const stretchesOf = (began: number, stopped: number, course: BootCourse): readonly Stretch[] => {
  const { marks, reset, end } = course;
  const starts = marks.map(({ wall }) => reset + wall);
  const boot = marks.map(({ phase, instructions }, i) => ({
    phase,
    from: starts[i] as number,
    to: starts[i + 1] ?? end,
    instructions: (marks[i + 1]?.instructions ?? course.instructions) - instructions,
  }));
  return [
    { phase: 'load', from: 0, to: began, instructions: 0 },
    {
      phase: 'before',
      from: began,
      to: starts[0] ?? end,
      instructions: marks[0]?.instructions ?? 0,
    },
    ...boot,
    { phase: 'after', from: end, to: stopped, instructions: 0 },
  ];
};

/** What was found out, and what it was found from. */
export interface FinishedProfile {
  readonly profile: BootProfile;
  readonly stretches: readonly Stretch[];
  readonly samples: readonly StackSample[];
}

export class BootProfiler {
  readonly #sampler: CpuSampler;
  /** `performance.now()`, which is the age of the process. */
  readonly #began: number;
  #counter: AccessCounter | undefined;
  #machine: PcMachine['machine'] | undefined;

  private constructor(sampler: CpuSampler, began: number) {
    this.#sampler = sampler;
    this.#began = began;
  }

  static async start(): Promise<BootProfiler> {
    const began = performance.now();
    return new BootProfiler(await CpuSampler.start(), began);
  }

  /** From now on accesses to the machine's devices are counted. */
  watch(pc: PcMachine): void {
    this.#counter = new AccessCounter(pc);
    this.#machine = pc.machine;
  }

  async finish(course: BootCourse): Promise<FinishedProfile> {
    const samples = await this.#sampler.stop();
    const stretches = stretchesOf(this.#began, performance.now(), course);
    if (!this.#counter || !this.#machine) throw new Error('no machine was watched');
    const devices = new Map<string, number>();
    const phases = stretches.map(({ phase, from, to, instructions }) => ({
      phase,
      wall: to - from,
      instructions,
      parts: noParts(),
    }));
    for (const { at, until, stack } of samples) {
      const { part, device } = placeOf(stack);
      stretches.forEach(({ from, to }, i) => {
        const share = Math.min(until, to) - Math.max(at, from);
        if (share > 0) (phases[i] as (typeof phases)[number]).parts[part] += share;
      });
      if (device !== undefined) devices.set(device, (devices.get(device) ?? 0) + until - at);
    }
    // What no sample covers: loading, and starting and stopping the sampler.
    for (const { wall, parts } of phases)
      parts.host += Math.max(0, wall - PARTS.reduce((sum, part) => sum + parts[part], 0));
    const profile: BootProfile = {
      phases: phases.filter(({ wall }) => wall > 0),
      devices: [...devices]
        .map(([device, wall]) => ({ device, wall }))
        .toSorted((a, b) => b.wall - a.wall),
      accesses: this.#counter.counts(),
      interrupts: this.#counter.interrupts,
      engine: this.#machine.statistics,
    };
    return { profile, stretches, samples };
  }
}
