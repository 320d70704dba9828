/** Far RET and IRET (SDM Vol. 2B, RET; Vol. 2A, IRET). A task return (IRET with NT) raises #TS: hardware task switching is not implemented. */
import { ATTRIBUTE } from './cpu-state.ts';
import type { CpuState, Segment } from './cpu-state.ts';
import { arrive } from './arrival.ts';
import { FLAG } from './control-bits.ts';
import { fetchDescriptor, isNull, selectorError } from './descriptor.ts';
import { ioPrivilege, loadableFlags } from './flags.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import {
  SEG,
  descriptorPrivilege,
  is64Bit,
  isCanonical,
  isLongMode,
  isProtected,
  isVirtual8086,
} from './mode.ts';
import {
  codeSegment,
  dropInnerSegments,
  isCode,
  isConforming,
  realSegment,
  setSegment,
  stackSegment,
  virtual8086Segment,
} from './segments.ts';
import { readFrame, segmentStackSize, setStackPointer, stackSize } from './stack.ts';

type OperandSize = 16 | 32 | 64;

const RSP = 4;

const bytesOf = (size: OperandSize): 2 | 4 | 8 => (size === 16 ? 2 : size === 32 ? 4 : 8);

/** A target offset made fit for its code segment; #GP(`error`) if it is outside (64-bit code: not canonical). */
export const targetOffset = (cpu: Cpu, cs: Segment, offset: bigint, error = 0): bigint => {
  if (isLongMode(cpu.state) && cs.attributes & ATTRIBUTE.long) {
    if (!isCanonical(offset)) cpu.fault(VECTOR.GP, error);
    return offset;
  }
  // All 64 bits of an offset count, though the new RIP has 32.
  if (offset > BigInt(cs.limit)) cpu.fault(VECTOR.GP, error);
  return offset;
};

/** CS for a return to `selector`, checked; the new privilege is its RPL. */
const returnCode = (cpu: Cpu, selector: number): Segment => {
  if (isNull(selector)) cpu.fault(VECTOR.GP, 0);
  const descriptor = fetchDescriptor(cpu, selector);
  const { attributes } = descriptor;
  const error = selectorError(selector);
  const rpl = selector & 3;
  const dpl = descriptorPrivilege(attributes);
  const { long, big } = ATTRIBUTE;
  const bad =
    !isCode(attributes) ||
    rpl < cpu.state.get('cpl') ||
    (isConforming(attributes) ? dpl > rpl : dpl !== rpl) ||
    (isLongMode(cpu.state) && (attributes & (long | big)) === (long | big));
  if (bad) cpu.fault(VECTOR.GP, error);
  if ((attributes & ATTRIBUTE.present) === 0) cpu.fault(VECTOR.NP, error);
  return codeSegment(cpu, descriptor, rpl);
};

/** SS for a return to code `cs` at `privilege`. */
const returnStack = (cpu: Cpu, selector: number, cs: Segment, privilege: number): Segment =>
  stackSegment(cpu, selector, privilege, {
    vector: VECTOR.GP,
    ext: 0,
    nullAllowed: isLongMode(cpu.state) && (cs.attributes & ATTRIBUTE.long) !== 0,
  });

const stackSizeUnder = (cpu: Cpu, cs: Segment, ss: Segment): OperandSize =>
  isLongMode(cpu.state) && cs.attributes & ATTRIBUTE.long ? 64 : segmentStackSize(ss);

/** Far RET that releases `release` bytes of parameters. */
export const farReturn = (cpu: Cpu, size: OperandSize, release: number): void => {
  const { state } = cpu;
  const bytes = bytesOf(size);
  const from = stackSize(state);
  const [rip = 0n, csImage = 0n] = readFrame(cpu, bytes, 2);
  const selector = Number(csImage & 0xffffn);
  const after = BigInt(2 * bytes + release);
  const privilege = selector & 3;
  const cpl = state.get('cpl');
  if (!isProtected(state) || isVirtual8086(state)) {
    const cs = shortModeCode(cpu, selector);
    const target = targetOffset(cpu, cs, rip);
    setStackPointer(state, from, state.gpr(RSP) + after);
    arrive(cpu, { cs, privilege: cpl, rip: target });
    return;
  }
  const cs = returnCode(cpu, selector);
  if (privilege === cpl) {
    const target = targetOffset(cpu, cs, rip);
    setStackPointer(state, from, state.gpr(RSP) + after);
    arrive(cpu, { cs, privilege, rip: target });
    return;
  }
  const [rsp = 0n, ssImage = 0n] = readFrame(cpu, bytes, 2, 2 * bytes + release);
  const ss = returnStack(cpu, Number(ssImage & 0xffffn), cs, privilege);
  const target = targetOffset(cpu, cs, rip);
  setStackPointer(state, stackSizeUnder(cpu, cs, ss), rsp + BigInt(release));
  arrive(cpu, { cs, ss, privilege, rip: target });
  dropInnerSegments(cpu, privilege);
};

/** CS in real and virtual-8086 mode. */
export const shortModeCode = (cpu: Cpu, selector: number): Segment =>
  isVirtual8086(cpu.state)
    ? virtual8086Segment(selector)
    : realSegment(cpu.state, SEG.cs, selector);

export const interruptReturn = (cpu: Cpu, size: OperandSize): void => {
  const { state } = cpu;
  if (!isProtected(state)) shortModeReturn(cpu, size);
  else if (isVirtual8086(state)) {
    if (ioPrivilege(state) < 3) cpu.fault(VECTOR.GP, 0);
    shortModeReturn(cpu, size);
  } else protectedModeReturn(cpu, size);
  // An NMI that waited may come now (SDM Vol. 3A, section 6.7.1).
  if (state.get('nmiBlocked') !== 0) {
    state.set('nmiBlocked', 0);
    if (state.get('nmiPending') !== 0) cpu.checkEvents();
  }
};

/** RF lives for one instruction and concerns instruction breakpoints alone: without any armed it is not loaded, so nobody has to clear it. */
const resumeFlag = (state: CpuState, size: OperandSize): number =>
  size === 16 || (state.low('dr7') & 0xff) === 0 ? 0 : FLAG.RF;

/** RFLAGS after an IRET that popped `image`; `mask` are the flags it may change, all status flags among them. */
const returnedFlags = (old: number, image: bigint, mask: number): number =>
  (old & ~mask) | (Number(image & 0xffff_ffffn) & mask);

const shortModeReturn = (cpu: Cpu, size: OperandSize): void => {
  const { state } = cpu;
  const bytes = bytesOf(size);
  const [rip = 0n, csImage = 0n, image = 0n] = readFrame(cpu, bytes, 3);
  const cs = shortModeCode(cpu, Number(csImage & 0xffffn));
  const target = targetOffset(cpu, cs, rip);
  const mask = loadableFlags(state, size) | resumeFlag(state, size);
  setStackPointer(state, stackSize(state), state.gpr(RSP) + BigInt(3 * bytes));
  const flags = returnedFlags(state.get('systemFlags'), image, mask);
  arrive(cpu, { cs, privilege: state.get('cpl'), rip: target, flags });
};

const protectedModeReturn = (cpu: Cpu, size: OperandSize): void => {
  const { state } = cpu;
  const long = isLongMode(state);
  const old = state.get('systemFlags');
  if (old & FLAG.NT) {
    if (long) cpu.fault(VECTOR.GP, 0);
    cpu.fault(VECTOR.TS, selectorError(backLink(cpu)));
  }
  const bytes = bytesOf(size);
  const cpl = state.get('cpl');
  const from = stackSize(state);
  const always = is64Bit(state);
  const [rip = 0n, csImage = 0n, image = 0n, rspImage = 0n, ssImage = 0n] = readFrame(
    cpu,
    bytes,
    always ? 5 : 3,
  );
  if (!long && cpl === 0 && size === 32 && (Number(image) & FLAG.VM) !== 0) {
    virtual8086Return(cpu, rip, csImage, image);
    return;
  }
  const selector = Number(csImage & 0xffffn);
  const cs = returnCode(cpu, selector);
  const privilege = selector & 3;
  const mask = loadableFlags(state, size) | resumeFlag(state, size);
  const flags = returnedFlags(old, image, mask);
  if (privilege === cpl && !always) {
    const target = targetOffset(cpu, cs, rip);
    setStackPointer(state, from, state.gpr(RSP) + BigInt(3 * bytes));
    arrive(cpu, { cs, privilege, rip: target, flags });
    return;
  }
  const [rsp = 0n, ssSelector = 0n] = always
    ? [rspImage, ssImage]
    : readFrame(cpu, bytes, 2, 3 * bytes);
  const ss = returnStack(cpu, Number(ssSelector & 0xffffn), cs, privilege);
  const target = targetOffset(cpu, cs, rip);
  setStackPointer(state, stackSizeUnder(cpu, cs, ss), rsp);
  arrive(cpu, { cs, ss, privilege, rip: target, flags });
  if (privilege !== cpl) dropInnerSegments(cpu, privilege);
};

/** The task that a task return would go to: the first word of the TSS. */
const backLink = (cpu: Cpu): number =>
  Number(cpu.memory.read(2, cpu.state.segment('tr').base, 'system'));

/** The VM flag of the popped image and CPL 0: SS, ESP and the data segments follow on the stack. */
const virtual8086Return = (cpu: Cpu, rip: bigint, csImage: bigint, image: bigint): void => {
  const { state } = cpu;
  const [rsp = 0n, ...selectors] = readFrame(cpu, 4, 6, 12);
  const cs = virtual8086Segment(Number(csImage & 0xffffn));
  const target = targetOffset(cpu, cs, rip);
  const [ss, es, ds, fs, gs] = selectors.map((s) => virtual8086Segment(Number(s & 0xffffn)));
  const mask = loadableFlags(state, 32) | resumeFlag(state, 32) | FLAG.VM;
  setStackPointer(state, 32, rsp);
  for (const [index, segment] of [
    [SEG.es, es],
    [SEG.ds, ds],
    [SEG.fs, fs],
    [SEG.gs, gs],
  ] as const)
    if (segment) setSegment(cpu, index, segment);
  const flags = returnedFlags(state.get('systemFlags'), image, mask);
  arrive(cpu, { cs, ...(ss ? { ss } : {}), privilege: 3, rip: target, flags });
};
