/** FNSTENV, FLDENV, FNSAVE, FRSTOR in their four layouts, and the x87 part of FXSAVE and XSAVE images. */

import type { X87Context, X87Memory } from './x87-context.ts';
import {
  FSW,
  X87_LAYOUT,
  initializeX87,
  physical,
  readFcw,
  readFsw,
  readRegister,
  readTags,
  slot,
  writeFcw,
  writeFsw,
  writeTags,
} from './x87-state.ts';
import type { Extended, X87State } from './x87-state.ts';

const register: Extended = { lo: 0, hi: 0, signExp: 0 };

const TAG = { valid: 0, zero: 1, special: 2, empty: 3 } as const;

/** The full tag word, two bits for each physical register; the kind of value is read off the registers (SDM Vol. 1, 8.1.7). */
function fullTags(s: X87State): number {
  let word = 0;
  for (let i = 0; i < 8; i++) {
    readRegister(s, i, register);
    const number = physical(s, i);
    const exp = register.signExp & 0x7fff;
    let tag: number = TAG.valid;
    if (((readTags(s) >>> number) & 1) === 0) tag = TAG.empty;
    else if (exp === 0 && register.lo === 0 && register.hi === 0) tag = TAG.zero;
    else if (exp === 0 || exp === 0x7fff || register.hi < 0x80000000) tag = TAG.special;
    word |= tag << (2 * number);
  }
  return word;
}

/** Abridged tags of a full tag word. */
function abridgeTags(word: number): number {
  let tags = 0;
  for (let i = 0; i < 8; i++) if (((word >>> (2 * i)) & 3) !== TAG.empty) tags |= 1 << i;
  return tags;
}

const get16 = (s: X87State, at: number): number => s.view.getUint16(s.base + at, true);
const get32 = (s: X87State, at: number): number => s.view.getUint32(s.base + at, true);

function set16(s: X87State, at: number, value: number): void {
  s.view.setUint16(s.base + at, value, true);
}

function set32(s: X87State, at: number, value: number): void {
  s.view.setUint32(s.base + at, value, true);
}

/** Bytes of an environment. */
export const environmentSize = (context: X87Context): number => (context.operand16 ? 14 : 28);

/** Real-mode environments hold linear addresses. */
const linear = (context: X87Context, selector: number, offset: number): number =>
  context.protectedMode ? offset : ((selector << 4) + offset) >>> 0;

/** Bits 19:16 of a linear address, where 14-byte real-mode environments have them. */
const linearHigh = (address: number): number => (address >>> 4) & 0xf000;

/** Bytes of an image of FNSAVE: the environment and eight registers of 10 bytes. */
export const stateSize = (context: X87Context): number => environmentSize(context) + 80;

/** Writes the environment. */
function writeEnvironment(s: X87State, context: X87Context, memory: X87Memory): void {
  const fop = get16(s, X87_LAYOUT.fop);
  const fcs = get16(s, X87_LAYOUT.fcs);
  const fds = get16(s, X87_LAYOUT.fds);
  const fip = linear(context, fcs, get32(s, X87_LAYOUT.fip));
  const fdp = linear(context, fds, get32(s, X87_LAYOUT.fdp));
  const words = [readFcw(s), readFsw(s), fullTags(s)];
  if (context.operand16) {
    words.forEach((word, i) => memory.write16(2 * i, word));
    memory.write16(6, fip & 0xffff);
    memory.write16(10, fdp & 0xffff);
    memory.write16(8, context.protectedMode ? fcs : linearHigh(fip) | fop);
    memory.write16(12, context.protectedMode ? fds : linearHigh(fdp));
    return;
  }
  words.forEach((word, i) => memory.write32(4 * i, (0xffff0000 | word) >>> 0));
  if (context.protectedMode) {
    memory.write32(12, fip);
    memory.write32(16, ((fop << 16) | fcs) >>> 0);
    memory.write32(20, fdp);
    memory.write32(24, (0xffff0000 | fds) >>> 0);
  } else {
    memory.write32(12, (0xffff0000 | fip) >>> 0);
    memory.write32(16, ((fip >>> 16) << 12) | fop);
    memory.write32(20, (0xffff0000 | fdp) >>> 0);
    memory.write32(24, (fdp >>> 16) << 12);
  }
}

/** FNSTENV: stores the environment, then masks all exceptions. */
export function storeEnvironment(s: X87State, context: X87Context, memory: X87Memory): void {
  writeEnvironment(s, context, memory);
  writeFcw(s, readFcw(s) | 0x3f);
}

/** Reads an environment, complete before anything of the state changes. */
function readEnvironment(s: X87State, context: X87Context, memory: X87Memory): () => void {
  const word = (index: number): number =>
    context.operand16 ? memory.read16(2 * index) : memory.read32(4 * index);
  const [fcw, fsw, tags] = [word(0) & 0xffff, word(1) & 0xffff, word(2) & 0xffff];
  let fip: number;
  let fdp: number;
  let fcs = 0;
  let fds = 0;
  let fop = 0;
  const [third, fourth, fifth, sixth] = [word(3), word(4), word(5), word(6)];
  if (context.protectedMode) {
    [fip, fcs, fdp, fds] = [third, fourth & 0xffff, fifth, sixth & 0xffff];
    if (!context.operand16) fop = (fourth >>> 16) & 0x7ff;
  } else {
    fop = fourth & 0x7ff;
    // Both layouts have the address bits from 16 on at bit 12 of the next word.
    fip = (third & 0xffff) | (((fourth >>> 12) & 0xffff) << 16);
    fdp = (fifth & 0xffff) | (((sixth >>> 12) & 0xffff) << 16);
  }
  return () => {
    writeFsw(s, fsw);
    writeFcw(s, fcw);
    writeTags(s, abridgeTags(tags));
    set16(s, X87_LAYOUT.fop, fop);
    set32(s, X87_LAYOUT.fip, fip >>> 0);
    set32(s, X87_LAYOUT.fip + 4, 0);
    set32(s, X87_LAYOUT.fdp, fdp >>> 0);
    set32(s, X87_LAYOUT.fdp + 4, 0);
    set16(s, X87_LAYOUT.fcs, fcs);
    set16(s, X87_LAYOUT.fds, fds);
  };
}

/** FLDENV. */
export function loadEnvironment(s: X87State, context: X87Context, memory: X87Memory): void {
  readEnvironment(s, context, memory)();
}

/** FNSAVE: environment and ST(0)…ST(7) in 10 bytes each, then FNINIT. */
export function saveState(s: X87State, context: X87Context, memory: X87Memory): void {
  const size = environmentSize(context);
  writeEnvironment(s, context, memory);
  for (let i = 0; i < 8; i++) {
    readRegister(s, i, register);
    const at = size + 10 * i;
    // Words: nothing larger is aligned.
    memory.write16(at, register.lo & 0xffff);
    memory.write16(at + 2, register.lo >>> 16);
    memory.write16(at + 4, register.hi & 0xffff);
    memory.write16(at + 6, register.hi >>> 16);
    memory.write16(at + 8, register.signExp);
  }
  initializeX87(s);
}

/** Writes ST(i) without touching its tag. */
function putRegister(s: X87State, i: number, lo: number, hi: number, signExp: number): void {
  const at = slot(s, i);
  s.view.setUint32(at, lo, true);
  s.view.setUint32(at + 4, hi, true);
  s.view.setUint16(at + X87_LAYOUT.signExponent, signExp, true);
}

/** FRSTOR. */
export function restoreState(s: X87State, context: X87Context, memory: X87Memory): void {
  const size = environmentSize(context);
  const apply = readEnvironment(s, context, memory);
  const values: [number, number, number][] = [];
  for (let i = 0; i < 8; i++) {
    const at = size + 10 * i;
    const word = (from: number): number => memory.read16(at + from);
    const low = (word(0) | (word(2) << 16)) >>> 0;
    values.push([low, (word(4) | (word(6) << 16)) >>> 0, word(8)]);
  }
  apply();
  values.forEach(([lo, hi, signExp], i) => putRegister(s, i, lo, hi, signExp));
}

/** Offsets in an FXSAVE or XSAVE legacy image (SDM Vol. 1, table 10-2). */
const IMAGE = { fcw: 0, fsw: 2, tags: 4, fop: 6, fip: 8, fdp: 16, registers: 32 } as const;

/**
 * When an image holds FOP, FIP and FDP: `pending` only with an unmasked exception pending, else zeros, as AMD does (APM Vol. 2, 11.4.4);
 * `always`, as Intel does.
 */
export type PointerSaving = 'pending' | 'always';

/**
 * Writes the x87 part of an FXSAVE image: bytes 0…23 and 32…159 of it; MXCSR (24…31) and XMM belong to others. `wide` is FXSAVE64: 64-bit
 * pointers in place of 32-bit ones with selectors. Registers go in stack order.
 */
export function writeFxsaveImage(
  s: X87State,
  image: DataView,
  at: number,
  wide: boolean,
  pointers: PointerSaving = 'pending',
): void {
  image.setUint16(at + IMAGE.fcw, readFcw(s), true);
  image.setUint16(at + IMAGE.fsw, readFsw(s), true);
  image.setUint16(at + IMAGE.tags, readTags(s), true);
  const saved = pointers === 'always' || (readFsw(s) & FSW.summary) !== 0;
  const pointer = (field: number): number => (saved ? get32(s, field) : 0);
  const selector = (field: number): number => (saved ? get16(s, field) : 0);
  image.setUint16(at + IMAGE.fop, selector(X87_LAYOUT.fop), true);
  image.setUint32(at + IMAGE.fip, pointer(X87_LAYOUT.fip), true);
  image.setUint32(at + IMAGE.fdp, pointer(X87_LAYOUT.fdp), true);
  const highFip = wide ? pointer(X87_LAYOUT.fip + 4) : selector(X87_LAYOUT.fcs);
  const highFdp = wide ? pointer(X87_LAYOUT.fdp + 4) : selector(X87_LAYOUT.fds);
  image.setUint32(at + IMAGE.fip + 4, highFip, true);
  image.setUint32(at + IMAGE.fdp + 4, highFdp, true);
  for (let i = 0; i < 8; i++) {
    readRegister(s, i, register);
    const to = at + IMAGE.registers + 16 * i;
    image.setUint32(to, register.lo, true);
    image.setUint32(to + 4, register.hi, true);
    image.setUint32(to + 8, register.signExp, true);
    image.setUint32(to + 12, 0, true);
  }
}

/** Loads the x87 part of an FXSAVE image, as FXRSTOR (`wide` false) or FXRSTOR64 does. */
export function readFxsaveImage(s: X87State, image: DataView, at: number, wide: boolean): void {
  writeFsw(s, image.getUint16(at + IMAGE.fsw, true));
  writeFcw(s, image.getUint16(at + IMAGE.fcw, true));
  writeTags(s, image.getUint8(at + IMAGE.tags));
  set16(s, X87_LAYOUT.fop, image.getUint16(at + IMAGE.fop, true) & 0x7ff);
  set32(s, X87_LAYOUT.fip, image.getUint32(at + IMAGE.fip, true));
  set32(s, X87_LAYOUT.fdp, image.getUint32(at + IMAGE.fdp, true));
  const highFip = image.getUint32(at + IMAGE.fip + 4, true);
  const highFdp = image.getUint32(at + IMAGE.fdp + 4, true);
  set32(s, X87_LAYOUT.fip + 4, wide ? highFip : 0);
  set32(s, X87_LAYOUT.fdp + 4, wide ? highFdp : 0);
  set16(s, X87_LAYOUT.fcs, wide ? 0 : highFip & 0xffff);
  set16(s, X87_LAYOUT.fds, wide ? 0 : highFdp & 0xffff);
  for (let i = 0; i < 8; i++) {
    const from = at + IMAGE.registers + 16 * i;
    const [lo, hi] = [image.getUint32(from, true), image.getUint32(from + 4, true)];
    putRegister(s, i, lo, hi, image.getUint16(from + 8, true));
  }
}
