/** From RIP to the record to execute: translation of the fetch, decoding of what is missing, and the instructions that cannot be kept. */
import type { CpuState } from '../cpu/cpu-state.ts';
import type { Decoder, DecodeMode } from '../decode/decoder.ts';
import { RecordsExhausted } from './code-cache.ts';
import type { CodeCache, CodeCacheMemory } from './code-cache.ts';
import type { CoreExports } from './core-module.ts';
import { DECODE_MODES, MODE_KEY } from './decode-modes.ts';
import { PAGE_SIZE } from './layout.ts';
import { ACCESS, TRANSLATED } from './paging.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import type { Tlb } from './tlb.ts';

/** Longest instruction (SDM Vol. 2A, section 2.3.11). */
export const MAX_LENGTH = 15;

/** The parts of the engine that fetching needs. */
export interface FetchParts {
  readonly memory: CodeCacheMemory;
  readonly state: CpuState;
  readonly core: CoreExports;
  readonly physical: PhysicalMemory;
  readonly code: CodeCache;
  readonly tlb: Tlb;
  readonly decoder: Decoder;
  /** What a byte of nothing reads. */
  readonly unclaimed: (bytes: number) => number;
  /** Describes a fault in the state; gives false. */
  readonly raise: (vector: number, errorCode: number) => false;
}

const GP = 13;

export class CodeFetch {
  /** The next instruction is executed even if a breakpoint offset is there. */
  passBreakpoint = false;
  readonly #parts: FetchParts;
  readonly #window = new Uint8Array(MAX_LENGTH);

  constructor(parts: FetchParts) {
    this.#parts = parts;
  }

  /** How code is decoded at present. */
  get mode(): DecodeMode {
    return DECODE_MODES[this.#parts.state.get('modeKey')] as DecodeMode;
  }

  /** Linear address of an offset in the present code segment. */
  linear(rip: bigint): bigint {
    const { state } = this.#parts;
    return state.get('modeKey') === MODE_KEY.long
      ? rip
      : BigInt.asUintN(32, rip + state.big('codeBase'));
  }

  /** Makes the state's `record` that of RIP, decoding it if need be. False: a fault is described in the state. */
  find(): boolean {
    try {
      return this.#find();
    } catch (error) {
      if (!(error instanceof RecordsExhausted)) throw error;
      const { code } = this.#parts;
      code.statistics.flushes++;
      code.clear();
      return this.#find();
    }
  }

  #find(): boolean {
    const { state, core, code, tlb } = this.#parts;
    const { mode } = this;
    const rip = state.big('rip');
    const modeKey = state.get('modeKey');
    if (mode.code === 'legacy' && rip > BigInt(state.segment('cs').limit))
      return this.#parts.raise(GP, 0);
    const linear = this.linear(rip);
    const host = core.translate(linear, ACCESS.fetch);
    if (host === TRANSLATED.fault) return false;
    const physical = Number(state.big('slowAddress'));
    const offset = physical % PAGE_SIZE;
    const page = (physical - offset) / PAGE_SIZE;
    let record: number | undefined = 0;
    if (host === TRANSLATED.notMemory) {
      state.setBig('pageLinear', linear & ~0xfffn);
    } else {
      tlb.enter(linear, page, code.entries(page, modeKey));
      record = code.record(page, modeKey, host - offset, offset, mode);
    }
    const isBreak = record !== 0 && this.passBreakpoint && code.breakpointOffsets.has(offset);
    if (record === 0 || isBreak) {
      record = this.#decodeOnce(linear, host, physical, offset);
      if (record === undefined) return false;
      // The page table of what is executed once must not be asked for offsets beyond the page.
      if (host === TRANSLATED.notMemory) state.set('pageEntries', 0);
    }
    this.passBreakpoint = false;
    state.set('record', record);
    return true;
  }

  /** An instruction that crosses a page, comes from I/O memory or stands at a breakpoint. Undefined: a fault is described. */
  #decodeOnce(linear: bigint, host: number, physical: number, offset: number): number | undefined {
    const { core, code, state } = this.#parts;
    const { mode } = this;
    const window = this.#window;
    const here = Math.min(MAX_LENGTH, PAGE_SIZE - offset);
    this.#copy(0, here, host, physical);
    const record = code.once(window.subarray(0, here), offset, mode);
    if (record !== undefined) return record;
    const next = BigInt.asUintN(mode.code === 'long' ? 64 : 32, (linear & ~0xfffn) + 0x1000n);
    const nextHost = core.translate(next, ACCESS.fetch);
    if (nextHost === TRANSLATED.fault) return undefined;
    this.#copy(here, MAX_LENGTH - here, nextHost, Number(state.big('slowAddress')));
    return code.once(window, offset, mode);
  }

  #copy(at: number, count: number, host: number, physical: number): void {
    const { memory, physical: space, unclaimed } = this.#parts;
    for (let i = 0; i < count; i++)
      this.#window[at + i] =
        host === TRANSLATED.notMemory
          ? space.readIo(physical + i, 1, unclaimed(1))
          : (memory.bytes[host + i] as number);
  }
}
