// The guest images, and the two words in their header that say how much of the work to do.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { benchImagePath } from '../guest/bench/image-builder.ts';
import type { BenchImage } from '../guest/bench/image-builder.ts';

/** `bench64` for long mode, `bench32` for 32-bit protected mode with paging. */
export type ImageName = BenchImage;

/** Offsets in the multiboot header of guest/bench/boot.S. */
const SIGNATURE_OFFSET = 48;
const SIGNATURE = 0x4e42_5953;
const DIVISOR_OFFSET = 56;
const SELECTION_OFFSET = 60;

/** The image with the rounds of every kernel divided by `divisor`, and only the selected work. */
export const patchedImage = (name: ImageName, divisor: number, selection: number): Uint8Array => {
  const bytes = new Uint8Array(readFileSync(benchImagePath(name)));
  const view = new DataView(bytes.buffer);
  if (view.getUint32(SIGNATURE_OFFSET, true) !== SIGNATURE)
    throw new Error(`${name}: no benchmark header; build it with node guest/bench/build.ts`);
  view.setUint32(DIVISOR_OFFSET, divisor, true);
  view.setUint32(SELECTION_OFFSET, selection, true);
  return bytes;
};

/** Identifies the image that instruction counts belong to. */
export const imageDigest = (name: ImageName): string =>
  createHash('sha256')
    .update(readFileSync(benchImagePath(name)))
    .digest('hex')
    .slice(0, 16);
