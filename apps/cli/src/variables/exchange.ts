/** Variables in the formats of other tools: virt-fw-vars' JSON, efivar's export, efivarfs files, the UEFI shell's dmpstore. */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  decodeDmpstore,
  decodeEfivarExport,
  decodeEfivarfs,
  efivarfsFileName,
  encodeDmpstore,
  encodeEfivarExport,
  encodeEfivarfs,
  formatDecodeError,
  parseVariableLabel,
  variablesFromJson,
  variablesToJson,
} from '@systab/efi-core';
import type { Decoded, EfiVariable } from '@systab/efi-core';
import { CliError } from '../cli-error.ts';
import { readInput } from '../input-file.ts';
import { replaceFile } from '../flash-file.ts';
import type { ExchangeFormat } from './exchange-format.ts';

const EFIVAR_MAGIC = [0x97, 0x15, 0xdf, 0xf3];
const OPENING_BRACE = 0x7b;

const fits = <T>(path: string, read: Decoded<T>): T => {
  if (read.ok) return read.value;
  throw new CliError(path, formatDecodeError(read.error));
};

const parseJson = (path: string, bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new CliError(path, `this is no JSON: ${error instanceof Error ? error.message : ''}`);
  }
};

/** One efivarfs file; its name says which variable. */
const readEfivarfs = (path: string): EfiVariable => {
  const label = parseVariableLabel(basename(path));
  if (!label.ok)
    throw new CliError(path, 'an efivarfs file is named <name>-<guid>, this one is not');
  return { ...label.value, ...fits(path, decodeEfivarfs(readInput(path))) };
};

/** Whether a path leads to a folder. */
export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The format that a file shows: by its first bytes, else by its name. */
const formatOf = (path: string, bytes: Uint8Array): ExchangeFormat => {
  if (bytes[0] === OPENING_BRACE) return 'json';
  if (EFIVAR_MAGIC.every((byte, at) => bytes[at] === byte)) return 'efivar';
  return parseVariableLabel(basename(path)).ok ? 'efivarfs' : 'dmpstore';
};

/** The variables of a file, or of a folder with efivarfs files. @throws CliError with file, offset and expectation. */
export const readExchange = (path: string, format?: ExchangeFormat): readonly EfiVariable[] => {
  if (isFolder(path) && (format ?? 'efivarfs') === 'efivarfs')
    return readdirSync(path)
      .toSorted()
      .map((name) => readEfivarfs(join(path, name)));
  const bytes = readInput(path);
  switch (format ?? formatOf(path, bytes)) {
    case 'json':
      return fits(path, variablesFromJson(parseJson(path, bytes)));
    case 'efivar':
      return [fits(path, decodeEfivarExport(bytes))];
    case 'efivarfs':
      return [readEfivarfs(path)];
    case 'dmpstore':
      return fits(path, decodeDmpstore(bytes));
  }
};

const writeFolder = (folder: string, variables: readonly EfiVariable[]): void => {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new CliError(
      folder,
      `the folder cannot be made (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  for (const variable of variables) {
    const name = efivarfsFileName(variable);
    if (name.includes('/'))
      throw new CliError(folder, `${JSON.stringify(name)} cannot be the name of a file`);
    replaceFile(join(folder, name), encodeEfivarfs(variable));
  }
};

const encode = (
  format: Exclude<ExchangeFormat, 'efivarfs'>,
  variables: readonly EfiVariable[],
): Uint8Array => {
  switch (format) {
    case 'json':
      return new TextEncoder().encode(`${JSON.stringify(variablesToJson(variables), null, 4)}\n`);
    case 'dmpstore':
      return encodeDmpstore(variables);
    case 'efivar': {
      const [variable, ...others] = variables;
      if (variable === undefined || others.length > 0)
        throw new CliError(
          '--format efivar',
          `its files hold one variable, not ${variables.length}; name the one, or choose json, efivarfs or dmpstore`,
        );
      return encodeEfivarExport(variable);
    }
  }
};

/**
 * Writes variables to a file, or for efivarfs to a folder with one file each.
 * @param output without it the bytes go to `print`.
 */
export const writeExchange = (
  format: ExchangeFormat,
  variables: readonly EfiVariable[],
  output: string | undefined,
  print: (bytes: Uint8Array) => void,
): void => {
  if (format === 'efivarfs') {
    if (output === undefined)
      throw new CliError('--format efivarfs', 'needs --output <folder>: one file per variable');
    writeFolder(output, variables);
    return;
  }
  const bytes = encode(format, variables);
  if (output === undefined) print(bytes);
  else replaceFile(output, bytes);
};
