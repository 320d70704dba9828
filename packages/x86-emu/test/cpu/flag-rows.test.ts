import { describe, expect, test } from 'vitest';
import { FLAG } from '../../src/cpu/control-bits.ts';
import { CODE, raised, runGuest } from './guest.ts';
import type { GuestMode, GuestOptions } from './guest.ts';
import { SEL, gate, poke, setLongGate } from './memory-cpu.ts';

const DATA = 0x9000;
const UNTIL = { kind: 'until' };
const MODES: readonly GuestMode[] = ['real', 'protected', 'long'];

describe('interrupt flag', () => {
  test.each(MODES)('CLI and STI at privilege 0 in %s mode', (mode) => {
    const { machine, exit } = runGuest(mode, 'FB 90 FA', { budget: 1 });
    expect(exit.kind).toBe('budget');
    expect(machine.state.rflags & FLAG.IF).toBe(FLAG.IF);
    machine.run({ budget: 2 });
    expect(machine.state.rflags & FLAG.IF).toBe(0);
  });

  test.each(['FA', 'FB'])('%s above IOPL: #GP(0); at IOPL 3: allowed', (code) => {
    expect(runGuest('long', code, { privilege: 3 }).exit).toEqual(raised(13, 0));
    const open = runGuest('long', code, {
      privilege: 3,
      prepare: ({ state }) => {
        state.rflags = 2 | FLAG.IOPL;
      },
    });
    expect(open.exit).toEqual(UNTIL);
  });

  test('an interrupt comes after the instruction behind STI, not before', () => {
    const { machine } = runGuest('long', '90 FB 90 90 90', {
      budget: 1,
      prepare: (cpu) => setLongGate(cpu, 0x40, gate(SEL.long0, BigInt(DATA), 0x8e)),
    });
    machine.setInterruptLine(true, () => 0x40);
    machine.run({ budget: 1 });
    expect(machine.readRegister('rip')).toBe(BigInt(CODE + 2));
    machine.run({ budget: 1 });
    machine.run({ budget: 1 });
    const rsp = Number(machine.readRegister('rsp'));
    expect(machine.memory.read(rsp, 1)[0]).toBe(3);
    machine.setInterruptLine(false, () => 0x40);
  });

  test('STI with IF already set has no shadow', () => {
    const { machine } = runGuest('long', 'FB 90 FB 90', {
      budget: 2,
      prepare: (cpu) => setLongGate(cpu, 0x40, gate(SEL.long0, BigInt(DATA), 0x8e)),
    });
    machine.run({ budget: 1 });
    machine.setInterruptLine(true, () => 0x40);
    machine.run({ budget: 1 });
    expect(machine.memory.read(Number(machine.readRegister('rsp')), 1)[0]).toBe(3);
    machine.setInterruptLine(false, () => 0x40);
  });

  test('POPF that sets IF lets a waiting interrupt in at once', () => {
    const { machine } = runGuest('long', '90 9D 90 90', {
      budget: 1,
      prepare: (cpu) => {
        setLongGate(cpu, 0x40, gate(SEL.long0, BigInt(DATA), 0x8e));
        poke(cpu, 8, 0x8000, BigInt(2 | FLAG.IF));
      },
    });
    machine.setInterruptLine(true, () => 0x40);
    machine.run({ budget: 2 });
    expect(machine.memory.read(Number(machine.readRegister('rsp')), 1)[0]).toBe(2);
    machine.setInterruptLine(false, () => 0x40);
  });
});

describe('PUSHF and POPF', () => {
  const ALL = 0x3f_7fd7;
  test.each([
    ['real', 0, '66 9D', 2, 4, 0x24_7fd7],
    ['real', 0, '9D', 2, 2, 0x7fd7],
    ['protected', 0, '9D', 2, 4, 0x24_7fd7],
    ['protected', 3, '9D', 2 | FLAG.IF, 4, 0x24_4fd7],
    ['long', 0, '9D', 2, 8, 0x24_7fd7],
    ['long', 3, '9D', 2, 8, 0x24_4dd7],
    ['long', 3, '9D', 2 | FLAG.IOPL, 8, 0x24_7fd7],
    ['long', 0, '66 9D', 2 | FLAG.AC | FLAG.RF, 2, 0x04_7fd7],
  ] as const)('POPF in %s mode at CPL %i: %s', (mode, privilege, code, before, bytes, after) => {
    const { machine, exit } = runGuest(mode, code, {
      privilege,
      budget: 1,
      prepare: (cpu) => {
        cpu.state.rflags = before;
        poke(cpu, 8, 0x8000, BigInt(ALL & ~FLAG.TF));
      },
    });
    expect(exit.kind).toBe('budget');
    expect(machine.state.rflags).toBe(after & ~FLAG.TF);
    expect(machine.readRegister('rsp')).toBe(BigInt(0x8000 + bytes));
  });

  test.each([
    ['real', '9C', 2],
    ['real', '66 9C', 4],
    ['protected', '9C', 4],
    ['long', '9C', 8],
    ['long', '66 9C', 2],
  ] as const)('PUSHF in %s mode: %s pushes %i bytes without RF', (mode, code, bytes) => {
    const flags = 2 | FLAG.ZF | FLAG.OF | FLAG.IF | FLAG.RF | FLAG.ID;
    const guest = runGuest(mode, code, {
      prepare: ({ state }) => {
        state.rflags = flags;
      },
    });
    expect(guest.machine.readRegister('rsp')).toBe(BigInt(0x8000 - bytes));
    const pushed = BigInt.asUintN(bytes * 8, BigInt(flags & ~FLAG.RF));
    expect(guest.read(0x8000 - bytes, bytes)).toBe(pushed);
  });

  test.each(['9C', '9D', 'FA', 'CF', 'CD80'])(
    'virtual-8086 mode with IOPL 0: %s is #GP(0)',
    (code) => {
      const { exit } = runGuest('protected', code, {
        privilege: 3,
        prepare: ({ state }) => {
          state.rflags = 2 | FLAG.VM;
          state.setSegment('cs', { selector: 0, base: 0n, limit: 0xf_ffff, attributes: 0xf3 });
        },
      });
      expect(exit).toEqual(raised(13, 0));
    },
  );

  test('POPF that sets TF: #DB after the next instruction, with DR6.BS', () => {
    const { machine, exit } = runGuest('long', '9D 90 90 90', {
      prepare: (cpu) => poke(cpu, 8, 0x8000, BigInt(2 | FLAG.TF)),
    });
    expect(exit).toEqual(raised(1, undefined, 2));
    expect(machine.state.big('dr6') & 0x4000n).toBe(0x4000n);
  });
});

describe('ports', () => {
  test.each([
    ['E6 82', ['w1 2 78']],
    ['E7 82', ['w4 2 12345678']],
    ['66 E7 82', ['w2 2 5678']],
    ['EE', ['w1 4 78']],
    ['EF', ['w4 4 12345678']],
    ['48 EF', ['w4 4 12345678']],
  ] as const)('OUT %s', (code, log) => {
    const guest = runGuest('long', code, {
      prepare: ({ state }) => {
        state.setGpr(0, 0xffff_ffff_1234_5678n);
        state.setGpr(2, 0xabcd_0084n);
      },
    });
    expect(guest.exit).toEqual(UNTIL);
    expect(guest.portLog).toEqual(log);
  });

  test.each([
    ['E4 81', 0xffff_ffff_1234_5699n],
    ['66 ED', 0xffff_ffff_1234_8899n],
    ['ED', 0x7788_8899n],
  ] as const)('IN %s', (code, rax) => {
    const guest = runGuest('long', code, {
      portValue: 0x7788_8899,
      prepare: ({ state }) => {
        state.setGpr(0, 0xffff_ffff_1234_5678n);
        state.setGpr(2, 0x81n);
      },
    });
    expect(guest.machine.readRegister('rax')).toBe(rax);
  });

  test('REP INSB counts each iteration, goes down with DF, uses ES', () => {
    const { machine, portLog, retired } = runGuest('protected', 'F3 6C', {
      portValue: 0x5a,
      budget: 3,
      prepare: ({ state }) => {
        state.setGpr(1, 3n);
        state.setGpr(2, 0x80n);
        state.setGpr(7, BigInt(DATA));
        state.rflags = 2 | FLAG.DF;
      },
    });
    expect(portLog).toHaveLength(3);
    expect(retired).toBe(3);
    expect([...machine.memory.read(DATA - 3, 4)]).toEqual([0, 0x5a, 0x5a, 0x5a]);
    expect(machine.readRegister('rdi')).toBe(BigInt(DATA - 3));
    expect(machine.readRegister('rip')).toBe(BigInt(CODE + 2));
  });

  test('REP OUTSW with a segment override and a count of zero', () => {
    const prepare = (count: bigint): GuestOptions => ({
      prepare: ({ state, bytes }) => {
        state.setGpr(1, count);
        state.setGpr(2, 0x80n);
        state.setGpr(6, BigInt(DATA));
        state.setSegment('fs', { ...state.segment('fs'), base: 4n });
        bytes.set([1, 2, 3, 4, 5, 6, 7, 8], DATA);
      },
    });
    expect(runGuest('long', 'F3 64 66 6F', prepare(2n)).portLog).toEqual(['w2 0 605', 'w2 0 807']);
    const none = runGuest('long', 'F3 6F', prepare(0n));
    expect(none.exit).toEqual(UNTIL);
    expect(none.portLog).toEqual([]);
    expect(none.machine.readRegister('rsi')).toBe(BigInt(DATA));
  });

  test('a user program needs the bitmap; INS checks its destination before it reads the port', () => {
    expect(runGuest('long', 'E4 80', { privilege: 3 }).exit).toEqual(raised(13, 0));
    const guest = runGuest('long', '6C', {
      prepare: ({ state }) => state.setGpr(7, 0x8000_0000_0000_0000n),
    });
    expect(guest.exit).toEqual(raised(13, 0));
    expect(guest.portLog).toEqual([]);
  });
});
