import { beforeEach, describe, expect, test } from 'vitest';
import { CR0, CR4, EFER } from '../../src/cpu/control-bits.ts';
import {
  clearTaskSwitched,
  loadMachineStatus,
  writeCr0,
  writeCr3,
  writeCr4,
  writeCr8,
  writeEfer,
  writeXcr,
} from '../../src/cpu/control.ts';
import { QEMU64_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import {
  DR6,
  armedBreakpoints,
  readDebugRegister,
  recordDebug,
  writeDebugRegister,
} from '../../src/cpu/debug-registers.ts';
import { checkPort } from '../../src/cpu/io-permission.ts';
import { FLAG } from '../../src/cpu/control-bits.ts';
import { TSS, createMemoryCpu, enterLong, enterProtected, faultOf, poke } from './memory-cpu.ts';
import type { MemoryCpu } from './memory-cpu.ts';

const gp = { vector: 13, errorCode: 0 };
const ud = { vector: 6, errorCode: undefined };

let cpu: MemoryCpu;
beforeEach(() => {
  cpu = createMemoryCpu();
});

const bits = (...values: readonly number[]): bigint => BigInt(values.reduce((a, b) => a + b, 0));

describe('CR0', () => {
  test('ET is fixed, reserved low bits are ignored, high bits are #GP', () => {
    writeCr0(cpu, bits(CR0.PE, 0x1000));
    expect(cpu.state.big('cr0')).toBe(bits(CR0.PE, CR0.ET));
    expect(faultOf(() => writeCr0(cpu, 1n << 32n))).toEqual(gp);
  });

  test.each([
    ['PG without PE', [CR0.PG]],
    ['NW without CD', [CR0.PE, CR0.NW]],
  ])('%s: #GP(0)', (_what, values) => {
    expect(faultOf(() => writeCr0(cpu, bits(...values)))).toEqual(gp);
    expect(cpu.state.big('cr0')).toBe(bits(CR0.ET, CR0.NW, CR0.CD));
  });

  test('a change of PE, PG or WP flushes everything; TS only tells the engine; none does nothing', () => {
    enterProtected(cpu);
    const run = (...values: readonly number[]): readonly string[] => {
      cpu.calls.length = 0;
      writeCr0(cpu, bits(...values));
      return [...cpu.calls];
    };
    expect(run(CR0.PE, CR0.WP)).toEqual(['flushTlb all', 'modeChanged']);
    expect(run(CR0.PE, CR0.WP, CR0.TS)).toEqual(['modeChanged']);
    expect(run(CR0.PE, CR0.WP, CR0.TS)).toEqual([]);
  });

  test('paging with EFER.LME activates long mode; leaving paging ends it (SDM 10.8.5)', () => {
    enterProtected(cpu);
    cpu.state.setBig('efer', BigInt(EFER.LME));
    expect(faultOf(() => writeCr0(cpu, bits(CR0.PE, CR0.PG)))).toEqual(gp);
    cpu.state.setBig('cr4', BigInt(CR4.PAE));
    writeCr0(cpu, bits(CR0.PE, CR0.PG));
    expect(cpu.state.big('efer')).toBe(bits(EFER.LME, EFER.LMA));
    writeCr0(cpu, bits(CR0.PE));
    expect(cpu.state.big('efer')).toBe(bits(EFER.LME));
  });

  test('a CS with L or a 16-bit TSS forbids activation; 64-bit code cannot leave paging', () => {
    enterLong(cpu);
    expect(faultOf(() => writeCr0(cpu, bits(CR0.PE)))).toEqual(gp);
    cpu.state.setBig('cr0', bits(CR0.PE, CR0.ET));
    cpu.state.setBig('efer', BigInt(EFER.LME));
    expect(faultOf(() => writeCr0(cpu, bits(CR0.PE, CR0.PG)))).toEqual(gp);
    enterProtected(cpu);
    cpu.state.setBig('cr4', BigInt(CR4.PAE));
    cpu.state.setBig('efer', BigInt(EFER.LME));
    cpu.state.setSegment('tr', { ...cpu.state.segment('tr'), attributes: 0x83 });
    expect(faultOf(() => writeCr0(cpu, bits(CR0.PE, CR0.PG)))).toEqual(gp);
    expect(cpu.state.big('efer')).toBe(bits(EFER.LME));
  });

  test('LMSW sets PE but never clears it, and reaches four bits', () => {
    loadMachineStatus(cpu, 0xffff);
    expect(cpu.state.big('cr0') & 0xffffn).toBe(0x1fn);
    loadMachineStatus(cpu, 0);
    expect(cpu.state.big('cr0') & 0xffffn).toBe(0x11n);
  });

  test('CLTS', () => {
    loadMachineStatus(cpu, 8);
    clearTaskSwitched(cpu);
    expect(cpu.state.big('cr0') & BigInt(CR0.TS)).toBe(0n);
  });
});

describe('the other control registers', () => {
  test('CR3: bits above the physical width are reserved in long mode', () => {
    writeCr3(cpu, 0xffff_f000n);
    expect(cpu.calls).toEqual(['flushTlb']);
    enterLong(cpu);
    expect(faultOf(() => writeCr3(cpu, 1n << 36n))).toEqual(gp);
    expect(faultOf(() => writeCr3(cpu, 0xf_ffff_f018n))).toBeUndefined();
    expect(faultOf(() => writeCr3(cpu, 1n << 63n))).toEqual(gp);
  });

  test.each([
    ['VME', CR4.VME],
    ['PVI', CR4.PVI],
    ['UMIP', CR4.UMIP],
    ['PCIDE', CR4.PCIDE],
    ['VMXE', 0x2000],
    ['LA57', 0x1000],
    ['PKE', 0x40_0000],
  ])('CR4.%s is reserved', (_what, bit) => {
    expect(faultOf(() => writeCr4(cpu, BigInt(bit)))).toEqual(gp);
  });

  test('CR4 follows the profile', () => {
    const wanted = bits(CR4.SMEP, CR4.SMAP, CR4.FSGSBASE, CR4.OSXSAVE);
    expect(faultOf(() => writeCr4(cpu, wanted))).toBeUndefined();
    const plain = createMemoryCpu(QEMU64_PROFILE);
    for (const bit of [CR4.SMEP, CR4.SMAP, CR4.FSGSBASE, CR4.OSXSAVE])
      expect(faultOf(() => writeCr4(plain, BigInt(bit)))).toEqual(gp);
  });

  test('CR4.PAE cannot be cleared in long mode; translation bits flush', () => {
    enterLong(cpu);
    expect(faultOf(() => writeCr4(cpu, 0n))).toEqual(gp);
    cpu.calls.length = 0;
    writeCr4(cpu, bits(CR4.PAE, CR4.PGE));
    expect(cpu.calls).toEqual(['flushTlb all', 'modeChanged']);
    cpu.calls.length = 0;
    writeCr4(cpu, bits(CR4.PAE, CR4.PGE, CR4.OSFXSR));
    expect(cpu.calls).toEqual(['modeChanged']);
  });

  test('CR8 has four bits', () => {
    writeCr8(cpu, 15n);
    expect(faultOf(() => writeCr8(cpu, 16n))).toEqual(gp);
    expect(cpu.state.big('cr8')).toBe(15n);
  });

  test('EFER: reserved bits, LME under paging, LMA is not writable', () => {
    expect(writeEfer(cpu, bits(EFER.LME, EFER.LMA, EFER.NXE))).toBe(true);
    expect(cpu.state.big('efer')).toBe(bits(EFER.LME, EFER.NXE));
    expect(writeEfer(cpu, 1n << 12n)).toBe(false);
    enterLong(cpu);
    expect(writeEfer(cpu, bits(EFER.SCE))).toBe(false);
    expect(writeEfer(cpu, bits(EFER.LME, EFER.NXE))).toBe(true);
    expect(cpu.state.big('efer')).toBe(bits(EFER.LME, EFER.LMA, EFER.NXE));
  });

  test('XCR0: x87 always, SSE, nothing else', () => {
    for (const value of [0n, 2n, 7n, 1n << 63n])
      expect(faultOf(() => writeXcr(cpu, 0, value))).toEqual(gp);
    expect(faultOf(() => writeXcr(cpu, 1, 1n))).toEqual(gp);
    writeXcr(cpu, 0, 3n);
    expect(cpu.state.big('xcr0')).toBe(3n);
  });
});

describe('debug registers (SDM 17.2)', () => {
  test('fixed bits of DR6 and DR7', () => {
    writeDebugRegister(cpu, 6, 0xffff_ffffn);
    writeDebugRegister(cpu, 7, 0xffff_dfffn);
    expect(cpu.state.big('dr6')).toBe(0xffff_efffn);
    expect(cpu.state.big('dr7')).toBe(0xffff_07ffn);
    writeDebugRegister(cpu, 6, 0n);
    writeDebugRegister(cpu, 7, 0n);
    expect([cpu.state.big('dr6'), cpu.state.big('dr7')]).toEqual([0xffff_0ff0n, 0x400n]);
    expect(faultOf(() => writeDebugRegister(cpu, 7, 1n << 32n))).toEqual(gp);
  });

  test('DR4 and DR5 are DR6 and DR7 until CR4.DE; there is no DR8', () => {
    writeDebugRegister(cpu, 5, 0x3n);
    expect(readDebugRegister(cpu, 7)).toBe(0x403n);
    cpu.state.setBig('cr4', BigInt(CR4.DE));
    expect(faultOf(() => readDebugRegister(cpu, 4))).toEqual(ud);
    expect(faultOf(() => readDebugRegister(cpu, 8))).toEqual(ud);
  });

  test('DR7.GD: every access is #DB with DR6.BD', () => {
    writeDebugRegister(cpu, 7, 0x2000n);
    expect(faultOf(() => readDebugRegister(cpu, 0))).toEqual({ vector: 1, errorCode: undefined });
    expect(cpu.state.big('dr6')).toBe(0xffff_0ff0n | BigInt(DR6.BD));
    recordDebug(cpu.state, DR6.BS | 1);
    expect(cpu.state.big('dr6')).toBe(0xffff_6ff1n);
  });

  test('armed breakpoints: kinds, lengths, alignment', () => {
    const { state } = cpu;
    expect(armedBreakpoints(state)).toEqual([]);
    state.setBig('dr0', 0x1001n);
    state.setBig('dr1', 0x2007n);
    state.setBig('dr2', 0x3003n);
    state.setBig('dr3', 0x80n);
    // 0: execute, local; 1: write of 8 bytes, global; 2: access of 4; 3: I/O.
    state.setBig('dr7', 0x2f90_0459n);
    const found = armedBreakpoints(state);
    expect(found.map((b) => b.index)).toEqual([0, 1, 2]);
    expect(found[0]).toEqual({ index: 0, linear: 0x1001n, length: 1, kind: 'execute' });
    expect(found[1]).toEqual({ index: 1, linear: 0x2000n, length: 8, kind: 'write' });
    expect(found[2]).toEqual({ index: 2, linear: 0x3000n, length: 4, kind: 'access' });
    state.setBig('cr4', BigInt(CR4.DE));
    expect(armedBreakpoints(state)[3]).toMatchObject({ index: 3, kind: 'io' });
  });
});

describe('I/O permission (SDM Vol. 1, 19.5)', () => {
  const MAP = 0x68;

  test('real mode and CPL <= IOPL need no bitmap', () => {
    expect(faultOf(() => checkPort(cpu, 0x60, 1))).toBeUndefined();
    enterProtected(cpu);
    expect(faultOf(() => checkPort(cpu, 0x60, 1))).toBeUndefined();
    enterProtected(cpu, 3);
    cpu.state.rflags = 2 | FLAG.IOPL;
    expect(faultOf(() => checkPort(cpu, 0x60, 1))).toBeUndefined();
    // Virtual-8086 mode asks the bitmap whatever IOPL says.
    cpu.state.rflags = 2 | FLAG.IOPL | FLAG.VM;
    expect(faultOf(() => checkPort(cpu, 0x60, 1))).toEqual(gp);
  });

  test('every byte of the access needs a clear bit', () => {
    enterProtected(cpu, 3);
    cpu.state.setSegment('tr', { ...cpu.state.segment('tr'), limit: MAP + 0x20 });
    poke(cpu, 1, TSS + MAP + 8, 0x80n);
    expect(faultOf(() => checkPort(cpu, 0x46, 1))).toBeUndefined();
    expect(faultOf(() => checkPort(cpu, 0x47, 1))).toEqual(gp);
    expect(faultOf(() => checkPort(cpu, 0x46, 2))).toEqual(gp);
    expect(faultOf(() => checkPort(cpu, 0x44, 4))).toEqual(gp);
    expect(faultOf(() => checkPort(cpu, 0x48, 4))).toBeUndefined();
    // Bits of the next byte count too.
    poke(cpu, 1, TSS + MAP + 10, 0x01n);
    expect(faultOf(() => checkPort(cpu, 0x4f, 2))).toEqual(gp);
  });

  test('beyond the TSS, without a bitmap, in a 16-bit TSS: #GP(0)', () => {
    enterProtected(cpu, 3);
    expect(faultOf(() => checkPort(cpu, 0, 1))).toEqual(gp);
    const tr = cpu.state.segment('tr');
    cpu.state.setSegment('tr', { ...tr, limit: MAP + 1 });
    expect(faultOf(() => checkPort(cpu, 0, 1))).toBeUndefined();
    expect(faultOf(() => checkPort(cpu, 8, 1))).toEqual(gp);
    cpu.state.setSegment('tr', { ...tr, limit: MAP + 1, attributes: 0x83 });
    expect(faultOf(() => checkPort(cpu, 0, 1))).toEqual(gp);
  });
});
