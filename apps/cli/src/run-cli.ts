import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CliError } from './cli-error.ts';
import { addBoot } from './command-line/boot.ts';
import { addBootmgr } from './command-line/bootmgr.ts';
import { addCall } from './command-line/call.ts';
import { addCompare } from './command-line/compare.ts';
import { parseBudget } from './command-line/machine.ts';
import { addVars } from './command-line/vars.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { styled } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** Version of this package, as `systab --version` prints it. */
const packageVersion = (): string => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return (manifest as { version: string }).version;
};

const DEFAULT_BUDGET = 1e9;

const createProgram = (terminal: Terminal, end: (code: ExitCode) => void): Command => {
  const program = new Command('systab')
    .description(
      'Runs the EFI side of an operating system against firmware on a deterministic x86-64 machine.',
    )
    .version(packageVersion())
    .option('--json', 'print results and errors as JSON', false)
    .exitOverride()
    // Errors are shown once, by `showError`.
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: () => undefined,
    });
  program
    .command('overview')
    .description('boot our firmware, bring the EFI layer up, show one call: all on one screen')
    .action(async () => {
      const { overview } = await import('./commands/overview.ts');
      end(await overview(terminal, program.opts<{ json: boolean }>().json));
    });
  program
    .command('demo')
    .description('boot a small guest from the reset vector into long mode')
    .option('--budget <instructions>', 'most instructions to execute', parseBudget, DEFAULT_BUDGET)
    .action(async ({ budget }: { budget: number }) => {
      const { demo } = await import('./commands/demo.ts');
      demo(terminal, program.opts<{ json: boolean }>().json, budget);
    });
  addBoot(program, terminal, end);
  addCall(program, terminal, end);
  addCompare(program, terminal, end);
  addVars(program, terminal, end);
  addBootmgr(program, terminal);
  return program;
};

interface Failure {
  readonly subject: string;
  readonly message: string;
  readonly exitCode: ExitCode;
}

const failureOf = (error: unknown): Failure => {
  if (error instanceof CliError) return error;
  if (error instanceof CommanderError) {
    return {
      subject: 'command line',
      message: error.message.replace(/^error: /, ''),
      exitCode: exitCodes.usage,
    };
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { subject: 'internal error', message: trace, exitCode: exitCodes.internalError };
};

const showError = (terminal: Terminal, json: boolean, { subject, message }: Failure): void => {
  terminal.err(
    json
      ? `${JSON.stringify({ error: { subject, message } })}\n`
      : `${styled(terminal, 'red', 'systab')}: ${subject}: ${message}\n`,
  );
};

/**
 * Runs one command line and says how the process should exit. Never throws.
 * @param args the arguments behind the program's name.
 */
export const runCli = async (args: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  let exitCode: ExitCode = exitCodes.ok;
  try {
    await createProgram(terminal, (code) => {
      exitCode = code;
    }).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    const failure = failureOf(error);
    showError(terminal, args.includes('--json'), failure);
    exitCode = failure.exitCode;
  }
  return exitCode;
};
