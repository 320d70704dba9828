export { exitCodes } from './exit-codes.ts';
export type { ExitCode } from './exit-codes.ts';
export { runCli } from './run-cli.ts';
export { processTerminal } from './terminal.ts';
export type { Terminal } from './terminal.ts';
