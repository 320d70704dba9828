/** Management of the soft TLBs from TypeScript; `paging.ts` fills them, `core-tlb.ts` empties them. */
import type { CpuState } from '../cpu/cpu-state.ts';
import type { CoreExports } from './core-module.ts';
import {
  EXEC_ENTRY,
  EXEC_FILLED,
  EXEC_FILLED_MAX,
  EXEC_TLB,
  EXEC_TLB_ENTRIES,
  NO_TAG,
  TLB_ENTRIES,
  TLB_ENTRY,
  TLB_FILLED_MAX,
  TLB_VIEWS,
  tlbView,
} from './layout.ts';

const VIEWS = Object.values(TLB_VIEWS);

export class Tlb {
  readonly #view: DataView;
  readonly #state: CpuState;
  readonly #core: CoreExports;

  constructor(view: DataView, state: CpuState, core: CoreExports) {
    this.#view = view;
    this.#state = state;
    this.#core = core;
  }

  /** Empties every entry, filled or not, and leaves the present code page. */
  reset(): void {
    this.#state.set('tlbFilled', TLB_FILLED_MAX);
    this.#state.set('execFilled', EXEC_FILLED_MAX);
    this.flush();
    this.forgetPage();
  }

  /** Forgets all translations of data and code. */
  flush(): void {
    this.flushData();
    this.flushExec();
  }

  flushData(): void {
    this.#core.flushData();
  }

  flushExec(): void {
    this.#core.flushExec();
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

  /** Makes the code page at `linear`, a physical page number, known to the engine, as the present one. */
  enter(linear: bigint, physicalPage: number, entries: number): void {
    const page = linear & ~0xfffn;
    const index = Number((page >> 12n) & BigInt(EXEC_TLB_ENTRIES - 1));
    const at = EXEC_TLB + index * EXEC_ENTRY.size;
    this.#view.setBigUint64(at + EXEC_ENTRY.tag, page | BigInt(this.#state.get('execKey')), true);
    this.#view.setUint32(at + EXEC_ENTRY.entries, entries, true);
    this.#view.setUint32(at + EXEC_ENTRY.physical, physicalPage, true);
    this.#listed(at);
    this.#state.setBig('pageLinear', page);
    this.#state.set('pageEntries', entries);
    this.#state.set('pagePhysical', physicalPage);
  }

  #listed(at: number): void {
    const filled = this.#state.get('execFilled');
    if (filled >= EXEC_FILLED_MAX) return;
    this.#view.setUint32(EXEC_FILLED + filled * 4, at, true);
    this.#state.set('execFilled', filled + 1);
  }

  #clear(entry: number): void {
    this.#view.setBigUint64(entry + TLB_ENTRY.read, NO_TAG, true);
    this.#view.setBigUint64(entry + TLB_ENTRY.write, NO_TAG, true);
  }
}
