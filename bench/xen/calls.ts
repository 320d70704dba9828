// What one GetVariable takes on every route, called from TypeScript.
import { fileURLToPath } from 'node:url';

import { runProgram } from '../peers/child.ts';
import { median } from '../statistics.ts';
import { CALLS, PAIRS } from './pairs.ts';
import type { CallName, CallRun, PairName } from './pairs.ts';

/** One call, medians of the rounds. */
export interface CallResult {
  readonly pair: PairName;
  readonly call: CallName;
  readonly wallMicroseconds: number;
  readonly cpuMicroseconds: number;
  readonly instructions: number;
}

const CHILD = fileURLToPath(new URL('calls-child.ts', import.meta.url));
const ROUNDS = 10_000;

const runPair = async (pair: PairName, rounds: number): Promise<readonly CallRun[]> => {
  const output = await runProgram(process.execPath, [CHILD, pair, String(rounds)]);
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as CallRun);
};

/** Measures every pair in a fresh process, `rounds` times. Throws where that is not possible. */
export const measureCalls = async (
  rounds: number,
  quick: boolean,
  progress: (text: string) => void,
): Promise<readonly CallResult[]> => {
  const runs = new Map(PAIRS.map((pair) => [pair, [] as CallRun[]]));
  for (let round = 1; round <= rounds; round++)
    for (const pair of PAIRS) {
      progress(`xen, round ${round} of ${rounds}: GetVariable, ${pair}`);
      runs.get(pair)?.push(...(await runPair(pair, quick ? ROUNDS / 10 : ROUNDS)));
    }
  return PAIRS.flatMap((pair) =>
    CALLS.map((call): CallResult => {
      const own = (runs.get(pair) ?? []).filter((run) => run.call === call);
      const each = (value: (run: CallRun) => number): number =>
        median(own.map((run) => value(run) / run.rounds));
      return {
        pair,
        call,
        wallMicroseconds: each(({ seconds }) => seconds * 1e6),
        cpuMicroseconds: each(({ cpu }) => cpu * 1e6),
        instructions: each(({ instructions }) => instructions),
      };
    }),
  );
};
