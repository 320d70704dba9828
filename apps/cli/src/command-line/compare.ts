/** The command line of `systab compare`. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { CompareOptions } from '../commands/compare.ts';
import { MEMORY_MAPS, ROUTE_NAMES } from '../compare/route.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { parseMemory } from './machine.ts';

/** Adds `compare`. */
export const addCompare = (
  program: Command,
  terminal: Terminal,
  end: (code: ExitCode) => void,
): void => {
  program
    .command('compare', { isDefault: true })
    .description(
      'run one scenario over every route a call can take, and explain what differs (default)',
    )
    .option('--firmware <image>', "'reference', 'ovmf', or a file", 'reference')
    .option('--code <file>', 'firmware code, with --vars')
    .option('--vars <file>', 'variable store; never written')
    .option(
      '--hypervisor <image>',
      "'embedded', 'xen' for the installed one, or a file",
      'embedded',
    )
    .option(
      '--hypervisor-options <text>',
      "its options ('efi=no-rs', 'efi=attr=uc') and switches of its loader ('-mapbs', '-noexitboot')",
      '',
    )
    .option('--memory <size>', 'RAM: 256, 512M, 1G', parseMemory)
    .addOption(
      new Option('--route <names...>', 'compare these with direct; default: all').choices([
        ...ROUTE_NAMES,
      ]),
    )
    .addOption(
      new Option(
        '--memory-map <which>',
        "what a domain gets: none, the hypervisor's E820 map, the firmware's own",
      )
        .choices([...MEMORY_MAPS])
        .default('absent'),
    )
    .option(
      '--no-barrel-through',
      'leave out running the init steps of bare metal under the hypervisor',
    )
    .option('--all', 'show equal operations too', false)
    .option('--html <file>', 'write a self-contained report')
    .action(async (options: Omit<CompareOptions, 'route'> & Partial<CompareOptions>) => {
      const { json } = program.opts<{ json: boolean }>();
      const { compare } = await import('../commands/compare.ts');
      end(compare(terminal, json, { ...options, route: options.route ?? [] }));
    });
};
