// From a case file to a 64 KiB ROM image.
import { fileURLToPath } from 'node:url';

import type { TestImage } from '../../packages/x86-emu/test/system/images.ts';
import { buildGuest, padImage } from '../toolchain.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SUFFIX = { real16: '16', protected32: '32', long64: '64' } as const;
const ROM_SIZE = 0x10000;

/** Where the built image stands. */
export const testImagePath = (image: TestImage): string =>
  here(`../../packages/x86-emu/test/system/images/${image.name}.bin`);

/** Builds one image from its sources with clang and lld. */
export const buildTestImage = (image: TestImage): Uint8Array => {
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
