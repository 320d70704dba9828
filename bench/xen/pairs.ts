// What GetVariable is called on: a firmware, and a hypervisor above it.

/** The names of the pairs. */
export const PAIRS = ['embedded', 'ovmf-xen'] as const;
export type PairName = (typeof PAIRS)[number];

export const PAIR_TITLES: Readonly<Record<PairName, string>> = {
  embedded: 'reference firmware, embedded hypervisor',
  'ovmf-xen': 'OVMF, Xen 4.17',
};

/** What a call is made through; the hypercall is one of TypeScript that does not reach the firmware. */
export const CALLS = ['hypercall xen_version', 'direct', 'ops', 'systab', 'efi-call'] as const;
export type CallName = (typeof CALLS)[number];

/** One kind of call, as one process measured it. */
export interface CallRun {
  readonly call: CallName;
  readonly rounds: number;
  /** Seconds on the wall, seconds of CPU time, instructions of the guest, for all rounds together. */
  readonly seconds: number;
  readonly cpu: number;
  readonly instructions: number;
}
