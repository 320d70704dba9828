// Records the transcripts of the system-level tests: `node tools/qemu-oracle/record.ts [--check] [name…]`. With --check
// nothing is written; the exit code is 1 if a committed transcript differs from what QEMU says now.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { TEST_IMAGES } from '../../packages/x86-emu/test/system/images.ts';
import { qemuVersion, runInQemu } from './qemu.ts';

const folder = fileURLToPath(new URL('../../packages/x86-emu/test/system/', import.meta.url));
const args = process.argv.slice(2);
const check = args.includes('--check');
const names = args.filter((arg) => !arg.startsWith('--'));

process.stdout.write(`${qemuVersion()}\n`);
for (const image of TEST_IMAGES) {
  if (image.oracle !== 'qemu' || (names.length > 0 && !names.includes(image.name))) continue;
  const transcript = runInQemu(`${folder}images/${image.name}.bin`, image.cpu);
  const file = `${folder}transcripts/${image.name}.txt`;
  if (!check) {
    writeFileSync(file, transcript);
    process.stdout.write(`${image.name}: ${transcript.split('\n').length - 1} lines\n`);
  } else if (readFileSync(file, 'latin1') !== transcript) {
    process.stdout.write(`${image.name}: differs from the committed transcript\n`);
    process.exitCode = 1;
  }
}
