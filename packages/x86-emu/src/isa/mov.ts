/** Data movement: MOV, extension, LEA, conditional moves and sets, byte order, flags to and from AH (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import type { Helper } from '../cpu/helper.ts';
import { CONDITIONS, opcodeByte } from './condition.ts';
import type { ConditionCode, Semantics, Size } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import { RAX, RBX, RDX } from './register.ts';
import type { Row } from './row.ts';
import { low32, readSigned, signExtended, signExtended64, unsigned } from './width.ts';

const mov: Semantics = (x) => x.write(0, readSigned(x, 1, x.size(0)));

const movzx: Semantics = (x) => x.write(0, unsigned(x.read(1) as I32, x.size(0)));

const movsx: Semantics = (x) => {
  const source = x.read(1);
  const from = x.size(1);
  x.write(0, x.size(0) === 64 ? signExtended64(source, from) : signExtended(source, from));
};

const lea: Semantics = (x) => {
  const address = x.effectiveAddress(1);
  x.write(0, x.size(0) === 64 ? address : e.wrap(address));
};

const xlat: Helper = (cpu, insn) => {
  const mask = (1n << BigInt(insn.addressSize)) - 1n;
  const offset = (cpu.state.gpr(RBX) + (cpu.state.gpr(RAX) & 0xffn)) & mask;
  const linear = cpu.linear(insn.segment(1), offset, 1, 'read');
  insn.write(0, cpu.memory.read(1, linear));
};

const swapBytes32 = (v: I32): I32 =>
  e.or(e.and(e.rotl(v, 8), 0x00ff00ff), e.and(e.rotr(v, 8), 0xff00ff00 | 0));

const swapBytes64 = (v: I64): I64 =>
  e.or(e.shl(e.extendU(swapBytes32(e.wrap(v))), 32), e.extendU(swapBytes32(e.wrap(e.shrU(v, 32)))));

const swapBytes = (value: Int, size: Size): Int => {
  if (size === 64) return swapBytes64(value as I64);
  return size === 32 ? swapBytes32(value as I32) : e.or(e.shl(value, 8), e.shrU(value, 8));
};

/** With a 16-bit operand the SDM leaves the result undefined; silicon gives 0. */
const bswap: Semantics = (x) => {
  const size = x.size(0);
  x.write(0, size === 16 ? e.i32(0) : swapBytes(x.read(0), size));
};

const movbe: Semantics = (x) => x.write(0, swapBytes(x.read(1), x.size(0)));

const cmov =
  (code: ConditionCode): Semantics =>
  (x) => {
    const source = x.read(1);
    x.write(0, e.select(x.flags.condition(code), source, x.read(0)));
  };

const set =
  (code: ConditionCode): Semantics =>
  (x) =>
    x.write(0, x.flags.condition(code));

/** CBW, CWDE, CDQE: the lower half of the accumulator sign-extended into the whole. */
const extendAccumulator: Semantics = (x) => {
  const size = x.operandSize;
  const half = (size / 2) as Size;
  const value = x.gpr(RAX, half);
  x.setGpr(RAX, size, size === 64 ? signExtended64(value, half) : signExtended(value, half));
};

/** CWD, CDQ, CQO: the accumulator's sign spread over rDX. */
const spreadSign: Semantics = (x) => {
  const size = x.operandSize;
  x.setGpr(RDX, size, e.shrS(signExtended(x.gpr(RAX, size), size), size === 64 ? 63 : 31));
};

const lahf: Semantics = (x) => x.write(0, e.or(x.flags.get(), 2));

const sahf: Semantics = (x) =>
  x.flags.set(e.or(e.and(x.flags.get(), FLAG.OF), e.and(low32(x.read(0)), ~FLAG.OF)));

/** Undocumented, but present in every processor since the 8086: AL is FF if CF is set, else 0. */
const salc: Semantics = (x) => x.write(0, e.neg(x.flags.carry()));

export const movRows: readonly Row[] = [
  { op: '88 /r', mnemonic: 'MOV', operands: ['Eb', 'Gb'], exec: mov },
  { op: '89 /r', mnemonic: 'MOV', operands: ['Ev', 'Gv'], exec: mov },
  { op: '8A /r', mnemonic: 'MOV', operands: ['Gb', 'Eb'], exec: mov },
  { op: '8B /r', mnemonic: 'MOV', operands: ['Gv', 'Ev'], exec: mov },
  { op: 'A0', mnemonic: 'MOV', operands: ['AL', 'Ob'], exec: mov },
  { op: 'A1', mnemonic: 'MOV', operands: ['rAX', 'Ov'], exec: mov },
  { op: 'A2', mnemonic: 'MOV', operands: ['Ob', 'AL'], exec: mov },
  { op: 'A3', mnemonic: 'MOV', operands: ['Ov', 'rAX'], exec: mov },
  { op: 'B0+r', mnemonic: 'MOV', operands: ['Zb', 'Ib'], exec: mov },
  { op: 'B8+r', mnemonic: 'MOV', operands: ['Zv', 'Iv'], exec: mov },
  { op: 'C6 /0', mnemonic: 'MOV', operands: ['Eb', 'Ib'], exec: mov },
  { op: 'C7 /0', mnemonic: 'MOV', operands: ['Ev', 'Iz'], exec: mov },
  { op: 'NP 0F C3 /r', mnemonic: 'MOVNTI', operands: ['My', 'Gy'], exec: mov },

  { op: '0F B6 /r', mnemonic: 'MOVZX', operands: ['Gv', 'Eb'], exec: movzx },
  { op: '0F B7 /r', mnemonic: 'MOVZX', operands: ['Gv', 'Ew'], exec: movzx },
  { op: '0F BE /r', mnemonic: 'MOVSX', operands: ['Gv', 'Eb'], exec: movsx },
  { op: '0F BF /r', mnemonic: 'MOVSX', operands: ['Gv', 'Ew'], exec: movsx },
  { op: '63 /r', mnemonic: 'MOVSXD', operands: ['Gv', 'Ed'], mode: 'long', exec: movsx },

  { op: '8D /r', mnemonic: 'LEA', operands: ['Gv', 'M'], exec: lea },
  // Xb stands for the table's segment alone; the offset is rBX + AL.
  { op: 'D7', mnemonic: 'XLAT', operands: ['AL', 'Xb'], usesAddressSize: true, run: xlat },

  { op: '0F C8+r', mnemonic: 'BSWAP', operands: ['Zv'], exec: bswap },
  {
    op: 'NFx 0F 38 F0 /r',
    mnemonic: 'MOVBE',
    operands: ['Gv', 'Mv'],
    feature: 'MOVBE',
    exec: movbe,
  },
  {
    op: 'NFx 0F 38 F1 /r',
    mnemonic: 'MOVBE',
    operands: ['Mv', 'Gv'],
    feature: 'MOVBE',
    exec: movbe,
  },

  ...CONDITIONS.map(({ code, suffix }): Row => ({
    op: `0F ${opcodeByte(0x40 + code)} /r`,
    mnemonic: `CMOV${suffix}`,
    operands: ['Gv', 'Ev'],
    exec: cmov(code),
  })),
  ...CONDITIONS.map(({ code, suffix }): Row => ({
    op: `0F ${opcodeByte(0x90 + code)} /r`,
    mnemonic: `SET${suffix}`,
    operands: ['Eb'],
    exec: set(code),
  })),

  { op: '98', mnemonic: 'CBW', operands: [], usesOperandSize: true, exec: extendAccumulator },
  { op: '99', mnemonic: 'CWD', operands: [], usesOperandSize: true, exec: spreadSign },
  { op: '9F', mnemonic: 'LAHF', operands: ['AH'], exec: lahf },
  { op: '9E', mnemonic: 'SAHF', operands: ['AH'], exec: sahf },
  { op: 'D6', mnemonic: 'SALC', operands: ['AL'], mode: 'legacy', exec: salc },
];
