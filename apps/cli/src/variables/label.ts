/** How variables are named on the command line and in output. */
import { GLOBAL_VARIABLES, nameNumber, parseGuid, parseVariableLabel } from '@systab/efi-core';
import type { Guid, VariableLabel } from '@systab/efi-core';
import { CliError } from '../cli-error.ts';

const GUID_TEXT = 36;

/** `guid-Name`, as efivar writes it. */
export const labelText = ({ name, vendorGuid }: VariableLabel): string => `${vendorGuid}-${name}`;

const specified = (name: string): Guid | undefined =>
  GLOBAL_VARIABLES.find(({ pattern }) =>
    pattern.endsWith('####')
      ? nameNumber(pattern.slice(0, -4), name) !== undefined
      : pattern === name,
  )?.vendorGuid;

/**
 * The variable that a word names: `guid-Name` as efivar has it, `Name-guid` as efivarfs has it, or the bare name of one that the UEFI
 * specification defines. @throws CliError about `subject` for any other word.
 */
export const parseLabel = (subject: string, text: string): VariableLabel => {
  const vendorGuid = parseGuid(text.slice(0, GUID_TEXT));
  if (vendorGuid !== undefined && text.charAt(GUID_TEXT) === '-' && text.length > GUID_TEXT + 1)
    return { name: text.slice(GUID_TEXT + 1), vendorGuid };
  const efivarfs = parseVariableLabel(text);
  if (efivarfs.ok) return efivarfs.value;
  const known = specified(text);
  if (known !== undefined) return { name: text, vendorGuid: known };
  throw new CliError(
    subject,
    `expected <guid>-<name> (8be4df61-93ca-11d2-aa0d-00e098032b8c-BootOrder), <name>-<guid>, or a name that the UEFI specification defines (BootOrder, db), got '${text}'`,
  );
};
