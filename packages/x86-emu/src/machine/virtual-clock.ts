/** Virtual time: nanoseconds since power-on, from retired instructions plus what passed without any: a halted processor's time, and that of slow accesses. */

/** A pending call. */
export interface Timer {
  /** Virtual nanoseconds. */
  readonly deadline: number;
}

interface PendingTimer extends Timer {
  readonly order: number;
  readonly fn: () => void;
}

const NS_PER_SECOND = 1e9;

export class VirtualClock {
  /** Instructions per virtual second. */
  readonly rate: number;
  readonly #retired: () => number;
  readonly #sooner: (instructions: number) => void;
  readonly #timers: PendingTimer[] = [];
  #order = 0;
  /** Nanoseconds that passed without instructions. */
  skipped = 0;

  /**
   * `sooner` is called with the number of instructions by which the next timer has come closer, Infinity for a new one: whoever runs
   * until the next timer has to stop so much earlier.
   */
  constructor(rate: number, retired: () => number, sooner: (instructions: number) => void) {
    this.rate = rate;
    this.#retired = retired;
    this.#sooner = sooner;
  }

  /** Virtual nanoseconds, an integer. */
  now(): number {
    return this.#at(this.#retired());
  }

  /** Calls `fn` once when time reaches `deadline`; timers of equal deadline fire in the order they were set. */
  at(deadline: number, fn: () => void): Timer {
    const timer = { deadline, fn, order: this.#order++ };
    const before = this.#timers.findIndex((t) => t.deadline > deadline);
    this.#timers.splice(before < 0 ? this.#timers.length : before, 0, timer);
    if (before === 0 || this.#timers.length === 1) this.#sooner(Infinity);
    return timer;
  }

  cancel(timer: Timer): void {
    const at = this.#timers.indexOf(timer as PendingTimer);
    if (at >= 0) this.#timers.splice(at, 1);
  }

  /** Calls what is due; gives whether anything was. */
  fire(): boolean {
    let fired = false;
    for (;;) {
      const first = this.#timers[0];
      if (!first || first.deadline > this.now()) return fired;
      this.#timers.shift();
      first.fn();
      fired = true;
    }
  }

  /** Instructions until the next timer is due, at least 1; Infinity without one. */
  instructionsToNext(): number {
    const first = this.#timers[0];
    if (!first) return Infinity;
    const wait = first.deadline - this.now();
    return wait <= 0 ? 1 : Math.max(1, Math.ceil((wait * this.rate) / NS_PER_SECOND));
  }

  /** Moves time on to the next timer, for a halted processor; false without one. */
  skipToNext(): boolean {
    const first = this.#timers[0];
    if (!first) return false;
    this.skipped += Math.max(0, first.deadline - this.now());
    return true;
  }

  /** Lets `ns` nanoseconds pass at once, within an instruction; timers that are due by then fire behind it. */
  pass(ns: number): void {
    this.skipped += ns;
    this.#sooner(Math.ceil((ns * this.rate) / NS_PER_SECOND));
  }

  /** Forgets all timers (restore: their owners set them again). */
  clear(): void {
    this.#timers.length = 0;
  }

  #at(retired: number): number {
    return Math.floor((retired * NS_PER_SECOND) / this.rate) + this.skipped;
  }
}
