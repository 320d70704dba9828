/** Stack instructions: PUSH POP PUSHA POPA ENTER LEAVE (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import type { I32, I64 } from '../wasm/expr.ts';
import { ATTRIBUTE } from '../cpu/cpu-state.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import type { Semantics } from './emit.ts';
import { RBP, RSP } from './register.ts';
import type { Row } from './row.ts';
import { readSigned } from './width.ts';

const SS = 2;

const push: Semantics = (x) => x.push(x.operandSize, readSigned(x, 0, x.operandSize));

/** POP to a register: a popped rSP wins over the increment. */
const pop: Semantics = (x) => {
  const value = x.peek(x.operandSize, 0);
  x.adjustStack(e.i32(x.operandSize / 8));
  x.write(0, value);
};

const leave: Semantics = (x) => {
  const frame = x.gpr(RBP, 64) as I64;
  const value = x.peek(x.operandSize, 0, frame);
  const distance = e.sub(frame, x.gpr(RSP, 64) as I64);
  x.adjustStack(x.c.let(e.add(distance, x.operandSize / 8)));
  x.setGpr(RBP, x.operandSize, value);
};

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** The stack from a helper's view: SP moves only when the instruction can no longer fault. */
const stackOf = (
  cpu: Cpu,
  insn: Instruction,
): {
  readonly at: (pointer: bigint, access: 'read' | 'write') => bigint;
  readonly setPointer: (pointer: bigint) => void;
  readonly mask: bigint;
  readonly step: bigint;
  readonly bytes: 2 | 4 | 8;
} => {
  const big = (cpu.state.segment('ss').attributes & ATTRIBUTE.big) !== 0;
  const mask = ones(insn.long ? 64 : big ? 32 : 16);
  const bytes = (insn.operandSize / 8) as 2 | 4 | 8;
  return {
    at: (pointer, access) => cpu.linear(SS, pointer & mask, bytes, access),
    setPointer: (pointer) => {
      cpu.state.setGpr(RSP, (cpu.state.gpr(RSP) & ~mask & ones(64)) | (pointer & mask));
    },
    mask,
    step: BigInt(bytes),
    bytes,
  };
};

/** Writes a general register in 16- or 32-bit code. */
const setLegacy = (cpu: Cpu, n: number, size: number, value: bigint): void => {
  if (size === 16) cpu.state.setGpr(n, (cpu.state.gpr(n) & ~0xffffn) | (value & 0xffffn));
  else cpu.state.setGpr32(n, Number(value & ones(32)));
};

/** POP to memory: an address based on rSP uses the incremented rSP (SDM Vol. 2B, POP). */
const popMemory: Helper = (cpu, insn) => {
  const { at, setPointer, step, bytes } = stackOf(cpu, insn);
  const before = cpu.state.gpr(RSP);
  const value = cpu.memory.read(bytes, at(before, 'read'));
  setPointer(before + step);
  try {
    insn.write(0, value);
  } catch (fault) {
    cpu.state.setGpr(RSP, before);
    throw fault;
  }
};

const pusha: Helper = (cpu, insn) => {
  const { at, setPointer, step, bytes } = stackOf(cpu, insn);
  const before = cpu.state.gpr(RSP);
  for (let n = 0; n < 8; n++)
    cpu.memory.write(
      bytes,
      at(before - step * BigInt(n + 1), 'write'),
      cpu.state.gpr(n) & ones(insn.operandSize),
    );
  setPointer(before - step * 8n);
};

const popa: Helper = (cpu, insn) => {
  const { at, setPointer, step, bytes } = stackOf(cpu, insn);
  const before = cpu.state.gpr(RSP);
  const values: bigint[] = [];
  for (let n = 0; n < 8; n++)
    values.push(cpu.memory.read(bytes, at(before + step * BigInt(n), 'read')));
  values.forEach((value, i) => {
    if (7 - i !== RSP) setLegacy(cpu, 7 - i, insn.operandSize, value);
  });
  setPointer(before + step * 8n);
};

const enter: Helper = (cpu, insn) => {
  const { at, setPointer, mask, step, bytes } = stackOf(cpu, insn);
  const size = insn.read(0);
  const level = insn.read(1) & 31n;
  const write = (pointer: bigint, value: bigint): void =>
    cpu.memory.write(bytes, at(pointer, 'write'), value & ones(insn.operandSize));
  let pointer = cpu.state.gpr(RSP);
  let link = cpu.state.gpr(RBP);
  pointer -= step;
  write(pointer, link);
  const frame = pointer;
  if (level > 0n) {
    for (let i = 1n; i < level; i++) {
      link -= step;
      pointer -= step;
      write(pointer, cpu.memory.read(bytes, at(link, 'read')));
    }
    pointer -= step;
    write(pointer, frame & mask);
  }
  pointer -= size;
  // A write through the new stack pointer must be possible (SDM Vol. 2A, ENTER).
  cpu.memory.probeWrite(bytes, at(pointer, 'write'));
  if (insn.operandSize === 64) cpu.state.setGpr(RBP, frame & mask);
  else setLegacy(cpu, RBP, insn.operandSize, frame & mask);
  setPointer(pointer);
};

/** BOUND: #BR unless the signed index lies within the pair of bounds in memory. */
const bound: Semantics = (x) => {
  const size = x.size(0);
  const bytes = size / 8;
  const index = x.read(0);
  const linear = x.linear(1, bytes * 2, 'read');
  const lower = x.load(size, linear);
  const upper = x.load(size, x.c.let(e.add(linear, bytes)));
  const signed = (value: I32): I32 => (size === 16 ? e.extend16S(value) : value);
  const [i, low, high] = [index, lower, upper].map((value) => signed(value as I32)) as [
    I32,
    I32,
    I32,
  ];
  x.raiseIf(e.or(e.ltS(i, low), e.gtS(i, high)), VECTOR.BR);
};

export const stackRows: readonly Row[] = [
  { op: '50+r', mnemonic: 'PUSH', operands: ['Zv'], size: 'd64', exec: push },
  { op: 'FF /6', mnemonic: 'PUSH', operands: ['Ev'], size: 'd64', exec: push },
  { op: '68', mnemonic: 'PUSH', operands: ['Iz'], size: 'd64', exec: push },
  {
    op: '6A',
    mnemonic: 'PUSH',
    operands: ['Ib'],
    size: 'd64',
    usesOperandSize: true,
    exec: push,
  },
  { op: '58+r', mnemonic: 'POP', operands: ['Zv'], size: 'd64', exec: pop },
  { op: '8F /0', mnemonic: 'POP', operands: ['Rv'], size: 'd64', exec: pop },
  { op: '8F /0', mnemonic: 'POP', operands: ['Mv'], size: 'd64', run: popMemory },
  {
    op: '60',
    mnemonic: 'PUSHA',
    operands: [],
    mode: 'legacy',
    usesOperandSize: true,
    run: pusha,
  },
  { op: '61', mnemonic: 'POPA', operands: [], mode: 'legacy', usesOperandSize: true, run: popa },
  {
    op: 'C8',
    mnemonic: 'ENTER',
    operands: ['Iw', 'Ib'],
    size: 'd64',
    usesOperandSize: true,
    run: enter,
  },
  {
    op: 'C9',
    mnemonic: 'LEAVE',
    operands: [],
    size: 'd64',
    usesOperandSize: true,
    exec: leave,
  },
  { op: '62 /r', mnemonic: 'BOUND', operands: ['Gv', 'M'], mode: 'legacy', exec: bound },
];
