/**
 * The x87 state in linear memory, shared with MMX. Offsets follow the FXSAVE image, but the registers stand in PHYSICAL order: R0…R7, so that MMX
 * register i is the low 8 bytes of slot i whatever TOP is. What MMX code has to do besides:
 * every MMX instruction except EMMS sets TOP (FSW bits 13:11) to 0 and `tags` to 0xff; EMMS sets `tags` to 0; a write of MMX register i
 * also sets the 16 bits above it (`X87_LAYOUT.signExponent`) to all ones.
 */

import { unpack80 } from './softfloat-unpacked.ts';
import type { Unpacked } from './softfloat-unpacked.ts';

/** Byte offsets from the base of the state. */
export const X87_LAYOUT = {
  /** Control word, 16 bits. */
  fcw: 0,
  /** Status word with TOP, 16 bits. */
  fsw: 2,
  /** Abridged tags, 8 bits: bit i is 1 if physical register i is not empty. */
  tags: 4,
  /** Last opcode, 11 bits in 16. */
  fop: 6,
  /** Last instruction pointer, 64 bits. */
  fip: 8,
  /** Last data pointer, 64 bits. */
  fdp: 16,
  /** Last code selector, 16 bits. */
  fcs: 24,
  /** Last data selector, 16 bits. */
  fds: 26,
  /** Physical register 0; each slot holds 64 significand bits, then sign and exponent. */
  registers: 32,
  /** Bytes from one slot to the next. */
  stride: 16,
  /** Offset of sign and exponent in a slot. */
  signExponent: 8,
  /** Bytes of the whole. */
  size: 160,
} as const;

/** Bits of the status word beyond the exception flags (SDM Vol. 1, 8.1.3). */
export const FSW = {
  stackFault: 0x0040,
  summary: 0x0080,
  c0: 0x0100,
  c1: 0x0200,
  c2: 0x0400,
  topShift: 11,
  c3: 0x4000,
  busy: 0x8000,
  conditions: 0x4700,
} as const;

/** FCW after FNINIT. */
const FCW_INITIAL = 0x037f;
/** FCW bits that can be written: masks, PC, RC and the inert infinity control; bit 6 reads as 1. */
const FCW_WRITABLE = 0x1f3f;
const FCW_FIXED = 0x0040;

/** The state seen through a view of linear memory; `view` is replaced when the memory grows. */
export interface X87State {
  view: DataView;
  /** Byte address of the state in `view`. */
  readonly base: number;
}

export const readFcw = (s: X87State): number => s.view.getUint16(s.base + X87_LAYOUT.fcw, true);

export const readFsw = (s: X87State): number => s.view.getUint16(s.base + X87_LAYOUT.fsw, true);

export function writeFsw(s: X87State, value: number): void {
  s.view.setUint16(s.base + X87_LAYOUT.fsw, value, true);
}

export const readTags = (s: X87State): number => s.view.getUint8(s.base + X87_LAYOUT.tags);

export function writeTags(s: X87State, value: number): void {
  s.view.setUint8(s.base + X87_LAYOUT.tags, value);
}

/** Sets ES and B to what flags and masks say, without touching anything else. */
function updateSummary(s: X87State): void {
  const fsw = readFsw(s) & ~(FSW.summary | FSW.busy);
  const pending = (fsw & ~readFcw(s) & 0x3f) !== 0;
  writeFsw(s, pending ? fsw | FSW.summary | FSW.busy : fsw);
}

/** Loads the control word; ES follows the new masks. */
export function writeFcw(s: X87State, value: number): void {
  s.view.setUint16(s.base + X87_LAYOUT.fcw, (value & FCW_WRITABLE) | FCW_FIXED, true);
  updateSummary(s);
}

/** Physical register of ST(i). */
export const physical = (s: X87State, i: number): number => ((readFsw(s) >>> FSW.topShift) + i) & 7;

/** Byte address of ST(i)'s slot. */
export const slot = (s: X87State, i: number): number =>
  s.base + X87_LAYOUT.registers + physical(s, i) * X87_LAYOUT.stride;

export const isEmpty = (s: X87State, i: number): boolean =>
  ((readTags(s) >>> physical(s, i)) & 1) === 0;

/** Moves TOP by `by` without touching tags. */
export function moveTop(s: X87State, by: number): void {
  const fsw = readFsw(s);
  const top = ((fsw >>> FSW.topShift) + by) & 7;
  writeFsw(s, (fsw & ~(7 << FSW.topShift)) | (top << FSW.topShift));
}

export function markEmpty(s: X87State, i: number): void {
  writeTags(s, readTags(s) & ~(1 << physical(s, i)));
}

/** Empties ST(0) and increments TOP. */
export function pop(s: X87State): void {
  markEmpty(s, 0);
  moveTop(s, 1);
}

/** An 80-bit value as words. */
export interface Extended {
  lo: number;
  hi: number;
  /** Sign (bit 15) and biased exponent. */
  signExp: number;
}

/** Reads ST(i) as it stands, whatever its tag. */
export function readRegister(s: X87State, i: number, out: Extended): void {
  const at = slot(s, i);
  out.lo = s.view.getUint32(at, true);
  out.hi = s.view.getUint32(at + 4, true);
  out.signExp = s.view.getUint16(at + X87_LAYOUT.signExponent, true);
}

/** Takes ST(i) apart, whatever its tag. */
export function unpackRegister(s: X87State, i: number, out: Unpacked): void {
  const at = slot(s, i);
  unpack80(
    s.view.getUint32(at, true),
    s.view.getUint32(at + 4, true),
    s.view.getUint16(at + X87_LAYOUT.signExponent, true),
    out,
  );
}

/** Writes ST(i) and marks it valid. */
export function writeRegister(s: X87State, i: number, value: Extended): void {
  const at = slot(s, i);
  s.view.setUint32(at, value.lo, true);
  s.view.setUint32(at + 4, value.hi, true);
  s.view.setUint16(at + X87_LAYOUT.signExponent, value.signExp, true);
  writeTags(s, readTags(s) | (1 << physical(s, i)));
}

/** Decrements TOP and writes the new ST(0). */
export function push(s: X87State, value: Extended): void {
  moveTop(s, -1);
  writeRegister(s, 0, value);
}

/** FNINIT: control, status, tags and pointers; the registers keep their contents. */
export function initializeX87(s: X87State): void {
  for (let at = 0; at < X87_LAYOUT.registers; at += 4) s.view.setUint32(s.base + at, 0, true);
  s.view.setUint16(s.base + X87_LAYOUT.fcw, FCW_INITIAL, true);
}

/** What the processor does at reset: as FNINIT, with FCW 0040H and registers +0, tagged valid. */
export function resetX87(s: X87State): void {
  for (let at = 0; at < X87_LAYOUT.size; at += 4) s.view.setUint32(s.base + at, 0, true);
  s.view.setUint16(s.base + X87_LAYOUT.fcw, FCW_FIXED, true);
  writeTags(s, 0xff);
}
