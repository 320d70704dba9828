import { efiFail, efiOk, EFI_PAGE_SIZE, EfiStatus, physAddr } from '@systab/efi-core';
import type { EfiResult, PageRequest, PhysAddr } from '@systab/efi-core';

/** Pages from `start` on, counted in pages: `[start, end)`. */
interface Run {
  readonly start: number;
  readonly end: number;
}

/** The memory the kernel may hand out: runs of free pages, the lowest that fits first. */
export class PageAllocator {
  #free: readonly Run[] = [];

  /** Free pages, all runs together. */
  get available(): number {
    return this.#free.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Makes whole pages inside `[from, to)` free; what is free already stays so. */
  add(from: bigint, to: bigint): void {
    const page = BigInt(EFI_PAGE_SIZE);
    this.#insert({ start: Number((from + page - 1n) / page), end: Number(to / page) });
  }

  /** Takes every page that touches `[from, to)` out of what may be handed out. */
  reserve(from: bigint, to: bigint): void {
    const page = BigInt(EFI_PAGE_SIZE);
    this.#remove({ start: Number(from / page), end: Number((to + page - 1n) / page) });
  }

  /** Contiguous pages; EFI_OUT_OF_RESOURCES when no run below the limit has as many. */
  allocate({ pages, below }: PageRequest): EfiResult<PhysAddr> {
    const limit = below === undefined ? Infinity : Number(below / BigInt(EFI_PAGE_SIZE));
    const run = this.#free.find(({ start, end }) => Math.min(end, limit) - start >= pages);
    const at = run === undefined ? undefined : physAddr(run.start * EFI_PAGE_SIZE);
    if (run === undefined || at === undefined || pages <= 0) {
      return efiFail(EfiStatus.OUT_OF_RESOURCES, { why: `no ${String(pages)} free pages` });
    }
    this.#remove({ start: run.start, end: run.start + pages });
    return efiOk(at);
  }

  #insert(added: Run): void {
    if (added.end <= added.start) return;
    const apart = this.#free.filter(({ start, end }) => end < added.start || start > added.end);
    const touching = this.#free.filter((run) => !apart.includes(run));
    const start = Math.min(added.start, ...touching.map((run) => run.start));
    const end = Math.max(added.end, ...touching.map((run) => run.end));
    this.#free = [...apart, { start, end }].toSorted((left, right) => left.start - right.start);
  }

  #remove(taken: Run): void {
    this.#free = this.#free.flatMap(({ start, end }) =>
      [
        { start, end: Math.min(end, taken.start) },
        { start: Math.max(start, taken.end), end },
      ].filter((run) => run.end > run.start),
    );
  }
}
