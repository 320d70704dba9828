/** Integer addition and subtraction: ADD ADC SUB SBB CMP INC DEC NEG (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import { opcodeByte } from './condition.ts';
import type { Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { readSigned, typeOf, unsigned } from './width.ts';

const add: Semantics = (x) => {
  const size = x.size(0);
  const target = x.modify(0);
  const b = readSigned(x, 1, size);
  const r = x.c.let(e.add(target.value, b));
  target.write(r);
  x.flags.add(size, target.value, b, r);
};

const adc: Semantics = (x) => {
  const size = x.size(0);
  const target = x.modify(0);
  const b = readSigned(x, 1, size);
  const r = x.c.let(e.add(e.add(target.value, b), unsigned(x.flags.carry(), size)));
  target.write(r);
  x.flags.add(size, target.value, b, r);
};

const sub: Semantics = (x) => {
  const size = x.size(0);
  const target = x.modify(0);
  const b = readSigned(x, 1, size);
  const r = x.c.let(e.sub(target.value, b));
  target.write(r);
  x.flags.sub(size, target.value, b, r);
};

const sbb: Semantics = (x) => {
  const size = x.size(0);
  const target = x.modify(0);
  const b = readSigned(x, 1, size);
  const r = x.c.let(e.sub(e.sub(target.value, b), unsigned(x.flags.carry(), size)));
  target.write(r);
  x.flags.sbb(size, target.value, b, r);
};

const cmp: Semantics = (x) => {
  const size = x.size(0);
  const a = x.read(0);
  const b = readSigned(x, 1, size);
  x.flags.sub(size, a, b, x.c.let(e.sub(a, b)));
};

const inc: Semantics = (x) => {
  const target = x.modify(0);
  const r = x.c.let(e.add(target.value, 1));
  target.write(r);
  x.flags.inc(x.size(0), target.value, r);
};

const dec: Semantics = (x) => {
  const target = x.modify(0);
  const r = x.c.let(e.sub(target.value, 1));
  target.write(r);
  x.flags.dec(x.size(0), target.value, r);
};

const neg: Semantics = (x) => {
  const size = x.size(0);
  const target = x.modify(0);
  const r = x.c.let(e.neg(target.value));
  target.write(r);
  x.flags.sub(size, e.int(typeOf(size), 0), target.value, r);
};

/**
 * The encodings of one of the eight classic operations: six in the block of opcodes at 8 × `index`, four under 80-83 with `index` in ModRM.reg.
 * `stores` tells whether the operation writes its first operand.
 */
export const classicRows = (
  index: number,
  mnemonic: string,
  exec: Semantics,
  stores: boolean,
): readonly Row[] => {
  const lock = stores ? ({ lock: true } as const) : {};
  const at = (offset: number): string => opcodeByte(index * 8 + offset);
  return [
    { op: `${at(0)} /r`, mnemonic, operands: ['Eb', 'Gb'], ...lock, exec },
    { op: `${at(1)} /r`, mnemonic, operands: ['Ev', 'Gv'], ...lock, exec },
    { op: `${at(2)} /r`, mnemonic, operands: ['Gb', 'Eb'], exec },
    { op: `${at(3)} /r`, mnemonic, operands: ['Gv', 'Ev'], exec },
    { op: at(4), mnemonic, operands: ['AL', 'Ib'], exec },
    { op: at(5), mnemonic, operands: ['rAX', 'Iz'], exec },
    { op: `80 /${index}`, mnemonic, operands: ['Eb', 'Ib'], ...lock, exec },
    { op: `81 /${index}`, mnemonic, operands: ['Ev', 'Iz'], ...lock, exec },
    { op: `82 /${index}`, mnemonic, operands: ['Eb', 'Ib'], mode: 'legacy', ...lock, exec },
    { op: `83 /${index}`, mnemonic, operands: ['Ev', 'Ib'], ...lock, exec },
  ];
};

export const arithmeticRows: readonly Row[] = [
  ...classicRows(0, 'ADD', add, true),
  ...classicRows(2, 'ADC', adc, true),
  ...classicRows(3, 'SBB', sbb, true),
  ...classicRows(5, 'SUB', sub, true),
  ...classicRows(7, 'CMP', cmp, false),

  { op: 'FE /0', mnemonic: 'INC', operands: ['Eb'], lock: true, exec: inc },
  { op: 'FF /0', mnemonic: 'INC', operands: ['Ev'], lock: true, exec: inc },
  { op: '40+r', mnemonic: 'INC', operands: ['Zv'], mode: 'legacy', exec: inc },
  { op: 'FE /1', mnemonic: 'DEC', operands: ['Eb'], lock: true, exec: dec },
  { op: 'FF /1', mnemonic: 'DEC', operands: ['Ev'], lock: true, exec: dec },
  { op: '48+r', mnemonic: 'DEC', operands: ['Zv'], mode: 'legacy', exec: dec },

  { op: 'F6 /3', mnemonic: 'NEG', operands: ['Eb'], lock: true, exec: neg },
  { op: 'F7 /3', mnemonic: 'NEG', operands: ['Ev'], lock: true, exec: neg },
];
