/**
 * Guest memory for replays: the address space of layout.ts as a long-mode operating system would build it, with Linux's
 * selectors, and an interrupt table whose handlers tell by their address which vector came.
 */
import {
  CODE_BASE,
  CODE_SIZE,
  DATA_BASE,
  DATA_SIZE,
  dataPattern,
  LDT,
  RO_BASE,
  RO_SIZE,
  readOnlyPattern,
} from './layout.ts';

const PAGE = 0x1000;

/** Physical places of the windows. */
export const DATA_PHYSICAL = 0x10_0000;
const RO_PHYSICAL = 0x10_4000;
export const CODE_PHYSICAL = 0x10_8000;
export const RAM_SIZE = 0x20_0000;

const PML4 = 0x1000;
const LOW_PDPT = 0x2000;
const LOW_PD = 0x3000;
const DATA_PT = 0x4000;
const CODE_PT = 0x5000;
const HIGH_PDPT = 0x6000;
const HIGH_PD = 0x7000;
const HIGH_PT = 0x8000;
const SYSTEM_PHYSICAL = 0x1_0000;
const SYSTEM_PAGES = 4;

/** Supervisor memory: descriptor tables, ring-0 stack and handlers, at an address no case computes. */
const SYSTEM_BASE = 0xffff_c000_1234_0000n;
const GDT_OFFSET = 0;
const LDT_OFFSET = 0x100;
const TSS_OFFSET = 0x200;
const IDT_OFFSET = PAGE;
const STACK_TOP_OFFSET = 3 * PAGE;
const HANDLERS_OFFSET = 3 * PAGE;

export const PML4_PHYSICAL: number = PML4;
export const GDT_BASE: bigint = SYSTEM_BASE + BigInt(GDT_OFFSET);
export const GDT_LIMIT = 0x7f;
export const IDT_BASE: bigint = SYSTEM_BASE + BigInt(IDT_OFFSET);
export const IDT_LIMIT = 0xfff;
export const LDT_SELECTOR = 0x50;
export const LDT_LINEAR: bigint = SYSTEM_BASE + BigInt(LDT_OFFSET);
export const LDT_LIMIT: number = LDT.length * 8 - 1;
export const TSS_SELECTOR = 0x40;
export const TSS_LINEAR: bigint = SYSTEM_BASE + BigInt(TSS_OFFSET);
export const TSS_LIMIT = 0x67;
const KERNEL_CS = 0x10;
/** The exception frame ends here: SS, RSP, RFLAGS, CS, RIP and perhaps an error code below it. */
export const STACK_TOP_PHYSICAL: number = SYSTEM_PHYSICAL + STACK_TOP_OFFSET;

const HANDLERS = SYSTEM_BASE + BigInt(HANDLERS_OFFSET);
const HANDLER_STRIDE = 16n;

/** The vector whose handler stands at `rip`, if one does. */
export const vectorAt = (rip: bigint): number | undefined => {
  const distance = rip - HANDLERS;
  return distance >= 0n && distance < 256n * HANDLER_STRIDE
    ? Number(distance / HANDLER_STRIDE)
    : undefined;
};

const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED_DIRTY = 0x60n;
const NO_EXECUTE = 1n << 63n;

/** Vectors that software may raise at CPL 3, as Linux sets its gates: INT3 and INTO. */
const USER_GATES = new Set([3, 4]);

export interface SegmentDescriptor {
  readonly base: number;
  readonly limit: number;
  /** Type, S, DPL, P in the low byte; AVL, L, D/B, G in bits 12-15: the middle of a descriptor's second word, >> 8. */
  readonly attributes: number;
}

const FLAT = 0xf_ffff;
const LINUX_GDT: ReadonlyMap<number, SegmentDescriptor> = new Map([
  [0x08, { base: 0, limit: FLAT, attributes: 0xc09b }],
  [0x10, { base: 0, limit: FLAT, attributes: 0xa09b }],
  [0x18, { base: 0, limit: FLAT, attributes: 0xc093 }],
  [0x20, { base: 0, limit: FLAT, attributes: 0xc0fb }],
  [0x28, { base: 0, limit: FLAT, attributes: 0xc0f3 }],
  [0x30, { base: 0, limit: FLAT, attributes: 0xa0fb }],
]);

const ldtDescriptor = (i: number): SegmentDescriptor => {
  const e = LDT[i];
  if (e === undefined) throw new Error(`LDT has no entry ${i}`);
  const flags = (e.pages ? 8 : 0) | (e.big ? 4 : 0) | 1;
  return {
    base: e.base,
    limit: e.limit,
    attributes: (flags << 12) | (e.present ? 0x80 : 0) | 0x70 | e.type | 1,
  };
};

/** The descriptor a selector names in these tables; undefined when there is none. */
export const descriptorOf = (selector: number): SegmentDescriptor | undefined => {
  if ((selector & 4) === 0) return LINUX_GDT.get(selector & 0xfff8);
  return selector >> 3 < LDT.length ? ldtDescriptor(selector >> 3) : undefined;
};

const writeDescriptor = (view: DataView, at: number, d: SegmentDescriptor): void => {
  view.setUint16(at, d.limit & 0xffff, true);
  view.setUint16(at + 2, d.base & 0xffff, true);
  view.setUint8(at + 4, (d.base >> 16) & 0xff);
  view.setUint8(at + 5, d.attributes & 0xff);
  view.setUint8(at + 6, ((d.attributes >> 8) & 0xf0) | ((d.limit >> 16) & 0xf));
  view.setUint8(at + 7, d.base >>> 24);
};

/** A 16-byte system descriptor: TSS or LDT (SDM Vol. 3A, 7.2.3). */
const writeSystemDescriptor = (
  view: DataView,
  at: number,
  type: number,
  base: bigint,
  limit: number,
): void => {
  writeDescriptor(view, at, { base: Number(base & 0xffff_ffffn), limit, attributes: 0x80 | type });
  view.setUint32(at + 8, Number(base >> 32n), true);
};

const writeSystemPages = (view: DataView): void => {
  const at = SYSTEM_PHYSICAL;
  for (const [selector, d] of LINUX_GDT) writeDescriptor(view, at + selector, d);
  writeSystemDescriptor(view, at + TSS_SELECTOR, 0xb, TSS_LINEAR, TSS_LIMIT);
  writeSystemDescriptor(view, at + LDT_SELECTOR, 0x2, LDT_LINEAR, LDT_LIMIT);
  LDT.forEach((_, i) => writeDescriptor(view, at + LDT_OFFSET + i * 8, ldtDescriptor(i)));
  view.setBigUint64(at + TSS_OFFSET + 4, SYSTEM_BASE + BigInt(STACK_TOP_OFFSET), true);
  view.setUint16(at + TSS_OFFSET + 0x66, TSS_LIMIT + 1, true);
  for (let vector = 0; vector < 256; vector++) {
    const gate = at + IDT_OFFSET + vector * 16;
    const handler = HANDLERS + BigInt(vector) * HANDLER_STRIDE;
    view.setUint16(gate, Number(handler & 0xffffn), true);
    view.setUint16(gate + 2, KERNEL_CS, true);
    view.setUint16(gate + 4, USER_GATES.has(vector) ? 0xee00 : 0x8e00, true);
    view.setUint16(gate + 6, Number((handler >> 16n) & 0xffffn), true);
    view.setUint32(gate + 8, Number(handler >> 32n), true);
  }
};

const writePageTables = (view: DataView): void => {
  const link = PRESENT | WRITABLE | USER | ACCESSED_DIRTY;
  const set = (table: number, index: number, value: bigint): void =>
    view.setBigUint64(table + index * 8, value, true);
  const pages = (
    table: number,
    linear: number,
    physical: number,
    size: number,
    bits: bigint,
  ): void => {
    for (let i = 0; i < size; i += PAGE) {
      set(
        table,
        ((linear + i) >> 12) & 511,
        BigInt(physical + i) | PRESENT | ACCESSED_DIRTY | bits,
      );
    }
  };
  set(PML4, 0, BigInt(LOW_PDPT) | link);
  set(LOW_PDPT, 0, BigInt(LOW_PD) | link);
  set(LOW_PD, DATA_BASE >> 21, BigInt(DATA_PT) | link);
  set(LOW_PD, CODE_BASE >> 21, BigInt(CODE_PT) | link);
  pages(DATA_PT, DATA_BASE, DATA_PHYSICAL, DATA_SIZE, USER | WRITABLE | NO_EXECUTE);
  pages(DATA_PT, RO_BASE, RO_PHYSICAL, RO_SIZE, USER | NO_EXECUTE);
  pages(CODE_PT, CODE_BASE, CODE_PHYSICAL, CODE_SIZE, USER);
  const index = (shift: bigint): number => Number((SYSTEM_BASE >> shift) & 511n);
  set(PML4, index(39n), BigInt(HIGH_PDPT) | link);
  set(HIGH_PDPT, index(30n), BigInt(HIGH_PD) | link);
  set(HIGH_PD, index(21n), BigInt(HIGH_PT) | link);
  for (let i = 0; i < SYSTEM_PAGES; i++) {
    set(
      HIGH_PT,
      index(12n) + i,
      BigInt(SYSTEM_PHYSICAL + i * PAGE) | PRESENT | WRITABLE | ACCESSED_DIRTY,
    );
  }
};

/** Physical memory from 0 to {@link RAM_SIZE}. */
export const guestImage = (): Uint8Array => {
  const bytes = new Uint8Array(RAM_SIZE);
  const view = new DataView(bytes.buffer);
  writePageTables(view);
  writeSystemPages(view);
  bytes.set(dataPattern(), DATA_PHYSICAL);
  bytes.set(readOnlyPattern(), RO_PHYSICAL);
  bytes.fill(0xcc, CODE_PHYSICAL, CODE_PHYSICAL + CODE_SIZE);
  return bytes;
};
