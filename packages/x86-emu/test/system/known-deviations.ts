// Lines in which our machine still differs from what is expected. Each entry must really differ: a fix removes its entry.

/** Image, case, and what the machine does instead. */
export interface KnownDeviation {
  readonly image: string;
  readonly name: string;
  readonly reason: string;
}

export const KNOWN_DEVIATIONS: readonly KnownDeviation[] = [
  {
    image: 'protected-segments',
    name: 'write through CS',
    reason: 'a code segment is writable through a CS override; SDM vol. 3A 5.5',
  },
  {
    image: 'protected-paging',
    name: 'two levels: 4 MiB page with reserved bit 21',
    reason: 'bits from 21 down to the physical width are not checked; SDM vol. 3A table 4-4',
  },
  {
    image: 'protected-paging',
    name: 'PAE: reserved bit in a directory pointer',
    reason: 'MOV to CR3 does not check the directory pointers',
  },
  {
    image: 'protected-paging',
    name: 'PAE: reserved high bit in a table entry',
    reason: 'bits from the physical width up to 62 are not checked with PAE',
  },
  {
    image: 'long-paging',
    name: 'access that runs out of the canonical half',
    reason: 'only the first byte of an access is checked for canonical form',
  },
  {
    image: 'cpuid',
    name: 'leaf 0x40000000 subleaf 0',
    reason: 'announces no hypervisor leaf behind itself, QEMU one that is all zeros',
  },
];
