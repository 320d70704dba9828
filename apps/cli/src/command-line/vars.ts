/** The command line of `systab vars`. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { DiffOptions, ExportOptions, GetOptions, ListOptions } from '../commands/vars-read.ts';
import type { ImportOptions, WriteOptions } from '../commands/vars-write.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { EXCHANGE_FORMATS } from '../variables/exchange-format.ts';
import type { ChangeOptions } from '../variables/target.ts';
import { addChangeOptions, addTargetOptions } from './target.ts';

const NAMES = `
A variable is named <guid>-<name> as efivar does, <name>-<guid> as efivarfs does, or by its bare name where the UEFI
specification defines it: BootOrder, Boot0001, PK, db.`;

const AUTHENTICATED = `
A variable with the attribute AT is stored with a time stamp: that of --signed data, else --time, else the one it had. A store
file is written without asking for a signature, so a new one needs none.`;

// Loaded when they are asked for.
const reading = (): Promise<typeof import('../commands/vars-read.ts')> =>
  import('../commands/vars-read.ts');
const writing = (): Promise<typeof import('../commands/vars-write.ts')> =>
  import('../commands/vars-write.ts');

const formatOption = (text: string): Option =>
  new Option('--format <name>', text).choices(EXCHANGE_FORMATS);

const addWriteOptions = (command: Command): Command =>
  addChangeOptions(
    command
      .option('--file <file>', "data from a file; '-' is standard input")
      .option('--hex <digits>', 'data as hex digits')
      .option('--text <text>', 'data as text, without a terminator')
      .option('--utf16 <text>', 'data as a CHAR16 string with its terminator')
      .option(
        '--signed',
        'the data starts with an EFI_VARIABLE_AUTHENTICATION_2 (a .auth file)',
        false,
      )
      .option(
        '--attributes <list>',
        'NV,BS,RT,AT or a number; default: those it has, NV,BS,RT for a new one',
      )
      .option('--time <time>', 'UTC time stamp of an authenticated variable: 2026-06-26T12:00:00Z'),
  ).addHelpText('after', NAMES + AUTHENTICATED);

/** Adds `vars` with its verbs. `end` takes the exit code of a verb that has one of its own. */
export const addVars = (
  program: Command,
  terminal: Terminal,
  end: (code: ExitCode) => void,
): void => {
  const json = (): boolean => program.opts<{ json: boolean }>().json;
  const vars = program
    .command('vars')
    .description('list, read, change, convert and compare EFI variables, with the verbs of efivar');

  addTargetOptions(vars.command('list').description('list the variables, as efivar --list'))
    .option('-l, --long', 'attributes, size and meaning too', false)
    .action(async (options: ListOptions) => {
      const { listVariables } = await reading();
      await listVariables(terminal, json(), options);
    });

  addTargetOptions(
    vars.command('get').argument('<variable>').description('print a variable, as efivar --print'),
  )
    .option('-d, --decimal', 'its data as decimal numbers, as efivar --print-decimal', false)
    .option('--raw', 'its data as it is', false)
    .addHelpText('after', NAMES)
    .action(async (name: string, options: GetOptions) => {
      const { getVariable } = await reading();
      await getVariable(terminal, json(), name, options);
    });

  addWriteOptions(
    vars.command('set').argument('<variable>').description('create a variable or replace its data'),
  ).action(async (name: string, options: WriteOptions) => {
    const { setVariable } = await writing();
    await setVariable(terminal, json(), name, options);
  });

  addWriteOptions(
    vars
      .command('append')
      .argument('<variable>')
      .description('add to the end of a variable; to a signature database, what it lacks'),
  ).action(async (name: string, options: WriteOptions) => {
    const { appendVariable } = await writing();
    await appendVariable(terminal, json(), name, options);
  });

  addChangeOptions(
    vars.command('delete').argument('<variables...>').description('delete variables'),
  )
    .addHelpText('after', NAMES)
    .action(async (names: readonly string[], options: ChangeOptions) => {
      const { deleteVariables } = await writing();
      await deleteVariables(terminal, json(), names, options);
    });

  addTargetOptions(
    vars
      .command('export')
      .argument('[variables...]')
      .description('write variables, or all, in the format of another tool'),
  )
    .addOption(
      formatOption(
        "json: virt-fw-vars; efivar: one variable, efivar --export; efivarfs: a folder; dmpstore: the UEFI shell's",
      ).default('json'),
    )
    .option('--output <path>', 'file or folder to write; default: standard output')
    .addHelpText('after', NAMES)
    .action(async (names: readonly string[], options: ExportOptions) => {
      const { exportVariables } = await reading();
      await exportVariables(terminal, names, options);
    });

  addChangeOptions(
    vars
      .command('import')
      .argument('<files...>')
      .description('set every variable of files in the format of another tool; the others stay'),
  )
    .addOption(formatOption('as for export; default: what the file shows'))
    .action(async (paths: readonly string[], options: ImportOptions) => {
      const { importVariables } = await writing();
      await importVariables(terminal, json(), paths, options);
    });

  vars
    .command('diff')
    .argument('<before>')
    .argument('<after>')
    .description('compare two store files, or whatever can be imported; exit code 1 if they differ')
    .addOption(formatOption('as for import'))
    .action(async (before: string, after: string, options: DiffOptions) => {
      const { diffVariables } = await reading();
      end(diffVariables(terminal, json(), before, after, options));
    });
};
