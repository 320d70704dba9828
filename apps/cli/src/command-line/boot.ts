/** The command line of `systab boot`. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { BootOptions } from '../commands/boot.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { addMachineOptions } from './machine.ts';

const parseText =
  (option: string) =>
  (text: string): string => {
    if (text === '') throw new CliError(option, 'expected a text that is not empty');
    return text;
  };

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Adds `boot`. */
export const addBoot = (
  program: Command,
  terminal: Terminal,
  end: (code: ExitCode) => void,
): void => {
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
      const { boot } = await import('../commands/boot.ts');
      end(await boot(terminal, program.opts<{ json: boolean }>().json, options));
    });
};
