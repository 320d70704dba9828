// Peers that are C programs, compiled when the benchmark starts: the kernels as a host process, and the same image in Unicorn.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { benchImagePath } from '../../guest/bench/image-builder.ts';
import { selectionOf } from '../kernels.ts';
import { parseSelfTimed } from '../measurement.ts';
import { runProgram, versionLine } from './child.ts';
import type { Availability, Peer } from './peer.ts';

const guest = (path: string): string =>
  fileURLToPath(new URL(`../../guest/bench/${path}`, import.meta.url));

/** The flags of the guest's own build, as far as they shape the code. */
const FLAGS = [
  '-O2',
  '-ffreestanding',
  '-fno-vectorize',
  '-fno-slp-vectorize',
  '-fcf-protection=none',
];
const KERNELS = ['table', 'mix', 'memory', 'digest', 'sort', 'arithmetic'];

const folder = mkdtempSync(join(tmpdir(), 'systab-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const compile = (name: string, args: readonly string[]): Availability => {
  const version = versionLine('clang');
  if (!version) return { available: false, reason: 'no clang to compile it with' };
  const result = spawnSync('clang', [...args, '-o', join(folder, name)], { encoding: 'utf8' });
  if (result.status === 0) return { available: true, version };
  return { available: false, reason: result.stderr.split('\n')[0] ?? 'clang failed' };
};

export const nativePeer: Peer = {
  name: 'native',
  title: 'native, 64-bit',
  image: 'bench64',
  system: false,
  slow: false,
  prepare: () =>
    compile('native', [
      ...FLAGS,
      guest('native.c'),
      ...KERNELS.map((kernel) => guest(`kernels/${kernel}.c`)),
    ]),
  run: async ({ work, divisor }) =>
    parseSelfTimed(
      await runProgram(join(folder, 'native'), [String(divisor), String(selectionOf(work))]),
    ),
};

/** The version macros of the installed header, or undefined without one. */
const unicornVersion = (): string | undefined => {
  const result = spawnSync(
    'clang',
    ['-E', '-dM', '-include', 'unicorn/unicorn.h', '-x', 'c', '/dev/null'],
    {
      encoding: 'utf8',
    },
  );
  const macro = (name: string): string | undefined =>
    new RegExp(`#define UC_API_${name} (\\d+)`).exec(result.stdout ?? '')?.[1];
  return result.status === 0
    ? `Unicorn ${macro('MAJOR')}.${macro('MINOR')}.${macro('PATCH')}`
    : undefined;
};

export const unicornPeer: Peer = {
  name: 'unicorn',
  title: 'Unicorn, flat 64-bit',
  image: 'bench64',
  system: false,
  slow: true,
  prepare: () => {
    const version = unicornVersion();
    if (!version) return { available: false, reason: 'needs clang and libunicorn-dev' };
    const compiled = compile('unicorn', ['-O2', guest('unicorn.c'), '-lunicorn']);
    return compiled.available ? { available: true, version } : compiled;
  },
  run: async ({ work, divisor }) =>
    parseSelfTimed(
      await runProgram(join(folder, 'unicorn'), [
        benchImagePath('bench64'),
        String(divisor),
        String(selectionOf(work)),
      ]),
    ),
};
