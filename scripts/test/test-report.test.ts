import { describe, expect, test } from 'vitest';
import { countTests } from '../test-report/counts.ts';

const file = (status: string, ...statuses: string[]) => ({
  status,
  assertionResults: statuses.map((each) => ({ status: each })),
});

describe('countTests', () => {
  test.each([
    {
      name: 'each outcome',
      report: {
        success: false,
        testResults: [
          file('failed', 'passed', 'failed', 'pending', 'todo'),
          file('passed', 'passed', 'skipped', 'disabled'),
        ],
      },
      counts: { passed: 2, failed: 1, skipped: 4 },
    },
    {
      name: 'a file that could not be loaded is a failure',
      report: { success: false, testResults: [file('failed'), file('passed', 'passed')] },
      counts: { passed: 1, failed: 1, skipped: 0 },
    },
    {
      name: 'a hook that failed after its tests passed is a failure',
      report: { success: false, testResults: [file('failed', 'passed')] },
      counts: { passed: 1, failed: 1, skipped: 0 },
    },
    {
      name: 'an error outside every test is a failure',
      report: { success: false, testResults: [file('passed', 'passed')] },
      counts: { passed: 1, failed: 1, skipped: 0 },
    },
    {
      name: 'nothing ran',
      report: { success: true, testResults: [] },
      counts: { passed: 0, failed: 0, skipped: 0 },
    },
  ])('$name', ({ report, counts }) => {
    expect(countTests(report)).toEqual(counts);
  });
});
