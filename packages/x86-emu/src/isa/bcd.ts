/** Decimal adjustment: AAA AAS AAM AAD DAA DAS (SDM Vol. 2A). Not in 64-bit code. Undefined flags are as on Zen 3, measured over all inputs. */
import * as e from '../wasm/expr.ts';
import type { I32 } from '../wasm/expr.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Emit, Semantics } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import { RAX } from './register.ts';
import type { Row } from './row.ts';
import { bit } from './width.ts';

/** 1 if the low digit of `value` is no decimal digit, or AF is set. */
const lowDigitWrong = (x: Emit, value: I32): I32 =>
  x.c.let(e.or(e.gtU(e.and(value, 15), 9), bit(x.flags.get(), 4)));

/** AAA and AAS. ZF, SF and PF follow AX as it is before its bits 7:4 are cleared. */
const adjustUnpacked =
  (adjust: (ax: I32, by: I32) => I32): Semantics =>
  (x) => {
    const { c } = x;
    const ax = x.gpr(RAX, 16) as I32;
    const wrong = lowDigitWrong(x, ax);
    const adjusted = c.let(adjust(ax, e.select(wrong, e.i32(0x106), e.i32(0))));
    x.setGpr(RAX, 16, e.and(adjusted, 0xff0f));
    const carries = e.select(wrong, e.i32(FLAG.CF | FLAG.AF), e.i32(0));
    x.flags.result(16, adjusted, c.let(carries));
  };

const aaa = adjustUnpacked((ax, by) => e.add(ax, by));
const aas = adjustUnpacked((ax, by) => e.sub(ax, by));

/** DAA and DAS. `borrows` tells from AL and the adjustment whether the low digit's adjustment alone carries out. */
const adjustPacked =
  (
    adjust: (al: I32, by: I32) => I32,
    overflows: (al: I32, by: I32, r: I32) => I32,
    borrows: (al: I32, by: I32) => I32,
  ): Semantics =>
  (x) => {
    const { c } = x;
    const al = x.gpr(RAX, 8) as I32;
    const low = lowDigitWrong(x, al);
    const high = c.let(e.or(e.gtU(al, 0x99), x.flags.carry()));
    const by = c.let(
      e.or(e.select(low, e.i32(0x06), e.i32(0)), e.select(high, e.i32(0x60), e.i32(0))),
    );
    const r = c.let(adjust(al, by));
    x.setGpr(RAX, 8, r);
    const carry = e.or(high, e.and(low, borrows(al, by)));
    const overflow = e.shl(bit(overflows(al, by, r), 7), 11);
    x.flags.result(8, r, c.let(e.or(e.or(carry, e.shl(low, 4)), overflow)));
  };

const daa = adjustPacked(
  (al, by) => e.add(al, by),
  (al, by, r) => e.and(e.xor(al, r), e.xor(by, r)),
  () => e.i32(0),
);
const das = adjustPacked(
  (al, by) => e.sub(al, by),
  (al, by, r) => e.and(e.xor(al, by), e.xor(al, r)),
  (al) => e.ltU(al, 6),
);

const aam: Semantics = (x) => {
  const { c } = x;
  const base = c.let(e.and(x.read(0) as I32, 0xff));
  x.raiseIf(e.eqz(base), VECTOR.DE);
  const al = x.gpr(RAX, 8) as I32;
  const quotient = e.divU(al, base);
  const remainder = c.let(e.remU(al, base));
  x.setGpr(RAX, 16, e.or(e.shl(quotient, 8), remainder));
  x.flags.logic(8, remainder);
};

/** AAD: its flags are those of the byte addition that it ends with. */
const aad: Semantics = (x) => {
  const { c } = x;
  const ax = x.gpr(RAX, 16) as I32;
  const al = c.let(e.and(ax, 0xff));
  const tens = c.let(e.and(e.mul(e.shrU(ax, 8), x.read(0) as I32), 0xff));
  const r = c.let(e.add(al, tens));
  x.setGpr(RAX, 16, e.and(r, 0xff));
  x.flags.add(8, al, tens, r);
};

export const bcdRows: readonly Row[] = [
  { op: '37', mnemonic: 'AAA', operands: [], mode: 'legacy', exec: aaa },
  { op: '3F', mnemonic: 'AAS', operands: [], mode: 'legacy', exec: aas },
  { op: '27', mnemonic: 'DAA', operands: [], mode: 'legacy', exec: daa },
  { op: '2F', mnemonic: 'DAS', operands: [], mode: 'legacy', exec: das },
  { op: 'D4', mnemonic: 'AAM', operands: ['Ib'], mode: 'legacy', exec: aam },
  { op: 'D5', mnemonic: 'AAD', operands: ['Ib'], mode: 'legacy', exec: aad },
];
