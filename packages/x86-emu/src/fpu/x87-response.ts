/** How the x87 answers exceptions: flags, C1, summary, and whether a result may be stored. */

import { FP_FLAG, PRECISION_CONTROL, PRE_COMPUTATION_FLAGS } from './softfloat-format.ts';
import type { RoundTarget } from './softfloat-format.ts';
import type { RoundControl } from './softfloat-round.ts';
import { INDEFINITE, extendedResult } from './x87-extended.ts';
import { FSW, isEmpty, moveTop, readFcw, readFsw, writeFsw, writeRegister } from './x87-state.ts';
import type { X87State } from './x87-state.ts';

/** Flags of a stack fault: IE with SF; C1 tells overflow (1) from underflow (0). */
const STACK_FAULT: number = FP_FLAG.invalid | FSW.stackFault;

/** Records exceptions and C1; returns those of `flags` that are unmasked. */
export function signal(s: X87State, flags: number, c1: boolean): number {
  const fsw = readFsw(s) & ~FSW.c1;
  writeFsw(s, c1 ? fsw | FSW.c1 : fsw);
  return record(s, flags);
}

/** Records exceptions and leaves C1; returns those of `flags` that are unmasked. */
export function record(s: X87State, flags: number): number {
  let fsw = readFsw(s) | flags;
  const unmasked = flags & ~readFcw(s) & 0x3f;
  if (unmasked !== 0) fsw |= FSW.summary | FSW.busy;
  writeFsw(s, fsw);
  return unmasked;
}

/** Records a stack underflow; true if it is masked, so that the indefinite value stands in. */
export const underflow = (s: X87State): boolean => signal(s, STACK_FAULT, false) === 0;

/** Records a stack overflow; true if it is masked. */
const overflow = (s: X87State): boolean => signal(s, STACK_FAULT, true) === 0;

/**
 * Records the exceptions of `flags`, or only those found before the computation if one of them is unmasked.
 * True if a result may be stored in a register: exceptions found later do not keep it back.
 */
export function allows(s: X87State, flags: number, c1: boolean): boolean {
  const early = flags & PRE_COMPUTATION_FLAGS;
  if ((early & ~readFcw(s)) !== 0) {
    signal(s, early, false);
    return false;
  }
  signal(s, flags, c1);
  return true;
}

/** Stores `extendedResult` in ST(i) as its exceptions allow; true if it was stored. */
export function commit(s: X87State, i: number): boolean {
  if (!allows(s, extendedResult.flags, extendedResult.up)) return false;
  writeRegister(s, i, extendedResult);
  return true;
}

/** Pushes the indefinite value. */
function pushIndefinite(s: X87State): void {
  moveTop(s, -1);
  writeRegister(s, 0, INDEFINITE);
}

/** Answers a push onto a full stack; true if there is room, and the push may go on. `replaces`: ST(0) becomes indefinite too. */
export function roomToPush(s: X87State, replaces: boolean): boolean {
  if (isEmpty(s, 7)) return true;
  if (overflow(s)) {
    if (replaces) writeRegister(s, 0, INDEFINITE);
    pushIndefinite(s);
  }
  return false;
}

/** Pushes `extendedResult` unless it is invalid and IE unmasked, or the indefinite value if the stack is full. DE does not keep a load back. */
export function commitPush(s: X87State): void {
  if (!roomToPush(s, false)) return;
  if ((signal(s, extendedResult.flags, extendedResult.up) & FP_FLAG.invalid) !== 0) return;
  moveTop(s, -1);
  writeRegister(s, 0, extendedResult);
}

/** Answers an empty ST(i) that an operation on ST(i) alone would replace. */
export function replaceEmpty(s: X87State, i: number): void {
  if (underflow(s)) writeRegister(s, i, INDEFINITE);
}

const control: RoundControl = { rounding: 0, unmasked: 0, flushToZero: false };

/** Rounding control and the unmasked post-computation exceptions of the present FCW. */
export function roundControl(s: X87State): RoundControl {
  const fcw = readFcw(s);
  control.rounding = (fcw >>> 10) & 3;
  control.unmasked = ~fcw & (FP_FLAG.overflow | FP_FLAG.underflow);
  return control;
}

/** What FADD, FSUB, FMUL, FDIV and FSQRT round to. */
export const arithmeticTarget = (s: X87State): RoundTarget =>
  PRECISION_CONTROL[(readFcw(s) >>> 8) & 3] as RoundTarget;
