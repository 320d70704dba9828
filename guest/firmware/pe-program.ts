// Guest programs that are PE images: UEFI applications and runtime drivers, built with clang and lld alone.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Word size of firmware and of what it runs. */
export type FirmwareArchitecture = 'x64' | 'ia32';

/** What to build. */
export interface PeProgram {
  readonly architecture: FirmwareArchitecture;
  readonly subsystem: 'efi_application' | 'efi_runtime_driver';
  /** C name of the entry point. */
  readonly entry: string;
  readonly sources: readonly string[];
  readonly includes: readonly string[];
}

const TARGETS: Readonly<Record<FirmwareArchitecture, readonly string[]>> = {
  x64: ['--target=x86_64-unknown-windows', '-march=x86-64', '-mno-red-zone'],
  ia32: ['--target=i686-unknown-windows', '-march=i686'],
};

const COMPILE_FLAGS = [
  '-std=c17',
  '-Os',
  '-ffreestanding',
  '-mgeneral-regs-only',
  '-mno-stack-arg-probe',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-vectorize',
  '-fno-slp-vectorize',
  '-fno-jump-tables',
  '-fno-ident',
  '-Wall',
  '-Wextra',
  '-Werror',
] as const;

const LINK_FLAGS = [
  '/nologo',
  '/nodefaultlib',
  '/dynamicbase',
  '/base:0',
  '/Brepro',
  '/filealign:512',
  '/opt:ref',
  '/safeseh:no',
] as const;

/** Compiles and links `program`. */
export const buildPe = (program: PeProgram): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-pe-'));
  try {
    const objects = program.sources.map((source, index) => {
      const object = join(folder, `${index}-${basename(source)}.obj`);
      execFileSync('clang', [
        ...TARGETS[program.architecture],
        ...COMPILE_FLAGS,
        ...program.includes.map((include) => `-I${include}`),
        '-c',
        source,
        '-o',
        object,
      ]);
      return object;
    });
    const image = join(folder, 'program.efi');
    execFileSync('lld-link', [
      ...LINK_FLAGS,
      `/machine:${program.architecture === 'x64' ? 'x64' : 'x86'}`,
      `/subsystem:${program.subsystem}`,
      `/entry:${program.entry}`,
      `/out:${image}`,
      ...objects,
    ]);
    return new Uint8Array(readFileSync(image));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
