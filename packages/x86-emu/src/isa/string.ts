/**
 * String instructions: MOVS CMPS STOS LODS SCAS, alone and repeated (SDM Vol. 1, section 7.3.9).
 *
 * A repeated instruction does one element per execution and then executes again, so that a fault, an interrupt or the end of the budget finds exact
 * registers. Where memory is plainly accessible a run of elements is done at once; it ends at a page's end and within the budget.
 */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Load, Store } from '../wasm/opcode.ts';
import type { Emit, Semantics, Size } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import { RAX, RCX, RDI, RSI } from './register.ts';
import type { Row } from './row.ts';
import { low32, typeOf } from './width.ts';

const LOG2_BYTES: Record<Size, number> = { 8: 0, 16: 1, 32: 2, 64: 3 };
const PAGE = 4096;

const LOAD = {
  8: 'i32.load8_u',
  16: 'i32.load16_u',
  32: 'i32.load',
  64: 'i64.load',
} as const satisfies Record<Size, Load>;

const STORE: Record<Size, Store> = {
  8: 'i32.store8',
  16: 'i32.store16',
  32: 'i32.store',
  64: 'i64.store',
};

const loadHost = (x: Emit, size: Size, address: I32): Int => x.c.load(LOAD[size], address);

/** One end of a string operation: the operand, its index register, and the linear address of the present element. */
interface Place {
  readonly register: typeof RSI | typeof RDI;
  readonly access: 'read' | 'write';
  readonly linear: I64;
}

/** Does some elements, given the present count (undefined without a REP prefix); gives how many, at least 1. Faults come before changes. */
type Elements = (count: Int | undefined) => I32;

const direction = (x: Emit): I32 => e.and(low32(x.field('systemFlags')), FLAG.DF);

/** Moves the index registers on over `done` elements. */
const advance = (x: Emit, size: Size, registers: readonly number[], done: I32): void => {
  const up = e.i32(size / 8);
  const step = e.select(e.eqz(direction(x)), up, e.neg(up));
  const distance = x.c.let(done.constant === 1 ? step : e.mul(step, done));
  const by = x.addressSize === 64 ? x.c.let(e.extendS(distance)) : distance;
  for (const register of registers)
    x.setGpr(register, x.addressSize, e.add(x.gpr(register, x.addressSize), by));
};

/** The whole of a string instruction. `goesOn` tells whether the last element lets a REPE or REPNE continue. */
const stringOperation = (
  x: Emit,
  size: Size,
  registers: readonly number[],
  elements: Elements,
  goesOn?: () => I32,
): void => {
  const { c } = x;
  if (x.rep === 'none') {
    advance(x, size, registers, elements(undefined));
    return;
  }
  const again = c.variable('i32', e.i32(0));
  const count = x.gpr(RCX, x.addressSize);
  c.if(e.nez(count), () => {
    const done = elements(count);
    advance(x, size, registers, done);
    const left = c.let(e.sub(count, x.addressSize === 64 ? e.extendU(done) : done));
    x.setGpr(RCX, x.addressSize, left);
    if (done.constant !== 1) x.consumeIterations(c.let(e.sub(done, 1)));
    const more = e.nez(left);
    c.set(again, goesOn ? e.and(more, goesOn()) : more);
  });
  x.again(c.get(again));
};

/** Elements from `place` to the end of its page. */
const room = (place: Place, size: Size): I32 =>
  e.shrU(e.sub(e.i32(PAGE), e.and(e.wrap(place.linear), PAGE - 1)), LOG2_BYTES[size]);

/** The index register equals the linear address: no segment base, no wrap within the page. */
const isFlat = (x: Emit, { register, linear }: Place): I32 =>
  e.eq(e.extendU(x.gpr(register, 32) as I32), linear);

const least = (a: I32, b: I32): I32 => e.select(e.ltU(a, b), a, b);

/**
 * Chooses between a run of elements (`many`, given their number and the host address of each place; it gives how many it did) and a single one.
 * Runs exist in 64-bit code, and in flat 32-bit code, where the first element's segment check holds for the page.
 */
const run = (
  x: Emit,
  size: Size,
  count: Int | undefined,
  places: readonly Place[],
  many: (n: I32, hosts: readonly I32[]) => I32,
  one: () => void,
): I32 => {
  const { c } = x;
  if (count === undefined || x.mode === 'legacy' || x.addressSize === 16) {
    one();
    return e.i32(1);
  }
  const within = c.let(places.map((place) => c.let(room(place, size))).reduce(least));
  const n = c.variable('i32', within);
  c.if(e.ltU(count, x.addressSize === 64 ? e.extendU(within) : within), () =>
    c.set(n, low32(count)),
  );
  const left = x.iterationsLeft();
  c.if(e.gtU(c.get(n), left), () => c.set(n, left));

  const hosts = places.map(({ linear, access }) => x.direct(linear, access));
  const allowed = [
    e.eqz(direction(x)),
    e.gtU(c.get(n), 1),
    ...hosts.map((host) => e.nez(host)),
    ...(x.addressSize === 64 ? [] : places.map((place) => isFlat(x, place))),
  ].reduce((a, b) => e.and(a, b));
  const done = c.variable('i32', e.i32(1));
  c.if(allowed, () => c.set(done, many(c.snapshot(n), hosts)), one);
  return c.snapshot(done);
};

/** Calls `body` with 0, step, 2 × step … below `length`, which is not 0. */
const forOffsets = (x: Emit, length: I32, step: number, body: (offset: I32) => void): void => {
  const { c } = x;
  const offset = c.variable('i32', e.i32(0));
  c.loop((again) => {
    body(c.get(offset));
    c.set(offset, e.add(c.get(offset), step));
    c.brIf(e.ltU(c.get(offset), length), again);
  });
};

const source = (x: Emit, i: number, bytes: number): Place => ({
  register: RSI,
  access: 'read',
  linear: x.linear(i, bytes, 'read'),
});

const destination = (x: Emit, i: number, bytes: number, access: 'read' | 'write'): Place => ({
  register: RDI,
  access,
  linear: x.linear(i, bytes, access),
});

const movs: Semantics = (x) => {
  const { c } = x;
  const size = x.size(0);
  const bytes = size / 8;
  stringOperation(x, size, [RSI, RDI], (count) => {
    const from = source(x, 1, bytes);
    const to = destination(x, 0, bytes, 'write');
    return run(
      x,
      size,
      count,
      [from, to],
      (n, [host, target]) => {
        const length = c.let(e.shl(n, LOG2_BYTES[size]));
        // A destination that starts within the source repeats what has been written: only an element-wise copy does that.
        c.if(
          e.geU(e.sub(target as I32, host as I32), length),
          () => c.memoryCopy(target as I32, host as I32, length),
          () =>
            forOffsets(x, length, bytes, (offset) => {
              const value = loadHost(x, size, e.add(host as I32, offset));
              c.store(STORE[size], e.add(target as I32, offset), value);
            }),
        );
        return n;
      },
      () => x.store(size, to.linear, x.load(size, from.linear)),
    );
  });
};

const stos: Semantics = (x) => {
  const { c } = x;
  const size = x.size(0);
  const bytes = size / 8;
  const value = x.gpr(RAX, size);
  stringOperation(x, size, [RDI], (count) => {
    const to = destination(x, 0, bytes, 'write');
    return run(
      x,
      size,
      count,
      [to],
      (n, [target]) => {
        const length = c.let(e.shl(n, LOG2_BYTES[size]));
        const repeated = size === 16 ? e.or(value, e.shl(value, 16)) : value;
        const uniform = size === 8 ? e.i32(1) : e.eq(e.rotl(repeated, 8), repeated);
        c.if(
          uniform,
          () => c.memoryFill(target as I32, low32(value), length),
          () =>
            forOffsets(x, length, bytes, (offset) =>
              c.store(STORE[size], e.add(target as I32, offset), value),
            ),
        );
        return n;
      },
      () => x.store(size, to.linear, value),
    );
  });
};

const lods: Semantics = (x) => {
  const size = x.size(0);
  stringOperation(x, size, [RSI], () => {
    x.write(0, x.read(1));
    return e.i32(1);
  });
};

/** The elements of a comparison, from the first operand's and the second's point of view; ends a run at the element that ends the repetition. */
const compare = (
  x: Emit,
  size: Size,
  registers: readonly number[],
  places: () => readonly Place[],
  pair: (values: readonly Int[]) => readonly [Int, Int],
): void => {
  const { c } = x;
  const a = c.variable(typeOf(size));
  const b = c.variable(typeOf(size));
  const set = (values: readonly Int[]): void => {
    const [first, second] = pair(values);
    c.set(a, first);
    c.set(b, second);
  };
  const goesOn = (): I32 =>
    x.rep === 'repe' ? e.eq(c.get(a), c.get(b)) : e.ne(c.get(a), c.get(b));
  stringOperation(
    x,
    size,
    registers,
    (count) => {
      const at = places();
      const done = run(
        x,
        size,
        count,
        at,
        (n, hosts) => {
          const i = c.variable('i32', e.i32(0));
          c.block((end) =>
            c.loop((again) => {
              const offset = e.shl(c.get(i), LOG2_BYTES[size]);
              set(hosts.map((host) => loadHost(x, size, e.add(host, offset))));
              c.set(i, e.add(c.get(i), 1));
              c.brIf(e.eqz(goesOn()), end);
              c.brIf(e.ltU(c.get(i), n), again);
            }),
          );
          return c.get(i);
        },
        () => set(at.map(({ linear }) => x.load(size, linear))),
      );
      const [left, right] = [c.snapshot(a), c.snapshot(b)];
      x.flags.sub(size, left, right, c.let(e.sub(left, right)));
      return done;
    },
    goesOn,
  );
};

const cmps: Semantics = (x) => {
  const size = x.size(0);
  compare(
    x,
    size,
    [RSI, RDI],
    // Silicon reads ES:rDI first, which shows when both places fault.
    () => [destination(x, 1, size / 8, 'read'), source(x, 0, size / 8)],
    ([b, a]) => [a as Int, b as Int],
  );
};

const scas: Semantics = (x) => {
  const size = x.size(0);
  const accumulator = x.gpr(RAX, size);
  compare(
    x,
    size,
    [RDI],
    () => [destination(x, 1, size / 8, 'read')],
    ([b]) => [accumulator, b as Int],
  );
};

const rep = { repeats: 'rep', usesAddressSize: true } as const;
const repcc = { repeats: 'repcc', usesAddressSize: true } as const;

export const stringRows: readonly Row[] = [
  { ...rep, op: 'A4', mnemonic: 'MOVS', operands: ['Yb', 'Xb'], exec: movs },
  { ...rep, op: 'A5', mnemonic: 'MOVS', operands: ['Yv', 'Xv'], exec: movs },
  { ...repcc, op: 'A6', mnemonic: 'CMPS', operands: ['Xb', 'Yb'], exec: cmps },
  { ...repcc, op: 'A7', mnemonic: 'CMPS', operands: ['Xv', 'Yv'], exec: cmps },
  { ...rep, op: 'AA', mnemonic: 'STOS', operands: ['Yb', 'AL'], exec: stos },
  { ...rep, op: 'AB', mnemonic: 'STOS', operands: ['Yv', 'rAX'], exec: stos },
  { ...rep, op: 'AC', mnemonic: 'LODS', operands: ['AL', 'Xb'], exec: lods },
  { ...rep, op: 'AD', mnemonic: 'LODS', operands: ['rAX', 'Xv'], exec: lods },
  { ...repcc, op: 'AE', mnemonic: 'SCAS', operands: ['AL', 'Yb'], exec: scas },
  { ...repcc, op: 'AF', mnemonic: 'SCAS', operands: ['rAX', 'Yv'], exec: scas },
];
