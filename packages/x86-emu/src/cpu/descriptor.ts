/** Segment descriptors in memory: where they are, what they say (SDM Vol. 3A, sections 3.4.5, 3.5 and 8.2.3). */
import { ATTRIBUTE } from './cpu-state.ts';
import type { CpuState, Segment } from './cpu-state.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { isLongMode } from './mode.ts';

/** An 8-byte descriptor, or the first half of a 16-byte one, and where it stands. */
export interface Descriptor extends Segment {
  readonly address: bigint;
  readonly raw: bigint;
}

/** System descriptor types: attributes bits 4-0 with S clear (SDM Vol. 3A, table 3-2). */
export const SYSTEM_TYPE = {
  tss16: 0x1,
  ldt: 0x2,
  tss16Busy: 0x3,
  callGate16: 0x4,
  taskGate: 0x5,
  interruptGate16: 0x6,
  trapGate16: 0x7,
  tss: 0x9,
  tssBusy: 0xb,
  callGate: 0xc,
  interruptGate: 0xe,
  trapGate: 0xf,
} as const;

/** Attributes bits 4-0: S and type. */
export const TYPE_MASK = 0x1f;

const TI = 4;

export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;

/** Selector part of an error code; `ext` is 1 for events that the program did not cause. */
export const selectorError = (selector: number, ext: 0 | 1 = 0): number =>
  (selector & 0xfffc) | ext;

/** A linear address outside IA-32e mode has 32 bits. */
export const wrapLinear = (state: CpuState, linear: bigint): bigint =>
  BigInt.asUintN(isLongMode(state) ? 64 : 32, linear);

const decodeDescriptor = (raw: bigint, selector: number, address: bigint): Descriptor => {
  const low = Number(raw & 0xffff_ffffn);
  const high = Number(raw >> 32n);
  const attributes = (high >>> 8) & 0xf0ff;
  const limit = (low & 0xffff) | (high & 0xf0000);
  return {
    selector,
    address,
    raw,
    base: BigInt(((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0),
    limit: (attributes & ATTRIBUTE.granularity ? (limit << 12) | 0xfff : limit) >>> 0,
    attributes,
  };
};

/** Linear address of the descriptor that `selector` names, or undefined if its `bytes` are not all inside the table. */
export const descriptorAddress = (
  cpu: Cpu,
  selector: number,
  bytes: 8 | 16 = 8,
): bigint | undefined => {
  const { state } = cpu;
  const index = selector & 0xfff8;
  if ((selector & TI) === 0) {
    if (index + bytes - 1 > state.get('gdtrLimit')) return undefined;
    return wrapLinear(state, state.big('gdtrBase') + BigInt(index));
  }
  const ldt = state.segment('ldtr');
  if (ldt.attributes & ATTRIBUTE.unusable || index + bytes - 1 > ldt.limit) return undefined;
  return wrapLinear(state, ldt.base + BigInt(index));
};

/** The descriptor that `selector` names, or undefined if it is not inside its table. */
export const findDescriptor = (cpu: Cpu, selector: number): Descriptor | undefined => {
  const address = descriptorAddress(cpu, selector);
  if (address === undefined) return undefined;
  return decodeDescriptor(cpu.memory.read(8, address, 'system'), selector, address);
};

/** The same; raises `vector` with the selector if there is none. */
export const fetchDescriptor = (
  cpu: Cpu,
  selector: number,
  vector: number = VECTOR.GP,
  ext: 0 | 1 = 0,
): Descriptor => findDescriptor(cpu, selector) ?? cpu.fault(vector, selectorError(selector, ext));

/**
 * The base of a system segment whose descriptor has 16 bytes in IA-32e mode (SDM Vol. 3A, figure 8-4). Raises #GP(selector) for a second half outside the
 * table, of a type other than 0, or a base that is not canonical.
 */
export const systemBase = (cpu: Cpu, descriptor: Descriptor): bigint => {
  if (!isLongMode(cpu.state)) return descriptor.base;
  const error = selectorError(descriptor.selector);
  const address = descriptorAddress(cpu, descriptor.selector, 16);
  if (address === undefined) return cpu.fault(VECTOR.GP, error);
  const high = cpu.memory.read(8, wrapLinear(cpu.state, address + 8n), 'system');
  const base = descriptor.base | ((high & 0xffff_ffffn) << 32n);
  const type = (high >> 40n) & 0x1fn;
  if (type !== 0n || BigInt.asUintN(64, BigInt.asIntN(48, base)) !== base)
    return cpu.fault(VECTOR.GP, error);
  return base;
};

/** Sets the accessed bit in memory if it is clear; gives the attributes with it. */
export const markAccessed = (cpu: Cpu, { address, raw, attributes }: Descriptor): number => {
  if ((attributes & ATTRIBUTE.accessed) === 0)
    cpu.memory.write(4, wrapLinear(cpu.state, address + 4n), (raw >> 32n) | 0x100n, 'system');
  return attributes | ATTRIBUTE.accessed;
};

/** Sets the busy bit of a TSS descriptor in memory. */
export const setBusy = (cpu: Cpu, { address, raw }: Descriptor): void => {
  cpu.memory.write(4, wrapLinear(cpu.state, address + 4n), (raw >> 32n) | 0x200n, 'system');
};
