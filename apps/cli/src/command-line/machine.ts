/** The options that choose firmware and machine, the same on every command that boots one. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';

/** A number of instructions. @throws CliError about `--budget`. */
export const parseBudget = (text: string): number => {
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
export const parseMemory = (text: string): number => {
  const [, digits, unit] = /^(\d{1,6})([MG]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (unit?.toUpperCase() === 'G' ? 1024 : 1) * MIB;
  if (!(bytes >= 2 * MIB && bytes <= 3072 * MIB))
    throw new CliError('--memory', `expected 2M to 3072M or 3G, got '${text}'`);
  return bytes;
};

/** Adds them. */
export const addMachineOptions = (command: Command): Command =>
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
