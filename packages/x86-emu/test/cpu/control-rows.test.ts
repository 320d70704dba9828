import { describe, expect, test } from 'vitest';
import { CR0, CR4, FLAG } from '../../src/cpu/control-bits.ts';
import { CODE, raised, runGuest } from './guest.ts';
import type { GuestMode, GuestOptions } from './guest.ts';
import { SEL, gate, setLongGate } from './memory-cpu.ts';

const DATA = 0x9000;
const UNTIL = { kind: 'until' };

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
