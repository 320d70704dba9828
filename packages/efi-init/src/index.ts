// The public names of the package; `test/exports.test.ts` pins them.

export {
  BOOT_PARAMS_SIZE,
  E820_MAX_ENTRIES_ZEROPAGE,
  EFI_INFO,
  bootParamsInitOps,
  decodeBootParams,
  encodeBootParams,
} from './boot-params.ts';
export type { BootParams, EfiInfo } from './boot-params.ts';
export { parseCommandLine } from './command-line.ts';
export type { EfiCommandLine } from './command-line.ts';
export type { BgrtImage, InitContext, TpmLogs } from './context.ts';
export {
  E820Type,
  deviceRanges,
  e820FromMemoryMap,
  e820TypeOf,
  memoryMapFromE820,
  removeFromE820,
  sanitizeE820,
} from './e820.ts';
export type { E820Entry, E820Rules } from './e820.ts';
export { INIT_STEPS, initEfi } from './init.ts';
export type { EfiInitOptions, EfiInitReport, InitStep } from './init.ts';
export { createKernelLog } from './kernel-log.ts';
export type { KernelLog, LogLevel, LogLine } from './kernel-log.ts';
export {
  EFI_VA_END,
  EFI_VA_START,
  isMappedRegion,
  layOutRegions,
  pageMappings,
} from './mappings.ts';
export type { VirtualLayout } from './mappings.ts';
export { memoryAttributesFault } from './memory-attributes.ts';
export {
  formatMemoryDescriptor,
  formatMemoryType,
  mergeMemoryMap,
  splitMemoryMap,
  tagMemoryRange,
} from './memory-map.ts';
export type { PlacedDescriptor } from './memory-map.ts';
export { freeableBootServices } from './reservation.ts';
