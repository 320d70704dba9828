/** Guest memory as the pages of snapshots: what was written since the last one is copied, the rest is shared. */
import { GUEST_MEMORY, PAGE_FLAG, PAGE_MAP, PAGE_SIZE } from '../engine/layout.ts';
import type { PhysicalMemory } from '../engine/physical-memory.ts';

/** Contents of pages that are not all zero, by index of the page in the machine's memory. */
export type Pages = ReadonlyMap<number, Uint8Array>;

export class MemoryImage {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #memory: PhysicalMemory;
  readonly #changed: (physicalPage: number) => void;
  /** What clean pages equal. */
  #base: Pages = new Map();

  /** `changed` is told of every page, by physical address / 4096, that `restore` gives other contents. */
  constructor(
    memory: ArrayBuffer,
    physical: PhysicalMemory,
    changed: (physicalPage: number) => void,
  ) {
    this.#bytes = new Uint8Array(memory);
    this.#view = new DataView(memory);
    this.#memory = physical;
    this.#changed = changed;
  }

  /** All pages as they are now. Pages are clean afterwards: cached write permissions must be forgotten. */
  capture(): Pages {
    const pages = new Map(this.#base);
    this.#forEachPage((index, entry) => {
      const map = this.#view.getUint32(entry, true);
      if ((map & PAGE_FLAG.dirty) === 0) return;
      const page = this.#bytes.slice(this.#host(index), this.#host(index) + PAGE_SIZE);
      if (page.some((byte) => byte !== 0)) pages.set(index, page);
      else pages.delete(index);
    });
    this.#rebase(pages);
    return pages;
  }

  /** Gives memory the contents of `pages`, touching what differs alone. */
  restore(pages: Pages): void {
    const base = this.#base;
    this.#forEachPage((index, entry, physicalPage) => {
      const dirty = (this.#view.getUint32(entry, true) & PAGE_FLAG.dirty) !== 0;
      const page = pages.get(index);
      if (!dirty && base.get(index) === page) return;
      const at = this.#host(index);
      if (page) this.#bytes.set(page, at);
      else this.#bytes.fill(0, at, at + PAGE_SIZE);
      this.#changed(physicalPage);
    });
    this.#rebase(pages);
  }

  #rebase(pages: Pages): void {
    this.#base = pages;
    this.#forEachPage((_index, entry) => {
      const map = this.#view.getUint32(entry, true);
      this.#view.setUint32(entry, map & ~PAGE_FLAG.dirty, true);
    });
  }

  #host(index: number): number {
    return GUEST_MEMORY + index * PAGE_SIZE;
  }

  #forEachPage(visit: (index: number, mapEntry: number, physicalPage: number) => void): void {
    for (const { kind, host, base, length } of this.#memory.regions) {
      if (kind === 'mmio') continue;
      const first = (host - GUEST_MEMORY) / PAGE_SIZE;
      for (let i = 0; i < length / PAGE_SIZE; i++) {
        const physicalPage = base / PAGE_SIZE + i;
        visit(first + i, PAGE_MAP + physicalPage * 4, physicalPage);
      }
    }
  }
}
