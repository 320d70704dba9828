/**
 * Status flags in translated code. Within a block the last producer is remembered, its operands in locals, and flags are computed only where they are used. Between
 * blocks, and where code is left, four locals hold the lazy form of the state (`cpu/cpu-state.ts`), but raw: operands stand as they were, and `kind` says how
 * wide they are. They are extended, and the result of a subtraction is computed, once, when the function ends.
 */
import { FLAG_KIND, KIND_MASK, PARITY_DELTA, SIGN_DELTA } from '../cpu/cpu-state.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import type { ConditionCode, FlagsEmit, Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import type { Code, Variable } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { Expr, I32, I64, Int } from '../wasm/expr.ts';
import {
  AUXILIARY,
  CARRY,
  OVERFLOW,
  PARITY,
  SIGN,
  ZERO,
  conditionOf,
  flagsOf,
  lazyCarry,
  signExtend,
} from './memory-flags.ts';
import type { LazyFlags } from './memory-flags.ts';

type Kind = keyof typeof FLAG_KIND;

/** What the last producer left: constants and immutable locals, i64 for 64 bits and else i32 with anything above the size. */
interface Producer {
  readonly kind: Kind;
  readonly size: Size;
  readonly result: Int;
  readonly a: Int;
  readonly b: Int;
}

/** Where the local `kind` has the number of bits above the operands. */
const SHIFT = 16;
const STATE_KIND = (1 << SHIFT) - 1;

const widen = (value: Int): I64 =>
  value.type === 'i64' ? (value as I64) : e.extendU(value as I32);

const narrow = (value: Int, size: number): Int =>
  value.type === 'i64' && size < 64 ? e.wrap(value as I64) : value;

/** The operand at the top of its i32 or i64: comparisons then see its bits alone. */
const aligned = (value: Int, size: Size): Int => (size < 32 ? e.shl(value, 32 - size) : value);

export class RegionFlags implements FlagsEmit {
  readonly #c: Code;
  readonly #kind: Variable<'i32'>;
  readonly #result: Variable<'i64'>;
  readonly #a: Variable<'i64'>;
  readonly #b: Variable<'i64'>;
  #producer: Producer | undefined;
  /** Flags are written under a run-time condition: every write goes to the locals at once. */
  #direct = false;

  constructor(c: Code) {
    this.#c = c;
    this.#kind = c.variable('i32');
    this.#result = c.variable('i64');
    this.#a = c.variable('i64');
    this.#b = c.variable('i64');
  }

  /** Takes the flags from the state, at the function's start. */
  loadAll(): void {
    const c = this.#c;
    c.set(this.#kind, c.load('i32.load', BASE, FIELDS.flagKind.address));
    c.set(this.#result, c.load('i64.load', BASE, FIELDS.flagResult.address));
    c.set(this.#a, c.load('i64.load', BASE, FIELDS.flagA.address));
    c.set(this.#b, c.load('i64.load', BASE, FIELDS.flagB.address));
  }

  /** Gives the flags back to the state, where the function is left; `settle` must have come before. */
  storeAll(): void {
    const c = this.#c;
    const { deltas, result, a, b } = this.#whole();
    c.store('i32.store', BASE, e.and(deltas, STATE_KIND), FIELDS.flagKind.address);
    c.store('i64.store', BASE, result, FIELDS.flagResult.address);
    c.store('i64.store', BASE, a, FIELDS.flagA.address);
    c.store('i64.store', BASE, b, FIELDS.flagB.address);
  }

  /** Makes the locals current, before control goes elsewhere; the producer stays known here. */
  settle(): void {
    const p = this.#producer;
    if (!p) return;
    const c = this.#c;
    c.set(this.#kind, e.i32(FLAG_KIND[p.kind] | ((64 - p.size) << SHIFT)));
    // What the kind does not need may stay as it is.
    if (p.kind !== 'sub') c.set(this.#result, widen(p.result));
    c.set(this.#a, widen(p.a));
    if (p.kind !== 'explicit') c.set(this.#b, widen(p.b));
  }

  /** A new block begins: only the locals are known. */
  forget(): void {
    this.#producer = undefined;
  }

  /** Builds `body`, whose flag writes may be conditional. */
  conditionally(body: () => void): void {
    this.settle();
    this.#producer = undefined;
    this.#direct = true;
    body();
    this.#direct = false;
  }

  add(size: Size, a: Int, b: Int, r: Int): void {
    this.#produce({ kind: 'add', size, result: r, a, b });
  }

  sub(size: Size, a: Int, b: Int, r: Int): void {
    this.#produce({ kind: 'sub', size, result: r, a, b });
  }

  sbb(size: Size, a: Int, b: Int, r: Int): void {
    this.#produce({ kind: 'sbb', size, result: r, a, b });
  }

  inc(size: Size, a: Int, r: Int): void {
    this.#produce({ kind: 'inc', size, result: r, a, b: this.carry() });
  }

  dec(size: Size, a: Int, r: Int): void {
    this.#produce({ kind: 'dec', size, result: r, a, b: this.carry() });
  }

  logic(size: Size, r: Int): void {
    this.#produce({ kind: 'explicit', size, result: r, a: e.i32(0), b: e.i32(0) });
  }

  result(size: Size, r: Int, bits: I32): void {
    this.#explicit(signExtend(r, size), e.extendU(bits));
  }

  set(eflags: I32): void {
    const c = this.#c;
    const flags = c.let(eflags);
    const zero = c.let(e.and(flags, ZERO));
    const parity = e.and(flags, PARITY);
    const signed = e.and(flags, SIGN);
    this.#producer = undefined;
    // The same form as CpuState.setStatusFlags.
    const deltas = e.or(e.shl(signed, 1), e.select(parity, e.i32(0), e.i32(PARITY_DELTA)));
    const result = e.or(e.shl(e.extendU(signed), 56), e.select(parity, e.i64(3), e.i64(1)));
    c.set(this.#kind, e.select(zero, deltas, e.i32(0)));
    c.set(this.#result, e.select(zero, e.i64(0), result));
    c.set(this.#a, e.extendU(e.and(flags, CARRY | AUXILIARY | OVERFLOW)));
  }

  setCarry(carry: I32): void {
    this.#replace(CARRY, carry);
  }

  setCarryOverflow(carry: I32, overflow: I32): void {
    this.#replace(CARRY | OVERFLOW, e.or(carry, e.shl(overflow, 11)));
  }

  carry(): I32 {
    const p = this.#producer;
    return this.#c.let(p ? carryOf(p) : lazyCarry(this.#whole()));
  }

  get(): I32 {
    const p = this.#producer;
    if (!p) return flagsOf(this.#c, this.#whole());
    const r = this.#c.let(signExtend(p.result, p.size));
    return this.#c.let(e.or(resultFlags(r), operandFlags(p)));
  }

  condition(cc: ConditionCode): I32 {
    const c = this.#c;
    const p = this.#producer;
    const even = (cc & ~1) as ConditionCode;
    const positive = p ? this.#known(p, even) : this.#unknown(even);
    return c.let(cc & 1 ? e.eqz(positive) : positive);
  }

  /** The lazy form of the state, from the locals. */
  #whole(): LazyFlags & { readonly deltas: I32 } {
    const c = this.#c;
    const deltas = c.snapshot(this.#kind);
    const shift = c.let(e.extendU(e.shrU(deltas, SHIFT)));
    const whole = (raw: Variable<'i64'>): I64 => c.let(e.shrS(e.shl(c.get(raw), shift), shift));
    const kind = c.let(e.and(deltas, KIND_MASK));
    const a = whole(this.#a);
    const b = whole(this.#b);
    const difference = c.let(e.shrS(e.shl(e.sub(a, b), shift), shift));
    const result = c.let(e.select(e.eq(kind, FLAG_KIND.sub), difference, whole(this.#result)));
    return { deltas, kind, result, a, b };
  }

  /** A condition with an even code, whose producer is known. */
  #known({ kind, size, result, a, b }: Producer, cc: ConditionCode): I32 {
    const r = aligned(result, size);
    if (kind === 'sub' && cc === 4) return e.eq(aligned(a, size), aligned(b, size));
    if (cc === 4) return e.eqz(r);
    if (cc === 8) return e.ltS(r, 0);
    const compare = COMPARISONS[cc];
    if (kind === 'sub' && compare) return compare(aligned(a, size), aligned(b, size));
    if (kind === 'explicit' && a.constant === 0) {
      if (cc === 0 || cc === 2) return e.i32(0);
      if (cc === 6) return e.eqz(r);
      if (cc === 12) return e.ltS(r, 0);
      if (cc === 14) return e.leS(r, 0);
    }
    return conditionOf(cc, this.get());
  }

  /** A condition with an even code, from the locals. */
  #unknown(cc: ConditionCode): I32 {
    const c = this.#c;
    if (cc === 4) return e.eqz(this.#whole().result);
    if (cc === 8) {
      const { result, deltas } = this.#whole();
      return e.xor(e.ltS(result, 0), e.nez(e.and(deltas, SIGN_DELTA)));
    }
    const compare = COMPARISONS[cc];
    if (!compare) return conditionOf(cc, this.get());
    const answer = c.variable('i32');
    c.if(
      e.eq(e.and(c.get(this.#kind), KIND_MASK), FLAG_KIND.sub),
      () => {
        const { a, b } = this.#whole();
        c.set(answer, compare(a, b));
      },
      () => c.set(answer, conditionOf(cc, this.get())),
    );
    return c.get(answer);
  }

  /** Replaces some of CF, AF and OF: the others become explicit; what gives ZF, SF and PF stays. */
  #replace(mask: number, bits: I32): void {
    const c = this.#c;
    const p = this.#producer;
    const kept = (CARRY | AUXILIARY | OVERFLOW) & ~mask;
    if (p) {
      const rest = e.or(
        e.or(kept & CARRY ? carryOf(p) : e.i32(0), kept & AUXILIARY ? auxiliaryOf(p) : e.i32(0)),
        kept & OVERFLOW ? overflowOf(p) : e.i32(0),
      );
      this.#explicit(signExtend(p.result, p.size), e.extendU(e.or(rest, bits)));
      return;
    }
    const bound = c.let(bits);
    const a = c.let(e.extendU(e.or(e.and(this.get(), kept), bound)));
    const { result, deltas } = this.#whole();
    c.set(this.#result, result);
    c.set(this.#a, a);
    c.set(this.#kind, e.and(deltas, STATE_KIND & ~KIND_MASK));
  }

  /** ZF, SF and PF from a sign-extended result; the other flags stand in `bits`, which are not computed before somebody wants them. */
  #explicit(result: I64, bits: I64): void {
    const c = this.#c;
    const a = sizeOf(bits) > MOST_DEFERRED ? c.let(bits) : bits;
    // The bits have no room in a narrow operand.
    this.#producer = { kind: 'explicit', size: 64, result: c.let(result), a, b: e.i64(0) };
    this.#settleDirectly();
  }

  #produce({ kind, size, result, a, b }: Producer): void {
    const c = this.#c;
    const bind = (value: Int): Int => c.let(narrow(value, size));
    this.#producer = { kind, size, result: bind(result), a: bind(a), b: bind(b) };
    this.#settleDirectly();
  }

  #settleDirectly(): void {
    if (!this.#direct) return;
    this.settle();
    this.#producer = undefined;
  }
}

/** Nodes of an expression that is evaluated where it is used. */
const MOST_DEFERRED = 24;

const sizeOf = (expr: Expr): number =>
  expr.operands.reduce((sum, operand) => sum + sizeOf(operand), 1);

/** The operands and the result of a producer, sign-extended. */
const extended = ({ kind, size, result, a, b }: Producer): LazyFlags => ({
  kind: e.i32(FLAG_KIND[kind]),
  result: signExtend(result, size),
  a: signExtend(a, size),
  b: signExtend(b, size),
});

const signBit = (value: I64): I32 => e.wrap(e.shrU(value, 63));

const low = (value: Int): I32 => narrow(value, 32) as I32;

const carryOf = (p: Producer): I32 => {
  if (p.kind === 'sub') return e.ltU(aligned(p.a, p.size), aligned(p.b, p.size));
  if (p.kind === 'inc' || p.kind === 'dec') return low(p.b);
  if (p.kind === 'explicit') return e.and(low(p.a), CARRY);
  return lazyCarry(extended(p));
};

/** AF in its place. */
const auxiliaryOf = (p: Producer): I32 => {
  if (p.kind === 'explicit') return e.and(low(p.a), AUXILIARY);
  const stepped = p.kind === 'inc' || p.kind === 'dec';
  const sides = e.xor(low(p.a), low(p.result));
  return e.and(stepped ? sides : e.xor(sides, low(p.b)), AUXILIARY);
};

/** OF in its place. */
const overflowOf = (p: Producer): I32 => {
  if (p.kind === 'explicit') return e.and(low(p.a), OVERFLOW);
  const { a, b, result: r } = extended(p);
  const signs = {
    add: e.and(e.xor(a, r), e.xor(b, r)),
    sub: e.and(e.xor(a, b), e.xor(a, r)),
    sbb: e.and(e.xor(a, b), e.xor(a, r)),
    inc: e.and(e.not(a), r),
    dec: e.and(a, e.not(r)),
  } as const;
  return e.shl(signBit(signs[p.kind]), 11);
};

const operandFlags = (p: Producer): I32 => e.or(e.or(carryOf(p), auxiliaryOf(p)), overflowOf(p));

/** ZF, SF and PF of a sign-extended result. */
const resultFlags = (r: I64): I32 => {
  const odd = e.and(e.popcnt(e.and(e.wrap(r), 0xff)), 1);
  const zero = e.shl(e.eqz(r), 6);
  return e.or(e.or(zero, e.shl(signBit(r), 7)), e.shl(e.xor(odd, 1), 2));
};

/** Conditions that a comparison answers directly from its operands. */
const COMPARISONS: Partial<Record<ConditionCode, (a: Int, b: Int) => I32>> = {
  2: e.ltU,
  6: e.leU,
  12: e.ltS,
  14: e.leS,
};
