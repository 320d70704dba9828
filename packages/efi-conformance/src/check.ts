import { bytesToHex, formatEfiStatus, statusOf } from '@systab/efi-core';
import type { EfiResult, VariableValue } from '@systab/efi-core';
import type { Capability } from './capability.ts';
import type { Running } from './running.ts';

/** What was answered, by question, in the order asked. */
export type Answers = Readonly<Record<string, string>>;

/** One expected answer, or several where the specification leaves it open. */
export type Expected = string | readonly string[];

/** One condition that every platform must meet. */
export interface Check {
  /** Group and condition: unique. */
  readonly name: string;
  /** Where the expectation is written down. */
  readonly clause: string;
  /** Without one of these, the check is replaced by the check of the lack. */
  readonly needs: readonly Capability[];
  /** Kernel command lines to run it under, each on a system of its own. */
  readonly commandLines: readonly string[];
  readonly ask: (running: Running) => Answers;
  readonly expected: Readonly<Record<string, Expected>>;
}

/** The command line that leaves firmware at its physical addresses. */
export const NO_VIRTUAL_MAP = 'efi=novamap';

const BOTH_MODES: readonly string[] = ['', NO_VIRTUAL_MAP];

/** What sets one check apart from its group. */
export interface CheckOptions {
  readonly needs?: readonly Capability[];
  readonly commandLines?: readonly string[];
}

/** Makes the checks of one group. */
export interface CheckMaker {
  /** Several questions and their answers. */
  readonly check: (
    name: string,
    ask: Check['ask'],
    expected: Check['expected'],
    options?: CheckOptions,
  ) => Check;
  /** One call and its status. */
  readonly answers: (
    name: string,
    call: (running: Running) => EfiResult<unknown>,
    expected: Expected,
    options?: CheckOptions,
  ) => Check;
}

/** A maker for checks of a section of the specification that need the same. */
export const checksOf = (
  group: string,
  clause: string,
  groupNeeds: readonly Capability[],
): CheckMaker => {
  const check: CheckMaker['check'] = (name, ask, expected, options = {}) => ({
    name: `${group}: ${name}`,
    clause,
    needs: [...groupNeeds, ...(options.needs ?? [])],
    commandLines: options.commandLines ?? BOTH_MODES,
    ask,
    expected,
  });
  return {
    check,
    answers: (name, call, expected, options) =>
      check(name, (running) => ({ answer: told(call(running)) }), { answer: expected }, options),
  };
};

/** A result as an answer: the status, and the size that would do where it was a matter of size. */
export const told = (result: EfiResult<unknown>): string => {
  const status = formatEfiStatus(statusOf(result));
  return !result.ok && result.needed !== undefined
    ? `${status}, ${String(result.needed)} bytes needed`
    : status;
};

/** The content of a variable as an answer: attributes and bytes. */
export const toldContent = (result: EfiResult<VariableValue>): string => {
  if (!result.ok || result.warning !== undefined) return told(result);
  const { attributes, data } = result.value;
  return `${attributes === undefined ? 'no attributes' : String(attributes)}: ${bytesToHex(data)}`;
};

/** A condition as an answer. */
export const yes = (condition: boolean): string => (condition ? 'yes' : 'no');
