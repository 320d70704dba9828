/** Control instructions: FLDCW, FNSTCW, FNSTSW, FNCLEX, FFREE, FINCSTP, FDECSTP. */

import type { X87Context, X87Memory } from './x87-context.ts';
import { signal } from './x87-response.ts';
import { FSW, markEmpty, moveTop, readFcw, readFsw, writeFcw, writeFsw } from './x87-state.ts';
import type { X87State } from './x87-state.ts';

/** FLDCW. */
export function loadControl(s: X87State, memory: X87Memory): void {
  writeFcw(s, memory.read16(0));
}

/** FNSTCW. */
export function storeControl(s: X87State, memory: X87Memory): void {
  memory.write16(0, readFcw(s));
}

/** FNSTSW m16. */
export function storeStatus(s: X87State, memory: X87Memory): void {
  memory.write16(0, readFsw(s));
}

/** FNSTSW AX. */
export function statusToAx(s: X87State, context: X87Context): void {
  context.ax = readFsw(s);
}

/** FNCLEX: clears the exception flags, SF, ES and B. */
export function clearExceptions(s: X87State): void {
  writeFsw(s, readFsw(s) & ~(0x3f | FSW.stackFault | FSW.summary | FSW.busy));
}

/** FFREE ST(i). */
export function freeRegister(s: X87State, i: number): void {
  signal(s, 0, false);
  markEmpty(s, i);
}

/** FINCSTP (+1) and FDECSTP (−1): TOP alone, tags stay. */
export function rotateStack(s: X87State, by: number): void {
  signal(s, 0, false);
  moveTop(s, by);
}
