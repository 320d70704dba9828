export { createMachine } from './machine.ts';
export type { Machine, RunOptions } from './machine.ts';
export type { MachineOptions } from './machine/options.ts';
export type { VmExit } from './machine/vm-exit.ts';
