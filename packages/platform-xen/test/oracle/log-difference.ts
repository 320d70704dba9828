/** Line differences of two boot logs, matched with explanations. */
import { diff } from 'node:util';
import type { LogExplanation } from './explanations.ts';

/** Lines that only one of the two has, at one place. */
export interface LogDifference {
  readonly qemu: readonly string[];
  readonly ours: readonly string[];
}

/** The places at which two logs differ, in order. */
export const logDifferences = (qemu: string, ours: string): readonly LogDifference[] => {
  const differences: { qemu: string[]; ours: string[] }[] = [];
  let open = false;
  for (const [side, line] of diff(ours.split('\r\n'), qemu.split('\r\n'))) {
    if (side === 0) {
      open = false;
      continue;
    }
    if (!open) differences.push({ qemu: [], ours: [] });
    open = true;
    differences.at(-1)?.[side < 0 ? 'qemu' : 'ours'].push(line);
  }
  return differences;
};

/** What is left when every difference that has an explanation is taken away, and explanations that were not needed. */
export const judge = (
  differences: readonly LogDifference[],
  explanations: readonly LogExplanation[],
): {
  readonly unexplained: readonly LogDifference[];
  readonly stale: readonly LogExplanation[];
} => {
  const key = ({ qemu, ours }: LogDifference): string => JSON.stringify([qemu, ours]);
  const seen = new Set(differences.map(key));
  const explained = new Set(explanations.map(key));
  return {
    unexplained: differences.filter((difference) => !explained.has(key(difference))),
    stale: explanations.filter((explanation) => !seen.has(key(explanation))),
  };
};
