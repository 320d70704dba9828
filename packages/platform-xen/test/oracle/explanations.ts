/** Why lines of Xen's log differ between QEMU and our machine. Data: an entry that no difference needs is stale, and fails the test. */

export interface LogExplanation {
  /** Lines that only QEMU has; lines that only ours has, at the same place. */
  readonly qemu: readonly string[];
  readonly ours: readonly string[];
  readonly why: string;
  /** Section of a manual that decides. */
  readonly source: string;
}

export const LOG_EXPLANATIONS: readonly LogExplanation[] = [
  {
    qemu: ['(XEN) TSC only partially writable'],
    ours: [],
    why: 'WRMSR to IA32_TIME_STAMP_COUNTER sets the counter; TCG drops what is written',
    source: 'SDM Vol. 3B, section Time-Stamp Counter',
  },
  {
    qemu: ['(XEN)    0000000000000002 000000400043b000 000000000000e02b 0000000000000000'],
    ours: ['(XEN)    0000000000010002 000000400043b000 000000000000e02b 0000000000000000'],
    why: "the frame of dom0's #UD: a fault pushes RFLAGS with RF set, TCG without",
    source: 'SDM Vol. 3A, section 6.8.3',
  },
];
