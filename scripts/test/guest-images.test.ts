import { readFileSync } from 'node:fs';
import { requireTool } from '@systab/host-tools';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { BENCH_IMAGES, benchImagePath, buildBenchImage } from '../../guest/bench/image-builder.ts';
import { buildTestImage, testImagePath } from '../../guest/cpu-tests/image-builder.ts';
import { REFERENCE_CLANG, clangVersion } from '../../guest/toolchain.ts';
import { TEST_IMAGES } from '../../packages/x86-emu/test/system/images.ts';
import { runInQemu } from '../../tools/qemu-oracle/qemu.ts';

const TIMEOUT = 120_000;

const requireReferenceToolchain = (context: TestContext): void => {
  requireTool(context, 'clang');
  requireTool(context, 'ld.lld');
  requireTool(context, 'llvm-objcopy');
  const version = clangVersion();
  context.skip(version !== REFERENCE_CLANG, `needs clang ${REFERENCE_CLANG}, found ${version}`);
};

describe.each(TEST_IMAGES)('CPU test image $name', (image) => {
  test('is what its sources build, byte for byte', { timeout: TIMEOUT }, (context) => {
    requireReferenceToolchain(context);
    expect(readFileSync(testImagePath(image)).equals(buildTestImage(image))).toBe(true);
  });
});

test.for(TEST_IMAGES.filter(({ oracle }) => oracle === 'qemu'))(
  'CPU test image $name has the transcript that QEMU writes',
  { timeout: TIMEOUT },
  (image, context) => {
    requireTool(context, 'qemu-system-x86_64');
    const transcript = testImagePath(image)
      .replace('/images/', '/transcripts/')
      .replace(/bin$/, 'txt');
    expect(runInQemu(testImagePath(image), image.cpu)).toBe(readFileSync(transcript, 'latin1'));
  },
);

test.for(BENCH_IMAGES)(
  'benchmark image %s is what its sources build',
  { timeout: TIMEOUT },
  (name, context) => {
    requireReferenceToolchain(context);
    expect(readFileSync(benchImagePath(name)).equals(buildBenchImage(name))).toBe(true);
  },
);
