// Builds the benchmark guest for 64-bit and for 32-bit processors: `node guest/bench/build.ts [--check]`. With --check nothing is
// written; the exit code is 1 if a committed image differs from its rebuild.
import { fileURLToPath } from 'node:url';

import { buildGuest, commitImage } from '../toolchain.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const check = process.argv.includes('--check');
const KERNEL_SOURCES = ['table', 'mix', 'memory', 'digest', 'sort', 'arithmetic', 'support'];

for (const [mode, name] of [
  ['long64', 'bench64'],
  ['protected32', 'bench32'],
] as const) {
  const { flat } = buildGuest({
    mode,
    sources: [
      here('boot.S'),
      here('system.c'),
      ...KERNEL_SOURCES.map((source) => here(`kernels/${source}.c`)),
    ],
    includes: [],
    defines: [],
    linkerScript: here('bench.ld'),
    linkerValues: {},
  });
  if (!commitImage(here(`images/${name}.bin`), flat, check)) {
    process.stdout.write(`${name}: differs from the committed image\n`);
    process.exitCode = 1;
  }
}
