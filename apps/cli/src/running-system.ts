/** A system for a command: firmware found, booted (or taken from the cache), and the EFI layer brought up on it. */
import { trapStub, watchTrap } from '@systab/platform-baremetal';
import type { TrapWatch } from '@systab/platform-baremetal';
import { describeEnd } from './boot-report.ts';
import type { CacheUse } from './boot-report.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { loadFirmware } from './firmware-files.ts';
import type { FirmwareFiles } from './firmware-files.ts';
import { runFirmware } from './firmware-run.ts';
import { machineOptions } from './machine-options.ts';
import type { MachineChoice } from './machine-options.ts';
import { takeOver, TakeOverError } from './system.ts';
import type { KernelOptions, System } from './system.ts';
import type { Terminal } from './terminal.ts';
import { placeOfEnd } from './verdict/verdict.ts';

/** What every command that needs a running system can be told. */
export interface SystemCommandOptions extends MachineChoice {
  readonly firmware: string;
  readonly code?: string;
  readonly vars?: string;
  readonly check: boolean;
  /** The kernel's command line. */
  readonly append?: string;
  /** Words of its `efi=` option. */
  readonly efi?: string | true;
  readonly budget?: number;
  readonly cache: boolean;
}

/** A system, and what it took to get there. */
export interface RunningSystem {
  readonly system: System;
  readonly files: FirmwareFiles;
  readonly cacheUse: CacheUse;
  /** Wall seconds of the firmware's boot and of the kernel's initialisation, in this process. */
  readonly firmwareSeconds: number;
  readonly kernelSeconds: number;
}

/** Ten times what OVMF takes. */
const BOOT_BUDGET = 10e9;

const commandLineOf = ({ append, efi }: SystemCommandOptions): string =>
  [append ?? '', typeof efi === 'string' ? `efi=${efi}` : '']
    .filter((word) => word !== '')
    .join(' ');

/** Boots and takes over. Throws a CliError that says where the firmware stopped when it starts no operating system. */
export const startSystem = async (
  terminal: Terminal,
  json: boolean,
  options: SystemCommandOptions,
  kernelOptions: KernelOptions = {},
): Promise<RunningSystem> => {
  const files = loadFirmware({
    firmware: options.firmware,
    ...(options.code === undefined ? {} : { code: options.code }),
    ...(options.vars === undefined ? {} : { vars: options.vars }),
    unchecked: !options.check,
  });
  const { code, width } = files;
  const began = performance.now();
  let watch: TrapWatch | undefined;
  const { pc, run, end, cacheUse } = await runFirmware({
    terminal,
    showSerial: false,
    note: (text) => (json ? undefined : terminal.err(`systab: ${text}\n`)),
    script: {
      until: undefined,
      lines: [],
      interactive: false,
      budget: options.budget ?? BOOT_BUDGET,
      reboot: true,
    },
    machine: {
      ...machineOptions(options, files),
      kernel: { kernel: trapStub(width), cmdline: commandLineOf(options) },
    },
    disks: [],
    cache: options.cache,
    atKernel: () => watch?.waiting() === true,
    onMachine: (made) => {
      watch = watchTrap(made.machine);
    },
  });
  watch?.end();
  if (end.kind !== 'kernel') {
    const exitCode = end.kind === 'budget' ? exitCodes.budgetUsedUp : exitCodes.firmwareFault;
    const verdict = describeEnd(end, placeOfEnd({ pc, run }));
    throw new CliError(code.path, `it started no operating system: ${verdict}`, exitCode);
  }
  const booted = performance.now();
  try {
    const system = takeOver(pc, kernelOptions);
    return {
      system,
      files,
      cacheUse,
      firmwareSeconds: (booted - began) / 1e3,
      kernelSeconds: (performance.now() - booted) / 1e3,
    };
  } catch (error) {
    if (!(error instanceof TakeOverError)) throw error;
    throw new CliError(code.path, error.message, exitCodes.firmwareFault);
  }
};
