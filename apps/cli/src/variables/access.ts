/** What the commands on variables need of wherever the variables are. */
import { EfiStatus, formatEfiStatus } from '@systab/efi-core';
import type { EfiTime, EfiVariable, VariableLabel } from '@systab/efi-core';
import type { VariableFailure, VariableResult, Variables, WalkEnd } from '@systab/efi-runtime';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { labelText } from './label.ts';

/** Variables, and the flash that they are stored in. */
export interface VariableAccess {
  /** What messages call it: the file of a store, or the firmware that runs. */
  readonly source: string;
  readonly variables: Variables;
  /** Time stamp of a time-based authenticated variable. Undefined for any other, and where nobody tells: a running firmware does not. */
  readonly timeStamp: (label: VariableLabel) => EfiTime | undefined;
  /** Contents of the flash device with the variables, as they are now. */
  readonly image: () => Uint8Array;
}

const reasonOf = ({ status, why }: VariableFailure): string =>
  why === undefined ? formatEfiStatus(status) : `${formatEfiStatus(status)}: ${why}`;

/** The value of an operation on variables. @throws CliError that names the source and `what` was asked for. */
export const orFail = <T>(access: VariableAccess, what: string, result: VariableResult<T>): T => {
  if (result.ok) return result.value;
  // A service that faults or never ends answers EFI_ABORTED.
  const fault = result.status === EfiStatus.ABORTED;
  throw new CliError(
    access.source,
    `${what}: ${reasonOf(result)}`,
    fault ? exitCodes.firmwareFault : exitCodes.usage,
  );
};

const describeEnd = (end: Exclude<WalkEnd, { readonly kind: 'complete' }>): string => {
  switch (end.kind) {
    case 'repeated':
      return `the firmware gave ${labelText(end.label)} twice`;
    case 'garbage':
      return `the firmware gave ${end.what}`;
    case 'too many':
      return `more than ${end.limit} names`;
    default:
      return formatEfiStatus(end.status);
  }
};

/** Every name. @throws CliError when the walk does not get to its end. */
const listLabels = (access: VariableAccess): readonly VariableLabel[] => {
  const { labels, end } = access.variables.list();
  if (end.kind === 'complete') return labels;
  throw new CliError(
    access.source,
    `the list of variables has no end after ${labels.length}: ${describeEnd(end)}`,
  );
};

/** One variable; undefined where there is none. */
export const findVariable = (
  access: VariableAccess,
  label: VariableLabel,
): EfiVariable | undefined => {
  const found = access.variables.read(label.name, label.vendorGuid);
  if (!found.ok && found.errno === 'ENOENT') return undefined;
  const timeStamp = access.timeStamp(label);
  return {
    ...label,
    ...orFail(access, labelText(label), found),
    ...(timeStamp === undefined ? {} : { timeStamp }),
  };
};

/** One variable. @throws CliError where there is none. */
export const readVariable = (access: VariableAccess, label: VariableLabel): EfiVariable => {
  const found = findVariable(access, label);
  if (found === undefined) throw new CliError(access.source, `no variable ${labelText(label)}`);
  return found;
};

/** All variables, in the order they are listed. */
export const readVariables = (access: VariableAccess): readonly EfiVariable[] =>
  listLabels(access).map((label) => readVariable(access, label));
