export { exitCodes } from './exit-codes.ts';
export type { ExitCode } from './exit-codes.ts';
export { runCli } from './run-cli.ts';
export { bootSystem, takeOver, TakeOverError, takeOverWithoutEfi } from './system.ts';
export type { KernelOptions, System, SystemFirmware, SystemOptions } from './system.ts';
export { processTerminal } from './terminal.ts';
export type { Terminal } from './terminal.ts';
