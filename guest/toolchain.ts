// Guest programs are built with clang and lld alone, always with the same flags, so that a committed image can be
// rebuilt bit for bit. Runs on the developer's machine; nothing here ships.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The clang version the committed images were built with; another version may produce other bytes. */
export const REFERENCE_CLANG = '14.0.6';

/** Mode the C and assembly sources of one image are compiled for. */
export type GuestMode = 'real16' | 'protected32' | 'long64';

/** What to build: sources, their include folders and defines, and a linker script. */
export interface GuestProgram {
  readonly mode: GuestMode;
  readonly sources: readonly string[];
  readonly includes: readonly string[];
  readonly defines: readonly string[];
  readonly linkerScript: string;
  /** Values substituted in the linker script, name by name. */
  readonly linkerValues: Readonly<Record<string, string>>;
}

const MODE_FLAGS: Readonly<Record<GuestMode, readonly string[]>> = {
  real16: ['--target=i686-unknown-none-elf', '-m16', '-march=i686', '-DMODE16'],
  protected32: ['--target=i686-unknown-none-elf', '-march=i686', '-DMODE32'],
  long64: ['--target=x86_64-unknown-none-elf', '-march=x86-64', '-mno-red-zone', '-DMODE64'],
};

const COMMON_FLAGS = [
  '-O2',
  '-ffreestanding',
  '-fno-pic',
  '-mgeneral-regs-only',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-vectorize',
  '-fno-slp-vectorize',
  '-fcf-protection=none',
  '-fno-ident',
  '-Wall',
  '-Wextra',
  '-Werror',
] as const;

/** Version of the clang on PATH. Throws when there is none. */
export const clangVersion = (): string => {
  const text = execFileSync('clang', ['--version'], { encoding: 'utf8' });
  return /version (\S+)/.exec(text)?.[1]?.replace(/[^0-9.].*$/, '') ?? 'unknown';
};

/** Compiles and links `program`; returns its loadable contents as raw bytes, by physical address. */
export const buildGuest = (program: GuestProgram): { readonly flat: Uint8Array } => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-guest-'));
  try {
    const objects = program.sources.map((source, index) => {
      const object = join(folder, `${index}-${basename(source)}.o`);
      execFileSync('clang', [
        ...MODE_FLAGS[program.mode],
        ...COMMON_FLAGS,
        ...program.includes.map((include) => `-I${include}`),
        ...program.defines.map((define) => `-D${define}`),
        '-c',
        source,
        '-o',
        object,
      ]);
      return object;
    });
    let script = readFileSync(program.linkerScript, 'utf8');
    for (const [name, value] of Object.entries(program.linkerValues))
      script = script.replaceAll(name, value);
    const scriptFile = join(folder, 'link.ld');
    writeFileSync(scriptFile, script);
    const elf = join(folder, 'guest.elf');
    const emulation = program.mode === 'long64' ? 'elf_x86_64' : 'elf_i386';
    execFileSync('ld.lld', [
      '-m',
      emulation,
      '--build-id=none',
      '-T',
      scriptFile,
      '-o',
      elf,
      ...objects,
    ]);
    const flat = join(folder, 'guest.bin');
    execFileSync('llvm-objcopy', ['-O', 'binary', elf, flat]);
    return { flat: new Uint8Array(readFileSync(flat)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Pads `flat` with 0xff to `size` bytes. Throws if it is longer. */
export const padImage = (flat: Uint8Array, size: number): Uint8Array => {
  if (flat.length > size) throw new Error(`image of ${flat.length} bytes does not fit in ${size}`);
  const image = new Uint8Array(size).fill(0xff);
  image.set(flat);
  return image;
};

/** Writes `bytes` to `file`, or with `check` compares and returns false on a difference. */
export const commitImage = (file: string, bytes: Uint8Array, check: boolean): boolean => {
  if (!check) {
    writeFileSync(file, bytes);
    return true;
  }
  return Buffer.compare(readFileSync(file), bytes) === 0;
};
