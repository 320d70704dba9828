// How many instructions a kernel executes: what turns seconds into MIPS. One iteration of a REP instruction counts as one.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { imageDigest } from './image.ts';
import type { ImageName } from './image.ts';
import type { WorkName } from './kernels.ts';

/** By image: the image they were counted in, and counts by divisor and kernel. */
export type InstructionCounts = Record<
  string,
  { readonly digest: string; readonly divisors: Record<string, Record<string, number>> }
>;

export const countsPath: string = fileURLToPath(
  new URL('instruction-counts.json', import.meta.url),
);

/** Instructions of `work` at `divisor`. Throws if the counts belong to an older image. */
export const instructionsOf = (image: ImageName, divisor: number, work: WorkName): number => {
  const counts = (JSON.parse(readFileSync(countsPath, 'utf8')) as InstructionCounts)[image];
  if (counts?.digest !== imageDigest(image))
    throw new Error(`${image} is not the image that was counted: run node bench/count.ts`);
  const instructions = counts.divisors[String(divisor)]?.[work];
  if (instructions === undefined)
    throw new Error(
      `no instruction count of ${work} at divisor ${divisor}: run node bench/count.ts`,
    );
  return instructions;
};
