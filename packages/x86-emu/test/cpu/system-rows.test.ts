import { describe, expect, test } from 'vitest';
import type { CpuState } from '../../src/cpu/cpu-state.ts';
import { CR0, CR4, FLAG } from '../../src/cpu/control-bits.ts';
import { CODE, raised, runGuest } from './guest.ts';
import type { Guest, GuestMode, GuestOptions } from './guest.ts';
import {
  GDT,
  SEL,
  TSS,
  descriptor,
  gate,
  poke,
  setGate,
  setGdt,
  setLongGate,
} from './memory-cpu.ts';

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

describe('segment registers', () => {
  test('MOV Sreg: CS and the two that do not exist are #UD; stores are 16 bits in memory', () => {
    expect(runGuest('long', '8E C8').exit).toEqual(raised(6));
    expect(runGuest('long', '8E F0').exit).toEqual(raised(6));
    expect(runGuest('long', '8C F0').exit).toEqual(raised(6));
    const store = runGuest('long', '48 8C 1F', {
      prepare: ({ state, bytes }) => {
        state.setGpr(7, BigInt(DATA));
        bytes.fill(0xff, DATA, DATA + 8);
      },
    });
    expect(store.read(DATA, 8)).toBe(0xffff_ffff_ffff_0010n);
    const register = runGuest('long', '8C D8', {
      prepare: ({ state }) => state.setGpr(0, 0xffff_ffff_ffff_ffffn),
    });
    expect(register.machine.readRegister('rax')).toBe(0x10n);
    const short = runGuest('long', '66 8C D8', {
      prepare: ({ state }) => state.setGpr(0, 0xffff_ffff_ffff_ffffn),
    });
    expect(short.machine.readRegister('rax')).toBe(0xffff_ffff_ffff_0010n);
  });

  test('MOV SS holds an interrupt off for one instruction', () => {
    const { machine } = runGuest('long', '90 8E D0 90 90', {
      budget: 1,
      prepare: (cpu) => {
        cpu.state.setGpr(0, BigInt(SEL.data0));
        cpu.state.rflags = 2 | FLAG.IF;
        setLongGate(cpu, 0x40, gate(SEL.long0, BigInt(DATA), 0x8e));
      },
    });
    machine.run({ budget: 1 });
    machine.setInterruptLine(true, () => 0x40);
    machine.run({ budget: 1 });
    machine.run({ budget: 1 });
    expect(machine.memory.read(Number(machine.readRegister('rsp')), 1)[0]).toBe(4);
    machine.setInterruptLine(false, () => 0x40);
  });

  test('PUSH and POP of segment registers', () => {
    const pushed = runGuest('protected', '1E 66 06');
    expect(pushed.read(0x7ffc, 4)).toBe(0x10n);
    expect(pushed.machine.readRegister('rsp')).toBe(0x7ffan);
    const popped = runGuest('long', '0F A1', {
      prepare: (cpu) => poke(cpu, 8, 0x8000, BigInt(SEL.data0)),
    });
    expect(popped.machine.segment('fs').selector).toBe(SEL.data0);
    expect(popped.machine.readRegister('rsp')).toBe(0x8008n);
    const bad = runGuest('long', '0F A1', { prepare: (cpu) => poke(cpu, 8, 0x8000, 0x80n) });
    expect(bad.exit).toEqual(raised(13, 0x80));
    expect(bad.machine.readRegister('rsp')).toBe(0x8000n);
    expect(runGuest('long', '06').exit).toEqual(raised(6));
  });

  test('POP DS in real mode, then an access through it', () => {
    const { machine } = runGuest('real', '1F A0 34 12', {
      prepare: (cpu) => {
        poke(cpu, 2, 0x8000, 0x0800n);
        cpu.bytes[0x9234] = 0x42;
      },
    });
    expect(machine.readRegister('rax') & 0xffn).toBe(0x42n);
  });

  test('LDS, LES, LSS load offset and selector; register forms are #UD', () => {
    const pointer: GuestOptions = {
      prepare: ({ bytes }) => bytes.set([1, 2, 3, 4, SEL.code0, 0], DATA),
    };
    const { machine } = runGuest('protected', 'C5 1D 00 90 00 00', pointer);
    expect(machine.readRegister('rbx')).toBe(0x0403_0201n);
    expect(machine.segment('ds').selector).toBe(SEL.code0);
    const bad = runGuest('protected', '0F B2 1D 00 90 00 00', pointer);
    expect(bad.exit).toEqual(raised(13, SEL.code0));
    expect(bad.machine.readRegister('rbx')).toBe(0n);
    expect(runGuest('protected', '0F B4 C0').exit).toEqual(raised(6));
  });

  test('SLDT, STR, LLDT, LTR; #UD in real mode, #GP(0) for a user', () => {
    expect(runGuest('long', '0F 00 C8').machine.readRegister('rax')).toBe(BigInt(SEL.tss));
    expect(
      runGuest('long', '0F 00 D0', { prepare: ({ state }) => state.setGpr(0, 3n) }).exit,
    ).toEqual(UNTIL);
    expect(runGuest('long', '0F 00 D8', { privilege: 3 }).exit).toEqual(raised(13, 0));
    const tr = runGuest('long', '0F 00 D8', { prepare: ({ state }) => state.setGpr(0, 0x38n) });
    expect(tr.exit).toEqual(UNTIL);
    expect(tr.machine.memory.read(GDT + 0x3d, 1)[0]).toBe(0x8b);
    for (const code of ['0F 00 C8', '0F 00 D0', '0F 02 C0', '0F 00 E0', '63 C0'])
      expect(runGuest('real', code).exit).toMatchObject({ kind: 'exception', vector: 6 });
  });

  test.each([
    ['LAR of code', '0F 02 D8', SEL.code0, true, 0xc0_9b00n],
    ['LAR of a null selector', '0F 02 D8', 0, false, 0n],
    ['LAR of an inner segment', '0F 02 D8', SEL.code0 | 3, false, 0n],
    ['LAR of conforming code', '0F 02 D8', SEL.conforming | 3, true, 0xc0_9f00n],
    ['LAR of a TSS', '0F 02 D8', SEL.tss, true, 0x8900n],
    ['LAR with 16 bits', '66 0F 02 D8', SEL.code0, true, 0x9b00n],
    ['LSL of code', '0F 03 D8', SEL.code0, true, 0xffff_ffffn],
    ['LSL of 16-bit code', '0F 03 D8', SEL.code16, true, 0xffffn],
    ['LSL of a TSS', '0F 03 D8', SEL.tss, true, 0x67n],
    ['LSL outside the table', '0F 03 D8', 0x200, false, 0n],
    ['VERR of code', '0F 00 E0', SEL.code0, true, 0n],
    ['VERW of code', '0F 00 E8', SEL.code0, false, 0n],
    ['VERW of data', '0F 00 E8', SEL.data0, true, 0n],
    ['VERR of a TSS', '0F 00 E0', SEL.tss, false, 0n],
  ] as const)('%s', (_what, code, selector, found, rbx) => {
    const { machine, exit } = runGuest('protected', code, {
      prepare: ({ state }) => state.setGpr(0, BigInt(selector)),
    });
    expect(exit).toEqual(UNTIL);
    expect((machine.state.rflags & FLAG.ZF) !== 0).toBe(found);
    expect(machine.readRegister('rbx')).toBe(rbx);
  });

  test('a gate has no limit and, in long mode, only call gates have rights', () => {
    const run = (mode: GuestMode, code: string, access: number): boolean =>
      (runGuest(mode, code, {
        prepare: (cpu) => {
          setGdt(cpu, 0x78, gate(SEL.code0, 0n, access)[0]);
          cpu.state.setGpr(0, 0x78n);
        },
      }).machine.state.rflags &
        FLAG.ZF) !==
      0;
    expect([run('protected', '0F 02 D8', 0x8c), run('long', '0F 02 D8', 0x8c)]).toEqual([
      true,
      true,
    ]);
    expect([run('protected', '0F 02 D8', 0x85), run('long', '0F 02 D8', 0x85)]).toEqual([
      true,
      false,
    ]);
    expect([run('protected', '0F 03 D8', 0x8c), run('protected', '0F 02 D8', 0x8e)]).toEqual([
      false,
      false,
    ]);
  });

  test('ARPL raises the RPL', () => {
    const run = (rax: bigint, rbx: bigint): readonly [bigint, number] => {
      const { machine } = runGuest('protected', '63 D8', {
        prepare: ({ state }) => {
          state.setGpr(0, rax);
          state.setGpr(3, rbx);
        },
      });
      return [machine.readRegister('rax'), machine.state.rflags & FLAG.ZF];
    };
    expect(run(0x1_0010n, 3n)).toEqual([0x1_0013n, FLAG.ZF]);
    expect(run(0x13n, 3n)).toEqual([0x13n, 0]);
  });

  test('SWAPGS, RDGSBASE and WRFSBASE', () => {
    const { machine, exit } = runGuest('long', '0F 01 F8 F3 48 0F AE C8 F3 48 0F AE D3', {
      prepare: ({ state }) => {
        state.setBig('cr4', state.big('cr4') | BigInt(CR4.FSGSBASE));
        state.setBig('kernelGsBase', 0xffff_8000_0000_0000n);
        state.setGpr(3, 0x1234n);
      },
    });
    expect(exit).toEqual(UNTIL);
    expect(machine.readRegister('rax')).toBe(0xffff_8000_0000_0000n);
    expect(machine.state.big('kernelGsBase')).toBe(0n);
    expect(machine.segment('fs').base).toBe(0x1234n);
    expect(runGuest('long', 'F3 48 0F AE C8').exit).toEqual(raised(6));
    expect(runGuest('long', '0F 01 F8', { privilege: 3 }).exit).toEqual(raised(13, 0));
    expect(runGuest('protected', '0F 01 F8').exit).toEqual(raised(6));
  });
});

describe('far transfers', () => {
  test('from real to protected to long mode, as firmware does it', () => {
    // lgdt [0x9000]; mov eax, 1; mov cr0, eax; ljmp 8:protected
    const real = '66 67 0F 01 15 00 90 00 00 66 B8 01 00 00 00 0F 22 C0 66 EA 1A 00 01 00 08 00';
    // protected: mov eax, cr4=0x20; cr3=0x20000; EFER.LME; cr0 |= PG; ljmp long0:long
    const protectedMode =
      'B8 20 00 00 00 0F 22 E0 B8 00 00 02 00 0F 22 D8 B9 80 00 00 C0 0F 32 0D 00 01 00 00 0F 30 ' +
      '0F 20 C0 0D 00 00 00 80 0F 22 C0 EA 4A 00 01 00 48 00';
    // long: mov rax, imm64; hlt
    const long = '48 B8 88 77 66 55 44 33 22 11 F4';
    const { machine } = runGuest('real', `${real} ${protectedMode} ${long}`, {
      budget: 40,
      prepare: (cpu) => {
        setGdt(cpu, SEL.code0, descriptor({ access: 0x9b }));
        setGdt(cpu, SEL.long0, descriptor({ access: 0x9b, flags: 2 }));
        poke(cpu, 2, DATA, 0x7fn);
        poke(cpu, 4, DATA + 2, BigInt(GDT));
        poke(cpu, 8, 0x20000, 0x21007n);
        poke(cpu, 8, 0x21000, 0x87n);
      },
    });
    expect(machine.readRegister('rax')).toBe(0x1122_3344_5566_7788n);
    expect(machine.state.big('efer')).toBe(0x500n);
    expect(machine.state.get('halted')).toBe(1);
    expect(machine.segment('cs').selector).toBe(SEL.long0);
  });

  test('INT n, IRETQ and INT3 in long mode', () => {
    const { machine, exit } = runGuest('long', 'CD 80 CC', {
      prepare: (cpu) => {
        cpu.state.set('idtrLimit', 0xfff);
        setLongGate(cpu, 0x80, gate(SEL.long0, BigInt(DATA), 0x8e));
        setLongGate(cpu, 3, gate(SEL.long0, BigInt(DATA), 0x8e));
        cpu.bytes.set([0xff, 0xc3, 0x48, 0xcf], DATA);
      },
    });
    expect(exit).toEqual(UNTIL);
    expect(machine.readRegister('rbx')).toBe(2n);
    expect(machine.readRegister('rsp')).toBe(0x8000n);
  });

  test('INT of a user without a gate: #GP names the vector; INTO is #UD in 64-bit code', () => {
    const user = runGuest('long', 'CD 21', {
      privilege: 3,
      prepare: (cpu) => setLongGate(cpu, 0x21, gate(SEL.long0, BigInt(DATA), 0x8e)),
    });
    expect(user.exit).toEqual(raised(13, 0x21 * 8 + 2));
    expect(runGuest('long', 'CE').exit).toEqual(raised(6));
  });

  test('INTO with and without overflow', () => {
    const run = (flags: number): bigint =>
      runGuest('protected', 'CE', {
        budget: 1,
        prepare: (cpu) => {
          setGate(cpu, 4, gate(SEL.code0, BigInt(DATA), 0x8e)[0]);
          cpu.state.rflags = flags;
        },
      }).machine.readRegister('rip');
    expect([run(2), run(2 | FLAG.OF)]).toEqual([BigInt(CODE + 1), BigInt(DATA)]);
  });

  test('far CALL through memory and RETF in 64-bit code', () => {
    const { machine, exit } = runGuest('long', 'FF 1C 25 00 91 00 00 48 FF 1C 25 10 91 00 00', {
      prepare: (cpu) => {
        poke(cpu, 4, 0x9100, BigInt(DATA));
        poke(cpu, 2, 0x9104, BigInt(SEL.long0));
        poke(cpu, 8, 0x9110, BigInt(DATA + 8));
        poke(cpu, 2, 0x9118, BigInt(SEL.long0));
        cpu.bytes.set([0xcb], DATA);
        cpu.bytes.set([0x48, 0xcb], DATA + 8);
      },
    });
    expect(exit).toEqual(UNTIL);
    expect(machine.readRegister('rsp')).toBe(0x8000n);
    expect(runGuest('long', '9A 00 00 00 00 08 00').exit).toEqual(raised(6));
  });

  test('user code: SYSCALL to the kernel and SYSRET back', () => {
    const { machine, exit } = runGuest('long', '0F 05 90', {
      privilege: 3,
      prepare: ({ state, bytes }) => {
        state.setBig('star', (0x13n << 48n) | (BigInt(SEL.long0) << 32n));
        state.setBig('lstar', BigInt(DATA));
        bytes.set([0x48, 0x0f, 0x07], DATA);
      },
    });
    expect(exit).toEqual(UNTIL);
    expect(machine.state.get('cpl')).toBe(3);
    expect(machine.segment('cs').selector).toBe(0x23);
    expect(machine.retired).toBeGreaterThanOrEqual(3);
  });

  test('an exception in user code is delivered through the TSS', () => {
    const { machine } = runGuest('long', '90 0F 0B', {
      privilege: 3,
      budget: 1,
      prepare: (cpu) => {
        poke(cpu, 8, TSS + 4, 0x9800n);
        setLongGate(cpu, 6, gate(SEL.long0, BigInt(DATA), 0x8e));
      },
    });
    machine.hooks.interrupt = undefined;
    machine.run({ budget: 1 });
    expect(machine.readRegister('rip')).toBe(BigInt(DATA));
    expect(machine.readRegister('rsp')).toBe(0x97d8n);
    expect(machine.state.get('cpl')).toBe(0);
  });
});

describe('control registers and tables', () => {
  test.each(['0F 20 C8', '0F 22 C8', '0F 20 E8', '44 0F 20 C8'])(
    '%s names no register: #UD',
    (code) => {
      expect(runGuest('long', code).exit).toEqual(raised(6));
    },
  );

  test.each([
    '0F 20 C0',
    '0F 22 C0',
    '0F 21 C0',
    '0F 06',
    '0F 01 15 00 00 00 00',
    '0F 01 3D 00 00 00 00',
    '0F 30',
    '0F 32',
    '0F 08',
    '0F 09',
    'F4',
  ])('%s at CPL 3: #GP(0)', (code) => {
    expect(runGuest('long', code, { privilege: 3 }).exit).toEqual(raised(13, 0));
  });

  test('MOV CR reads 64 bits in long mode whatever the prefixes, 32 outside', () => {
    const ones: GuestOptions = { prepare: ({ state }) => state.setGpr(0, 0xffff_ffff_ffff_ffffn) };
    expect(runGuest('long', '66 0F 20 D8', ones).machine.readRegister('rax')).toBe(0x20000n);
    expect(runGuest('long', '44 0F 20 C0', ones).machine.readRegister('rax')).toBe(0n);
    expect(runGuest('protected', '66 0F 20 C0', ones).machine.readRegister('eax')).toBe(0x11n);
  });

  test('CR8 keeps the task priority', () => {
    const { machine, exit } = runGuest('long', '44 0F 22 C0 44 0F 20 C3', {
      prepare: ({ state }) => state.setGpr(0, 9n),
    });
    expect(exit).toEqual(UNTIL);
    expect(machine.readRegister('rbx')).toBe(9n);
    expect(machine.readRegister('cr8')).toBe(9n);
  });

  test('a bad CR0 or CR4: #GP(0), nothing changed', () => {
    const { exit, machine } = runGuest('long', '0F 22 C0', {
      prepare: ({ state }) => state.setGpr(0, BigInt(CR0.PG)),
    });
    expect(exit).toEqual(raised(13, 0));
    expect(machine.state.big('cr0')).toBe(BigInt(CR0.PG + CR0.PE + CR0.ET + CR0.WP));
  });

  test('LGDT and SGDT, LIDT and SIDT', () => {
    const run = (mode: GuestMode, load: string, store: string): readonly bigint[] => {
      const { read } = runGuest(mode, load + store, {
        prepare: ({ bytes, state }) => {
          bytes.set([0x34, 0x12, 1, 2, 3, 4, 0, 0x80, 0xff, 0xff], DATA);
          state.setGpr(3, BigInt(DATA));
        },
      });
      return [read(DATA + 0x10, 2), read(DATA + 0x12, 8)];
    };
    expect(run('long', '0F 01 13', '0F 01 43 10')).toEqual([0x1234n, 0xffff_8000_0403_0201n]);
    expect(run('long', '0F 01 1B', '0F 01 4B 10')).toEqual([0x1234n, 0xffff_8000_0403_0201n]);
    expect(run('protected', '0F 01 13', '0F 01 43 10')).toEqual([0x1234n, 0x0403_0201n]);
    expect(run('protected', '66 0F 01 13', '66 0F 01 43 10')).toEqual([0x1234n, 0x0003_0201n]);
  });

  test('LGDT of a non-canonical base: #GP(0)', () => {
    const { exit } = runGuest('long', '0F 01 14 25 00 90 00 00', {
      prepare: ({ bytes }) => bytes.set([0, 0, 0, 0, 0, 0, 0, 0x80], DATA),
    });
    expect(exit).toEqual(raised(13, 0));
  });

  test('SMSW and LMSW', () => {
    expect(runGuest('long', '0F 01 E0').machine.readRegister('rax')).toBe(0x8001_0011n);
    const { machine } = runGuest('long', '0F 01 F0', {
      prepare: ({ state }) => state.setGpr(0, 0xen),
    });
    expect(machine.state.big('cr0') & 0xfn).toBe(0xfn);
  });

  test('TS: x87, MMX and SSE instructions raise #NM until CLTS', () => {
    const prepare: GuestOptions = {
      prepare: ({ state }) => state.setBig('cr0', state.big('cr0') | BigInt(CR0.TS)),
    };
    expect(runGuest('long', '0F AE 04 25 00 90 00 00', prepare).exit).toEqual(raised(7));
    expect(runGuest('long', '0F AE 1C 25 00 90 00 00', prepare).exit).toEqual(raised(7));
    expect(runGuest('long', '0F 06 0F AE 1C 25 00 90 00 00', prepare).exit).toEqual(UNTIL);
  });

  test('STAC and CLAC', () => {
    const { machine } = runGuest('long', '0F 01 CB');
    expect(machine.state.rflags & FLAG.AC).toBe(FLAG.AC);
    expect(runGuest('long', '0F 01 CB 0F 01 CA').machine.state.rflags & FLAG.AC).toBe(0);
    expect(runGuest('long', '0F 01 CB', { privilege: 3 }).exit).toEqual(raised(6));
  });

  test('an instruction breakpoint stops once: RF in the image lets IRET go on, and lives for one instruction', () => {
    // Two passes over the breakpoint at the NOP; the handler counts in RBX and sets RF.
    const { machine, exit } = runGuest('long', '90 FF C1 83 F9 02 75 F8', {
      prepare: (cpu) => {
        setLongGate(cpu, 1, gate(SEL.long0, BigInt(DATA), 0x8e));
        // inc ebx; or dword [rsp + 16], 0x10000; iretq
        cpu.bytes.set([0xff, 0xc3, 0x81, 0x4c, 0x24, 0x10, 0, 0, 1, 0, 0x48, 0xcf], DATA);
        cpu.state.setBig('dr0', BigInt(CODE));
        cpu.state.setBig('dr7', 0x401n);
      },
      deliver: true,
    });
    expect(exit).toEqual(UNTIL);
    expect(machine.readRegister('rbx')).toBe(2n);
    expect(machine.state.get('systemFlags') & FLAG.RF).toBe(0);
  });

  test('an I/O breakpoint traps behind the access', () => {
    const { machine, exit } = runGuest('long', 'E6 83 90', {
      prepare: ({ state }) => {
        state.setBig('cr4', state.big('cr4') | BigInt(CR4.DE));
        state.setBig('dr1', 0x82n);
        // DR1: I/O, two bytes.
        state.setBig('dr7', 0x0060_0408n);
      },
    });
    expect(exit).toEqual(raised(1, undefined, 2));
    expect(machine.state.big('dr6') & 0xfn).toBe(2n);
  });

  test('debug registers', () => {
    const { machine } = runGuest('long', '0F 23 C0 0F 21 C3', {
      prepare: ({ state }) => state.setGpr(0, 0x1234_5678_9abcn),
    });
    expect(machine.readRegister('rbx')).toBe(0x1234_5678_9abcn);
    expect(runGuest('long', '44 0F 21 C0').exit).toEqual(raised(6));
  });
});

describe('identification, time, registers of the model', () => {
  test('CPUID clears the upper halves', () => {
    const { machine } = runGuest('long', '0F A2', {
      prepare: ({ state }) => {
        state.setGpr(0, 0xffff_ffff_0000_0000n);
        state.setGpr(3, 0xffff_ffff_ffff_ffffn);
      },
    });
    const text = ['ebx', 'edx', 'ecx'] as const;
    const words = text.map((name) => Number(machine.readRegister(name)));
    expect(Buffer.from(new Uint32Array(words).buffer).toString()).toBe('AuthenticAMD');
    expect(machine.readRegister('rbx') >> 32n).toBe(0n);
  });

  test('RDMSR and WRMSR', () => {
    const { machine, exit } = runGuest('long', '0F 30 0F 32', {
      prepare: ({ state }) => {
        state.setGpr(0, 0xffff_ffff_4433_2211n);
        state.setGpr(1, 0xc000_0102n);
        state.setGpr(2, 0xffff_ffff_0000_6655n);
      },
    });
    expect(exit).toEqual(UNTIL);
    expect(machine.state.big('kernelGsBase')).toBe(0x6655_4433_2211n);
    expect([machine.readRegister('rax'), machine.readRegister('rdx')]).toEqual([
      0x4433_2211n,
      0x6655n,
    ]);
    expect(
      runGuest('long', '0F 32', { prepare: ({ state }) => state.setGpr(1, 0x1234n) }).exit,
    ).toEqual(raised(13, 0));
    expect(
      runGuest('long', '0F 30', { prepare: ({ state }) => state.setGpr(1, 0xfen) }).exit,
    ).toEqual(raised(13, 0));
  });

  test('RDTSC goes on, CR4.TSD keeps it from users; RDTSCP and RDPID give TSC_AUX', () => {
    const { machine } = runGuest('long', '0F 31 89 C3 0F 01 F9 F3 0F C7 FA', {
      prepare: ({ state }) => state.setBig('tscAux', 0x77n),
    });
    expect(machine.readRegister('rax')).toBeGreaterThan(machine.readRegister('rbx'));
    expect([machine.readRegister('rcx'), machine.readRegister('rdx')]).toEqual([0x77n, 0x77n]);
    const { exit } = runGuest('long', '0F 31', {
      privilege: 3,
      prepare: ({ state }) => state.setBig('cr4', state.big('cr4') | BigInt(CR4.TSD)),
    });
    expect(exit).toEqual(raised(13, 0));
  });

  test('XGETBV and XSETBV need CR4.OSXSAVE', () => {
    expect(runGuest('long', '0F 01 D0').exit).toEqual(raised(6));
    const on: GuestOptions = {
      prepare: ({ state }) => {
        state.setBig('cr4', state.big('cr4') | BigInt(CR4.OSXSAVE));
        state.setGpr(0, 3n);
        state.setGpr(2, 0n);
      },
    };
    const { machine, exit } = runGuest('long', '0F 01 D1 31 C0 0F 01 D0', on);
    expect(exit).toEqual(UNTIL);
    expect(machine.readRegister('rax')).toBe(3n);
  });

  test.each([
    '0F 01 C1',
    '0F 01 C8',
    '0F 01 C9',
    '0F 01 D9',
    '0F 01 DA',
    '0F AA',
    '66 0F 38 82 00',
    '0F 78 C0',
    '0F 01 CF',
  ])('VMX, SVM, MONITOR, RSM and INVPCID are absent: %s is #UD', (code) => {
    expect(runGuest('long', code).exit).toEqual(raised(6));
  });
});

describe('state images', () => {
  const fill = ({
    state,
    bytes,
  }: {
    readonly state: CpuState;
    readonly bytes: Uint8Array;
  }): void => {
    for (let i = 0; i < 16; i++) {
      state.setXmm(i, 0, BigInt(0x100 + i));
      state.setXmm(i, 1, BigInt(0x200 + i));
    }
    state.setBig('cr4', state.big('cr4') | BigInt(CR4.OSXSAVE | CR4.OSFXSR));
    state.setBig('xcr0', 3n);
    state.set('mxcsr', 0x1fa0);
    state.setGpr(0, 3n);
    state.setGpr(2, 0n);
    bytes.fill(0, DATA, DATA + 0x300);
  };
  const image: GuestOptions = { prepare: fill };

  test('FXSAVE and FXRSTOR', () => {
    const { read, exit } = runGuest('long', '0F AE 04 25 00 90 00 00', image);
    // Power-up value of the control word (SDM Vol. 3A, table 10-1).
    expect(exit).toEqual(UNTIL);
    expect([read(DATA, 2), read(DATA + 24, 4), read(DATA + 28, 4)]).toEqual([
      0x40n,
      0x1fa0n,
      0xffffn,
    ]);
    expect(read(DATA + 160 + 15 * 16, 8)).toBe(0x10fn);
    const back = runGuest(
      'long',
      '0F AE 04 25 00 90 00 00 66 45 0F EF FF 0F AE 0C 25 00 90 00 00',
      image,
    );
    expect(back.machine.state.xmm(15, 0)).toBe(0x10fn);
  });

  test('alignment and reserved MXCSR bits: #GP(0)', () => {
    expect(runGuest('long', '0F AE 04 25 08 90 00 00', image).exit).toEqual(raised(13, 0));
    const bad = runGuest('long', '0F AE 0C 25 00 90 00 00', {
      prepare: (cpu) => poke(cpu, 4, DATA + 24, 0x1_0000n),
    });
    expect(bad.exit).toEqual(raised(13, 0));
    expect(
      runGuest('long', '0F AE 14 25 00 90 00 00', {
        prepare: (cpu) => poke(cpu, 4, DATA, 0x1_0000n),
      }).exit,
    ).toEqual(raised(13, 0));
  });

  test('32-bit code saves eight XMM registers', () => {
    const { read } = runGuest('protected', '0F AE 05 00 90 00 00', image);
    expect([read(DATA + 160 + 7 * 16, 8), read(DATA + 160 + 8 * 16, 8)]).toEqual([0x107n, 0n]);
  });

  test('XSAVE writes the components asked for and their header bits', () => {
    const sse = runGuest('long', '0F AE 24 25 00 90 00 00', {
      prepare: (cpu) => {
        fill(cpu);
        cpu.state.setGpr(0, 2n);
        poke(cpu, 8, DATA + 512, 1n);
      },
    });
    expect([sse.read(DATA, 2), sse.read(DATA + 24, 4), sse.read(DATA + 512, 8)]).toEqual([
      0n,
      0x1fa0n,
      3n,
    ]);
    expect(runGuest('long', '0F AE 24 25 10 90 00 00', image).exit).toEqual(raised(13, 0));
    expect(runGuest('long', '0F AE 24 25 00 90 00 00').exit).toEqual(raised(6));
  });

  test('XRSTOR gives absent components their initial state, refuses a bad header', () => {
    const run = (header: bigint, compacted = 0n): Guest =>
      runGuest('long', '0F AE 2C 25 00 90 00 00', {
        prepare: (cpu) => {
          fill(cpu);
          poke(cpu, 4, DATA + 24, 0x1f80n);
          poke(cpu, 8, DATA + 512, header);
          poke(cpu, 8, DATA + 520, compacted);
        },
      });
    const { machine, exit } = run(1n);
    expect(exit).toEqual(UNTIL);
    expect([machine.state.xmm(3, 0), machine.state.get('mxcsr')]).toEqual([0n, 0x1f80]);
    expect(run(4n).exit).toEqual(raised(13, 0));
    expect(run(3n, 1n << 63n).exit).toEqual(raised(13, 0));
  });
});
