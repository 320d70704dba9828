import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const PACKAGE = path.join(import.meta.dirname, '..');
const readme = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');

/** Every TypeScript block of the README with the text block that follows it. */
const examples = [...readme.matchAll(/```ts\n(.*?)```\s+```text\n(.*?)```/gs)].map(
  ([, code, output], index) => [index + 1, code ?? '', output ?? ''] as const,
);

describe('the examples of the README', () => {
  it('are there', () => {
    expect(examples).toHaveLength(1);
    expect(readme.match(/```ts\n/g)).toHaveLength(examples.length);
  });

  it.each(examples)('number %i prints what the README says', (_, code, output) => {
    const printed = execFileSync(process.execPath, ['--input-type=module-typescript'], {
      cwd: PACKAGE,
      input: code,
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    expect(printed).toBe(output);
  });
});
