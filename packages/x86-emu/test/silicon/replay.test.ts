/** Every recorded instruction, executed here, must end as it did on real silicon. */
import { expect, test } from 'vitest';
import { disassemble } from './disassembly.ts';
import { createMachineDriver } from './machine-driver.ts';
import { describeResults, readFamily, replay, totals, vectorFamilies } from './replay.ts';

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
  expect(totals(results).passed).toBeGreaterThan(1000);
  expect(describeResults(results, false, disassemble)).toBe('');
});
