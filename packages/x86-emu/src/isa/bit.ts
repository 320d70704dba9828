/** Bit tests, scans and counts: BT BTS BTR BTC BSF BSR POPCNT TZCNT LZCNT, and CRC32 (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Emit, Modify, Semantics, Size } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import type { Row } from './row.ts';
import { bit, low32, signExtended64, typeOf, unsigned } from './width.ts';

const LOG2: Record<Size, number> = { 8: 3, 16: 4, 32: 5, 64: 6 };

/** Linear address of the operand-sized unit of memory that holds bit `offset`, a signed number, of a bit string at operand 0. */
const unitOfBitString = (x: Emit, size: Size, offset: Int, access: 'read' | 'write'): I64 => {
  const unit = e.shrS(signExtended64(offset, size), LOG2[size]);
  return x.linear(0, size / 8, access, x.c.let(e.shl(unit, LOG2[size] - 3)));
};

const isBitString = (x: Emit): boolean => x.kind(0) === 'memory' && x.kind(1) === 'register';

const bt: Semantics = (x) => {
  const size = x.size(0);
  const offset = x.read(1);
  const value = isBitString(x) ? x.load(size, unitOfBitString(x, size, offset, 'read')) : x.read(0);
  const n = unsigned(e.and(low32(offset), size - 1), size);
  x.flags.setCarry(x.c.let(bit(e.shrU(value, n), 0)));
};

/** A bit test that then changes the bit: `change` gets the value and a mask of the bit. */
const bitChange =
  (change: (value: Int, mask: Int) => Int): Semantics =>
  (x) => {
    const size = x.size(0);
    const offset = x.read(1);
    const target: Modify = isBitString(x)
      ? x.modifyAt(size, unitOfBitString(x, size, offset, 'write'))
      : x.modify(0);
    const n = x.c.let(unsigned(e.and(low32(offset), size - 1), size));
    const mask = e.shl(e.int(typeOf(size), 1), n);
    target.write(x.c.let(change(target.value, mask)));
    x.flags.setCarry(x.c.let(bit(e.shrU(target.value, n), 0)));
  };

const bts = bitChange((value, mask) => e.or(value, mask));
const btr = bitChange((value, mask) => e.and(value, e.not(mask)));
const btc = bitChange((value, mask) => e.xor(value, mask));

/** BSF and BSR. Of a zero source nothing but ZF comes out, and a 32-bit destination keeps bits 63:32, on the silicon of both vendors. */
const scan =
  (index: (value: Int) => Int): Semantics =>
  (x) => {
    const source = x.read(1);
    x.c.if(e.nez(source), () => x.write(0, index(source)));
    const zero = e.shl(e.eqz(source), 6);
    x.flags.set(x.c.let(e.or(e.and(x.flags.get(), ~FLAG.ZF), zero)));
  };

const bsf = scan((value) => e.ctz(value));
const bsr = scan((value) => e.xor(e.clz(value), value.type === 'i64' ? 63 : 31));

/** TZCNT and LZCNT: CF for a zero source, ZF for a zero result; OF stays and the other flags are clear, as on Zen 3. */
const countZeros =
  (count: (value: Int, size: Size) => Int): Semantics =>
  (x) => {
    const source = x.read(1);
    const r = x.c.let(count(source, x.size(1)));
    x.write(0, r);
    const overflow = e.shl(x.flags.condition(0), 11);
    x.flags.set(x.c.let(e.or(overflow, e.or(e.shl(e.eqz(r), 6), e.eqz(source)))));
  };

const tzcnt = countZeros((value, size) => e.ctz(size === 16 ? e.or(value, 0x10000) : value));
const lzcnt = countZeros((value, size) => (size === 16 ? e.sub(e.clz(value), 16) : e.clz(value)));

const popcnt: Semantics = (x) => {
  const source = x.read(1);
  x.write(0, e.popcnt(source));
  x.flags.set(x.c.let(e.shl(e.eqz(source), 6)));
};

/** The Castagnoli polynomial 11EDC6F41, reflected, without its top bit. */
const CRC32C = 0x82f63b78 | 0;

/** `crc` carried on over the low `bits` bits of `data`. */
const crcOver = (x: Emit, crc: I32, data: I32, bits: number): I32 => {
  const { c } = x;
  const rest = c.variable('i32', e.xor(crc, data));
  const left = c.variable('i32', e.i32(bits));
  c.loop((again) => {
    const value = c.get(rest);
    c.set(rest, e.xor(e.shrU(value, 1), e.and(e.neg(e.and(value, 1)), CRC32C)));
    c.set(left, e.sub(c.get(left), 1));
    c.brIf(c.get(left), again);
  });
  return c.get(rest);
};

const crc32: Semantics = (x) => {
  const source = x.read(1);
  const size = x.size(1);
  const crc = low32(x.read(0));
  const first = crcOver(x, crc, low32(source), Math.min(size, 32));
  const whole = size === 64 ? crcOver(x, first, low32(e.shrU(source, 32)), 32) : first;
  x.write(0, unsigned(whole, x.size(0)));
};

export const bitRows: readonly Row[] = [
  { op: '0F A3 /r', mnemonic: 'BT', operands: ['Ev', 'Gv'], exec: bt },
  { op: '0F BA /4', mnemonic: 'BT', operands: ['Ev', 'Ib'], exec: bt },
  { op: '0F AB /r', mnemonic: 'BTS', operands: ['Ev', 'Gv'], lock: true, exec: bts },
  { op: '0F BA /5', mnemonic: 'BTS', operands: ['Ev', 'Ib'], lock: true, exec: bts },
  { op: '0F B3 /r', mnemonic: 'BTR', operands: ['Ev', 'Gv'], lock: true, exec: btr },
  { op: '0F BA /6', mnemonic: 'BTR', operands: ['Ev', 'Ib'], lock: true, exec: btr },
  { op: '0F BB /r', mnemonic: 'BTC', operands: ['Ev', 'Gv'], lock: true, exec: btc },
  { op: '0F BA /7', mnemonic: 'BTC', operands: ['Ev', 'Ib'], lock: true, exec: btc },

  { op: '0F BC /r', mnemonic: 'BSF', operands: ['Gv', 'Ev'], exec: bsf },
  { op: '0F BD /r', mnemonic: 'BSR', operands: ['Gv', 'Ev'], exec: bsr },
  { op: 'F3 0F BC /r', mnemonic: 'TZCNT', operands: ['Gv', 'Ev'], feature: 'BMI1', exec: tzcnt },
  { op: 'F3 0F BD /r', mnemonic: 'LZCNT', operands: ['Gv', 'Ev'], feature: 'LZCNT', exec: lzcnt },
  {
    op: 'F3 0F B8 /r',
    mnemonic: 'POPCNT',
    operands: ['Gv', 'Ev'],
    feature: 'POPCNT',
    exec: popcnt,
  },

  {
    op: 'F2 0F 38 F0 /r',
    mnemonic: 'CRC32',
    operands: ['Gy', 'Eb'],
    feature: 'SSE42',
    exec: crc32,
  },
  {
    op: 'F2 0F 38 F1 /r',
    mnemonic: 'CRC32',
    operands: ['Gy', 'Ev'],
    feature: 'SSE42',
    exec: crc32,
  },
];
