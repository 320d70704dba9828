/** Replays what an AMD Zen 3 did with generated cases (see oracle/record.ts). */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAMILIES } from './oracle/families.ts';
import { createRandom } from './oracle/random.ts';
import { RECORD_SIZE } from './oracle/case-record.ts';
import { unpackVectors } from './oracle/vectors.ts';

/** Seed and number of the recorded cases of each family: the arguments of the run that recorded them. */
const RECORDED = {
  sse: { seed: 100, cases: 20_000 },
  x87: { seed: 200, cases: 20_000 },
} as const;

describe.each(Object.entries(RECORDED))('recorded silicon: %s', (familyName, { seed, cases }) => {
  const family = FAMILIES[familyName];
  if (family === undefined) throw new Error(`no family ${familyName}`);

  test(`${cases} cases give the recorded state`, () => {
    const random = createRandom(seed);
    const before = new Uint8Array(cases * RECORD_SIZE);
    const names: string[] = [];
    for (let i = 0; i < cases; i++) {
      names.push(family.generate(random, before.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE)));
    }
    const file = join(import.meta.dirname, 'vectors', `${familyName}.bin`);
    const after = unpackVectors(before, new Uint8Array(readFileSync(file)));
    const ours = new Uint8Array(RECORD_SIZE);
    const wrong: string[] = [];
    for (let i = 0; i < cases; i++) {
      const from = before.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE);
      ours.set(from);
      const name = names[i] as string;
      family.replay(name, ours);
      const truth = after.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE);
      if (!family.agrees(name, from, truth, ours)) wrong.push(`${name} (case ${i})`);
    }
    expect(wrong).toEqual([]);
  });
});
