// What the benchmark asks of an engine.
import type { ImageName } from '../image.ts';
import type { WorkName } from '../kernels.ts';
import type { Measurement } from '../measurement.ts';

/** One run: which work, and by what its rounds are divided. */
export interface Job {
  readonly work: readonly WorkName[];
  readonly divisor: number;
}

/** Whether an engine can run here; `version` or the reason why not. */
export type Availability =
  | { readonly available: true; readonly version: string }
  | { readonly available: false; readonly reason: string };

export interface Peer {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** Which image the engine runs; instruction counts belong to it. */
  readonly image: ImageName;
  /** Whether it runs system code; a user-level engine does no system events. */
  readonly system: boolean;
  /** Slow engines do a fifth of the work of fast ones. */
  readonly slow: boolean;
  readonly prepare: () => Availability;
  readonly run: (job: Job) => Promise<readonly Measurement[]>;
}
