import { beforeEach, describe, expect, test } from 'vitest';
import { ATTRIBUTE } from '../../src/cpu/cpu-state.ts';
import { FLAG } from '../../src/cpu/control-bits.ts';
import { SEG } from '../../src/cpu/mode.ts';
import { linearAddress, loadLdtr, loadSegment, loadTaskRegister } from '../../src/cpu/segments.ts';
import {
  GDT,
  LDT,
  SEL,
  createMemoryCpu,
  descriptor,
  enterLong,
  enterProtected,
  faultOf,
  peek,
  poke,
  setGdt,
} from './memory-cpu.ts';
import type { MemoryCpu } from './memory-cpu.ts';

const GP = 13;
const NP = 11;
const SS = 12;
const TEST = 0x78;

let cpu: MemoryCpu;
beforeEach(() => {
  cpu = createMemoryCpu();
});

describe('real and virtual-8086 mode', () => {
  test('a real-mode load changes base and selector, keeps limit and attributes (SDM 22.1.1)', () => {
    cpu.state.setSegment('ds', { selector: 0, base: 0n, limit: 0xffff_ffff, attributes: 0x4093 });
    loadSegment(cpu, SEG.ds, 0x1234);
    expect(cpu.state.segment('ds')).toEqual({
      selector: 0x1234,
      base: 0x12340n,
      limit: 0xffff_ffff,
      attributes: 0x4093,
    });
  });

  test('a virtual-8086 load makes a 64 KiB data segment of DPL 3 (SDM 20.2.1)', () => {
    enterProtected(cpu, 3);
    cpu.state.set('systemFlags', FLAG.VM | 2);
    loadSegment(cpu, SEG.es, 0xb800);
    expect(cpu.state.segment('es')).toEqual({
      selector: 0xb800,
      base: 0xb8000n,
      limit: 0xffff,
      attributes: 0xf3,
    });
  });
});

describe('protected-mode loads of data segments (SDM Vol. 2B, MOV)', () => {
  const cases: readonly {
    what: string;
    cpl: 0 | 3;
    rpl?: number;
    access: number;
    fault?: number;
  }[] = [
    { what: 'writable data', cpl: 0, access: 0x92 },
    { what: 'read-only data', cpl: 0, access: 0x90 },
    { what: 'expand-down data', cpl: 0, access: 0x96 },
    { what: 'readable code', cpl: 0, access: 0x9a },
    { what: 'execute-only code', cpl: 0, access: 0x98, fault: GP },
    { what: 'a system descriptor', cpl: 0, access: 0x82, fault: GP },
    { what: 'absent data', cpl: 0, access: 0x12, fault: NP },
    { what: 'an execute-only absent code segment', cpl: 0, access: 0x18, fault: GP },
    { what: 'RPL above DPL', cpl: 0, rpl: 3, access: 0x92, fault: GP },
    { what: 'CPL above DPL', cpl: 3, rpl: 0, access: 0x92, fault: GP },
    { what: 'DPL 3 at CPL 3', cpl: 3, rpl: 3, access: 0xf2 },
    { what: 'conforming code of DPL 0 at CPL 3', cpl: 3, rpl: 3, access: 0x9e },
    { what: 'non-conforming code of DPL 0 at CPL 3', cpl: 3, rpl: 3, access: 0x9a, fault: GP },
  ];
  test.each(cases)('$what', ({ cpl, rpl = 0, access, fault }) => {
    enterProtected(cpu, cpl);
    setGdt(cpu, TEST, descriptor({ base: 0x12_3456, limit: 0x1234, access }));
    const before = cpu.state.segment('es');
    const loaded = {
      selector: TEST | rpl,
      base: 0x12_3456n,
      limit: 0x1234,
      attributes: 0x4000 | access | ATTRIBUTE.accessed,
    };
    const seen = faultOf(() => loadSegment(cpu, SEG.es, TEST | rpl));
    const failed = fault !== undefined;
    expect(seen).toEqual(failed ? { vector: fault, errorCode: TEST } : undefined);
    expect(cpu.state.segment('es')).toEqual(failed ? before : loaded);
    expect(peek(cpu, 1, GDT + TEST + 5)).toBe(BigInt(failed ? access : access | 1));
  });

  test('the accessed bit is written once, with system rights', () => {
    enterProtected(cpu, 3);
    setGdt(cpu, TEST, descriptor({ access: 0xf2 }));
    loadSegment(cpu, SEG.es, TEST | 3);
    loadSegment(cpu, SEG.es, TEST | 3);
    expect(cpu.systemAccesses.filter((a) => a.startsWith('w'))).toHaveLength(1);
  });

  test('granularity turns pages into bytes', () => {
    enterProtected(cpu);
    setGdt(cpu, TEST, 0x00cf_9300_0000_0001n | (0x80n << 48n));
    loadSegment(cpu, SEG.es, TEST);
    expect(cpu.state.segment('es').limit).toBe(0xf000_1fff);
  });

  test('outside the table: #GP(selector)', () => {
    enterProtected(cpu);
    expect(faultOf(() => loadSegment(cpu, SEG.es, 0x80))).toEqual({ vector: GP, errorCode: 0x80 });
    cpu.state.set('gdtrLimit', 0x16);
    expect(faultOf(() => loadSegment(cpu, SEG.es, 0x10))).toEqual({ vector: GP, errorCode: 0x10 });
  });

  test('an LDT selector without an LDT, then with one', () => {
    enterProtected(cpu);
    loadLdtr(cpu, 0);
    expect(faultOf(() => loadSegment(cpu, SEG.es, 0xc))).toEqual({ vector: GP, errorCode: 0xc });
    loadLdtr(cpu, SEL.ldt);
    poke(cpu, 8, LDT + 8, descriptor({ base: 0x77, access: 0x92 }));
    loadSegment(cpu, SEG.es, 0xc);
    expect(cpu.state.segment('es').base).toBe(0x77n);
    expect(faultOf(() => loadSegment(cpu, SEG.es, 0x24))).toEqual({ vector: GP, errorCode: 0x24 });
  });

  test('a null selector makes the register unusable', () => {
    enterProtected(cpu);
    loadSegment(cpu, SEG.fs, 3);
    expect(cpu.state.segment('fs')).toMatchObject({ selector: 3, base: 0n });
    const seen = faultOf(() => linearAddress(cpu, SEG.fs, 0n, 1, 'read'));
    expect(seen).toEqual({ vector: GP, errorCode: 0 });
  });

  test('a page fault while the descriptor is read leaves the register alone', () => {
    enterProtected(cpu, 3);
    cpu.absent.add(GDT >> 12);
    expect(faultOf(() => loadSegment(cpu, SEG.es, SEL.data3))).toEqual({
      vector: 14,
      errorCode: 0,
    });
  });
});

describe('loads of SS', () => {
  const cases: readonly { what: string; access: number; rpl: number; fault?: number }[] = [
    { what: 'writable data', access: 0x92, rpl: 0 },
    { what: 'RPL not CPL', access: 0x92, rpl: 1, fault: GP },
    { what: 'read-only data', access: 0x90, rpl: 0, fault: GP },
    { what: 'code', access: 0x9a, rpl: 0, fault: GP },
    { what: 'DPL not CPL', access: 0xf2, rpl: 0, fault: GP },
    { what: 'absent', access: 0x12, rpl: 0, fault: SS },
  ];
  test.each(cases)('$what', ({ access, rpl, fault }) => {
    enterProtected(cpu);
    setGdt(cpu, TEST, descriptor({ access }));
    const seen = faultOf(() => loadSegment(cpu, SEG.ss, TEST | rpl));
    expect(seen).toEqual(fault === undefined ? undefined : { vector: fault, errorCode: TEST });
  });

  test.each([
    { mode: 'protected', cpl: 0, selector: 0, ok: false },
    { mode: 'long', cpl: 0, selector: 0, ok: true },
    { mode: 'long', cpl: 0, selector: 1, ok: false },
    { mode: 'long', cpl: 3, selector: 3, ok: false },
  ] as const)('null SS in $mode mode at CPL $cpl, RPL $selector', ({ mode, cpl, selector, ok }) => {
    (mode === 'long' ? enterLong : enterProtected)(cpu, cpl);
    const seen = faultOf(() => loadSegment(cpu, SEG.ss, selector));
    expect(seen).toEqual(ok ? undefined : { vector: GP, errorCode: 0 });
  });
});

describe('system segment registers', () => {
  test('LTR makes the TSS busy, in memory and in the register', () => {
    enterProtected(cpu);
    loadTaskRegister(cpu, SEL.tss);
    expect(peek(cpu, 1, GDT + SEL.tss + 5)).toBe(0x8bn);
    expect(cpu.state.segment('tr')).toMatchObject({ selector: SEL.tss, attributes: 0x8b });
    expect(faultOf(() => loadTaskRegister(cpu, SEL.tss))).toEqual({
      vector: GP,
      errorCode: SEL.tss,
    });
  });

  test.each([
    { what: 'null', selector: 0, error: 0, vector: GP },
    { what: 'in the LDT', selector: 0xc, error: 0xc, vector: GP },
    { what: 'data', selector: SEL.data0, error: SEL.data0, vector: GP },
  ])('LTR of $what', ({ selector, error, vector }) => {
    enterProtected(cpu);
    expect(faultOf(() => loadTaskRegister(cpu, selector))).toEqual({ vector, errorCode: error });
  });

  test('an absent TSS or LDT: #NP', () => {
    enterProtected(cpu);
    setGdt(cpu, TEST, descriptor({ access: 0x09 }));
    expect(faultOf(() => loadTaskRegister(cpu, TEST))).toEqual({ vector: NP, errorCode: TEST });
    setGdt(cpu, TEST, descriptor({ access: 0x02 }));
    expect(faultOf(() => loadLdtr(cpu, TEST))).toEqual({ vector: NP, errorCode: TEST });
  });

  test('long mode: 16 bytes, 64-bit base, type of the second half, canonical base, no 16-bit TSS', () => {
    enterLong(cpu);
    poke(cpu, 8, GDT + SEL.tss + 8, 0xffff_8000n);
    loadTaskRegister(cpu, SEL.tss);
    expect(cpu.state.segment('tr').base).toBe(0xffff_8000_0000_3000n);

    const again = (high: bigint, access = 0x89): unknown => {
      setGdt(cpu, SEL.tss, descriptor({ access, flags: 0 }));
      poke(cpu, 8, GDT + SEL.tss + 8, high);
      return faultOf(() => loadTaskRegister(cpu, SEL.tss));
    };
    const gp = { vector: GP, errorCode: SEL.tss };
    expect(again(0x8000_0000n)).toEqual(gp);
    expect(again(1n << 40n)).toEqual(gp);
    expect(again(0n, 0x81)).toEqual(gp);
    cpu.state.set('gdtrLimit', SEL.tss + 8);
    expect(again(0n)).toEqual(gp);
  });
});

describe('access checks', () => {
  const at = (
    attributes: number,
    limit: number,
    offset: number,
    bytes: number,
    access: 'read' | 'write',
    index: number = SEG.ds,
  ): unknown => {
    enterProtected(cpu);
    const name = index === SEG.ss ? 'ss' : 'ds';
    cpu.state.setSegment(name, { selector: 8, base: 0x100n, limit, attributes });
    let linear = 0n;
    const seen = faultOf(() => {
      linear = linearAddress(cpu, index, BigInt(offset), bytes, access);
    });
    return seen ?? linear;
  };
  const gp0 = { vector: GP, errorCode: 0 };

  test.each([
    ['last byte inside', 0x93, 0xfff, 0xffc, 4, 'write', 0x10fcn],
    ['last byte outside', 0x93, 0xfff, 0xffd, 4, 'write', gp0],
    ['write to read-only data', 0x91, 0xfff, 0, 1, 'write', gp0],
    ['read of read-only data', 0x91, 0xfff, 0, 1, 'read', 0x100n],
    ['write to code', 0x9b, 0xfff, 0, 1, 'write', gp0],
    ['read of execute-only code', 0x99, 0xfff, 0, 1, 'read', gp0],
    ['expand-down: below', 0x4097, 0xfff, 0xfff, 1, 'read', gp0],
    ['expand-down: above', 0x4097, 0xfff, 0x1000, 4, 'read', 0x1100n],
    ['expand-down, 16 bits: over the top', 0x97, 0xfff, 0xfffe, 4, 'read', gp0],
    ['expand-down, 32 bits: over 64 KiB', 0x4097, 0xfff, 0xfffe, 4, 'read', 0x100fen],
    ['4 GiB: wraps', 0x4093, 0xffff_ffff, 0xffff_fffe, 4, 'read', 0xfen],
  ] as const)('%s', (_what, attributes, limit, offset, bytes, access, expected) => {
    expect(at(attributes, limit, offset, bytes, access)).toEqual(expected);
  });

  test('the stack segment raises #SS(0)', () => {
    expect(at(0x93, 0xff, 0x100, 1, 'read', SEG.ss)).toEqual({ vector: SS, errorCode: 0 });
  });

  test('real mode has the limit but no type check', () => {
    cpu.state.setSegment('ds', { selector: 0, base: 0n, limit: 0xffff, attributes: 0x9b });
    expect(linearAddress(cpu, SEG.ds, 0xfffcn, 4, 'write')).toBe(0xfffcn);
    expect(faultOf(() => linearAddress(cpu, SEG.ds, 0xfffdn, 4, 'write'))).toEqual(gp0);
  });

  test('64-bit mode: FS and GS have bases, others none; canonical form alone is checked', () => {
    enterLong(cpu);
    const far = { selector: 0, base: 0x1000_0000_0000n, limit: 0, attributes: 0 };
    cpu.state.setSegment('gs', far);
    cpu.state.setSegment('ds', far);
    expect(linearAddress(cpu, SEG.gs, 0x10n, 8, 'write')).toBe(0x1000_0000_0010n);
    expect(linearAddress(cpu, SEG.ds, 0x10n, 8, 'write')).toBe(0x10n);
    expect(linearAddress(cpu, SEG.ds, 0x7fff_ffff_fff8n, 8, 'read')).toBe(0x7fff_ffff_fff8n);
    expect(faultOf(() => linearAddress(cpu, SEG.ds, 0x7fff_ffff_fff9n, 8, 'read'))).toEqual(gp0);
    expect(faultOf(() => linearAddress(cpu, SEG.ss, 1n << 47n, 1, 'read'))).toEqual({
      vector: SS,
      errorCode: 0,
    });
    expect(linearAddress(cpu, SEG.gs, 0xffff_f000_0000_0000n, 1, 'read')).toBe(0n);
  });
});
