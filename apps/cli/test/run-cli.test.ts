import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { exitCodes, runCli } from '@systab/cli';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const run = async (args: readonly string[], colour = false) => {
  let out = '';
  let err = '';
  const exitCode = await runCli(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    colour,
  });
  return { exitCode, out, err };
};

describe('systab', () => {
  test('--version prints the version of the package', async () => {
    expect(await run(['--version'])).toEqual({
      exitCode: exitCodes.ok,
      out: `${manifest.version}\n`,
      err: '',
    });
  });

  test('--help goes to standard output', async () => {
    const { exitCode, out, err } = await run(['--help']);
    expect({ exitCode, err }).toEqual({ exitCode: exitCodes.ok, err: '' });
    expect(out).toContain('Usage: systab');
  });

  test('an unknown option is named, on standard error only', async () => {
    expect(await run(['--nonsense'])).toEqual({
      exitCode: exitCodes.usage,
      out: '',
      err: "systab: command line: unknown option '--nonsense'\n",
    });
  });

  test('with --json an error is one JSON line', async () => {
    const { exitCode, out, err } = await run(['--nonsense', '--json']);
    expect({ exitCode, out }).toEqual({ exitCode: exitCodes.usage, out: '' });
    expect(JSON.parse(err)).toEqual({
      error: { subject: 'command line', message: "unknown option '--nonsense'" },
    });
  });

  test('colours appear only where the terminal takes them', async () => {
    expect((await run(['--nonsense'], true)).err).toContain('\u001b[31msystab\u001b[39m');
    expect((await run(['--nonsense'], false)).err).not.toContain('\u001b');
  });

  test('the program itself runs from source', () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const out = execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8' });
    expect(out).toBe(`${manifest.version}\n`);
  });
});

test('each exit code has a meaning of its own', () => {
  const codes = Object.values(exitCodes);
  expect(new Set(codes).size).toBe(codes.length);
});
