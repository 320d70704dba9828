// Random bytes as code, in every mode: nothing may throw on the host, run past its budget, or touch memory outside the machine.
import { describe, expect, it } from 'vitest';
import { createMachine } from '../../src/index.ts';
import type { Machine } from '../../src/index.ts';
import { createPrng } from '../silicon/prng.ts';
import { enterLongMode } from './long-mode.ts';

const CODE = 0x20_0000;
const LIMIT = 0xffff_ffff;

const MODES: Readonly<Record<string, (machine: Machine) => void>> = {
  'real mode': (machine) => {
    machine.setSegment('cs', { selector: 0, base: BigInt(CODE), limit: 0xffff, attributes: 0x9b });
  },
  'protected mode, 16 bits': (machine) => {
    machine.writeRegister('cr0', 0x11n);
    machine.setSegment('cs', { selector: 8, base: BigInt(CODE), limit: LIMIT, attributes: 0x809b });
  },
  'protected mode, 32 bits': (machine) => {
    machine.writeRegister('cr0', 0x11n);
    machine.writeRegister('cr4', 0x600n);
    machine.setSegment('cs', { selector: 8, base: 0n, limit: LIMIT, attributes: 0xc09b });
    for (const name of ['ss', 'ds', 'es'] as const)
      machine.setSegment(name, { selector: 16, base: 0n, limit: LIMIT, attributes: 0xc093 });
  },
  'compatibility mode, CPL 3': (machine) => {
    enterLongMode(machine);
    machine.setSegment('cs', { selector: 0x1b, base: 0n, limit: LIMIT, attributes: 0xc0fb });
    machine.setSegment('ss', { selector: 0x23, base: 0n, limit: LIMIT, attributes: 0xc0f3 });
  },
  '64-bit mode': enterLongMode,
  '64-bit mode, CPL 3': (machine) => {
    enterLongMode(machine);
    machine.setSegment('cs', { selector: 0x1b, base: 0n, limit: LIMIT, attributes: 0xa0fb });
    machine.setSegment('ss', { selector: 0x23, base: 0n, limit: LIMIT, attributes: 0xc0f3 });
  },
};

const CASES = 400;
const BUDGET = 300;
const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r13'] as const;

describe('random code', { timeout: 120_000 }, () => {
  it.each(Object.entries(MODES))('%s', (mode, enter) => {
    const machine = createMachine({ ram: 4 << 20 });
    enter(machine);
    const start = machine.snapshot();
    const isLegacyBase = machine.segment('cs').base !== 0n;
    let executed = 0;
    for (let i = 0; i < CASES; i++) {
      const next = createPrng(0x2013 + i * 7919 + mode.length).u32;
      machine.restore(start);
      const code = Uint8Array.from({ length: 512 }, () => next() & 0xff);
      machine.memory.write(CODE, code);
      for (const name of REGISTERS)
        machine.writeRegister(name, BigInt(next() % 3 === 0 ? next() : next() % 0x40_0000));
      machine.writeRegister('rip', BigInt(isLegacyBase ? 0 : CODE));
      const exit = machine.run({ budget: BUDGET });
      expect(machine.retired).toBeLessThanOrEqual(BUDGET);
      expect(['budget', 'halt', 'tripleFault']).toContain(exit.kind);
      executed += machine.retired;
    }
    // Most cases end in a triple fault soon; all together must have done something.
    expect(executed).toBeGreaterThan(CASES);
  });

  it('mutated valid instructions, with exceptions kept from being delivered', () => {
    const machine = createMachine({ ram: 4 << 20 });
    enterLongMode(machine);
    machine.hooks.interrupt = () => 'stop';
    const start = machine.snapshot();
    const next = createPrng(42).u32;
    const kinds = new Set<string>();
    for (let i = 0; i < 6000; i++) {
      machine.restore(start);
      // Prefix soup, then an opcode of any map.
      const prefixes = Array.from(
        { length: next() % 4 },
        () => [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x48, 0x4f, 0x64][next() % 9] as number,
      );
      const map = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a], [0xc4, 0xe2, next() & 0xff]][next() % 5];
      const rest = Array.from({ length: 12 }, () => next() & 0xff);
      machine.memory.write(CODE, Uint8Array.from([...prefixes, ...(map ?? []), ...rest]));
      for (const name of REGISTERS) machine.writeRegister(name, BigInt(next() % 0x40_0000));
      machine.writeRegister('rip', BigInt(CODE));
      kinds.add(machine.run({ budget: 1 }).kind);
    }
    expect([...kinds].toSorted()).toEqual(expect.arrayContaining(['budget', 'exception']));
  });
});
