import { describe, expect, it } from 'vitest';
import type { Check } from '../src/check.ts';
import { CHECKS } from '../src/checks/index.ts';
import { differenceFaults, judge } from '../src/difference.ts';
import type { Difference } from '../src/difference.ts';

const CHECK: Check = {
  name: 'Service: a condition',
  clause: 'UEFI 2.10, 1.1',
  needs: [],
  commandLines: [''],
  ask: () => ({}),
  expected: { first: 'EFI_SUCCESS', second: ['EFI_NOT_FOUND', 'EFI_UNSUPPORTED'] },
};

const difference = (answers: Difference['answers']): Difference => ({
  check: CHECK.name,
  answers,
  why: 'it does it so',
  source: 'firmware.c',
});

describe('judging answers', () => {
  it('passes what is expected, any of several', () => {
    expect(judge(CHECK, { first: 'EFI_SUCCESS', second: 'EFI_NOT_FOUND' })).toEqual([]);
    expect(judge(CHECK, { first: 'EFI_SUCCESS', second: 'EFI_UNSUPPORTED' })).toEqual([]);
  });

  it('names question, answer and clause of what is not', () => {
    expect(judge(CHECK, { first: 'EFI_ABORTED', second: 'EFI_SUCCESS' })).toEqual([
      'first: EFI_ABORTED; UEFI 2.10, 1.1 wants EFI_SUCCESS',
      'second: EFI_SUCCESS; UEFI 2.10, 1.1 wants EFI_NOT_FOUND or EFI_UNSUPPORTED',
    ]);
  });

  it('does not pass what was not asked or not answered', () => {
    expect(judge(CHECK, { first: 'EFI_SUCCESS', third: 'yes', second: 'EFI_NOT_FOUND' })).toEqual([
      'nothing is expected of "third"',
    ]);
    expect(judge(CHECK, { first: 'EFI_SUCCESS' })).toHaveLength(1);
  });

  it('takes a known difference instead, and only for its question', () => {
    const known = difference({ first: 'EFI_ABORTED' });
    const answers = { first: 'EFI_ABORTED', second: 'EFI_NOT_FOUND' };
    expect(judge(CHECK, answers, known)).toEqual([]);
    expect(judge(CHECK, { ...answers, second: 'EFI_ABORTED' }, known)).toHaveLength(1);
  });

  it('finds a difference stale when it is gone, changed, needless or never asked', () => {
    const right = { first: 'EFI_SUCCESS', second: 'EFI_NOT_FOUND' };
    expect(judge(CHECK, right, difference({ first: 'EFI_ABORTED' }))).toEqual([
      'first: EFI_SUCCESS; the difference says EFI_ABORTED, it is stale',
    ]);
    expect(
      judge(CHECK, { ...right, first: 'EFI_TIMEOUT' }, difference({ first: 'EFI_ABORTED' })),
    ).toEqual(['first: EFI_TIMEOUT; the difference says EFI_ABORTED, it is stale']);
    expect(judge(CHECK, right, difference({ second: 'EFI_UNSUPPORTED' }))).toEqual([
      'second: the difference EFI_UNSUPPORTED is what is expected anyway',
    ]);
    expect(judge(CHECK, right, difference({ third: 'EFI_ABORTED' }))).toEqual([
      'the difference names "third", which is not asked',
    ]);
  });
});

describe('a list of differences', () => {
  it('may not name checks that do not exist, twice, without content or without explanation', () => {
    const good = difference({ first: 'EFI_ABORTED' });
    expect(differenceFaults([CHECK], [good])).toEqual([]);
    expect(differenceFaults([CHECK], [good, good])).toEqual([`${CHECK.name}: listed twice`]);
    expect(differenceFaults([], [good])).toEqual([`${CHECK.name}: there is no such check`]);
    expect(differenceFaults([CHECK], [difference({})])).toEqual([`${CHECK.name}: names no answer`]);
    expect(differenceFaults([CHECK], [{ ...good, source: ' ' }])).toEqual([
      `${CHECK.name}: not explained`,
    ]);
  });
});

describe('the checks', () => {
  it('have names of their own, clauses and expectations', () => {
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
    for (const { clause, expected, commandLines } of CHECKS) {
      expect(clause).toMatch(/\w/);
      expect(Object.keys(expected)).not.toHaveLength(0);
      expect(commandLines).not.toHaveLength(0);
    }
  });
});
