// What a run of the guest tells: lines "B name" and "E name checksum rounds", with the host's clock at each.
import { GUEST_WORK } from './kernels.ts';
import type { WorkName } from './kernels.ts';

/** One kernel or event in one run. */
export interface Measurement {
  readonly name: WorkName;
  /** 16 hex digits. */
  readonly checksum: string;
  /** CPU time of the engine. */
  readonly seconds: number;
  /** How often an event happened; 0 for kernels timed outside the guest. */
  readonly rounds: number;
}

/** A clock of CPU time in seconds. */
export type CpuClock = () => number;

/** Collects measurements from the guest's output; `feed` takes any pieces of text. */
export interface LineMeter {
  readonly feed: (text: string) => void;
  readonly measurements: readonly Measurement[];
  readonly isDone: () => boolean;
}

const workName = (text: string): WorkName => {
  const name = GUEST_WORK.find((known) => known === text);
  if (!name) throw new Error(`the guest reports unknown work '${text}'`);
  return name;
};

export const createLineMeter = (clock: CpuClock): LineMeter => {
  const measurements: Measurement[] = [];
  let pending = '';
  let started = 0;
  let done = false;
  const take = (line: string): void => {
    const [kind, name = '', checksum = '', rounds = '0'] = line.split(' ');
    if (kind === 'B') started = clock();
    else if (kind === 'E')
      measurements.push({
        name: workName(name),
        checksum,
        seconds: clock() - started,
        rounds: Number.parseInt(rounds, 16),
      });
    else if (kind === 'DONE') done = true;
  };
  return {
    measurements,
    isDone: () => done,
    feed: (text) => {
      pending += text;
      for (;;) {
        const end = pending.indexOf('\n');
        if (end < 0) return;
        take(pending.slice(0, end).trim());
        pending = pending.slice(end + 1);
      }
    },
  };
};

/** Output of programs that time themselves: "E name checksum nanoseconds". */
export const parseSelfTimed = (output: string): Measurement[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('E '))
    .map((line) => {
      const [, name = '', checksum = '', nanoseconds = '0'] = line.split(' ');
      return { name: workName(name), checksum, seconds: Number(nanoseconds) / 1e9, rounds: 0 };
    });
