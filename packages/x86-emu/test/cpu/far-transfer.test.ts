import { beforeEach, describe, expect, test } from 'vitest';
import { CR4, FLAG } from '../../src/cpu/control-bits.ts';
import { farReturn, interruptReturn } from '../../src/cpu/far-return.ts';
import { farTransfer } from '../../src/cpu/far-transfer.ts';
import { syscall, sysenter, sysexit, sysret } from '../../src/cpu/system-call.ts';
import { QEMU64_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import {
  GDT,
  SEL,
  TSS,
  createMemoryCpu,
  descriptor,
  enterLong,
  enterProtected,
  faultOf,
  gate,
  peekAll,
  poke,
  setGdt,
} from './memory-cpu.ts';
import type { MemoryCpu } from './memory-cpu.ts';

const RSP = 4;
const TEST = 0x78;
const gp = (errorCode: number): unknown => ({ vector: 13, errorCode });
const np = (errorCode: number): unknown => ({ vector: 11, errorCode });

let cpu: MemoryCpu;
beforeEach(() => {
  cpu = createMemoryCpu();
});

/** Puts values on the stack, the first one at the stack pointer. */
const stack = (bytes: 2 | 4 | 8, ...values: readonly (number | bigint)[]): void => {
  const at = 0x8000 - values.length * bytes;
  for (const [i, value] of values.entries()) poke(cpu, bytes, at + i * bytes, BigInt(value));
  cpu.state.setGpr(RSP, BigInt(at));
};

const jump = (selector: number, offset: bigint): void =>
  farTransfer(cpu, { selector, offset, operandSize: 32 });
const call = (selector: number, offset: bigint, operandSize: 16 | 32 | 64 = 32): void =>
  farTransfer(cpu, { selector, offset, operandSize, returnRip: 0x1005n });

describe('far JMP and CALL to code', () => {
  test('the first jump into protected mode: real-mode caches, then a new CS', () => {
    enterProtected(cpu);
    cpu.state.setSegment('cs', {
      selector: 0xf000,
      base: 0xf0000n,
      limit: 0xffff,
      attributes: 0x9b,
    });
    jump(SEL.code0, 0xfffc_0000n);
    expect(cpu.state.segment('cs')).toEqual({
      selector: SEL.code0,
      base: 0n,
      limit: 0xffff_ffff,
      attributes: 0xc09b,
    });
    expect(cpu.state.big('rip')).toBe(0xfffc_0000n);
    expect(cpu.calls).toEqual(['modeChanged', 'continueAt']);
  });

  test('real mode: base from the selector; beyond the limit #GP(0)', () => {
    farTransfer(cpu, { selector: 0x1000, offset: 0x20n, operandSize: 16 });
    expect(cpu.state.segment('cs')).toMatchObject({ base: 0x10000n, limit: 0xffff });
    expect(faultOf(() => jump(0x1000, 0x1_0000n))).toEqual(gp(0));
  });

  test.each([
    ['null', 0, undefined, gp(0)],
    ['RPL above CPL', TEST | 1, 0x9b, gp(TEST)],
    ['non-conforming of another DPL', TEST, 0xfb, gp(TEST)],
    ['conforming of a higher DPL', TEST, 0xff, gp(TEST)],
    ['data', TEST, 0x93, gp(TEST)],
    ['absent', TEST, 0x1b, np(TEST)],
    ['outside the table', 0x80, undefined, gp(0x80)],
    ['an LDT', SEL.ldt, undefined, gp(SEL.ldt)],
    ['a TSS', SEL.tss, undefined, { vector: 10, errorCode: SEL.tss }],
  ] as const)('%s', (_what, selector, access, expected) => {
    enterProtected(cpu);
    if (access !== undefined) setGdt(cpu, TEST, descriptor({ access }));
    expect(faultOf(() => jump(selector, 0n))).toEqual(expected);
    expect(cpu.state.segment('cs').selector).toBe(SEL.code0);
  });

  test('conforming code runs at the caller’s privilege, which CS.RPL shows', () => {
    enterProtected(cpu, 3);
    jump(SEL.conforming, 0n);
    expect(cpu.state.segment('cs').selector).toBe(SEL.conforming | 3);
    expect(cpu.state.get('cpl')).toBe(3);
  });

  test('an offset beyond the limit: #GP(0)', () => {
    enterProtected(cpu);
    expect(faultOf(() => jump(SEL.code16, 0x10000n))).toEqual(gp(0));
  });

  test('long mode: L and D together are #GP; a 64-bit segment demands a canonical target', () => {
    enterLong(cpu);
    setGdt(cpu, TEST, descriptor({ access: 0x9b, flags: 6 }));
    expect(faultOf(() => jump(TEST, 0n))).toEqual(gp(TEST));
    const far = { selector: SEL.long0, offset: 1n << 47n, operandSize: 64 } as const;
    expect(faultOf(() => farTransfer(cpu, far))).toEqual(gp(0));
    expect(faultOf(() => jump(SEL.tss, 0n))).toEqual(gp(SEL.tss));
  });

  test('CALL pushes CS and the return address by operand size', () => {
    enterProtected(cpu);
    call(SEL.code0, 0x2000n);
    expect(peekAll(cpu, 4, 0x7ff8, 2)).toEqual([0x1005n, BigInt(SEL.code0)]);
    call(SEL.code0, 0x2000n, 16);
    expect(peekAll(cpu, 2, 0x7ff4, 2)).toEqual([0x1005n, BigInt(SEL.code0)]);
    enterLong(cpu);
    call(SEL.long0, 0x2000n, 64);
    expect(peekAll(cpu, 8, 0x7ff0, 2)).toEqual([0x1005n, BigInt(SEL.long0)]);
  });

  test('CALL without room: #SS(0) and nothing has happened', () => {
    enterProtected(cpu);
    cpu.state.setSegment('ss', { ...cpu.state.segment('ss'), limit: 0x7ffb });
    expect(faultOf(() => call(SEL.code0, 0n))).toEqual({ vector: 12, errorCode: 0 });
    expect(cpu.state.gpr(RSP)).toBe(0x8000n);
    expect(cpu.calls).toEqual([]);
  });
});

describe('call gates (SDM 5.8.3)', () => {
  const setCallGate = (selector: number, offset: bigint, access: number, parameters = 0): void => {
    const [low, high] = gate(selector, offset, access, parameters);
    poke(cpu, 8, GDT + TEST, low);
    poke(cpu, 8, GDT + TEST + 8, high);
    cpu.state.set('gdtrLimit', TEST + 15);
  };

  test('to inner privilege: stack of the TSS, parameters copied', () => {
    enterProtected(cpu, 3);
    poke(cpu, 4, TSS + 4, 0x9000n);
    poke(cpu, 4, TSS + 8, BigInt(SEL.data0));
    setCallGate(SEL.code0, 0x1_2345n, 0xec, 2);
    stack(4, 0x11, 0x22);
    call(TEST | 3, 0xdeadn);
    expect(peekAll(cpu, 4, 0x8fe8, 6)).toEqual([0x1005n, 0x1bn, 0x11n, 0x22n, 0x7ff8n, 0x23n]);
    expect(cpu.state.get('cpl')).toBe(0);
    expect(cpu.state.big('rip')).toBe(0x1_2345n);
    farReturn(cpu, 32, 8);
    expect(cpu.state.get('cpl')).toBe(3);
    expect(cpu.state.gpr(RSP)).toBe(0x8000n);
    expect(cpu.state.big('rip')).toBe(0x1005n);
  });

  test('to the same privilege, and by JMP', () => {
    enterProtected(cpu);
    setCallGate(SEL.code0, 0x1_2345n, 0x8c);
    call(TEST, 0n);
    expect(peekAll(cpu, 4, 0x7ff8, 2)).toEqual([0x1005n, BigInt(SEL.code0)]);
    cpu.state.setGpr(RSP, 0x8000n);
    jump(TEST, 0n);
    expect(cpu.state.gpr(RSP)).toBe(0x8000n);
    expect(cpu.state.big('rip')).toBe(0x1_2345n);
  });

  test.each([
    ['CPL above the gate', 3, 0x8c, SEL.code0, false, gp(TEST)],
    ['an absent gate', 0, 0x0c, SEL.code0, false, np(TEST)],
    ['a null target', 0, 0x8c, 0, false, gp(0)],
    ['a data target', 0, 0x8c, SEL.data0, false, gp(SEL.data0)],
    ['a target of lower privilege', 0, 0x8c, SEL.code3, false, gp(SEL.code3 & ~3)],
    ['JMP to inner privilege', 3, 0xec, SEL.code0, true, gp(SEL.code0)],
    ['a task gate', 0, 0x85, SEL.tss, false, { vector: 10, errorCode: TEST }],
  ] as const)('%s', (_what, cpl, access, target, isJump, expected) => {
    enterProtected(cpu, cpl);
    setCallGate(target, 0n, access);
    expect(faultOf(() => (isJump ? jump : call)(TEST | cpl, 0n))).toEqual(expected);
  });

  test('long mode: 16 bytes, 64-bit target, RSP of the TSS, null SS', () => {
    enterLong(cpu, 3);
    poke(cpu, 8, TSS + 4, 0x9000n);
    setCallGate(SEL.long0, 0xffff_8000_0000_1000n, 0xec);
    call(TEST | 3, 0n, 64);
    expect(peekAll(cpu, 8, 0x8fe0, 4)).toEqual([
      0x1005n,
      BigInt(SEL.long3),
      0x8000n,
      BigInt(SEL.data3),
    ]);
    expect(cpu.state.segment('ss')).toMatchObject({ selector: 0, attributes: 0x10000 });
    expect(cpu.state.big('rip')).toBe(0xffff_8000_0000_1000n);
  });

  test('long mode: a 32-bit target or a typed second half: #GP', () => {
    enterLong(cpu);
    setCallGate(SEL.code0, 0n, 0x8c);
    expect(faultOf(() => call(TEST, 0n))).toEqual(gp(SEL.code0));
    setCallGate(SEL.long0, 1n << 72n, 0x8c);
    expect(faultOf(() => call(TEST, 0n))).toEqual(gp(TEST));
  });
});

describe('far RET (SDM Vol. 2B, RET)', () => {
  test('to outer privilege: SS and SP follow, inner data segments are taken away', () => {
    enterProtected(cpu);
    stack(4, 0x1234, SEL.code3, 0xaa, 0x7000, SEL.data3);
    cpu.state.setSegment('fs', {
      selector: 0x30,
      base: 0n,
      limit: 0xffff_ffff,
      attributes: 0xc09f,
    });
    farReturn(cpu, 32, 4);
    expect(cpu.state.get('cpl')).toBe(3);
    expect(cpu.state.gpr(RSP)).toBe(0x7004n);
    expect(cpu.state.segment('ss').selector).toBe(SEL.data3);
    expect(cpu.state.segment('ds')).toMatchObject({ selector: 0, attributes: 0x10000 });
    // Conforming code may stay.
    expect(cpu.state.segment('fs').selector).toBe(0x30);
  });

  test.each([
    ['a null CS', [0x1234, 0], gp(0)],
    ['RPL below CPL', [0x1234, SEL.code0], gp(SEL.code0), 3],
    ['data', [0x1234, SEL.data0], gp(SEL.data0)],
    ['DPL not RPL', [0x1234, SEL.code0 | 3], gp(SEL.code0)],
    ['a null SS', [0x1234, SEL.code3, 0x7000, 0], gp(0)],
    ['SS with the wrong RPL', [0x1234, SEL.code3, 0x7000, SEL.data0], gp(SEL.data0)],
    ['SS of the wrong DPL', [0x1234, SEL.code3, 0x7000, SEL.data0 | 3], gp(SEL.data0)],
  ] as const)('%s', (_what, values, expected, cpl: 0 | 3 = 0) => {
    enterProtected(cpu, cpl);
    stack(4, ...values);
    const rsp = cpu.state.gpr(RSP);
    expect(faultOf(() => farReturn(cpu, 32, 0))).toEqual(expected);
    expect(cpu.state.gpr(RSP)).toBe(rsp);
    expect(cpu.calls).toEqual([]);
  });

  test('real mode takes anything; RETF imm16 releases bytes', () => {
    stack(2, 0x1234, 0x2000, 0, 0);
    farReturn(cpu, 16, 4);
    expect(cpu.state.segment('cs').base).toBe(0x20000n);
    expect(cpu.state.gpr(RSP)).toBe(0x8000n);
  });

  test('from 64-bit to compatibility code', () => {
    enterLong(cpu);
    stack(8, 0x1234, SEL.code0);
    farReturn(cpu, 64, 0);
    expect(cpu.state.segment('cs').selector).toBe(SEL.code0);
    expect(cpu.state.gpr(RSP)).toBe(0x8000n);
  });
});

describe('IRET (SDM Vol. 2A)', () => {
  const FLAGS = 2 | FLAG.IF | FLAG.ZF;

  test('real mode: 16 bits of flags', () => {
    cpu.state.rflags = 2 | FLAG.AC;
    stack(2, 0x1234, 0x2000, 0xffff);
    interruptReturn(cpu, 16);
    expect(cpu.state.segment('cs').base).toBe(0x20000n);
    expect(cpu.state.rflags).toBe(0x7fd7 | FLAG.AC);
  });

  test('same privilege in 32-bit code pops three values; RF matters with breakpoints alone', () => {
    enterProtected(cpu);
    stack(4, 0x1234, SEL.code0, FLAGS | FLAG.RF | FLAG.ID);
    interruptReturn(cpu, 32);
    expect(cpu.state.gpr(RSP)).toBe(0x8000n);
    expect(cpu.state.rflags).toBe(FLAGS | FLAG.ID);
    cpu.state.setBig('dr7', 0x401n);
    stack(4, 0x1234, SEL.code0, FLAGS | FLAG.RF | FLAG.ID);
    interruptReturn(cpu, 32);
    expect(cpu.state.rflags).toBe(FLAGS | FLAG.RF | FLAG.ID);
  });

  test('CPL 3 changes neither IOPL nor, above IOPL, IF; it cannot enter virtual-8086 mode', () => {
    enterProtected(cpu, 3);
    cpu.state.rflags = 2 | FLAG.IF;
    stack(4, 0x1234, SEL.code3, 2 | FLAG.IOPL | FLAG.VM | FLAG.ZF);
    interruptReturn(cpu, 32);
    expect(cpu.state.rflags).toBe(2 | FLAG.IF | FLAG.ZF);
  });

  test('to virtual-8086 mode', () => {
    enterProtected(cpu);
    stack(4, 0x1234, 0x100, FLAGS | FLAG.VM, 0xfff0, 0x200, 0x300, 0x400, 0x500, 0x600);
    interruptReturn(cpu, 32);
    expect(cpu.state.get('cpl')).toBe(3);
    expect(cpu.state.rflags & FLAG.VM).toBe(FLAG.VM);
    expect(cpu.state.segment('gs')).toMatchObject({ base: 0x6000n, attributes: 0xf3 });
    expect(cpu.state.segment('ss').selector).toBe(0x200);
    expect(cpu.state.gpr(RSP)).toBe(0xfff0n);
    expect(faultOf(() => interruptReturn(cpu, 16))).toEqual(gp(0));
  });

  test('64-bit code always pops SS:RSP; a null SS is allowed below privilege 3', () => {
    enterLong(cpu);
    stack(8, 0xffff_8000_0000_0000n, SEL.long0, FLAGS, 0x6008, 0);
    interruptReturn(cpu, 64);
    expect(cpu.state.gpr(RSP)).toBe(0x6008n);
    expect(cpu.state.segment('ss')).toMatchObject({ selector: 0, attributes: 0x10000 });
    expect(cpu.calls).not.toContain('modeChanged');
  });

  test('to user code, and from 64-bit to 32-bit user code', () => {
    enterLong(cpu);
    stack(8, 0x40_0000, SEL.long3, FLAGS, 0x6008, SEL.data3);
    interruptReturn(cpu, 64);
    expect(cpu.state.get('cpl')).toBe(3);
    expect(cpu.state.segment('ds').selector).toBe(0);
    enterLong(cpu);
    stack(8, 0x40_0000, SEL.code3, FLAGS, 0x1_0000_6008n, SEL.data3);
    interruptReturn(cpu, 64);
    expect(cpu.state.big('rip')).toBe(0x40_0000n);
    expect(cpu.state.gpr(RSP)).toBe(0x6008n);
  });

  test.each([
    ['a null SS for user code', [0x40_0000, SEL.long3, FLAGS, 0, 3], gp(0)],
    ['a null SS for compatibility code', [0x40_0000, SEL.code0, FLAGS, 0, 0], gp(0)],
    ['a null SS with another RPL', [0x40_0000, SEL.long0, FLAGS, 0, 1], gp(0)],
    ['a non-canonical RIP', [1n << 47n, SEL.long0, FLAGS, 0, 0], gp(0)],
    [
      'a RIP of more than 32 bits for compatibility code',
      [1n << 32n, SEL.code0, FLAGS, 0x6008, SEL.data0],
      gp(0),
    ],
    ['an absent SS', [0x40_0000, SEL.long0, FLAGS, 0, TEST], { vector: 12, errorCode: TEST }],
  ] as const)('%s', (_what, values, expected) => {
    enterLong(cpu);
    setGdt(cpu, TEST, descriptor({ access: 0x13 }));
    stack(8, ...values);
    expect(faultOf(() => interruptReturn(cpu, 64))).toEqual(expected);
    expect(cpu.calls).toEqual([]);
  });

  test('NT: #GP(0) in long mode, #TS with the back link outside', () => {
    enterLong(cpu);
    cpu.state.rflags = FLAGS | FLAG.NT;
    expect(faultOf(() => interruptReturn(cpu, 64))).toEqual(gp(0));
    enterProtected(cpu);
    cpu.state.setBig('efer', 0n);
    poke(cpu, 2, TSS, 0x48n);
    expect(faultOf(() => interruptReturn(cpu, 32))).toEqual({ vector: 10, errorCode: 0x48 });
  });

  test('a waiting interrupt or NMI is looked at, single step too', () => {
    const run = (flags: number): readonly string[] => {
      enterLong(cpu);
      cpu.state.rflags = 2;
      cpu.calls.length = 0;
      stack(8, 0x40_0000, SEL.long0, flags, 0x6008, 0);
      interruptReturn(cpu, 64);
      return cpu.calls;
    };
    expect(run(FLAGS)).toEqual(['continueAt']);
    expect(run(FLAGS | FLAG.TF)).toContain('checkEvents');
    cpu.state.set('nmiBlocked', 1);
    cpu.state.set('nmiPending', 1);
    expect(run(2)).toContain('checkEvents');
    expect(cpu.state.get('nmiBlocked')).toBe(0);
    expect(run(2)).toEqual(['continueAt']);
    cpu.state.set('interruptPending', 1);
    expect(run(FLAGS)).toContain('checkEvents');
  });

  test('AC changes what user pages mean to the kernel (SMAP)', () => {
    enterLong(cpu);
    stack(8, 0x40_0000, SEL.long0, FLAGS | FLAG.AC, 0x6008, 0);
    interruptReturn(cpu, 64);
    expect(cpu.calls).toContain('modeChanged');
  });
});

describe('fast system calls', () => {
  const STAR = (0x1bn << 48n) | (BigInt(SEL.long0) << 32n) | 0x1234n;

  test('SYSCALL and SYSRET in 64-bit mode', () => {
    enterLong(cpu, 3);
    const { state } = cpu;
    state.setBig('star', STAR);
    state.setBig('lstar', 0xffff_8000_0000_0000n);
    state.setBig('sfmask', BigInt(FLAG.IF | FLAG.TF));
    state.rflags = 2 | FLAG.IF | FLAG.RF | FLAG.ZF;
    syscall(cpu, 0x40_0002n);
    expect(state.gpr(1)).toBe(0x40_0002n);
    expect(state.gpr(11)).toBe(BigInt(2 | FLAG.IF | FLAG.ZF));
    expect(state.rflags).toBe(2 | FLAG.ZF);
    expect(state.segment('cs')).toMatchObject({ selector: SEL.long0, attributes: 0xa09b });
    expect(state.segment('ss')).toMatchObject({ selector: SEL.long0 + 8, attributes: 0xc093 });
    expect(state.get('cpl')).toBe(0);

    sysret(cpu, 64);
    expect(state.big('rip')).toBe(0x40_0002n);
    expect(state.rflags).toBe(2 | FLAG.IF | FLAG.ZF);
    expect(state.segment('cs')).toMatchObject({ selector: 0x2b, attributes: 0xa0fb });
    expect(state.segment('ss')).toMatchObject({ selector: 0x23, attributes: 0xc0f3 });
    expect(faultOf(() => sysret(cpu, 64))).toEqual(gp(0));
  });

  test('SYSCALL from compatibility code goes to CSTAR, SYSRET with 32 bits back', () => {
    enterLong(cpu, 3);
    const { state } = cpu;
    state.setSegment('cs', { ...state.segment('cs'), attributes: 0xc0fb });
    state.setBig('star', STAR);
    state.setBig('cstar', 0x7000n);
    syscall(cpu, 0x40_0002n);
    expect(state.big('rip')).toBe(0x7000n);
    sysret(cpu, 32);
    expect(state.segment('cs')).toMatchObject({ selector: 0x1b, attributes: 0xc0fb });
  });

  test('without EFER.SCE: #UD', () => {
    enterLong(cpu, 3);
    cpu.state.setBig('efer', 0x500n);
    expect(faultOf(() => syscall(cpu, 0n))).toEqual({ vector: 6, errorCode: undefined });
    expect(faultOf(() => sysret(cpu, 64))).toEqual({ vector: 6, errorCode: undefined });
  });

  test('SYSENTER and SYSEXIT in 32-bit protected mode', () => {
    enterProtected(cpu, 3);
    const { state } = cpu;
    expect(faultOf(() => sysenter(cpu))).toEqual(gp(0));
    state.setBig('sysenterCs', BigInt(SEL.code0));
    state.setBig('sysenterEsp', 0x9000n);
    state.setBig('sysenterEip', 0x1234n);
    sysenter(cpu);
    expect([state.get('cpl'), state.big('rip'), state.gpr(RSP)]).toEqual([0, 0x1234n, 0x9000n]);
    expect(state.segment('ss').selector).toBe(SEL.code0 + 8);
    state.setGpr(1, 0x7000n);
    state.setGpr(2, 0x4321n);
    sysexit(cpu, 32);
    expect([state.get('cpl'), state.big('rip'), state.gpr(RSP)]).toEqual([3, 0x4321n, 0x7000n]);
    expect(state.segment('cs').selector).toBe(SEL.code0 + 16 + 3);
    expect(faultOf(() => sysexit(cpu, 32))).toEqual(gp(0));
  });

  test('SYSRET to a non-canonical address: AMD goes there, Intel raises #GP(0)', () => {
    const run = (): unknown => {
      enterLong(cpu);
      cpu.state.setGpr(1, 1n << 47n);
      return faultOf(() => sysret(cpu, 64));
    };
    expect(run()).toBeUndefined();
    expect(cpu.state.get('cpl')).toBe(3);
    cpu = createMemoryCpu({ ...QEMU64_PROFILE, vendor: 'GenuineIntel' });
    expect(run()).toEqual(gp(0));
    expect(cpu.state.get('cpl')).toBe(0);
  });

  test('SYSENTER is #GP in real mode and does not exist in long mode of an AMD processor', () => {
    const ud = { vector: 6, errorCode: undefined };
    expect(faultOf(() => sysenter(cpu))).toEqual(gp(0));
    enterLong(cpu, 3);
    cpu.state.setBig('sysenterCs', BigInt(SEL.long0));
    expect(faultOf(() => sysenter(cpu))).toEqual(ud);
    cpu = createMemoryCpu({ ...QEMU64_PROFILE, vendor: 'GenuineIntel' });
    enterLong(cpu, 3);
    cpu.state.setBig('sysenterCs', BigInt(SEL.long0));
    cpu.state.setBig('cr4', BigInt(CR4.PAE));
    cpu.state.setBig('sysenterEip', 0xffff_8000_0000_0000n);
    sysenter(cpu);
    expect(cpu.state.big('rip')).toBe(0xffff_8000_0000_0000n);
  });
});
