/**
 * Finds hot code by sampling and has it translated: every so many instructions the run loop shows where execution is. A place seen twice becomes the start of a
 * region. Samples depend on instruction counts alone, so that the same run translates the same regions.
 */
import type { CpuState } from '../cpu/cpu-state.ts';
import type { Decoder, DecodeMode } from '../decode/decoder.ts';
import { RecordsExhausted } from './code-cache.ts';
import type { CodeCache, CodeCacheMemory, CodePage } from './code-cache.ts';
import { concreteInstruction } from './concrete.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { FIRST_HOT } from './dispatch-loop.ts';
import type { Handlers } from './handlers.ts';
import {
  COUNTERS,
  ENTRY_TABLE_SIZE,
  PAGE_MAP,
  PAGE_MASK,
  PAGE_SIZE,
  RECORDS,
  TARGETS,
  TARGET_COUNT,
  TARGET_RING,
} from './layout.ts';
import { fillBlockTable, isTranslatable, translateRegion } from './region-translator.ts';
import { REGION_EXIT } from './region-exit.ts';
import type { RegionExit } from './region-exit.ts';
import { discoverRegion } from './region.ts';
import type { Block } from './region.ts';
import { RECORD } from './record.ts';

/** Instructions between samples: few while the interpreter runs, more while regions do. */
const INTERVAL = { least: 1 << 14, most: 1 << 18 } as const;
/** Samples within one granule of 128 bytes that make it hot: in interpreted code, and in code that a region covers. */
const THRESHOLD = { interpreted: 2, covered: 32 } as const;
const GRANULE_SHIFT = 7;
/** A smaller share of interpreted instructions is not looked at: a region gives up before a block that its budget does not cover, and samples fall behind it. */
const ENOUGH = 1 / 32;
/** More computed jumps per instruction than this that end a region are worth a larger one; how often a page's regions are united. */
const SCATTERED = 1 / 512;
const MAX_UNIONS = 8;
/** Live entries: a region, which has one or more, is a module instance, and some engines limit these to 16,000. */
const MAX_ENTRIES = 4096;

export interface HotSpotParts {
  readonly memory: CodeCacheMemory;
  readonly state: CpuState;
  readonly code: CodeCache;
  readonly handlers: Handlers;
  readonly decoder: Decoder;
}

export interface TranslatorStatistics {
  /** Regions translated, instructions in them, and places at which they can be entered. */
  readonly regions: number;
  readonly instructions: number;
  readonly entries: number;
  /** Entries that are gone: the code changed, or a larger region took over. */
  readonly dropped: number;
  /** Pages whose regions made room for others. */
  readonly evicted: number;
  /** Wall time of translation, up to a module that can be called. */
  readonly milliseconds: number;
  /** Guest instructions executed in translated code, and how often it was left, by reason. */
  readonly executed: number;
  readonly exits: Readonly<Record<RegionExit, number>>;
}

export class HotSpots {
  readonly #parts: HotSpotParts;
  readonly #samples = new Map<number, number>();
  #interval: number = INTERVAL.least;
  /** Instructions in translated code up to the last sample. */
  #translated = 0;
  /** Computed jumps in the ring. */
  #noted = 0;
  /** Pages with translated code, the one that was translated last at the end. */
  readonly #pages = new Set<CodePage>();
  readonly #counts = {
    regions: 0,
    instructions: 0,
    entries: 0,
    dropped: 0,
    evicted: 0,
    milliseconds: 0,
  };

  constructor(parts: HotSpotParts) {
    this.#parts = parts;
  }

  get statistics(): TranslatorStatistics {
    const { view } = this.#parts.memory;
    const counter = (at: number): number => Number(view.getBigUint64(at, true));
    const exits = Object.entries(REGION_EXIT).map(
      ([name, reason]) => [name, counter(COUNTERS.exits + reason * 8)] as const,
    );
    return {
      ...this.#counts,
      executed: counter(COUNTERS.translated),
      exits: Object.fromEntries(exits) as Record<RegionExit, number>,
    };
  }

  /** Instructions to execute before the next sample. */
  get interval(): number {
    return this.#interval;
  }

  /** Looks at where execution is: the state's record is the next one to execute. May translate the region there. */
  sample(mode: DecodeMode): void {
    const { memory } = this.#parts;
    const translated = Number(memory.view.getBigUint64(COUNTERS.translated, true));
    const interpreted = this.#interval - (translated - this.#translated);
    this.#translated = translated;
    const isSettled = interpreted < this.#interval * ENOUGH;
    const isScattered = this.#targets() > this.#interval * SCATTERED;
    let isPromising = false;
    this.#withRoom(() => {
      isPromising = (isScattered && this.#unite(mode)) || (!isSettled && this.#look(mode));
    });
    this.#interval = isPromising ? INTERVAL.least : Math.min(this.#interval * 2, INTERVAL.most);
  }

  /** Counts the present place among the samples; false if nothing can be translated here. */
  #look(mode: DecodeMode): boolean {
    const place = this.#place(mode);
    if (!place || place.page.refused.has(place.offset)) return false;
    const { page, offset } = place;
    const key = page.entries * 32 + (offset >> GRANULE_SHIFT);
    const count = (this.#samples.get(key) ?? 0) + 1;
    this.#samples.set(key, count);
    const isCovered = page.covered.has(offset);
    if (count < (isCovered ? THRESHOLD.covered : THRESHOLD.interpreted)) return true;
    this.#samples.delete(key);
    const { regions } = this.#counts;
    this.#translate(page, mode, [offset]);
    const isTranslated = this.#counts.regions > regions;
    if (!isTranslated) page.refused.add(offset);
    return isTranslated;
  }

  /** Computed jumps within a page that found no entry since the last call. */
  #targets(): number {
    const { view } = this.#parts.memory;
    const count = view.getUint32(TARGET_COUNT, true);
    view.setUint32(TARGET_COUNT, 0, true);
    this.#noted = Math.min(count, TARGETS);
    return count;
  }

  /** Makes one region of what computed jumps of a page connect: they stay inside a region where the target is one of its entries. False if there is nothing to unite. */
  #unite(mode: DecodeMode): boolean {
    const { memory, code, state } = this.#parts;
    if (mode.code === 'legacy') return false;
    const found = new Map<CodePage, Set<number>>();
    for (let i = 0; i < this.#noted; i++) {
      const target = memory.view.getUint32(TARGET_RING + i * 4, true);
      const page = code.pageOf(target & -ENTRY_TABLE_SIZE);
      if (page?.modeKey !== state.get('modeKey') || page.unions >= MAX_UNIONS) continue;
      const offset = target & PAGE_MASK;
      if (code.known(page, offset) === 0) continue;
      const offsets = found.get(page);
      if (offsets) offsets.add(offset);
      else found.set(page, new Set([offset]));
    }
    for (const [page, offsets] of found) {
      page.unions++;
      const targets = new Set([...offsets, ...page.targets]);
      for (const offset of targets) page.targets.add(offset);
      this.#translate(page, mode, [...targets, ...page.regions.keys()], targets);
    }
    return found.size > 0;
  }

  /** Translates the region at the state's record now, however often it was executed. */
  translate(mode: DecodeMode): void {
    const place = this.#place(mode);
    if (place) this.#withRoom(() => this.#translate(place.page, mode, [place.offset]));
  }

  /** Without room for records everything is dropped at the next decode, and hot code is found again. */
  #withRoom(body: () => void): void {
    try {
      body();
    } catch (error) {
      if (!(error instanceof RecordsExhausted)) throw error;
    }
  }

  /** The present place, if it is one that can be translated and is not yet the entry of a region. */
  #place(mode: DecodeMode): { readonly page: CodePage; readonly offset: number } | undefined {
    const { memory, code, state } = this.#parts;
    const record = state.get('record');
    const page = code.pageOf(state.get('pageEntries'));
    const offset = memory.view.getUint16(record + RECORD.offset, true);
    // Only code whose offsets are linear addresses is translated; what is executed once is not kept.
    if (!page || mode.code === 'legacy' || offset >= PAGE_SIZE || record < RECORDS)
      return undefined;
    if (memory.view.getUint16(record + RECORD.handler, true) < FIRST_HOT) return undefined;
    return page.regions.has(offset) ? undefined : { page, offset };
  }

  /** Drops the pages that were translated longest ago until `count` entries more fit. */
  #makeRoom(page: CodePage, count: number): void {
    const { code } = this.#parts;
    for (const oldest of this.#pages) {
      if (this.#counts.entries - this.#counts.dropped + count <= MAX_ENTRIES) return;
      if (oldest === page) continue;
      this.#pages.delete(oldest);
      code.drop(oldest.physicalPage);
      this.#counts.evicted++;
    }
  }

  /** Regions of a dropped page are gone. */
  drop(handlers: Iterable<number>): void {
    for (const handler of handlers) {
      this.#counts.dropped++;
      this.#parts.handlers.remove(handler);
    }
  }

  #translate(
    page: CodePage,
    mode: DecodeMode,
    starts: readonly number[],
    targets?: ReadonlySet<number>,
  ): void {
    const began = performance.now();
    const { memory, code, handlers, decoder } = this.#parts;
    const host = memory.view.getUint32(PAGE_MAP + page.physicalPage * 4, true) & ~PAGE_MASK;
    const from = host >>> 0;
    const at = (offset: number): ConcreteInstruction | undefined => {
      const known = code.record(page.physicalPage, page.modeKey, from, offset, mode);
      if (known === 0 || code.pageOf(page.entries) !== page) return undefined;
      // Where an older, smaller region is entered, the instruction's own record is a copy.
      const record = page.regions.get(offset) ?? known;
      if (memory.view.getUint16(record + RECORD.handler, true) < FIRST_HOT) return undefined;
      const status = decoder.decode(memory.bytes, from + offset, from + PAGE_SIZE, mode);
      if (status !== 'ok') return undefined;
      const insn = concreteInstruction(decoder, mode.code, offset, record);
      return isTranslatable(insn) ? insn : undefined;
    };
    const region = discoverRegion(starts, at, targets);
    if (!region || code.pageOf(page.entries) !== page) return;
    const entries = region.entries.map((number) => (region.blocks[number] as Block).offset);
    this.#makeRoom(page, entries.length);

    // Entry records change their handler; what the interpreter is to execute there stands in copies, which must exist before the code is built.
    const interpreted = new Map<number, number>();
    const numbers = entries.map((offset) => {
      const number = handlers.reserve();
      const record = code.known(page, offset);
      const copy = page.regions.get(offset) ?? code.copyRecord(page, record);
      this.drop(code.setHandler(page, record, number));
      interpreted.set(offset, copy);
      return number;
    });
    const record = (offset: number): number => {
      const known = interpreted.get(offset) ?? (offset < PAGE_SIZE ? code.known(page, offset) : 0);
      return known === 0 ? code.continueRecord(page, offset) : known;
    };
    const blockTable = region.computed ? code.blockTable(page) : 0;
    if (region.computed)
      fillBlockTable(memory.bytes.subarray(blockTable, blockTable + PAGE_SIZE), region);
    const functions = translateRegion(region, record, blockTable, handlers.imports);
    functions.forEach((fn, i) => handlers.replace(numbers[i] as number, fn));
    for (const offset of entries) page.regions.set(offset, interpreted.get(offset) as number);
    for (const { instructions } of region.blocks)
      for (const insn of instructions) page.covered.add(insn.offset);
    this.#pages.delete(page);
    this.#pages.add(page);
    this.#counts.milliseconds += performance.now() - began;
    this.#counts.regions++;
    this.#counts.entries += entries.length;
    this.#counts.instructions += region.blocks.reduce((n, b) => n + b.instructions.length, 0);
  }
}
