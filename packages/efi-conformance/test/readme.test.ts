import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const read = (...path: readonly string[]): string =>
  readFileSync(join(import.meta.dirname, ...path), 'utf8');

describe('the example of the README', () => {
  it('is the test that runs beside this one', () => {
    const examples = [...read('..', 'README.md').matchAll(/```ts\n(.*?)```/gs)];
    expect(examples.map(([, code]) => code)).toEqual([read('without-firmware.test.ts')]);
  });
});
