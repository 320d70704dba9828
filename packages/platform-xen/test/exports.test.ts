import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as xen from '../src/index.ts';

const SRC = path.join(import.meta.dirname, '..', 'src');
const index = readFileSync(path.join(SRC, 'index.ts'), 'utf8');

describe('the public surface', () => {
  it('has exactly these names, listed one by one', async () => {
    const types = [...index.matchAll(/export type \{([^}]*)\}/g)]
      .flatMap(([, names]) => (names ?? '').split(','))
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const list = [...Object.keys(xen), ...types.map((name) => `type ${name}`)].toSorted();
    expect(new Set(list).size).toBe(list.length);
    await expect(`${list.join('\n')}\n`).toMatchFileSnapshot('exports.txt');
    expect(index).not.toMatch(/export \*/);
  });
});
