/** Instructions on single flags: CLC STC CMC CLD STD (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import type { Semantics } from './emit.ts';
import { FLAG } from '../cpu/control-bits.ts';
import type { Row } from './row.ts';

const clc: Semantics = (x) => x.flags.setCarry(e.i32(0));
const stc: Semantics = (x) => x.flags.setCarry(e.i32(1));
const cmc: Semantics = (x) => x.flags.setCarry(x.c.let(e.xor(x.flags.carry(), 1)));

const cld: Semantics = (x) => x.setField('systemFlags', e.and(x.field('systemFlags'), ~FLAG.DF));
const std: Semantics = (x) => x.setField('systemFlags', e.or(x.field('systemFlags'), FLAG.DF));

export const flagRows: readonly Row[] = [
  { op: 'F8', mnemonic: 'CLC', operands: [], exec: clc },
  { op: 'F9', mnemonic: 'STC', operands: [], exec: stc },
  { op: 'F5', mnemonic: 'CMC', operands: [], exec: cmc },
  { op: 'FC', mnemonic: 'CLD', operands: [], exec: cld },
  { op: 'FD', mnemonic: 'STD', operands: [], exec: std },
];
