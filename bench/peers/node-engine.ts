// Engines that run inside Node.js: each run in a process of its own, so that no engine inherits another one's compiler state.
import { fileURLToPath } from 'node:url';

import { GUEST_WORK } from '../kernels.ts';
import type { Measurement } from '../measurement.ts';
import { runProgram } from './child.ts';
import type { Job } from './peer.ts';

/** A job for a script of this folder. `translate` is for engines that can do without. */
export type EngineJob = Job & { readonly translate?: boolean };

/** Runs `script` of this folder with the job as its argument; it prints its measurements as JSON, then DONE. */
export const runNodeEngine = async (
  script: string,
  job: EngineJob,
): Promise<readonly Measurement[]> => {
  const output = await runProgram(process.execPath, [
    fileURLToPath(new URL(script, import.meta.url)),
    JSON.stringify(job),
  ]);
  const measurements = JSON.parse(output.split('\n')[0] ?? '[]') as Measurement[];
  return measurements.filter(({ name }) => GUEST_WORK.includes(name));
};

/** For the scripts: the job they were given. */
export const givenJob = (): EngineJob => JSON.parse(process.argv[2] ?? '{}') as EngineJob;

/** For the scripts: prints what was measured and ends the process. */
export const finish = (measurements: readonly Measurement[]): never => {
  process.stdout.write(`${JSON.stringify(measurements)}\nDONE\n`);
  process.exit(0);
};

/** CPU time of this process in seconds, compiler threads included. */
export const ownCpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
