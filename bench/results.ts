// From the measurements of all rounds to figures: MIPS of kernels, nanoseconds of events, ratios of scores.
import { divisorFor } from './divisors.ts';
import { instructionsOf } from './instruction-counts.ts';
import { SCORED_KERNELS, isEvent } from './kernels.ts';
import type { WorkName } from './kernels.ts';
import type { Measurement } from './measurement.ts';
import type { Peer } from './peers/peer.ts';
import { geometricMean, median } from './statistics.ts';

/** All runs of one engine. */
export interface PeerRuns {
  readonly peer: Peer;
  readonly version: string;
  readonly runs: readonly (readonly Measurement[])[];
}

/** Figures of one engine. */
export interface PeerResult {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** Guest instructions per second of CPU time in millions, medians of the rounds. */
  readonly mips: Readonly<Partial<Record<WorkName, number>>>;
  /** CPU time of one event in nanoseconds, medians of the rounds. */
  readonly eventNanoseconds: Readonly<Partial<Record<WorkName, number>>>;
  /** Geometric mean of the scored kernels; absent if one of them was not run. */
  readonly score: number | undefined;
}

const worksOf = (runs: PeerRuns['runs']): WorkName[] => [
  ...new Set(runs.flatMap((run) => run.map(({ name }) => name))),
];

export const evaluate = ({ peer, version, runs }: PeerRuns, quick: boolean): PeerResult => {
  const divisor = divisorFor(peer.slow, quick);
  const mips: Partial<Record<WorkName, number>> = {};
  const eventNanoseconds: Partial<Record<WorkName, number>> = {};
  for (const work of worksOf(runs)) {
    const samples = runs.flatMap((run) => run.filter(({ name }) => name === work));
    if (isEvent(work))
      eventNanoseconds[work] = median(samples.map((m) => (m.seconds * 1e9) / m.rounds));
    else
      mips[work] =
        instructionsOf(peer.image, divisor, work) / median(samples.map((m) => m.seconds)) / 1e6;
  }
  const scored = SCORED_KERNELS.flatMap((kernel) => mips[kernel] ?? []);
  const score = scored.length === SCORED_KERNELS.length ? geometricMean(scored) : undefined;
  return { name: peer.name, title: peer.title, version, mips, eventNanoseconds, score };
};

/** Kernels whose checksums differ between engines that ran the same image at the same scale. */
export const checksumConflicts = (all: readonly PeerRuns[], quick: boolean): string[] => {
  const seen = new Map<string, { readonly checksum: string; readonly by: string }>();
  const conflicts: string[] = [];
  for (const { peer, runs } of all) {
    for (const { name, checksum } of runs.flat()) {
      const key = `${peer.image}/${divisorFor(peer.slow, quick)}/${name}`;
      const first = seen.get(key);
      if (!first) seen.set(key, { checksum, by: peer.name });
      else if (first.checksum !== checksum)
        conflicts.push(`${name}: ${first.checksum} by ${first.by}, ${checksum} by ${peer.name}`);
    }
  }
  return [...new Set(conflicts)];
};
