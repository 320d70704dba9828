import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  aptPackages,
  hostTools,
  installCommand,
  missingTools,
  requireTool,
  setupTools,
  toolStatus,
} from '@systab/host-tools';
import type { AptHost, HostToolName } from '@systab/host-tools';

const allNames = Object.keys(hostTools) as HostToolName[];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'host-tools-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('toolStatus', () => {
  test('finds a runnable file in a later folder of the path', () => {
    writeFileSync(join(folder, 'clang'), '');
    chmodSync(join(folder, 'clang'), 0o755);
    expect(toolStatus('clang', `/nonexistent::${folder}`)).toEqual({
      available: true,
      path: join(folder, 'clang'),
    });
  });

  test('does not take a folder for a program', () => {
    mkdirSync(join(folder, 'clang'));
    expect(toolStatus('clang', folder).available).toBe(false);
  });

  test('a missing tool says which command brings it', () => {
    expect(toolStatus('qemu-system-x86_64', folder)).toEqual({
      available: false,
      reason: 'needs qemu-system-x86_64: sudo apt-get install -y qemu-system-x86',
    });
  });

  test('an empty path misses every program', () => {
    expect(missingTools('')).toEqual(
      expect.arrayContaining(allNames.filter((name) => hostTools[name].file === undefined)),
    );
  });
});

test('one command installs several tools, each package once', () => {
  expect(aptPackages(['ld.lld', 'clang', 'clang'])).toEqual(['clang', 'lld']);
  expect(installCommand(['ld.lld', 'clang'])).toBe('sudo apt-get install -y clang lld');
});

test('requireTool skips with the reason', () => {
  const notes: (string | undefined)[] = [];
  const context = {
    skip: (note?: string): never => {
      notes.push(note);
      throw new Error('skipped');
    },
  };
  const searchPath = process.env.PATH;
  process.env.PATH = folder;
  try {
    expect(() => requireTool(context, 'clang')).toThrow('skipped');
  } finally {
    process.env.PATH = searchPath;
  }
  expect(notes).toEqual(['needs clang: sudo apt-get install -y clang']);
});

describe('setupTools', () => {
  const record = (
    options: { missing: HostToolName[]; mayInstall: boolean; aptWorks: boolean },
    lines: string[],
    calls: string[],
  ): AptHost => {
    let missing = options.missing;
    return {
      mayInstall: options.mayInstall,
      missing: () => missing,
      aptGet: (args) => {
        calls.push(args.join(' '));
        if (options.aptWorks && args[0] === 'install') missing = [];
        return options.aptWorks;
      },
      print: (line) => lines.push(line),
    };
  };

  test.each([
    {
      name: 'is silent when nothing is missing',
      options: { missing: [], mayInstall: true, aptWorks: true },
      calls: [],
      lines: [],
    },
    {
      name: 'names the command when it may not install',
      options: { missing: ['clang' as const], mayInstall: false, aptWorks: true },
      calls: [],
      lines: [
        'setup: without clang some tests are skipped; to run them all: sudo apt-get install -y clang',
      ],
    },
    {
      name: 'updates, then installs',
      options: { missing: ['ld.lld' as const], mayInstall: true, aptWorks: true },
      calls: ['update -qq', 'install -y -qq --no-install-recommends lld'],
      lines: ['setup: installing lld with apt-get (SYSTAB_APT=0 prevents it)'],
    },
    {
      name: 'goes on when apt-get fails',
      options: { missing: ['clang' as const], mayInstall: true, aptWorks: false },
      calls: ['update -qq'],
      lines: [
        'setup: installing clang with apt-get (SYSTAB_APT=0 prevents it)',
        'setup: apt-get did not bring clang; the tests that need them are skipped',
      ],
    },
  ])('$name', ({ options, calls, lines }) => {
    const printed: string[] = [];
    const called: string[] = [];
    setupTools(record(options, printed, called));
    expect(printed).toEqual(lines);
    expect(called).toEqual(calls);
  });

  test('a package that there is not keeps no other one away', () => {
    let missing: readonly HostToolName[] = ['chromium', 'clang', 'ovmf'];
    const printed: string[] = [];
    setupTools({
      mayInstall: true,
      missing: () => missing,
      aptGet: (args) => {
        if (args.includes('chromium')) return false;
        missing = missing.filter((name) => !args.includes(hostTools[name].apt));
        return true;
      },
      print: (line) => printed.push(line),
    });
    expect(missing).toEqual(['chromium']);
    expect(printed[1]).toBe(
      'setup: apt-get did not bring chromium; the tests that need them are skipped',
    );
  });
});
