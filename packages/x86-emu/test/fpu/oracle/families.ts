/** The families of cases: how to generate, replay and judge them. */

import type { Random } from './random.ts';
import { generateSse, replaySse } from './sse-cases.ts';

export interface Family {
  /** Fills a record with a random case and names its instruction. */
  readonly generate: (random: Random, record: Uint8Array) => string;
  /** Runs the named case with our code, in place. */
  readonly replay: (name: string, record: Uint8Array) => void;
  /** Whether our state after the case is the silicon's, up to what is excepted. */
  readonly agrees: (
    name: string,
    before: Uint8Array,
    silicon: Uint8Array,
    ours: Uint8Array,
  ) => boolean;
}

function same(_name: string, _before: Uint8Array, silicon: Uint8Array, ours: Uint8Array): boolean {
  for (let i = 0; i < silicon.length; i++) if (silicon[i] !== ours[i]) return false;
  return true;
}

export const FAMILIES: Readonly<Record<string, Family>> = {
  sse: { generate: generateSse, replay: replaySse, agrees: same },
};
