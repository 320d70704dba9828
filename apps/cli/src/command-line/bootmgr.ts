/** The command line of `systab bootmgr`; letters and words are efibootmgr's. */
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { BootmgrOptions } from '../commands/bootmgr.ts';
import type { Terminal } from '../terminal.ts';
import { addChangeOptions } from './target.ts';

const parseEntry =
  (option: string) =>
  (text: string): number => {
    if (!/^[0-9a-f]{1,4}$/i.test(text))
      throw new CliError(option, `expected one to four hex digits, got '${text}'`);
    return Number.parseInt(text, 16);
  };

const parseOrder = (text: string): readonly number[] =>
  text.split(',').map(parseEntry('--bootorder'));

const parseDecimal =
  (option: string) =>
  (text: string): number => {
    if (!/^\d{1,5}$/.test(text) || Number(text) > 0xffff)
      throw new CliError(option, `expected a number from 0 to 65535, got '${text}'`);
    return Number(text);
  };

/** Adds `bootmgr`. */
export const addBootmgr = (program: Command, terminal: Terminal): void => {
  addChangeOptions(
    program
      .command('bootmgr')
      .description('list and change boot entries, with the options of efibootmgr')
      .option('-c, --create', 'add an entry and put it into BootOrder')
      .option('-C, --create-only', 'add an entry, leave BootOrder alone')
      .option('-b, --bootnum <XXXX>', 'the entry to change or add (hex)', parseEntry('--bootnum'))
      .option('-L, --label <text>', "name of the new entry; default 'Linux'")
      .option(
        '--path <device path>',
        "device path of the new entry: 'HD(1,GPT,<guid>,0x800,0x100000)'",
      )
      .option('-l, --loader <file>', "file behind that path: '\\EFI\\debian\\shimx64.efi'")
      .option('--args <text>', 'arguments of the new entry, as a CHAR16 string')
      .option('-@, --append-binary-args <file>', 'arguments of the new entry, as they are')
      .option('-I, --index <number>', 'place in BootOrder; default 0', parseDecimal('--index'))
      .option('-B, --delete-bootnum', 'delete the entry')
      .option('-a, --active', 'set it active')
      .option('-A, --inactive', 'set it inactive; with --create, add it so')
      .option('-o, --bootorder <XXXX,YYYY>', 'set BootOrder (hex)', parseOrder)
      .option('-O, --delete-bootorder', 'delete BootOrder')
      .option('-D, --remove-dups', 'remove numbers that BootOrder has twice')
      .option('-n, --bootnext <XXXX>', 'set BootNext (hex)', parseEntry('--bootnext'))
      .option('-N, --delete-bootnext', 'delete BootNext')
      .option('-t, --timeout <seconds>', 'set Timeout', parseDecimal('--timeout'))
      .option('-T, --delete-timeout', 'delete Timeout')
      .option('-q, --quiet', 'do not list the entries', false),
  ).action(async (options: BootmgrOptions) => {
    const { bootmgr } = await import('../commands/bootmgr.ts');
    await bootmgr(terminal, program.opts<{ json: boolean }>().json, options);
  });
};
