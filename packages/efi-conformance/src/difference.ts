import type { Answers, Check } from './check.ts';

/** A known way in which a firmware or platform does not do what a check expects. */
export interface Difference {
  /** Name of the check. */
  readonly check: string;
  /** What is answered instead, by question; the other questions are answered as expected. */
  readonly answers: Answers;
  readonly why: string;
  /** File of the firmware's sources or clause of a specification that shows it. */
  readonly source: string;
}

/** What is wrong with the answers to a check, in words; none when it is passed. */
export const judge = (
  check: Check,
  answers: Answers,
  difference?: Difference,
): readonly string[] => {
  const known = difference?.answers ?? {};
  const findings: string[] = [];
  for (const question of Object.keys(known)) {
    if (!Object.hasOwn(check.expected, question))
      findings.push(`the difference names "${question}", which is not asked`);
  }
  for (const question of Object.keys(answers)) {
    if (!Object.hasOwn(check.expected, question))
      findings.push(`nothing is expected of "${question}"`);
  }
  for (const [question, expected] of Object.entries(check.expected)) {
    const open: readonly string[] = typeof expected === 'string' ? [expected] : expected;
    const answer = answers[question] ?? 'no answer';
    const instead = known[question];
    if (instead === undefined) {
      if (!open.includes(answer)) {
        findings.push(`${question}: ${answer}; ${check.clause} wants ${open.join(' or ')}`);
      }
    } else if (open.includes(instead)) {
      findings.push(`${question}: the difference ${instead} is what is expected anyway`);
    } else if (answer !== instead) {
      findings.push(`${question}: ${answer}; the difference says ${instead}, it is stale`);
    }
  }
  return findings;
};

/** What is wrong with a list of differences itself. */
export const differenceFaults = (
  checks: readonly Check[],
  differences: readonly Difference[],
): readonly string[] => {
  const known = new Set(checks.map(({ name }) => name));
  const seen = new Set<string>();
  return differences.flatMap(({ check, answers, why, source }) => {
    const faults: string[] = [];
    if (!known.has(check)) faults.push(`${check}: there is no such check`);
    if (seen.has(check)) faults.push(`${check}: listed twice`);
    if (Object.keys(answers).length === 0) faults.push(`${check}: names no answer`);
    if (why.trim() === '' || source.trim() === '') faults.push(`${check}: not explained`);
    seen.add(check);
    return faults;
  });
};
