/**
 * Snapshots of booted machines, so that the next boot of the same firmware on the same machine starts where the first one settled. An entry's
 * name is the hash of everything that the boot depends on; its contents are checked, and what does not fit is made anew.
 */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { SnapshotError, snapshotFromBytes, snapshotToBytes } from '@systab/x86-emu';
import type { SnapshotContents, StateObject } from '@systab/x86-emu';
import { BOOT_PHASES } from './boot-phases.ts';
import type { PhaseMark } from './boot-phases.ts';

/** A settled boot. */
export interface CachedBoot {
  readonly snapshot: SnapshotContents;
  readonly serial: Uint8Array;
  readonly marks: readonly PhaseMark[];
  /** Wall milliseconds that the boot took. */
  readonly wall: number;
}

/** What became of a look into the cache. */
export type CacheLookup =
  | { readonly found: true; readonly boot: CachedBoot }
  /** `reason`: why an entry that exists is of no use. */
  | { readonly found: false; readonly reason?: string };

/** Layout of an entry; part of the key. */
const FORMAT = 1;
const SUFFIX = '.snapshot';
/** Entries of a 256 MiB machine have about 40 MB. The ones not used for longest go first. */
const CAPACITY = 512 * 2 ** 20;

/** Where entries stand: XDG Base Directory Specification. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string => {
  const base = env['XDG_CACHE_HOME'];
  // The specification asks to ignore relative paths.
  const root = base?.startsWith('/') === true ? base : join(homedir(), '.cache');
  return join(root, 'systab', 'boot');
};

/** SHA-256 of bytes, in hex. */
export const sha256 = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

let version: string | undefined;

/** Hash of the emulator's own files: a version that also tells apart what a developer changed since. */
const emulatorVersion = (): string => (version ??= hashEmulator());

const hashEmulator = (): string => {
  const folder = dirname(createRequire(import.meta.url).resolve('@systab/x86-emu'));
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .toSorted();
  for (const name of files) hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
};

/** Name of the entry for a boot whose outcome depends on `inputs` (plain values; the order of members counts). */
export const cacheKey = (inputs: Readonly<Record<string, unknown>>): string =>
  sha256(
    new TextEncoder().encode(
      JSON.stringify({ format: FORMAT, emulator: emulatorVersion(), ...inputs }),
    ),
  );

const packMark = ({ phase, instructions, virtual, wall }: PhaseMark): StateObject => ({
  phase,
  instructions,
  virtual,
  wall,
});

const unpackMark = (state: StateObject): PhaseMark => {
  const phase = BOOT_PHASES.find((name) => name === state['phase']);
  if (!phase) throw new SnapshotError('its boot phase is unknown');
  return {
    phase,
    instructions: Number(state['instructions']),
    virtual: Number(state['virtual']),
    wall: Number(state['wall']),
  };
};

/** Changes what the cache may do without: a folder that cannot be written is a cache that cannot be used, no more. */
const attempt = (change: () => void): void => {
  try {
    change();
  } catch {
    // The entry stays as it is.
  }
};

export class BootCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(key: string): string {
    return join(this.#folder, key + SUFFIX);
  }

  /** Looks an entry up. One that is damaged or not what its name says is removed. */
  read(key: string): CacheLookup {
    const path = this.path(key);
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch {
      return { found: false };
    }
    try {
      const snapshot = snapshotFromBytes(bytes, crc32);
      const boot = snapshot.machine['boot'] as StateObject | undefined;
      if (boot?.['key'] !== key) throw new SnapshotError('it belongs to another boot');
      const now = new Date();
      attempt(() => utimesSync(path, now, now));
      return {
        found: true,
        boot: {
          snapshot,
          serial: boot['serial'] as Uint8Array,
          marks: (boot['marks'] as readonly StateObject[]).map(unpackMark),
          wall: Number(boot['wall']),
        },
      };
    } catch (error) {
      attempt(() => rmSync(path, { force: true }));
      return { found: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Stores an entry; gives the reason if that is not possible (no space, no rights): a boot does not fail for it. */
  write(key: string, { snapshot, serial, marks, wall }: CachedBoot): string | undefined {
    const path = this.path(key);
    const temporary = `${path}.${process.pid}`;
    try {
      mkdirSync(this.#folder, { recursive: true });
      const boot = { key, serial, marks: marks.map(packMark), wall };
      writeFileSync(
        temporary,
        snapshotToBytes({ ...snapshot, machine: { ...snapshot.machine, boot } }, crc32),
      );
      renameSync(temporary, path);
      this.#prune(path);
      return undefined;
    } catch (error) {
      attempt(() => rmSync(temporary, { force: true }));
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Removes what exceeds the capacity, but never `kept`. */
  #prune(kept: string): void {
    const entries = readdirSync(this.#folder)
      .map((name) => join(this.#folder, name))
      .filter((path) => path !== kept)
      .map((path) => ({ path, stat: statSync(path) }))
      .toSorted((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
    let total = statSync(kept).size;
    for (const { path, stat } of entries) {
      total += stat.size;
      if (total > CAPACITY) rmSync(path, { force: true });
    }
  }
}
