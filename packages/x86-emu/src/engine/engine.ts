/**
 * The interpreter engine: owns linear memory and WebAssembly instances, executes slices of instructions, decodes what is missing, delivers exceptions.
 * What surrounds the processor (time, interrupts, devices) is given to it by `EngineHost`.
 */
import { CpuState } from '../cpu/cpu-state.ts';
import { FLAG } from '../cpu/control-bits.ts';
import type { CpuProfile } from '../cpu/cpuid-profile.ts';
import { createCpuid, profileHasFeature } from '../cpu/cpuid.ts';
import { DR6, armedBreakpoints, recordDebug } from '../cpu/debug-registers.ts';
import { Fault } from '../cpu/helper.ts';
import type { Cpu, Ports } from '../cpu/helper.ts';
import { deliver } from '../cpu/interrupts.ts';
import type { InterruptEvent } from '../cpu/interrupts.ts';
import type { MsrFile } from '../cpu/msr.ts';
import { slowPathFunction } from '../cpu/slow-path.ts';
import { buildDecodeTable } from '../decode/decode-table.ts';
import { Decoder } from '../decode/decoder.ts';
import type { DecodeMode } from '../decode/decoder.ts';
import { ROWS } from '../isa/table.ts';
import { isTranslatable, translateBlock } from './block-translator.ts';
import { CodeCache, RecordsExhausted } from './code-cache.ts';
import { concreteInstruction } from './concrete.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { buildCoreModule } from './core-module.ts';
import type { CoreExports } from './core-module.ts';
import { createCpu } from './cpu-adapter.ts';
import { DECODE_MODES, MODE_KEY } from './decode-modes.ts';
import { FIRST_HOT } from './dispatch-loop.ts';
import { EXIT } from './exit.ts';
import { Handlers } from './handlers.ts';
import { hotShapes } from './hot-handlers.ts';
import { InstructionView } from './insn-view.ts';
import { GUEST_MEMORY, PAGE_SIZE } from './layout.ts';
import { deriveMode } from './mode.ts';
import { ACCESS, TRANSLATED } from './paging.ts';
import { PhysicalMemory } from './physical-memory.ts';
import type { IoSize } from './physical-memory.ts';
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
const MAX_LENGTH = 15;
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
  /** Where `execute` stops before fetching anything: an address that holds no code (the return address of a call from outside). */
  stopRip: bigint | undefined = undefined;
  readonly #core: CoreExports;
  readonly #handlers: Handlers;
  readonly #decoder: Decoder;
  readonly #insn: InstructionView;
  readonly #tlb: Tlb;
  readonly #host: EngineHost;
  /** A helper set a new RIP; a helper wants the run loop's attention. */
  #continued = false;
  #event = false;
  /** A helper is running; it changed what the present code page means. */
  #inHelper = false;
  #stale = false;
  /** Instructions of the present slice. */
  #slice = 0;
  #debugHits = 0;
  /** Execute the next instruction even if a breakpoint offset is there. */
  #passBreakpoint = false;
  #window = new Uint8Array(MAX_LENGTH);

  constructor(options: EngineOptions, host: EngineHost) {
    const { profile } = options;
    this.#host = host;
    const pages = Math.ceil((GUEST_MEMORY + options.memory) / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    this.state = new CpuState(buffer);
    this.#tlb = new Tlb(this.view, this.state);
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
    const imports = this.#imports();
    const env = { memory: this.memory, table: functions, ...imports };
    const core = new WebAssembly.Instance(module, { env });
    this.#core = core.exports as unknown as CoreExports;
    this.#handlers = new Handlers(
      hot.map((h) => h.key),
      functions,
      { env: { ...env, ...core.exports } },
    );
    this.code = new CodeCache(this, this.#decoder, this.#handlers, {
      forgetWrites: () => this.#tlb.flushData(),
      forgetPages: () => this.#tlb.flushExec(),
    });
    this.cpu = this.#createCpu(profile);
    this.#insn = new InstructionView(this.view, () => this.cpu);
    this.resetTranslations();
  }

  /** Instructions retired since reset, exact at any moment, also within helpers and I/O handlers. */
  get retired(): number {
    return Number(this.state.big('retired')) + this.#slice - this.state.get('remaining');
  }

  /** RIP of the instruction being executed, within helpers and I/O handlers; of the next one otherwise. */
  get currentRip(): bigint {
    return this.#slice === 0 ? this.state.big('rip') : this.#recordRip();
  }

  /** Bytes of the instruction at RIP; fewer than 15 if what follows cannot be fetched. Changes nothing. */
  codeBytes(): Uint8Array {
    const linear = this.#linear(this.state.big('rip'));
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
    return (DECODE_MODES[this.state.get('modeKey')] as DecodeMode).defaultSize;
  }

  /** The byte at a linear address, as supervisor code could fetch it, or undefined. Raises no fault; may set accessed bits. */
  peek(linear: bigint): number | undefined {
    const host = this.translate(linear, ACCESS.system);
    return host === undefined ? undefined : this.bytes[host];
  }

  /** Host address of a linear address, or undefined if it is not mapped to memory. The state's fault fields and CR2 are kept. */
  translate(linear: bigint, access: number): number | undefined {
    const cr2 = this.state.big('cr2');
    const host = this.#core.translate(linear, access);
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
    const remaining = this.state.get('remaining');
    if (this.#slice === 0 || remaining === 0) return;
    this.#slice -= remaining;
    this.state.set('remaining', 0);
    if (this.state.get('shadow') === remaining) this.state.set('shadow', 0);
  }

  /** Interrupts are held off because the last instruction was STI, MOV SS or POP SS. */
  get interruptShadow(): boolean {
    return this.state.get('shadow') === this.state.get('remaining');
  }

  /**
   * Executes the straight-line block at RIP as translated code, at most `limit` instructions; gives how many, 0 if the first one cannot be translated.
   * A fault is delivered.
   */
  executeBlock(limit: number): number {
    const { state } = this;
    if (!this.#find()) return 0;
    const block = this.#block(limit);
    if (block.length === 0) return 0;
    const run = translateBlock(block, this.#handlers.imports);
    this.#slice = block.length;
    state.set('remaining', block.length);
    const next = run();
    if (next !== 0) {
      state.set('record', next);
      state.setBig('rip', this.#recordRip());
    } else if (state.get('exitReason') === EXIT.fault) {
      state.setBig('rip', this.#recordRip());
      this.#deliverFault();
    }
    const executed = block.length - state.get('remaining');
    state.setBig('retired', BigInt(this.retired));
    this.#slice = 0;
    state.set('remaining', 0);
    return executed;
  }

  /** The translatable instructions at RIP whose record `#find` has just found, to the end of the block or of the page. */
  #block(limit: number): ConcreteInstruction[] {
    const { state, view } = this;
    const mode = DECODE_MODES[state.get('modeKey')] as DecodeMode;
    const host = this.#core.translate(this.#linear(state.big('rip')), ACCESS.fetch);
    let record = state.get('record');
    let offset = view.getUint16(record + RECORD.offset, true);
    const page = host - offset;
    const block: ConcreteInstruction[] = [];
    while (block.length < limit && offset < PAGE_SIZE) {
      // A trace may go on elsewhere; blocks keep to consecutive records.
      if (view.getUint16(record + RECORD.handler, true) < FIRST_HOT) break;
      const end = page + PAGE_SIZE;
      if (this.#decoder.decode(this.bytes, page + offset, end, mode) !== 'ok') break;
      const insn = concreteInstruction(this.#decoder, mode.code, offset, record);
      if (!isTranslatable(insn)) break;
      block.push(insn);
      if (insn.shape.row.ends) break;
      offset += insn.length;
      record += RECORD_SIZE;
    }
    return block;
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
    this.#passBreakpoint = passBreakpoint;
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

  /** Single step or execution breakpoints: instructions are executed one at a time. */
  #careful(): boolean {
    return (
      (this.state.get('systemFlags') & FLAG.TF) !== 0 ||
      ((this.state.big('dr7') & 0xffn) !== 0n && armedBreakpoints(this.state).length > 0)
    );
  }

  #run(): StopReason {
    const { state } = this;
    for (;;) {
      if (state.get('remaining') === 0) return 'count';
      if (state.big('rip') === this.stopRip) return 'until';
      if (!this.#find()) {
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
        case EXIT.lookup:
          break;
        case EXIT.event:
          return 'event';
        case EXIT.breakpoint:
          state.setBig('rip', this.#recordRip());
          if (!this.#passBreakpoint) return 'breakpoint';
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
    const linear = this.#linear(state.big('rip'));
    const armed = armedBreakpoints(state);
    const hit = armed.filter((b) => b.kind === 'execute' && b.linear === linear);
    if (hit.length > 0 && (state.get('systemFlags') & FLAG.RF) === 0) {
      for (const { index } of hit) recordDebug(state, 1 << index);
      return this.deliver({ vector: 1, kind: 'exception' }) ?? 'event';
    }
    const single = (state.get('systemFlags') & FLAG.TF) !== 0;
    const resumed = (state.get('systemFlags') & FLAG.RF) !== 0;
    this.#debugHits = 0;
    const before = this.#traps;
    let reason = this.#run();
    if (reason !== 'count' && reason !== 'event') return reason;
    const retired = state.get('remaining') === 0;
    // A fault or software interrupt in between has taken TF with it.
    const interrupted = before !== this.#traps;
    // RF lives for one instruction (SDM Vol. 3B, 17.3.1.1).
    if (resumed && retired && !interrupted)
      state.set('systemFlags', state.get('systemFlags') & ~FLAG.RF);
    if (retired && !interrupted && (single || this.#debugHits !== 0) && !this.interruptShadow) {
      recordDebug(state, (single ? DR6.BS : 0) | this.#debugHits);
      reason = this.deliver({ vector: 1, kind: 'exception' }) ?? reason;
    }
    return reason === 'count' && total > 1 ? 'event' : reason;
  }

  #traps = 0;

  /** Makes `record` that of RIP, decoding it if need be. False: a fault is described in the state. */
  #find(): boolean {
    try {
      return this.#findRecord();
    } catch (error) {
      if (error instanceof RecordsExhausted) {
        this.code.statistics.flushes++;
        this.code.clear();
        return this.#findRecord();
      }
      throw error;
    }
  }

  #findRecord(): boolean {
    const { state } = this;
    const rip = state.big('rip');
    const modeKey = state.get('modeKey');
    const mode = DECODE_MODES[modeKey] as DecodeMode;
    if (mode.code === 'legacy' && rip > BigInt(state.segment('cs').limit))
      return this.#raise(13, 0);
    const linear = this.#linear(rip);
    const host = this.#core.translate(linear, ACCESS.fetch);
    if (host === TRANSLATED.fault) return false;
    const physical = Number(state.big('slowAddress'));
    const offset = physical % PAGE_SIZE;
    const page = (physical - offset) / PAGE_SIZE;
    let record: number | undefined = 0;
    if (host === TRANSLATED.notMemory) {
      state.setBig('pageLinear', linear & ~0xfffn);
    } else {
      this.#tlb.enter(linear, this.code.entries(page, modeKey));
      record = this.code.record(page, modeKey, host - offset, offset, mode);
    }
    const isBreak = record !== 0 && this.#passBreakpoint && this.code.breakpointOffsets.has(offset);
    if (record === 0 || isBreak) {
      record = this.#decodeOnce(linear, host, physical, offset, mode);
      if (record === undefined) return false;
      // The page table of what is executed once must not be asked for offsets beyond the page.
      if (host === TRANSLATED.notMemory) state.set('pageEntries', 0);
    }
    this.#passBreakpoint = false;
    state.set('record', record);
    return true;
  }

  /** An instruction that crosses a page or comes from I/O memory. Undefined: a fault is described. */
  #decodeOnce(
    linear: bigint,
    host: number,
    physical: number,
    offset: number,
    mode: DecodeMode,
  ): number | undefined {
    const here = Math.min(MAX_LENGTH, PAGE_SIZE - offset);
    const window = this.#window;
    this.#fetch(window, 0, here, host, physical);
    const record = this.code.once(window.subarray(0, here), offset, mode);
    if (record !== undefined) return record;
    const next = BigInt.asUintN(mode.code === 'long' ? 64 : 32, (linear & ~0xfffn) + 0x1000n);
    const nextHost = this.#core.translate(next, ACCESS.fetch);
    if (nextHost === TRANSLATED.fault) return undefined;
    const nextPhysical = Number(this.state.big('slowAddress'));
    this.#fetch(window, here, MAX_LENGTH - here, nextHost, nextPhysical);
    return this.code.once(window, offset, mode);
  }

  #fetch(into: Uint8Array, at: number, count: number, host: number, physical: number): void {
    for (let i = 0; i < count; i++)
      into[at + i] =
        host === TRANSLATED.notMemory
          ? this.physical.readIo(physical + i, 1, this.#host.unclaimed(1))
          : (this.bytes[host + i] as number);
  }

  #linear(rip: bigint): bigint {
    const { state } = this;
    return state.get('modeKey') === MODE_KEY.long
      ? rip
      : BigInt.asUintN(32, rip + state.big('codeBase'));
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
    const { state } = this;
    state.set('unwind', 0);
    this.#traps++;
    const vector = state.get('faultVector');
    const errorCode = state.get('faultHasErrorCode') ? state.get('faultErrorCode') : undefined;
    const stop = this.deliver({ vector, kind: 'exception', errorCode });
    return stop ?? (this.#event ? 'event' : undefined);
  }

  /** A page's mapping or contents changed from outside the CPU. */
  #mapChanged(firstPage: number, pageCount: number): void {
    // While the engine is being built there is nothing to forget.
    if (!this.code) return;
    for (let page = firstPage; page < firstPage + pageCount; page++) this.code.drop(page);
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
      if (this.#stale) throw new Error(`${shape.row.mnemonic} faulted after changing the mode`);
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

  #imports(): Record<string, (...args: never[]) => unknown> {
    const { state } = this;
    const address = (): number => Number(state.big('slowAddress'));
    const guarded = <T>(body: () => T, fallback: T): T => {
      try {
        return body();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#raise(error.vector, error.errorCode);
        return fallback;
      }
    };
    const readIo = (at: number, size: IoSize): number => {
      const value = this.physical.readIo(at, size, this.#host.unclaimed(size));
      this.#host.ioAccess(at, size, value, false);
      return value;
    };
    const writeIo = (at: number, size: IoSize, value: number): void => {
      this.#host.ioAccess(at, size, value, true);
      this.physical.writeIo(at, size, value);
    };
    return {
      helper: (index: number, record: number) => this.#helper(index, record),
      readIo: (bytes: number) => {
        const at = address();
        if (bytes !== 8) return readIo(at, bytes as IoSize);
        const low = readIo(at, 4);
        state.set('slowHigh', readIo(at + 4, 4));
        return low;
      },
      writeIo: (bytes: number) => {
        const at = address();
        const low = state.get('slowLow');
        const high = state.get('slowHigh');
        if (bytes === 8) {
          writeIo(at, 4, low);
          writeIo(at + 4, 4, high);
        } else writeIo(at, bytes as IoSize, bytes === 4 ? low : low & (2 ** (bytes * 8) - 1));
      },
      codeWritten: (bytes: number) => this.#codeWritten(address(), bytes),
      watchedAccess: (bytes: number, write: number) =>
        this.#host.watched(address(), bytes, write !== 0),
      debugAccess: (bytes: number, write: number) => this.#debugAccess(bytes, write !== 0),
      segmentCheck: (segment: number, bytes: number, write: number) =>
        guarded(() => {
          const linear = this.cpu.linear(
            segment,
            state.big('slowAddress'),
            bytes,
            write ? 'write' : 'read',
          );
          state.setBig('slowAddress', linear);
        }, undefined),
      slowPath: (number: number, a: number, b: number, c: number) =>
        guarded(() => slowPathFunction(number)(this.cpu, a, b, c), 0),
    } as Record<string, (...args: never[]) => unknown>;
  }

  /** Data breakpoints (SDM Vol. 3B, 17.2.5): overlap of the access and an armed range. */
  #debugAccess(bytes: number, write: boolean): void {
    const linear = this.state.big('slowAddress');
    for (const b of armedBreakpoints(this.state)) {
      if (b.kind !== 'access' && !(b.kind === 'write' && write)) continue;
      if (linear < b.linear + BigInt(b.length) && b.linear < linear + BigInt(bytes))
        this.#debugHits |= 1 << b.index;
    }
  }

  /** Ports with I/O breakpoints (SDM Vol. 3B, 17.2.4), which trap after the access. */
  #debugPorts(ports: Ports): Ports {
    const access = (bytes: number, port: number): void => {
      for (const b of armedBreakpoints(this.state)) {
        const first = Number(b.linear & 0xffffn);
        if (b.kind === 'io' && port < first + b.length && first < port + bytes)
          this.#debugHits |= 1 << b.index;
      }
    };
    return {
      read: (bytes, port) => {
        access(bytes, port);
        return ports.read(bytes, port);
      },
      write: (bytes, port, value) => {
        access(bytes, port);
        ports.write(bytes, port, value);
      },
    };
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
        ports: this.#debugPorts(host.ports),
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
