// The embedder's API: maps, registers, runs, hooks, snapshots, and what bad input gets.
import { describe, expect, it } from 'vitest';
import {
  MapError,
  SnapshotError,
  callGuest,
  createDisassembler,
  createMachine,
  snapshotFromBytes,
  snapshotToBytes,
} from '../../src/index.ts';
import type { Machine, MachineOptions } from '../../src/index.ts';
import { FLAT_CODE, FLAT_DATA, enterLongMode } from './long-mode.ts';

const CODE = 0x20_0000n;
const STACK = 0x30_0000n;

/** A machine in 64-bit code at CODE. */
const longMachine = (code: readonly number[], options: MachineOptions = {}): Machine => {
  const machine = createMachine({ ram: 4 << 20, ...options });
  enterLongMode(machine);
  machine.memory.write(Number(CODE), Uint8Array.from(code));
  machine.writeRegister('rip', CODE);
  machine.writeRegister('rsp', STACK);
  return machine;
};

/** mov ecx, 1000; l: add rax, rcx; dec ecx; jnz l; hlt */
const LOOP = [0xb9, 0xe8, 0x03, 0, 0, 0x48, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xf9, 0xf4];

describe('run', () => {
  it('stops at exactly the budget, wherever that is', () => {
    for (const budget of [1, 2, 3, 7, 1000, 2999, 3001]) {
      const machine = longMachine(LOOP);
      expect(machine.run({ budget })).toEqual({ kind: 'budget' });
      expect(machine.retired).toBe(budget);
      const reference = longMachine(LOOP);
      for (let i = 0; i < budget; i++) reference.step();
      for (const name of ['rax', 'rcx', 'rip', 'rflags'] as const)
        expect(machine.readRegister(name)).toBe(reference.readRegister(name));
    }
  });

  it('halts when nothing can wake the processor', () => {
    const machine = longMachine(LOOP);
    expect(machine.run()).toEqual({ kind: 'halt' });
    expect(machine.readRegister('rax')).toBe(500500n);
    expect(machine.retired).toBe(1 + 3 * 1000 + 1);
  });

  it('stops before the `until` address and before breakpoints', () => {
    const machine = longMachine(LOOP);
    expect(machine.run({ until: CODE + 8n })).toEqual({ kind: 'until' });
    expect(machine.readRegister('rip')).toBe(CODE + 8n);
    expect(machine.retired).toBe(2);
    machine.breakpoints.add(CODE + 5n);
    expect(machine.run()).toEqual({ kind: 'breakpoint', rip: CODE + 5n });
    expect(machine.retired).toBe(4);
    expect(machine.run()).toEqual({ kind: 'breakpoint', rip: CODE + 5n });
    expect(machine.retired).toBe(7);
    machine.breakpoints.delete(CODE + 5n);
    expect(machine.run().kind).toBe('halt');
  });

  it('reports a triple fault with its place', () => {
    // ud2 with an IDT of limit 0xffff at 0, which holds no gates
    expect(longMachine([0x0f, 0x0b]).run()).toMatchObject({ kind: 'tripleFault', rip: CODE });
  });

  it('refuses an odd budget', () => {
    const machine = longMachine(LOOP);
    for (const budget of [-1, 1.5, Number.NaN, 2 ** 53])
      expect(() => machine.run({ budget })).toThrow(/budget is .*, expected a whole number/);
  });

  it('ends code that faults for ever with its budget', () => {
    const machine = longMachine([0x0f, 0x0b]);
    // A gate for #UD that leads back to the faulting instruction.
    const gate = new DataView(new ArrayBuffer(16));
    gate.setUint16(0, Number(CODE & 0xffffn), true);
    gate.setUint16(2, FLAT_CODE, true);
    gate.setUint16(4, 0x8e00, true);
    gate.setUint16(6, Number(CODE >> 16n), true);
    machine.memory.write(6 * 16, new Uint8Array(gate.buffer));
    expect(machine.run({ budget: 100 })).toEqual({ kind: 'budget' });
    expect(machine.retired).toBe(100);
  });
});

describe('options and maps', () => {
  it('refuses sizes that cannot be, naming option and expectation', () => {
    expect(() => createMachine({ ram: 4095 })).toThrow(/ram is 4095, expected a multiple of 4096/);
    expect(() => createMachine({ ram: 2 ** 33 })).toThrow(/ram is \d+, expected at most \d+ bytes/);
    expect(() => createMachine({ clockRate: 0 })).toThrow(/clockRate is 0, expected 1 to/);
    expect(() => createMachine({ unclaimed: 'maybe' as 'ones' })).toThrow(/unclaimed is 'maybe'/);
  });

  it('refuses overlapping and unaligned maps, naming both regions', () => {
    const machine = createMachine({ ram: 1 << 20 });
    expect(() => machine.memory.mapMemory('rom', 0xff000, 0x2000, 'bios')).toThrow(
      'bios (0xff000-0x100fff) overlaps ram (0x0-0xfffff)',
    );
    expect(() => machine.memory.mapMemory('ram', 0x100800, 0x1000, 'odd')).toThrow(MapError);
    expect(() => machine.memory.mapMemory('ram', 0x200000, 1 << 30, 'huge')).toThrow(
      /exceed the \d+ bytes left/,
    );
    const device = { read: () => 0, write: () => {} };
    machine.ports.map(0x60, 5, 'keyboard', device);
    expect(() => machine.ports.map(0x64, 1, 'other', device)).toThrow(
      'other: port 0x64 belongs to keyboard',
    );
    expect(() => machine.ports.map(0xffff, 2, 'beyond', device)).toThrow(/outside 0-65535/);
  });

  it('refuses unknown registers', () => {
    const machine = createMachine({ ram: 4096 });
    expect(() => machine.readRegister('xmm16')).toThrow(/no register called 'xmm16'/);
  });

  it('ends the run at an unclaimed access if asked to', () => {
    // in al, dx with DX = 0x1234; then a load from 16 MiB, which the tables do not map: use the hole above RAM
    const machine = longMachine([0xec, 0xf4], { unclaimed: 'exit' });
    machine.writeRegister('rdx', 0x1234n);
    expect(machine.run()).toEqual({
      kind: 'unclaimed',
      space: 'port',
      address: 0x1234,
      bytes: 1,
      write: false,
      rip: CODE,
    });
    expect(machine.readRegister('rax')).toBe(0xffn);
  });
});

describe('hooks', () => {
  it('sees instructions, ports and memory', () => {
    // mov [0x280000], eax (through rdi); out 0x80, al; hlt
    const machine = longMachine([0x89, 0x07, 0xe6, 0x80, 0xf4]);
    machine.writeRegister('rdi', 0x28_0004n);
    machine.writeRegister('rax', 7n);
    const seen: unknown[] = [];
    machine.hooks.code = (rip) => seen.push(rip - CODE);
    machine.hooks.port = (port, bytes, value, write) => seen.push({ port, bytes, value, write });
    const end = machine.hooks.watch({
      base: 0x28_0004,
      length: 4,
      on: (access) => seen.push(access),
    });
    expect(machine.run().kind).toBe('halt');
    expect(seen).toEqual([
      0n,
      { address: 0x28_0004, bytes: 4, write: true },
      2n,
      { port: 0x80, bytes: 1, value: 7, write: true },
      4n,
    ]);
    end();
    machine.hooks.code = undefined;
    machine.writeRegister('rip', CODE);
    machine.state.set('halted', 0);
    machine.run();
    expect(seen).toHaveLength(6);
  });

  it('streams the trace that the hash is made of', () => {
    // out 0x80, al; in al, 0x80; hlt
    const machine = longMachine([0xe6, 0x80, 0xe4, 0x80, 0xf4]);
    const events: unknown[] = [];
    machine.hooks.trace = (event) => events.push(event);
    machine.run();
    expect(events).toEqual([
      { kind: 'portWrite', address: 0x80, bytes: 1, value: 0, retired: 1 },
      { kind: 'portRead', address: 0x80, bytes: 1, value: 0xff, retired: 2 },
    ]);
  });

  it('can keep an exception from being delivered', () => {
    const machine = longMachine([0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0x40]);
    machine.hooks.interrupt = () => 'stop';
    expect(machine.run()).toEqual({
      kind: 'exception',
      vector: 14,
      errorCode: 0,
      rip: CODE,
    });
    expect(machine.readRegister('cr2')).toBe(0x4000_0000n);
  });
});

describe('linear memory from outside', () => {
  it('shows pages of user code under SMAP, at either privilege, and keeps CR2', () => {
    const machine = longMachine([0xf4]);
    machine.writeRegister('cr4', machine.readRegister('cr4') | 0x20_0000n);
    machine.writeRegister('cr2', 0x1234n);
    for (const dataAttributes of [0xc093, 0xc0f3]) {
      const stack = { selector: 16, base: 0n, limit: 0xffff_ffff, attributes: dataAttributes };
      machine.setSegment('ss', stack);
      expect(machine.writeLinear(0x28_0000n, Uint8Array.of(1, 2, 3))).toBe(true);
      expect(machine.readLinear(0x28_0000n, 3)).toEqual(Uint8Array.of(1, 2, 3));
      expect(machine.physicalAddress(0x28_0000n)).toBe(0x28_0000);
      expect(machine.physicalAddress(0x8000_0000n)).toBeUndefined();
    }
    expect(machine.readRegister('cr2')).toBe(0x1234n);
    expect(machine.readRegister('cr4') & 0x20_0000n).toBe(0x20_0000n);
  });
});

describe('self-modifying code', () => {
  it('takes effect at the next instruction, on the same page and through an alias', () => {
    // mov byte [rip+1], 0x41 patches the immediate of the next instruction: mov al, 0
    const machine = longMachine([0xc6, 0x05, 0x01, 0, 0, 0, 0x41, 0xb0, 0x00, 0xf4]);
    expect(machine.run().kind).toBe('halt');
    expect(machine.readRegister('rax') & 0xffn).toBe(0x41n);
    machine.memory.write(Number(CODE) + 8, Uint8Array.from([0x42]));
    machine.state.set('halted', 0);
    machine.writeRegister('rip', CODE + 7n);
    machine.run();
    expect(machine.readRegister('rax') & 0xffn).toBe(0x42n);
  });

  it('executes instructions that cross a page, and sees either part change', () => {
    const at = CODE + 0xffen;
    const machine = longMachine([]);
    machine.memory.write(Number(at), Uint8Array.from([0xb8, 1, 2, 3, 4, 0xf4]));
    const run = (): bigint => {
      machine.state.set('halted', 0);
      machine.writeRegister('rip', at);
      expect(machine.run({ budget: 10 }).kind).toBe('halt');
      return machine.readRegister('rax');
    };
    expect(run()).toBe(0x0403_0201n);
    machine.memory.write(Number(at) + 3, Uint8Array.from([9]));
    expect(run()).toBe(0x0409_0201n);
    machine.memory.write(Number(at) + 1, Uint8Array.from([8]));
    expect(run()).toBe(0x0409_0208n);
  });
});

describe('code outside RAM', () => {
  it('executes from I/O memory, reading each byte anew', () => {
    const machine = longMachine([0xff, 0xe0]);
    // The device's code changes with every fetch of its first byte: mov al, <fetches>; hlt
    let fetches = 0;
    machine.memory.mapIo(0x80_0000, 0x1000, 'device', {
      read: (offset) => {
        if (offset === 0) fetches++;
        return [0xb0, fetches, 0xf4][offset] ?? 0x90;
      },
      write: () => {},
    });
    const run = (): bigint => {
      machine.state.set('halted', 0);
      machine.writeRegister('rax', 0x80_0000n);
      machine.writeRegister('rip', CODE);
      expect(machine.run({ budget: 10 }).kind).toBe('halt');
      return machine.readRegister('rax') & 0xffn;
    };
    const first = run();
    expect(run()).toBeGreaterThan(first);
  });

  it('executes from ROM, gives writes to its handler, and sees it change', () => {
    const writes: number[] = [];
    // mov byte [rax], 5; jmp rax
    const machine = longMachine([0xc6, 0x00, 0x05, 0xff, 0xe0]);
    machine.memory.mapMemory('rom', 0x80_0000, 0x1000, 'rom', {
      read: () => 0,
      write: (offset, size, value) => writes.push(offset, size, value),
    });
    machine.memory.write(0x80_0000, Uint8Array.from([0xb3, 0x11, 0xf4]));
    const run = (): bigint => {
      machine.state.set('halted', 0);
      machine.writeRegister('rax', 0x80_0000n);
      machine.writeRegister('rip', CODE);
      expect(machine.run({ budget: 10 }).kind).toBe('halt');
      return machine.readRegister('rbx') & 0xffn;
    };
    expect(run()).toBe(0x11n);
    expect(writes).toEqual([0, 1, 5]);
    machine.memory.write(0x80_0001, Uint8Array.from([0x22]));
    expect(run()).toBe(0x22n);
  });
});

describe('snapshots', () => {
  it('restores registers, memory, time and trace', () => {
    const machine = longMachine([0x89, 0x07, 0xff, 0xc0, 0xe6, 0x80, 0xeb, 0xf8]);
    machine.writeRegister('rdi', 0x28_0000n);
    machine.run({ budget: 101 });
    const snapshot = machine.snapshot();
    const hash = machine.traceHash;
    machine.run({ budget: 1000 });
    const later = {
      hash: machine.traceHash,
      rax: machine.readRegister('rax'),
      now: machine.clock.now(),
    };
    machine.restore(snapshot);
    expect(machine.traceHash).toBe(hash);
    expect(machine.retired).toBe(101);
    machine.run({ budget: 1000 });
    expect(machine.traceHash).toBe(later.hash);
    expect(machine.readRegister('rax')).toBe(later.rax);
    expect(machine.clock.now()).toBe(later.now);
  });

  it('survives the way through bytes, and forks', () => {
    const machine = longMachine(LOOP);
    machine.run({ budget: 500 });
    const bytes = snapshotToBytes(machine.snapshot());
    const twin = createMachine({ ram: 4 << 20 });
    twin.restore(snapshotFromBytes(bytes));
    const fork = machine.fork();
    for (const m of [machine, twin, fork]) expect(m.run().kind).toBe('halt');
    for (const m of [twin, fork]) {
      expect(m.readRegister('rax')).toBe(500500n);
      expect(m.traceHash).toBe(machine.traceHash);
    }
  });

  it('refuses damaged bytes and snapshots of other machines', () => {
    const machine = longMachine(LOOP);
    const bytes = snapshotToBytes(machine.snapshot());
    expect(() => snapshotFromBytes(bytes.subarray(0, 10))).toThrow(/not a snapshot/);
    expect(() => snapshotFromBytes(bytes.subarray(0, bytes.length - 1))).toThrow(
      /bytes, its header/,
    );
    const flipped = Uint8Array.from(bytes);
    flipped[bytes.length - 1] = (flipped.at(-1) as number) ^ 1;
    expect(() => snapshotFromBytes(flipped)).toThrow(/snapshot is damaged: CRC-32 at offset 8/);
    const other = createMachine({ ram: 8 << 20 });
    expect(() => other.restore(machine.snapshot())).toThrow(SnapshotError);
  });
});

describe('callGuest', () => {
  /** lea rax, [rcx + rdx]; add rax, r8; add rax, r9; add rax, [rsp + 0x28]; ret */
  const SUM = [
    0x48, 0x8d, 0x04, 0x11, 0x4c, 0x01, 0xc0, 0x4c, 0x01, 0xc8, 0x48, 0x03, 0x44, 0x24, 0x28, 0xc3,
  ];

  it('passes arguments by the Microsoft convention and gives back RIP and RSP', () => {
    const machine = longMachine(SUM);
    machine.writeRegister('rip', 0x1234n);
    const result = callGuest(machine, 'ms-x64', CODE, [1n, 20n, 300n, 4000n, 50000n]);
    expect(result).toMatchObject({ returned: true, value: 54321n, breaches: [], instructions: 5 });
    expect(machine.readRegister('rip')).toBe(0x1234n);
    expect(machine.readRegister('rsp')).toBe(STACK);
  });

  it('passes arguments by the System V convention', () => {
    // lea rax, [rdi + rsi*2]; ret
    const machine = longMachine([0x48, 0x8d, 0x04, 0x77, 0xc3]);
    expect(callGuest(machine, 'sysv-x64', CODE, [5n, 8n]).value).toBe(21n);
  });

  it('reports what the callee broke', () => {
    // mov ebx, 1; std; ret
    const machine = longMachine([0xbb, 1, 0, 0, 0, 0xfd, 0xc3]);
    expect(callGuest(machine, 'ms-x64', CODE).breaches.map((b) => b.what)).toEqual([
      'rbx',
      'direction flag',
    ]);
    // pop rcx; pop rdx; push rcx; ret: the stack is not balanced
    const unbalanced = longMachine([0x59, 0x5a, 0x51, 0xc3]);
    expect(callGuest(unbalanced, 'ms-x64', CODE).breaches.map((b) => b.what)).toContain(
      'stack pointer',
    );
  });

  it('ends a callee that never returns with the budget, and refuses an unmapped stack', () => {
    const machine = longMachine([0xeb, 0xfe]);
    const result = callGuest(machine, 'ms-x64', CODE, [], { budget: 1000 });
    expect(result).toMatchObject({ returned: false, exit: { kind: 'budget' }, instructions: 1000 });
    expect(() => callGuest(machine, 'ms-x64', CODE, [], { stack: 0x7000_0000n })).toThrow(
      /stack at 0x6fff.* not mapped to memory/,
    );
  });
});

it('disassembles the current instruction', async () => {
  const machine = longMachine([0x48, 0x8d, 0x44, 0x9e, 0x40]);
  const disassembler = await createDisassembler();
  expect(disassembler.current(machine)).toMatchObject({
    address: CODE,
    text: 'lea rax, [rsi + rbx*4 + 0x40]',
  });
  disassembler.close();
});

it('keeps segments as they were set', () => {
  const machine = longMachine([]);
  expect(machine.segment('cs').selector).toBe(FLAT_CODE);
  expect(machine.segment('ss').selector).toBe(FLAT_DATA);
});
