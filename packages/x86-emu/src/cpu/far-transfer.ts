/**
 * Far CALL and JMP, call gates included (SDM Vol. 2A, CALL and JMP; Vol. 3A, section 5.8).
 *
 * A task gate or TSS as the target raises #TS with its selector: hardware task switching is not implemented (in long mode it is #GP, as for everybody).
 */
import { ATTRIBUTE } from './cpu-state.ts';
import type { Segment } from './cpu-state.ts';
import { arrive } from './arrival.ts';
import {
  SYSTEM_TYPE,
  TYPE_MASK,
  descriptorAddress,
  fetchDescriptor,
  isNull,
  selectorError,
  wrapLinear,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { shortModeCode, targetOffset } from './far-return.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { descriptorPrivilege, isLongMode, isProtected, isVirtual8086 } from './mode.ts';
import { codeSegment, innerNullStack, isCode, isConforming } from './segments.ts';
import { currentStack, pushFrame, readFrame, setStackPointer } from './stack.ts';
import type { Stack } from './stack.ts';
import { innerStack, innerStackPointer } from './task-state.ts';

type OperandSize = 16 | 32 | 64;

/** A far transfer: where to, and for CALL where to return to. */
export interface FarTarget {
  readonly selector: number;
  /** Truncated to the operand size. */
  readonly offset: bigint;
  readonly operandSize: OperandSize;
  /** Absent for JMP. */
  readonly returnRip?: bigint;
}

const bytesOf = (size: OperandSize): 2 | 4 | 8 => (size === 16 ? 2 : size === 32 ? 4 : 8);

export const farTransfer = (cpu: Cpu, target: FarTarget): void => {
  const { state } = cpu;
  const { selector, offset } = target;
  if (!isProtected(state) || isVirtual8086(state)) {
    const cs = shortModeCode(cpu, selector);
    finish(cpu, target, cs, targetOffset(cpu, cs, offset));
    return;
  }
  if (isNull(selector)) cpu.fault(VECTOR.GP, 0);
  const descriptor = fetchDescriptor(cpu, selector);
  if (isCode(descriptor.attributes)) {
    const cs = directCode(cpu, descriptor);
    finish(cpu, target, cs, targetOffset(cpu, cs, offset));
  } else throughSystem(cpu, target, descriptor);
};

/** Pushes the return address on the present stack (CALL) and goes; the privilege stays. */
const finish = (cpu: Cpu, target: FarTarget, cs: Segment, rip: bigint): void => {
  const { state } = cpu;
  if (target.returnRip !== undefined) {
    const stack = currentStack(state);
    const frame = [BigInt(state.segment('cs').selector), target.returnRip];
    const pointer = pushFrame(cpu, stack, bytesOf(target.operandSize), frame, 0);
    setStackPointer(state, stack.size, pointer);
  }
  arrive(cpu, { cs, privilege: state.get('cpl'), rip });
};

const demandPresent = (cpu: Cpu, attributes: number, error: number): void => {
  if ((attributes & ATTRIBUTE.present) === 0) cpu.fault(VECTOR.NP, error);
};

const { long: L, big: D } = ATTRIBUTE;

/** CS for a transfer straight to a code segment. */
const directCode = (cpu: Cpu, descriptor: Descriptor): Segment => {
  const { attributes, selector } = descriptor;
  const error = selectorError(selector);
  const cpl = cpu.state.get('cpl');
  const dpl = descriptorPrivilege(attributes);
  const bad = isConforming(attributes) ? dpl > cpl : (selector & 3) > cpl || dpl !== cpl;
  if (bad || (isLongMode(cpu.state) && (attributes & (L | D)) === (L | D)))
    cpu.fault(VECTOR.GP, error);
  demandPresent(cpu, attributes, error);
  return codeSegment(cpu, descriptor, cpl);
};

const throughSystem = (cpu: Cpu, target: FarTarget, descriptor: Descriptor): void => {
  const { attributes, selector } = descriptor;
  const error = selectorError(selector);
  const type = attributes & TYPE_MASK;
  const long = isLongMode(cpu.state);
  const gate = type === SYSTEM_TYPE.callGate || (type === SYSTEM_TYPE.callGate16 && !long);
  const task =
    !long &&
    (type === SYSTEM_TYPE.taskGate || type === SYSTEM_TYPE.tss || type === SYSTEM_TYPE.tss16);
  if (!gate && !task) cpu.fault(VECTOR.GP, error);
  const dpl = descriptorPrivilege(attributes);
  if (dpl < cpu.state.get('cpl') || dpl < (selector & 3)) cpu.fault(VECTOR.GP, error);
  demandPresent(cpu, attributes, error);
  if (task) cpu.fault(VECTOR.TS, error);
  callGate(cpu, target, descriptor);
};

interface CallGate {
  readonly selector: number;
  readonly offset: bigint;
  /** Width of what is pushed. */
  readonly bytes: 2 | 4 | 8;
  readonly parameters: number;
}

/** Fields of a call gate (SDM Vol. 3A, figures 5-8 and 5-9). */
const decodeGate = (cpu: Cpu, { raw, selector, attributes }: Descriptor): CallGate => {
  const code = Number((raw >> 16n) & 0xffffn);
  const wide = (attributes & TYPE_MASK) === SYSTEM_TYPE.callGate;
  const offset = (raw & 0xffffn) | (wide ? (raw >> 32n) & 0xffff_0000n : 0n);
  if (!isLongMode(cpu.state))
    return {
      selector: code,
      offset,
      bytes: wide ? 4 : 2,
      parameters: Number((raw >> 32n) & 0x1fn),
    };
  const address = descriptorAddress(cpu, selector, 16);
  if (address === undefined) return cpu.fault(VECTOR.GP, selectorError(selector));
  const high = cpu.memory.read(8, wrapLinear(cpu.state, address + 8n), 'system');
  if ((high >> 40n) & 0x1fn) cpu.fault(VECTOR.GP, selectorError(selector));
  return {
    selector: code,
    offset: offset | ((high & 0xffff_ffffn) << 32n),
    bytes: 8,
    parameters: 0,
  };
};

const callGate = (cpu: Cpu, target: FarTarget, descriptor: Descriptor): void => {
  const { state } = cpu;
  const gate = decodeGate(cpu, descriptor);
  if (isNull(gate.selector)) cpu.fault(VECTOR.GP, 0);
  const code = fetchDescriptor(cpu, gate.selector);
  const { attributes } = code;
  const error = selectorError(gate.selector);
  const cpl = state.get('cpl');
  const dpl = descriptorPrivilege(attributes);
  const long = isLongMode(state);
  const call = target.returnRip !== undefined;
  if (!isCode(attributes) || dpl > cpl || (long && (attributes & (L | D)) !== L))
    cpu.fault(VECTOR.GP, error);
  const inner = !isConforming(attributes) && dpl < cpl;
  if (inner && !call) cpu.fault(VECTOR.GP, error);
  demandPresent(cpu, attributes, error);
  const privilege = inner ? dpl : cpl;
  const cs = codeSegment(cpu, code, privilege);
  const rip = targetOffset(cpu, cs, gate.offset);
  // A 64-bit gate pushes on RSP, whatever stack the caller has.
  const from: Stack = long
    ? { ...currentStack(state), size: 64, pointer: state.gpr(4) }
    : currentStack(state);
  let to = from;
  const frame: bigint[] = [];
  if (inner) {
    to = long ? longInnerStack(cpu, privilege) : innerStack(cpu, privilege, 0);
    frame.push(BigInt(from.segment.selector), from.pointer);
    if (gate.parameters > 0 && gate.bytes !== 8)
      frame.push(...readFrame(cpu, gate.bytes, gate.parameters).toReversed());
  }
  if (target.returnRip !== undefined) {
    frame.push(BigInt(state.segment('cs').selector), target.returnRip);
    const room = inner && !long ? selectorError(to.segment.selector) : 0;
    setStackPointer(state, to.size, pushFrame(cpu, to, gate.bytes, frame, room));
  }
  arrive(cpu, { cs, privilege, rip, ...(inner ? { ss: to.segment } : {}) });
};

const longInnerStack = (cpu: Cpu, privilege: number): Stack => ({
  segment: innerNullStack(privilege),
  size: 64,
  pointer: innerStackPointer(cpu, privilege, 0),
  rights: cpu.state.get('cpl') === 3 ? 'system' : 'cpl',
});
