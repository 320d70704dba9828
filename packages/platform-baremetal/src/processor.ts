import type { PhysAddr } from '@systab/efi-core';
import { ATTRIBUTE } from '@systab/x86-emu';
import type { Machine, Segment } from '@systab/x86-emu';

/** Selectors of the kernel's descriptor table. Their numbers are those Linux has used since 2.6: nothing depends on them. */
export const SELECTOR = { code32: 0x08, code64: 0x10, data: 0x18 } as const;

const CODE = ATTRIBUTE.nonSystem | ATTRIBUTE.code | ATTRIBUTE.readWrite | ATTRIBUTE.accessed;
const DATA = ATTRIBUTE.nonSystem | ATTRIBUTE.readWrite | ATTRIBUTE.accessed;
const FLAT = ATTRIBUTE.present | ATTRIBUTE.granularity;

/** Flat segments of privilege 0. */
const ATTRIBUTES: Readonly<Record<keyof typeof SELECTOR, number>> = {
  code32: FLAT | CODE | ATTRIBUTE.big,
  code64: FLAT | CODE | ATTRIBUTE.long,
  data: FLAT | DATA | ATTRIBUTE.big,
};

/** Bits of the control registers (SDM Vol. 3A, 2.5) and of EFER (2.2.1). */
const CR0 = 0x8005_0033n; // PG AM WP NE ET MP PE
const CR4 = 0x620n; // OSXMMEXCPT OSFXSR PAE
const EFER = 0xd00n; // NXE LMA LME
const RESERVED_FLAG = 2n;

const LIMIT = 0xffff_ffff;

const segment = (name: keyof typeof SELECTOR): Segment => ({
  selector: SELECTOR[name],
  base: 0n,
  limit: LIMIT,
  attributes: ATTRIBUTES[name],
});

const NULL_SEGMENT: Segment = { selector: 0, base: 0n, limit: 0, attributes: ATTRIBUTE.unusable };

/** The descriptor of a flat segment (SDM Vol. 3A, 3.4.5). */
const descriptor = (name: keyof typeof SELECTOR): bigint =>
  0x000f_0000_0000_ffffn | (BigInt(ATTRIBUTES[name]) << 40n);

/** The kernel's global descriptor table. */
export const descriptorTable = (): Uint8Array => {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (const name of ['code32', 'code64', 'data'] as const)
    view.setBigUint64(SELECTOR[name], descriptor(name), true);
  return bytes;
};

/** Where the parts of the processor's state that lie in memory are. */
export interface ProcessorLayout {
  readonly gdt: PhysAddr;
  /** Value for CR3. */
  readonly pageTable: PhysAddr;
  /** First byte above the stack. */
  readonly stackTop: PhysAddr;
}

/**
 * Puts the processor into the state the kernel runs in: long mode, privilege 0, interrupts off, no interrupt table (whoever runs
 * the machine takes the exceptions). Where it was before does not matter.
 */
export const enterKernel = (machine: Machine, layout: ProcessorLayout): void => {
  const { state } = machine;
  state.setBig('cr0', CR0);
  state.setBig('cr3', BigInt(layout.pageTable));
  state.setBig('cr4', CR4);
  state.setBig('efer', EFER);
  state.setBig('gdtrBase', BigInt(layout.gdt));
  state.set('gdtrLimit', descriptorTable().length - 1);
  state.setBig('idtrBase', 0n);
  state.set('idtrLimit', 0);
  state.set('halted', 0);
  state.rflags = Number(RESERVED_FLAG);
  for (const name of ['ds', 'es', 'fs', 'gs'] as const) state.setSegment(name, segment('data'));
  state.setSegment('cs', segment('code64'));
  state.setSegment('ldtr', NULL_SEGMENT);
  machine.setSegment('ss', segment('data'));
  machine.writeRegister('rsp', BigInt(layout.stackTop));
};

/** What firmware must leave as it found it, besides what its calling convention names. */
const KEPT = ['cr0', 'cr3', 'cr4', 'efer', 'gdtrBase', 'idtrBase'] as const;
const FLAG_IF = 0x200n;

/** The processor's system state by name. */
export const systemState = (machine: Machine): ReadonlyMap<string, bigint> =>
  new Map<string, bigint>([
    ...KEPT.map((name): [string, bigint] => [name.replace('Base', ''), machine.state.big(name)]),
    ['interrupt flag', machine.readRegister('rflags') & FLAG_IF],
    ['cs', machine.readRegister('cs')],
    ['ss', machine.readRegister('ss')],
  ]);

/** The linear address of the last page fault. */
export const pageFaultAddress = (machine: Machine): bigint => machine.state.big('cr2');

/** Runs `work` with exceptions of the processor ending the run instead of being delivered: no code below would handle them. */
export const containExceptions = <T>(machine: Machine, work: () => T): T => {
  const outer = machine.hooks.interrupt;
  machine.hooks.interrupt = (event) => {
    const wanted = outer?.(event);
    return event.kind === 'external' ? wanted : 'stop';
  };
  try {
    return work();
  } finally {
    machine.hooks.interrupt = outer;
  }
};
