/** The options that choose variables, the same on every command that works on them. */
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { addMachineOptions } from './machine.ts';

/** Options that name what `--store` would have to be ignored for. */
const FIRMWARE_OPTIONS = ['firmware', 'code', 'vars'];

/** Adds those of a command that reads. */
export const addTargetOptions = (command: Command): Command =>
  addMachineOptions(
    command.option(
      '--store <file>',
      'variable store, a .fd file as OVMF_VARS.fd: no firmware runs; without it the one of --firmware does',
    ),
  ).hook('preAction', (_, action) => {
    const other = FIRMWARE_OPTIONS.find((name) => action.getOptionValueSource(name) === 'cli');
    if (action.getOptionValue('store') !== undefined && other !== undefined)
      throw new CliError('--store', `is read without firmware: it excludes --${other}`);
  });

/** Adds those of a command that changes. */
export const addChangeOptions = (command: Command): Command =>
  addTargetOptions(command)
    .option('--write-vars', 'write the changes to the file they are for, atomically', false)
    .option('--output <file>', 'write the changed store to another file')
    .option('--dry-run', 'show what would change, write nothing', false);
