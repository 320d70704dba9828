/** The composition root: firmware, machine, platform and the EFI layer put together. The command uses it, and so do library users. */
import { readFileSync } from 'node:fs';
import { bindPlatform, formatEfiStatus, selectPlatform } from '@systab/efi-core';
import type { BoundPlatform, Efi, PlatformBackend, Width } from '@systab/efi-core';
import { initEfi } from '@systab/efi-init';
import type { E820Entry, EfiInitReport, LogLine } from '@systab/efi-init';
import { createEfiRuntime } from '@systab/efi-runtime';
import type { EfiRuntime } from '@systab/efi-runtime';
import {
  createBareMetalBackend,
  enterBootPhase,
  enterWithoutEfi,
  referenceFirmware,
  startFirmware,
  trapStub,
} from '@systab/platform-baremetal';
import type { CallOptions, CallRecord, Kernel } from '@systab/platform-baremetal';
import { PcMachine } from '@systab/x86-emu';
import type { PcMachineOptions } from '@systab/x86-emu';
import { handOver } from './hand-over.ts';

/** How the kernel side is to run. */
export interface KernelOptions {
  /** Hears each line of the kernel log as it comes. */
  readonly onLog?: (line: LogLine) => void;
  /** Hears of each call into the firmware. */
  readonly onCall?: (call: CallRecord) => void;
  /** Most instructions of one call; default 500 million. */
  readonly callBudget?: number;
}

/** An operating system's EFI side on a machine. */
export interface System {
  readonly pc: PcMachine;
  /** What the firmware passed as load options, which the kernel took as its command line. */
  readonly commandLine: string;
  readonly platform: BoundPlatform;
  readonly init: EfiInitReport;
  readonly efi: Efi;
  readonly runtime: EfiRuntime;
}

/** The firmware did not let go of the machine; the message says where it stopped. */
export class TakeOverError extends Error {
  override readonly name = 'TakeOverError';
}

/** Selects a platform, binds it, and brings the EFI layer up on it. Throws `Error` when no candidate fits. */
export const bringUp = (
  pc: PcMachine,
  candidates: readonly PlatformBackend[],
  commandLine: string,
  { onLog }: KernelOptions = {},
  e820?: readonly E820Entry[],
): System => {
  const selected = selectPlatform(candidates);
  if (!selected.ok) throw new Error(`no platform: ${selected.error.kind}`);
  const platform = bindPlatform(selected.value.backend);
  const init = initEfi(platform, {
    commandLine,
    ...(e820 === undefined ? {} : { e820 }),
    ...(onLog === undefined ? {} : { listen: onLog }),
  });
  const { efi } = init;
  const runtime = createEfiRuntime(efi, platform, {
    warn: (text) => onLog?.({ level: 'warn', text }),
    storageParanoia: init.commandLine.storageParanoia,
  });
  return Object.freeze<System>({ pc, commandLine, platform, init, efi, runtime });
};

const callOptions = ({ onCall, callBudget }: KernelOptions): CallOptions => ({
  ...(onCall === undefined ? {} : { onCall }),
  ...(callBudget === undefined ? {} : { budget: callBudget }),
});

/** Bare metal, found through the zero page that the boot stub left. */
const bringUpBareMetal = (
  pc: PcMachine,
  kernel: Kernel,
  commandLine: string,
  options: KernelOptions,
): System => {
  const { backend, e820 } = handOver(kernel, createBareMetalBackend(kernel, callOptions(options)));
  return bringUp(pc, [backend], commandLine, options, e820);
};

/** Brings the EFI layer up on a machine in which the firmware has just started the trap stub. Throws `TakeOverError`. */
export const takeOver = (pc: PcMachine, options: KernelOptions = {}): System => {
  const boot = enterBootPhase(pc.machine, callOptions(options));
  const commandLine = boot.commandLine();
  const kernel = boot.exit();
  if (!kernel.ok) {
    const why = kernel.why ?? formatEfiStatus(kernel.status);
    throw new TakeOverError(`the boot services did not end: ${why}`);
  }
  return bringUpBareMetal(pc, kernel.value, commandLine.ok ? commandLine.value : '', options);
};

/** The same on a machine that no EFI firmware booted. Throws `TakeOverError` when it is too small. */
export const takeOverWithoutEfi = (
  pc: PcMachine,
  commandLine = '',
  options: KernelOptions = {},
): System => {
  const kernel = enterWithoutEfi(pc.machine);
  if (!kernel.ok) throw new TakeOverError(kernel.why ?? formatEfiStatus(kernel.status));
  return bringUpBareMetal(pc, kernel.value, commandLine, options);
};

/** Flash images of a firmware, and its width. */
export interface SystemFirmware {
  readonly code: Uint8Array;
  /** Absent when `code` is an image with both. */
  readonly variables?: Uint8Array;
  /** Default 64. */
  readonly width?: Width;
}

/** What to boot. */
export interface SystemOptions extends KernelOptions {
  /** Default `reference`: our own 64-bit firmware; `reference32` is its 32-bit twin. */
  readonly firmware?: 'reference' | 'reference32' | SystemFirmware;
  /** The kernel's command line, for instance `efi=debug`. */
  readonly commandLine?: string;
  /** Anything else about the machine. */
  readonly machine?: Omit<PcMachineOptions, 'flash' | 'kernel'>;
}

const imagesOf = (firmware: SystemOptions['firmware']): SystemFirmware => {
  if (typeof firmware === 'object') return firmware;
  const width = firmware === 'reference32' ? 32 : 64;
  const { code, variables } = referenceFirmware[width];
  return { code: readFileSync(code), variables: variables(), width };
};

/**
 * Boots a firmware and brings the EFI layer up on it: one call, synchronous. Throws `TakeOverError` when the firmware does not
 * come to start an operating system.
 */
export const bootSystem = (options: SystemOptions = {}): System => {
  const { code, variables, width = 64 } = imagesOf(options.firmware);
  const pc = new PcMachine({
    ...options.machine,
    flash:
      variables === undefined
        ? [{ image: code, readOnly: false }]
        : [
            { image: code, readOnly: true },
            { image: variables, readOnly: false },
          ],
    kernel: { kernel: trapStub(width), cmdline: options.commandLine ?? '' },
  });
  const boot = startFirmware(pc);
  if (!boot.ok) {
    throw new TakeOverError(
      `the firmware ended with ${boot.error.kind} at 0x${pc.machine.rip.toString(16)}, before it started an operating system`,
    );
  }
  return takeOver(pc, options);
};
