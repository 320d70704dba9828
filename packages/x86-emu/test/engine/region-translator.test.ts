// One set of semantic functions, two engines: generated code must leave the same state in both.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMachine } from '../../src/index.ts';
import { CODE, DATA, createBareEngine, executeTranslated } from './bare-engine.ts';

type Bytes = readonly number[];

/** Registers that blocks compute with; RSP and RBP address the data page. */
const register = fc.integer({ min: 0, max: 15 }).filter((n) => n !== 4 && n !== 5);
const rex = (w: boolean, reg: number, rm: number): number =>
  0x40 | (w ? 8 : 0) | (reg >= 8 ? 4 : 0) | (rm >= 8 ? 1 : 0);
const both = (reg: number, rm: number): number => 0xc0 | ((reg & 7) << 3) | (rm & 7);
/** [RBP + disp8]. */
const memory = (reg: number, displacement: number): Bytes => [
  0x45 | ((reg & 7) << 3),
  displacement & 0xff,
];
const operand = fc.oneof(
  register.map((rm) => ({ rm, displacement: 0, isMemory: false })),
  fc.integer({ min: -128, max: 127 }).map((displacement) => ({
    rm: 5,
    displacement,
    isMemory: true,
  })),
);

interface Form {
  readonly opcode: Bytes;
  readonly immediate: number;
  /** 8-bit operands: no operand-size prefix, REX always present. */
  readonly byte?: boolean;
  /** ModRM.reg is part of the opcode. */
  readonly digit?: number;
}

const alu = [0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38];
const conditions = Array.from({ length: 16 }, (_, cc) => cc);
/** More than the 60 commonest mnemonics of the traces in their register and memory forms. */
const FORMS: readonly Form[] = [
  ...alu.flatMap((base): Form[] => [
    { opcode: [base], immediate: 0, byte: true },
    { opcode: [base + 1], immediate: 0 },
    { opcode: [base + 2], immediate: 0, byte: true },
    { opcode: [base + 3], immediate: 0 },
    { opcode: [0x83], immediate: 1, digit: base >> 3 },
    { opcode: [0x80], immediate: 1, byte: true, digit: base >> 3 },
  ]),
  { opcode: [0x88], immediate: 0, byte: true },
  { opcode: [0x89], immediate: 0 },
  { opcode: [0x8a], immediate: 0, byte: true },
  { opcode: [0x8b], immediate: 0 },
  { opcode: [0x84], immediate: 0, byte: true },
  { opcode: [0x85], immediate: 0 },
  { opcode: [0x86], immediate: 0, byte: true },
  { opcode: [0x87], immediate: 0 },
  { opcode: [0x63], immediate: 0 },
  { opcode: [0x6b], immediate: 1 },
  { opcode: [0x0f, 0xaf], immediate: 0 },
  { opcode: [0x0f, 0xb6], immediate: 0, byte: true },
  { opcode: [0x0f, 0xb7], immediate: 0 },
  { opcode: [0x0f, 0xbe], immediate: 0, byte: true },
  { opcode: [0x0f, 0xbf], immediate: 0 },
  { opcode: [0x0f, 0xa3], immediate: 0 },
  { opcode: [0x0f, 0xa4], immediate: 1 },
  { opcode: [0x0f, 0xac], immediate: 1 },
  { opcode: [0x0f, 0xa5], immediate: 0 },
  { opcode: [0x0f, 0xbc], immediate: 0 },
  { opcode: [0x0f, 0xbd], immediate: 0 },
  { opcode: [0x0f, 0xc1], immediate: 0 },
  ...[4, 5, 6, 7].map((digit): Form => ({ opcode: [0x0f, 0xba], immediate: 1, digit })),
  ...[0, 1, 2, 3, 4, 5, 7].flatMap((digit): Form[] => [
    { opcode: [0xc1], immediate: 1, digit },
    { opcode: [0xd3], immediate: 0, digit },
    { opcode: [0xd1], immediate: 0, digit },
    { opcode: [0xc0], immediate: 1, byte: true, digit },
  ]),
  ...[2, 3, 4, 5].map((digit): Form => ({ opcode: [0xf7], immediate: 0, digit })),
  ...[0, 1].map((digit): Form => ({ opcode: [0xff], immediate: 0, digit })),
  ...[0, 1].map((digit): Form => ({ opcode: [0xfe], immediate: 0, byte: true, digit })),
  ...conditions.flatMap((cc): Form[] => [
    { opcode: [0x0f, 0x40 + cc], immediate: 0 },
    { opcode: [0x0f, 0x90 + cc], immediate: 0, byte: true, digit: 0 },
  ]),
];

const general = fc
  .record({
    form: fc.constantFrom(...FORMS),
    reg: register,
    operand,
    wide: fc.boolean(),
    narrow: fc.boolean(),
    immediate: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ form, reg, operand: { rm, displacement, isMemory }, wide, narrow, immediate }): Bytes => {
    const r = form.digit ?? reg;
    const prefix = narrow && !wide && form.byte !== true ? [0x66] : [];
    const modrm = isMemory ? memory(r, displacement) : [both(r, rm)];
    return [
      ...prefix,
      rex(wide, r, isMemory ? 0 : rm),
      ...form.opcode,
      ...modrm,
      ...(form.immediate === 1 ? [immediate] : []),
    ];
  });

const plain = fc.constantFrom<Bytes>(
  [0x90],
  [0x98],
  [0x48, 0x98],
  [0x99],
  [0x48, 0x99],
  [0xf8],
  [0xf9],
  [0xf5],
  [0x50],
  [0x5b],
  [0x6a, 0x81],
  [0x9c],
  [0x0f, 0xc9],
  [0x48, 0x0f, 0xca],
  [0x88, 0xe1],
  [0x02, 0xfc],
  [0x48, 0x8d, 0x44, 0x9e, 0x40],
  [0x48, 0x8b, 0x04, 0x24],
  [0x9f],
  [0x9e],
);
/** A jump over nothing much: taken or not, the block's end or its middle. */
const jump = fc.integer({ min: 0, max: 15 }).map((cc): Bytes => [0x70 + cc, 0x00]);
const instruction = fc.oneof(
  { weight: 8, arbitrary: general },
  { weight: 2, arbitrary: plain },
  { weight: 1, arbitrary: jump },
);

const interpreter = createBareEngine();
const translator = createBareEngine();

const prepare = (
  engine: ReturnType<typeof createBareEngine>,
  code: Uint8Array,
  seeds: readonly bigint[],
  flags: number,
): void => {
  const { state } = engine;
  const data = new Uint8Array(4096).map((_, i) => (i * 37 + Number(seeds[i % 16] ?? 0n)) & 0xff);
  engine.physical.write(DATA, data);
  engine.physical.write(CODE, code);
  engine.code.drop(CODE / 4096);
  seeds.forEach((value, n) => state.setGpr(n, value));
  state.setGpr(4, BigInt(DATA + 2048));
  state.setGpr(5, BigInt(DATA + 4096 - 128));
  state.setBig('rip', BigInt(CODE));
  state.rflags = 2 | (flags & 0x8d5);
  state.set('unwind', 0);
};

const stateOf = (engine: ReturnType<typeof createBareEngine>): unknown => ({
  registers: Array.from({ length: 16 }, (_, n) => engine.state.gpr(n).toString(16)),
  rip: engine.state.big('rip').toString(16),
  flags: engine.state.rflags.toString(16),
  data: engine.physical.read(DATA, 4096),
});

describe('region translator', { timeout: 60_000 }, () => {
  it('leaves the state that the interpreter leaves', () => {
    let translated = 0;
    fc.assert(
      fc.property(
        fc.array(instruction, { minLength: 1, maxLength: 24 }),
        fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 16, maxLength: 16 }),
        fc.integer({ min: 0, max: 0xfff }),
        (instructions, seeds, flags) => {
          const code = Uint8Array.from([...instructions.flat(), 0xf4]);
          for (const engine of [interpreter, translator]) {
            prepare(engine, code, seeds, flags);
            engine.state.set('exitReason', 0);
          }
          translated += executeTranslated(translator, instructions.length);
          interpreter.execute(instructions.length);
          expect(stateOf(translator)).toEqual(stateOf(interpreter));
        },
      ),
      { numRuns: 1000, seed: 2013 },
    );
    expect(translated).toBeGreaterThan(6000);
  });

  it('stops at a fault with nothing of the faulting instruction done', () => {
    // add rax, 1; add [rbp + 0x7f], rax: the last byte of the access is on the missing page.
    const code = Uint8Array.from([0x48, 0x83, 0xc0, 0x01, 0x48, 0x01, 0x45, 0x7f, 0xf4]);
    const seeds = Array.from({ length: 16 }, () => 41n);
    prepare(translator, code, seeds, 0);
    executeTranslated(translator, 2);
    expect(translator.state.big('rip')).toBe(BigInt(CODE + 4));
    expect(translator.state.gpr(0)).toBe(42n);
    expect(translator.state.get('faultVector')).toBe(14);
    expect(translator.state.big('cr2')).toBe(BigInt(DATA + 4096));
    expect(translator.state.rflags & 0x8d5).toBe(0);
  });

  it('runs loops, and stops them at exactly the budget', () => {
    fc.assert(
      fc.property(
        fc.array(instruction, { minLength: 1, maxLength: 10 }),
        fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 16, maxLength: 16 }),
        fc.integer({ min: 1, max: 400 }),
        (body, seeds, budget) => {
          // r12 counts down; nothing in the body may change it: the flags of its decrement decide.
          const inner = body.flat();
          if (inner.length > 110) return;
          const code = Uint8Array.from([
            ...inner,
            ...[0x49, 0x83, 0xec, 0x01, 0x75, -(inner.length + 6) & 0xff, 0xf4],
          ]);
          for (const engine of [interpreter, translator]) {
            prepare(engine, code, seeds, 0);
            engine.state.setGpr(12, 1000n);
          }
          executeTranslated(translator, budget);
          interpreter.execute(budget);
          expect(stateOf(translator)).toEqual(stateOf(interpreter));
        },
      ),
      { numRuns: 400, seed: 2013 },
    );
  });

  it('leaves code that it has overwritten itself', () => {
    // l: mov byte [rip + 8], cl; add eax, 1; dec ecx; jnz l; hlt, with the store aimed at the immediate of the add
    const code = Uint8Array.from([
      ...[0x88, 0x0d, 0x02, 0, 0, 0],
      ...[0x83, 0xc0, 0x01],
      ...[0xff, 0xc9, 0x75, 0xf3, 0xf4],
    ]);
    const seeds = Array.from({ length: 16 }, () => 0n);
    for (const engine of [interpreter, translator]) {
      prepare(engine, code, seeds, 0);
      engine.state.setGpr(1, 100n);
    }
    // A store into translated code ends the slice early.
    const end = translator.retired + 400;
    while (translator.retired < end)
      executeTranslated(translator, Math.min(8, end - translator.retired));
    interpreter.execute(400);
    expect(stateOf(translator)).toEqual(stateOf(interpreter));
    expect(translator.state.gpr(0)).toBe(5050n);
  });

  it('cuts the targets of jumps with a 16-bit operand size', () => {
    // l: dec ecx; jz +0 (16 bits: to EIP & 0xffff); jmp l; and ud2 where the jump would lead uncut
    const code = Uint8Array.from([0x49, 0x66, 0x74, 0x02, 0xeb, 0xfa, 0x0f, 0x0b]);
    const exits = (['interpreter', 'translator'] as const).map((engine) => {
      const machine = createMachine({ ram: 4 << 20, engine });
      machine.writeRegister('cr0', 0x11n);
      const flat = { base: 0n, limit: 0xffff_ffff };
      machine.setSegment('cs', { ...flat, selector: 8, attributes: 0xc09b });
      for (const name of ['ss', 'ds', 'es'] as const)
        machine.setSegment(name, { ...flat, selector: 16, attributes: 0xc093 });
      machine.memory.write(CODE, code);
      machine.memory.write(6, Uint8Array.of(0xf4));
      machine.writeRegister('ecx', 300_000n);
      machine.writeRegister('rip', BigInt(CODE));
      const exit = machine.run({ budget: 2_000_000 });
      return { exit, retired: machine.retired, rip: machine.readRegister('rip') };
    });
    expect(exits[0]).toEqual({ exit: { kind: 'halt' }, retired: 899_999 + 1, rip: 7n });
    expect(exits[1]).toEqual(exits[0]);
  });
});
