/**
 * The interpreter engine: owns linear memory and WebAssembly instances, executes slices of instructions, decodes what is missing, delivers exceptions.
 * What surrounds the processor (time, interrupts, devices) is given to it by `EngineHost`.
 *
 * Longer than most files: the run loop and what helpers may ask for share the state of the instruction being executed.
 */
import { CpuState } from '../cpu/cpu-state.ts';
import { CR4, FLAG } from '../cpu/control-bits.ts';
import type { CpuProfile } from '../cpu/cpuid-profile.ts';
import { createCpuid, profileHasFeature } from '../cpu/cpuid.ts';
import { DR6, armedBreakpoints, recordDebug } from '../cpu/debug-registers.ts';
import { Fault } from '../cpu/helper.ts';
import type { Cpu, Ports } from '../cpu/helper.ts';
import { deliver } from '../cpu/interrupts.ts';
import type { InterruptEvent } from '../cpu/interrupts.ts';
import { FIELDS } from '../cpu/state-layout.ts';
import type { MsrFile } from '../cpu/msr.ts';
import { buildDecodeTable } from '../decode/decode-table.ts';
import { Decoder } from '../decode/decoder.ts';
import { ROWS } from '../isa/table.ts';
import { CodeCache } from './code-cache.ts';
import { CodeFetch, MAX_LENGTH } from './code-fetch.ts';
import { buildCoreModule } from './core-module.ts';
import type { CoreExports } from './core-module.ts';
import { createCpu } from './cpu-adapter.ts';
import { DebugHits } from './debug-hits.ts';
import { createImports } from './engine-imports.ts';
import { EXIT } from './exit.ts';
import { Handlers } from './handlers.ts';
import { hotShapes } from './hot-handlers.ts';
import { HotSpots } from './hot-spots.ts';
import { InstructionView } from './insn-view.ts';
import { GUEST_MEMORY, PAGE_SIZE } from './layout.ts';
import { deriveMode } from './mode.ts';
import { ACCESS, TRANSLATED } from './paging.ts';
import { PhysicalMemory } from './physical-memory.ts';
import { RECORD, RECORD_SIZE } from './record.ts';
import { Tlb } from './tlb.ts';

/** The machine around the processor. */
export interface EngineHost {
  readonly ports: Ports;
  readonly msrs: MsrFile;
  /** The time stamp counter. */
  readonly timeStamp: () => bigint;
  readonly entropy: () => bigint;
  /** A watched page is accessed. */
  readonly watched: (physical: number, bytes: number, write: boolean) => void;
  /** What an access to nothing reads. */
  readonly unclaimed: (bytes: number) => number;
  /** An exception or interrupt is about to be delivered; true to stop instead (`intercepted`). */
  readonly interrupting: (event: InterruptEvent) => boolean;
  /** Memory-mapped I/O, for the trace. */
  readonly ioAccess: (physical: number, bytes: number, value: number, write: boolean) => void;
}

/** Why `execute` came back. */
export type StopReason =
  /** The count is used up. */
  | 'count'
  /** A helper asked for it: halted, or events to look at. */
  | 'event'
  /** The next instruction is at a breakpoint offset. */
  | 'breakpoint'
  /** Triple fault. */
  | 'shutdown'
  /** `EngineHost.interrupting` kept an exception from being delivered. */
  | 'intercepted'
  /** RIP is `stopRip`. */
  | 'until';

export interface EngineOptions {
  /** Bytes of linear memory for guest RAM and ROM. */
  readonly memory: number;
  readonly profile: CpuProfile;
}

const PAGE = 65536;
const REMAINING = FIELDS.remaining.address;
const RETIRED = FIELDS.retired.address;
const NO_SHADOW = 0xffff_ffff;

/** Core modules by physical address width and profile: building one costs milliseconds, instantiating it microseconds. */
const coreModules = new Map<string, WebAssembly.Module>();

/** Decode tables by profile. */
const decodeTables = new WeakMap<CpuProfile, ReturnType<typeof buildDecodeTable>>();

const decodeTableOf = (profile: CpuProfile): ReturnType<typeof buildDecodeTable> => {
  let table = decodeTables.get(profile);
  if (!table) {
    table = buildDecodeTable(ROWS, (feature) => profileHasFeature(profile, feature));
    decodeTables.set(profile, table);
  }
  return table;
};

export class Engine {
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly state: CpuState;
  readonly physical: PhysicalMemory;
  readonly code: CodeCache;
  readonly cpu: Cpu;
  readonly hotSpots: HotSpots;
  /** Where `execute` stops before fetching anything: an address that holds no code (the return address of a call from outside). */
  stopRip: bigint | undefined = undefined;
  readonly #core: CoreExports;
  readonly #handlers: Handlers;
  readonly #decoder: Decoder;
  readonly #insn: InstructionView;
  readonly #tlb: Tlb;
  readonly #fetch: CodeFetch;
  readonly #host: EngineHost;
  /** A helper set a new RIP; a helper wants the run loop's attention. */
  #continued = false;
  #event = false;
  /** A helper is running; it changed what the present code page means. */
  #inHelper = false;
  #stale = false;
  /** Instructions of the present slice. */
  #slice = 0;
  readonly #debug: DebugHits;
  /** Exceptions delivered so far. */
  #traps = 0;

  constructor(options: EngineOptions, host: EngineHost) {
    const { profile } = options;
    this.#host = host;
    const pages = Math.ceil((GUEST_MEMORY + options.memory) / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    this.state = new CpuState(buffer);
    this.physical = new PhysicalMemory(buffer, (first, count) => this.#mapChanged(first, count));
    this.#decoder = new Decoder(decodeTableOf(profile));

    const hot = hotShapes(this.#decoder);
    const key = `${profile.physicalBits}:${hot.map((h) => h.key).join()}`;
    let module = coreModules.get(key);
    if (!module) {
      module = new WebAssembly.Module(
        buildCoreModule(
          hot.map((h) => h.shape),
          profile.physicalBits,
        ),
      );
      coreModules.set(key, module);
    }
    const functions = new WebAssembly.Table({ element: 'anyfunc', initial: 256 });
    this.#debug = new DebugHits(this.state);
    const imports = createImports({
      state: this.state,
      physical: this.physical,
      cpu: () => this.cpu,
      helper: (index, record) => this.#helper(index, record),
      codeWritten: (physical, bytes) => this.#codeWritten(physical, bytes),
      watched: host.watched,
      debugAccess: (linear, bytes, write) => this.#debug.memoryAccess(linear, bytes, write),
      ioAccess: host.ioAccess,
      unclaimed: host.unclaimed,
      announce: () => host.interrupting(this.#faultEvent()),
      raise: (vector, errorCode) => this.#raise(vector, errorCode),
    });
    const env = { memory: this.memory, table: functions, ...imports };
    const core = new WebAssembly.Instance(module, { env });
    this.#core = core.exports as unknown as CoreExports;
    this.#tlb = new Tlb(this.view, this.state, this.#core);
    this.#handlers = new Handlers(
      hot.map((h) => h.key),
      functions,
      { env: { ...env, ...core.exports } },
    );
    this.code = new CodeCache(this, this.#decoder, this.#handlers, {
      forgetWrites: () => this.#tlb.flushData(),
      forgetPages: () => this.#tlb.flushExec(),
      dropHandlers: (handlers) => this.hotSpots.drop(handlers),
    });
    this.hotSpots = new HotSpots({
      memory: this,
      state: this.state,
      code: this.code,
      handlers: this.#handlers,
      decoder: this.#decoder,
    });
    this.#fetch = new CodeFetch({
      memory: this,
      state: this.state,
      core: this.#core,
      physical: this.physical,
      code: this.code,
      tlb: this.#tlb,
      decoder: this.#decoder,
      unclaimed: host.unclaimed,
      raise: (vector, errorCode) => this.#raise(vector, errorCode),
    });
    this.cpu = this.#createCpu(profile);
    this.#insn = new InstructionView(this.view, () => this.cpu);
    this.resetTranslations();
  }

  /** Instructions retired since reset, exact at any moment, also within helpers and I/O handlers. */
  get retired(): number {
    const { view } = this;
    const before = view.getUint32(RETIRED, true) + view.getUint32(RETIRED + 4, true) * 2 ** 32;
    return before + this.#slice - view.getUint32(REMAINING, true);
  }

  /** RIP of the instruction being executed, within helpers and I/O handlers; of the next one otherwise. */
  get currentRip(): bigint {
    return this.#slice === 0 ? this.state.big('rip') : this.#recordRip();
  }

  /** Bytes of the instruction at RIP; fewer than 15 if what follows cannot be fetched. Changes nothing. */
  codeBytes(): Uint8Array {
    const linear = this.#fetch.linear(this.state.big('rip'));
    const out: number[] = [];
    for (let i = 0; i < MAX_LENGTH; i++) {
      const byte = this.peek(BigInt.asUintN(64, linear + BigInt(i)));
      if (byte === undefined) break;
      out.push(byte);
    }
    return Uint8Array.from(out);
  }

  /** Default operand size of the code segment. */
  get codeBits(): 16 | 32 | 64 {
    return this.#fetch.mode.defaultSize;
  }

  /** The byte at a linear address, as `translate` finds it, or undefined. Raises no fault; may set accessed bits. */
  peek(linear: bigint): number | undefined {
    const host = this.translate(linear);
    return host === undefined ? undefined : this.bytes[host];
  }

  /**
   * Host address of a linear address for whoever looks from outside, or undefined if it is not mapped to memory: with the rights of a
   * supervisor that SMAP does not keep from user pages. The state's fault fields and CR2 are kept.
   */
  translate(linear: bigint): number | undefined {
    const { state } = this;
    const cr2 = state.big('cr2');
    const cr4 = state.big('cr4');
    state.setBig('cr4', cr4 & ~BigInt(CR4.SMAP));
    const host = this.#core.translate(linear, ACCESS.system);
    state.setBig('cr4', cr4);
    if (host === TRANSLATED.fault) {
      this.state.set('unwind', 0);
      this.state.setBig('cr2', cr2);
      return undefined;
    }
    return host === TRANSLATED.notMemory ? undefined : host;
  }

  /** State changed from outside (reset, snapshot, an embedder's register write): derive everything anew. */
  stateChanged(): void {
    deriveMode(this.state);
    this.#tlb.flush();
  }

  /** The state was replaced as a whole: its lists of filled TLB entries say nothing about the TLB. */
  resetTranslations(): void {
    this.state.set('shadow', NO_SHADOW);
    this.#tlb.reset();
    deriveMode(this.state);
  }

  /** Makes the present slice end after the instruction being executed (for handlers and hooks). */
  endSlice(): void {
    this.shortenSlice(Infinity);
  }

  /** Takes instructions off the present slice, at most those that are left. */
  shortenSlice(instructions: number): void {
    const remaining = this.state.get('remaining');
    if (this.#slice === 0 || remaining === 0) return;
    const less = Math.min(instructions, remaining);
    this.#slice -= less;
    this.state.set('remaining', remaining - less);
    if (this.state.get('shadow') === remaining) this.state.set('shadow', remaining - less);
  }

  /** Interrupts are held off because the last instruction was STI, MOV SS or POP SS. */
  get interruptShadow(): boolean {
    return this.state.get('shadow') === this.state.get('remaining');
  }

  /** Delivers an interrupt or exception before the next instruction. */
  deliver(event: InterruptEvent): StopReason | undefined {
    if (this.#host.interrupting(event)) return 'intercepted';
    this.#continued = false;
    return deliver(this.cpu, event) === 'shutdown' ? 'shutdown' : undefined;
  }

  /**
   * Executes up to `count` instructions (1 to 2^30) from RIP on. `passBreakpoint` executes the first one whatever breakpoints say.
   * RIP is that of the next instruction when it comes back.
   */
  execute(count: number, passBreakpoint = false): StopReason {
    const { state } = this;
    this.#event = false;
    this.#fetch.passBreakpoint = passBreakpoint;
    this.#slice = count;
    state.set('remaining', count);
    state.set('shadow', NO_SHADOW);
    const reason = this.#careful() ? this.#step() : this.#run();
    state.setBig('retired', BigInt(this.retired));
    // Relative to the end of the slice, so that `interruptShadow` can be asked until the next one.
    this.#slice = 0;
    state.set('shadow', state.get('shadow') === state.get('remaining') ? 0 : NO_SHADOW);
    state.set('remaining', 0);
    return reason;
  }

  /** Translates the region at RIP now; hot code is found by itself. */
  translateHere(): void {
    if (this.#findQuietly()) this.hotSpots.translate(this.#fetch.mode);
  }

  /** Forgets the code of the page at RIP, translated or decoded. */
  dropHere(): void {
    if (this.#findQuietly()) this.code.drop(this.state.get('pagePhysical'));
  }

  /** Whether the instruction at RIP can be fetched; its record is the state's then. What the state says about an exception stays. */
  #findQuietly(): boolean {
    const { state } = this;
    const cr2 = state.big('cr2');
    if (state.big('rip') !== this.stopRip && this.#fetch.find()) return true;
    state.set('unwind', 0);
    state.setBig('cr2', cr2);
    return false;
  }

  /** Shows the translator where execution is, after a slice that ended with its count. */
  sample(): void {
    this.hotSpots.sample(this.#fetch.mode);
  }

  /** Single step or execution breakpoints: instructions are executed one at a time. */
  #careful(): boolean {
    return (this.state.get('systemFlags') & FLAG.TF) !== 0 || this.#debug.armed;
  }

  #run(): StopReason {
    const { state } = this;
    for (;;) {
      if (state.get('remaining') === 0) return 'count';
      if (state.big('rip') === this.stopRip) return 'until';
      if (!this.#fetch.find()) {
        // Each delivery costs an instruction, so that code which faults for ever ends with its budget.
        state.set('remaining', state.get('remaining') - 1);
        const stop = this.#deliverFault();
        if (stop) return stop;
        continue;
      }
      this.#core.run();
      switch (state.get('exitReason')) {
        case EXIT.budget:
          state.setBig('rip', this.#recordRip());
          return 'count';
        case EXIT.fault: {
          state.setBig('rip', this.#recordRip());
          const stop = this.#deliverFault();
          if (stop) return stop;
          if (this.#careful()) return 'event';
          break;
        }
        case EXIT.announced: {
          const stop = this.#deliverAnnounced();
          if (stop) return stop;
          break;
        }
        case EXIT.intercepted:
          state.set('unwind', 0);
          return 'intercepted';
        case EXIT.lookup:
          break;
        case EXIT.event:
          return 'event';
        case EXIT.breakpoint:
          state.setBig('rip', this.#recordRip());
          if (!this.#fetch.passBreakpoint) return 'breakpoint';
          break;
        default:
          throw new Error(`unknown exit reason ${state.get('exitReason')}`);
      }
    }
  }

  /** One instruction under single step or armed breakpoints, then the #DB that it brings. */
  #step(): StopReason {
    const { state } = this;
    const total = state.get('remaining');
    this.#slice = 1;
    state.set('remaining', 1);
    const linear = this.#fetch.linear(state.big('rip'));
    const armed = armedBreakpoints(state);
    const hit = armed.filter((b) => b.kind === 'execute' && b.linear === linear);
    if (hit.length > 0 && (state.get('systemFlags') & FLAG.RF) === 0) {
      for (const { index } of hit) recordDebug(state, 1 << index);
      return this.deliver({ vector: 1, kind: 'exception' }) ?? 'event';
    }
    const single = (state.get('systemFlags') & FLAG.TF) !== 0;
    const resumed = (state.get('systemFlags') & FLAG.RF) !== 0;
    this.#debug.bits = 0;
    const before = this.#traps;
    let reason = this.#run();
    if (reason !== 'count' && reason !== 'event') return reason;
    const retired = state.get('remaining') === 0;
    // A fault or software interrupt in between has taken TF with it.
    const interrupted = before !== this.#traps;
    // RF lives for one instruction (SDM Vol. 3B, 17.3.1.1).
    if (resumed && retired && !interrupted)
      state.set('systemFlags', state.get('systemFlags') & ~FLAG.RF);
    if (retired && !interrupted && (single || this.#debug.bits !== 0) && !this.interruptShadow) {
      recordDebug(state, (single ? DR6.BS : 0) | this.#debug.bits);
      reason = this.deliver({ vector: 1, kind: 'exception' }) ?? reason;
    }
    return reason === 'count' && total > 1 ? 'event' : reason;
  }

  #recordRip(): bigint {
    const { state, view } = this;
    return this.#insn.ripAt(view.getUint16(state.get('record') + RECORD.offset, true));
  }

  #raise(vector: number, errorCode: number | undefined): false {
    const { state } = this;
    state.set('faultVector', vector);
    state.set('faultErrorCode', errorCode ?? 0);
    state.set('faultHasErrorCode', errorCode === undefined ? 0 : 1);
    state.set('exitReason', EXIT.fault);
    state.set('unwind', 1);
    return false;
  }

  /** Delivers the fault that the state describes, RIP being the faulting instruction's. */
  #deliverFault(): StopReason | undefined {
    if (this.#host.interrupting(this.#faultEvent())) {
      this.state.set('unwind', 0);
      return 'intercepted';
    }
    return this.#deliverAnnounced();
  }

  /** The same where the machine has been told. */
  #deliverAnnounced(): StopReason | undefined {
    this.state.set('unwind', 0);
    this.#traps++;
    this.#continued = false;
    if (deliver(this.cpu, this.#faultEvent()) === 'shutdown') return 'shutdown';
    return this.#event ? 'event' : undefined;
  }

  #faultEvent(): InterruptEvent {
    const { state } = this;
    const errorCode = state.get('faultHasErrorCode') ? state.get('faultErrorCode') : undefined;
    return { vector: state.get('faultVector'), kind: 'exception', errorCode };
  }

  /** A page's mapping or contents changed from outside the CPU. */
  #mapChanged(firstPage: number, pageCount: number): void {
    // While the engine is being built there is nothing to forget.
    if (!this.code) return;
    this.code.dropRange(firstPage, pageCount);
    this.#tlb.flush();
  }

  #codeWritten(physical: number, bytes: number): void {
    this.code.drop(Math.floor(physical / PAGE_SIZE));
    const last = Math.floor((physical + bytes - 1) / PAGE_SIZE);
    if (last !== Math.floor(physical / PAGE_SIZE)) this.code.drop(last);
  }

  #helper(index: number, record: number): number {
    const { state } = this;
    const insn = this.#insn;
    const shape = this.#handlers.helper(index);
    insn.shape = shape;
    insn.record = record;
    this.#continued = false;
    this.#event = false;
    this.#stale = false;
    this.#inHelper = true;
    try {
      const { row } = shape;
      const blocked = row.unit ? state.get(`${row.unit}Blocked`) : 0;
      if (blocked) this.cpu.fault(blocked);
      if (row.cpl0 && state.get('cpl') !== 0) this.cpu.fault(13, 0);
      row.run?.(this.cpu, insn);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // RIP of a faulting instruction comes from its record, which needs the page and code base it was found by.
      if (this.#stale)
        throw new Error(`${shape.row.mnemonic} faulted after changing the mode`, { cause: error });
      this.#raise(error.vector, error.errorCode);
      return 0;
    } finally {
      this.#inHelper = false;
    }
    if (this.#event && !this.#continued) state.setBig('rip', insn.nextRip);
    if (this.#stale) this.#tlb.forgetPage();
    if (this.#event) {
      state.set('exitReason', EXIT.event);
      return 0;
    }
    if (this.#continued) return this.#core.lookup(state.big('rip'));
    return record + RECORD_SIZE;
  }

  #createCpu(profile: CpuProfile): Cpu {
    const { state } = this;
    const host = this.#host;
    const cpu = createCpu(
      {
        state,
        view: this.view,
        core: this.#core,
        physical: this.physical,
        unclaimed: host.unclaimed,
        codeWritten: (physical, bytes) => this.#codeWritten(physical, bytes),
        watched: host.watched,
      },
      {
        ports: this.#debug.watchPorts(host.ports),
        continueAt: (rip) => {
          state.setBig('rip', rip);
          this.#continued = true;
        },
        flushTlb: () => {
          this.#tlb.flush();
          if (this.#inHelper) this.#leavePage(this.#insn.nextRip);
        },
        invalidatePage: (linear) => {
          this.#tlb.invalidate(linear);
          if (this.#inHelper) this.#leavePage(this.#insn.nextRip);
        },
        modeChanged: () => {
          // Where a helper goes on must be known before its code segment's base is another one.
          const next = this.#inHelper ? this.#insn.nextRip : 0n;
          if (deriveMode(state)) this.#leavePage(next);
          if (this.#careful()) this.#event = true;
        },
        blockInterrupts: () => state.set('shadow', state.get('remaining')),
        checkEvents: () => {
          this.#event = true;
        },
        halt: () => {
          state.set('halted', 1);
          this.#event = true;
        },
        timeStamp: host.timeStamp,
        entropy: host.entropy,
        cpuid: createCpuid(profile, state),
        readMsr: (index) => host.msrs.read(cpu, index),
        writeMsr: (index, value) => host.msrs.write(cpu, index, value),
        physicalBits: profile.physicalBits,
      },
    );
    return cpu;
  }

  /** After a change of mode or mapping the next instruction is looked up anew. */
  #leavePage(next: bigint): void {
    if (!this.#inHelper) return;
    this.#stale = true;
    if (this.#continued) return;
    this.state.setBig('rip', next);
    this.#continued = true;
  }
}
