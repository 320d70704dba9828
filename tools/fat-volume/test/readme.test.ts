import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const PACKAGE = join(import.meta.dirname, '..');

it('the example of the README prints what it says', () => {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
  const [, code = '', output] = /```ts\n(.*?)```\s+```text\n(.*?)```/s.exec(readme) ?? [];
  const printed = execFileSync(process.execPath, ['--input-type=module-typescript'], {
    cwd: PACKAGE,
    input: code,
    encoding: 'utf8',
  });
  expect(printed).toBe(output);
});
