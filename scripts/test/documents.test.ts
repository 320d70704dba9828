import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const read = (path: string): string => readFileSync(path, 'utf8');

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const ownCommands = new Set(['install', 'exec']);

const documents = globSync(['*.md', '{packages,apps}/*/README.md']);

describe.each(documents)('%s', (path) => {
  const text = read(path);

  test('names only commands that exist', () => {
    const named = [...text.matchAll(/(?:^|`|npx -y )pnpm(?:@12)? ([a-z][a-z:]*)/gm)].map(
      ([, name = '']) => name,
    );
    const unknown = named.filter((name) => !(name in scripts) && !ownCommands.has(name));
    expect(unknown).toEqual([]);
  });

  test('links only to files that exist', () => {
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, to = '']) => to);
    expect(targets.filter((target) => !existsSync(join(dirname(path), target)))).toEqual([]);
  });
});

test('CI runs the test command of the README, word for word', () => {
  const command = 'npx -y pnpm@12 test';
  expect(read('README.md').split('\n')).toContainEqual(expect.stringMatching(`^${command}( |$)`));
  expect(read('.ci/run').split('\n')).toContain(`step tests ${command}`);
});
