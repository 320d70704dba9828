/** Hooks: functions that see what the guest does. None costs anything while it is absent. */
import type { InterruptEvent } from '../cpu/interrupts.ts';
import type { TraceEvent } from './trace-hash.ts';

/** An access to a watched range of physical memory, before it happens. */
export interface MemoryAccess {
  /** Guest-physical address. */
  readonly address: number;
  readonly bytes: number;
  readonly write: boolean;
}

export interface Watch {
  /** Guest-physical address and length in bytes. */
  readonly base: number;
  readonly length: number;
  readonly on: (access: MemoryAccess) => void;
}

const PAGE_SIZE = 4096;

export class Hooks {
  /** Called before each instruction with its RIP; while set, instructions are executed one at a time. */
  code: ((rip: bigint) => void) | undefined;
  /** Called for each port access; reads with the value that was read. */
  port: ((port: number, bytes: number, value: number, write: boolean) => void) | undefined;
  /** Called before an exception or interrupt is delivered; `'stop'` ends the run instead, with an `exception` exit. */
  interrupt: ((event: InterruptEvent) => 'stop' | void) | undefined;
  /** The trace stream: every event that the trace hash covers, in order. With `code` it has the instructions as well. */
  trace: ((event: TraceEvent) => void) | undefined;
  readonly #watches: Watch[] = [];
  readonly #watchPage: (page: number, watched: boolean) => void;

  constructor(watchPage: (page: number, watched: boolean) => void) {
    this.#watchPage = watchPage;
  }

  /** Watches a range of memory; gives a function that ends the watch. Accesses to the range's pages are slow meanwhile. */
  watch(watch: Watch): () => void {
    if (watch.length <= 0 || watch.base < 0 || watch.base + watch.length > 2 ** 32)
      throw new RangeError(
        `watch of ${watch.length} bytes at 0x${watch.base.toString(16)}: expected a range below 4 GiB`,
      );
    this.#watches.push(watch);
    this.#update(watch);
    return () => {
      const at = this.#watches.indexOf(watch);
      if (at < 0) return;
      this.#watches.splice(at, 1);
      this.#update(watch);
    };
  }

  /** An access to a watched page. */
  watched(address: number, bytes: number, write: boolean): void {
    // A copy: a callback may end its watch.
    for (const { base, length, on } of this.#watches.slice())
      if (address < base + length && base < address + bytes) on({ address, bytes, write });
  }

  #update({ base, length }: Watch): void {
    const last = Math.floor((base + length - 1) / PAGE_SIZE);
    for (let page = Math.floor(base / PAGE_SIZE); page <= last; page++)
      this.#watchPage(
        page,
        this.#watches.some(
          (w) => w.base < (page + 1) * PAGE_SIZE && page * PAGE_SIZE < w.base + w.length,
        ),
      );
  }
}
