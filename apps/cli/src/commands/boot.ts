import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import {
  createDiskImage,
  DEFAULT_PROFILE,
  PcMachine,
  QEMU64_PROFILE,
  SECTOR_SIZE,
} from '@systab/x86-emu';
import type { DiskImage, PcMachineOptions } from '@systab/x86-emu';
import { BootCache, cacheFolder, cacheKey, sha256 } from '../boot-cache.ts';
import type { CachedBoot } from '../boot-cache.ts';
import { BootPhases } from '../boot-phases.ts';
import type { Moment } from '../boot-phases.ts';
import { describeEnd, ProgressLine, showSummary } from '../boot-report.ts';
import type { BootReport, CacheUse } from '../boot-report.ts';
import { BootRun } from '../boot-run.ts';
import type { BootEnd, BootScript } from '../boot-run.ts';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { loadFirmware, readInput } from '../firmware-files.ts';
import type { FirmwareFiles } from '../firmware-files.ts';
import { replaceFile } from '../flash-file.ts';
import { BootProfiler } from '../profile/boot-profile.ts';
import type { BootProfile } from '../profile/boot-profile.ts';
import { chromeTrace } from '../profile/chrome-trace.ts';
import { writeBytes } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';

/** The options of `systab boot`, as the command line gives them. */
export interface BootOptions {
  readonly firmware: string;
  readonly code?: string;
  readonly vars?: string;
  readonly writeVars: boolean;
  readonly check: boolean;
  /** Bytes. */
  readonly memory: number;
  readonly cpu: 'default' | 'qemu64';
  readonly kernel?: string;
  readonly append?: string;
  readonly initrd?: string;
  readonly disk: readonly string[];
  readonly serial: 'none' | 'stdio';
  readonly type: readonly string[];
  readonly until?: string;
  readonly budget?: number;
  readonly reboot: boolean;
  readonly cache: boolean;
  readonly profile: boolean;
  /** A file for the profile as a Chrome trace; asks for a profile, too. */
  readonly profileTrace?: string;
}

const FOUR_GIB = 2 ** 32;
/** Ten times what a boot of OVMF to the shell takes; somebody who types sets the end. */
const DEFAULT_BUDGET = 10e9;
/** Larger disks are not hashed, so boots with them are not cached. */
const LARGEST_CACHED_DISKS = 512 * 2 ** 20;

interface Disk {
  readonly image: DiskImage;
  readonly bytes: number;
  readonly hash: () => string;
  readonly close: () => void;
}

/** A disk image that is read as the guest asks for it and never written. */
const openDisk = (path: string): Disk => {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new CliError(
      path,
      `the disk image cannot be opened (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  const stat = fstatSync(file);
  if (!stat.isFile() || stat.size === 0) {
    closeSync(file);
    throw new CliError(path, 'a disk image is a file with at least one sector of 512 bytes');
  }
  const read = (lba: number, count: number): Uint8Array => {
    const bytes = new Uint8Array(count * SECTOR_SIZE);
    for (let at = 0; at < bytes.length;) {
      const got = readSync(file, bytes, at, bytes.length - at, lba * SECTOR_SIZE + at);
      if (got === 0) break;
      at += got;
    }
    return bytes;
  };
  const sectors = Math.ceil(stat.size / SECTOR_SIZE);
  return {
    image: createDiskImage({ sectors, read }),
    bytes: stat.size,
    hash: () => sha256(read(0, sectors)),
    close: () => closeSync(file),
  };
};

/** The machine's options but for what differs from run to run. */
const pcOptions = (
  options: BootOptions,
  { code, vars }: FirmwareFiles,
  disks: readonly Disk[],
): PcMachineOptions => {
  const { kernel, initrd, append } = options;
  if (kernel === undefined && (initrd !== undefined || append !== undefined))
    throw new CliError(initrd === undefined ? '--append' : '--initrd', 'needs --kernel <file>');
  return {
    memory: options.memory,
    // The first chip ends at 4 GiB, so the variables stand below the code. A combined image holds variables: writable.
    flash: vars
      ? [
          { image: code.bytes, readOnly: true },
          { image: vars.bytes, readOnly: false },
        ]
      : [{ image: code.bytes, readOnly: false }],
    profile: options.cpu === 'qemu64' ? QEMU64_PROFILE : DEFAULT_PROFILE,
    unassignedReads: options.cpu === 'qemu64' ? 'zeros' : 'ones',
    disks: disks.map(({ image }) => image),
    ...(kernel === undefined
      ? {}
      : {
          kernel: {
            kernel: readInput(kernel),
            ...(initrd === undefined ? {} : { initrd: readInput(initrd) }),
            ...(append === undefined ? {} : { cmdline: append }),
          },
        }),
  };
};

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

const jsonOfBigints = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

/** The entries that a boot may start from, the latest state first. */
interface CacheKeys {
  /** The first prompt of the shell. */
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

const exitCodeOf = (end: BootEnd, { until }: BootScript): ExitCode => {
  switch (end.kind) {
    case 'prompt':
    case 'until':
    case 'session':
      return exitCodes.ok;
    case 'shutdown':
      // Whoever waits for a text did not get it.
      return until === undefined ? exitCodes.ok : exitCodes.findings;
    case 'budget':
      return exitCodes.budgetUsedUp;
    default:
      return exitCodes.firmwareFault;
  }
};

/** Puts the variables back where they came from, when that was asked for and they changed. */
const writeVariables = (files: FirmwareFiles, pc: PcMachine): boolean => {
  const { path, bytes } = files.vars ?? files.code;
  const contents = pc.flashContents(files.vars ? 1 : 0);
  if (Buffer.compare(contents, bytes) === 0) return false;
  if (Buffer.compare(readInput(path), bytes) !== 0)
    throw new CliError(path, 'somebody else changed it while the guest ran: it is left as it is');
  replaceFile(path, contents);
  return true;
};

const hexBytes = (bytes: Uint8Array): string =>
  bytes.length === 0 ? 'none is mapped' : Buffer.from(bytes.subarray(0, 8)).toString('hex');

const finishProfile = async (
  profiler: BootProfiler,
  run: BootRun,
  { instructions, wall }: Moment,
  trace: string | undefined,
): Promise<BootProfile> => {
  const { marks } = run.phases;
  const { reset } = run;
  const finished = await profiler.finish({ marks, reset, end: reset + wall, instructions });
  if (trace !== undefined) {
    try {
      writeFileSync(trace, JSON.stringify(chromeTrace(finished)));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      throw new CliError(trace, `the trace cannot be written (${code})`);
    }
  }
  return finished.profile;
};

/**
 * Boots firmware from the reset vector, or from where an equal boot settled before; shows what the guest sends, and a summary.
 * @returns the exit code: what the end of the boot means.
 */
export const boot = async (
  terminal: Terminal,
  json: boolean,
  options: BootOptions,
): Promise<ExitCode> => {
  const files = loadFirmware({
    firmware: options.firmware,
    ...(options.code === undefined ? {} : { code: options.code }),
    ...(options.vars === undefined ? {} : { vars: options.vars }),
    unchecked: !options.check,
  });
  if (options.writeVars && files.template)
    throw new CliError(
      '--write-vars',
      `needs --vars <file>: ${files.vars?.path ?? ''} is the system's template; copy it first`,
    );
  const disks = options.disk.map(openDisk);
  try {
    return await bootMachine(terminal, json, options, files, disks);
  } finally {
    for (const disk of disks) disk.close();
  }
};

const bootMachine = async (
  terminal: Terminal,
  json: boolean,
  options: BootOptions,
  files: FirmwareFiles,
  disks: readonly Disk[],
): Promise<ExitCode> => {
  const interactive = options.serial === 'stdio';
  const script: BootScript = {
    until: options.until,
    lines: options.type,
    interactive,
    budget: options.budget ?? (interactive ? Infinity : DEFAULT_BUDGET),
    reboot: options.reboot,
  };
  const machineOptions = pcOptions(options, files, disks);
  const note = (text: string): void => (json ? undefined : terminal.err(`systab: ${text}\n`));
  const began = performance.now();
  const profiler =
    options.profile || options.profileTrace !== undefined ? await BootProfiler.start() : undefined;

  // What a profile is of is the boot, not the way around it.
  const cacheable =
    options.cache &&
    !profiler &&
    disks.reduce((sum, { bytes }) => sum + bytes, 0) <= LARGEST_CACHED_DISKS;
  const cache = cacheable ? new BootCache(cacheFolder()) : undefined;
  let keys: CacheKeys | undefined;
  let cached: CacheHit | undefined;
  if (cache) {
    keys = cacheKeys(cacheInputs(machineOptions, disks), script.until);
    cached = lookUp(cache, keys, script.until, note);
  }

  let run: BootRun | undefined;
  const pc = createPc(machineOptions, (byte) => run?.receive(byte));
  profiler?.watch(pc);
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
        if (!json) writeBytes(terminal, bytes);
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
  const stopInput = interactive
    ? terminal.input?.(
        (bytes) => session.type(bytes),
        () => session.leave(),
      )
    : undefined;
  let end: BootEnd;
  try {
    end = await run.run();
  } finally {
    stopInput?.();
    progress.erase();
  }

  const wallSeconds = (performance.now() - began) / 1e3;
  const ended = run.moment;
  const profile = profiler && (await finishProfile(profiler, run, ended, options.profileTrace));
  const { machine } = pc;
  const report: BootReport = {
    end,
    verdict: describeEnd(end, run.address, hexBytes(machine.codeBytes())),
    firmware: { code: files.code.path, vars: files.vars?.path ?? null },
    phases: run.phases.report(ended),
    instructions: machine.retired,
    virtualSeconds: machine.clock.now() / 1e9,
    wallSeconds,
    mips: run.executed / 1e6 / wallSeconds,
    traceHash: machine.traceHash,
    cache: cacheUse,
    ...(profile ? { profile } : {}),
    serial: Buffer.from(run.serial).toString('latin1'),
  };
  if (json) terminal.out(`${JSON.stringify(report, jsonOfBigints)}\n`);
  else showSummary(terminal, report);
  if (options.writeVars && writeVariables(files, pc))
    note(`variables written to ${(files.vars ?? files.code).path}`);
  return exitCodeOf(end, script);
};
