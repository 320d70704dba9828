/** Bitwise logic: AND OR XOR TEST NOT (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import type { Int } from '../wasm/expr.ts';
import { classicRows } from './arithmetic.ts';
import type { Semantics } from './emit.ts';
import type { Row } from './row.ts';
import { readSigned } from './width.ts';

const bitwise =
  (operation: (a: Int, b: Int) => Int): Semantics =>
  (x) => {
    const size = x.size(0);
    const target = x.modify(0);
    const r = x.c.let(operation(target.value, readSigned(x, 1, size)));
    target.write(r);
    x.flags.logic(size, r);
  };

const and = bitwise((a, b) => e.and(a, b));
const or = bitwise((a, b) => e.or(a, b));
const xor = bitwise((a, b) => e.xor(a, b));

const test: Semantics = (x) => {
  const size = x.size(0);
  const a = x.read(0);
  x.flags.logic(size, x.c.let(e.and(a, readSigned(x, 1, size))));
};

const not: Semantics = (x) => {
  const target = x.modify(0);
  target.write(e.not(target.value));
};

export const logicRows: readonly Row[] = [
  ...classicRows(1, 'OR', or, true),
  ...classicRows(4, 'AND', and, true),
  ...classicRows(6, 'XOR', xor, true),

  { op: '84 /r', mnemonic: 'TEST', operands: ['Eb', 'Gb'], exec: test },
  { op: '85 /r', mnemonic: 'TEST', operands: ['Ev', 'Gv'], exec: test },
  { op: 'A8', mnemonic: 'TEST', operands: ['AL', 'Ib'], exec: test },
  { op: 'A9', mnemonic: 'TEST', operands: ['rAX', 'Iz'], exec: test },
  { op: 'F6 /0', mnemonic: 'TEST', operands: ['Eb', 'Ib'], exec: test },
  { op: 'F7 /0', mnemonic: 'TEST', operands: ['Ev', 'Iz'], exec: test },
  // Not in the SDM's opcode map; processors of both vendors execute /1 like /0 (AMD APM Vol. 3, TEST).
  { op: 'F6 /1', mnemonic: 'TEST', operands: ['Eb', 'Ib'], exec: test },
  { op: 'F7 /1', mnemonic: 'TEST', operands: ['Ev', 'Iz'], exec: test },

  { op: 'F6 /2', mnemonic: 'NOT', operands: ['Eb'], lock: true, exec: not },
  { op: 'F7 /2', mnemonic: 'NOT', operands: ['Ev'], lock: true, exec: not },
];
