/** A machine for tests of single instructions: supervisor code in flat memory, and faults that end the run instead of being delivered. */
import { Machine } from '../../src/machine.ts';
import type { RegisterName } from '../../src/machine/registers.ts';
import type { VmExit } from '../../src/machine/vm-exit.ts';

export const CODE = 0x1_0000;
export const DATA = 0x2_0000;
/** A page that is not present, in paged modes. */
export const HOLE = 0x3_0000;
/** A page that is read-only, in paged modes (CR0.WP is set). */
export const READ_ONLY = 0x4_0000;
export const STACK = 0x5_0000;
const RAM = 0x10_0000;

const PAGE = 0x1000;
const PML4 = 0x1000;
const PDPT = 0x2000;
const DIRECTORY = 0x3000;
const TABLE = 0x4000;

export type GuestMode = 'long' | 'flat' | 'real';

export interface Guest {
  readonly machine: Machine;
  /** Runs `bytes` at CODE to their end, or until something else ends the run. */
  readonly run: (bytes: readonly number[], budget?: number) => VmExit;
  readonly get: (name: RegisterName) => bigint;
  readonly set: (registers: Partial<Record<RegisterName, bigint | number>>) => void;
  readonly read: (address: number, length: number) => number[];
  readonly write: (address: number, bytes: readonly number[]) => void;
}

const identityPages = (machine: Machine): void => {
  const entry = (table: number, index: number, value: number): void => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    machine.memory.write(table + index * 8, bytes);
  };
  entry(PML4, 0, PDPT | 3);
  entry(PDPT, 0, DIRECTORY | 3);
  entry(DIRECTORY, 0, TABLE | 3);
  for (let page = 0; page < RAM; page += PAGE) {
    const flags = page === HOLE ? 0 : page === READ_ONLY ? 1 : 3;
    entry(TABLE, page / PAGE, page | flags);
  }
};

/** Code and data attributes of a cached segment: present, DPL 0, accessed. */
const CODE_32 = 0xc09b;
const CODE_64 = 0xa09b;
const DATA_32 = 0xc093;

const enter = (machine: Machine, mode: GuestMode): void => {
  if (mode === 'real') {
    machine.setSegment('cs', { selector: 0, base: 0n, limit: 0xf_ffff, attributes: 0x9b });
    return;
  }
  if (mode === 'long') {
    identityPages(machine);
    machine.writeRegister('cr3', BigInt(PML4));
    machine.writeRegister('cr4', 0x20n);
    machine.writeRegister('efer', 0x500n);
  }
  machine.writeRegister('cr0', mode === 'long' ? 0x8001_0011n : 0x11n);
  const limit = 0xffff_ffff;
  const attributes = mode === 'long' ? CODE_64 : CODE_32;
  machine.setSegment('cs', { selector: 8, base: 0n, limit, attributes });
  for (const name of ['ss', 'ds', 'es', 'fs', 'gs'] as const)
    machine.setSegment(name, { selector: 16, base: 0n, limit, attributes: DATA_32 });
};

export const createGuest = (mode: GuestMode = 'long'): Guest => {
  const machine = new Machine({ ram: RAM });
  enter(machine, mode);
  machine.hooks.interrupt = () => 'stop';
  machine.writeRegister('rsp', BigInt(mode === 'real' ? 0x8000 : STACK));
  const read: Guest['read'] = (address, length) => [...machine.memory.read(address, length)];
  return {
    machine,
    get: (name) => machine.readRegister(name),
    set: (registers) => {
      for (const [name, value] of Object.entries(registers) as [RegisterName, bigint | number][])
        machine.writeRegister(name, BigInt(value));
    },
    read,
    write: (address, bytes) => machine.memory.write(address, Uint8Array.from(bytes)),
    run: (bytes, budget = 1_000_000) => {
      const start = mode === 'real' ? 0x1000 : CODE;
      machine.memory.write(start, Uint8Array.from(bytes));
      machine.writeRegister('rip', BigInt(start));
      return machine.run({ budget, until: BigInt(start + bytes.length) });
    },
  };
};
