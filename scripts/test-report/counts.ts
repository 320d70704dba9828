/** The part of vitest's JSON report that is counted. */
export interface TestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Tests of one run by outcome. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts the tests of a report. A file that failed before its tests could run counts as one failed test, and so does a run
 * that failed without a failed test (an unhandled error); whatever neither passed nor failed was skipped.
 */
export const countTests = (report: TestReport): TestCounts => {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const file of report.testResults) {
    const statuses = file.assertionResults.map(({ status }) => status);
    const passedHere = statuses.filter((status) => status === 'passed').length;
    const failedHere = statuses.filter((status) => status === 'failed').length;
    passed += passedHere;
    failed += failedHere === 0 && file.status === 'failed' ? 1 : failedHere;
    skipped += statuses.length - passedHere - failedHere;
  }
  if (!report.success && failed === 0) failed = 1;
  return { passed, failed, skipped };
};
