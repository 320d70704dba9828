/**
 * `Emit` for the translator: the operands of one concrete instruction after the other, general registers in locals, flags by their last producer.
 *
 * Slow paths of memory run without the registers: an access that is not plain memory makes the region step back (`unwind` is `RETRY`), and the interpreter
 * executes the instruction.
 */
import { gprAddress, mmxAddress, xmmAddress } from '../cpu/state-layout.ts';
import { NO_REGISTER, RIP_REGISTER } from '../decode/decoder.ts';
import type { FlagsEmit, Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import type { Code, Label, Variable } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int, V128 } from '../wasm/expr.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { EXIT, UNWIND } from './exit.ts';
import { GuestEmit, truncate, widen } from './guest-emit.ts';
import { PAGE_MASK } from './layout.ts';
import { loadField32, loadField64, storeField32, storeField64 } from './paging.ts';
import { RegionFlags } from './region-flags.ts';
import type { Callees } from './runtime-functions.ts';

const HIGH_BYTES = 16;
const MASKS = { 8: 0xff, 16: 0xffff } as const;

/** What outlives one instruction: registers, flags, budget, and the way out. */
export class RegionFrame {
  readonly c: Code;
  readonly callees: Callees;
  readonly flags: RegionFlags;
  /** Instructions left when the present block was entered. */
  readonly budget: Variable<'i32'>;
  /** The record with which the interpreter goes on; 0 leaves the engine. */
  readonly next: Variable<'i32'>;
  readonly tlb: Variable<'i32'>;
  /** Linear address of the code page. */
  readonly page: Variable<'i64'>;
  readonly #registers = new Map<number, Variable<'i64'>>();
  readonly #written = new Set<number>();
  /** Where the function ends. */
  exit: Label | undefined;

  constructor(c: Code, callees: Callees) {
    this.c = c;
    this.callees = callees;
    this.flags = new RegionFlags(c);
    this.budget = c.variable('i32');
    this.next = c.variable('i32');
    this.tlb = c.variable('i32');
    this.page = c.variable('i64');
  }

  /** Builds the function around `body`: everything is loaded before and stored behind it. */
  build(body: () => void): void {
    const { c } = this;
    c.block((exit) => {
      this.exit = exit;
      body();
    });
    c.atEntry(() => {
      this.flags.loadAll();
      c.set(this.tlb, loadField32(c, 'tlb'));
      c.set(this.page, loadField64(c, 'pageLinear'));
      // The dispatch loop has paid for one instruction.
      c.set(this.budget, e.add(loadField32(c, 'remaining'), 1));
      storeField32(c, 'inRegion', e.i32(1));
    });
    for (const n of this.#written)
      c.store('i64.store', BASE, c.get(this.register(n)), gprAddress(n));
    this.flags.storeAll();
    storeField32(c, 'remaining', c.get(this.budget));
    storeField32(c, 'inRegion', e.i32(0));
    c.return(c.get(this.next));
  }

  register(n: number): Variable<'i64'> {
    let variable = this.#registers.get(n);
    if (!variable) {
      const { c } = this;
      variable = c.variable('i64');
      this.#registers.set(n, variable);
      const loaded = variable;
      c.atEntry(() => c.set(loaded, c.load('i64.load', BASE, gprAddress(n))));
    }
    return variable;
  }

  setRegister(n: number, value: I64): void {
    this.c.set(this.register(n), value);
    this.#written.add(n);
  }

  /** Leaves the function `executed` instructions into the block; `record` is what comes next. */
  leave(record: I32, executed: number): void {
    const { c } = this;
    this.flags.settle();
    c.set(this.next, record);
    c.set(this.budget, e.sub(c.get(this.budget), executed));
    c.br(this.exit as Label);
  }
}

/** Where control can go inside the region. */
export interface RegionTargets {
  /** Goes to the block at a page offset, if the region has it; builds nothing and gives false if not. */
  readonly goto: (offset: number, executed: number) => boolean;
  /** The record that the interpreter executes at a page offset (never one that enters the region). */
  readonly record: (offset: number) => number;
  /** Goes to the block at a page offset known at run time, if the region has it; control falls through if not. */
  readonly gotoIndirect: (offset: I32, executed: number) => void;
}

export class RegionEmit extends GuestEmit {
  readonly flags: FlagsEmit;
  readonly #frame: RegionFrame;
  readonly #targets: RegionTargets;
  readonly #insn: ConcreteInstruction;
  /** Instructions of the block up to and including this one. */
  readonly #count: number;
  /** A slow path may have ended the slice. */
  #cut: Variable<'i32'> | undefined;

  constructor(
    frame: RegionFrame,
    targets: RegionTargets,
    insn: ConcreteInstruction,
    count: number,
    flags: FlagsEmit = frame.flags,
  ) {
    super(frame.c, insn.shape, frame.callees);
    this.#frame = frame;
    this.#targets = targets;
    this.#insn = insn;
    this.#count = count;
    this.flags = flags;
  }

  /** Builds the instruction; afterwards control is behind it. `conditionalFlags`: its flag writes may be conditional. */
  build(conditionalFlags: boolean): void {
    const { exec, mnemonic } = this.shape.row;
    if (!exec) throw new Error(`${mnemonic} has no staged semantics`);
    this.prologue();
    if (conditionalFlags) this.#frame.flags.conditionally(() => exec(this));
    else exec(this);
    this.epilogue();
    const cut = this.#cut;
    if (cut)
      this.c.if(this.c.get(cut), () => this.#leaveTo(e.i32(this.#targets.record(this.#end))));
  }

  gpr(n: number, size: Size): Int {
    const value = truncate(this.c.get(this.#frame.register(n)), size);
    // A copy: the register may change before the value is used.
    return this.c.get(this.c.variable(size === 64 ? 'i64' : 'i32', value));
  }

  setGpr(n: number, size: Size, value: Int): void {
    this.#setBits(n, size, value, 0);
  }

  xmm(n: number): V128 {
    return this.c.loadV128(BASE, xmmAddress(n));
  }

  setXmm(n: number, value: V128): void {
    this.c.storeV128(BASE, value, xmmAddress(n));
  }

  nextRip(): I64 {
    const linear = e.add(this.c.get(this.#frame.page), e.i64(this.#end));
    if (this.mode !== 'legacy') return this.c.let(linear);
    const offset = e.sub(linear, loadField64(this.c, 'codeBase'));
    return this.c.let(e.and(offset, e.i64(0xffff_ffff)));
  }

  jump(rip: I64): void {
    const { c } = this;
    const target = c.let(this.#truncateRip(rip));
    const samePage = e.eq(e.and(target, e.i64(~BigInt(PAGE_MASK))), c.get(this.#frame.page));
    c.if(samePage, () => this.#targets.gotoIndirect(e.and(e.wrap(target), PAGE_MASK), this.#count));
    this.synchronise();
    this.#leaveTo(this.c.letCall('i32', this.callees.lookup, target));
  }

  branch(_i: number, condition?: I32): void {
    const displacement = Number(this.#insn.immediate);
    const taken = (): void => {
      // A 16-bit operand size cuts the target, which then is seldom on this page.
      const here = this.operandSize !== 16;
      if (here && this.#targets.goto(this.#end + displacement, this.#count)) return;
      const target = this.c.let(this.#truncateRip(e.add(this.nextRip(), e.i64(displacement))));
      this.synchronise();
      const { record } = this.#insn;
      this.#leaveTo(this.c.letCall('i32', this.callees.resolve, target, e.i32(record)));
    };
    if (condition) this.c.if(condition, taken);
    else taken();
  }

  leaveForEvents(): void {
    storeField64(this.c, 'rip', this.nextRip());
    storeField32(this.c, 'exitReason', e.i32(EXIT.event));
    this.#leaveTo(e.i32(0));
  }

  again(condition: I32): void {
    this.c.if(condition, () => this.#leaveTo(e.i32(this.#targets.record(this.#insn.offset))));
  }

  iterationsLeft(): I32 {
    return this.c.let(e.sub(this.c.get(this.#frame.budget), this.#count - 1));
  }

  consumeIterations(n: I32): void {
    const { budget } = this.#frame;
    this.c.set(budget, e.sub(this.c.get(budget), n));
  }

  protected readRegister(i: number, width: Size): Int {
    const register = this.#register(i);
    const { file } = this.operand(i);
    if (file === 'gpr' && register >= HIGH_BYTES) {
      const whole = this.c.get(this.#frame.register(register - HIGH_BYTES));
      return e.and(e.shrU(e.wrap(whole), 8), 0xff);
    }
    if (file === 'gpr') return this.gpr(register, width);
    const address = file === 'xmm' ? xmmAddress(register) : mmxAddress(register);
    return this.c.load(width === 64 ? 'i64.load' : 'i32.load', BASE, address);
  }

  protected writeRegister(i: number, width: Size, value: Int): void {
    const register = this.#register(i);
    const { file } = this.operand(i);
    if (file !== 'gpr') {
      const address = file === 'xmm' ? xmmAddress(register) : mmxAddress(register);
      if (file === 'mmx') this.markMmxWritten(e.i32(address));
      this.c.store(width === 64 ? 'i64.store' : 'i32.store', BASE, truncate(value, width), address);
    } else if (register >= HIGH_BYTES) this.#setBits(register - HIGH_BYTES, 8, value, 8);
    else this.#setBits(register, width, value, 0);
  }

  protected readVectorRegister(i: number): V128 {
    return this.xmm(this.#register(i));
  }

  protected writeVectorRegister(i: number, value: V128): void {
    this.setXmm(this.#register(i), value);
  }

  protected immediate(i: number, width: Size): Int {
    const before = this.shape.operands.slice(0, i).filter((o) => o.kind === 'immediate').length;
    if (before > 0) return e.i32(this.#insn.immediate2);
    return truncate(e.i64(this.#insn.immediate), width);
  }

  protected addressSum(source: 'rm' | 'offset'): I64 {
    const insn = this.#insn;
    if (source === 'offset') return e.i64(insn.immediate);
    const { c } = this;
    if (insn.base === RIP_REGISTER)
      return e.add(c.get(this.#frame.page), e.i64(insn.displacement + this.#end));
    const read = (n: number): I64 =>
      n === NO_REGISTER ? e.i64(0) : c.get(this.#frame.register(n));
    const index = e.shl(read(insn.index), insn.scale);
    return e.add(e.add(read(insn.base), index), e.i64(insn.displacement));
  }

  protected segmentNumber(): I32 {
    return e.i32(this.#insn.segment);
  }

  protected tlb(): I32 {
    return this.c.get(this.#frame.tlb);
  }

  protected synchronise(): void {
    const { c } = this;
    storeField32(c, 'record', e.i32(this.#insn.record));
    storeField32(c, 'remaining', e.sub(c.get(this.#frame.budget), this.#count));
  }

  protected resume(): void {
    const { c } = this;
    const { budget } = this.#frame;
    // Locals are zero at first, and the region is left soon after a cut: the flag never needs clearing.
    this.#cut ??= c.variable('i32');
    const cut = this.#cut;
    const left = loadField32(c, 'remaining');
    c.if(e.ne(left, e.sub(c.get(budget), this.#count)), () => {
      c.set(cut, e.i32(1));
      c.set(budget, e.add(left, this.#count));
    });
  }

  /** After a slow path gave up: a fault leaves the engine, an access that is not plain memory steps back. */
  protected leave(): void {
    const { c } = this;
    c.if(e.eq(loadField32(c, 'unwind'), UNWIND.retry), () => {
      storeField32(c, 'unwind', e.i32(0));
      this.#frame.leave(e.i32(this.#targets.record(this.#insn.offset)), this.#count - 1);
    });
    this.#leaveTo(e.i32(0));
  }

  /** Offset of the next instruction in the page. */
  get #end(): number {
    return this.#insn.offset + this.#insn.length;
  }

  #register(i: number): number {
    return this.#insn.registers[i] as number;
  }

  #leaveTo(record: I32): void {
    storeField32(this.c, 'record', e.i32(this.#insn.record));
    this.#frame.leave(record, this.#count);
  }

  #truncateRip(rip: I64): I64 {
    if (this.operandSize === 64) return rip;
    return e.and(rip, e.i64(this.operandSize === 16 ? 0xffff : 0xffff_ffff));
  }

  #setBits(n: number, size: Size, value: Int, shift: 0 | 8): void {
    if (size === 64 || size === 32) {
      this.#frame.setRegister(n, widen(truncate(value, size)));
      return;
    }
    const mask = BigInt(MASKS[size]) << BigInt(shift);
    const old = this.c.get(this.#frame.register(n));
    const placed = e.shl(e.extendU(truncate(value, size) as I32), shift);
    this.#frame.setRegister(n, e.or(e.and(old, e.i64(~mask)), placed));
  }
}
