/** Recorded outcomes that the engine does not reproduce on purpose, each with its reason. The aim is an empty list. */
import type { CpuCase, CpuOutcome } from './cpu-case.ts';

export interface KnownDifference {
  readonly mnemonic: string;
  /** Which of the mnemonic's cases; all of them when absent. */
  readonly when?: (c: CpuCase, recorded: CpuOutcome) => boolean;
  readonly reason: string;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];

export const knownDifference = (c: CpuCase, recorded: CpuOutcome): KnownDifference | undefined =>
  KNOWN_DIFFERENCES.find((d) => d.mnemonic === c.form.mnemonic && (d.when?.(c, recorded) ?? true));
