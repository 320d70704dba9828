/** A machine set up like the `MemoryCpu` layouts, to execute a few instructions through the real engine. */
import { createMachine } from '../../src/machine.ts';
import type { Machine } from '../../src/machine.ts';
import { SEGMENT_NAMES } from '../../src/cpu/state-layout.ts';
import type { StateField } from '../../src/cpu/state-layout.ts';
import type { VmExit } from '../../src/machine/vm-exit.ts';
import { CR0, CR4 } from '../../src/cpu/control-bits.ts';
import { createMemoryCpu, enterLong, enterProtected, poke } from './memory-cpu.ts';
import type { MemoryCpu } from './memory-cpu.ts';

export const CODE = 0x10000;
const PML4 = 0x20000;
const PDPT = 0x21000;
const RAM = 1 << 20;

export type GuestMode = 'real' | 'protected' | 'long';

const BIG: readonly StateField[] = [
  'cr0',
  'cr3',
  'cr4',
  'efer',
  'gdtrBase',
  'idtrBase',
  'xcr0',
  'star',
  'lstar',
  'sfmask',
  'kernelGsBase',
  'tscAux',
  'dr0',
  'dr1',
  'dr7',
];
const SMALL: readonly StateField[] = ['gdtrLimit', 'idtrLimit', 'cpl', 'mxcsr'];

/** One machine serves all tests: building one costs more than running it. */
const machine = createMachine({ ram: RAM, romCapacity: 0 });
const portLog: string[] = [];
const port = { value: 0 };
machine.ports.map(0x80, 8, 'probe', {
  read: (offset, bytes) => {
    portLog.push(`r${bytes} ${offset}`);
    return port.value;
  },
  write: (offset, bytes, value) => {
    portLog.push(`w${bytes} ${offset} ${value.toString(16)}`);
  },
});

export interface Guest {
  readonly machine: Machine;
  /** Exit of the run. */
  readonly exit: VmExit;
  readonly portLog: readonly string[];
  /** Instructions executed. */
  readonly retired: number;
  readonly read: (address: number, length: number) => bigint;
}

export interface GuestOptions {
  readonly privilege?: 0 | 3;
  /** Instructions; default: until the end of the code. */
  readonly budget?: number;
  /** Changes to the layout and the CPU state before the start. */
  readonly prepare?: (cpu: MemoryCpu) => void;
  readonly portValue?: number;
  /** Exceptions are delivered instead of ending the run. */
  readonly deliver?: boolean;
}

/** Little-endian hex bytes, blanks ignored. */
const hex = (text: string): number[] =>
  (text.replaceAll(/\s/g, '').match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));

/** Executes code at CODE (real mode: 1000:0000). An exception ends the run; software interrupts are delivered. */
export const runGuest = (mode: GuestMode, code: string, options: GuestOptions = {}): Guest => {
  const { privilege = 0, prepare, portValue = 0 } = options;
  const cpu = createMemoryCpu();
  if (mode === 'protected') enterProtected(cpu, privilege);
  else if (mode === 'long') enterLong(cpu, privilege);
  const { state } = cpu;
  if (mode === 'real') {
    state.setSegment('cs', { ...state.segment('cs'), selector: 0x1000, base: BigInt(CODE) });
    state.setGpr(4, 0x8000n);
  }
  if (mode === 'long') {
    poke(cpu, 8, PML4, BigInt(PDPT | 7));
    // One page of 1 GiB, for user and supervisor.
    poke(cpu, 8, PDPT, 0x87n);
    state.setBig('cr3', BigInt(PML4));
    state.setBig('cr4', state.big('cr4') | BigInt(CR4.OSFXSR));
    state.setBig('cr0', state.big('cr0') | BigInt(CR0.WP));
  }
  const bytes = hex(code);
  cpu.bytes.set(bytes, CODE);
  prepare?.(cpu);

  machine.reset();
  machine.memory.write(0, new Uint8Array(RAM));
  machine.memory.write(0, cpu.bytes);
  for (let i = 0; i < 16; i++) {
    machine.state.setGpr(i, state.gpr(i));
    machine.state.setXmm(i, 0, state.xmm(i, 0));
    machine.state.setXmm(i, 1, state.xmm(i, 1));
  }
  for (const name of SEGMENT_NAMES) machine.state.setSegment(name, state.segment(name));
  for (const field of BIG) machine.state.setBig(field, state.big(field));
  for (const field of SMALL) machine.state.set(field, state.get(field));
  machine.state.rflags = state.rflags;
  const start = mode === 'real' ? 0 : CODE;
  machine.state.setBig('rip', BigInt(start));
  machine.stateChanged();
  portLog.length = 0;
  port.value = portValue;
  machine.hooks.interrupt = (event) =>
    event.kind === 'exception' && !options.deliver ? 'stop' : undefined;
  const before = machine.retired;
  const exit =
    options.budget === undefined
      ? machine.run({ budget: 1000, until: BigInt(start + bytes.length) })
      : machine.run({ budget: options.budget });
  return {
    machine,
    exit,
    portLog: [...portLog],
    retired: machine.retired - before,
    read: (address, length) => {
      let value = 0n;
      const all = machine.memory.read(address, length);
      for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(all[i] ?? 0);
      return value;
    },
  };
};

/** The exit of a run that an exception at the instruction `offset` bytes into the code ended. */
export const raised = (vector: number, errorCode?: number, offset = 0): VmExit => ({
  kind: 'exception',
  vector,
  errorCode,
  rip: BigInt(CODE + offset),
});
