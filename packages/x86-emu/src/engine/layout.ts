/**
 * The engine's linear memory, from address 0: unused page, CPU state, TLBs, page map, decoded code, then guest memory.
 * All sizes are bytes.
 */
import { STATE_END } from '../cpu/state-layout.ts';

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
export const PAGE_MASK = 4095;

const alignUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Pages a guest may have below 4 GiB: one u32 each in the page map. */
const PAGE_MAP_ENTRIES = 1 << 20;

/**
 * Soft TLB: 1024 entries of 32 bytes per privilege view. An entry holds three tags (page-aligned linear address, or an odd value that never matches)
 * and the addend that turns a linear address (low 32 bits) into a host address.
 */
export const TLB_ENTRIES = 1024;
export const TLB_ENTRY = { read: 0, write: 8, addend: 16, physical: 20, size: 32 } as const;
/** Supervisor, user, supervisor under SMAP with AC clear, and one that is never filled (alignment checking). */
export const TLB_VIEWS = { supervisor: 0, user: 1, smap: 2, checked: 3 } as const;
const TLB_VIEW_COUNT = 4;

/** Exec TLB: 1024 entries of 16 bytes: tag (linear page | mode key), entry table, physical page. */
export const EXEC_TLB_ENTRIES = 1024;
export const EXEC_ENTRY = { tag: 0, entries: 8, physical: 12, size: 16 } as const;
/** List of exec TLB entries filled since the last flush; longer than this, a flush clears all. */
export const EXEC_FILLED_MAX = 64;

/** A tag that no page-aligned (or mode-tagged) address equals. */
export const NO_TAG = 0x800n;

/** Bits of a page-map entry beside the page's host address. */
export const PAGE_FLAG = {
  /** Backed by memory here. */
  present: 1,
  /** Writes go to the slow path: ROM or flash. */
  readOnly: 2,
  /** Holds decoded code. */
  code: 4,
  /** Written since the flag was cleared. */
  dirty: 8,
  /** A watchpoint or memory hook covers part of the page. */
  watched: 16,
} as const;

/** List of TLB entries filled since the last flush; longer than this, a flush clears whole views. */
export const TLB_FILLED_MAX = 2048;

/** Code pages with decoded records at the same time; each has a table of 4096 record addresses. */
export const CODE_PAGES = 2048;
export const ENTRY_TABLE_SIZE: number = PAGE_SIZE * 4;

const TLB: number = alignUp(STATE_END, 4096);
const TLB_VIEW_SIZE = TLB_ENTRIES * TLB_ENTRY.size;
export const tlbView = (view: number): number => TLB + view * TLB_VIEW_SIZE;
export const EXEC_TLB: number = TLB + TLB_VIEW_COUNT * TLB_VIEW_SIZE;
export const TLB_FILLED: number = EXEC_TLB + EXEC_TLB_ENTRIES * EXEC_ENTRY.size;
export const PAGE_MAP: number = alignUp(TLB_FILLED + TLB_FILLED_MAX * 4, 4096);
/** Per physical page, which of its 32 granules of 128 bytes hold decoded code: one u32 each. */
export const CODE_MASKS: number = PAGE_MAP + PAGE_MAP_ENTRIES * 4;
export const CODE_GRANULE_SHIFT = 7;
/** Scratch for TypeScript helpers and page-crossing accesses. */
export const SCRATCH: number = CODE_MASKS + PAGE_MAP_ENTRIES * 4;
const SCRATCH_SIZE = 4096;
/** Records that are executed once: instructions that cross pages or come from unmapped or I/O memory. */
export const SCRATCH_RECORDS: number = SCRATCH + SCRATCH_SIZE;
/** What translated code counts, u64 each: instructions executed there, and exits by reason (`REGION_EXIT`). */
export const COUNTERS: { readonly translated: number; readonly exits: number } = {
  translated: SCRATCH_RECORDS + 4096,
  exits: SCRATCH_RECORDS + 4096 + 8,
};
/** The last targets of computed jumps that found no entry: how many there were, and a ring of entry table address plus page offset, u32 each. */
export const TARGETS = 64;
export const TARGET_COUNT: number = SCRATCH_RECORDS + 4096 + 1024;
export const TARGET_RING: number = TARGET_COUNT + 4;
export const EXEC_FILLED: number = TARGET_RING + TARGETS * 4;
/** Aligned, so that a table's address and a page offset fit into one u32. */
export const ENTRY_TABLES: number = alignUp(EXEC_FILLED + EXEC_FILLED_MAX * 4, ENTRY_TABLE_SIZE);
export const RECORDS: number = ENTRY_TABLES + CODE_PAGES * ENTRY_TABLE_SIZE;
/** Room for a million decoded instructions. */
export const RECORDS_SIZE: number = 32 << 20;
export const GUEST_MEMORY: number = RECORDS + RECORDS_SIZE;
