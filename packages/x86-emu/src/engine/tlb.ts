/** Upkeep of the soft TLB and of the exec TLB from TypeScript. */
import type { CpuState } from '../cpu/cpu-state.ts';
import {
  EXEC_ENTRY,
  EXEC_TLB,
  EXEC_TLB_ENTRIES,
  NO_TAG,
  TLB_ENTRIES,
  TLB_ENTRY,
  TLB_FILLED,
  TLB_FILLED_MAX,
  TLB_VIEWS,
  tlbView,
} from './layout.ts';

const VIEWS = Object.values(TLB_VIEWS);
const TLB_LIMIT = tlbView(VIEWS.length);
const EXEC_LIMIT = EXEC_TLB + EXEC_TLB_ENTRIES * EXEC_ENTRY.size;

export class Tlb {
  readonly #view: DataView;
  readonly #state: CpuState;

  constructor(view: DataView, state: CpuState) {
    this.#view = view;
    this.#state = state;
  }

  /** Empties every entry, filled or not, and leaves the present code page. */
  reset(): void {
    this.#clearAll();
    this.#state.set('tlbFilled', 0);
    this.flushExec();
    this.forgetPage();
  }

  /** Forgets all translations of data and code. */
  flush(): void {
    this.flushData();
    this.flushExec();
  }

  flushData(): void {
    const filled = this.#state.get('tlbFilled');
    if (filled >= TLB_FILLED_MAX) this.#clearAll();
    else
      for (let i = 0; i < filled; i++) this.#clear(this.#view.getUint32(TLB_FILLED + i * 4, true));
    this.#state.set('tlbFilled', 0);
  }

  flushExec(): void {
    this.#words(EXEC_TLB, EXEC_LIMIT).fill(NO_TAG);
  }

  /** No code page is the present one: RIP must be in the state by now, for records cannot tell it any more. */
  forgetPage(): void {
    this.#state.setBig('pageLinear', NO_TAG);
  }

  /** Forgets the translations of one page. */
  invalidate(linear: bigint): void {
    const index = Number((linear >> 12n) & BigInt(TLB_ENTRIES - 1));
    // The entry stays on the list of filled ones; clearing it twice is harmless.
    for (const view of VIEWS) this.#clear(tlbView(view) + index * TLB_ENTRY.size);
    this.#view.setBigUint64(EXEC_TLB + index * EXEC_ENTRY.size + EXEC_ENTRY.tag, NO_TAG, true);
  }

  /** Makes the code page at `linear` known to the engine, as the present one. */
  enter(linear: bigint, entries: number): void {
    const page = linear & ~0xfffn;
    const index = Number((page >> 12n) & BigInt(EXEC_TLB_ENTRIES - 1));
    const at = EXEC_TLB + index * EXEC_ENTRY.size;
    this.#view.setBigUint64(at + EXEC_ENTRY.tag, page | BigInt(this.#state.get('execKey')), true);
    this.#view.setUint32(at + EXEC_ENTRY.entries, entries, true);
    this.#state.setBig('pageLinear', page);
    this.#state.set('pageEntries', entries);
  }

  /** Every word of every entry becomes a tag that matches nothing; what else an entry holds is then of no account. */
  #clearAll(): void {
    this.#words(tlbView(0), TLB_LIMIT).fill(NO_TAG);
  }

  #words(from: number, to: number): BigUint64Array {
    return new BigUint64Array(this.#view.buffer, from, (to - from) / 8);
  }

  #clear(entry: number): void {
    this.#view.setBigUint64(entry + TLB_ENTRY.read, NO_TAG, true);
    this.#view.setBigUint64(entry + TLB_ENTRY.write, NO_TAG, true);
  }
}
