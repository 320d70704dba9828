// Prints the counts of one test run: node scripts/count-tests.ts <vitest's JSON report>.
import { readFileSync } from 'node:fs';
import { countTests } from './test-report/counts.ts';

const [path = ''] = process.argv.slice(2);
const { passed, failed, skipped } = countTests(JSON.parse(readFileSync(path, 'utf8')));
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
