/** The command line of `systab call`. */
import type { Command } from 'commander';
import type { CallCommandOptions } from '../commands/call.ts';
import type { ExitCode } from '../exit-codes.ts';
import { SERVICE_CALLS } from '../service-calls.ts';
import type { Terminal } from '../terminal.ts';
import { addMachineOptions } from './machine.ts';

const usage = SERVICE_CALLS.map(({ service, usage: words }) => `  ${service} ${words}`.trimEnd());

/** Adds `call`. */
export const addCall = (
  program: Command,
  terminal: Terminal,
  end: (code: ExitCode) => void,
): void => {
  addMachineOptions(program.command('call <service> [arguments...]'))
    .description('make one runtime service call and show how it crossed the boundary')
    .option('--efi [words]', "words of the kernel's option 'efi=': novamap calls in physical mode")
    .addHelpText('after', `\nServices:\n${usage.join('\n')}`)
    .action(async (service: string, args: readonly string[], options: CallCommandOptions) => {
      const { json } = program.opts<{ json: boolean }>();
      const { call } = await import('../commands/call.ts');
      end(await call(terminal, json, service, args, options));
    });
};
