import { createEfi } from '@systab/efi-core';
import type { Efi, PlatformTables, SecureBootMode } from '@systab/efi-core';
import { readBgrt } from './bgrt.ts';
import { parseCommandLine } from './command-line.ts';
import type { EfiCommandLine } from './command-line.ts';
import { applyRtProperties, readConfigurationTables } from './config-tables.ts';
import type { BgrtImage, InitContext, TpmLogs } from './context.ts';
import type { E820Entry } from './e820.ts';
import { readEsrt } from './esrt.ts';
import { createKernelLog } from './kernel-log.ts';
import type { LogLine } from './kernel-log.ts';
import { readMemoryAttributes } from './memory-attributes.ts';
import { adoptMemoryMap, cleanMemoryMap, updateE820 } from './memory-map.ts';
import { reserveBootServices } from './reservation.ts';
import { determineSecureBoot } from './secure-boot.ts';
import { locateSystemTable, readSystemTable } from './system-table.ts';
import { readTpmLogs } from './tpm-log.ts';
import { allowRuntimeServices, enterVirtualMode, settleVirtualMode } from './virtual-mode.ts';

/** One step of initialisation. Each looks itself for what it needs and does nothing without it. */
export interface InitStep {
  readonly name: string;
  readonly run: (context: InitContext) => void;
}

/** The steps in the order of a boot. */
export const INIT_STEPS: readonly InitStep[] = Object.freeze([
  { name: 'locate system table', run: locateSystemTable },
  { name: 'adopt memory map', run: adoptMemoryMap },
  { name: 'read system table', run: readSystemTable },
  { name: 'read configuration tables', run: readConfigurationTables },
  { name: 'memory attributes table', run: readMemoryAttributes },
  { name: 'TPM logs', run: readTpmLogs },
  { name: 'RT properties table', run: applyRtProperties },
  { name: 'allow runtime services', run: allowRuntimeServices },
  { name: 'clean memory map', run: cleanMemoryMap },
  { name: 'update E820 map', run: updateE820 },
  { name: 'ESRT', run: readEsrt },
  { name: 'reserve boot services memory', run: reserveBootServices },
  { name: 'Secure Boot', run: determineSecureBoot },
  { name: 'BGRT', run: readBgrt },
  { name: 'enter virtual mode', run: enterVirtualMode },
  { name: 'settle virtual mode', run: settleVirtualMode },
]);

/** What initialisation starts from, besides the platform. */
export interface EfiInitOptions {
  /** The object to fill in; default: a new one. */
  readonly efi?: Efi;
  /** Kernel command line; default empty. */
  readonly commandLine?: string;
  /** E820 map of the loader; default: made from the memory map. */
  readonly e820?: readonly E820Entry[];
  /** What the loader found out; default: the variables are asked. */
  readonly secureBoot?: SecureBootMode;
  /** Hears each log line as it comes. */
  readonly listen?: (line: LogLine) => void;
  /** The steps to take; default `INIT_STEPS`. For those who watch single steps, or leave one out. */
  readonly steps?: readonly InitStep[];
}

/** What initialisation leaves behind. */
export interface EfiInitReport {
  readonly efi: Efi;
  readonly commandLine: EfiCommandLine;
  readonly log: readonly LogLine[];
  /** Undefined when there is neither an E820 map nor a memory map. */
  readonly e820: readonly E820Entry[] | undefined;
  readonly tpm: TpmLogs;
  /** Undefined without a usable logo. */
  readonly bgrt: BgrtImage | undefined;
}

/**
 * Brings EFI up on a bound platform: every step in order, each through the tables. Never fails: what is missing shows in
 * `efi.facilities` and in the log.
 */
export const initEfi = (
  tables: Pick<PlatformTables, 'init' | 'memory' | 'runtime'>,
  options: EfiInitOptions = {},
): EfiInitReport => {
  const efi = options.efi ?? createEfi();
  const commandLine = parseCommandLine(options.commandLine ?? '');
  const log = createKernelLog(options.listen);
  if (options.secureBoot !== undefined) efi.secureBoot = options.secureBoot;
  if (commandLine.debug) efi.facilities.enable('EFI_DBG', 'efi=debug');
  if (commandLine.noSoftReserve) {
    efi.facilities.enable('EFI_MEM_NO_SOFT_RESERVE', 'efi=nosoftreserve');
  }
  const context: InitContext = {
    efi,
    tables,
    commandLine,
    log,
    e820: options.e820,
    kept: [],
    tpm: { events: undefined, finalEvents: undefined },
    bgrt: undefined,
  };
  for (const step of options.steps ?? INIT_STEPS) step.run(context);
  const { e820, tpm, bgrt } = context;
  return { efi, commandLine, log: log.lines, e820, tpm, bgrt };
};
