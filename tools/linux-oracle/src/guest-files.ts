// What the guest runs: its first process and its module, compiled from ../guest for the kernel it runs on.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DebianKernel } from './debian-kernel.ts';
import { encodeInitramfs } from './initramfs.ts';

const SOURCES = join(import.meta.dirname, '../guest');
const MODULE = 'efi-services';

const run = (program: string, args: readonly string[]): void => {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed:\n${stderr}`);
};

const compileInit = (folder: string): Uint8Array => {
  const program = join(folder, 'init');
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.c'));
  run('gcc', [
    ...['-std=gnu17', '-Os', '-static', '-s', '-Wall', '-Wextra', '-Werror', '-o', program],
    ...sources.map((name) => join(SOURCES, name)),
  ]);
  return readFileSync(program);
};

const compileModule = (kernel: DebianKernel, folder: string): Uint8Array => {
  const build = join(folder, MODULE);
  cpSync(join(SOURCES, 'services'), build, { recursive: true });
  writeFileSync(join(build, 'Kbuild'), `obj-m := ${MODULE}.o\n`);
  run('make', ['-s', '-C', kernel.headers, `M=${build}`, 'modules']);
  run('strip', ['--strip-debug', join(build, `${MODULE}.ko`)]);
  return readFileSync(join(build, `${MODULE}.ko`));
};

/** The file system of a guest that performs `script`, one command a line. Needs gcc and make. */
export const buildInitramfs = (kernel: DebianKernel, script: readonly string[]): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-linux-'));
  const file = (
    name: string,
    bytes: Uint8Array,
  ): { name: string; executable: boolean; bytes: Uint8Array } => ({
    name,
    executable: name === 'init',
    bytes,
  });
  try {
    return encodeInitramfs([
      file('init', compileInit(folder)),
      file('efivarfs.ko', readFileSync(kernel.efivarfs)),
      file('capsule-loader.ko', readFileSync(kernel.capsuleLoader)),
      file(`${MODULE}.ko`, compileModule(kernel, folder)),
      file('script', Buffer.from(script.map((line) => `${line}\n`).join(''), 'latin1')),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
