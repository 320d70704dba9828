/** String instructions against a model that does one element after the other: bulk runs must not show. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODE, createGuest, DATA, HOLE, READ_ONLY } from './guest.ts';
import type { Guest, GuestMode } from './guest.ts';

type Operation = 'movs' | 'stos' | 'lods' | 'cmps' | 'scas';
type Repeat = 'none' | 'rep' | 'repne';

interface Case {
  readonly operation: Operation;
  readonly repeat: Repeat;
  readonly size: 1 | 2 | 4 | 8;
  readonly backward: boolean;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly accumulator: bigint;
}

const OPCODE: Record<Operation, number> = {
  movs: 0xa4,
  stos: 0xaa,
  lods: 0xac,
  cmps: 0xa6,
  scas: 0xae,
};
const WINDOW = 0x4000;
const DF = 0x400n;

const encode = ({ operation, repeat, size }: Case): number[] => {
  const prefixes = repeat === 'none' ? [] : [repeat === 'rep' ? 0xf3 : 0xf2];
  if (size === 2) prefixes.push(0x66);
  if (size === 8) prefixes.push(0x48);
  return [...prefixes, OPCODE[operation] + (size === 1 ? 0 : 1)];
};

interface Result {
  /** Whether memory is as the model leaves it; true in the model. */
  readonly memory: boolean;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly rcx: bigint;
  readonly rax: bigint;
  /** CF and ZF of a comparison. */
  readonly flags: readonly [carry: boolean, zero: boolean] | undefined;
  readonly iterations: number;
}

/** The same by the book, in memory that starts at DATA. */
const model = (c: Case, memory: Uint8Array): Result => {
  const { operation, size } = c;
  const get = (address: number): bigint => {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--)
      value = (value << 8n) | BigInt(memory[address - DATA + i] as number);
    return value;
  };
  const put = (address: number, value: bigint): void => {
    for (let i = 0; i < size; i++)
      memory[address - DATA + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  };
  const bits = size * 8;
  const step = c.backward ? -size : size;
  let { from, to, accumulator } = c;
  let left = c.repeat === 'none' ? 1 : c.count;
  let flags: Result['flags'];
  let iterations = 0;
  while (left > 0) {
    const low = BigInt.asUintN(bits, accumulator);
    let pair: readonly [bigint, bigint] | undefined;
    if (operation === 'movs') put(to, get(from));
    else if (operation === 'stos') put(to, low);
    else if (operation === 'lods') {
      const value = get(from);
      accumulator = bits === 32 ? value : ((accumulator >> BigInt(bits)) << BigInt(bits)) | value;
    } else pair = operation === 'cmps' ? [get(from), get(to)] : [low, get(to)];
    if (operation === 'movs' || operation === 'lods' || operation === 'cmps') from += step;
    if (operation !== 'lods') to += step;
    left--;
    iterations++;
    if (!pair) continue;
    flags = [pair[0] < pair[1], pair[0] === pair[1]];
    if (flags[1] !== (c.repeat === 'rep')) break;
  }
  return {
    memory: true,
    rsi: BigInt(from),
    rdi: BigInt(to),
    rcx: BigInt(c.repeat === 'none' ? c.count : left),
    rax: accumulator,
    flags,
    iterations: Math.max(iterations, 1),
  };
};

/** Few values, long runs: comparisons go on for a while. */
const BACKGROUND = Uint8Array.from({ length: WINDOW }, (_, i) =>
  (i >> 9) & 1 ? 0x5a : (i * i) >> 11,
);

const place = (guest: Guest, c: Case): void => {
  guest.machine.memory.write(DATA, BACKGROUND);
  guest.set({
    rsi: c.from,
    rdi: c.to,
    rcx: c.count,
    rax: c.accumulator,
    rflags: 2n | (c.backward ? DF : 0n),
  });
};

const observe = (guest: Guest, c: Case, memory: Uint8Array, iterations: number): Result => {
  const flags = guest.get('rflags');
  const compares = c.operation === 'cmps' || c.operation === 'scas';
  return {
    memory: Buffer.compare(guest.machine.memory.read(DATA, WINDOW), memory) === 0,
    rsi: guest.get('rsi'),
    rdi: guest.get('rdi'),
    rcx: guest.get('rcx'),
    rax: guest.get('rax'),
    flags:
      compares && (c.repeat === 'none' || c.count > 0)
        ? [(flags & 1n) !== 0n, (flags & 0x40n) !== 0n]
        : undefined,
    iterations,
  };
};

const cases = (mode: GuestMode): fc.Arbitrary<Case> => {
  const middle = DATA + WINDOW / 2;
  // Near each other, so that source and destination overlap often.
  const around = fc.integer({ min: middle - 0x900, max: middle + 0x900 });
  return fc.record({
    operation: fc.constantFrom<Operation[]>('movs', 'stos', 'lods', 'cmps', 'scas'),
    repeat: fc.constantFrom<Repeat[]>('none', 'rep', 'rep', 'repne'),
    size: fc.constantFrom<(1 | 2 | 4 | 8)[]>(1, 2, 4, ...(mode === 'long' ? [8 as const] : [])),
    backward: fc.boolean(),
    from: around,
    to: around,
    count: fc.oneof(fc.nat(20), fc.nat(600)),
    accumulator: fc.constantFrom(0x5an, 0x5a5a_5a5a_5a5a_5a5an, 0x0123_4567_89ab_cdefn, 0n),
  });
};

const MODES = ['long', 'flat'] as const;

describe.each(MODES)('%s mode', (mode) => {
  const guest = createGuest(mode);

  /** What the model makes of the case, and the memory that it leaves. */
  const expected = (c: Case): readonly [Result, Uint8Array] => {
    const memory = BACKGROUND.slice();
    const accumulator = mode === 'long' ? c.accumulator : BigInt.asUintN(32, c.accumulator);
    return [model({ ...c, accumulator }, memory), memory];
  };
  const check = (c: Case, iterations: number): void => {
    const [want, memory] = expected(c);
    const got = observe(guest, c, memory, iterations);
    expect(mode === 'long' ? got : { ...got, rax: BigInt.asUintN(32, got.rax) }).toEqual(want);
  };

  test('results are those of single elements, and each counts as an instruction', () => {
    fc.assert(
      fc.property(cases(mode), (c) => {
        place(guest, c);
        const before = guest.machine.retired;
        expect(guest.run(encode(c))).toEqual({ kind: 'until' });
        check(c, guest.machine.retired - before);
      }),
      { numRuns: 400 },
    );
  });

  test('a budget stops at exactly that iteration, and the rest completes', () => {
    fc.assert(
      fc.property(cases(mode), fc.integer({ min: 1, max: 400 }), (c, budget) => {
        const [{ iterations }] = expected(c);
        fc.pre(iterations > budget);
        place(guest, c);
        const before = guest.machine.retired;
        const code = encode(c);
        expect(guest.run(code, budget)).toEqual({ kind: 'budget' });
        expect(guest.machine.retired - before).toBe(budget);
        expect(guest.get('rcx')).toBe(BigInt(c.count - budget));
        expect(guest.machine.run({ until: BigInt(CODE + code.length) })).toEqual({ kind: 'until' });
        check(c, guest.machine.retired - before);
      }),
      { numRuns: 200 },
    );
  });
});

const REP_MOVSB = [0xf3, 0xa4];
const REP_STOSQ = [0xf3, 0x48, 0xab];

describe('faults within a repetition', () => {
  const guest = createGuest();
  const pageFault = { kind: 'exception', vector: 14 };

  test('a source page that is not present stops with exact registers', () => {
    guest.set({ rsi: HOLE - 100, rdi: DATA, rcx: 300, rflags: 2 });
    guest.write(
      HOLE - 100,
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    guest.write(
      DATA,
      Array.from({ length: 300 }, () => 0),
    );
    expect(guest.run(REP_MOVSB)).toMatchObject({ ...pageFault, errorCode: 0 });
    expect([guest.get('rsi'), guest.get('rdi'), guest.get('rcx')]).toEqual([
      BigInt(HOLE),
      BigInt(DATA + 100),
      200n,
    ]);
    expect(guest.get('cr2')).toBe(BigInt(HOLE));
    expect(guest.read(DATA, 102)).toEqual([...Array.from({ length: 100 }, (_, i) => i + 1), 0, 0]);
  });

  test('a read-only destination stops at its first byte', () => {
    guest.set({ rdi: READ_ONLY - 12, rcx: 4, rax: 0x1122_3344_5566_7788n, rflags: 2 });
    expect(guest.run(REP_STOSQ)).toMatchObject({ ...pageFault, errorCode: 3 });
    // The second element crosses into the page: nothing of it is written.
    expect([guest.get('rdi'), guest.get('rcx')]).toEqual([BigInt(READ_ONLY - 4), 3n]);
    expect(guest.read(READ_ONLY - 4, 8)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(guest.get('cr2')).toBe(BigInt(READ_ONLY));
  });

  test('downwards into a missing page', () => {
    guest.set({ rsi: DATA + 0x100, rdi: HOLE + 0x1002, rcx: 10, rflags: 2n | DF });
    expect(guest.run(REP_MOVSB)).toMatchObject({ ...pageFault, errorCode: 2 });
    expect([guest.get('rsi'), guest.get('rdi'), guest.get('rcx')]).toEqual([
      BigInt(DATA + 0x100 - 3),
      BigInt(HOLE + 0xfff),
      7n,
    ]);
  });

  test('with a count of 0 no address is touched and the upper half of RCX stays', () => {
    const empty = 0x1_0000_0000n;
    guest.set({ rsi: HOLE, rdi: HOLE, rcx: empty, rflags: 2 });
    expect(guest.run([0x67, ...REP_MOVSB])).toEqual({ kind: 'until' });
    expect(guest.get('rcx')).toBe(empty);
  });
});

test('a 32-bit address size counts in ECX and wraps index registers', () => {
  const guest = createGuest();
  const high = 0xdead_0000_0000_0000n;
  guest.write(DATA, [1, 2, 3, 4, 0, 0, 0, 0]);
  guest.set({ rsi: high | BigInt(DATA), rdi: high | BigInt(DATA + 4), rcx: high | 4n, rflags: 2 });
  expect(guest.run([0x67, ...REP_MOVSB])).toEqual({ kind: 'until' });
  expect(guest.read(DATA, 8)).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  expect([guest.get('rsi'), guest.get('rdi'), guest.get('rcx')]).toEqual([
    BigInt(DATA + 4),
    BigInt(DATA + 8),
    0n,
  ]);
});

test('16-bit code: SI and DI wrap at 64 KiB, the upper halves stay', () => {
  const guest = createGuest('real');
  guest.machine.setSegment('ds', {
    selector: 0x2000,
    base: 0x2_0000n,
    limit: 0xffff,
    attributes: 0x93,
  });
  guest.machine.setSegment('es', {
    selector: 0x5000,
    base: 0x5_0000n,
    limit: 0xffff,
    attributes: 0x93,
  });
  guest.write(0x2_fffe, [7, 8]);
  guest.write(0x2_0000, [9]);
  guest.set({ rsi: 0xabcd_fffe, rdi: 0x1234_0010, rcx: 0x5678_0003, rflags: 2 });
  expect(guest.run(REP_MOVSB)).toEqual({ kind: 'until' });
  expect(guest.read(0x5_0010, 3)).toEqual([7, 8, 9]);
  expect([guest.get('esi'), guest.get('edi'), guest.get('ecx')]).toEqual([
    0xabcd_0001n,
    0x1234_0013n,
    0x5678_0000n,
  ]);
});

test('code that a string instruction overwrites is executed as written', () => {
  const guest = createGuest();
  // mov al, 1 / rep movsb over the next instruction (mov al, 1 becomes mov al, 2) / mov al, 1
  const program = [0xb0, 0x01, 0xf3, 0xa4, 0xb0, 0x01];
  guest.write(DATA, [0xb0, 0x02]);
  guest.set({ rsi: DATA, rdi: 0x1_0004, rcx: 2, rax: 0, rflags: 2 });
  expect(guest.run(program)).toEqual({ kind: 'until' });
  expect(guest.get('rax') & 0xffn).toBe(2n);
});
