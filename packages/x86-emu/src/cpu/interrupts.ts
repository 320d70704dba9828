/**
 * Delivery of exceptions and interrupts (SDM Vol. 3A, chapter 6; Vol. 2A, INT n).
 *
 * A task gate raises #TS with the selector of its TSS: hardware task switching is not implemented (long mode has none either).
 */
import { ATTRIBUTE } from './cpu-state.ts';
import type { CpuState } from './cpu-state.ts';
import { FLAG, IOPL_SHIFT } from './control-bits.ts';
import { arrive } from './arrival.ts';
import {
  SYSTEM_TYPE,
  TYPE_MASK,
  fetchDescriptor,
  isNull,
  selectorError,
  wrapLinear,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { Fault, VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import {
  SEG,
  descriptorPrivilege,
  isCanonical,
  isLongMode,
  isProtected,
  isVirtual8086,
} from './mode.ts';
import {
  codeSegment,
  innerNullStack,
  isCode,
  isConforming,
  nullSegment,
  setSegment,
} from './segments.ts';
import { currentStack, pushFrame, setStackPointer } from './stack.ts';
import type { Stack } from './stack.ts';
import { innerStack, innerStackPointer, interruptStackPointer } from './task-state.ts';

export interface InterruptEvent {
  readonly vector: number;
  /**
   * `exception`: raised by the processor, error code as the vector has one. `software`: INT n. `breakpoint`: INT3 and INTO. `icebp`: INT1.
   * `external`: a maskable interrupt. `nmi`: the non-maskable one.
   */
  readonly kind: 'exception' | 'software' | 'breakpoint' | 'icebp' | 'external' | 'nmi';
  readonly errorCode?: number | undefined;
  /** Where the handler returns to; the CPU state's RIP if absent. */
  readonly returnRip?: bigint | undefined;
}

const RSP = 4;
/** Error-code bit: the index is into the IDT. */
const IDT = 2;

/** Exceptions that are faults: the pushed image has RF set (SDM Vol. 3A, section 6.8.3). */
export const FAULTS: ReadonlySet<number> = new Set([
  VECTOR.DE,
  VECTOR.BR,
  VECTOR.UD,
  VECTOR.NM,
  VECTOR.TS,
  VECTOR.NP,
  VECTOR.SS,
  VECTOR.GP,
  VECTOR.PF,
  VECTOR.MF,
  VECTOR.AC,
  VECTOR.XM,
]);

const CONTRIBUTORY: ReadonlySet<number> = new Set([
  VECTOR.DE,
  VECTOR.TS,
  VECTOR.NP,
  VECTOR.SS,
  VECTOR.GP,
]);

/**
 * Delivers an event, and whatever exceptions its delivery raises. Faults of memory accesses have already put their address in CR2.
 * @returns `shutdown` after a triple fault (SDM Vol. 3A, section 6.15, interrupt 8); the state is then that of the last attempt's start.
 */
export const deliver = (cpu: Cpu, event: InterruptEvent): 'delivered' | 'shutdown' => {
  if (event.kind === 'nmi') cpu.state.set('nmiBlocked', 1);
  let current = event;
  for (;;) {
    try {
      interrupt(cpu, current);
      return 'delivered';
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const next = successor(current, error);
      if (next === undefined) return 'shutdown';
      current = { ...next, returnRip: event.returnRip };
    }
  }
};

/** What is delivered when `fault` occurs during the delivery of `event` (SDM Vol. 3A, table 6-5). */
const successor = (
  event: InterruptEvent,
  { vector, errorCode }: Fault,
): InterruptEvent | undefined => {
  const second = CONTRIBUTORY.has(vector);
  if (event.kind === 'exception') {
    const serious = second || vector === VECTOR.PF;
    if (event.vector === VECTOR.DF && serious) return undefined;
    if ((event.vector === VECTOR.PF && serious) || (CONTRIBUTORY.has(event.vector) && second))
      return { kind: 'exception', vector: VECTOR.DF, errorCode: 0 };
  }
  return { kind: 'exception', vector, errorCode };
};

/** The first attempt alone: raises a fault, with the state unchanged, if the event cannot be delivered. INT n and its like call this. */
export const interrupt = (cpu: Cpu, event: InterruptEvent): void => {
  const { state } = cpu;
  if (!isProtected(state)) realModeInterrupt(cpu, event);
  else if (isLongMode(state)) longModeInterrupt(cpu, event);
  else protectedModeInterrupt(cpu, event);
  // The handler of a #DB may use the debug registers (SDM Vol. 3B, section 17.2.4).
  if (event.vector === VECTOR.DB && event.kind === 'exception')
    state.setBig('dr7', state.big('dr7') & ~0x2000n);
};

const isSoftware = ({ kind }: InterruptEvent): boolean =>
  kind === 'software' || kind === 'breakpoint';

const flagsImage = (state: CpuState, { kind, vector }: InterruptEvent): bigint =>
  BigInt(state.rflags | (kind === 'exception' && FAULTS.has(vector) ? FLAG.RF : 0));

/** System flags for the handler; the status flags stay. The flags image is pushed first. */
const handlerFlags = (state: CpuState, interruptGate: boolean): number =>
  state.get('systemFlags') &
  ~(FLAG.TF | FLAG.NT | FLAG.RF | FLAG.VM | (interruptGate ? FLAG.IF : 0));

const realModeInterrupt = (cpu: Cpu, event: InterruptEvent): void => {
  const { state, memory } = cpu;
  const at = event.vector * 4;
  if (at + 3 > state.get('idtrLimit')) cpu.fault(VECTOR.GP, event.vector * 8 + IDT);
  const entry = Number(
    memory.read(4, wrapLinear(state, state.big('idtrBase') + BigInt(at)), 'system'),
  );
  const cs = state.segment('cs');
  const stack = currentStack(state);
  const frame = [BigInt(state.rflags), BigInt(cs.selector), event.returnRip ?? state.big('rip')];
  const pointer = pushFrame(cpu, stack, 2, frame, 0);
  setStackPointer(state, stack.size, pointer);
  const selector = entry >>> 16;
  arrive(cpu, {
    cs: { ...cs, selector, base: BigInt(selector << 4) },
    privilege: 0,
    rip: BigInt(entry & 0xffff),
    systemFlags: state.get('systemFlags') & ~(FLAG.IF | FLAG.TF | FLAG.RF | FLAG.AC),
  });
};

interface Gate {
  readonly selector: number;
  readonly offset: bigint;
  readonly bytes: 2 | 4 | 8;
  readonly isInterrupt: boolean;
}

/** Checks of the gate that do not depend on its size: privilege, presence. */
const checkGate = (cpu: Cpu, event: InterruptEvent, attributes: number, error: number): void => {
  if (isSoftware(event) && descriptorPrivilege(attributes) < cpu.state.get('cpl'))
    cpu.fault(VECTOR.GP, error);
  if ((attributes & ATTRIBUTE.present) === 0) cpu.fault(VECTOR.NP, error);
};

const externalBit = (event: InterruptEvent): 0 | 1 => (isSoftware(event) ? 0 : 1);

/** The descriptor of the handler's code segment, checked, and the privilege that the handler will have. */
const handlerCode = (
  cpu: Cpu,
  selector: number,
  ext: 0 | 1,
): { descriptor: Descriptor; privilege: number } => {
  if (isNull(selector)) cpu.fault(VECTOR.GP, ext);
  const descriptor = fetchDescriptor(cpu, selector, VECTOR.GP, ext);
  const { attributes } = descriptor;
  const error = selectorError(selector, ext);
  const cpl = cpu.state.get('cpl');
  const dpl = descriptorPrivilege(attributes);
  if (!isCode(attributes) || dpl > cpl) cpu.fault(VECTOR.GP, error);
  if (isLongMode(cpu.state) && (attributes & (ATTRIBUTE.long | ATTRIBUTE.big)) !== ATTRIBUTE.long)
    cpu.fault(VECTOR.GP, error);
  if ((attributes & ATTRIBUTE.present) === 0) cpu.fault(VECTOR.NP, error);
  return { descriptor, privilege: isConforming(attributes) ? cpl : dpl };
};

const longModeInterrupt = (cpu: Cpu, event: InterruptEvent): void => {
  const { state, memory } = cpu;
  const ext = externalBit(event);
  const error = event.vector * 8 + IDT + ext;
  const at = event.vector * 16;
  if (at + 15 > state.get('idtrLimit')) cpu.fault(VECTOR.GP, error);
  const address = wrapLinear(state, state.big('idtrBase') + BigInt(at));
  const low = memory.read(8, address, 'system');
  const high = memory.read(4, wrapLinear(state, address + 8n), 'system');
  const attributes = Number((low >> 40n) & 0xffn);
  const type = attributes & TYPE_MASK;
  if (type !== SYSTEM_TYPE.interruptGate && type !== SYSTEM_TYPE.trapGate)
    cpu.fault(VECTOR.GP, error);
  checkGate(cpu, event, attributes, error);

  const { descriptor, privilege } = handlerCode(cpu, Number((low >> 16n) & 0xffffn), ext);
  const rip = (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n) | (high << 32n);
  if (!isCanonical(rip)) cpu.fault(VECTOR.GP, ext);
  const cpl = state.get('cpl');
  const ist = Number((low >> 32n) & 7n);
  const rsp = state.gpr(RSP);
  const top =
    ist !== 0
      ? interruptStackPointer(cpu, ist, ext)
      : privilege < cpl
        ? innerStackPointer(cpu, privilege, ext)
        : rsp;
  const stack: Stack = {
    segment: state.segment('ss'),
    size: 64,
    pointer: top & ~15n,
    rights: cpl === 3 && privilege < 3 ? 'system' : 'cpl',
  };
  const frame = [
    BigInt(stack.segment.selector),
    rsp,
    flagsImage(state, event),
    BigInt(state.selector('cs')),
    event.returnRip ?? state.big('rip'),
  ];
  if (event.errorCode !== undefined) frame.push(BigInt(event.errorCode));
  const cs = codeSegment(cpu, descriptor, privilege);
  const pointer = pushFrame(cpu, stack, 8, frame, ext);
  state.setGpr(RSP, pointer);
  const systemFlags = handlerFlags(state, type === SYSTEM_TYPE.interruptGate);
  arrive(cpu, {
    cs,
    privilege,
    rip,
    systemFlags,
    ...(privilege < cpl ? { ss: innerNullStack(privilege) } : {}),
  });
};

const protectedModeInterrupt = (cpu: Cpu, event: InterruptEvent): void => {
  const { state } = cpu;
  const ext = externalBit(event);
  const virtual = isVirtual8086(state);
  if (
    virtual &&
    event.kind === 'software' &&
    (state.get('systemFlags') & FLAG.IOPL) >> IOPL_SHIFT < 3
  )
    cpu.fault(VECTOR.GP, 0);
  const gate = protectedModeGate(cpu, event, ext);
  const { descriptor, privilege } = handlerCode(cpu, gate.selector, ext);
  const cpl = state.get('cpl');
  // A virtual-8086 program is interrupted to privilege 0 alone (SDM Vol. 3B, section 20.3.1).
  if (virtual && privilege !== 0) cpu.fault(VECTOR.GP, selectorError(gate.selector, ext));
  const from = currentStack(state);
  const inner = privilege < cpl;
  const to = inner ? innerStack(cpu, privilege, ext) : from;
  const frame: bigint[] = [];
  if (virtual)
    for (const name of ['gs', 'fs', 'ds', 'es'] as const) frame.push(BigInt(state.selector(name)));
  if (inner) frame.push(BigInt(from.segment.selector), state.gpr(RSP));
  frame.push(
    flagsImage(state, event),
    BigInt(state.selector('cs')),
    event.returnRip ?? state.big('rip'),
  );
  if (event.errorCode !== undefined) frame.push(BigInt(event.errorCode));
  const cs = codeSegment(cpu, descriptor, privilege);
  if (gate.offset > BigInt(cs.limit)) cpu.fault(VECTOR.GP, ext);
  const room = inner ? selectorError(to.segment.selector, ext) : ext;
  const pointer = pushFrame(cpu, to, gate.bytes, frame, room);
  setStackPointer(state, to.size, pointer);
  const systemFlags = handlerFlags(state, gate.isInterrupt);
  const ss = inner ? { ss: to.segment } : {};
  arrive(cpu, { cs, privilege, rip: gate.offset, systemFlags, ...ss });
  if (virtual)
    for (const index of [SEG.es, SEG.ds, SEG.fs, SEG.gs]) setSegment(cpu, index, nullSegment(0));
};

/** The 8-byte gate of an event, checked (SDM Vol. 3A, figure 6-2). */
const protectedModeGate = (cpu: Cpu, event: InterruptEvent, ext: 0 | 1): Gate => {
  const { state } = cpu;
  const error = event.vector * 8 + IDT + ext;
  const at = event.vector * 8;
  if (at + 7 > state.get('idtrLimit')) cpu.fault(VECTOR.GP, error);
  const address = wrapLinear(state, state.big('idtrBase') + BigInt(at));
  const raw = cpu.memory.read(8, address, 'system');
  const attributes = Number((raw >> 40n) & 0xffn);
  const type = attributes & TYPE_MASK;
  const selector = Number((raw >> 16n) & 0xffffn);
  switch (type) {
    case SYSTEM_TYPE.interruptGate:
    case SYSTEM_TYPE.trapGate:
    case SYSTEM_TYPE.interruptGate16:
    case SYSTEM_TYPE.trapGate16:
      break;
    case SYSTEM_TYPE.taskGate:
      checkGate(cpu, event, attributes, error);
      return cpu.fault(VECTOR.TS, selectorError(selector, ext));
    default:
      return cpu.fault(VECTOR.GP, error);
  }
  checkGate(cpu, event, attributes, error);
  const wide = type === SYSTEM_TYPE.interruptGate || type === SYSTEM_TYPE.trapGate;
  return {
    selector,
    offset: (raw & 0xffffn) | (wide ? (raw >> 32n) & 0xffff_0000n : 0n),
    bytes: wide ? 4 : 2,
    isInterrupt: type === SYSTEM_TYPE.interruptGate || type === SYSTEM_TYPE.interruptGate16,
  };
};
