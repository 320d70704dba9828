// Interrupts, exceptions and IRETQ have two implementations: WebAssembly for the usual case, TypeScript for all. They must agree wherever the first one acts.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMachine } from '../../src/index.ts';
import type { Machine } from '../../src/index.ts';
import { enterLongMode } from '../machine/long-mode.ts';

const RAM = 4 << 20;
const GDT = 0x8000;
const IDT = 0x9000;
const TSS = 0xa000;
const CODE = 0x2_0000;
const STACKS = 0x3_0000;
const VECTOR = 0x40;
const RF = 0x1_0000n;

const code64 = (access: number): bigint => 0x00af_0000_0000_ffffn | (BigInt(access) << 40n);
const data = (access: number): bigint => 0x00cf_0000_0000_ffffn | (BigInt(access) << 40n);
/** Index 1 up: usual code and data for both privileges, then what the quick way must refuse. */
const DESCRIPTORS = [
  0n,
  code64(0x9b),
  data(0x93),
  data(0xf3),
  code64(0xfb),
  code64(0x9a),
  code64(0x9f),
  code64(0x1b),
  0x00cf_9b00_0000_ffffn,
  data(0x92),
  data(0x91),
];
const SELECTORS = [8, 16, 24 | 3, 32 | 3, 40, 48, 56, 64, 72, 80, 0, 3, 12, 88, 8 | 3];

interface Case {
  readonly user: boolean;
  readonly instruction: 'int' | 'ud2' | 'load' | 'iretq';
  readonly gate: {
    readonly type: number;
    readonly selector: number;
    readonly ist: number;
    readonly rip: bigint;
  };
  readonly frame: {
    readonly cs: number;
    readonly ss: number;
    readonly flags: number;
    readonly rsp: bigint;
    readonly rip: bigint;
  };
  readonly rsp: bigint;
  readonly idtrLimit: number;
  readonly flags: number;
  readonly smap: boolean;
  readonly taskLimit: number;
}

const usually = <T>(usual: T, ...rest: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, fc.constantFrom(usual, ...rest));

const place = usually(BigInt(CODE + 0x100), BigInt(CODE + 0x1ff8), 0x8000_0000_0000n, 0x50_0000n);
const stack = usually(
  BigInt(STACKS + 0x800),
  BigInt(STACKS + 0x1010),
  BigInt(STACKS + 0x1fe5),
  BigInt(RAM + 0x10),
  BigInt(RAM - 16),
  0x200_0010n,
  0x7fff_ffff_fff0n,
  0xffff_8000_0000_0010n,
);
const flagBits = usually(0x2, 0x202, 0x3ed7, 0x4002, 0x102, 0x4_0202, 0x24_0cd5, 0x1_0002, 0x3002);

const cases: fc.Arbitrary<Case> = fc.record({
  user: fc.boolean(),
  instruction: fc.constantFrom('int', 'ud2', 'load', 'iretq'),
  gate: fc.record({
    type: usually(0xee, 0x8e, 0xef, 0x8f, 0xec, 0x6e, 0x85),
    selector: usually(8, ...SELECTORS),
    ist: usually(0, 1, 2),
    rip: place,
  }),
  frame: fc.record({
    cs: usually(8, 32 | 3, ...SELECTORS),
    ss: usually(16, 0, 24 | 3, ...SELECTORS),
    flags: flagBits,
    rsp: stack,
    rip: place,
  }),
  rsp: stack,
  idtrLimit: usually(0xfff, 0x3ff, 0xef),
  flags: flagBits,
  smap: usually(false, true),
  taskLimit: usually(0x67, 0x20),
});

const CODES = {
  int: [0xcd, VECTOR],
  ud2: [0x0f, 0x0b],
  // mov eax, [0x2000000]
  load: [0x8b, 0x04, 0x25, 0, 0, 0, 2],
  iretq: [0x48, 0xcf],
} as const;

const bytesOf = (words: readonly bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(words.map((w) => BigInt.asUintN(64, w))).buffer);

const prepare = (machine: Machine, c: Case, armed: boolean): void => {
  const { state, memory } = machine;
  memory.write(0, new Uint8Array(0x4_0000));
  machine.reset();
  enterLongMode(machine);
  memory.write(GDT, bytesOf(DESCRIPTORS));
  state.set('gdtrLimit', DESCRIPTORS.length * 8 - 1);
  const low =
    (c.gate.rip & 0xffffn) |
    (BigInt(c.gate.selector) << 16n) |
    (BigInt(c.gate.ist) << 32n) |
    (BigInt(c.gate.type) << 40n) |
    (((c.gate.rip >> 16n) & 0xffffn) << 48n);
  for (const vector of [6, 14, VECTOR])
    memory.write(IDT + vector * 16, bytesOf([low, c.gate.rip >> 32n]));
  state.setBig('idtrBase', BigInt(IDT));
  state.set('idtrLimit', c.idtrLimit);
  machine.setSegment('tr', {
    selector: 0x60,
    base: BigInt(TSS),
    limit: c.taskLimit,
    attributes: 0x8b,
  });
  memory.write(TSS + 4, bytesOf([BigInt(STACKS + 0x2800)]));
  memory.write(TSS + 0x24, bytesOf([BigInt(STACKS + 0x3808), BigInt(STACKS + 0x4010)]));
  memory.write(CODE, Uint8Array.from(CODES[c.instruction]));
  const limit = 0xffff_ffff;
  if (c.user) {
    machine.setSegment('cs', { selector: 32 | 3, base: 0n, limit, attributes: 0xa0fb });
    for (const name of ['ss', 'ds', 'es'] as const)
      machine.setSegment(name, { selector: 24 | 3, base: 0n, limit, attributes: 0xc0f3 });
  }
  const { cs, ss, flags, rsp, rip } = c.frame;
  const frame = bytesOf([rip, BigInt(cs), BigInt(flags), rsp, BigInt(ss)]);
  machine.writeLinear(c.rsp, frame);
  machine.writeRegister('rsp', c.rsp);
  machine.writeRegister('rip', BigInt(CODE));
  // Single step and resume would be different runs.
  machine.writeRegister('rflags', BigInt(c.flags & ~0x1_0100));
  if (c.smap) machine.writeRegister('cr4', machine.readRegister('cr4') | 0x20_0000n);
  // A breakpoint that nothing reaches: TypeScript then does everything.
  machine.writeRegister('dr0', 0x1234_0000n);
  machine.writeRegister('dr7', armed ? 0x401n : 0x400n);
};

const outcome = (machine: Machine): unknown => {
  const exit = machine.run({ budget: 1 });
  const segments = (['cs', 'ss', 'ds', 'es'] as const).map((name) => machine.segment(name));
  return {
    exit: exit.kind,
    registers: Array.from({ length: 16 }, (_, n) => machine.state.gpr(n)),
    rip: machine.readRegister('rip'),
    // Without an armed breakpoint IRETQ has no use for RF and does not load it.
    flags: machine.readRegister('rflags') & ~RF,
    cr2: machine.readRegister('cr2'),
    cpl: machine.state.get('cpl'),
    retired: machine.retired,
    trace: machine.traceHash,
    segments,
    tables: machine.memory.read(GDT, 0x3000),
    stacks: machine.memory.read(STACKS, 0x5000),
  };
};

it('transfers of WebAssembly and of TypeScript agree', { timeout: 60_000 }, () => {
  const [quick, full] = [createMachine({ ram: RAM }), createMachine({ ram: RAM })];
  const kinds = new Map<string, number>();
  fc.assert(
    fc.property(cases, (c) => {
      prepare(quick, c, false);
      prepare(full, c, true);
      const result = outcome(quick);
      expect(result).toEqual(outcome(full));
      const { rip } = result as { readonly rip: bigint };
      const arrived = rip === c.gate.rip || rip === c.frame.rip;
      const kind = `${c.instruction} ${arrived ? 'arrives' : 'does not'}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }),
    { numRuns: 2000, seed: 2013 },
  );
  // Both outcomes of each instruction have occurred.
  expect([...kinds.values()].every((n) => n > 50)).toBe(true);
  expect(kinds.size).toBe(8);
});
