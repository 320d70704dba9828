import { describe, expect, test } from 'vitest';
import { CR4, FLAG } from '../../src/cpu/control-bits.ts';
import { CODE, raised, runGuest } from './guest.ts';
import type { GuestMode, GuestOptions } from './guest.ts';
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
