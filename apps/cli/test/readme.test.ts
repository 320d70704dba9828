import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { hostTools, requireTool } from '@systab/host-tools';
import { systab } from './run-systab.ts';

const README = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');

interface Example {
  readonly args: readonly string[];
  readonly output: readonly string[];
}

/** The words of a command line: separated by blanks, or quoted. */
const words = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

const EXAMPLES: readonly Example[] = [...README.matchAll(/```console\n(.*?)```/gs)].flatMap(
  ([, block = '']) =>
    block
      .split(/^\$ systab /m)
      .slice(1)
      .map((example) => {
        const [command = '', ...output] = example.trimEnd().split('\n');
        return { args: words(command), output };
      }),
);

const escape = (line: string): string => line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** Files of the examples stand in a folder of the test. */
const isFile = (word: string): boolean => word.endsWith('.fd');

const TIMEOUT = 120_000;

test('what the README shows is what the commands print', { timeout: TIMEOUT }, async (context) => {
  requireTool(context, 'ovmf');
  const folder = mkdtempSync(join(tmpdir(), 'systab-readme-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  try {
    copyFileSync(hostTools.ovmf.file ?? '', join(folder, 'OVMF_VARS.fd'));
    expect(EXAMPLES.length).toBeGreaterThan(4);
    for (const { args, output } of EXAMPLES) {
      const { out } = await systab(
        ...args.map((word) => (isFile(word) ? join(folder, word) : word)),
      );
      // A line with an ellipsis stands for any number of lines.
      const pattern = output.map((line) => (line === '…' ? '(?:.*\n)*' : `${escape(line)}\n`));
      expect(out).toMatch(new RegExp(`^${pattern.join('')}$`));
    }
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});
