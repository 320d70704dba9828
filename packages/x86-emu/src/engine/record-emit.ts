/** `Emit` for the interpreter: operands come from a predecoded record at run time, registers live in the CPU state. */
import { FIELDS, SEGMENT, gprAddress, segmentAddress, xmmAddress } from '../cpu/state-layout.ts';
import type { Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int, V128 } from '../wasm/expr.ts';
import { EXIT } from './exit.ts';
import { GuestEmit, truncate, widen } from './guest-emit.ts';
import { MemoryFlags } from './memory-flags.ts';
import { RECORD, RECORD_SIZE } from './record.ts';
import type { Callees } from './runtime-functions.ts';
import type { InstructionShape } from './shape.ts';

/** How the code around a handler is entered and left: inline in the dispatch loop, or as a function of its own. */
export interface HandlerFrame {
  /** The record being executed. */
  readonly record: I32;
  readonly tlb: () => I32;
  /** Stores what the frame keeps in locals (record, instructions left). */
  readonly synchronise: () => void;
  readonly resume: () => void;
  /** Goes on with another record; 0 leaves the engine. */
  readonly next: (record: I32) => void;
}

const LOADS = { 8: 'i32.load8_u', 16: 'i32.load16_u', 32: 'i32.load', 64: 'i64.load' } as const;
const STORES = { 8: 'i32.store8', 16: 'i32.store16', 32: 'i64.store', 64: 'i64.store' } as const;

export class RecordEmit extends GuestEmit {
  readonly flags: MemoryFlags;
  readonly #frame: HandlerFrame;

  constructor(c: Code, shape: InstructionShape, callees: Callees, frame: HandlerFrame) {
    super(c, shape, callees);
    this.flags = new MemoryFlags(c, callees);
    this.#frame = frame;
  }

  /** Builds the whole handler. */
  build(): void {
    const { exec, mnemonic } = this.shape.row;
    if (!exec) throw new Error(`${mnemonic} has no staged semantics`);
    this.prologue();
    exec(this);
    this.epilogue();
    this.#frame.next(e.add(this.#frame.record, RECORD_SIZE));
  }

  gpr(n: number, size: Size): Int {
    return this.c.load(LOADS[size], BASE, gprAddress(n));
  }

  setGpr(n: number, size: Size, value: Int): void {
    this.c.store(STORES[size], BASE, stored(value, size), gprAddress(n));
  }

  xmm(n: number): V128 {
    return this.c.loadV128(BASE, xmmAddress(n));
  }

  setXmm(n: number, value: V128): void {
    this.c.storeV128(BASE, value, xmmAddress(n));
  }

  nextRip(): I64 {
    const { c } = this;
    const { record } = this.#frame;
    const end = e.add(
      c.load('i32.load16_u', record, RECORD.offset),
      c.load('i32.load8_u', record, RECORD.length),
    );
    return c.let(this.#ripAt(end));
  }

  jump(rip: I64): void {
    this.jumpTo(this.#truncateRip(rip));
  }

  branch(i: number, condition?: I32): void {
    const taken = (): void => {
      const link = this.c.load('i32.load', this.#frame.record, RECORD.link);
      this.c.if(link, () => this.#frame.next(link));
      const displacement = this.c.load('i64.load', this.#frame.record, RECORD.immediate);
      const target = this.c.let(this.#truncateRip(e.add(this.nextRip(), displacement)));
      this.checkLimit(target);
      this.#frame.synchronise();
      this.#frame.next(this.c.letCall('i32', this.callees.resolve, target, this.#frame.record));
    };
    if (this.kind(i) !== 'immediate') throw new Error('branch: operand is not immediate');
    if (condition) this.c.if(condition, taken);
    else taken();
  }

  leaveForEvents(): void {
    const { c } = this;
    const rip = this.nextRip();
    this.#frame.synchronise();
    c.store('i64.store', BASE, rip, FIELDS.rip.address);
    c.store('i32.store', BASE, e.i32(EXIT.event), FIELDS.exitReason.address);
    this.#frame.next(e.i32(0));
  }

  again(condition: I32): void {
    this.c.if(condition, () => this.#frame.next(this.#frame.record));
  }

  iterationsLeft(): I32 {
    // The present iteration is paid for.
    this.#frame.synchronise();
    return this.c.let(e.add(this.c.load('i32.load', BASE, FIELDS.remaining.address), 1));
  }

  consumeIterations(n: I32): void {
    this.#frame.synchronise();
    const left = this.c.load('i32.load', BASE, FIELDS.remaining.address);
    this.c.store('i32.store', BASE, e.sub(left, n), FIELDS.remaining.address);
    this.#frame.resume();
  }

  /** Goes on at `rip`. */
  protected jumpTo(rip: I64): void {
    const target = this.c.let(rip);
    this.checkLimit(target);
    this.#frame.synchronise();
    this.#frame.next(this.c.letCall('i32', this.callees.lookup, target));
  }

  protected readRegister(i: number, width: Size): Int {
    return this.c.load(LOADS[width], this.#registerPointer(i));
  }

  protected writeRegister(i: number, width: Size, value: Int): void {
    const { file } = this.operand(i);
    const pointer = this.#registerPointer(i);
    if (file === 'mmx') this.markMmxWritten(pointer);
    // 32 bits of a vector register leave the rest alone; of a general register they clear it.
    if (file !== 'gpr' && width === 32) this.c.store('i32.store', pointer, truncate(value, 32));
    else this.c.store(STORES[width], pointer, stored(value, width));
  }

  protected readVectorRegister(i: number): V128 {
    return this.#isFixed(i) ? this.xmm(0) : this.c.loadV128(this.#registerPointer(i));
  }

  protected writeVectorRegister(i: number, value: V128): void {
    this.c.storeV128(this.#registerPointer(i), value);
  }

  protected immediate(i: number, width: Size): Int {
    const { record } = this.#frame;
    const order = this.shape.operands.slice(0, i).filter((o) => o.kind === 'immediate').length;
    if (order > 0)
      return this.c.load(width === 8 ? 'i32.load8_u' : 'i32.load16_u', record, RECORD.immediate2);
    return this.c.load(LOADS[width], record, RECORD.immediate);
  }

  protected addressSum(source: 'rm' | 'offset'): I64 {
    const { c } = this;
    const { record } = this.#frame;
    if (source === 'offset') return c.load('i64.load', record, RECORD.immediate);
    const base = c.load('i64.load', c.load('i32.load16_u', record, RECORD.base));
    const index = c.load('i64.load', c.load('i32.load16_u', record, RECORD.index));
    const scale = c.load('i64.load8_u', record, RECORD.scale);
    const displacement = c.load('i64.load32_s', record, RECORD.displacement);
    return e.add(e.add(base, e.shl(index, scale)), displacement);
  }

  protected segmentNumber(): I32 {
    return this.c.load('i32.load8_u', this.#frame.record, RECORD.segment);
  }

  protected tlb(): I32 {
    return this.#frame.tlb();
  }

  protected callOut(call: () => void): void {
    this.#frame.synchronise();
    call();
    const unwind = this.c.load('i32.load', BASE, FIELDS.unwind.address);
    this.c.if(unwind, () => this.#frame.next(e.i32(0)));
    this.#frame.resume();
  }

  protected raiseVector(vector: I32, errorCode?: number): void {
    this.#frame.synchronise();
    const hasCode = e.i32(errorCode === undefined ? 0 : 1);
    this.c.call(this.callees.raise, vector, e.i32(errorCode ?? 0), hasCode);
    this.#frame.next(e.i32(0));
  }

  /** A branch target beyond the limit of CS is #GP(0) in 16- and 32-bit code; in long mode the lookup finds non-canonical targets. */
  protected checkLimit(target: I64): void {
    if (this.mode !== 'legacy') return;
    const limit = this.c.load('i64.load32_u', BASE, CS_LIMIT);
    this.raiseIf(e.gtU(target, limit), 13, 0);
  }

  /** RIP of the byte at `offset` of the present code page. */
  #ripAt(offset: I32): I64 {
    const page = this.c.load('i64.load', BASE, FIELDS.pageLinear.address);
    const linear = e.add(page, e.extendU(offset));
    if (this.mode !== 'legacy') return linear;
    const base = this.c.load('i64.load', BASE, FIELDS.codeBase.address);
    return e.and(e.sub(linear, base), e.i64(0xffff_ffff));
  }

  #truncateRip(rip: I64): I64 {
    if (this.operandSize === 64) return rip;
    return e.and(rip, e.i64(this.operandSize === 16 ? 0xffff : 0xffff_ffff));
  }

  #isFixed(i: number): boolean {
    return this.operand(i).source === 'fixed';
  }

  #registerPointer(i: number): I32 {
    if (i > 2) throw new Error(`${this.shape.row.mnemonic}: operand ${i} has no register field`);
    return this.c.load('i32.load16_u', this.#frame.record, RECORD.registers + i * 2);
  }
}

/** A value as the store of its size wants it: 32 bits go to a general register as 64, the high half clear. */
const stored = (value: Int, size: Size): Int =>
  size === 32 ? widen(truncate(value, 32)) : size === 64 ? widen(value) : narrow(value);

const narrow = (value: Int): I32 => (value.type === 'i64' ? e.wrap(value as I64) : (value as I32));

const CS = 1;
const CS_LIMIT = segmentAddress(CS) + SEGMENT.limit;
