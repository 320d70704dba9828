/** Segment register loads and the checks of every memory access through them (SDM Vol. 3A, chapters 3 to 5; Vol. 2A, MOV, LLDT, LTR). */
import { ATTRIBUTE } from './cpu-state.ts';
import type { CpuState, Segment } from './cpu-state.ts';
import { FLAG } from './control-bits.ts';
import {
  SYSTEM_TYPE,
  TYPE_MASK,
  fetchDescriptor,
  isNull,
  markAccessed,
  selectorError,
  setBusy,
  systemBase,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
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
  segmentName,
} from './mode.ts';

const { accessed, readWrite, expandDownOrConforming, code, nonSystem, present, unusable } =
  ATTRIBUTE;

/** Present, writable, accessed data of DPL 3: what every segment register of a virtual-8086 task holds. */
const VIRTUAL_8086_ATTRIBUTES = 0xf3;

const isData = (attributes: number): boolean => (attributes & (nonSystem | code)) === nonSystem;
export const isWritableData = (attributes: number): boolean =>
  (attributes & (nonSystem | code | readWrite)) === (nonSystem | readWrite);
export const isCode = (attributes: number): boolean =>
  (attributes & (nonSystem | code)) === (nonSystem | code);
export const isConforming = (attributes: number): boolean =>
  isCode(attributes) && (attributes & expandDownOrConforming) !== 0;
export const isReadable = (attributes: number): boolean =>
  isData(attributes) || (isCode(attributes) && (attributes & readWrite) !== 0);

/** The register after a load of a null selector; `privilege` matters for SS alone. */
export const nullSegment = (selector: number, privilege = 0): Segment => ({
  selector,
  base: 0n,
  limit: 0,
  attributes: unusable | (privilege << ATTRIBUTE.dplShift),
});

export const virtual8086Segment = (selector: number): Segment => ({
  selector,
  base: BigInt(selector << 4),
  limit: 0xffff,
  attributes: VIRTUAL_8086_ATTRIBUTES,
});

/**
 * Puts a segment register's new content in place. Outside 64-bit mode the engine is told when what it derives from it has changed;
 * a new CS is followed by `continueAt`, whoever loads it.
 */
export const setSegment = (cpu: Cpu, index: number, segment: Segment): void => {
  const { state } = cpu;
  const name = segmentName(index);
  const old = state.segment(name);
  state.setSegment(name, segment);
  if (
    index < SEG.fs &&
    (old.base !== segment.base ||
      old.limit !== segment.limit ||
      old.attributes !== segment.attributes) &&
    (index === SEG.cs || !is64Bit(state))
  )
    cpu.modeChanged();
};

/** In real mode a load changes selector and base alone: limit and attributes stay (SDM Vol. 3A, section 22.1.1). */
export const realSegment = (state: CpuState, index: number, selector: number): Segment => ({
  ...state.segment(segmentName(index)),
  selector,
  base: BigInt(selector << 4),
});

/** Loads ES, SS, DS, FS or GS as MOV, POP, LDS and their like do. */
export const loadSegment = (cpu: Cpu, index: number, selector: number): void => {
  const { state } = cpu;
  if (!isProtected(state)) setSegment(cpu, index, realSegment(state, index, selector));
  else if (isVirtual8086(state)) setSegment(cpu, index, virtual8086Segment(selector));
  else if (index === SEG.ss)
    setSegment(cpu, SEG.ss, stackSegment(cpu, selector, state.get('cpl'), STACK_LOAD));
  else setSegment(cpu, index, dataSegment(cpu, selector));
};

const cached = (cpu: Cpu, descriptor: Descriptor): Segment => ({
  selector: descriptor.selector,
  base: descriptor.base,
  limit: descriptor.limit,
  attributes: markAccessed(cpu, descriptor),
});

/** What a protected-mode load of ES, DS, FS or GS would put into the register. */
const dataSegment = (cpu: Cpu, selector: number): Segment => {
  if (isNull(selector)) return nullSegment(selector);
  const descriptor = fetchDescriptor(cpu, selector);
  const { attributes } = descriptor;
  const error = selectorError(selector);
  const privilege = descriptorPrivilege(attributes);
  const privileged =
    !isConforming(attributes) && (privilege < (selector & 3) || privilege < cpu.state.get('cpl'));
  if (!isReadable(attributes) || privileged) cpu.fault(VECTOR.GP, error);
  if ((attributes & present) === 0) cpu.fault(VECTOR.NP, error);
  return cached(cpu, descriptor);
};

/** How a load of SS complains: the vector of rule violations, EXT, and whether a null selector is allowed. */
export interface StackRules {
  readonly vector: number;
  readonly ext: 0 | 1;
  /** The code that will use the stack is 64-bit code: a null SS is allowed below privilege 3. */
  readonly nullAllowed?: boolean;
}

const STACK_LOAD: StackRules = { vector: VECTOR.GP, ext: 0 };

/** What a protected-mode load of SS for code at `privilege` would put into the register. */
export const stackSegment = (
  cpu: Cpu,
  selector: number,
  privilege: number,
  rules: StackRules,
): Segment => {
  const { vector, ext } = rules;
  if (isNull(selector)) {
    const allowed = rules.nullAllowed ?? is64Bit(cpu.state);
    if (!allowed || privilege === 3 || (selector & 3) !== privilege) cpu.fault(vector, ext);
    return nullSegment(selector, privilege);
  }
  const descriptor = fetchDescriptor(cpu, selector, vector, ext);
  const error = selectorError(selector, ext);
  const { attributes } = descriptor;
  if (
    (selector & 3) !== privilege ||
    !isWritableData(attributes) ||
    descriptorPrivilege(attributes) !== privilege
  )
    cpu.fault(vector, error);
  if ((attributes & present) === 0) cpu.fault(VECTOR.SS, error);
  return cached(cpu, descriptor);
};

/** A null SS that an inner-privilege transfer in IA-32e mode leaves behind. */
export const innerNullStack = (privilege: number): Segment => nullSegment(privilege, privilege);

/** CS after a transfer to `descriptor` at `privilege`. The caller has checked it. */
export const codeSegment = (cpu: Cpu, descriptor: Descriptor, privilege: number): Segment => ({
  ...cached(cpu, descriptor),
  selector: (descriptor.selector & 0xfffc) | privilege,
});

/** A flat segment as SYSCALL and SYSENTER load it, without a look at any table. */
export const flatSegment = (
  selector: number,
  kind: 'code64' | 'code32' | 'data',
  privilege: number,
): Segment => ({
  selector,
  base: 0n,
  limit: 0xffff_ffff,
  attributes:
    nonSystem |
    present |
    accessed |
    readWrite |
    ATTRIBUTE.granularity |
    (privilege << ATTRIBUTE.dplShift) |
    (kind === 'data' ? 0 : code) |
    (kind === 'code64' ? ATTRIBUTE.long : ATTRIBUTE.big),
});

/** LLDT (SDM Vol. 2A). */
export const loadLdtr = (cpu: Cpu, selector: number): void => {
  const { state } = cpu;
  if (isNull(selector)) {
    state.setSegment('ldtr', nullSegment(selector));
    return;
  }
  const descriptor = systemDescriptor(cpu, selector, [SYSTEM_TYPE.ldt]);
  const { limit, attributes } = descriptor;
  state.setSegment('ldtr', { selector, base: systemBase(cpu, descriptor), limit, attributes });
};

/** LTR (SDM Vol. 2A): the TSS becomes busy in memory. */
export const loadTaskRegister = (cpu: Cpu, selector: number): void => {
  const { state } = cpu;
  if (isNull(selector)) cpu.fault(VECTOR.GP, 0);
  const types = isLongMode(state) ? [SYSTEM_TYPE.tss] : [SYSTEM_TYPE.tss, SYSTEM_TYPE.tss16];
  const descriptor = systemDescriptor(cpu, selector, types);
  const base = systemBase(cpu, descriptor);
  setBusy(cpu, descriptor);
  const { limit } = descriptor;
  state.setSegment('tr', { selector, base, limit, attributes: descriptor.attributes | 2 });
};

/** A system descriptor in the GDT of one of the types. */
const systemDescriptor = (cpu: Cpu, selector: number, types: readonly number[]): Descriptor => {
  const error = selectorError(selector);
  if (selector & 4) cpu.fault(VECTOR.GP, error);
  const descriptor = fetchDescriptor(cpu, selector);
  if (!types.includes(descriptor.attributes & TYPE_MASK)) cpu.fault(VECTOR.GP, error);
  if ((descriptor.attributes & present) === 0) cpu.fault(VECTOR.NP, error);
  return descriptor;
};

/** A return to an outer privilege level takes away data segments that the new level may not use (SDM Vol. 2A, RET and IRET). */
export const dropInnerSegments = (cpu: Cpu, privilege: number): void => {
  for (const index of [SEG.es, SEG.ds, SEG.fs, SEG.gs]) {
    const { attributes } = cpu.state.segment(segmentName(index));
    if (attributes & unusable || isConforming(attributes)) continue;
    if (descriptorPrivilege(attributes) < privilege) setSegment(cpu, index, nullSegment(0));
  }
};

/**
 * Linear address of `offset` in segment register `segment` for an access of `bytes` bytes, with the checks of the mode: in 64-bit mode canonical form alone
 * (#SS for the stack, else #GP), elsewhere type and limit (SDM Vol. 3A, sections 5.3 to 5.5). An access that runs over the top of a 4-GiB segment wraps.
 */
export const linearAddress = (
  cpu: Cpu,
  segment: number,
  offset: bigint,
  bytes: number,
  access: 'read' | 'write',
): bigint => {
  const { state } = cpu;
  const register = state.segment(segmentName(segment));
  const vector = segment === SEG.ss ? VECTOR.SS : VECTOR.GP;
  if (is64Bit(state)) {
    const base = segment === SEG.fs || segment === SEG.gs ? register.base : 0n;
    const linear = BigInt.asUintN(64, base + offset);
    if (!isCanonical(linear) || !isCanonical(BigInt.asUintN(64, linear + BigInt(bytes - 1))))
      cpu.fault(vector, 0);
    return linear;
  }
  const at = Number(BigInt.asUintN(32, offset));
  const { attributes } = register;
  if (isProtected(state) && (state.get('systemFlags') & FLAG.VM) === 0) {
    const allowed = access === 'write' ? isWritableData(attributes) : isReadable(attributes);
    if (attributes & unusable) cpu.fault(vector, 0);
    if (!allowed) cpu.fault(VECTOR.GP, 0);
  }
  if (!withinLimit(register, at, bytes)) cpu.fault(vector, 0);
  return BigInt.asUintN(32, register.base + BigInt(at));
};

/** Whether `bytes` bytes at `offset` are inside the segment; outside 64-bit mode. */
export const withinLimit = (
  { limit, attributes }: Segment,
  offset: number,
  bytes: number,
): boolean => {
  const last = offset + bytes - 1;
  if (isData(attributes) && (attributes & expandDownOrConforming) !== 0)
    return offset > limit && last <= (attributes & ATTRIBUTE.big ? 0xffff_ffff : 0xffff);
  return limit === 0xffff_ffff || last <= limit;
};
