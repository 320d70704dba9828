import type { Efi, EfiRuntimeOps, ErrnoEra, MachineOps, PlatformTables } from '@systab/efi-core';
import { createBootEntries } from './boot-entries.ts';
import type { BootEntries } from './boot-entries.ts';
import { createCapsules } from './capsules.ts';
import type { Capsules } from './capsules.ts';
import { firmwareResources } from './esrt-view.ts';
import type { FirmwareResource } from './esrt-view.ts';
import { guardMachineOps, guardRuntimeServices } from './guard.ts';
import type { Overlap, Warn } from './guard.ts';
import { createPower } from './power.ts';
import type { Power } from './power.ts';
import { createVariables } from './variables.ts';
import type { Variables } from './variables.ts';
import type { WalkLimits } from './variable-walk.ts';
import { createWallClock } from './wall-clock.ts';
import type { WallClock } from './wall-clock.ts';

/** How the runtime half behaves. */
export interface EfiRuntimeOptions {
  /** Default `never`. */
  readonly overlap?: Overlap;
  /** False is `efi_no_storage_paranoia`; default true. */
  readonly storageParanoia?: boolean;
  readonly walk?: WalkLimits;
  /** Which kernel's error numbers; default `later`. */
  readonly era?: ErrnoEra;
  /** Minutes UTC is ahead of a clock whose zone the firmware leaves unspecified; default 0. */
  readonly unspecifiedZone?: number;
  /** Receives lines for the kernel log; default: nobody listens. */
  readonly warn?: Warn;
}

/** Everything callers use once initialisation is through. */
export interface EfiRuntime {
  /** The runtime services, guarded. */
  readonly services: EfiRuntimeOps;
  /** The machine table, its defaults guarded. */
  readonly machine: MachineOps;
  readonly clock: WallClock;
  readonly variables: Variables;
  readonly bootEntries: BootEntries;
  readonly capsules: Capsules;
  readonly power: Power;
  /** The firmware that capsules can update. */
  readonly firmware: () => readonly FirmwareResource[];
}

/** The runtime half of the EFI layer over the bound tables of a platform and the `efi` object that initialisation filled in. */
export const createEfiRuntime = (
  efi: Readonly<Efi>,
  tables: Pick<PlatformTables, 'runtime' | 'machine' | 'memory'>,
  options: EfiRuntimeOptions = {},
): EfiRuntime => {
  const { warn = () => undefined, overlap, storageParanoia, walk, era, unspecifiedZone } = options;
  const services = guardRuntimeServices(tables.runtime, efi, {
    warn,
    ...(overlap === undefined ? {} : { overlap }),
  });
  const machine = guardMachineOps(tables.machine, services);
  const variables = createVariables(services, {
    warn,
    ...(storageParanoia === undefined ? {} : { storageParanoia }),
    ...(walk === undefined ? {} : { walk }),
    ...(era === undefined ? {} : { era }),
  });
  const capsules = createCapsules(services, tables.memory, efi);
  return Object.freeze<EfiRuntime>({
    services,
    machine,
    clock: createWallClock(services, {
      warn,
      ...(unspecifiedZone === undefined ? {} : { unspecifiedZone }),
    }),
    variables,
    bootEntries: createBootEntries(variables),
    capsules,
    power: createPower(machine, capsules, warn),
    firmware: () => firmwareResources(efi.esrt),
  });
};
