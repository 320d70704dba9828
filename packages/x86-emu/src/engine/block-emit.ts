/**
 * `Emit` for the translator: the operands of one concrete instruction after the other, general registers in locals, flags by their last producer.
 *
 * The block is straight-line: registers are loaded at its entry, and those changed so far are stored wherever it is left.
 */
import { gprAddress, mmxAddress, xmmAddress } from '../cpu/state-layout.ts';
import { NO_REGISTER, RIP_REGISTER } from '../decode/decoder.ts';
import type { FlagsEmit, Size } from '../isa/emit.ts';
import { BASE, Code } from '../wasm/code.ts';
import type { Variable } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int, V128 } from '../wasm/expr.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { EXIT } from './exit.ts';
import { GuestEmit, truncate, widen } from './guest-emit.ts';
import { loadField32, loadField64, storeField32, storeField64 } from './paging.ts';
import { RECORD_SIZE } from './record.ts';
import type { Callees } from './runtime-functions.ts';
import type { InstructionShape } from './shape.ts';
import { TrackedFlags } from './tracked-flags.ts';

const HIGH_BYTES = 16;
const SIZES = { 8: 0xff, 16: 0xffff } as const;

/** What outlives one instruction of the block. */
export class BlockState {
  readonly c: Code;
  readonly callees: Callees;
  readonly flags: TrackedFlags;
  readonly tlb: I32;
  /** Instructions left when the block was entered; lowered by slow paths that end the slice. */
  readonly budget: Variable<'i32'>;
  readonly #registers = new Map<number, Variable<'i64'>>();
  readonly #dirty = new Set<number>();

  constructor(c: Code, callees: Callees) {
    this.c = c;
    this.callees = callees;
    this.flags = new TrackedFlags(c, callees);
    this.tlb = loadField32(c, 'tlb');
    this.budget = c.variable('i32', loadField32(c, 'remaining'));
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
    this.#dirty.add(n);
  }

  /** Stores registers and flags; they stay where they are, too. */
  spill(): void {
    for (const n of this.#dirty)
      this.c.store('i64.store', BASE, this.c.get(this.register(n)), gprAddress(n));
    this.flags.spill();
  }
}

export class BlockEmit extends GuestEmit {
  readonly flags: FlagsEmit;
  readonly #block: BlockState;
  readonly #insn: ConcreteInstruction;
  /** Instructions of the block up to and including this one. */
  readonly #count: number;
  /** A slow path may have ended the slice. */
  #cut: Variable<'i32'> | undefined;

  constructor(
    block: BlockState,
    insn: ConcreteInstruction,
    count: number,
    flags: FlagsEmit = block.flags,
  ) {
    super(block.c, insn.shape, block.callees);
    this.#block = block;
    this.#insn = insn;
    this.#count = count;
    this.flags = flags;
  }

  /** Builds the instruction; afterwards control is at the next one. */
  build(): void {
    const { exec, mnemonic } = this.shape.row;
    if (!exec) throw new Error(`${mnemonic} has no staged semantics`);
    this.prologue();
    if (writesFlagsConditionally(this.shape, this.#insn.key, this.callees))
      this.#block.flags.inMemory(() => exec(this));
    else exec(this);
    this.epilogue();
    if (this.#cut) this.c.if(this.c.get(this.#cut), () => this.#leaveTo(this.#nextRecord()));
  }

  /** Ends the block behind this instruction: control goes on at `record`. */
  fallThrough(record: I32): void {
    this.#leaveTo(record);
  }

  gpr(n: number, size: Size): Int {
    const value = this.c.get(this.#block.register(n));
    // A copy: the register may change before the value is used.
    return this.c.get(this.c.variable(size === 64 ? 'i64' : 'i32', truncate(value, size)));
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
    const page = loadField64(this.c, 'pageLinear');
    const linear = e.add(page, e.i64(this.#insn.offset + this.#insn.length));
    if (this.mode !== 'legacy') return this.c.let(linear);
    return this.c.let(e.and(e.sub(linear, loadField64(this.c, 'codeBase')), e.i64(0xffff_ffff)));
  }

  jump(rip: I64): void {
    const target = this.c.let(this.#truncateRip(rip));
    this.#settle(this.#insn.record, this.#count);
    this.c.return(this.c.letCall('i32', this.callees.lookup, target));
  }

  branch(_i: number, condition?: I32): void {
    const taken = (): void => {
      const target = this.c.let(
        this.#truncateRip(e.add(this.nextRip(), e.i64(this.#insn.immediate))),
      );
      this.#settle(this.#insn.record, this.#count);
      this.c.return(this.c.letCall('i32', this.callees.resolve, target, e.i32(this.#insn.record)));
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
    this.c.if(condition, () => this.#leaveTo(e.i32(this.#insn.record)));
  }

  iterationsLeft(): I32 {
    return this.c.let(e.sub(this.c.get(this.#block.budget), this.#count - 1));
  }

  consumeIterations(n: I32): void {
    const { budget } = this.#block;
    this.c.set(budget, e.sub(this.c.get(budget), n));
  }

  protected readRegister(i: number, width: Size): Int {
    const register = this.#register(i);
    const { file } = this.operand(i);
    if (file === 'gpr' && register >= HIGH_BYTES) {
      const whole = this.c.get(this.#block.register(register - HIGH_BYTES));
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
      return e.add(
        loadField64(c, 'pageLinear'),
        e.i64(insn.displacement + insn.offset + insn.length),
      );
    const read = (n: number): I64 =>
      n === NO_REGISTER ? e.i64(0) : c.get(this.#block.register(n));
    const index = e.shl(read(insn.index), insn.scale);
    return e.add(e.add(read(insn.base), index), e.i64(insn.displacement));
  }

  protected segmentNumber(): I32 {
    return e.i32(this.#insn.segment);
  }

  protected tlb(): I32 {
    return this.#block.tlb;
  }

  protected synchronise(): void {
    this.#settle(this.#insn.record, this.#count);
  }

  protected resume(): void {
    const { c } = this;
    const { budget } = this.#block;
    this.#cut ??= c.variable('i32');
    const cut = this.#cut;
    // Locals start at zero in WebAssembly; the slow path ended the slice if it lowered what is left.
    const left = loadField32(c, 'remaining');
    const ended = e.ne(left, e.sub(c.get(budget), this.#count));
    c.set(cut, e.or(c.get(cut), ended));
    c.set(budget, e.add(left, this.#count));
  }

  protected leave(): void {
    this.c.return(e.i32(0));
  }

  #register(i: number): number {
    return this.#insn.registers[i] as number;
  }

  #nextRecord(): I32 {
    return e.i32(this.#insn.record + RECORD_SIZE);
  }

  #leaveTo(record: I32): void {
    this.#settle(this.#insn.record, this.#count);
    this.c.return(record);
  }

  /** Makes the state what it is after `count` instructions of the block, with `record` being executed. */
  #settle(record: number, count: number): void {
    this.#block.spill();
    storeField32(this.c, 'record', e.i32(record));
    storeField32(this.c, 'remaining', e.sub(this.c.get(this.#block.budget), count));
  }

  #truncateRip(rip: I64): I64 {
    if (this.operandSize === 64) return rip;
    return e.and(rip, e.i64(this.operandSize === 16 ? 0xffff : 0xffff_ffff));
  }

  #setBits(n: number, size: Size, value: Int, shift: 0 | 8): void {
    if (size === 64 || size === 32) {
      this.#block.setRegister(n, widen(truncate(value, size)));
      return;
    }
    const mask = BigInt(SIZES[size]) << BigInt(shift);
    const old = this.c.get(this.#block.register(n));
    const placed = e.shl(e.extendU(truncate(value, size) as I32), shift);
    this.#block.setRegister(n, e.or(e.and(old, e.i64(~mask)), placed));
  }
}

/** By shape key: whether the semantics write flags under a run-time condition, found out by building them once. */
const conditionalWriters = new Map<string, boolean>();

const writesFlagsConditionally = (
  shape: InstructionShape,
  key: string,
  callees: Callees,
): boolean => {
  const known = conditionalWriters.get(key);
  if (known !== undefined) return known;
  let conditional = false;
  const c = new Code([], 'i32');
  const block = new BlockState(c, callees);
  const write = (): void => {
    conditional ||= c.depth > 0;
  };
  const probe: FlagsEmit = {
    add: write,
    sub: write,
    sbb: write,
    inc: write,
    dec: write,
    logic: write,
    result: write,
    set: write,
    setCarry: write,
    setCarryOverflow: write,
    carry: () => e.i32(0),
    get: () => e.i32(0),
    condition: () => e.i32(0),
  };
  shape.row.exec?.(new BlockEmit(block, probeInstruction(shape), 1, probe));
  conditionalWriters.set(key, conditional);
  return conditional;
};

const probeInstruction = (shape: InstructionShape): ConcreteInstruction => ({
  shape,
  key: '',
  registers: shape.operands.map(() => 0),
  base: 0,
  index: NO_REGISTER,
  scale: 0,
  displacement: 0,
  segment: 3,
  immediate: 1n,
  immediate2: 1,
  offset: 0,
  length: 1,
  record: 0,
});
