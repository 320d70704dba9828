// How long our machine takes from nothing to its first instruction: modules loaded, WebAssembly compiled, one instruction
// executed. Every sample is a fresh process.
import { fileURLToPath } from 'node:url';

import { runProgram } from './peers/child.ts';
import { median } from './statistics.ts';

/** Milliseconds, medians; wall time but for the last. */
export interface StartUp {
  /** Loading and stripping the TypeScript modules. */
  readonly moduleMs: number;
  /** `createMachine`: WebAssembly generated and compiled. */
  readonly machineMs: number;
  readonly firstInstructionMs: number;
  /** `createMachine` and the first instruction: the figure that has a target. */
  readonly totalMs: number;
  /** The same in CPU time of all threads, compiler threads included. */
  readonly totalCpuMs: number;
}

const SAMPLES = 5;

export const measureStartUp = async (): Promise<StartUp> => {
  const samples: StartUp[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const script = fileURLToPath(new URL('start-up-child.ts', import.meta.url));
    const output = await runProgram(process.execPath, [script]);
    samples.push(JSON.parse(output.split('\n')[0] ?? '{}') as StartUp);
  }
  const of = (key: keyof StartUp): number => median(samples.map((sample) => sample[key]));
  return {
    moduleMs: of('moduleMs'),
    machineMs: of('machineMs'),
    firstInstructionMs: of('firstInstructionMs'),
    totalMs: of('totalMs'),
    totalCpuMs: of('totalCpuMs'),
  };
};
