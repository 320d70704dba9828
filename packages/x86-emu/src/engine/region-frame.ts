/**
 * What outlives one instruction of a translated region: registers, flags and budget in locals, and the ways out.
 *
 * Inside the region there are no calls but those that vector instructions cannot do without: a call would make the compiler of WebAssembly keep
 * locals in memory around it, also where it is never reached. So whatever is not plain (a TLB miss, a fault, a slow path) steps back: the region ends
 * before the instruction, and the interpreter executes it. Every way out sets a few locals and branches to the one place behind all code
 * that stores the locals.
 */
import { gprAddress, xmmAddress } from '../cpu/state-layout.ts';
import type { Code, Label, Variable } from '../wasm/code.ts';
import { BASE } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, V128 } from '../wasm/expr.ts';
import { EXIT } from './exit.ts';
import { COUNTERS, PAGE_MASK, TARGETS, TARGET_COUNT, TARGET_RING } from './layout.ts';
import { loadField32, loadField64, storeField32, storeField64 } from './paging.ts';
import { RegionFlags } from './region-flags.ts';
import { REGION_EXIT } from './region-exit.ts';
import type { Callees } from './runtime-functions.ts';

export class RegionFrame {
  readonly c: Code;
  readonly callees: Callees;
  readonly flags: RegionFlags;
  /** Instructions left behind the present block. */
  readonly budget: Variable<'i32'>;
  readonly tlb: Variable<'i32'>;
  /** Linear address of the code page. */
  readonly page: Variable<'i64'>;
  /** Why the function ends (`REGION_EXIT`), the record that comes next or the branch that leads away, and its target. */
  readonly #reason: Variable<'i32'>;
  readonly #record: Variable<'i32'>;
  readonly #rip: Variable<'i64'>;
  readonly #registers = new Map<number, Variable<'i64'>>();
  readonly #vectors = new Map<number, Variable<'v128'>>();
  readonly #written = new Set<number>();
  readonly #writtenVectors = new Set<number>();
  #end: Label | undefined;

  constructor(c: Code, callees: Callees) {
    this.c = c;
    this.callees = callees;
    this.flags = new RegionFlags(c);
    this.budget = c.variable('i32');
    this.tlb = c.variable('i32');
    this.page = c.variable('i64');
    this.#reason = c.variable('i32');
    this.#record = c.variable('i32');
    this.#rip = c.variable('i64');
  }

  /** Builds the function around `body`: everything is loaded before and stored behind it. */
  build(body: () => void): void {
    const { c } = this;
    const paid = c.variable('i32');
    c.block((end) => {
      this.#end = end;
      body();
    });
    c.atEntry(() => {
      this.flags.loadAll();
      c.set(this.tlb, loadField32(c, 'tlb'));
      c.set(this.page, loadField64(c, 'pageLinear'));
      // The dispatch loop has paid for one instruction.
      c.set(this.budget, e.add(loadField32(c, 'remaining'), 1));
      c.set(paid, c.get(this.budget));
    });
    for (const n of this.#written)
      c.store('i64.store', BASE, c.get(this.register(n)), gprAddress(n));
    for (const n of this.#writtenVectors) c.storeV128(BASE, c.get(this.vector(n)), xmmAddress(n));
    this.flags.storeAll();
    storeField32(c, 'remaining', c.get(this.budget));
    this.#count(e.sub(c.get(paid), c.get(this.budget)));
    this.#leave();
  }

  register(n: number): Variable<'i64'> {
    const { c } = this;
    return known(this.#registers, n, () => {
      const variable = c.lasting('i64');
      c.atEntry(() => c.set(variable, c.load('i64.load', BASE, gprAddress(n))));
      return variable;
    });
  }

  setRegister(n: number, value: I64): void {
    this.c.set(this.register(n), value);
    this.#written.add(n);
  }

  vector(n: number): Variable<'v128'> {
    const { c } = this;
    return known(this.#vectors, n, () => {
      const variable = c.lasting('v128');
      c.atEntry(() => c.set(variable, c.loadV128(BASE, xmmAddress(n))));
      return variable;
    });
  }

  setVector(n: number, value: V128): void {
    this.c.set(this.vector(n), value);
    this.#writtenVectors.add(n);
  }

  /** Ends the function; `unused` instructions of the block are given back, and `record` comes next. */
  toRecord(reason: number, record: number, unused: number): void {
    this.c.set(this.#record, e.i32(record));
    this.#exit(reason, unused);
  }

  /** Ends the function with a jump to `rip`; of a direct branch, `branch` is the record that may keep the answer. */
  toRip(rip: I64, branch: number | undefined, unused: number): void {
    this.c.set(this.#rip, rip);
    if (branch !== undefined) this.c.set(this.#record, e.i32(branch));
    this.#exit(branch === undefined ? REGION_EXIT.computed : REGION_EXIT.branch, unused);
  }

  /** Ends the function so that the run loop looks at events before `rip`. */
  toEvents(rip: I64, unused: number): void {
    this.c.set(this.#rip, rip);
    this.#exit(REGION_EXIT.event, unused);
  }

  refund(unused: number): void {
    const { c } = this;
    if (unused > 0) c.set(this.budget, e.add(c.get(this.budget), unused));
  }

  #exit(reason: number, unused: number): void {
    const { c } = this;
    this.flags.settle();
    c.set(this.#reason, e.i32(reason));
    this.refund(unused);
    c.br(this.#end as Label);
  }

  /** Counts the exit by its reason, and the instructions executed here. */
  #count(executed: I32): void {
    const { c } = this;
    const at = c.let(e.shl(c.get(this.#reason), 3));
    c.store(
      'i64.store',
      at,
      e.add(c.load('i64.load', at, COUNTERS.exits), e.i64(1)),
      COUNTERS.exits,
    );
    const translated = c.load('i64.load', BASE, COUNTERS.translated);
    c.store('i64.store', BASE, e.add(translated, e.extendU(executed)), COUNTERS.translated);
  }

  #leave(): void {
    const { c, callees } = this;
    const reason = c.get(this.#reason);
    c.if(e.leU(reason, REGION_EXIT.onward), () => c.return(c.get(this.#record)));
    c.if(e.eq(reason, REGION_EXIT.branch), () => {
      storeField32(c, 'record', c.get(this.#record));
      c.return(c.letCall('i32', callees.resolve, c.get(this.#rip), c.get(this.#record)));
    });
    c.if(e.eq(reason, REGION_EXIT.computed), () => {
      this.#note();
      c.return(c.letCall('i32', callees.lookup, c.get(this.#rip)));
    });
    storeField64(c, 'rip', c.get(this.#rip));
    storeField32(c, 'exitReason', e.i32(EXIT.event));
    c.return(e.i32(0));
  }

  /** Leaves a note of a computed jump within the page that found no entry, for `hot-spots.ts`. */
  #note(): void {
    const { c } = this;
    const rip = c.get(this.#rip);
    c.if(e.eq(e.and(rip, e.i64(~BigInt(PAGE_MASK))), c.get(this.page)), () => {
      const count = c.load('i32.load', BASE, TARGET_COUNT);
      const place = e.shl(e.and(count, TARGETS - 1), 2);
      const target = e.or(loadField32(c, 'pageEntries'), e.and(e.wrap(rip), PAGE_MASK));
      c.store('i32.store', place, target, TARGET_RING);
      c.store('i32.store', BASE, e.add(count, 1), TARGET_COUNT);
    });
  }
}

const known = <T>(map: Map<number, T>, key: number, create: () => T): T => {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
};
