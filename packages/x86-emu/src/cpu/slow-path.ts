/** Slow paths of staged semantics that are written in TypeScript, by name. Arguments and result are 32-bit integers; a `Fault` may be thrown. */
import type { Cpu } from './helper.ts';

export type SlowPath = (cpu: Cpu, a: number, b: number, c: number) => number;

const names: string[] = [];
const functions: SlowPath[] = [];

/** Registers a slow path at module load; staged code names it in `Emit.slowPath`. */
export const registerSlowPath = (name: string, run: SlowPath): void => {
  if (names.includes(name)) throw new Error(`slow path ${name} is registered twice`);
  names.push(name);
  functions.push(run);
};

export const slowPathNumber = (name: string): number => {
  const number = names.indexOf(name);
  if (number < 0) throw new Error(`no slow path is called ${name}`);
  return number;
};

export const slowPathFunction = (number: number): SlowPath => {
  const run = functions[number];
  if (!run) throw new Error(`no slow path has the number ${number}`);
  return run;
};
