// Lines in which our machine still differs from what is expected. Each entry must really differ: a fix removes its entry.

/** Image, case, and what the machine does instead. */
export interface KnownDeviation {
  readonly image: string;
  readonly name: string;
  readonly reason: string;
}

export const KNOWN_DEVIATIONS: readonly KnownDeviation[] = [
  {
    image: 'protected-paging',
    name: 'PAE: reserved bit in a directory pointer',
    reason: 'MOV to CR3 does not check the directory pointers',
  },
  {
    image: 'cpuid',
    name: 'leaf 0x40000000 subleaf 0',
    reason: 'announces no hypervisor leaf behind itself, QEMU one that is all zeros',
  },
];
