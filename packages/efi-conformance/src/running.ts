import type { BoundPlatform, Efi, EfiRuntimeOps } from '@systab/efi-core';
import { initEfi } from '@systab/efi-init';
import type { EfiInitReport } from '@systab/efi-init';
import { createEfiRuntime } from '@systab/efi-runtime';
import type { EfiRuntime } from '@systab/efi-runtime';
import type { System } from './system.ts';

/** A system with the generic layer on it, as it is: initialised, the runtime half on top. */
export interface Running {
  readonly system: System;
  readonly tables: BoundPlatform;
  readonly report: EfiInitReport;
  readonly efi: Efi;
  readonly runtime: EfiRuntime;
  /** The runtime services, guarded. */
  readonly services: EfiRuntimeOps;
  /** The kernel log so far, of both halves. */
  readonly log: readonly string[];
  /** The layer once more on the machine after its reset. Throws where the platform cannot be rebooted. */
  readonly reboot: () => Running;
}

/** Brings the generic layer up on a system. */
export const start = (system: System, commandLine = ''): Running => {
  const { tables } = system;
  const log: string[] = [];
  const report = initEfi(tables, { commandLine, listen: ({ text }) => log.push(text) });
  const { efi } = report;
  const runtime = createEfiRuntime(efi, tables, {
    storageParanoia: report.commandLine.storageParanoia,
    warn: (line) => log.push(line),
  });
  const { services } = runtime;
  const reboot = (): Running => {
    if (system.reboot === undefined) throw new Error('this platform cannot be rebooted');
    return start(system.reboot(), commandLine);
  };
  return { system, tables, report, efi, runtime, services, log, reboot };
};
