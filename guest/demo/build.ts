import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Where the built image stands, in the package that ships it. */
export const demoImagePath: string = source('../../apps/cli/images/demo.bin');

/**
 * Builds the demo guest from its sources: 4 KiB, to be mapped so that they end at 4 GiB.
 * @param clang path of clang; `lld` path of ld.lld.
 */
export const buildDemo = (clang: string, lld: string): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-demo-'));
  try {
    const object = join(folder, 'demo.o');
    const image = join(folder, 'demo.bin');
    execFileSync(clang, ['--target=x86_64-none-elf', '-c', source('demo.S'), '-o', object]);
    execFileSync(lld, ['--oformat=binary', '-T', source('demo.ld'), object, '-o', image]);
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
