import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { CliError } from './cli-error.ts';
import { addBootmgr } from './command-line/bootmgr.ts';
import { addVars } from './command-line/vars.ts';
import { boot } from './commands/boot.ts';
import type { BootOptions } from './commands/boot.ts';
import { demo } from './commands/demo.ts';
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

const parseBudget = (text: string): number => {
  const budget = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(budget) || budget === 0) {
    throw new CliError(
      '--budget',
      `expected a whole number of instructions from 1 to 2^53 - 1, got '${text}'`,
    );
  }
  return budget;
};

const MIB = 2 ** 20;

/** `256`, `256M` (MiB) or `1G` (GiB), in bytes. */
const parseMemory = (text: string): number => {
  const [, digits, unit] = /^(\d{1,6})([MG]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (unit?.toUpperCase() === 'G' ? 1024 : 1) * MIB;
  if (!(bytes >= 2 * MIB && bytes <= 3072 * MIB))
    throw new CliError('--memory', `expected 2M to 3072M or 3G, got '${text}'`);
  return bytes;
};

const parseText =
  (option: string) =>
  (text: string): string => {
    if (text === '') throw new CliError(option, 'expected a text that is not empty');
    return text;
  };

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** The options that choose firmware and machine, on every command that boots one. */
const addMachineOptions = (command: Command): Command =>
  command
    .option(
      '--firmware <image>',
      "'reference' or 'reference32' (ours), 'ovmf' for the installed one, or a file with code and variables",
      'reference',
    )
    .option('--code <file>', 'firmware code, with --vars')
    .option('--vars <file>', 'variable store; read, not written, without --write-vars')
    .option('--no-check', 'take firmware images as they are, broken or not')
    .option('--memory <size>', 'RAM: 256, 512M, 1G', parseMemory, 256 * MIB)
    .addOption(
      new Option('--cpu <name>', "processor: our own, or one that looks like QEMU's qemu64")
        .choices(['default', 'qemu64'])
        .default('default'),
    )
    .option('--append <text>', "the kernel's command line")
    .option('--budget <instructions>', 'most instructions to execute', parseBudget)
    .option('--no-cache', 'boot from the reset vector even if an equal boot was made before');

const addBoot = (program: Command, terminal: Terminal, end: (code: ExitCode) => void): void => {
  addMachineOptions(program.command('boot'))
    .description(
      'boot UEFI firmware from the reset vector, and bring the EFI layer up on it or watch its serial line',
    )
    .option('--efi [words]', "take the machine over as a kernel does; words of its option 'efi='")
    .option('--write-vars', 'write changed variables back, atomically, at the end', false)
    .option('--kernel <file>', 'PE image or Linux kernel that the firmware starts')
    .option('--initrd <file>', "the kernel's initial RAM disk")
    .option(
      '--disk <image>',
      'hard disk; what the guest writes is lost at the end (repeatable)',
      collect,
      [],
    )
    .addOption(
      new Option('--serial <what>', 'stdio: what you type goes to the guest')
        .choices(['none', 'stdio'])
        .default('none'),
    )
    .option('--type <line>', 'type a line at the next shell prompt (repeatable)', collect, [])
    .option('--until <text>', 'end when the guest has sent this text', parseText('--until'))
    .option('--no-reboot', 'end at a reset instead of carrying it out')
    .option('--profile', 'boot from the reset vector and say where the time goes', false)
    .option('--profile-trace <file>', 'the same as a trace for Perfetto or chrome://tracing')
    .action(async (options: BootOptions) => {
      end(await boot(terminal, program.opts<{ json: boolean }>().json, options));
    });
};

const createProgram = (terminal: Terminal, end: (code: ExitCode) => void): Command => {
  const program = new Command('systab')
    .description('Runs guest code and firmware on a deterministic x86-64 machine.')
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
    .command('demo', { isDefault: true })
    .description('boot a small guest from the reset vector into long mode (default)')
    .option('--budget <instructions>', 'most instructions to execute', parseBudget, DEFAULT_BUDGET)
    .action(({ budget }: { budget: number }) => {
      demo(terminal, program.opts<{ json: boolean }>().json, budget);
    });
  addBoot(program, terminal, end);
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
