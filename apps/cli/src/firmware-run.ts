/** Firmware on a machine: from the reset vector, or from where an equal boot was stored; with the cache kept up to date. */
import { PcMachine } from '@systab/x86-emu';
import type { PcMachineOptions } from '@systab/x86-emu';
import { BootCache, cacheFolder, cacheKey, sha256 } from './boot-cache.ts';
import type { CachedBoot } from './boot-cache.ts';
import { BootPhases } from './boot-phases.ts';
import { ProgressLine } from './boot-report.ts';
import type { CacheUse } from './boot-report.ts';
import { BootRun } from './boot-run.ts';
import type { BootEnd, BootScript } from './boot-run.ts';
import { CliError } from './cli-error.ts';
import type { Disk } from './disk-file.ts';
import { writeBytes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const FOUR_GIB = 2 ** 32;
/** Larger disks are not hashed, so boots with them are not cached. */
const LARGEST_CACHED_DISKS = 512 * 2 ** 20;

/** A machine that cannot be made of these options: they are at fault, not the program. */
const createPc = (options: PcMachineOptions, onSerial: (byte: number) => void): PcMachine => {
  try {
    return new PcMachine({ ...options, onSerial });
  } catch (error) {
    if (error instanceof Error) throw new CliError('machine', error.message);
    throw error;
  }
};

/** Everything that decides how a boot goes, up to where it settles. */
const cacheInputs = (
  options: PcMachineOptions,
  disks: readonly Disk[],
): Readonly<Record<string, unknown>> => ({
  memory: options.memory,
  profile: options.profile?.name,
  unassignedReads: options.unassignedReads,
  flash: options.flash.map(({ image, readOnly }) => [sha256(image), readOnly]),
  kernel: options.kernel && [
    sha256(options.kernel.kernel),
    options.kernel.initrd && sha256(options.kernel.initrd),
    options.kernel.cmdline,
  ],
  disks: disks.map(({ hash }) => hash()),
});

/** The entries that a boot may start from, the latest state first. */
interface CacheKeys {
  /** The first prompt of the shell, or the operating system's first instruction. */
  readonly prompt: string;
  /** The text that ends the boot before any prompt. */
  readonly text: string | undefined;
  /** Where the firmware asks for the kernel: the same for all kernels. */
  readonly kernel: string | undefined;
}

const cacheKeys = (
  { kernel, ...inputs }: Readonly<Record<string, unknown>>,
  until: string | undefined,
): CacheKeys => ({
  prompt: cacheKey({ ...inputs, kernel }),
  text: until === undefined ? undefined : cacheKey({ ...inputs, kernel, until }),
  kernel: kernel === undefined ? undefined : cacheKey({ ...inputs, before: 'kernel' }),
});

interface CacheHit {
  readonly key: string;
  readonly boot: CachedBoot;
}

const contains = (serial: Uint8Array, text: string): boolean =>
  Buffer.from(serial).includes(Buffer.from(text));

const lookUp = (
  cache: BootCache,
  keys: CacheKeys,
  until: string | undefined,
  note: (text: string) => void,
): CacheHit | undefined => {
  for (const key of [keys.prompt, keys.text, keys.kernel]) {
    if (key === undefined) continue;
    const lookup = cache.read(key);
    if (!lookup.found) {
      if (lookup.reason !== undefined) note(`cache entry dropped: ${lookup.reason}`);
    } else if (key === keys.text || until === undefined || !contains(lookup.boot.serial, until)) {
      return { key, boot: lookup.boot };
    }
  }
  return undefined;
};

/** What to run, and who hears of it. */
export interface FirmwareRunOptions {
  readonly terminal: Terminal;
  /** Whether standard output is the guest's serial line. */
  readonly showSerial: boolean;
  readonly note: (text: string) => void;
  readonly script: BootScript;
  readonly machine: PcMachineOptions;
  readonly disks: readonly Disk[];
  /** Whether to use the cache. */
  readonly cache: boolean;
  /** Whether the machine stands where the operating system takes over: there the run ends, and a later boot can start. */
  readonly atKernel?: () => boolean;
  /** The machine before it runs. */
  readonly onMachine?: (pc: PcMachine) => void;
}

/** A run that has ended. */
export interface FirmwareRun {
  readonly pc: PcMachine;
  readonly run: BootRun;
  readonly end: BootEnd;
  readonly cacheUse: CacheUse;
  /** Another machine, as this one was when the run began. */
  readonly twin: () => PcMachine;
}

/** Runs firmware until the script or the guest ends it. */
export const runFirmware = async ({
  terminal,
  showSerial,
  note,
  script,
  machine: machineOptions,
  disks,
  cache: useCache,
  atKernel,
  onMachine,
}: FirmwareRunOptions): Promise<FirmwareRun> => {
  const cacheable =
    useCache && disks.reduce((sum, { bytes }) => sum + bytes, 0) <= LARGEST_CACHED_DISKS;
  const cache = cacheable ? new BootCache(cacheFolder()) : undefined;
  let keys: CacheKeys | undefined;
  let cached: CacheHit | undefined;
  if (cache) {
    keys = cacheKeys(cacheInputs(machineOptions, disks), script.until);
    cached = lookUp(cache, keys, script.until, note);
  }

  let run: BootRun | undefined;
  const pc = createPc(machineOptions, (byte) => run?.receive(byte));
  onMachine?.(pc);
  if (cached) pc.machine.restore(cached.boot.snapshot);
  let cacheUse: CacheUse = cached ? 'hit' : cache ? 'not stored' : 'off';
  const store = (current: BootRun, key: string | undefined): void => {
    if (!cache || key === undefined) return;
    const failed = cache.write(key, {
      snapshot: pc.machine.snapshot(),
      serial: current.serial,
      marks: current.phases.marks,
      wall: current.moment.wall,
    });
    if (failed === undefined) cacheUse = 'stored';
    else note(`nothing stored in the cache: ${failed}`);
  };
  const progress = new ProgressLine(terminal);
  const flashBase =
    FOUR_GIB - machineOptions.flash.reduce((sum, { image }) => sum + image.length, 0);
  run = new BootRun(
    pc,
    flashBase,
    script,
    {
      onSerial: (bytes) => {
        progress.erase();
        if (showSerial) writeBytes(terminal, bytes);
      },
      onProgress: (current) => progress.show(current),
      ...(keys?.kernel === undefined || cached
        ? {}
        : { onKernel: (current) => store(current, keys.kernel) }),
      onSettled: (current) =>
        store(current, current.phases.current === 'shell' ? keys?.prompt : keys?.text),
    },
    cached && {
      phases: new BootPhases(flashBase, cached.boot.marks),
      serial: cached.boot.serial,
      wall: cached.boot.wall,
      settled: cached.key !== keys?.kernel,
    },
  );
  const session = run;
  const stopInput = script.interactive
    ? terminal.input?.(
        (bytes) => session.type(bytes),
        () => session.leave(),
      )
    : undefined;
  let end: BootEnd;
  try {
    end = atKernel?.() === true ? { kind: 'kernel' } : await run.run();
  } finally {
    stopInput?.();
    progress.erase();
  }
  if (end.kind === 'exception' && atKernel?.() === true) {
    end = { kind: 'kernel' };
    store(run, keys?.prompt);
  }
  const twin = (): PcMachine => {
    const made = createPc(
      { ...machineOptions, disks: disks.map(({ create }) => create()) },
      () => {},
    );
    if (cached) made.machine.restore(cached.boot.snapshot);
    return made;
  };
  return { pc, run, end, cacheUse, twin };
};
