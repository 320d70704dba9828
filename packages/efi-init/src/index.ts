// The public names of the package; `test/exports.test.ts` pins them.

export { parseCommandLine } from './command-line.ts';
export type { EfiCommandLine } from './command-line.ts';
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
