import type { Reporter, TestModule } from 'vitest/node';

/** Prints, after a run, why tests were skipped: each reason once, with the number of tests. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const note = (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given';
        counts.set(note, (counts.get(note) ?? 0) + 1);
      }
    }
    for (const [note, count] of counts) console.log(` skipped ${count}: ${note}`);
  }
}
