import { beforeEach, describe, expect, test } from 'vitest';
import { FLAG } from '../../src/cpu/control-bits.ts';
import { deliver, interrupt } from '../../src/cpu/interrupts.ts';
import type { InterruptEvent } from '../../src/cpu/interrupts.ts';
import {
  IDT,
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
  setGate,
  setGdt,
  setLongGate,
} from './memory-cpu.ts';
import type { MemoryCpu } from './memory-cpu.ts';

const INTERRUPT = 0x8e;
const TRAP = 0x8f;
const FLAGS = 2 | FLAG.CF | FLAG.IF | FLAG.NT;
const RSP = 4;

let cpu: MemoryCpu;
beforeEach(() => {
  cpu = createMemoryCpu();
});

const start = (rip: bigint): void => {
  cpu.state.setBig('rip', rip);
  cpu.state.rflags = FLAGS;
};

const exception = (vector: number, errorCode?: number): InterruptEvent => ({
  vector,
  kind: 'exception',
  errorCode,
});

/** Everything that an aborted delivery must leave alone. */
const snapshot = (): unknown => ({
  rip: cpu.state.big('rip'),
  rflags: cpu.state.rflags,
  rsp: cpu.state.gpr(RSP),
  cpl: cpu.state.get('cpl'),
  segments: (['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'tr'] as const).map((s) => cpu.state.segment(s)),
  memory: Buffer.from(cpu.bytes.subarray(0x5000)).toString('latin1'),
});

describe('real mode (SDM 20.1.4)', () => {
  beforeEach(() => {
    cpu.state.setBig('idtrBase', 0n);
    cpu.state.set('idtrLimit', 0x3ff);
    cpu.state.setGpr(RSP, 0xffff_8000n);
    start(0x1234n);
  });

  test('pushes FLAGS, CS, IP in 16 bits; clears IF and TF; no error code', () => {
    poke(cpu, 4, 0x0d * 4, 0x4000_0100n);
    expect(deliver(cpu, exception(13, 0))).toBe('delivered');
    expect(peekAll(cpu, 2, 0x7ffa, 3)).toEqual([0x1234n, 0xf000n, BigInt(FLAGS)]);
    expect(cpu.state.gpr(RSP)).toBe(0xffff_7ffan);
    expect(cpu.state.segment('cs')).toMatchObject({ selector: 0x4000, base: 0x40000n });
    expect(cpu.state.big('rip')).toBe(0x100n);
    expect(cpu.state.rflags).toBe(FLAGS & ~FLAG.IF);
  });

  test('beyond the limit of the table: double fault, then shutdown', () => {
    cpu.state.set('idtrLimit', 0x23);
    poke(cpu, 4, 8 * 4, 0x0500_0000n);
    expect(deliver(cpu, exception(13))).toBe('delivered');
    expect(cpu.state.segment('cs').selector).toBe(0x500);
    cpu.state.set('idtrLimit', 0x1f);
    expect(deliver(cpu, exception(13))).toBe('shutdown');
  });

  test('the stack pointer wraps within 64 KiB', () => {
    cpu.state.setGpr(RSP, 2n);
    poke(cpu, 4, 0x20 * 4, 0x0000_0100n);
    cpu.state.setSegment('ss', { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 });
    interrupt(cpu, { vector: 0x20, kind: 'external' });
    expect(peekAll(cpu, 2, 0, 1)).toEqual([BigInt(FLAGS)]);
    expect(peekAll(cpu, 2, 0xfffc, 2)).toEqual([0x1234n, 0xf000n]);
    expect(cpu.state.gpr(RSP)).toBe(0xfffcn);
  });
});

describe('protected mode, same privilege', () => {
  beforeEach(() => {
    enterProtected(cpu);
    start(0x40_1000n);
  });

  test('a 32-bit interrupt gate clears IF, TF, NT, RF; a fault has RF in the image (SDM 6.8.3, 6.12.1)', () => {
    setGate(cpu, 13, gate(SEL.code0, 0x1234_5678n, INTERRUPT)[0]);
    expect(deliver(cpu, exception(13, 0x18))).toBe('delivered');
    const image = BigInt(FLAGS | FLAG.RF);
    expect(peekAll(cpu, 4, 0x7ff0, 4)).toEqual([0x18n, 0x40_1000n, 8n, image]);
    expect(cpu.state.gpr(RSP)).toBe(0x7ff0n);
    expect(cpu.state.big('rip')).toBe(0x1234_5678n);
    expect(cpu.state.rflags).toBe(2 | FLAG.CF);
  });

  test('a trap gate keeps IF; a software interrupt returns behind itself without RF', () => {
    setGate(cpu, 0x80, gate(SEL.code0, 0x100n, TRAP)[0]);
    interrupt(cpu, { vector: 0x80, kind: 'software', returnRip: 0x40_1002n });
    expect(peekAll(cpu, 4, 0x7ff4, 3)).toEqual([0x40_1002n, 8n, BigInt(FLAGS)]);
    expect(cpu.state.rflags).toBe(2 | FLAG.CF | FLAG.IF);
  });

  test('a 16-bit gate pushes words and takes 16 bits of offset', () => {
    setGate(cpu, 6, gate(SEL.code0, 0xdead_0100n, 0x86)[0]);
    deliver(cpu, exception(6));
    expect(peekAll(cpu, 2, 0x7ffa, 3)).toEqual([0x1000n, 8n, BigInt(FLAGS)]);
    expect(cpu.state.big('rip')).toBe(0x100n);
  });

  const gp = (errorCode: number): unknown => ({ vector: 13, errorCode });
  const np = (errorCode: number): unknown => ({ vector: 11, errorCode });
  test.each([
    ['outside the IDT', 'software', 0, 0, gp(0x80 * 8 + 2), 0x3ff],
    ['outside the IDT, external', 'external', 0, 0, gp(0x80 * 8 + 3), 0x3ff],
    ['no gate', 'software', 0x82, SEL.code0, gp(0x80 * 8 + 2)],
    ['an absent gate', 'external', 0x0e, SEL.code0, np(0x80 * 8 + 3)],
    ['a null selector', 'external', INTERRUPT, 0, gp(1)],
    ['a data segment', 'software', INTERRUPT, SEL.data0, gp(SEL.data0)],
    ['a code segment of lower privilege', 'external', INTERRUPT, SEL.code3, gp(0x19)],
    ['a selector outside the GDT', 'external', INTERRUPT, 0x80, gp(0x81)],
    ['a task gate', 'external', 0x85, SEL.tss, { vector: 10, errorCode: SEL.tss | 1 }],
  ] as const)('%s', (_what, kind, access, selector, expected, limit: number = 0x7ff) => {
    cpu.state.set('idtrLimit', limit);
    setGate(cpu, 0x80, gate(selector, 0x100n, access)[0]);
    const before = snapshot();
    expect(faultOf(() => interrupt(cpu, { vector: 0x80, kind }))).toEqual(expected);
    expect(snapshot()).toEqual(before);
  });

  test('an absent code segment: #NP; an offset beyond its limit: #GP(EXT)', () => {
    setGdt(cpu, 0x78, descriptor({ access: 0x1b }));
    setGate(cpu, 0x80, gate(0x78, 0x100n, INTERRUPT)[0]);
    const run = (): unknown => faultOf(() => interrupt(cpu, { vector: 0x80, kind: 'external' }));
    expect(run()).toEqual(np(0x79));
    setGdt(cpu, 0x78, descriptor({ access: 0x9b, limit: 0xff }));
    expect(run()).toEqual(gp(1));
  });

  test('no room on the stack: #SS(EXT), nothing written', () => {
    cpu.state.setSegment('ss', { ...cpu.state.segment('ss'), limit: 0x7ff9 });
    setGate(cpu, 0x80, gate(SEL.code0, 0x100n, INTERRUPT)[0]);
    const before = snapshot();
    const seen = faultOf(() => interrupt(cpu, { vector: 0x80, kind: 'external' }));
    expect(seen).toEqual({ vector: 12, errorCode: 1 });
    expect(snapshot()).toEqual(before);
  });

  test('a frame that crosses into an absent page faults before its first write', () => {
    cpu.state.setGpr(RSP, 0x8008n);
    cpu.absent.add(7);
    setGate(cpu, 0x80, gate(SEL.code0, 0x100n, INTERRUPT)[0]);
    const before = snapshot();
    const seen = faultOf(() => interrupt(cpu, { vector: 0x80, kind: 'external' }));
    expect(seen).toEqual({ vector: 14, errorCode: 2 });
    expect(snapshot()).toEqual(before);
  });
});

describe('protected mode, to inner privilege', () => {
  beforeEach(() => {
    enterProtected(cpu, 3);
    start(0x40_1000n);
    poke(cpu, 4, TSS + 4, 0x9000n);
    poke(cpu, 4, TSS + 8, BigInt(SEL.data0));
  });

  test('the stack comes from the TSS, the old one is pushed first', () => {
    setGate(cpu, 14, gate(SEL.code0, 0x100n, INTERRUPT)[0]);
    deliver(cpu, exception(14, 6));
    const image = BigInt(FLAGS | FLAG.RF);
    expect(peekAll(cpu, 4, 0x8fe8, 6)).toEqual([6n, 0x40_1000n, 0x1bn, image, 0x8000n, 0x23n]);
    expect(cpu.state.segment('ss').selector).toBe(SEL.data0);
    expect(cpu.state.segment('cs').selector).toBe(SEL.code0);
    expect(cpu.state.get('cpl')).toBe(0);
    expect(cpu.calls).toContain('modeChanged');
  });

  test('conforming code keeps the privilege and the stack', () => {
    setGate(cpu, 0x20, gate(SEL.conforming, 0x100n, INTERRUPT)[0]);
    interrupt(cpu, { vector: 0x20, kind: 'external' });
    expect(cpu.state.get('cpl')).toBe(3);
    expect(cpu.state.segment('cs').selector).toBe(SEL.conforming | 3);
    expect(cpu.state.gpr(RSP)).toBe(0x7ff4n);
  });

  test('INT n needs a gate of its privilege, INT3 too, INT1 and exceptions do not (SDM 6.12.1.2)', () => {
    setGate(cpu, 3, gate(SEL.code0, 0x100n, INTERRUPT)[0]);
    for (const kind of ['software', 'breakpoint'] as const)
      expect(faultOf(() => interrupt(cpu, { vector: 3, kind }))).toEqual({
        vector: 13,
        errorCode: 3 * 8 + 2,
      });
    for (const kind of ['icebp', 'external', 'exception'] as const) {
      enterProtected(cpu, 3);
      expect(faultOf(() => interrupt(cpu, { vector: 3, kind }))).toBeUndefined();
    }
  });

  const ts = (errorCode: number): unknown => ({ vector: 10, errorCode });
  test.each([
    ['a TSS that is too short', () => setTrLimit(8), ts(SEL.tss | 1)],
    ['a null SS', () => poke(cpu, 4, TSS + 8, 0n), ts(1)],
    ['SS with the wrong RPL', () => poke(cpu, 4, TSS + 8, 0x13n), ts(SEL.data0 | 1)],
    ['SS with the wrong DPL', () => poke(cpu, 4, TSS + 8, 0x20n), ts(0x21)],
    ['SS that is code', () => poke(cpu, 4, TSS + 8, 8n), ts(9)],
    ['SS outside the GDT', () => poke(cpu, 4, TSS + 8, 0x80n), ts(0x81)],
    ['an absent SS', () => setAbsent(), { vector: 12, errorCode: 0x79 }],
    ['an expand-up SS without room', () => setShort(), { vector: 12, errorCode: 0x79 }],
  ] as const)('%s', (_what, prepare, expected) => {
    setGate(cpu, 0x20, gate(SEL.code0, 0x100n, INTERRUPT)[0]);
    prepare();
    const before = snapshot();
    expect(faultOf(() => interrupt(cpu, { vector: 0x20, kind: 'external' }))).toEqual(expected);
    expect(snapshot()).toEqual(before);
  });

  const setTrLimit = (limit: number): void =>
    cpu.state.setSegment('tr', { ...cpu.state.segment('tr'), limit });
  const setSs = (raw: bigint): void => {
    setGdt(cpu, 0x78, raw);
    poke(cpu, 4, TSS + 8, 0x78n);
  };
  const setAbsent = (): void => setSs(descriptor({ access: 0x13 }));
  const setShort = (): void => setSs(descriptor({ access: 0x93, limit: 0x7fff }));

  test('a 16-bit TSS holds SP and SS in words', () => {
    cpu.state.setSegment('tr', { ...cpu.state.segment('tr'), attributes: 0x83, limit: 0x2b });
    poke(cpu, 2, TSS + 2, 0x9100n);
    poke(cpu, 2, TSS + 4, BigInt(SEL.data0));
    setGate(cpu, 0x20, gate(SEL.code0, 0x100n, INTERRUPT)[0]);
    interrupt(cpu, { vector: 0x20, kind: 'external' });
    expect(cpu.state.gpr(RSP)).toBe(0x9100n - 20n);
  });

  describe('from virtual-8086 mode (SDM 20.3.1)', () => {
    beforeEach(() => {
      cpu.state.rflags = FLAGS | FLAG.VM | FLAG.IOPL;
      const names = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
      for (const [i, name] of names.entries())
        cpu.state.setSegment(name, {
          selector: 0x100 + i,
          base: BigInt(0x1000 + i * 16),
          limit: 0xffff,
          attributes: 0xf3,
        });
    });

    test('all segment registers are pushed, data segments become null', () => {
      setGate(cpu, 0x20, gate(SEL.code0, 0x100n, INTERRUPT)[0]);
      interrupt(cpu, { vector: 0x20, kind: 'external' });
      const flags = BigInt(FLAGS | FLAG.VM | FLAG.IOPL);
      expect(peekAll(cpu, 4, 0x9000 - 36, 9)).toEqual([
        0x40_1000n,
        0x101n,
        flags,
        0x8000n,
        0x102n,
        0x100n,
        0x103n,
        0x104n,
        0x105n,
      ]);
      expect(cpu.state.segment('gs')).toMatchObject({ selector: 0, attributes: 0x10000 });
      expect(cpu.state.rflags & FLAG.VM).toBe(0);
      expect(cpu.state.get('cpl')).toBe(0);
    });

    test('INT n with IOPL below 3: #GP(0); INT3 is not held back', () => {
      cpu.state.rflags = FLAGS | FLAG.VM;
      setGate(cpu, 3, gate(SEL.code0, 0x100n, INTERRUPT | 0x60)[0]);
      expect(faultOf(() => interrupt(cpu, { vector: 3, kind: 'software' }))).toEqual({
        vector: 13,
        errorCode: 0,
      });
      expect(faultOf(() => interrupt(cpu, { vector: 3, kind: 'breakpoint' }))).toBeUndefined();
    });

    test('a handler that is not at privilege 0: #GP(selector)', () => {
      setGate(cpu, 0x20, gate(SEL.code1 & ~3, 0x100n, INTERRUPT)[0]);
      expect(faultOf(() => interrupt(cpu, { vector: 0x20, kind: 'external' }))).toEqual({
        vector: 13,
        errorCode: (SEL.code1 & ~3) | 1,
      });
    });
  });
});

describe('long mode (SDM 6.14)', () => {
  const RIP = 0xffff_8000_1234_5678n;

  test('same privilege: RSP is aligned, SS:RSP always pushed, SS stays', () => {
    enterLong(cpu);
    start(RIP);
    cpu.state.setGpr(RSP, 0x8009n);
    setLongGate(cpu, 13, gate(SEL.long0, 0xffff_8000_0000_1000n, INTERRUPT));
    deliver(cpu, exception(13, 0x20));
    expect(peekAll(cpu, 8, 0x7fd0, 6)).toEqual([
      0x20n,
      RIP,
      BigInt(SEL.long0),
      BigInt(FLAGS | FLAG.RF),
      0x8009n,
      BigInt(SEL.data0),
    ]);
    expect(cpu.state.segment('ss').selector).toBe(SEL.data0);
    expect(cpu.state.big('rip')).toBe(0xffff_8000_0000_1000n);
    expect(cpu.calls).not.toContain('modeChanged');
  });

  test('to inner privilege: RSP0, null SS with the new RPL; descriptor tables and stack with system rights', () => {
    enterLong(cpu, 3);
    start(0x40_0000n);
    poke(cpu, 8, TSS + 4, 0x9000n);
    setLongGate(cpu, 0x20, gate(SEL.long0, 0x1000n, TRAP));
    interrupt(cpu, { vector: 0x20, kind: 'external' });
    expect(peekAll(cpu, 8, 0x8fd8, 5)).toEqual([
      0x40_0000n,
      BigInt(SEL.long3),
      BigInt(FLAGS),
      0x8000n,
      BigInt(SEL.data3),
    ]);
    expect(cpu.state.segment('ss')).toMatchObject({ selector: 0, attributes: 0x10000 });
    expect(cpu.state.get('cpl')).toBe(0);
    expect(cpu.state.rflags & FLAG.IF).toBe(FLAG.IF);
    expect(cpu.systemAccesses.filter((a) => a.startsWith('w8f'))).toHaveLength(5);
  });

  test('IST: another stack at the same privilege', () => {
    enterLong(cpu);
    start(RIP);
    poke(cpu, 8, TSS + 0x24 + 2 * 8, 0xa008n);
    setLongGate(cpu, 2, gate(SEL.long0, 0x1000n, INTERRUPT, 3));
    deliver(cpu, { vector: 2, kind: 'nmi' });
    expect(cpu.state.gpr(RSP)).toBe(0x9fd8n);
    expect(cpu.state.get('nmiBlocked')).toBe(1);
  });

  const gp = (errorCode: number): unknown => ({ vector: 13, errorCode });
  test.each([
    ['a 32-bit code segment', SEL.code0, 0x1000n, INTERRUPT, gp(SEL.code0 | 1)],
    ['a 16-bit gate type', SEL.long0, 0x1000n, 0x86, gp(0x203)],
    ['a task gate', SEL.tss, 0x1000n, 0x85, gp(0x203)],
    ['a non-canonical handler', SEL.long0, 1n << 47n, INTERRUPT, gp(1)],
    ['an absent gate', SEL.long0, 0x1000n, 0x0e, { vector: 11, errorCode: 0x203 }],
  ] as const)('%s', (_what, selector, offset, access, expected) => {
    enterLong(cpu);
    start(RIP);
    setLongGate(cpu, 0x40, gate(selector, offset, access));
    const before = snapshot();
    expect(faultOf(() => interrupt(cpu, { vector: 0x40, kind: 'external' }))).toEqual(expected);
    expect(snapshot()).toEqual(before);
  });

  test('the sixteenth byte of the gate must be inside the table', () => {
    enterLong(cpu);
    setLongGate(cpu, 0x40, gate(SEL.long0, 0x1000n, INTERRUPT));
    cpu.state.set('idtrLimit', 0x40e);
    expect(faultOf(() => interrupt(cpu, { vector: 0x40, kind: 'external' }))).toEqual(gp(0x203));
    cpu.state.set('idtrLimit', 0x40f);
    expect(faultOf(() => interrupt(cpu, { vector: 0x40, kind: 'external' }))).toBeUndefined();
  });

  test('a non-canonical stack: #SS(EXT); a TSS too short for RSP0: #TS(TR)', () => {
    enterLong(cpu, 3);
    setLongGate(cpu, 0x20, gate(SEL.long0, 0x1000n, INTERRUPT));
    poke(cpu, 8, TSS + 4, 1n << 47n);
    const run = (): unknown => faultOf(() => interrupt(cpu, { vector: 0x20, kind: 'external' }));
    expect(run()).toEqual({ vector: 12, errorCode: 1 });
    cpu.state.setSegment('tr', { ...cpu.state.segment('tr'), limit: 0xa });
    expect(run()).toEqual({ vector: 10, errorCode: SEL.tss | 1 });
  });

  test('from compatibility mode the handler is 64-bit code', () => {
    enterLong(cpu, 3);
    poke(cpu, 8, TSS + 4, 0x9000n);
    cpu.state.setSegment('cs', { ...cpu.state.segment('cs'), selector: 0x1b, attributes: 0xc0fb });
    setLongGate(cpu, 0x20, gate(SEL.long0, 0x1000n, INTERRUPT));
    interrupt(cpu, { vector: 0x20, kind: 'external' });
    expect(cpu.state.segment('cs').attributes & 0x2000).toBe(0x2000);
    expect(cpu.state.gpr(RSP)).toBe(0x8fd8n);
  });
});

describe('faults during delivery (SDM table 6-5)', () => {
  /** Vectors whose gates lead to a data segment and so raise #GP; all others work. */
  const broken = (vectors: readonly number[]): void => {
    enterLong(cpu);
    for (let v = 0; v < 32; v++)
      setLongGate(
        cpu,
        v,
        gate(vectors.includes(v) ? SEL.data0 : SEL.long0, BigInt(0x1000 + v), INTERRUPT),
      );
  };

  test.each([
    ['contributory, contributory', exception(11, 8), [11], 8],
    ['page fault, contributory', exception(14, 0), [14], 8],
    ['contributory, page fault', exception(13, 0), 'page', 14],
    ['benign, contributory', exception(6), [6], 13],
    ['external, contributory', { vector: 0x1f, kind: 'external' }, [0x1f], 13],
    // INT 13 is benign and gives #GP; that #GP's own delivery fails.
    ['software, contributory twice', { vector: 13, kind: 'software' }, [13], 8],
  ] as const)('%s', (_what, event, vectors, expected) => {
    if (vectors === 'page') {
      broken([]);
      // The handler's stack is absent for #GP alone.
      setLongGate(cpu, 13, gate(SEL.long0, 0x100dn, INTERRUPT, 1));
      poke(cpu, 8, TSS + 0x24, 0x2_0000n);
      cpu.absent.add(0x1f);
    } else broken(vectors);
    const run = deliver(cpu, event);
    expect(run).toBe('delivered');
    expect(cpu.state.big('rip')).toBe(BigInt(0x1000 + expected));
  });

  test('the error code of the second exception has EXT and names its cause', () => {
    broken([6]);
    deliver(cpu, exception(6));
    expect(peekAll(cpu, 8, Number(cpu.state.gpr(RSP)), 1)).toEqual([BigInt(SEL.data0 | 1)]);
  });

  test('a double fault has error code 0 and returns to the first instruction', () => {
    broken([13]);
    start(0x40_0000n);
    deliver(cpu, { ...exception(13, 0x18), returnRip: 0x77n });
    expect(peekAll(cpu, 8, Number(cpu.state.gpr(RSP)), 2)).toEqual([0n, 0x77n]);
  });

  test('a contributory fault under the double fault shuts down, a benign one does not', () => {
    broken([13, 8]);
    expect(deliver(cpu, exception(13, 0))).toBe('shutdown');
    expect(deliver(cpu, exception(8, 0))).toBe('shutdown');
  });

  test('page faults one after the other: double fault, then shutdown; CR2 is the last address', () => {
    broken([]);
    cpu.absent.add(7);
    expect(deliver(cpu, exception(14, 2))).toBe('shutdown');
    expect(cpu.state.big('cr2')).toBe(0x7ff8n);
    setLongGate(cpu, 8, gate(SEL.long0, 0x1008n, INTERRUPT, 1));
    poke(cpu, 8, TSS + 0x24, 0x9000n);
    expect(deliver(cpu, exception(14, 2))).toBe('delivered');
    expect(cpu.state.big('rip')).toBe(0x1008n);
  });

  test('an empty IDT shuts down at once', () => {
    enterLong(cpu);
    cpu.bytes.fill(0, IDT, IDT + 0x800);
    expect(deliver(cpu, exception(6))).toBe('shutdown');
  });
});

test('delivery of #DB clears DR7.GD (SDM 17.2.4)', () => {
  enterLong(cpu);
  setLongGate(cpu, 1, gate(SEL.long0, 0x1000n, INTERRUPT));
  cpu.state.setBig('dr7', 0x2401n);
  deliver(cpu, exception(1));
  expect(cpu.state.big('dr7')).toBe(0x401n);
});
