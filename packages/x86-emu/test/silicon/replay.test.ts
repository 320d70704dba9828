/** Every recorded instruction, executed here, must end as it did on real silicon. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { disassemble } from './disassembly.ts';
import { createMachineDriver } from './machine-driver.ts';
import { describeResults, readFamily, replay, totals, vectorFamilies } from './replay.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

test('all families are there', () => {
  expect(vectorFamilies()).toEqual([
    'bmi',
    'compat32',
    'crypto',
    'integer',
    'mmx',
    'sse-fp',
    'sse-int',
    'sse42',
    'string',
    'system-user',
    'undefined',
    'x87',
  ]);
});

test.each(vectorFamilies())('%s', { timeout: 120_000 }, (family) => {
  const results = replay(readFamily(family), createMachineDriver(), { keep: 1 });
  const { passed, known } = totals(results);
  expect(passed).toBeGreaterThan(1000);
  expect(describeResults(results, false, disassemble)).toBe('');
  // The README gives the numbers of the committed vectors: family, cases, known differences.
  expect(readme).toMatch(new RegExp(`\\| ${family} +\\| +${passed + known} \\| +${known} \\|`));
});
