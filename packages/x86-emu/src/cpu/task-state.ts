/** What the processor reads from the task state segment: stacks of inner privilege levels (SDM Vol. 3A, sections 8.2.1, 8.6 and 8.7). */
import { SYSTEM_TYPE } from './descriptor.ts';
import { selectorError, wrapLinear } from './descriptor.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { isCanonical } from './mode.ts';
import { stackSegment } from './segments.ts';
import { segmentStackSize } from './stack.ts';
import type { Stack } from './stack.ts';

/** Linear address of `bytes` bytes of the TSS; #TS(TR) if they are outside it. */
const taskField = (cpu: Cpu, offset: number, bytes: number, ext: 0 | 1): bigint => {
  const tr = cpu.state.segment('tr');
  if (offset + bytes - 1 > tr.limit) cpu.fault(VECTOR.TS, selectorError(tr.selector, ext));
  return wrapLinear(cpu.state, tr.base + BigInt(offset));
};

const longStackPointer = (cpu: Cpu, offset: number, ext: 0 | 1): bigint => {
  const pointer = cpu.memory.read(8, taskField(cpu, offset, 8, ext), 'system');
  if (!isCanonical(pointer)) cpu.fault(VECTOR.SS, ext);
  return pointer;
};

/** RSP0 to RSP2 of a 64-bit TSS. */
export const innerStackPointer = (cpu: Cpu, privilege: number, ext: 0 | 1): bigint =>
  longStackPointer(cpu, 4 + privilege * 8, ext);

/** IST1 to IST7 of a 64-bit TSS. */
export const interruptStackPointer = (cpu: Cpu, ist: number, ext: 0 | 1): bigint =>
  longStackPointer(cpu, 0x1c + ist * 8, ext);

/** The stack of an inner privilege level from a 16- or 32-bit TSS, checked with #TS. */
export const innerStack = (cpu: Cpu, privilege: number, ext: 0 | 1): Stack => {
  const type = cpu.state.segment('tr').attributes & 0xf;
  const wide = type === SYSTEM_TYPE.tss || type === SYSTEM_TYPE.tssBusy;
  const at = wide
    ? taskField(cpu, 4 + privilege * 8, 6, ext)
    : taskField(cpu, 2 + privilege * 4, 4, ext);
  const bytes = wide ? 4 : 2;
  const pointer = cpu.memory.read(bytes, at, 'system');
  const selectorAt = wrapLinear(cpu.state, at + BigInt(bytes));
  const selector = Number(cpu.memory.read(2, selectorAt, 'system'));
  const segment = stackSegment(cpu, selector, privilege, {
    vector: VECTOR.TS,
    ext,
    nullAllowed: false,
  });
  const size = segmentStackSize(segment);
  const rights = cpu.state.get('cpl') === 3 ? 'system' : 'cpl';
  return { segment, size, pointer: BigInt.asUintN(size, pointer), rights };
};
