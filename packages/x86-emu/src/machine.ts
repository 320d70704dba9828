/**
 * The machine for embedders: a processor, memory and ports, virtual time, hooks, snapshots.
 *
 * It has no devices of its own. Whoever puts a PC (or anything else) around the processor maps memory and handlers and drives the interrupt pins.
 *
 * Longer than most files: it is the one surface that embedders see; what can stand alone is in `machine/`.
 */
import type { CpuState, Segment } from './cpu/cpu-state.ts';
import { FLAG } from './cpu/control-bits.ts';
import type { InterruptEvent } from './cpu/interrupts.ts';
import { createMsrs } from './cpu/msr.ts';
import type { Msr } from './cpu/msr.ts';
import { resetCpuState } from './cpu/reset.ts';
import { FPU, STATE_BASE, STATE_END } from './cpu/state-layout.ts';
import type { SegmentName } from './cpu/state-layout.ts';
import { Alternation } from './engine/alternation.ts';
import { Engine } from './engine/engine.ts';
import type { TranslatorStatistics } from './engine/hot-spots.ts';
import { PAGE_FLAG, PAGE_MAP } from './engine/layout.ts';
import type { PhysicalMemory } from './engine/physical-memory.ts';
import { resetX87 } from './fpu/x87-state.ts';
import { Breakpoints } from './machine/breakpoints.ts';
import { Entropy } from './machine/entropy.ts';
import { Hooks } from './machine/hooks.ts';
import { MemoryImage } from './machine/memory-image.ts';
import { checkBudget, checkOptions } from './machine/options.ts';
import type { MachineOptions } from './machine/options.ts';
import { PortSpace } from './machine/port-space.ts';
import { readRegister, writeRegister } from './machine/registers.ts';
import type { RegisterName } from './machine/registers.ts';
import { SnapshotError } from './machine/snapshot.ts';
import type { SnapshotContents, StateObject } from './machine/snapshot.ts';
import { TRACE_EVENT, TraceHash } from './machine/trace-hash.ts';
import type { TraceEvent } from './machine/trace-hash.ts';
import { VirtualClock } from './machine/virtual-clock.ts';
import type { VmExit } from './machine/vm-exit.ts';

/** What surrounds the processor and takes part in snapshots: interrupt controller, devices. */
export interface Attachment {
  readonly name: string;
  readonly save: () => StateObject;
  readonly load: (state: StateObject) => void;
}

export interface EngineStatistics {
  /** Instructions decoded, code pages dropped, and times that everything was dropped for want of room. */
  readonly decoded: number;
  readonly drops: number;
  readonly flushes: number;
  readonly translated: TranslatorStatistics;
}

export interface RunOptions {
  /** Most instructions to execute; a delivered exception counts as one. Default: no limit. */
  readonly budget?: number;
  /** Stop before the instruction at this RIP (offset in CS). */
  readonly until?: bigint;
}

/** Instructions at a time, at most: a host enters better compiled code of the loop when it calls it again, not in the middle. */
const SLICE = 2 ** 20;
const TSC_PER_NS = 1n;
const LINEAR_PAGE = 4096;

export class Machine {
  readonly options: Required<Omit<MachineOptions, 'msrs' | 'setup'>>;
  readonly memory: PhysicalMemory;
  readonly ports: PortSpace;
  readonly clock: VirtualClock;
  readonly hooks: Hooks;
  readonly breakpoints: Breakpoints;
  readonly #engine: Engine;
  readonly #setup: MachineOptions['setup'];
  readonly #msrs: readonly Msr[];
  readonly #entropy: Entropy;
  readonly #trace = new TraceHash();
  readonly #attachments: Attachment[] = [];
  #acknowledge: (() => number) | undefined;
  #stop: VmExit | undefined;
  readonly #image: MemoryImage;
  readonly #alternation: Alternation | undefined;

  constructor(options: MachineOptions) {
    const checked = checkOptions(options);
    this.options = checked;
    this.#setup = options.setup;
    this.#msrs = options.msrs ?? [];
    this.#entropy = new Entropy(checked.entropySeed);
    if (checked.engine === 'alternating') this.#alternation = new Alternation(checked.entropySeed);
    this.ports = new PortSpace(
      (port, bytes, write) => this.#unclaimed('port', port, bytes, write),
      (port, bytes, value, write) => {
        const kind = write ? 'portWrite' : 'portRead';
        this.#traceEvent(kind, port, bytes, value);
        this.hooks.port?.(port, bytes, value, write);
      },
    );
    this.#engine = new Engine(
      { memory: checked.ram + checked.romCapacity, profile: checked.profile },
      {
        ports: this.ports,
        msrs: createMsrs(checked.profile, this.#msrs),
        timeStamp: () => BigInt(this.clock.now()) * TSC_PER_NS + this.state.big('tscOffset'),
        entropy: () => this.#entropy.next(),
        watched: (physical, bytes, write) => this.hooks.watched(physical, bytes, write),
        unclaimed: (bytes) => this.#unclaimedValue(bytes),
        interrupting: (event) => this.#interrupting(event),
        ioAccess: (physical, bytes, value, write) => this.#ioAccess(physical, bytes, value, write),
      },
    );
    this.clock = new VirtualClock(
      checked.clockRate,
      () => this.#engine.retired,
      (instructions) => this.#engine.shortenSlice(instructions),
    );
    this.memory = this.#engine.physical;
    this.#image = new MemoryImage(this.#engine.memory.buffer, this.memory, (page) =>
      this.#engine.code.drop(page),
    );
    this.hooks = new Hooks((page, watched) => this.#watchPage(page, watched));
    this.breakpoints = new Breakpoints((offset, armed) =>
      this.#engine.code.setBreakpointOffset(offset, armed),
    );
    if (checked.ram > 0) this.memory.mapMemory('ram', 0, checked.ram, 'ram');
    this.#setup?.(this);
    this.reset();
  }

  /** The CPU state; after changing it through this object call `stateChanged`. */
  get state(): CpuState {
    return this.#engine.state;
  }

  /** Instructions retired since reset. */
  get retired(): number {
    return this.#engine.retired;
  }

  /** Hash of all that passed between processor and machine since reset: 16 hex digits. */
  get traceHash(): string {
    return this.#trace.toString();
  }

  /** RIP of the instruction being executed (in a handler or hook), else of the next one. */
  get rip(): bigint {
    return this.#engine.currentRip;
  }

  /** Counters of the engine since it was made; they are no part of its state. */
  get statistics(): EngineStatistics {
    const { code, hotSpots } = this.#engine;
    return { ...code.statistics, translated: hotSpots.statistics };
  }

  /** Puts the processor into its state after power-up (SDM Vol. 3A, table 10-1). Memory, devices and time stay. */
  reset(): void {
    const { state } = this;
    const retired = state.big('retired');
    this.#engine.bytes.fill(0, STATE_BASE, STATE_END);
    state.setBig('retired', retired);
    resetCpuState(state, this.options.profile);
    resetX87({ view: this.#engine.view, base: FPU });
    this.#engine.resetTranslations();
  }

  readRegister(name: RegisterName): bigint {
    return readRegister(this.state, name);
  }

  writeRegister(name: RegisterName, value: bigint): void {
    if (writeRegister(this.state, name, value)) this.stateChanged();
  }

  segment(name: SegmentName): Segment {
    return this.state.segment(name);
  }

  /** Sets a segment register with its cached descriptor. The CPL is that of SS (SDM Vol. 3A, 5.5). */
  setSegment(name: SegmentName, segment: Segment): void {
    this.state.setSegment(name, segment);
    if (name === 'ss') this.state.set('cpl', (segment.attributes >> 5) & 3);
    this.stateChanged();
  }

  /** The CPU state was changed from outside: what the engine derived from it is stale. */
  stateChanged(): void {
    this.#engine.stateChanged();
  }

  /** Bytes at a linear address through the present page tables (supervisor rights, SMAP aside); undefined if any of them is not mapped to memory. */
  readLinear(linear: bigint, length: number): Uint8Array | undefined {
    const out = new Uint8Array(length);
    this.memory.transferred += length;
    return this.#pieces(linear, length, (host, at, count) =>
      out.set(this.#engine.bytes.subarray(host, host + count), at),
    )
      ? out
      : undefined;
  }

  /** Stores bytes at a linear address; false, with nothing stored, if any of them is not mapped to memory. */
  writeLinear(linear: bigint, bytes: Uint8Array): boolean {
    const places: (readonly [physical: number, piece: Uint8Array])[] = [];
    const all = this.#pieces(linear, bytes.length, (_host, at, count, physical) =>
      places.push([physical, bytes.subarray(at, at + count)]),
    );
    if (all) for (const [physical, piece] of places) this.memory.write(physical, piece);
    return all;
  }

  /** Physical address of a linear one, or undefined if it is not mapped to memory. */
  physicalAddress(linear: bigint): number | undefined {
    return this.#engine.translate(linear) === undefined
      ? undefined
      : Number(this.state.big('slowAddress'));
  }

  /** Up to 15 bytes of code at RIP. */
  codeBytes(): Uint8Array {
    return this.#engine.codeBytes();
  }

  /** Width of code at RIP. */
  get codeBits(): 16 | 32 | 64 {
    return this.#engine.codeBits;
  }

  /** Ends `run` after the instruction being executed. For handlers, hooks and devices. */
  stop(exit: VmExit): void {
    this.#stop ??= exit;
    this.#engine.cpu.checkEvents();
    this.#engine.endSlice();
  }

  /** Level of the interrupt pin; `acknowledge` gives the vector when the processor takes the interrupt. */
  setInterruptLine(level: boolean, acknowledge: () => number): void {
    this.#acknowledge = acknowledge;
    this.state.set('interruptPending', level ? 1 : 0);
    if (level && (this.state.get('systemFlags') & FLAG.IF) !== 0) this.#engine.endSlice();
  }

  /** Signals a non-maskable interrupt. */
  nmi(): void {
    this.state.set('nmiPending', 1);
    this.#engine.endSlice();
  }

  /** Adds something whose state belongs into snapshots. */
  attach(attachment: Attachment): void {
    if (this.#attachments.some((a) => a.name === attachment.name))
      throw new Error(`an attachment called '${attachment.name}' exists`);
    this.#attachments.push(attachment);
  }

  /** Executes instructions until the budget is used up, `until` is reached, or something ends the run. */
  run(options: RunOptions = {}): VmExit {
    const budget = checkBudget(options.budget);
    const { until } = options;
    const end = this.retired + budget;
    if (until !== undefined) this.breakpoints.enter(until);
    try {
      return this.#run(end, until);
    } finally {
      if (until !== undefined) this.breakpoints.leave(until);
    }
  }

  /** Executes one instruction (or delivers one event). */
  step(): VmExit | undefined {
    const exit = this.run({ budget: 1 });
    return exit.kind === 'budget' ? undefined : exit;
  }

  /**
   * Runs until control reaches `returnAddress`, a linear address that holds no code of the guest: for calls from outside.
   */
  runToReturn(returnAddress: bigint, budget: number): VmExit {
    const outer = this.#engine.stopRip;
    this.#engine.stopRip = returnAddress;
    try {
      return this.run({ budget });
    } finally {
      this.#engine.stopRip = outer;
    }
  }

  /** The whole state. Its cost follows the pages written since the last snapshot or restore. */
  snapshot(): SnapshotContents {
    const { bytes } = this.#engine;
    const pages = this.#image.capture();
    const contents: SnapshotContents = {
      layout: this.#layout(),
      cpu: bytes.slice(STATE_BASE, STATE_END),
      pages,
      machine: {
        skipped: this.clock.skipped,
        entropy: this.#entropy.state.toString(16),
        trace: this.#trace.state,
        attachments: Object.fromEntries(this.#attachments.map((a) => [a.name, a.save()])),
      },
    };
    // Write permissions in the TLB would let later writes go unseen.
    this.#engine.stateChanged();
    return contents;
  }

  /** Goes back to a snapshot of this machine or of one made with the same options; throws a SnapshotError for any other. */
  restore(contents: SnapshotContents): void {
    if (contents.layout !== this.#layout())
      throw new SnapshotError(
        `snapshot is of a machine '${contents.layout}', this one is '${this.#layout()}'`,
      );
    this.#image.restore(contents.pages);
    this.#engine.bytes.set(contents.cpu, STATE_BASE);
    const machine = contents.machine as {
      skipped: number;
      entropy: string;
      trace: readonly [number, number];
      attachments: Readonly<Record<string, StateObject>>;
    };
    this.clock.clear();
    this.clock.skipped = machine.skipped;
    this.#entropy.state = BigInt(`0x${machine.entropy}`);
    this.#trace.state = machine.trace;
    for (const a of this.#attachments) {
      const state = machine.attachments[a.name];
      if (!state) throw new SnapshotError(`snapshot has no state of '${a.name}'`);
      a.load(state);
    }
    this.#engine.resetTranslations();
  }

  /** A second machine in the same state. Handlers are those that `options.setup` maps. */
  fork(): Machine {
    const twin = new Machine({
      ...this.options,
      ...(this.#setup ? { setup: this.#setup } : {}),
      msrs: this.#msrs,
    });
    twin.restore(this.snapshot());
    return twin;
  }

  #run(end: number, until: bigint | undefined): VmExit {
    const { state } = this;
    let pass = true;
    const { hotSpots } = this.#engine;
    const translates = this.options.engine === 'translator';
    const alternation = this.#alternation;
    const slice = (): number => {
      if (alternation) return alternation.next(this.#engine);
      return translates ? hotSpots.interval : SLICE;
    };
    this.#stop = undefined;
    for (;;) {
      this.clock.fire();
      if (this.#stop) return this.#stop;
      const delivered = this.#deliverPending();
      if (delivered) return delivered;
      const left = end - this.retired;
      if (left <= 0) return { kind: 'budget' };
      if (state.get('halted')) {
        if (!this.clock.skipToNext()) return { kind: 'halt' };
        continue;
      }
      // Behind STI, MOV SS and POP SS events are held off for one instruction, and then looked for again.
      const single = this.hooks.code !== undefined || this.#engine.interruptShadow;
      const most = slice();
      const count = single ? 1 : Math.min(left, most, this.clock.instructionsToNext());
      this.hooks.code?.(state.big('rip'));
      const reason = this.#engine.execute(count, pass);
      pass = false;
      if (this.#stop) return this.#stop;
      switch (reason) {
        case 'count':
          if (translates && count === most) this.#engine.sample();
          break;
        case 'event':
          break;
        case 'breakpoint': {
          const rip = state.big('rip');
          if (rip === until) return { kind: 'until' };
          if (this.breakpoints.has(rip)) return { kind: 'breakpoint', rip };
          pass = true;
          break;
        }
        case 'shutdown':
          return {
            kind: 'tripleFault',
            rip: state.big('rip'),
            vector: state.get('faultVector'),
          };
        case 'intercepted':
          return this.#intercepted as VmExit;
        case 'until':
          return { kind: 'until' };
      }
    }
  }

  #intercepted: VmExit | undefined;

  #interrupting(event: InterruptEvent): boolean {
    const { state } = this;
    const { vector, errorCode } = event;
    this.#traceEvent('interrupt', state.low('rip'), 0, vector);
    if (this.hooks.interrupt?.(event) !== 'stop') return false;
    const rip = state.big('rip');
    this.#intercepted = { kind: 'exception', vector, errorCode, rip };
    return true;
  }

  /** NMI, then maskable interrupts, each at an instruction boundary outside a shadow. */
  #deliverPending(): VmExit | undefined {
    const { state } = this;
    if (this.#engine.interruptShadow) return undefined;
    let event: InterruptEvent | undefined;
    if (state.get('nmiPending') && !state.get('nmiBlocked')) {
      state.set('nmiPending', 0);
      event = { vector: 2, kind: 'nmi' };
    } else if (state.get('interruptPending') && (state.get('systemFlags') & FLAG.IF) !== 0) {
      if (!this.#acknowledge) throw new Error('the interrupt pin is up, but nobody acknowledges');
      event = { vector: this.#acknowledge(), kind: 'external' };
    }
    if (!event) return undefined;
    state.set('halted', 0);
    const stop = this.#engine.deliver(event);
    if (stop === 'intercepted') return this.#intercepted;
    if (stop === 'shutdown')
      return { kind: 'tripleFault', rip: state.big('rip'), vector: event.vector };
    return undefined;
  }

  #unclaimedValue(bytes: number): number {
    return this.options.unclaimed === 'zeros' ? 0 : 0xffff_ffff >>> (32 - bytes * 8);
  }

  #unclaimed(space: 'port' | 'memory', address: number, bytes: number, write: boolean): number {
    if (this.options.unclaimed === 'exit')
      this.stop({ kind: 'unclaimed', space, address, bytes, write, rip: this.rip });
    return this.#unclaimedValue(bytes);
  }

  #ioAccess(physical: number, bytes: number, value: number, write: boolean): void {
    const kind = write ? 'ioWrite' : 'ioRead';
    this.#traceEvent(kind, physical % 2 ** 32, bytes, value);
    if (!this.memory.regionAt(physical)) this.#unclaimed('memory', physical, bytes, write);
  }

  /** Everything that the hash covers passes here, and on to whoever listens. */
  #traceEvent(kind: TraceEvent['kind'], address: number, bytes: number, value: number): void {
    const { retired } = this.#engine;
    // Where an address leaves room for the width.
    const shift = kind === 'portRead' || kind === 'portWrite' ? 16 : 28;
    this.#trace.add(TRACE_EVENT[kind], retired, (address ^ (bytes << shift)) | 0, value);
    this.hooks.trace?.({ kind, address, bytes, value, retired });
  }

  #watchPage(page: number, watched: boolean): void {
    const { view } = this.#engine;
    const at = PAGE_MAP + page * 4;
    const map = view.getUint32(at, true);
    view.setUint32(at, watched ? map | PAGE_FLAG.watched : map & ~PAGE_FLAG.watched, true);
    this.#engine.stateChanged();
  }

  /** Translates a range page by page; false at the first page that is not memory. */
  #pieces(
    linear: bigint,
    length: number,
    visit: (host: number, at: number, count: number, physical: number) => void,
  ): boolean {
    for (let at = 0; at < length;) {
      const here = BigInt.asUintN(64, linear + BigInt(at));
      const host = this.#engine.translate(here);
      if (host === undefined) return false;
      const count = Math.min(length - at, LINEAR_PAGE - Number(here & 0xfffn));
      visit(host, at, count, Number(this.state.big('slowAddress')));
      at += count;
    }
    return true;
  }

  #layout(): string {
    const regions = this.memory.regions.map(
      (r) => `${r.kind}@${r.base.toString(16)}+${r.length.toString(16)}`,
    );
    const { clockRate, profile } = this.options;
    return [`v1 ${profile.name} ${clockRate}`, ...regions].join(' ');
  }
}

/** Creates a machine in its state after power-up. Throws a RangeError or MapError that says what was expected. */
export const createMachine = (options: MachineOptions = {}): Machine => new Machine(options);
