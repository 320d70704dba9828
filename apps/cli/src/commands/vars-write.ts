/** `systab vars set`, `append`, `delete` and `import`: the verbs that change a variable store. */
import { readFileSync } from 'node:fs';
import {
  EFI_TIME_ZERO,
  efiTime,
  efiTimeFaults,
  encodeChar16Z,
  hexToBytes,
  pkcs7Payload,
  VariableAttribute,
} from '@systab/efi-core';
import type { EfiTime, EfiVariable, VariableAttributes } from '@systab/efi-core';
import { CliError } from '../cli-error.ts';
import { readInput } from '../input-file.ts';
import { printJson } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { findVariable, orFail, readVariable, readVariables } from '../variables/access.ts';
import type { VariableAccess } from '../variables/access.ts';
import { parseAttributes, shortAttributes } from '../variables/attributes.ts';
import { changesToJson, changeText, differences } from '../variables/difference.ts';
import { readExchange } from '../variables/exchange.ts';
import type { ExchangeFormat } from '../variables/exchange-format.ts';
import { labelText, parseLabel } from '../variables/label.ts';
import { commit, openForChange, sayWritten } from '../variables/target.ts';
import type { ChangeOptions } from '../variables/target.ts';

const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS, TIME_BASED_AUTHENTICATED_WRITE_ACCESS } =
  VariableAttribute;
const NEW_VARIABLE = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;

/** Where the data of `set` and `append` comes from, and what goes with it. */
export interface WriteOptions extends ChangeOptions {
  readonly file?: string;
  readonly hex?: string;
  readonly text?: string;
  readonly utf16?: string;
  readonly signed: boolean;
  readonly attributes?: string;
  readonly time?: string;
}

const STANDARD_INPUT = 0;

const givenData = ({ file, hex, text, utf16 }: WriteOptions): Uint8Array => {
  const given = [file, hex, text, utf16].filter((value) => value !== undefined);
  if (given.length !== 1)
    throw new CliError(
      'data',
      'needs one of --file <file>, --hex <digits>, --text <text>, --utf16 <text>',
    );
  if (file !== undefined) return file === '-' ? readFileSync(STANDARD_INPUT) : readInput(file);
  if (utf16 !== undefined) return encodeChar16Z(utf16);
  if (text !== undefined) return new TextEncoder().encode(text);
  const bytes = hexToBytes((hex ?? '').replaceAll(/\s/g, ''));
  if (bytes === undefined)
    throw new CliError('--hex', `expected pairs of hex digits, got '${hex ?? ''}'`);
  return bytes;
};

const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})Z?)?$/;

/** The stamp of an authenticated variable: UTC, whole seconds, every other field 0 (UEFI 2.10, 8.2.2). */
const parseTime = (text: string): EfiTime => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (TIME.exec(text) ?? [])
    .slice(1)
    .map((digits) => Number(digits ?? 0));
  const time = efiTime({ year, month, day, hour, minute, second, timeZone: 0 });
  if (efiTimeFaults(time).length === 0) return time;
  throw new CliError('--time', `expected a UTC time as 2026-06-26T12:00:00Z, got '${text}'`);
};

/** The data of SetVariable: with a descriptor in front of it where the attributes ask for one and the user has none. */
const serviceData = (
  attributes: VariableAttributes,
  data: Uint8Array,
  timeStamp: EfiTime | undefined,
  signed: boolean,
): Uint8Array =>
  signed || (attributes & TIME_BASED_AUTHENTICATED_WRITE_ACCESS) === 0
    ? data
    : pkcs7Payload(timeStamp ?? EFI_TIME_ZERO, new Uint8Array(), data);

const write = (
  access: VariableAccess,
  name: string,
  verb: 'write' | 'append',
  options: WriteOptions,
): void => {
  const label = parseLabel('variable', name);
  const data = givenData(options);
  if (data.length === 0)
    throw new CliError(
      'data',
      "there is none: empty data deletes, for which there is 'vars delete'",
    );
  const old = findVariable(access, label);
  const attributes =
    options.attributes === undefined
      ? (old?.attributes ?? NEW_VARIABLE)
      : parseAttributes(options.attributes);
  const isAuthenticated = (attributes & TIME_BASED_AUTHENTICATED_WRITE_ACCESS) !== 0;
  if (options.signed && !isAuthenticated)
    throw new CliError(
      '--signed',
      `needs a variable with the attribute AT; this one has ${shortAttributes(attributes)}`,
    );
  if (options.time !== undefined && (options.signed || !isAuthenticated))
    throw new CliError(
      '--time',
      options.signed
        ? 'the signed data has a time stamp of its own'
        : 'only variables with the attribute AT have a time stamp',
    );
  const timeStamp = options.time === undefined ? old?.timeStamp : parseTime(options.time);
  const bytes = serviceData(attributes, data, timeStamp, options.signed);
  orFail(
    access,
    labelText(label),
    access.variables[verb](label.name, label.vendorGuid, attributes, bytes),
  );
};

/** Makes a change, shows what differs, and puts the result where the options say. */
const edit = async (
  terminal: Terminal,
  json: boolean,
  options: ChangeOptions,
  change: (access: VariableAccess) => void,
): Promise<void> => {
  const target = await openForChange(terminal, json, options);
  const before = readVariables(target.access);
  change(target.access);
  const changes = differences(before, readVariables(target.access));
  const written = commit(target, options);
  if (json) {
    printJson(terminal, { written: written ?? null, changes: changesToJson(changes) });
    return;
  }
  for (const one of changes) terminal.out(changeText(terminal, one));
  sayWritten(terminal, written);
};

/** Creates a variable or replaces its data. */
export const setVariable = (
  terminal: Terminal,
  json: boolean,
  name: string,
  options: WriteOptions,
): Promise<void> =>
  edit(terminal, json, options, (access) => write(access, name, 'write', options));

/** Adds to the end of a variable; to a signature database, what it does not have yet. */
export const appendVariable = (
  terminal: Terminal,
  json: boolean,
  name: string,
  options: WriteOptions,
): Promise<void> =>
  edit(terminal, json, options, (access) => write(access, name, 'append', options));

/** Deletes variables. */
export const deleteVariables = (
  terminal: Terminal,
  json: boolean,
  names: readonly string[],
  options: ChangeOptions,
): Promise<void> =>
  edit(terminal, json, options, (access) => {
    for (const name of names) {
      const label = parseLabel('variable', name);
      readVariable(access, label);
      orFail(access, labelText(label), access.variables.delete(label.name, label.vendorGuid));
    }
  });

const importOne = (access: VariableAccess, variable: EfiVariable): void => {
  const { name, vendorGuid, attributes, data, timeStamp } = variable;
  const old = findVariable(access, variable);
  const what = labelText(variable);
  // Attributes of a stored variable cannot change (UEFI 2.10, 8.2.3); what is imported stands.
  if (old !== undefined && old.attributes !== attributes)
    orFail(access, what, access.variables.delete(name, vendorGuid));
  const bytes = serviceData(attributes, data, timeStamp, false);
  orFail(access, what, access.variables.write(name, vendorGuid, attributes, bytes));
};

export interface ImportOptions extends ChangeOptions {
  readonly format?: ExchangeFormat;
}

/** Sets every variable of files in an exchange format; the others stay. */
export const importVariables = (
  terminal: Terminal,
  json: boolean,
  paths: readonly string[],
  options: ImportOptions,
): Promise<void> =>
  edit(terminal, json, options, (access) => {
    for (const path of paths)
      for (const variable of readExchange(path, options.format)) importOne(access, variable);
  });
