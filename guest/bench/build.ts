// Builds the benchmark guest for 64-bit and for 32-bit processors: `node guest/bench/build.ts [--check]`. With --check nothing is
// written; the exit code is 1 if a committed image differs from its rebuild.
import { commitImage } from '../toolchain.ts';
import { BENCH_IMAGES, benchImagePath, buildBenchImage } from './image-builder.ts';

const check = process.argv.includes('--check');

for (const name of BENCH_IMAGES) {
  if (commitImage(benchImagePath(name), buildBenchImage(name), check)) continue;
  process.stdout.write(`${name}: differs from the committed image\n`);
  process.exitCode = 1;
}
