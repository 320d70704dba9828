// The two images of the benchmark guest.
import { fileURLToPath } from 'node:url';

import { buildGuest } from '../toolchain.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const KERNEL_SOURCES = ['table', 'mix', 'memory', 'digest', 'sort', 'arithmetic', 'support'];

/** The image for 64-bit processors, and the one for those without long mode. */
export const BENCH_IMAGES = ['bench64', 'bench32'] as const;

export type BenchImage = (typeof BENCH_IMAGES)[number];

/** Where the built image stands. */
export const benchImagePath = (name: BenchImage): string => here(`images/${name}.bin`);

/** Builds one image from its sources with clang and lld. */
export const buildBenchImage = (name: BenchImage): Uint8Array =>
  buildGuest({
    mode: name === 'bench64' ? 'long64' : 'protected32',
    sources: [
      here('boot.S'),
      here('system.c'),
      ...KERNEL_SOURCES.map((source) => here(`kernels/${source}.c`)),
    ],
    includes: [],
    defines: [],
    linkerScript: here('bench.ld'),
    linkerValues: {},
  }).flat;
