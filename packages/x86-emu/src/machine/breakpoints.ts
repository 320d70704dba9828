/** The embedder's breakpoints, by RIP. Code that has none at its page offsets runs at full speed. */

export class Breakpoints {
  readonly #set = new Set<bigint>();
  /** How many breakpoints and `until` addresses share a page offset. */
  readonly #offsets = new Map<number, number>();
  readonly #arm: (offset: number, armed: boolean) => void;

  /** `arm` makes the engine stop at a page offset, on whatever page. */
  constructor(arm: (offset: number, armed: boolean) => void) {
    this.#arm = arm;
  }

  add(rip: bigint): void {
    if (this.#set.has(rip)) return;
    this.#set.add(rip);
    this.enter(rip);
  }

  delete(rip: bigint): void {
    if (this.#set.delete(rip)) this.leave(rip);
  }

  has(rip: bigint): boolean {
    return this.#set.has(rip);
  }

  /** Makes the engine stop at `rip` for the time being. */
  enter(rip: bigint): void {
    const offset = Number(rip & 0xfffn);
    const count = this.#offsets.get(offset) ?? 0;
    this.#offsets.set(offset, count + 1);
    if (count === 0) this.#arm(offset, true);
  }

  leave(rip: bigint): void {
    const offset = Number(rip & 0xfffn);
    const count = this.#offsets.get(offset) ?? 0;
    this.#offsets.set(offset, count - 1);
    if (count === 1) this.#arm(offset, false);
  }
}
