/** The initial domain with a kernel in TypeScript: its memory, and hypercalls through its hypercall page. */
import { callGuest } from '@systab/x86-emu';
import type { Machine, VmExit } from '@systab/x86-emu';
import { HYPERCALL, HYPERCALL_SLOT_SIZE, xenErrno } from '../abi/hypercall.ts';
import type { HypercallName } from '../abi/hypercall.ts';
import type { StartInfo } from '../abi/start-info.ts';
import { DOM0_LAYOUT, DOM0_VIRT_BASE } from '../boot/dom0-kernel.ts';
import { HYPERCALL_CONVENTION } from './hypercall.ts';
import type { HypercallOutcome, HypercallRecord } from './hypercall.ts';
import { PageHeap } from './page-heap.ts';

/** How hypercalls are made, and who hears of them. */
export interface Dom0Options {
  /** Most instructions of one hypercall; default 500 million. */
  readonly budget?: number;
  readonly onHypercall?: (record: HypercallRecord) => void;
}

const DEFAULT_BUDGET = 500_000_000;
const PAGE = 4096;
/** Pages at the beginning of the heap for the arguments of one hypercall. */
const ARGUMENT_PAGES = 320;
const ALIGNMENT = 16;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** How a run that was to come back ended otherwise. */
const lostControl = (machine: Machine, exit: VmExit, budget: number): HypercallOutcome => {
  const at = hex(machine.rip);
  switch (exit.kind) {
    case 'shutdown':
      return { kind: 'left', how: exit.event === 'off' ? 'powered off' : 'restarted' };
    case 'tripleFault':
      return { kind: 'left', how: 'restarted' };
    case 'halt':
      return { kind: 'left', how: 'halted' };
    case 'budget':
      return { kind: 'hung', why: `${String(budget)} instructions used up at ${at}` };
    default:
      return { kind: 'hung', why: `stopped at ${at} (${exit.kind})` };
  }
};

export class Dom0 {
  readonly machine: Machine;
  readonly startInfo: StartInfo;
  readonly #budget: number;
  readonly #listen: (record: HypercallRecord) => void;
  readonly #heap = new PageHeap(DOM0_LAYOUT.heapPages - ARGUMENT_PAGES);
  readonly #heapStart = DOM0_LAYOUT.heap + BigInt(ARGUMENT_PAGES * PAGE);
  /** Set when control was lost for good. */
  #lost: HypercallOutcome | undefined;

  /** The machine has to be at the kernel's entry point; `bootDom0` brings it there. */
  constructor(machine: Machine, startInfo: StartInfo, options: Dom0Options = {}) {
    this.machine = machine;
    this.startInfo = startInfo;
    this.#budget = options.budget ?? DEFAULT_BUDGET;
    this.#listen = options.onHypercall ?? (() => {});
  }

  /** Whether an address is one of the domain's own, and not the machine's. */
  owns(at: bigint | number): boolean {
    return BigInt(at) >= DOM0_VIRT_BASE;
  }

  /** Makes a hypercall with up to five arguments. After the machine is gone, or control was lost, it answers that again. */
  hypercall(name: HypercallName, args: readonly bigint[]): HypercallOutcome {
    if (this.#lost !== undefined) return this.#lost;
    if (args.length > HYPERCALL_CONVENTION.argumentRegisters.length)
      throw new RangeError(`${name} with ${String(args.length)} arguments, expected at most 5`);
    const entry = DOM0_LAYOUT.hypercallPage + BigInt(HYPERCALL[name] * HYPERCALL_SLOT_SIZE);
    const { exit, returned, value, instructions, breaches } = callGuest(
      this.machine,
      HYPERCALL_CONVENTION,
      entry,
      args,
      { budget: this.#budget },
    );
    const outcome = returned ? this.#answer(value) : lostControl(this.machine, exit, this.#budget);
    if (!returned) this.#lost = outcome;
    this.#listen({ name, args, outcome, instructions, breaches });
    return outcome;
  }

  /** Bytes of the domain's own memory; undefined where it has none, or has none any more. */
  read(at: bigint, length: number): Uint8Array | undefined {
    return this.#lost === undefined ? this.machine.readLinear(at, length) : undefined;
  }

  /** Stores bytes in the domain's own memory; false where it has none, or has none any more. */
  write(at: bigint, bytes: Uint8Array): boolean {
    return this.#lost === undefined && this.machine.writeLinear(at, bytes);
  }

  /**
   * Places for the arguments of the next hypercall, one for each size in bytes, zeroed; they serve until the next call of this
   * function. Undefined when there is no room for so much.
   */
  reserveArguments(sizes: readonly number[]): readonly bigint[] | undefined {
    let used = 0;
    const places = sizes.map((size) => {
      const at = DOM0_LAYOUT.heap + BigInt(used);
      used += Math.max(ALIGNMENT, Math.ceil(size / ALIGNMENT) * ALIGNMENT);
      return at;
    });
    if (used > ARGUMENT_PAGES * PAGE) return undefined;
    this.store(DOM0_LAYOUT.heap, new Uint8Array(used));
    return places;
  }

  /** Stores bytes at a place that is known to be there; does nothing once control is lost. */
  store(at: bigint, bytes: Uint8Array): void {
    if (this.#lost === undefined && !this.write(at, bytes))
      throw new Error(`the domain has no memory at ${hex(at)}`);
  }

  /** Bytes from a place that is known to be there; zeros once control is lost. */
  load(at: bigint, length: number): Uint8Array {
    if (this.#lost !== undefined) return new Uint8Array(length);
    const bytes = this.read(at, length);
    if (bytes === undefined) throw new Error(`the domain has no memory at ${hex(at)}`);
    return bytes;
  }

  /** Address of `pages` pages in a row, zeroed; undefined when there are none left. */
  allocatePages(pages: number): bigint | undefined {
    const first = this.#heap.allocate(pages);
    if (first === undefined) return undefined;
    const at = this.#heapStart + BigInt(first * PAGE);
    this.store(at, new Uint8Array(pages * PAGE));
    return at;
  }

  /** Takes pages back; false when they are not out. */
  freePages(at: bigint, pages: number): boolean {
    const offset = Number(at - this.#heapStart);
    return offset % PAGE === 0 && this.#heap.free(offset / PAGE, pages);
  }

  #answer(value: bigint): HypercallOutcome {
    const errno = xenErrno(value);
    return errno === undefined ? { kind: 'returned', value } : { kind: 'failed', errno };
  }
}
