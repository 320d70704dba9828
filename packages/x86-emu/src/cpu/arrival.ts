/** The last step of every far transfer: the new CS, SS, privilege and flags go in at once, after all checks. */
import { FLAG } from './control-bits.ts';
import { STATUS_FLAGS } from './cpu-state.ts';
import type { Segment } from './cpu-state.ts';
import type { Cpu } from './helper.ts';
import { is64Bit } from './mode.ts';

export interface Arrival {
  readonly cs: Segment;
  readonly ss?: Segment;
  readonly privilege: number;
  readonly rip: bigint;
  /** RFLAGS, if they change. */
  readonly flags?: number;
  /** In place of `flags`: the system flags alone; the status flags stay in their lazy form. */
  readonly systemFlags?: number;
}

const sameDescriptor = (a: Segment, b: Segment): boolean =>
  a.attributes === b.attributes && a.limit === b.limit && a.base === b.base;

/**
 * Replaces RFLAGS. The engine is told when AC or VM changed, and when it has to look for events: IF became 1 with an interrupt waiting, or TF changed
 * (its run loop raises the single-step #DB).
 */
export const setFlags = (cpu: Cpu, flags: number): void => {
  cpu.state.setStatusFlags(flags);
  setSystemFlags(cpu, flags);
};

/** The same without the status flags. */
const setSystemFlags = (cpu: Cpu, flags: number): void => {
  const { state } = cpu;
  const old = state.get('systemFlags');
  state.set('systemFlags', (flags & ~STATUS_FLAGS) | 2);
  const changed = old ^ flags;
  if (changed & (FLAG.AC | FLAG.VM)) cpu.modeChanged();
  const opened = (changed & flags & FLAG.IF) !== 0 && state.get('interruptPending') !== 0;
  if (opened || (changed & FLAG.TF) !== 0) cpu.checkEvents();
};

/** Goes to the new place; cannot fault. */
export const arrive = (cpu: Cpu, { cs, ss, privilege, rip, flags, systemFlags }: Arrival): void => {
  const { state } = cpu;
  let changed = state.get('cpl') !== privilege || !sameDescriptor(state.segment('cs'), cs);
  state.set('cpl', privilege);
  state.setSegment('cs', cs);
  if (ss) {
    changed ||= !is64Bit(state) && !sameDescriptor(state.segment('ss'), ss);
    state.setSegment('ss', ss);
  }
  if (changed) cpu.modeChanged();
  if (flags !== undefined) setFlags(cpu, flags);
  else if (systemFlags !== undefined) setSystemFlags(cpu, systemFlags);
  cpu.continueAt(rip);
};
