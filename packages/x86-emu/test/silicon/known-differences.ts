/** Recorded outcomes that the engine does not reproduce on purpose, each with its reason. The aim is an empty list. */
import type { Difference } from './comparison.ts';
import type { CpuCase, CpuOutcome } from './cpu-case.ts';

export interface KnownDifference {
  readonly mnemonic: string;
  /** Which of the mnemonic's cases; all of them when absent. */
  readonly when?: (c: CpuCase, recorded: CpuOutcome) => boolean;
  /** The fields of {@link Difference} that may differ; all others must agree. */
  readonly fields: readonly string[];
  readonly reason: string;
}

const PAGE_FAULT = 14;
const STACK_FAULT = 12;
const PF_WRITE = 2;

const failedPush = ({ fault }: CpuOutcome): boolean =>
  fault?.vector === STACK_FAULT ||
  (fault?.vector === PAGE_FAULT && (fault.errorCode & PF_WRITE) !== 0);

const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    mnemonic: 'CALL',
    when: (_, recorded) =>
      recorded.fault !== undefined && (recorded.memory.length > 0 || failedPush(recorded)),
    fields: ['result', 'memory'],
    reason:
      'AMD stores the return address before it checks the target offset, that of a far call with the stack width of the target; ' +
      'the SDM checks first (Vol. 2A, CALL). Only bytes below the stack pointer, or which of two faults comes, differ.',
  },
  {
    mnemonic: 'POPA',
    when: (_, { fault }) => fault !== undefined,
    fields: ['rax', 'rcx', 'rdx', 'rbx', 'rbp', 'rsi', 'rdi'],
    reason:
      'AMD keeps the registers it had loaded before a read of POPA faulted; here nothing changes. The instruction starts again either way.',
  },
  {
    mnemonic: 'RETF',
    when: (c, { fault }) =>
      c.form.label.startsWith('CA ') &&
      (fault?.vector === PAGE_FAULT || fault?.vector === STACK_FAULT),
    fields: ['result'],
    reason:
      'AMD reads the outer stack pointer, beyond the released bytes, before it checks the return selector; ' +
      'the SDM checks the selector first (Vol. 2B, RET). Which of two faults comes differs.',
  },
];

/** The entry that explains all of a case's differences. */
export const knownDifference = (
  c: CpuCase,
  recorded: CpuOutcome,
  differences: readonly Difference[],
): KnownDifference | undefined =>
  KNOWN_DIFFERENCES.find(
    (d) =>
      d.mnemonic === c.form.mnemonic &&
      (d.when?.(c, recorded) ?? true) &&
      differences.every(({ field }) => d.fields.includes(field)),
  );
