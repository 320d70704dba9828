/** Stack accesses of the processor's own sequences: frames are checked whole before the first byte is written (SDM Vol. 3A, section 7.12). */
import { ATTRIBUTE } from './cpu-state.ts';
import type { CpuState, Segment } from './cpu-state.ts';
import { VECTOR } from './helper.ts';
import type { AccessRights, Cpu } from './helper.ts';
import { SEG, is64Bit, isCanonical } from './mode.ts';
import { linearAddress, withinLimit } from './segments.ts';
import { setSized } from './sized-register.ts';

type StackSize = 16 | 32 | 64;

const RSP = 4;

/** A stack to push on: the present one, or one that a transfer is about to switch to. */
export interface Stack {
  readonly segment: Segment;
  /** Width of the stack pointer in bits. */
  readonly size: StackSize;
  readonly pointer: bigint;
  readonly rights: AccessRights;
}

export const stackSize = (state: CpuState): StackSize =>
  is64Bit(state) ? 64 : segmentStackSize(state.segment('ss'));

export const segmentStackSize = ({ attributes }: Segment): 16 | 32 =>
  attributes & ATTRIBUTE.big ? 32 : 16;

export const currentStack = (state: CpuState): Stack => {
  const size = stackSize(state);
  return {
    segment: state.segment('ss'),
    size,
    pointer: BigInt.asUintN(size, state.gpr(RSP)),
    rights: 'cpl',
  };
};

/** Writes SP, ESP (clearing the upper half) or RSP. */
export const setStackPointer = (state: CpuState, size: StackSize, value: bigint): void =>
  setSized(state, RSP, size, value);

/**
 * Pushes the values in order and gives the new stack pointer, which the caller puts in place. Raises #SS(`error`) for a frame outside the segment or a
 * non-canonical one; a fault leaves memory as it was.
 */
export const pushFrame = (
  cpu: Cpu,
  stack: Stack,
  bytes: 2 | 4 | 8,
  values: readonly bigint[],
  error: number,
): bigint => {
  const { memory } = cpu;
  const { segment, size, pointer, rights } = stack;
  const total = values.length * bytes;
  const bottom = BigInt.asUintN(size, pointer - BigInt(total));
  if (size === 64) {
    if (!isCanonical(bottom) || !isCanonical(BigInt.asUintN(64, pointer - 1n)))
      cpu.fault(VECTOR.SS, error);
    // Within one page the first write faults if any does.
    if (Number(bottom & 0xfffn) + total > 0x1000) memory.probeWrite(total, bottom, rights);
    let at = pointer;
    for (const value of values) {
      at = BigInt.asUintN(64, at - BigInt(bytes));
      memory.write(bytes, at, BigInt.asUintN(bytes * 8, value), rights);
    }
    return bottom;
  }
  const places = values.map((_, i) => {
    const offset = Number(BigInt.asUintN(size, pointer - BigInt((i + 1) * bytes)));
    if (!withinLimit(segment, offset, bytes)) cpu.fault(VECTOR.SS, error);
    const linear = BigInt.asUintN(32, segment.base + BigInt(offset));
    memory.probeWrite(bytes, linear, rights);
    return linear;
  });
  for (const [i, linear] of places.entries())
    memory.write(bytes, linear, BigInt.asUintN(bytes * 8, values[i] as bigint), rights);
  return bottom;
};

/** Pushes values on the present stack and moves the stack pointer. */
export const push = (cpu: Cpu, bytes: 2 | 4 | 8, ...values: readonly bigint[]): void => {
  const stack = currentStack(cpu.state);
  setStackPointer(cpu.state, stack.size, pushFrame(cpu, stack, bytes, values, 0));
};

/** Reads `count` values of `bytes` bytes from the stack, from `offset` bytes above the stack pointer on; the stack pointer stays. */
export const readFrame = (
  cpu: Cpu,
  bytes: 2 | 4 | 8,
  count: number,
  offset = 0,
): readonly bigint[] => {
  const { state, memory } = cpu;
  const size = stackSize(state);
  const values: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const at = BigInt.asUintN(size, state.gpr(RSP) + BigInt(offset + i * bytes));
    if (size !== 64) values.push(memory.read(bytes, linearAddress(cpu, SEG.ss, at, bytes, 'read')));
    else if (isCanonical(at)) values.push(memory.read(bytes, at));
    else cpu.fault(VECTOR.SS, 0);
  }
  return values;
};

/** Moves the stack pointer by `bytes`. */
export const adjustStack = (state: CpuState, size: StackSize, bytes: number): void => {
  setStackPointer(state, size, state.gpr(RSP) + BigInt(bytes));
};
