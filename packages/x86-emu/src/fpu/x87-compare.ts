/** FCOM, FUCOM, FICOM, FCOMI, FUCOMI and their popping forms, FTST and FXAM. */

import { compareNumbers } from './softfloat-arithmetic.ts';
import { FP_FLAG } from './softfloat-format.ts';
import { KIND, unpacked } from './softfloat-unpacked.ts';
import type { X87Context, X87Memory } from './x87-context.ts';
import { denormalFlag } from './x87-extended.ts';
import { readOperand } from './x87-operand.ts';
import type { MemoryFormat } from './x87-operand.ts';
import { record, underflow } from './x87-response.ts';
import {
  FSW,
  isEmpty,
  pop,
  readFsw,
  slot,
  unpackRegister,
  writeFsw,
  X87_LAYOUT,
} from './x87-state.ts';
import type { X87State } from './x87-state.ts';

const left = unpacked();
const right = unpacked();

const RELATION = { greater: 0, less: 1, equal: 2, unordered: 3 } as const;

/** Condition code bits of a relation (SDM Vol. 1, table 8-6). */
const CONDITION_BITS: readonly number[] = [0, FSW.c0, FSW.c3, FSW.c0 | FSW.c2 | FSW.c3];
/** ZF, PF, CF of a relation. */
const EFLAGS_BITS: readonly number[] = [0x00, 0x01, 0x40, 0x45];
const EFLAGS_STATUS = 0x8d5;

/** A relation, and whether an unmasked exception keeps the instruction from popping. */
interface Comparison {
  relation: number;
  stopped: boolean;
}

const comparison: Comparison = { relation: 0, stopped: false };

/** Compares two operands and records exceptions; the relation is told even if one of them is unmasked, as silicon does. */
function relate(s: X87State, quiet: boolean): void {
  const nan = left.kind >= KIND.quietNan || right.kind >= KIND.quietNan;
  let flags = denormalFlag(left, right);
  if (nan) {
    const raises = !quiet || left.kind > KIND.quietNan || right.kind > KIND.quietNan;
    flags = raises ? FP_FLAG.invalid : 0;
    comparison.relation = RELATION.unordered;
  } else {
    const order = compareNumbers(left, right);
    if (order === 0) comparison.relation = RELATION.equal;
    else comparison.relation = order < 0 ? RELATION.less : RELATION.greater;
  }
  comparison.stopped = record(s, flags) !== 0;
}

function relateEmpty(s: X87State): void {
  comparison.relation = RELATION.unordered;
  comparison.stopped = !underflow(s);
}

function setConditions(s: X87State): void {
  const bits = CONDITION_BITS[comparison.relation] as number;
  writeFsw(s, (readFsw(s) & ~FSW.conditions) | bits);
}

function relateRegisters(s: X87State, i: number, quiet: boolean): void {
  if (isEmpty(s, 0) || isEmpty(s, i)) relateEmpty(s);
  else {
    unpackRegister(s, 0, left);
    unpackRegister(s, i, right);
    relate(s, quiet);
  }
}

/** Compares ST(0) with `right`. */
function relateRight(s: X87State): void {
  if (isEmpty(s, 0)) relateEmpty(s);
  else {
    unpackRegister(s, 0, left);
    relate(s, false);
  }
  setConditions(s);
}

/** FCOM and FUCOM (`quiet`) with ST(i), popping `pops` times. */
export function compareRegister(s: X87State, i: number, quiet: boolean, pops: number): void {
  relateRegisters(s, i, quiet);
  setConditions(s);
  if (comparison.stopped) return;
  for (let n = 0; n < pops; n++) pop(s);
}

/** FCOM m32/m64 and FICOM m16/m32. */
export function compareMemory(
  s: X87State,
  memory: X87Memory,
  format: MemoryFormat,
  pops: boolean,
): void {
  readOperand(memory, format, right);
  relateRight(s);
  if (pops && !comparison.stopped) pop(s);
}

/** FCOMI and FUCOMI (`quiet`): EFLAGS in place of condition codes; C1 stays as it is but for stack faults. */
export function compareToFlags(
  s: X87State,
  i: number,
  quiet: boolean,
  pops: boolean,
  context: X87Context,
): void {
  relateRegisters(s, i, quiet);
  const bits = EFLAGS_BITS[comparison.relation] as number;
  context.eflags = (context.eflags & ~EFLAGS_STATUS) | bits;
  if (pops && !comparison.stopped) pop(s);
}

/** FTST: compares ST(0) with +0. */
export function testZero(s: X87State): void {
  right.kind = KIND.zero;
  right.sign = 0;
  right.denormal = false;
  relateRight(s);
}

/** FXAM: class in C3, C2, C0 and sign in C1, of an empty register too (SDM Vol. 2A, FXAM). */
export function examine(s: X87State): void {
  unpackRegister(s, 0, left);
  let bits = 0;
  if (isEmpty(s, 0)) bits = FSW.c3 | FSW.c0;
  else if (left.kind === KIND.infinity) bits = FSW.c2 | FSW.c0;
  else if (left.kind === KIND.quietNan || left.kind === KIND.signalingNan) bits = FSW.c0;
  else if (left.kind === KIND.zero) bits = FSW.c3;
  else if (left.denormal) bits = FSW.c3 | FSW.c2;
  else if (left.kind === KIND.finite) bits = FSW.c2;
  const signExp = s.view.getUint16(slot(s, 0) + X87_LAYOUT.signExponent, true);
  if ((signExp & 0x8000) !== 0) bits |= FSW.c1;
  writeFsw(s, (readFsw(s) & ~FSW.conditions) | bits);
}
