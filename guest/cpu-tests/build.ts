// Builds every test image: `node guest/cpu-tests/build.ts [--check] [name…]`. With --check nothing is written; the exit
// code is 1 if a committed image differs from its rebuild.
import { fileURLToPath } from 'node:url';

import { REFERENCE_CLANG, buildGuest, clangVersion, commitImage, padImage } from '../toolchain.ts';
import { TEST_IMAGES } from '../../packages/x86-emu/test/system/images.ts';
import type { TestImage } from '../../packages/x86-emu/test/system/images.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SUFFIX = { real16: '16', protected32: '32', long64: '64' } as const;
const ROM_SIZE = 0x10000;

const build = (image: TestImage): Uint8Array => {
  const suffix = SUFFIX[image.mode];
  const { flat } = buildGuest({
    mode: image.mode,
    // The entry comes first: the reset stub jumps to the first byte of the body.
    sources: [
      here('lib/rom.S'),
      here(`lib/entry${suffix}.S`),
      here(`lib/state${suffix}.c`),
      here('lib/harness.c'),
      here(`cases/${image.name}.S`),
    ],
    includes: [here('lib')],
    defines: [],
    linkerScript: here('lib/rom.ld'),
    linkerValues: { BODY_ORIGIN: image.mode === 'real16' ? '0' : '0x10000' },
  });
  return padImage(flat, ROM_SIZE);
};

const args = process.argv.slice(2);
const check = args.includes('--check');
const names = args.filter((arg) => !arg.startsWith('--'));
const version = clangVersion();
if (version !== REFERENCE_CLANG) {
  process.stderr.write(
    `clang ${version}: the committed images were built with ${REFERENCE_CLANG}, bytes may differ\n`,
  );
}
let different = 0;
for (const image of TEST_IMAGES) {
  if (names.length > 0 && !names.includes(image.name)) continue;
  const file = here(`../../packages/x86-emu/test/system/images/${image.name}.bin`);
  if (!commitImage(file, build(image), check)) {
    different++;
    process.stdout.write(`${image.name}: differs from the committed image\n`);
  }
}
if (different > 0) process.exitCode = 1;
