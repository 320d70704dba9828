/** x87 cases: random encodings of D8…DF with random state and memory operand, and what our executor makes of them. */

import { X87_OUTCOME, createX87Context } from '../../../src/fpu/x87-context.ts';
import type { X87Memory } from '../../../src/fpu/x87-context.ts';
import { readFxsaveImage, writeFxsaveImage } from '../../../src/fpu/x87-environment.ts';
import { X87_LAYOUT } from '../../../src/fpu/x87-state.ts';
import type { X87State } from '../../../src/fpu/x87-state.ts';
import { executeX87 } from '../../../src/fpu/x87.ts';
import { extendedOperand, ieeeOperand } from './random.ts';
import type { Random } from './random.ts';
import { AT, RECORD_SIZE, TRAP, setCode } from './case-record.ts';

/** Where oracle.c puts code and memory operand. */
const CODE_ADDRESS = 0x10000000;
const MEMORY_ADDRESS = 0x10001000;

/** Code selector of a 64-bit process of the recording system. */
const USER_CS = 0x33;

/** ModRM of [rdi]. */
const RDI = 7;

const viewOf = (record: Uint8Array): DataView =>
  new DataView(record.buffer, record.byteOffset, RECORD_SIZE);

function putExtended(view: DataView, at: number, bits: bigint): void {
  view.setBigUint64(at, bits & 0xffffffffffffffffn, true);
  view.setUint16(at + 8, Number(bits >> 64n), true);
}

/** An integer operand's bits: small, near a power of two, or random. */
function integerOperand(random: Random): bigint {
  const noise = (BigInt(random.word()) << 32n) | BigInt(random.word());
  const sized = noise >> BigInt(random.below(64));
  return random.below(2) === 0 ? sized : BigInt.asUintN(64, -sized);
}

function fillOperand(random: Random, view: DataView, opcode: number, reg: number): void {
  const at = AT.memory;
  for (let i = 0; i < 128; i += 4) view.setUint32(at + i, random.word(), true);
  const exp80 = view.getUint16(AT.st + 8, true) & 0x7fff;
  if (opcode === 0xdb && reg === 5) putExtended(view, at, extendedOperand(random));
  else if (opcode === 0xd8 || (opcode === 0xd9 && reg < 4)) {
    const near = Math.max(0, Math.min(255, exp80 - 0x3fff + 127));
    view.setUint32(at, Number(ieeeOperand(random, 8, 23, near)), true);
  } else if (opcode === 0xdc || (opcode === 0xdd && reg < 4)) {
    const near = Math.max(0, Math.min(2047, exp80 - 0x3fff + 1023));
    view.setBigUint64(at, ieeeOperand(random, 11, 52, near), true);
  } else if (opcode === 0xdf && reg === 4) {
    for (let i = 0; i < 9; i++) {
      const valid = random.below(64) !== 0;
      view.setUint8(at + i, valid ? random.below(10) * 16 + random.below(10) : random.below(256));
    }
    view.setUint8(at + 9, random.below(4) === 0 ? random.below(256) : random.below(2) * 0x80);
  } else if ((opcode === 0xd9 || opcode === 0xdd) && reg === 4) {
    // Registers of FRSTOR stay random; control and status must not hide everything behind #MF.
    view.setUint16(at, 0x37f & ~(random.below(4) === 0 ? random.below(64) : 0), true);
  } else if (opcode === 0xd9 && reg === 5) view.setUint16(at, random.word() & 0xffff, true);
  else view.setBigUint64(at, integerOperand(random), true);
}

function randomControl(random: Random): number {
  let fcw = 0x7f | (random.below(4) << 10);
  fcw |= random.pick([0x000, 0x200, 0x300, 0x300, 0x300, 0x100]);
  if (random.below(5) === 0) fcw &= ~random.below(64);
  return fcw;
}

function randomStatus(random: Random, fcw: number): number {
  let fsw = random.below(8) << 11;
  if (random.below(3) === 0) fsw |= random.word() & 0x4700;
  if (random.below(6) === 0) fsw |= random.word() & 0x7f;
  if (random.below(8) !== 0) fsw &= ~(~fcw & 0x3f);
  return (fsw & ~fcw & 0x3f) === 0 ? fsw : fsw | 0x8080;
}

function randomTags(random: Random, top: number): number {
  if (random.below(4) === 0) return random.word() & 0xff;
  const depth = 1 + random.below(7);
  let tags = 0;
  for (let i = 0; i < depth; i++) tags |= 1 << ((top + i) & 7);
  return tags;
}

/** Fills one record with a random case; returns the name of its encoding. */
export function generateX87(random: Random, record: Uint8Array): string {
  record.fill(0);
  const view = viewOf(record);
  const fcw = randomControl(random);
  const fsw = randomStatus(random, fcw);
  view.setUint32(AT.mxcsr, 0x1f80, true);
  view.setUint32(AT.rflags, 0x202 | (random.word() & 0x8d5), true);
  view.setUint32(AT.rax, random.word(), true);
  view.setUint16(AT.x87, fcw, true);
  view.setUint16(AT.x87 + 2, fsw, true);
  view.setUint8(AT.x87 + 4, randomTags(random, (fsw >> 11) & 7));
  view.setUint16(AT.x87 + 6, 0x123, true);
  view.setUint32(AT.x87 + 8, 0x11112222, true);
  view.setUint32(AT.x87 + 16, 0x33334444, true);
  let near = -1;
  for (let i = 0; i < 8; i++) {
    const bits = extendedOperand(random, near);
    putExtended(view, AT.st + 16 * i, bits);
    near = Number(bits >> 64n) & 0x7fff;
  }
  const opcode = 0xd8 + random.below(8);
  if (random.below(2) === 0) {
    const reg = random.below(8);
    if ((opcode & 1) === 1 && random.below(4) === 0) nearLimit(random, view);
    const environment = (opcode === 0xd9 || opcode === 0xdd) && (reg === 4 || reg === 6);
    const prefix = environment && random.below(2) === 0 ? [0x66] : [];
    setCode(record, [...prefix, opcode, (reg << 3) | RDI]);
    fillOperand(random, view, opcode, reg);
    return `${opcode.toString(16)}/${reg}`;
  }
  const plain = random.below(2) === 0;
  const chosen = plain ? 0xd9 : opcode;
  const modrm = plain ? 0xe0 + random.below(32) : 0xc0 + random.below(64);
  if (plain && (modrm === 0xf0 || modrm >= 0xf9 || modrm === 0xf2)) nearOne(random, view);
  setCode(record, [chosen, modrm]);
  return `${chosen.toString(16)} ${(plain ? modrm : modrm & 0xf8).toString(16)}`;
}

/** Magnitudes at which integer and decimal stores stop to fit, or round to a neighbour. */
const LIMITS: readonly bigint[] = [1n, 1n << 15n, 1n << 31n, 1n << 63n, 10n ** 18n];

/** Puts ST(0) within two units of a limit, in quarters. */
function nearLimit(random: Random, view: DataView): void {
  const quarters = random.pick(LIMITS) * 4n + BigInt(random.below(17)) - 8n;
  if (quarters <= 0n) return;
  const width = quarters.toString(2).length;
  const sig = width > 64 ? quarters >> BigInt(width - 64) : quarters << BigInt(64 - width);
  const exp = BigInt(0x3fff + width - 3);
  putExtended(view, AT.st, (((BigInt(random.below(2)) << 15n) | exp) << 64n) | sig);
}

/** Brings ST(0) into the range where transcendental instructions are defined, mostly. */
function nearOne(random: Random, view: DataView): void {
  if (random.below(4) === 0) return;
  const sign = random.below(2) << 15;
  view.setUint16(AT.st + 8, sign | (0x3fff - random.below(12)), true);
  view.setUint32(AT.st + 4, view.getUint32(AT.st + 4, true) | 0x80000000, true);
}

/** Runs the case with our executor, changing the record as the CPU would. */
export function replayX87(_name: string, record: Uint8Array): void {
  const view = viewOf(record);
  const s: X87State = { view: new DataView(new ArrayBuffer(X87_LAYOUT.size)), base: 0 };
  const image = new Uint8Array(160);
  image.set(record.subarray(AT.x87, AT.x87 + 24));
  image.set(record.subarray(AT.st, AT.st + 128), 32);
  const imageView = new DataView(image.buffer);
  readFxsaveImage(s, imageView, 0, true);
  const prefixed = record[AT.code] === 0x66;
  const opcode = record[AT.code + (prefixed ? 1 : 0)] as number;
  const modrm = record[AT.code + (prefixed ? 2 : 1)] as number;
  const memory: X87Memory = {
    read16: (at) => view.getUint16(AT.memory + at, true),
    read32: (at) => view.getUint32(AT.memory + at, true),
    write16: (at, value) => view.setUint16(AT.memory + at, value, true),
    write32: (at, value) => view.setUint32(AT.memory + at, value, true),
    probe: () => undefined,
  };
  const context = createX87Context();
  context.operand16 = prefixed;
  context.ipLow = CODE_ADDRESS;
  context.cs = USER_CS;
  context.dataLow = MEMORY_ADDRESS;
  context.eflags = view.getUint32(AT.rflags, true);
  const outcome = executeX87(s, context, opcode, modrm, memory);
  if (outcome === X87_OUTCOME.undefined) record[AT.trap] = TRAP.ud;
  if (outcome === X87_OUTCOME.pending) record[AT.trap] = TRAP.mf;
  if (outcome === X87_OUTCOME.flags) view.setUint32(AT.rflags, context.eflags, true);
  if (outcome === X87_OUTCOME.ax) view.setUint16(AT.rax, context.ax, true);
  writeFxsaveImage(s, imageView, 0, true);
  record.set(image.subarray(0, 24), AT.x87);
  record.set(image.subarray(32), AT.st);
}
