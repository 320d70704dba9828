/** Stack instructions: PUSH POP PUSHA POPA ENTER LEAVE (SDM Vol. 2). */
import * as e from '../wasm/expr.ts';
import type { I32, I64 } from '../wasm/expr.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import { SEG } from '../cpu/mode.ts';
import { setSized } from '../cpu/sized-register.ts';
import { setStackPointer, stackSize } from '../cpu/stack.ts';
import type { Semantics } from './emit.ts';
import { RBP, RSP } from './register.ts';
import type { Row } from './row.ts';
import { readSigned } from './width.ts';

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

/** The stack from a helper's view, which moves SP only when the instruction can no longer fault. */
interface StackView {
  readonly pointer: bigint;
  /** Bytes per element. */
  readonly bytes: 2 | 4 | 8;
  readonly step: bigint;
  readonly read: (pointer: bigint) => bigint;
  readonly write: (pointer: bigint, value: bigint) => void;
  /** Linear address of an element. */
  readonly at: (pointer: bigint, access: 'read' | 'write') => bigint;
  readonly setPointer: (pointer: bigint) => void;
}

const stackView = (cpu: Cpu, { operandSize }: Instruction): StackView => {
  const size = stackSize(cpu.state);
  const bytes = (operandSize / 8) as 2 | 4 | 8;
  const at: StackView['at'] = (pointer, access) =>
    cpu.linear(SEG.ss, BigInt.asUintN(size, pointer), bytes, access);
  return {
    pointer: cpu.state.gpr(RSP),
    bytes,
    step: BigInt(bytes),
    at,
    read: (pointer) => cpu.memory.read(bytes, at(pointer, 'read')),
    write: (pointer, value) =>
      cpu.memory.write(bytes, at(pointer, 'write'), BigInt.asUintN(operandSize, value)),
    setPointer: (pointer) => setStackPointer(cpu.state, size, pointer),
  };
};

/** POP to memory: an address based on rSP uses the incremented rSP (SDM Vol. 2B, POP). */
const popMemory: Helper = (cpu, insn) => {
  const stack = stackView(cpu, insn);
  const value = stack.read(stack.pointer);
  stack.setPointer(stack.pointer + stack.step);
  try {
    insn.write(0, value);
  } catch (fault) {
    cpu.state.setGpr(RSP, stack.pointer);
    throw fault;
  }
};

const pusha: Helper = (cpu, insn) => {
  const stack = stackView(cpu, insn);
  for (let n = 0; n < 8; n++)
    stack.write(stack.pointer - stack.step * BigInt(n + 1), cpu.state.gpr(n));
  stack.setPointer(stack.pointer - stack.step * 8n);
};

const popa: Helper = (cpu, insn) => {
  const stack = stackView(cpu, insn);
  const values = Array.from({ length: 8 }, (_, i) =>
    stack.read(stack.pointer + stack.step * BigInt(i)),
  );
  for (const [i, value] of values.entries())
    if (7 - i !== RSP) setSized(cpu.state, 7 - i, insn.operandSize, value);
  stack.setPointer(stack.pointer + stack.step * 8n);
};

const enter: Helper = (cpu, insn) => {
  const stack = stackView(cpu, insn);
  const size = insn.read(0);
  const level = insn.read(1) & 31n;
  let link = cpu.state.gpr(RBP);
  let pointer = stack.pointer - stack.step;
  stack.write(pointer, link);
  const frame = pointer;
  if (level > 0n) {
    for (let i = 1n; i < level; i++) {
      link -= stack.step;
      pointer -= stack.step;
      stack.write(pointer, stack.read(link));
    }
    pointer -= stack.step;
    stack.write(pointer, frame);
  }
  pointer -= size;
  // A write through the new stack pointer must be possible (SDM Vol. 2A, ENTER).
  cpu.memory.probeWrite(stack.bytes, stack.at(pointer, 'write'));
  setSized(cpu.state, RBP, insn.operandSize, BigInt.asUintN(stackSize(cpu.state), frame));
  stack.setPointer(pointer);
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
