/** All that a program can see of a machine, and its trace hash: what must be equal in every engine. */
import { createHash } from 'node:crypto';
import type { Machine } from '../../src/index.ts';
import { SEGMENT_NAMES } from '../../src/cpu/state-layout.ts';

const CONTROL = ['cr0', 'cr2', 'cr3', 'cr4', 'efer', 'dr6', 'dr7', 'mxcsr', 'rflags'] as const;

export const architecturalState = (machine: Machine): object => {
  const { state, memory } = machine;
  const digest = createHash('sha256');
  for (const region of memory.regions)
    if (region.kind !== 'mmio') digest.update(memory.contents(region));
  return {
    retired: machine.retired,
    traceHash: machine.traceHash,
    rip: state.big('rip').toString(16),
    general: Array.from({ length: 16 }, (_, n) => state.gpr(n).toString(16)),
    vectors: Array.from({ length: 16 }, (_, n) => [state.xmm(n, 0), state.xmm(n, 1)]),
    control: CONTROL.map((name) => `${name} ${machine.readRegister(name).toString(16)}`),
    segments: SEGMENT_NAMES.map((name) => machine.segment(name)),
    memory: digest.digest('hex'),
  };
};
