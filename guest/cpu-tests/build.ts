// Builds every test image: `node guest/cpu-tests/build.ts [--check] [name…]`. With --check nothing is written; the exit
// code is 1 if a committed image differs from its rebuild.
import { REFERENCE_CLANG, clangVersion, commitImage } from '../toolchain.ts';
import { TEST_IMAGES } from '../../packages/x86-emu/test/system/images.ts';
import { buildTestImage, testImagePath } from './image-builder.ts';

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
  if (!commitImage(testImagePath(image), buildTestImage(image), check)) {
    different++;
    process.stdout.write(`${image.name}: differs from the committed image\n`);
  }
}
if (different > 0) process.exitCode = 1;
