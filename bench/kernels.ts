// The work of the benchmark: ten kernels and six system events of guest/bench, in the order of the guest's tables.

/** The eight kernels whose geometric mean is the score of an engine. */
export const SCORED_KERNELS = [
  'mix',
  'mem',
  'crc32',
  'sha256',
  'sort',
  'muldiv',
  'rec',
  'interp',
] as const;

/** Kernels, then system events; the position is the bit in the image's selection word. */
export const GUEST_WORK = [
  'mix',
  'mem',
  'crc32',
  'sha256',
  'sort',
  'muldiv',
  'rec',
  'chase',
  'interp',
  'rep',
  'int',
  'pf',
  'cr3',
  'port',
  'smc',
  'cold',
] as const;

export type WorkName = (typeof GUEST_WORK)[number];

export const SYSTEM_EVENTS: readonly WorkName[] = ['int', 'pf', 'cr3', 'port', 'smc', 'cold'];

export const isEvent = (name: WorkName): boolean => SYSTEM_EVENTS.includes(name);

/** What one event consists of. */
export const EVENT_TITLES: Readonly<Record<string, string>> = {
  int: 'int 0x80 + iret',
  pf: '#PF + iret',
  cr3: 'CR3 load + 64 touches',
  port: 'out + in pair',
  smc: 'patch + 4 calls',
  cold: 'new block, run once',
};

/** Selection word for `names`. */
export const selectionOf = (names: readonly WorkName[]): number =>
  names.reduce((bits, name) => (bits | (1 << GUEST_WORK.indexOf(name))) >>> 0, 0);
