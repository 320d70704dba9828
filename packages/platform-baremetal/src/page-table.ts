import { EFI_PAGE_SIZE } from '@systab/efi-core';
import type { PageMapping, PhysAddr } from '@systab/efi-core';

/** Entry bits of 4-level paging (SDM Vol. 3A, 4.5.4). */
const PRESENT = 0x1;
const WRITABLE = 0x2;
const CACHE_DISABLED = 0x10;
const LARGE = 0x80;
const NO_EXECUTE = 0x8000_0000;

const ENTRIES = 512;
const LARGE_PAGES = 512;
const FOUR_GIB = 2 ** 32;

/** Where the pages of a table come from and how they are written. */
export interface TableMemory {
  readonly allocate: () => PhysAddr | undefined;
  readonly write: (at: PhysAddr, bytes: Uint8Array) => void;
}

interface Table {
  readonly at: PhysAddr;
  readonly entries: Uint32Array;
  readonly children: Map<number, Table>;
  changed: boolean;
}

/** A page table of 4 levels in the memory of the machine; 2 MiB pages where a mapping allows them. */
export class PageTable {
  readonly #memory: TableMemory;
  readonly #root: Table;
  /** Every page of the table, for whoever gives them back. */
  readonly pages: PhysAddr[] = [];

  /** Throws `RangeError` when `allocate` has no page left, as every other method does. */
  constructor(memory: TableMemory) {
    this.#memory = memory;
    this.#root = this.#table();
  }

  /** Value for CR3. */
  get root(): PhysAddr {
    return this.#root.at;
  }

  /** Maps a run of pages; what was mapped at its addresses before is replaced. Takes effect with `store`. */
  map({ virt, phys, pages, writable, executable, cached }: PageMapping): void {
    const low = PRESENT | (writable ? WRITABLE : 0) | (cached ? 0 : CACHE_DISABLED);
    const high = executable ? 0 : NO_EXECUTE;
    const first = Number((virt >> 12n) & 0xf_ffff_ffffn);
    const frame = phys / EFI_PAGE_SIZE;
    for (let done = 0; done < pages;) {
      const page = first + done;
      const target = frame + done;
      const large =
        page % LARGE_PAGES === 0 && target % LARGE_PAGES === 0 && pages - done >= LARGE_PAGES;
      const level = large ? 1 : 0;
      const table = this.#walk(page, level);
      const index = Math.floor(page / ENTRIES ** level) % ENTRIES;
      if (large) table.children.delete(index);
      this.#set(table, index, target * EFI_PAGE_SIZE, large ? low | LARGE : low, high);
      done += large ? LARGE_PAGES : 1;
    }
  }

  /** Writes what changed to the machine's memory. */
  store(): void {
    const visit = (table: Table): void => {
      if (table.changed) {
        const { buffer, byteOffset, byteLength } = table.entries;
        this.#memory.write(table.at, new Uint8Array(buffer, byteOffset, byteLength));
        table.changed = false;
      }
      for (const child of table.children.values()) visit(child);
    };
    visit(this.#root);
  }

  /** The table of a level (0: the one with 4 KiB pages) that covers a page; large pages on the way are split. */
  #walk(page: number, level: number): Table {
    let table = this.#root;
    for (let above = 3; above > level; above -= 1) {
      const index = Math.floor(page / ENTRIES ** above) % ENTRIES;
      let child = table.children.get(index);
      if (child === undefined) {
        child = this.#table();
        this.#split(table, index, child);
        table.children.set(index, child);
        this.#set(table, index, child.at, PRESENT | WRITABLE, 0);
      }
      table = child;
    }
    return table;
  }

  /** Fills a table that takes the place of a 2 MiB page. */
  #split(parent: Table, index: number, child: Table): void {
    const low = parent.entries[index * 2] ?? 0;
    const high = parent.entries[index * 2 + 1] ?? 0;
    if ((low & (PRESENT | LARGE)) !== (PRESENT | LARGE)) return;
    for (let at = 0; at < ENTRIES; at += 1) {
      child.entries[at * 2] = ((low & ~LARGE) | (at * EFI_PAGE_SIZE)) >>> 0;
      child.entries[at * 2 + 1] = high;
    }
  }

  #set(table: Table, index: number, address: number, low: number, high: number): void {
    table.entries[index * 2] = ((address % FOUR_GIB) | low) >>> 0;
    table.entries[index * 2 + 1] = (Math.floor(address / FOUR_GIB) | high) >>> 0;
    table.changed = true;
  }

  #table(): Table {
    const at = this.#memory.allocate();
    if (at === undefined) throw new RangeError('no page left for a page table');
    this.pages.push(at);
    return { at, entries: new Uint32Array(ENTRIES * 2), children: new Map(), changed: true };
  }
}
