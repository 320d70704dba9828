// The README's examples print what it says they print.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { requireTool } from '@systab/host-tools';
import { expect, test } from 'vitest';

const PACKAGE = path.join(import.meta.dirname, '..');
const TIMEOUT = 180_000;
const readme = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');

/** Every TypeScript block of the README with the text block that follows it. */
const examples = [...readme.matchAll(/```ts\n(.*?)```\s+```text\n(.*?)```/gs)].map(
  ([, code = '', output = ''], index) => ({ number: index + 1, code, output }),
);

test('every example says what it prints', () => {
  expect(examples).toHaveLength(3);
  expect(readme.match(/```ts\n/g)).toHaveLength(examples.length);
});

test.for(examples)(
  'example $number prints what the README says',
  { timeout: TIMEOUT },
  ({ code, output }, context) => {
    if (code.includes('/usr/share/OVMF')) requireTool(context, 'ovmf');
    const printed = execFileSync(process.execPath, ['--input-type=module-typescript'], {
      cwd: PACKAGE,
      input: code,
      encoding: 'utf8',
      timeout: TIMEOUT,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    expect(printed).toBe(output);
  },
);
