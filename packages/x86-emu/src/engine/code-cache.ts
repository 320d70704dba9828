/**
 * Decoded code: traces of op records, keyed by physical page and decode mode.
 *
 * Each code page has a table that gives the record of every instruction start. A trace runs to a jump, the end of the page or an instruction that is
 * decoded already. Dropping a page turns its records into `continue` records, so that whoever is executing them looks the code up again.
 */
import type { Decoder, DecodeMode } from '../decode/decoder.ts';
import { INTERNAL_HANDLERS } from './dispatch-loop.ts';
import type { Handlers } from './handlers.ts';
import {
  CODE_GRANULE_SHIFT,
  CODE_MASKS,
  CODE_PAGES,
  ENTRY_TABLES,
  ENTRY_TABLE_SIZE,
  PAGE_FLAG,
  PAGE_MAP,
  PAGE_SIZE,
  RECORDS,
  RECORDS_SIZE,
  SCRATCH_RECORDS,
} from './layout.ts';
import { RECORD, RECORD_SIZE, writeRecord } from './record.ts';

/** Instructions decoded at a time. */
const TRACE_LENGTH = 64;
/** Records a page allocates at a time: room for a trace and its last, internal record. */
const CHUNK_RECORDS = 128;
const CHUNK_SIZE = CHUNK_RECORDS * RECORD_SIZE;
/** A page dropped this often keeps its code flag: flipping it costs more than slow stores do. */
const STICKY_DROPS = 8;

export interface CodePage {
  readonly physicalPage: number;
  readonly modeKey: number;
  /** Address of the entry table. */
  readonly entries: number;
  readonly chunks: number[];
  /** Chunk in use, and next free record in it. */
  chunk: number;
  free: number;
  /** Handlers of translated regions that stand in this page's records. */
  readonly replaced: Set<number>;
  /** Page offsets at which the interpreter enters regions, each with the record that it executes itself. */
  readonly regions: Map<number, number>;
  /** Page offsets of the regions' instructions. */
  readonly covered: Set<number>;
  /** Page offsets where no region can begin. */
  readonly refused: Set<number>;
  /** Places to which computed jumps of the page lead, and how often regions were united for their sake. */
  readonly targets: Set<number>;
  unions: number;
  /** Block tables of the page's regions, and how many are in use. */
  readonly blockTables: number[];
  usedTables: number;
}

export interface CodeCacheMemory {
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

/** What the cache needs the engine to forget. */
export interface CodeCacheOwner {
  /** Writes to code pages must take the slow path: drop cached write permissions. */
  readonly forgetWrites: () => void;
  /** All pages are dropped: forget every entry table. */
  readonly forgetPages: () => void;
  /** No record uses these handlers any more; translated code that is running must be left soon. */
  readonly dropHandlers: (handlers: Iterable<number>) => void;
}

export class CodeCache {
  readonly #memory: CodeCacheMemory;
  readonly #decoder: Decoder;
  readonly #handlers: Handlers;
  readonly #owner: CodeCacheOwner;
  readonly #pages = new Map<number, CodePage>();
  readonly #drops = new Map<number, number>();
  readonly #byTable: CodePage[] = [];
  #arena = RECORDS;
  /** Page offsets at which breakpoints are set, on whatever pages; change through `setBreakpointOffset`. */
  readonly breakpointOffsets: Set<number> = new Set();
  /** Pages dropped, instructions decoded, and times that everything was dropped for want of room. */
  readonly statistics: { drops: number; decoded: number; flushes: number } = {
    drops: 0,
    decoded: 0,
    flushes: 0,
  };

  constructor(
    memory: CodeCacheMemory,
    decoder: Decoder,
    handlers: Handlers,
    owner: CodeCacheOwner,
  ) {
    this.#memory = memory;
    this.#decoder = decoder;
    this.#handlers = handlers;
    this.#owner = owner;
  }

  /** The entry table of a page of physical memory for code of mode `modeKey`. */
  entries(physicalPage: number, modeKey: number): number {
    return this.#page(physicalPage, modeKey).entries;
  }

  /**
   * The record of the instruction at `offset` of a page, decoded if it was not. 0 if the instruction goes on to the next page.
   * `host` is the page's address in linear memory.
   */
  record(
    physicalPage: number,
    modeKey: number,
    host: number,
    offset: number,
    mode: DecodeMode,
  ): number {
    const page = this.#page(physicalPage, modeKey);
    const known = this.#memory.view.getUint32(page.entries + offset * 4, true);
    return known === 0 ? this.#trace(page, host, offset, mode) : known;
  }

  /**
   * Decodes one instruction that is to be executed once, from `bytes` (its first byte is at `offset` of its page). Undefined if more bytes are needed
   * than there are.
   */
  once(bytes: Uint8Array, offset: number, mode: DecodeMode): number | undefined {
    const { view } = this.#memory;
    const status = this.#decoder.decode(bytes, 0, bytes.length, mode);
    if (status === 'truncated') return undefined;
    if (status === 'ok') {
      this.#write(SCRATCH_RECORDS, offset, mode);
      this.#internal(
        SCRATCH_RECORDS + RECORD_SIZE,
        INTERNAL_HANDLERS.continue,
        offset + this.#decoder.length,
      );
    } else this.#fault(view, SCRATCH_RECORDS, offset, status);
    return SCRATCH_RECORDS;
  }

  /** The record of an instruction that is decoded already; 0 if it is not. */
  known(page: CodePage, offset: number): number {
    return this.#memory.view.getUint32(page.entries + offset * 4, true);
  }

  /** A copy of a record, behind which execution goes on as behind the original. */
  copyRecord(page: CodePage, record: number): number {
    const { view, bytes } = this.#memory;
    const copy = this.#allocate(page, 2);
    bytes.copyWithin(copy, record, record + RECORD_SIZE);
    const next = copy + RECORD_SIZE;
    const offset = view.getUint16(record + RECORD.offset, true);
    this.#internal(next, INTERNAL_HANDLERS.goto, offset + view.getUint8(record + RECORD.length));
    view.setUint32(next + RECORD.link, record + RECORD_SIZE, true);
    return copy;
  }

  /** Makes a translated region execute what begins at `record`; gives the handler of the region that did so before. */
  setHandler(page: CodePage, record: number, handler: number): readonly number[] {
    const { view } = this.#memory;
    const before = view.getUint16(record + RECORD.handler, true);
    view.setUint16(record + RECORD.handler, handler, true);
    page.replaced.add(handler);
    return page.replaced.delete(before) ? [before] : [];
  }

  /** A record that looks `offset` up. */
  continueRecord(page: CodePage, offset: number): number {
    const record = this.#allocate(page, 1);
    this.#internal(record, INTERNAL_HANDLERS.continue, offset);
    return record;
  }

  /** 4 KiB for a region's table of blocks, until the page is dropped. */
  blockTable(page: CodePage): number {
    const { blockTables } = page;
    if (page.usedTables === blockTables.length) blockTables.push(this.#arenaBytes(PAGE_SIZE));
    return blockTables[page.usedTables++] as number;
  }

  /** The page whose entry table is at `entries`. */
  pageOf(entries: number): CodePage | undefined {
    return this.#byTable[(entries - ENTRY_TABLES) / ENTRY_TABLE_SIZE];
  }

  /** Drops the decoded code of a range of physical pages. */
  dropRange(first: number, count: number): void {
    for (const page of this.#byTable)
      if (page.physicalPage >= first && page.physicalPage < first + count)
        this.drop(page.physicalPage);
  }

  /** Drops the decoded code of a physical page. */
  drop(physicalPage: number): void {
    const { view } = this.#memory;
    let any = false;
    for (let modeKey = 0; modeKey < MODE_KEYS; modeKey++) {
      const page = this.#pages.get(physicalPage * MODE_KEYS + modeKey);
      if (!page) continue;
      any = true;
      // Records beyond the chunk in use were dropped before and are not used yet.
      for (let i = 0; i <= page.chunk; i++) {
        const chunk = page.chunks[i] as number;
        const end = i === page.chunk ? page.free : chunk + CHUNK_SIZE;
        for (let at = chunk; at < end; at += RECORD_SIZE) {
          view.setUint16(at + RECORD.handler, INTERNAL_HANDLERS.continue, true);
          // Every entry of the table has its record; the place behind the page has none.
          const offset = view.getUint16(at + RECORD.offset, true);
          if (offset < PAGE_SIZE) view.setUint32(page.entries + offset * 4, 0, true);
        }
      }
      page.chunk = -1;
      page.free = 0;
      page.refused.clear();
      if (page.replaced.size > 0) {
        this.#owner.dropHandlers(page.replaced);
        page.replaced.clear();
        page.regions.clear();
        page.covered.clear();
        page.targets.clear();
        page.unions = 0;
        page.usedTables = 0;
      }
    }
    if (!any) return;
    this.statistics.drops++;
    view.setUint32(CODE_MASKS + physicalPage * 4, 0, true);
    const drops = (this.#drops.get(physicalPage) ?? 0) + 1;
    this.#drops.set(physicalPage, drops);
    if (drops < STICKY_DROPS) this.#setCodeFlag(physicalPage, false);
  }

  /** Sets or removes breakpoints at a page offset: pages with code decoded there are dropped. */
  setBreakpointOffset(offset: number, armed: boolean): void {
    if (this.breakpointOffsets.has(offset) === armed) return;
    if (armed) this.breakpointOffsets.add(offset);
    else this.breakpointOffsets.delete(offset);
    for (const page of this.#pages.values())
      if (this.#memory.view.getUint32(page.entries + offset * 4, true) !== 0)
        this.drop(page.physicalPage);
  }

  /** Drops everything. */
  clear(): void {
    for (const key of this.#pages.keys()) {
      const physicalPage = Math.floor(key / MODE_KEYS);
      this.#setCodeFlag(physicalPage, false);
      this.#memory.view.setUint32(CODE_MASKS + physicalPage * 4, 0, true);
    }
    for (const { replaced } of this.#pages.values())
      if (replaced.size > 0) this.#owner.dropHandlers(replaced);
    this.#pages.clear();
    this.#drops.clear();
    this.#byTable.length = 0;
    this.#arena = RECORDS;
    this.#owner.forgetPages();
  }

  #page(physicalPage: number, modeKey: number): CodePage {
    const key = physicalPage * MODE_KEYS + modeKey;
    const known = this.#pages.get(key);
    if (known) return known;
    if (this.#byTable.length === CODE_PAGES) {
      this.statistics.flushes++;
      this.clear();
    }
    const entries = ENTRY_TABLES + this.#byTable.length * ENTRY_TABLE_SIZE;
    this.#memory.bytes.fill(0, entries, entries + ENTRY_TABLE_SIZE);
    const page: CodePage = {
      physicalPage,
      modeKey,
      entries,
      chunks: [],
      chunk: -1,
      free: 0,
      replaced: new Set(),
      regions: new Map(),
      covered: new Set(),
      refused: new Set(),
      targets: new Set(),
      unions: 0,
      blockTables: [],
      usedTables: 0,
    };
    this.#pages.set(key, page);
    this.#byTable.push(page);
    return page;
  }

  #trace(page: CodePage, host: number, start: number, mode: DecodeMode): number {
    const { view, bytes } = this.#memory;
    const decoder = this.#decoder;
    let offset = start;
    const first = this.#reserve(page);
    let at = first;
    for (let count = 0; ; count++) {
      if (count === TRACE_LENGTH || offset >= PAGE_SIZE) {
        this.#internal(at, INTERNAL_HANDLERS.continue, offset);
        break;
      }
      const known = view.getUint32(page.entries + offset * 4, true);
      if (known !== 0) {
        this.#internal(at, INTERNAL_HANDLERS.goto, offset);
        view.setUint32(at + RECORD.link, known, true);
        break;
      }
      if (this.breakpointOffsets.has(offset)) {
        this.#internal(at, INTERNAL_HANDLERS.breakpoint, offset);
        this.#claim(page, offset, 1, at);
        break;
      }
      const status = decoder.decode(bytes, host + offset, host + PAGE_SIZE, mode);
      if (status === 'truncated') {
        if (count === 0) return 0;
        this.#internal(at, INTERNAL_HANDLERS.continue, offset);
        break;
      }
      if (status !== 'ok') {
        this.#fault(view, at, offset, status);
        this.#claim(page, offset, Math.min(PAGE_SIZE - offset, MAX_INSTRUCTION), at);
        break;
      }
      this.#write(at, offset, mode);
      this.#claim(page, offset, decoder.length, at);
      this.statistics.decoded++;
      offset += decoder.length;
      at += RECORD_SIZE;
      if (decoder.entry.row.ends) {
        this.#internal(at, INTERNAL_HANDLERS.continue, offset);
        break;
      }
    }
    page.free = at + RECORD_SIZE;
    return first;
  }

  #write(at: number, offset: number, mode: DecodeMode): void {
    const handler = this.#handlers.number(this.#decoder, mode.code);
    writeRecord(this.#memory.view, at, handler, offset, this.#decoder);
  }

  #internal(at: number, handler: number, offset: number): void {
    const { view } = this.#memory;
    view.setUint16(at + RECORD.handler, handler, true);
    view.setUint16(at + RECORD.offset, offset, true);
    view.setUint8(at + RECORD.length, 0);
  }

  #fault(view: DataView, at: number, offset: number, status: 'undefined' | 'tooLong'): void {
    this.#internal(at, INTERNAL_HANDLERS.fault, offset);
    view.setUint8(at + RECORD.immediate, status === 'undefined' ? UD : GP);
  }

  /** Notes that an instruction is decoded, and which granules its bytes cover. */
  #claim(page: CodePage, offset: number, length: number, record: number): void {
    const { view } = this.#memory;
    const { physicalPage, entries } = page;
    view.setUint32(entries + offset * 4, record, true);
    const at = CODE_MASKS + physicalPage * 4;
    const masks = view.getUint32(at, true);
    const last = (offset + length - 1) >> CODE_GRANULE_SHIFT;
    const bits = (1 << (offset >> CODE_GRANULE_SHIFT)) | (1 << last);
    view.setUint32(at, masks | bits, true);
    this.#setCodeFlag(physicalPage, true);
  }

  #setCodeFlag(physicalPage: number, isCode: boolean): void {
    const { view } = this.#memory;
    const at = PAGE_MAP + physicalPage * 4;
    const map = view.getUint32(at, true);
    const flagged = (map & PAGE_FLAG.code) !== 0;
    if (flagged === isCode) return;
    view.setUint32(at, isCode ? map | PAGE_FLAG.code : map & ~PAGE_FLAG.code, true);
    if (isCode) this.#owner.forgetWrites();
  }

  #arenaBytes(size: number): number {
    const at = this.#arena;
    if (at + size > RECORDS + RECORDS_SIZE) throw new RecordsExhausted();
    this.#arena += size;
    return at;
  }

  #allocate(page: CodePage, count: number): number {
    const at = this.#reserve(page, count);
    page.free = at + count * RECORD_SIZE;
    return at;
  }

  /** Room for a trace, or for `count` records; gives the address of the first. */
  #reserve(page: CodePage, count: number = TRACE_LENGTH + 1): number {
    const end = page.chunk < 0 ? 0 : (page.chunks[page.chunk] as number) + CHUNK_SIZE;
    if (end - page.free >= count * RECORD_SIZE) return page.free;
    page.chunk++;
    if (page.chunk === page.chunks.length) {
      page.chunks.push(this.#arenaBytes(CHUNK_SIZE));
    }
    page.free = page.chunks[page.chunk] as number;
    return page.free;
  }
}

/** No room for records is left: the owner clears the cache and tries again. */
export class RecordsExhausted extends Error {}

/** Number of decode modes (`decode-modes.ts`). */
const MODE_KEYS = 8;
const MAX_INSTRUCTION = 15;
const UD = 6;
const GP = 13;
