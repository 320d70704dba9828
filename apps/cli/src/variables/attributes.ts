/** Variable attributes as words. */
import { VariableAttribute, variableAttributeFaults } from '@systab/efi-core';
import type { VariableAttributeName, VariableAttributes } from '@systab/efi-core';
import { CliError } from '../cli-error.ts';

/** The abbreviations of the UEFI shell's dmpstore (UEFI Shell 2.2, 5.3), and efivar's words. */
const WORDS: Readonly<Record<VariableAttributeName, readonly [short: string, long: string]>> = {
  NON_VOLATILE: ['NV', 'Non-Volatile'],
  BOOTSERVICE_ACCESS: ['BS', 'Boot Service Access'],
  RUNTIME_ACCESS: ['RT', 'Runtime Service Access'],
  HARDWARE_ERROR_RECORD: ['HR', 'Hardware Error Record'],
  AUTHENTICATED_WRITE_ACCESS: ['AW', 'Authenticated Write Access'],
  TIME_BASED_AUTHENTICATED_WRITE_ACCESS: ['AT', 'Time-Based Authenticated Write Access'],
  APPEND_WRITE: ['AP', 'Append Write'],
  ENHANCED_AUTHENTICATED_ACCESS: ['EA', 'Enhanced Authenticated Access'],
};

const rows = Object.entries(VariableAttribute).map(([name, bit]) => {
  const key = name as VariableAttributeName;
  const [short, long] = WORDS[key];
  return { name, bit, short, long };
});

const KNOWN = rows.reduce((all, { bit }) => all | bit, 0);

/** `NV,BS,RT`; bits without a name follow in hex. */
export const shortAttributes = (attributes: VariableAttributes): string => {
  const rest = (attributes & ~KNOWN) >>> 0;
  const words = rows.filter(({ bit }) => (attributes & bit) !== 0).map(({ short }) => short);
  return [...words, ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])].join(',') || '0';
};

/** The lines that `efivar --print` has for them. */
export const attributeLines = (attributes: VariableAttributes): readonly string[] =>
  rows.filter(({ bit }) => (attributes & bit) !== 0).map(({ long }) => long);

/** Attributes from `NV,BS,RT`, names of the specification, or a number. @throws CliError about `--attributes`. */
export const parseAttributes = (text: string): VariableAttributes => {
  const wrong = (why: string): CliError =>
    new CliError('--attributes', `${why}, expected NV,BS,RT or a number as 0x7, got '${text}'`);
  const isNumber = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text);
  const attributes = isNumber
    ? Number(text)
    : text.split(',').reduce((all, word) => {
        const upper = word
          .trim()
          .toUpperCase()
          .replace(/^EFI_VARIABLE_/, '');
        const row = rows.find(({ name, short }) => upper === short || upper === name);
        if (row === undefined) throw wrong(`'${word}' is no attribute`);
        return all | row.bit;
      }, 0);
  if (attributes > 0xffff_ffff) throw wrong('more than 32 bits');
  const faults = variableAttributeFaults(attributes);
  if (faults.length > 0) throw wrong(faults.join(', '));
  if ((attributes & VariableAttribute.APPEND_WRITE) !== 0)
    throw wrong("APPEND_WRITE is what 'vars append' is for");
  return attributes;
};
