/** Pages of the domain's own memory, handed out and taken back. */

/** A run of free pages, by page number. */
interface Run {
  readonly first: number;
  readonly count: number;
}

export class PageHeap {
  readonly #total: number;
  #free: readonly Run[];

  constructor(pages: number) {
    this.#total = pages;
    this.#free = [{ first: 0, count: pages }];
  }

  /** The first of `pages` pages in a row; undefined when there are not so many. */
  allocate(pages: number): number | undefined {
    const found = this.#free.find(({ count }) => count >= pages);
    if (found === undefined || pages < 1) return undefined;
    this.#free = this.#free.flatMap((run) =>
      run === found ? this.#run(run.first + pages, run.count - pages) : [run],
    );
    return found.first;
  }

  /** Takes pages back; false when some of them are not out. */
  free(first: number, pages: number): boolean {
    const end = first + pages;
    const overlaps = this.#free.some((run) => run.first < end && first < run.first + run.count);
    if (pages < 1 || first < 0 || end > this.#total || overlaps) return false;
    const before = this.#free.find((run) => run.first + run.count === first);
    const after = this.#free.find((run) => run.first === end);
    const start = before?.first ?? first;
    const stop = after === undefined ? end : after.first + after.count;
    const rest = this.#free.filter((run) => run !== before && run !== after);
    this.#free = [...rest, { first: start, count: stop - start }].toSorted(
      (left, right) => left.first - right.first,
    );
    return true;
  }

  #run(first: number, count: number): readonly Run[] {
    return count > 0 ? [{ first, count }] : [];
  }
}
