/** `systab vars list`, `get`, `export` and `diff`: the verbs that only read. */
import { variablesToJson } from '@systab/efi-core';
import type { EfiVariable, VariableLabel } from '@systab/efi-core';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { readInput } from '../input-file.ts';
import { printJson, writeBytes } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { readVariable, readVariables } from '../variables/access.ts';
import { attributeLines, shortAttributes } from '../variables/attributes.ts';
import { describeData } from '../variables/describe.ts';
import { changesToJson, changeText, differences } from '../variables/difference.ts';
import { isFolder, readExchange, writeExchange } from '../variables/exchange.ts';
import type { ExchangeFormat } from '../variables/exchange-format.ts';
import { hexdump } from '../variables/hexdump.ts';
import { labelText, parseLabel } from '../variables/label.ts';
import { openStore } from '../variables/store-file.ts';
import { openTarget } from '../variables/target.ts';
import type { TargetOptions } from '../variables/target.ts';

const jsonOf = (variable: EfiVariable): Readonly<Record<string, unknown>> => ({
  ...variablesToJson([variable]).variables[0],
  attributes: shortAttributes(variable.attributes).split(','),
  value: describeData(variable),
});

export interface ListOptions extends TargetOptions {
  readonly long: boolean;
}

/** One line per variable, as `efivar --list`; with `long`, attributes, size and meaning too. */
export const listVariables = async (
  terminal: Terminal,
  json: boolean,
  options: ListOptions,
): Promise<void> => {
  const { access } = await openTarget(terminal, json, options);
  const variables = readVariables(access);
  if (json) {
    printJson(terminal, { source: access.source, variables: variables.map(jsonOf) });
    return;
  }
  for (const variable of variables) {
    const label = labelText(variable);
    if (!options.long) {
      terminal.out(`${label}\n`);
      continue;
    }
    const [value = '', ...others] = describeData(variable);
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    const attributes = shortAttributes(variable.attributes).padEnd(11);
    terminal.out(
      `${attributes} ${String(variable.data.length).padStart(6)}  ${label}  ${value}${more}\n`,
    );
  }
};

export interface GetOptions extends TargetOptions {
  readonly decimal: boolean;
  readonly raw: boolean;
}

const DECIMAL_GROUP = 8;

/** What `efivar --print-decimal` prints. */
const decimalText = (data: Uint8Array): string =>
  Array.from(data, (byte, index) =>
    index % DECIMAL_GROUP === DECIMAL_GROUP - 1 ? `${byte}  ` : `${byte} `,
  ).join('');

const printText = ({ name, vendorGuid, attributes, data }: EfiVariable): string =>
  [
    `GUID: ${vendorGuid}`,
    `Name: "${name}"`,
    'Attributes:',
    ...attributeLines(attributes).map((line) => `\t${line}`),
    'Value:',
    ...hexdump(data),
    '',
  ].join('\n');

/** One variable: as `efivar --print`, `--print-decimal`, or its bytes. */
export const getVariable = async (
  terminal: Terminal,
  json: boolean,
  name: string,
  options: GetOptions,
): Promise<void> => {
  const { access } = await openTarget(terminal, json, options);
  const variable = readVariable(access, parseLabel('variable', name));
  if (json) printJson(terminal, jsonOf(variable));
  else if (options.raw) writeBytes(terminal, variable.data);
  else if (options.decimal) terminal.out(`${decimalText(variable.data)}\n`);
  else terminal.out(printText(variable));
};

export interface ExportOptions extends TargetOptions {
  readonly format: ExchangeFormat;
  readonly output?: string;
}

/** Writes variables in an exchange format; without names, all. */
export const exportVariables = async (
  terminal: Terminal,
  names: readonly string[],
  options: ExportOptions,
): Promise<void> => {
  const { access } = await openTarget(terminal, false, options);
  const labels: readonly VariableLabel[] = names.map((name) => parseLabel('variable', name));
  const variables =
    labels.length === 0
      ? readVariables(access)
      : labels.map((label) => readVariable(access, label));
  writeExchange(options.format, variables, options.output, (bytes) => writeBytes(terminal, bytes));
};

const FVH_SIGNATURE = '_FVH';
const FVH_SIGNATURE_AT = 40;

/** The variables of a store file, or of whatever can be imported. */
const readAny = (path: string, format: ExchangeFormat | undefined): readonly EfiVariable[] => {
  // A folder is efivarfs files; a file that says it is a firmware volume is held to that.
  const bytes = format === undefined && !isFolder(path) ? readInput(path) : undefined;
  const signature = bytes?.subarray(FVH_SIGNATURE_AT, FVH_SIGNATURE_AT + FVH_SIGNATURE.length);
  return bytes !== undefined && new TextDecoder('latin1').decode(signature) === FVH_SIGNATURE
    ? readVariables(openStore(path, bytes))
    : readExchange(path, format);
};

export interface DiffOptions {
  readonly format?: ExchangeFormat;
}

/** What differs between two stores or lists of variables. @returns 1 when something does, as diff. */
export const diffVariables = (
  terminal: Terminal,
  json: boolean,
  before: string,
  after: string,
  { format }: DiffOptions,
): ExitCode => {
  const changes = differences(readAny(before, format), readAny(after, format));
  if (json) printJson(terminal, { before, after, changes: changesToJson(changes) });
  else for (const change of changes) terminal.out(changeText(terminal, change));
  return changes.length === 0 ? exitCodes.ok : exitCodes.findings;
};
