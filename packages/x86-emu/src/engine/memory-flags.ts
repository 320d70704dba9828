/**
 * Lazy status flags kept in the CPU state (the kinds are declared in `cpu/cpu-state.ts`): a producer stores kind, result and operands, all
 * sign-extended to 64 bits, which makes every formula independent of the operand size; a consumer computes just the flag it wants.
 */
import { FLAG_KIND, KIND_MASK, SIGN_DELTA, PARITY_DELTA } from '../cpu/cpu-state.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import type { ConditionCode, FlagsEmit, Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Callees } from './runtime-functions.ts';

/** Sign-extends the low `size` bits to i64. */
export const signExtend = (value: Int, size: Size): I64 => {
  if (size === 64) return value.type === 'i64' ? (value as I64) : e.extendU(value as I32);
  const low = value.type === 'i64' ? e.wrap(value as I64) : (value as I32);
  return e.extendS(size === 8 ? e.extend8S(low) : size === 16 ? e.extend16S(low) : low);
};

/** Bit 63 as an i32 0 or 1. */
const sign = (value: I64): I32 => e.wrap(e.shrU(value, 63));

export const CARRY = 0x001;
export const PARITY = 0x004;
export const AUXILIARY = 0x010;
export const ZERO = 0x040;
export const SIGN = 0x080;
export const OVERFLOW = 0x800;

/** The four values of the lazy form, loaded. */
export interface LazyFlags {
  readonly kind: I32;
  readonly result: I64;
  readonly a: I64;
  readonly b: I64;
}

/** Carry out of bit 63 of a + b = r. */
const carryOut = ({ a, b, result }: LazyFlags): I32 =>
  sign(e.or(e.and(a, b), e.and(e.or(a, b), e.not(result))));

/** Borrow into bit 63 of a - b = r. */
const borrowOut = ({ a, b, result }: LazyFlags): I32 =>
  sign(e.or(e.and(e.not(a), b), e.and(e.or(e.not(a), b), result)));

/** CF for any kind, without a branch. */
export const lazyCarry = (f: LazyFlags): I32 => {
  const is = (kind: number): I32 => e.eq(f.kind, kind);
  const incremented = e.geU(f.kind, FLAG_KIND.inc);
  return e.select(
    is(FLAG_KIND.sub),
    e.ltU(f.a, f.b),
    e.select(
      is(FLAG_KIND.add),
      carryOut(f),
      e.select(is(FLAG_KIND.sbb), borrowOut(f), e.and(e.wrap(e.select(incremented, f.b, f.a)), 1)),
    ),
  );
};

/** Loads the lazy form from the state. */
export const loadLazyFlags = (c: Code): LazyFlags & { readonly deltas: I32 } => {
  const deltas = c.load('i32.load', BASE, FIELDS.flagKind.address);
  return {
    deltas,
    kind: c.let(e.and(deltas, KIND_MASK)),
    result: c.load('i64.load', BASE, FIELDS.flagResult.address),
    a: c.load('i64.load', BASE, FIELDS.flagA.address),
    b: c.load('i64.load', BASE, FIELDS.flagB.address),
  };
};

/** Parity flag of the low byte, before deltas: 1 if the number of ones is even. */
const evenParity = (result: I64): I32 => e.xor(e.and(e.popcnt(e.and(e.wrap(result), 0xff)), 1), 1);

/** All six status flags in EFLAGS layout, of the lazy form in the state. */
export const allLazyFlags = (c: Code): I32 => flagsOf(c, loadLazyFlags(c));

/** AF, if bit 4 of the operands and the result says so. */
const auxiliaryBit = (value: I64): I32 => e.and(e.wrap(value), AUXILIARY);

/** OF from the sign of a combination of operands and result. */
const overflowBit = (value: I64): I32 => e.shl(sign(value), 11);

/** All six status flags in EFLAGS layout. A constant kind leaves only its own formula. */
export const flagsOf = (c: Code, f: LazyFlags & { readonly deltas: I32 }): I32 => {
  const { a, b, result: r, deltas } = f;
  const zero = e.shl(e.eqz(r), 6);
  const signFlag = e.xor(
    e.shl(sign(r), 7),
    e.select(e.and(deltas, SIGN_DELTA), e.i32(SIGN), e.i32(0)),
  );
  const parity = e.xor(
    e.shl(evenParity(r), 2),
    e.select(e.and(deltas, PARITY_DELTA), e.i32(PARITY), e.i32(0)),
  );
  const base = c.let(e.or(e.or(zero, signFlag), parity));
  const rest = c.variable('i32');
  c.if(
    e.eq(f.kind, FLAG_KIND.explicit),
    () => c.set(rest, e.and(e.wrap(a), CARRY | AUXILIARY | OVERFLOW)),
    () => {
      const stepped = c.let(e.geU(f.kind, FLAG_KIND.inc));
      const ar = c.let(e.xor(a, r));
      const auxiliary = auxiliaryBit(e.xor(ar, e.select(stepped, e.i64(0), b)));
      const other = e.select(
        e.eq(f.kind, FLAG_KIND.add),
        e.and(ar, e.xor(b, r)),
        e.and(e.xor(a, b), ar),
      );
      const steppedOverflow = e.select(
        e.eq(f.kind, FLAG_KIND.inc),
        e.and(e.not(a), r),
        e.and(a, e.not(r)),
      );
      c.set(
        rest,
        e.or(e.or(lazyCarry(f), auxiliary), overflowBit(e.select(stepped, steppedOverflow, other))),
      );
    },
  );
  return c.let(e.or(base, c.get(rest)));
};

export class MemoryFlags implements FlagsEmit {
  readonly #c: Code;
  readonly #callees: Callees;

  constructor(c: Code, callees: Callees) {
    this.#c = c;
    this.#callees = callees;
  }

  add(size: Size, a: Int, b: Int, r: Int): void {
    this.#lazy(FLAG_KIND.add, signExtend(r, size), signExtend(a, size), signExtend(b, size));
  }

  sub(size: Size, a: Int, b: Int, r: Int): void {
    this.#lazy(FLAG_KIND.sub, signExtend(r, size), signExtend(a, size), signExtend(b, size));
  }

  sbb(size: Size, a: Int, b: Int, r: Int): void {
    this.#lazy(FLAG_KIND.sbb, signExtend(r, size), signExtend(a, size), signExtend(b, size));
  }

  inc(size: Size, a: Int, r: Int): void {
    this.#lazy(FLAG_KIND.inc, signExtend(r, size), signExtend(a, size), e.extendU(this.carry()));
  }

  dec(size: Size, a: Int, r: Int): void {
    this.#lazy(FLAG_KIND.dec, signExtend(r, size), signExtend(a, size), e.extendU(this.carry()));
  }

  logic(size: Size, r: Int): void {
    this.#lazy(FLAG_KIND.explicit, signExtend(r, size), e.i64(0));
  }

  result(size: Size, r: Int, bits: I32): void {
    this.#lazy(FLAG_KIND.explicit, signExtend(r, size), e.extendU(bits));
  }

  set(eflags: I32): void {
    const c = this.#c;
    const flags = c.let(eflags);
    const zero = c.let(e.and(flags, ZERO));
    const signed = e.and(flags, SIGN);
    const parity = e.and(flags, PARITY);
    // The same form as CpuState.setStatusFlags.
    const result = e.or(e.shl(e.extendU(signed), 56), e.select(parity, e.i64(3), e.i64(1)));
    const deltas = e.or(e.shl(signed, 1), e.select(parity, e.i32(0), e.i32(PARITY_DELTA)));
    c.store('i32.store', BASE, e.select(zero, deltas, e.i32(0)), FIELDS.flagKind.address);
    c.store('i64.store', BASE, e.select(zero, e.i64(0), result), FIELDS.flagResult.address);
    c.store(
      'i64.store',
      BASE,
      e.extendU(e.and(flags, CARRY | AUXILIARY | OVERFLOW)),
      FIELDS.flagA.address,
    );
  }

  setCarry(carry: I32): void {
    this.#replace(CARRY, carry);
  }

  setCarryOverflow(carry: I32, overflow: I32): void {
    this.#replace(CARRY | OVERFLOW, e.or(carry, e.shl(overflow, 11)));
  }

  /** Replaces some of CF, AF and OF: the others become explicit; result and deltas, which give ZF, SF and PF, stay. */
  #replace(mask: number, bits: I32): void {
    const c = this.#c;
    const bound = c.let(bits);
    const kept = e.and(this.get(), (CARRY | AUXILIARY | OVERFLOW) & ~mask);
    c.store('i64.store', BASE, e.extendU(e.or(kept, bound)), FIELDS.flagA.address);
    const kind = c.load('i32.load', BASE, FIELDS.flagKind.address);
    c.store('i32.store', BASE, e.and(kind, ~KIND_MASK), FIELDS.flagKind.address);
  }

  carry(): I32 {
    return this.#c.letCall('i32', this.#callees.carryFlag);
  }

  get(): I32 {
    return this.#c.letCall('i32', this.#callees.statusFlags);
  }

  condition(cc: ConditionCode): I32 {
    const c = this.#c;
    const positive = this.#positive((cc & ~1) as ConditionCode);
    return cc & 1 ? c.let(e.xor(positive, 1)) : positive;
  }

  /** Conditions with an even code. */
  #positive(cc: ConditionCode): I32 {
    const c = this.#c;
    const load = (field: 'flagResult' | 'flagA' | 'flagB'): I64 =>
      c.load('i64.load', BASE, FIELDS[field].address);
    if (cc === 4) return c.let(e.eqz(load('flagResult')));
    const kind = c.load('i32.load', BASE, FIELDS.flagKind.address);
    if (cc === 8)
      return c.let(e.xor(sign(load('flagResult')), e.and(e.shrU(kind, Math.log2(SIGN_DELTA)), 1)));
    const compared: Partial<Record<ConditionCode, (a: I64, b: I64) => I32>> = {
      2: e.ltU,
      6: e.leU,
      12: e.ltS,
      14: e.leS,
    };
    const compare = compared[cc];
    const answer = c.variable('i32');
    const general = (): void => {
      const flags = c.letCall('i32', this.#callees.statusFlags);
      c.set(answer, conditionOf(cc, flags));
    };
    if (!compare) {
      general();
      return c.get(answer);
    }
    c.if(
      e.eq(kind, FLAG_KIND.sub),
      () => c.set(answer, compare(load('flagA'), load('flagB'))),
      general,
    );
    return c.get(answer);
  }

  #lazy(kind: number, result: I64, a: I64, b?: I64): void {
    const c = this.#c;
    c.store('i32.store', BASE, e.i32(kind), FIELDS.flagKind.address);
    c.store('i64.store', BASE, result, FIELDS.flagResult.address);
    c.store('i64.store', BASE, a, FIELDS.flagA.address);
    if (b) c.store('i64.store', BASE, b, FIELDS.flagB.address);
  }
}

/** A condition with an even code from flags in EFLAGS layout. */
export const conditionOf = (cc: ConditionCode, flags: I32): I32 => {
  const bit = (flag: number): I32 => e.nez(e.and(flags, flag));
  const less = e.ne(e.nez(e.and(flags, SIGN)), e.nez(e.and(flags, OVERFLOW)));
  switch (cc) {
    case 0:
      return bit(OVERFLOW);
    case 2:
      return bit(CARRY);
    case 4:
      return bit(ZERO);
    case 6:
      return bit(CARRY | ZERO);
    case 8:
      return bit(SIGN);
    case 10:
      return bit(PARITY);
    case 12:
      return less;
    case 14:
      return e.or(bit(ZERO), less);
    default:
      throw new Error(`condition code ${cc} is odd`);
  }
};
