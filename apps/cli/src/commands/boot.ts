import { writeFileSync } from 'node:fs';
import type { PcMachine, PcMachineOptions } from '@systab/x86-emu';
import type { Moment } from '../boot-phases.ts';
import { describeEnd, showSummary } from '../boot-report.ts';
import type { BootReport } from '../boot-report.ts';
import type { BootEnd, BootRun, BootScript } from '../boot-run.ts';
import { CliError } from '../cli-error.ts';
import { openDisk } from '../disk-file.ts';
import type { Disk } from '../disk-file.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { isReference, loadFirmware } from '../firmware-files.ts';
import type { FirmwareFiles, FirmwareRequest } from '../firmware-files.ts';
import { readInput } from '../input-file.ts';
import { runFirmware } from '../firmware-run.ts';
import { replaceUnchanged } from '../flash-file.ts';
import { readKernel } from '../kernel-file.ts';
import { machineOptions } from '../machine-options.ts';
import { BootProfiler } from '../profile/boot-profile.ts';
import type { BootProfile } from '../profile/boot-profile.ts';
import { chromeTrace } from '../profile/chrome-trace.ts';
import type { SystemCommandOptions } from '../running-system.ts';
import type { Terminal } from '../terminal.ts';
import { knownKernel, verdictOf } from '../verdict/verdict.ts';

/** The options of `systab boot`, as the command line gives them. */
export interface BootOptions extends SystemCommandOptions {
  readonly writeVars: boolean;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly disk: readonly string[];
  readonly serial: 'none' | 'stdio';
  readonly type: readonly string[];
  readonly until?: string;
  readonly reboot: boolean;
  readonly profile: boolean;
  /** A file for the profile as a Chrome trace; asks for a profile, too. */
  readonly profileTrace?: string;
}

/** Ten times what a boot of OVMF to the shell takes; somebody who types sets the end. */
const DEFAULT_BUDGET = 10e9;

const requestOf = ({ firmware, code, vars, check }: BootOptions): FirmwareRequest => ({
  firmware,
  ...(code === undefined ? {} : { code }),
  ...(vars === undefined ? {} : { vars }),
  unchecked: !check,
});

/** The machine's options but for what differs from run to run. */
const pcOptions = (
  options: BootOptions,
  files: FirmwareFiles,
  disks: readonly Disk[],
): PcMachineOptions => {
  const { kernel, initrd, append } = options;
  if (kernel === undefined && (initrd !== undefined || append !== undefined))
    throw new CliError(initrd === undefined ? '--append' : '--initrd', 'needs --kernel <file>');
  return {
    ...machineOptions(options, files),
    disks: disks.map(({ create }) => create()),
    ...(kernel === undefined
      ? {}
      : {
          kernel: {
            kernel: readKernel(kernel, requestOf(options), files),
            ...(initrd === undefined ? {} : { initrd: readInput(initrd) }),
            ...(append === undefined ? {} : { cmdline: append }),
          },
        }),
  };
};

const jsonOfBigints = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

const exitCodeOf = (end: BootEnd, { until }: BootScript): ExitCode => {
  switch (end.kind) {
    case 'prompt':
    case 'until':
    case 'session':
    case 'kernel':
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
  replaceUnchanged(path, bytes, contents);
  return true;
};

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

/** Whether the EFI layer takes the machine over: asked for, or the firmware is one that has nothing else to start. */
const takesOver = ({ efi, firmware, kernel, code }: BootOptions): boolean =>
  efi !== undefined || (isReference(firmware) && code === undefined && kernel === undefined);

/** Options that are about the firmware's own boot alone. */
const FIRMWARE_ONLY: readonly (readonly [keyof BootOptions, string])[] = [
  ['kernel', '--kernel'],
  ['initrd', '--initrd'],
  ['until', '--until'],
  ['profileTrace', '--profile-trace'],
];

const refuseFirmwareOnly = (options: BootOptions): void => {
  const given = FIRMWARE_ONLY.filter(([key]) => options[key] !== undefined).map(([, name]) => name);
  if (options.type.length > 0) given.push('--type');
  if (options.disk.length > 0) given.push('--disk');
  if (options.serial !== 'none') given.push('--serial');
  if (options.profile) given.push('--profile');
  const [first] = given;
  if (first !== undefined)
    throw new CliError(
      first,
      'the EFI layer takes the machine over: not with --efi, nor with the reference firmware alone',
    );
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
  if (takesOver(options)) {
    refuseFirmwareOnly(options);
    const { bootEfi } = await import('./boot-efi.ts');
    return await bootEfi(terminal, json, options);
  }
  const files = loadFirmware(requestOf(options));
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
  const pcMachine = pcOptions(options, files, disks);
  const note = (text: string): void => (json ? undefined : terminal.err(`systab: ${text}\n`));
  const began = performance.now();
  const profiler =
    options.profile || options.profileTrace !== undefined ? await BootProfiler.start() : undefined;

  // What a profile is of is the boot, not the way around it.
  const firmwareRun = await runFirmware({
    terminal,
    showSerial: !json,
    note,
    script,
    machine: pcMachine,
    disks,
    cache: options.cache && !profiler,
    onMachine: (made) => profiler?.watch(made),
  });
  const { pc, run, end, cacheUse } = firmwareRun;

  const wallSeconds = (performance.now() - began) / 1e3;
  const ended = run.moment;
  const profile = profiler && (await finishProfile(profiler, run, ended, options.profileTrace));
  const { machine } = pc;
  const verdict = await verdictOf(firmwareRun, knownKernel(options.kernel, pcMachine), note);
  const report: BootReport = {
    end,
    verdict: describeEnd(end, verdict),
    ...(verdict.last ? { last: verdict.last } : {}),
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
