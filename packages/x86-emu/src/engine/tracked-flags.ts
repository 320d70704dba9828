/**
 * Status flags for the translator: the last producer is remembered, with its operands in locals, and flags are computed only where they are used. What the state
 * holds in memory becomes current when code is left (`spill`).
 */
import { FLAG_KIND } from '../cpu/cpu-state.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import type { ConditionCode, FlagsEmit, Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import {
  AUXILIARY,
  CARRY,
  MemoryFlags,
  OVERFLOW,
  conditionOf,
  flagsOf,
  lazyCarry,
  signExtend,
} from './memory-flags.ts';
import type { Callees } from './runtime-functions.ts';

type Kind = keyof typeof FLAG_KIND;

/** What the last producer left: sign-extended locals. */
interface Producer {
  readonly kind: Kind;
  readonly result: I64;
  readonly a: I64;
  readonly b: I64;
}

export class TrackedFlags implements FlagsEmit {
  readonly #c: Code;
  readonly #memory: MemoryFlags;
  #producer: Producer | undefined;
  /** Flags are written under a run-time condition: everything goes through memory. */
  #direct = false;

  constructor(c: Code, callees: Callees) {
    this.#c = c;
    this.#memory = new MemoryFlags(c, callees);
  }

  /** Builds `body`, whose flag writes may be conditional, with the flags in memory. */
  inMemory(body: () => void): void {
    this.spill();
    this.#producer = undefined;
    this.#direct = true;
    body();
    this.#direct = false;
  }

  /** Stores the flags into the state, for an exit or a call that may look at them; they stay known here. */
  spill(): void {
    const producer = this.#producer;
    if (!producer) return;
    const c = this.#c;
    c.store('i32.store', BASE, e.i32(FLAG_KIND[producer.kind]), FIELDS.flagKind.address);
    c.store('i64.store', BASE, producer.result, FIELDS.flagResult.address);
    c.store('i64.store', BASE, producer.a, FIELDS.flagA.address);
    c.store('i64.store', BASE, producer.b, FIELDS.flagB.address);
  }

  add(size: Size, a: Int, b: Int, r: Int): void {
    if (this.#direct) this.#memory.add(size, a, b, r);
    else this.#produce('add', size, r, a, b);
  }

  sub(size: Size, a: Int, b: Int, r: Int): void {
    if (this.#direct) this.#memory.sub(size, a, b, r);
    else this.#produce('sub', size, r, a, b);
  }

  sbb(size: Size, a: Int, b: Int, r: Int): void {
    if (this.#direct) this.#memory.sbb(size, a, b, r);
    else this.#produce('sbb', size, r, a, b);
  }

  inc(size: Size, a: Int, r: Int): void {
    if (this.#direct) this.#memory.inc(size, a, r);
    else this.#produceStep('inc', size, a, r);
  }

  dec(size: Size, a: Int, r: Int): void {
    if (this.#direct) this.#memory.dec(size, a, r);
    else this.#produceStep('dec', size, a, r);
  }

  logic(size: Size, r: Int): void {
    if (this.#direct) this.#memory.logic(size, r);
    else this.#produce('explicit', size, r);
  }

  result(size: Size, r: Int, bits: I32): void {
    if (this.#direct) this.#memory.result(size, r, bits);
    else
      this.#set({
        kind: 'explicit',
        result: signExtend(r, size),
        a: e.extendU(bits),
        b: e.i64(0),
      });
  }

  set(eflags: I32): void {
    // Any combination of ZF, SF and PF: the deltas of the lazy form are kept in memory.
    this.#producer = undefined;
    this.#memory.set(eflags);
  }

  setCarry(carry: I32): void {
    this.#replace(CARRY, carry);
  }

  setCarryOverflow(carry: I32, overflow: I32): void {
    this.#replace(CARRY | OVERFLOW, e.or(carry, e.shl(overflow, 11)));
  }

  /** Replaces some of CF, AF and OF; see `MemoryFlags`. */
  #replace(mask: number, bits: I32): void {
    const p = this.#producer;
    if (!p) {
      if (mask === CARRY) this.#memory.setCarry(bits);
      else this.#memory.setCarryOverflow(e.and(bits, 1), e.shrU(bits, 11));
      return;
    }
    const bound = this.#c.let(bits);
    const kept = e.and(this.get(), (CARRY | AUXILIARY | OVERFLOW) & ~mask);
    const a = e.extendU(e.or(kept, bound));
    this.#set({ kind: 'explicit', result: p.result, a, b: e.i64(0) });
  }

  carry(): I32 {
    const p = this.#producer;
    if (!p) return this.#memory.carry();
    return this.#c.let(
      p.kind === 'sub' ? e.ltU(p.a, p.b) : lazyCarry({ ...p, kind: e.i32(FLAG_KIND[p.kind]) }),
    );
  }

  get(): I32 {
    const p = this.#producer;
    if (!p) return this.#memory.get();
    return flagsOf(this.#c, { ...p, kind: e.i32(FLAG_KIND[p.kind]), deltas: e.i32(0) });
  }

  condition(cc: ConditionCode): I32 {
    const p = this.#producer;
    if (!p) return this.#memory.condition(cc);
    const c = this.#c;
    const positive = this.#known(p, (cc & ~1) as ConditionCode);
    return c.let(cc & 1 ? e.eqz(positive) : positive);
  }

  /** A condition with an even code of a known producer. */
  #known(p: Producer, cc: ConditionCode): I32 {
    if (cc === 4) return e.eqz(p.result);
    if (cc === 8) return e.ltS(p.result, 0);
    if (p.kind === 'sub') {
      if (cc === 2) return e.ltU(p.a, p.b);
      if (cc === 6) return e.leU(p.a, p.b);
      if (cc === 12) return e.ltS(p.a, p.b);
      if (cc === 14) return e.leS(p.a, p.b);
    }
    if (p.kind === 'explicit' && p.a.constant === 0) {
      if (cc === 0 || cc === 2) return e.i32(0);
      if (cc === 6) return e.eqz(p.result);
      if (cc === 12) return e.ltS(p.result, 0);
      if (cc === 14) return e.leS(p.result, 0);
    }
    return conditionOf(cc, this.get());
  }

  #produce(kind: Kind, size: Size, r: Int, a: Int = e.i64(0), b: Int = e.i64(0)): void {
    this.#set({
      kind,
      result: signExtend(r, size),
      a: signExtend(a, size),
      b: signExtend(b, size),
    });
  }

  #produceStep(kind: 'inc' | 'dec', size: Size, a: Int, r: Int): void {
    const carry = e.extendU(this.carry());
    this.#set({ kind, result: signExtend(r, size), a: signExtend(a, size), b: carry });
  }

  #set({ kind, result, a, b }: Producer): void {
    const c = this.#c;
    this.#producer = { kind, result: c.let(result), a: c.let(a), b: c.let(b) };
  }
}
