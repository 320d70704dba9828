/** `Emit` for the translator: the operands of one concrete instruction after the other, registers in locals, flags by their last producer. */
import { mmxAddress } from '../cpu/state-layout.ts';
import { NO_REGISTER, RIP_REGISTER } from '../decode/decoder.ts';
import type { FlagsEmit, Modify, Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int, V128 } from '../wasm/expr.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { GuestEmit, narrow, truncate, widen } from './guest-emit.ts';
import { PAGE_MASK, TLB_ENTRY } from './layout.ts';
import { loadField32, loadField64, storeField32 } from './paging.ts';
import { REGION_EXIT } from './region-exit.ts';
import type { RegionFrame } from './region-frame.ts';

const HIGH_BYTES = 16;
const MASKS = { 8: 0xff, 16: 0xffff } as const;

/** Where control can go from one block. */
export interface RegionTargets {
  /** Goes to the block at a page offset, if the region has it, and gives back `unused` instructions; builds nothing and gives false if not. */
  readonly goto: (offset: number, unused: number) => boolean;
  /** The record that the interpreter executes at a page offset (never one that enters the region). */
  readonly record: (offset: number) => number;
  /** Goes to the entry at a page offset known at run time, if the region has one; control falls through if not. */
  readonly gotoComputed: (offset: I32) => void;
}

/** The place of an instruction in its block. */
export interface BlockPosition {
  /** Instructions of the block from this one on. */
  readonly left: number;
  /** Units (`Row.unit`) whose availability the block has checked so far. */
  readonly checkedUnits: Set<string>;
  /** The instruction's flag writes may be conditional. */
  readonly conditionalFlags: boolean;
  /** It calls TypeScript whatever its operands are. */
  readonly callsOut: boolean;
}

export class RegionEmit extends GuestEmit {
  readonly flags: FlagsEmit;
  readonly #frame: RegionFrame;
  readonly #targets: RegionTargets;
  readonly #insn: ConcreteInstruction;
  readonly #position: BlockPosition;
  /** A slow path is being built that is called and not stepped back from. */
  #mayCall = false;

  constructor(
    frame: RegionFrame,
    targets: RegionTargets,
    insn: ConcreteInstruction,
    position: BlockPosition,
    flags: FlagsEmit = frame.flags,
  ) {
    super(frame.c, insn.shape, frame.callees);
    this.#frame = frame;
    this.#targets = targets;
    this.#insn = insn;
    this.#position = position;
    this.flags = flags;
  }

  /** Builds the instruction; afterwards control is behind it. */
  build(): void {
    const { exec, mnemonic, unit } = this.shape.row;
    const { checkedUnits, conditionalFlags } = this.#position;
    if (!exec) throw new Error(`${mnemonic} has no staged semantics`);
    if (unit === undefined || !checkedUnits.has(unit)) this.prologue();
    if (unit !== undefined) checkedUnits.add(unit);
    if (conditionalFlags) this.#frame.flags.conditionally(() => exec(this));
    else exec(this);
    this.epilogue();
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
    return this.c.snapshot(this.#frame.vector(n));
  }

  setXmm(n: number, value: V128): void {
    this.#frame.setVector(n, value);
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
    c.if(samePage, () => this.#targets.gotoComputed(e.and(e.wrap(target), PAGE_MASK)));
    this.#frame.toRip(target, undefined, this.#unused);
  }

  branch(_i: number, condition?: I32): void {
    const displacement = Number(this.#insn.immediate);
    const taken = (): void => {
      // A 16-bit operand size cuts the target, which then is seldom on this page.
      if (this.operandSize !== 16 && this.#targets.goto(this.#end + displacement, this.#unused))
        return;
      const target = this.c.let(this.#truncateRip(e.add(this.nextRip(), e.i64(displacement))));
      this.#frame.toRip(target, this.#insn.record, this.#unused);
    };
    if (condition) this.c.if(condition, taken);
    else taken();
  }

  leaveForEvents(): void {
    this.#frame.toEvents(this.nextRip(), this.#unused);
  }

  again(): void {
    throw new Error('repeated instructions are not translated');
  }

  iterationsLeft(): I32 {
    throw new Error('repeated instructions are not translated');
  }

  consumeIterations(): void {
    throw new Error('repeated instructions are not translated');
  }

  /** What a modification finds here is plain memory: everything else steps back. */
  override modifyAt(width: Size, linear: I64): Modify {
    const { c } = this;
    const host = c.variable('i32');
    this.probe(
      c.let(linear),
      width / 8,
      TLB_ENTRY.write,
      (direct) => c.set(host, direct),
      () => {},
    );
    return {
      value: this.loadHost(width, c.get(host)),
      write: (result) => {
        const value = c.let(width === 64 ? widen(result) : narrow(result));
        this.storeHost(width, c.get(host), value);
      },
    };
  }

  protected readRegister(i: number, width: Size): Int {
    const register = this.#register(i);
    const { file } = this.operand(i);
    if (file === 'gpr' && register >= HIGH_BYTES) {
      const whole = this.c.get(this.#frame.register(register - HIGH_BYTES));
      return e.and(e.shrU(e.wrap(whole), 8), 0xff);
    }
    if (file === 'gpr') return this.gpr(register, width);
    if (file !== 'xmm')
      return this.c.load(width === 64 ? 'i64.load' : 'i32.load', BASE, mmxAddress(register));
    const vector = this.xmm(register);
    return width === 64
      ? e.extractLane('i64x2.extract_lane', vector, 0)
      : e.extractLane('i32x4.extract_lane', vector, 0);
  }

  protected writeRegister(i: number, width: Size, value: Int): void {
    const register = this.#register(i);
    const { file } = this.operand(i);
    if (file === 'xmm') {
      const lane = width === 64 ? 'i64x2.replace_lane' : 'i32x4.replace_lane';
      const scalar = truncate(value, width);
      this.setXmm(register, e.replaceLane(lane, this.xmm(register), 0, scalar));
    } else if (file !== 'gpr') {
      const address = mmxAddress(register);
      this.markMmxWritten(e.i32(address));
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

  /** Vector arithmetic that is in TypeScript alone looks at no register that is in a local, so it may be called; a fault in it happens again in the interpreter. */
  override slowPath(name: string, ...args: readonly I32[]): I32 {
    const { c } = this;
    this.#mayCall = this.#position.callsOut;
    const result = super.slowPath(name, ...args);
    if (this.#mayCall)
      c.if(loadField32(c, 'unwind'), () => {
        storeField32(c, 'unwind', e.i32(0));
        this.#stepBack();
      });
    this.#mayCall = false;
    return result;
  }

  protected callOut(call: () => void): void {
    if (this.#mayCall) call();
    else this.#stepBack();
  }

  protected raiseVector(): void {
    this.#stepBack();
  }

  /** Offset of the next instruction in the page. */
  get #end(): number {
    return this.#insn.offset + this.#insn.length;
  }

  /** Instructions of the block behind this one: they are paid for. */
  get #unused(): number {
    return this.#position.left - 1;
  }

  #stepBack(): void {
    const { offset } = this.#insn;
    this.#frame.toRecord(REGION_EXIT.stepBack, this.#targets.record(offset), this.#position.left);
  }

  #register(i: number): number {
    return this.#insn.registers[i] as number;
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
