/**
 * Status flags in translated code. Within a block the last producer is remembered, its operands in locals, and flags are computed only where they are used. Between
 * blocks, and where code is left, the lazy form stands in four locals that mirror the fields of the state.
 */
import { FLAG_KIND, KIND_MASK, PARITY_DELTA, SIGN_DELTA } from '../cpu/cpu-state.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import type { ConditionCode, FlagsEmit, Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import type { Code, Variable } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
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

/** What the last producer left: constants and immutable locals, sign-extended. */
interface Producer {
  readonly kind: Kind;
  readonly result: I64;
  readonly a: I64;
  readonly b: I64;
}

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
    c.store('i32.store', BASE, c.get(this.#kind), FIELDS.flagKind.address);
    c.store('i64.store', BASE, c.get(this.#result), FIELDS.flagResult.address);
    c.store('i64.store', BASE, c.get(this.#a), FIELDS.flagA.address);
    c.store('i64.store', BASE, c.get(this.#b), FIELDS.flagB.address);
  }

  /** Makes the locals current, before control goes elsewhere; the producer stays known here. */
  settle(): void {
    const p = this.#producer;
    if (!p) return;
    const c = this.#c;
    c.set(this.#kind, e.i32(FLAG_KIND[p.kind]));
    c.set(this.#result, p.result);
    c.set(this.#a, p.a);
    c.set(this.#b, p.b);
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
    this.#operation('add', size, a, b, r);
  }

  sub(size: Size, a: Int, b: Int, r: Int): void {
    this.#operation('sub', size, a, b, r);
  }

  sbb(size: Size, a: Int, b: Int, r: Int): void {
    this.#operation('sbb', size, a, b, r);
  }

  inc(size: Size, a: Int, r: Int): void {
    this.#step('inc', size, a, r);
  }

  dec(size: Size, a: Int, r: Int): void {
    this.#step('dec', size, a, r);
  }

  logic(size: Size, r: Int): void {
    this.#produce({
      kind: 'explicit',
      result: signExtend(r, size),
      a: e.i64(0),
      b: e.i64(0),
    });
  }

  result(size: Size, r: Int, bits: I32): void {
    this.#produce({
      kind: 'explicit',
      result: signExtend(r, size),
      a: e.extendU(bits),
      b: e.i64(0),
    });
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
    if (p?.kind === 'sub') return this.#c.let(e.ltU(p.a, p.b));
    return this.#c.let(lazyCarry(this.#lazy()));
  }

  get(): I32 {
    return flagsOf(this.#c, this.#lazy());
  }

  condition(cc: ConditionCode): I32 {
    const c = this.#c;
    const p = this.#producer;
    const even = (cc & ~1) as ConditionCode;
    const positive = p ? this.#known(p, even) : this.#unknown(even);
    return c.let(cc & 1 ? e.eqz(positive) : positive);
  }

  /** The lazy form as values: of the producer, or copies of the locals. */
  #lazy(): LazyFlags & { readonly deltas: I32 } {
    const p = this.#producer;
    if (p) return { ...p, kind: e.i32(FLAG_KIND[p.kind]), deltas: e.i32(0) };
    const c = this.#c;
    const deltas = c.snapshot(this.#kind);
    return {
      deltas,
      kind: c.let(e.and(deltas, KIND_MASK)),
      result: c.snapshot(this.#result),
      a: c.snapshot(this.#a),
      b: c.snapshot(this.#b),
    };
  }

  /** A condition with an even code, whose producer is known. */
  #known(p: Producer, cc: ConditionCode): I32 {
    if (cc === 4) return e.eqz(p.result);
    if (cc === 8) return e.ltS(p.result, 0);
    const compare = COMPARISONS[cc];
    if (p.kind === 'sub' && compare) return compare(p.a, p.b);
    if (p.kind === 'explicit' && p.a.constant === 0) {
      if (cc === 0 || cc === 2) return e.i32(0);
      if (cc === 6) return e.eqz(p.result);
      if (cc === 12) return e.ltS(p.result, 0);
      if (cc === 14) return e.leS(p.result, 0);
    }
    return conditionOf(cc, this.get());
  }

  /** A condition with an even code, from the locals. */
  #unknown(cc: ConditionCode): I32 {
    const c = this.#c;
    if (cc === 4) return e.eqz(c.snapshot(this.#result));
    if (cc === 8) {
      const delta = e.nez(e.and(c.get(this.#kind), SIGN_DELTA));
      return e.xor(e.ltS(c.get(this.#result), 0), delta);
    }
    const compare = COMPARISONS[cc];
    if (!compare) return conditionOf(cc, this.get());
    const answer = c.variable('i32');
    c.if(
      e.eq(e.and(c.get(this.#kind), KIND_MASK), FLAG_KIND.sub),
      () => c.set(answer, compare(c.get(this.#a), c.get(this.#b))),
      () => c.set(answer, conditionOf(cc, this.get())),
    );
    return c.get(answer);
  }

  #operation(kind: 'add' | 'sub' | 'sbb', size: Size, a: Int, b: Int, r: Int): void {
    this.#produce({
      kind,
      result: signExtend(r, size),
      a: signExtend(a, size),
      b: signExtend(b, size),
    });
  }

  #step(kind: 'inc' | 'dec', size: Size, a: Int, r: Int): void {
    const b = e.extendU(this.carry());
    this.#produce({ kind, result: signExtend(r, size), a: signExtend(a, size), b });
  }

  /** Replaces some of CF, AF and OF: the others become explicit; what gives ZF, SF and PF stays. */
  #replace(mask: number, bits: I32): void {
    const c = this.#c;
    const p = this.#producer;
    const bound = c.let(bits);
    const kept = e.and(this.get(), (CARRY | AUXILIARY | OVERFLOW) & ~mask);
    const a = c.let(e.extendU(e.or(kept, bound)));
    if (p) {
      this.#produce({ kind: 'explicit', result: p.result, a, b: e.i64(0) });
      return;
    }
    c.set(this.#a, a);
    c.set(this.#kind, e.and(c.get(this.#kind), ~KIND_MASK));
  }

  #produce({ kind, result, a, b }: Producer): void {
    const c = this.#c;
    this.#producer = { kind, result: c.let(result), a: c.let(a), b: c.let(b) };
    if (!this.#direct) return;
    this.settle();
    this.#producer = undefined;
  }
}

/** Conditions that a comparison answers directly from its operands. */
const COMPARISONS: Partial<Record<ConditionCode, (a: I64, b: I64) => I32>> = {
  2: e.ltU,
  6: e.leU,
  12: e.ltS,
  14: e.leS,
};
