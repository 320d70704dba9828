/**
 * The part of `Emit` that both engines share: guest memory through the soft TLB, the stack, faults, and operands in terms of a few primitives
 * that the interpreter (`record-emit.ts`) and the translator (`region-emit.ts`) define.
 *
 * Longer than most files: it is the one place where guest memory access is built, and its parts need each other.
 */
import { FIELDS, FPU, segmentAddress, SEGMENT } from '../cpu/state-layout.ts';
import type { StateField } from '../cpu/state-layout.ts';
import { ATTRIBUTE } from '../cpu/cpu-state.ts';
import { FSW, X87_LAYOUT } from '../fpu/x87-state.ts';
import type { CodeMode, Emit, FlagsEmit, Modify, Size } from '../isa/emit.ts';
import { BASE } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int, V128 } from '../wasm/expr.ts';
import { TLB_ENTRIES, TLB_ENTRY } from './layout.ts';
import type { Callees } from './runtime-functions.ts';
import type { InstructionShape, OperandShape } from './shape.ts';
import { slowPathNumber } from '../cpu/slow-path.ts';

const PAGE_BITS = 12;
const MF = 16;
/** In 64-bit code FS and GS alone have a base. */
const FIRST_BASED_SEGMENT = 4;
const STACK_SEGMENT = 2;
const RSP = 4;
const RSI = 6;
const RDI = 7;

const LOADS = { 8: 'i32.load8_u', 16: 'i32.load16_u', 32: 'i32.load' } as const;
const STORES = { 8: 'i32.store8', 16: 'i32.store16', 32: 'i32.store', 64: 'i64.store' } as const;

/** log2 of the size of a TLB entry. */
const ENTRY_SHIFT = Math.log2(TLB_ENTRY.size);

/** Truncates an i32 or i64 to `size` bits, zero-extended: i32 up to 32 bits, i64 for 64. */
export const truncate = (value: Int, size: number): Int => {
  if (size === 64) return value.type === 'i64' ? value : e.extendU(value as I32);
  const low = value.type === 'i64' ? e.wrap(value as I64) : (value as I32);
  return size === 32 ? low : e.and(low, size === 16 ? 0xffff : 0xff);
};

/** Widens to i64 with zeros. */
export const widen = (value: Int): I64 =>
  value.type === 'i64' ? (value as I64) : e.extendU(value as I32);

const mask = (value: I64, bits: number): I64 =>
  bits === 64 ? value : e.and(value, e.i64((1n << BigInt(bits)) - 1n));

export abstract class GuestEmit implements Emit {
  readonly c: Code;
  readonly shape: InstructionShape;
  readonly mode: CodeMode;
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly rep: 'none' | 'repe' | 'repne';
  readonly lock: boolean;
  readonly operandCount: number;
  abstract readonly flags: FlagsEmit;
  protected readonly callees: Callees;
  /** The code so far has entered MMX state. */
  #inMmx = false;

  constructor(c: Code, shape: InstructionShape, callees: Callees) {
    this.c = c;
    this.shape = shape;
    this.callees = callees;
    this.mode = shape.mode;
    this.operandSize = shape.operandSize;
    this.addressSize = shape.addressSize;
    this.rep = shape.rep;
    this.lock = shape.lock;
    this.operandCount = shape.operands.length;
  }

  // What the engines define.

  abstract gpr(n: number, size: Size): Int;
  abstract setGpr(n: number, size: Size, value: Int): void;
  abstract xmm(n: number): V128;
  abstract setXmm(n: number, value: V128): void;
  abstract nextRip(): I64;
  abstract jump(rip: I64): void;
  abstract branch(i: number, condition?: I32): void;
  abstract leaveForEvents(): void;
  abstract again(condition: I32): void;
  abstract iterationsLeft(): I32;
  abstract consumeIterations(n: I32): void;
  /** Register operand `i` at its width. */
  protected abstract readRegister(i: number, width: Size): Int;
  protected abstract writeRegister(i: number, width: Size, value: Int): void;
  protected abstract readVectorRegister(i: number): V128;
  protected abstract writeVectorRegister(i: number, value: V128): void;
  protected abstract immediate(i: number, width: Size): Int;
  /** Base + index + displacement of the ModRM memory operand, or the absolute offset, not truncated. */
  protected abstract addressSum(source: 'rm' | 'offset'): I64;
  /** Number of the memory operand's segment register. */
  protected abstract segmentNumber(): I32;
  /** Address of the TLB of the present privilege. */
  protected abstract tlb(): I32;
  /** Builds a call out of staged code, which may fault or look at time: what `call` builds, or a way around it. */
  protected abstract callOut(call: () => void): void;
  /** Raises a fault. */
  protected abstract raiseVector(vector: I32, errorCode?: number): void;

  // Operands.

  kind(i: number): OperandShape['kind'] {
    return this.operand(i).kind;
  }

  width(i: number): number {
    return this.operand(i).width;
  }

  size(i: number): Size {
    const width = this.width(i);
    if (width !== 8 && width !== 16 && width !== 32 && width !== 64)
      throw new Error(`${this.shape.row.mnemonic}: operand ${i} has ${width} bits`);
    return width;
  }

  read(i: number): Int {
    const size = this.size(i);
    switch (this.kind(i)) {
      case 'immediate':
        return this.c.let(this.immediate(i, size));
      case 'register':
        return this.c.let(this.readRegister(i, size));
      case 'memory':
        return this.load(size, this.linear(i, size / 8, 'read'));
    }
  }

  readVector(i: number): V128 {
    return this.kind(i) === 'register'
      ? this.readVectorRegister(i)
      : this.loadVector(this.vectorAddress(i, 'read'));
  }

  write(i: number, value: Int): void {
    const size = this.size(i);
    if (this.kind(i) === 'register') this.writeRegister(i, size, value);
    else this.store(size, this.linear(i, size / 8, 'write'), value);
  }

  writeVector(i: number, value: V128): void {
    if (this.kind(i) === 'register') this.writeVectorRegister(i, value);
    else this.storeVector(this.vectorAddress(i, 'write'), value);
  }

  writeZeroExtended(i: number, value: Int): void {
    const zero = e.v128(Array.from({ length: 16 }, () => 0));
    this.writeVectorRegister(
      i,
      value.type === 'i64'
        ? e.replaceLane('i64x2.replace_lane', zero, 0, value)
        : e.replaceLane('i32x4.replace_lane', zero, 0, value),
    );
  }

  modify(i: number): Modify {
    const size = this.size(i);
    if (this.kind(i) === 'memory') return this.modifyAt(size, this.linear(i, size / 8, 'write'));
    return {
      value: this.read(i),
      write: (value) => this.writeRegister(i, size, value),
    };
  }

  effectiveAddress(i: number): I64 {
    return this.c.let(mask(this.#addressSum(i), this.addressSize));
  }

  #addressSum(i: number): I64 {
    const { source } = this.operand(i);
    if (source === 'source') return this.gpr(RSI, 64) as I64;
    if (source === 'destination' || source === 'throughRdi') return this.gpr(RDI, 64) as I64;
    return this.addressSum(source === 'offset' ? 'offset' : 'rm');
  }

  linear(i: number, bytes: number, access: 'read' | 'write', displacement?: I64): I64 {
    const sum = this.#addressSum(i);
    const offset = this.c.let(
      mask(displacement ? e.add(sum, displacement) : sum, this.addressSize),
    );
    const destination = this.operand(i).source === 'destination';
    if (this.mode === 'long') {
      if (destination || this.shape.flat) return offset;
      const base = this.c.load('i64.load', this.segmentPointer(), SEGMENT.base);
      const isBased = e.geU(this.segmentNumber(), FIRST_BASED_SEGMENT);
      return this.c.let(e.add(offset, e.select(isBased, base, e.i64(0))));
    }
    if (this.mode === 'flat' && (destination || this.shape.flat) && this.addressSize === 32)
      return offset;
    return this.segmented(destination ? e.i32(0) : this.segmentNumber(), offset, bytes, access);
  }

  // Guest memory.

  load(width: Size, linear: I64): Int {
    const result = this.c.variable(width === 64 ? 'i64' : 'i32');
    const address = this.c.let(linear);
    this.probe(
      address,
      width / 8,
      TLB_ENTRY.read,
      (host) => {
        this.c.set(result, this.loadHost(width, host));
      },
      () => this.c.set(result, this.c.letCall(result.type, this.#loadCallee(width), address)),
    );
    return this.c.get(result);
  }

  loadVector(linear: I64): V128 {
    const result = this.c.variable('v128');
    const address = this.c.let(linear);
    this.probe(
      address,
      16,
      TLB_ENTRY.read,
      (host) => this.c.set(result, this.c.loadV128(host)),
      () => this.c.set(result, this.c.letCall('v128', this.callees.loadVector, address)),
    );
    return this.c.get(result);
  }

  store(width: Size, linear: I64, value: Int): void {
    const address = this.c.let(linear);
    const bound = this.c.let(width === 64 ? widen(value) : narrow(value));
    this.probe(
      address,
      width / 8,
      TLB_ENTRY.write,
      (host) => this.storeHost(width, host, bound),
      () => this.c.call(this.#storeCallee(width), address, bound),
    );
  }

  storeVector(linear: I64, value: V128): void {
    const address = this.c.let(linear);
    const bound = this.c.let(value);
    this.probe(
      address,
      16,
      TLB_ENTRY.write,
      (host) => this.c.storeV128(host, bound),
      () => this.c.call(this.callees.storeVector, address, bound),
    );
  }

  modifyAt(width: Size, linear: I64): Modify {
    const { c } = this;
    const address = c.let(linear);
    const host = c.variable('i32');
    this.probe(
      address,
      width / 8,
      TLB_ENTRY.write,
      (direct) => c.set(host, direct),
      () => c.set(host, c.letCall('i32', this.callees.prepareModify, address, e.i32(width / 8))),
    );
    const direct = c.let(e.gtU(c.get(host), 1));
    const value = c.variable(width === 64 ? 'i64' : 'i32');
    c.if(
      direct,
      () => c.set(value, this.loadHost(width, c.get(host))),
      // No fault is left to come.
      () => c.set(value, c.letCall(value.type, this.#loadCallee(width), address)),
    );
    return {
      value: c.get(value),
      write: (result) => {
        const bound = c.let(width === 64 ? widen(result) : narrow(result));
        c.if(
          direct,
          () => this.storeHost(width, c.get(host), bound),
          () => this.callOut(() => c.call(this.#storeCallee(width), address, bound)),
        );
      },
    };
  }

  direct(linear: I64, access: 'read' | 'write'): I32 {
    const { c } = this;
    const address = c.let(linear);
    const entry = this.#entry(address);
    const tag = c.load('i64.load', entry, access === 'read' ? TLB_ENTRY.read : TLB_ENTRY.write);
    const addend = c.load('i32.load', entry, TLB_ENTRY.addend);
    return c.let(
      e.select(
        e.eq(tag, e.and(address, e.i64(-(1 << PAGE_BITS)))),
        e.add(e.wrap(address), addend),
        e.i32(0),
      ),
    );
  }

  // Stack.

  push(size: 16 | 32 | 64, value: Int): void {
    const bound = this.c.let(truncate(value, size));
    const { pointer, address } = this.#stackAt(-size / 8, size / 8, 'write');
    this.store(size, address, bound);
    this.#setStackPointer(pointer);
  }

  peek(size: 16 | 32 | 64, offset: number, pointer?: I64): Int {
    return this.load(size, this.#stackAt(offset, size / 8, 'read', pointer).address);
  }

  adjustStack(bytes: Int): void {
    if (this.mode === 'long') {
      this.setGpr(RSP, 64, e.add(this.gpr(RSP, 64), widen(bytes)));
      return;
    }
    this.#setStackPointer(this.c.let(e.add(this.gpr(RSP, 32) as I32, narrow(bytes))));
  }

  // State and faults.

  field(field: StateField): Int {
    const { type, address } = FIELDS[field];
    return type === 'u64'
      ? this.c.load('i64.load', BASE, address)
      : this.c.load('i32.load', BASE, address);
  }

  setField(field: StateField, value: Int): void {
    const { type, address } = FIELDS[field];
    this.c.store(type === 'u64' ? 'i64.store' : 'i32.store', BASE, value, address);
  }

  raise(vector: number, errorCode?: number): void {
    this.raiseVector(e.i32(vector), errorCode);
  }

  raiseIf(condition: I32, vector: number, errorCode?: number): void {
    this.c.if(condition, () => this.raise(vector, errorCode));
  }

  slowPath(name: string, ...args: readonly I32[]): I32 {
    const padded = [...args, e.i32(0), e.i32(0), e.i32(0)].slice(0, 3);
    const { c } = this;
    const result = c.variable('i32');
    this.callOut(() => {
      const number = e.i32(slowPathNumber(name));
      c.set(result, c.letCall('i32', this.callees.slowPath, number, ...padded));
    });
    return c.get(result);
  }

  /** Checks that row attributes demand before the semantics (`cpl0`, `unit`). */
  prologue(): void {
    const { row } = this.shape;
    if (row.unit) {
      const blocked = this.field(`${row.unit}Blocked`) as I32;
      this.c.if(blocked, () => this.raiseVector(blocked));
    }
    if (row.unit === 'mmx') this.#raisePendingX87();
    if (row.cpl0) this.raiseIf(e.nez(this.field('cpl')), 13, 0);
  }

  /** What every instruction of a unit does when it has not faulted. */
  protected epilogue(): void {
    if (this.shape.row.unit === 'mmx') this.enterMmx();
  }

  enterMmx(): void {
    if (this.#inMmx) return;
    this.#inMmx = true;
    const status = this.c.load('i32.load16_u', BASE, FPU + X87_LAYOUT.fsw);
    const top = e.and(status, ~(7 << FSW.topShift));
    this.c.store('i32.store16', BASE, top, FPU + X87_LAYOUT.fsw);
    this.c.store('i32.store8', BASE, e.i32(0xff), FPU + X87_LAYOUT.tags);
  }

  leaveMmx(): void {
    this.enterMmx();
    this.c.store('i32.store8', BASE, e.i32(0), FPU + X87_LAYOUT.tags);
  }

  /** An MMX register as its 16-byte slot: sign and exponent above it become ones (SDM Vol. 1, 9.5.1). */
  protected markMmxWritten(slot: I32): void {
    this.c.store('i32.store16', slot, e.i32(0xffff), X87_LAYOUT.signExponent);
  }

  #raisePendingX87(): void {
    const status = this.c.load('i32.load16_u', BASE, FPU + X87_LAYOUT.fsw);
    this.raiseIf(e.nez(e.and(status, FSW.summary)), MF);
  }

  protected operand(i: number): OperandShape {
    const operand = this.shape.operands[i];
    if (!operand) throw new Error(`${this.shape.row.mnemonic} has no operand ${i}`);
    return operand;
  }

  /** Linear address in 16- or 32-bit code, through the segment's base and limit. */
  protected segmented(segment: I32, offset: I64, bytes: number, access: 'read' | 'write'): I64 {
    const { c } = this;
    const linear = c.variable('i64');
    const write = e.i32(access === 'write' ? 1 : 0);
    this.callOut(() => {
      const { segmentLinear } = this.callees;
      c.set(linear, c.letCall('i64', segmentLinear, segment, offset, e.i32(bytes), write));
    });
    return c.get(linear);
  }

  protected segmentPointer(): I32 {
    return e.add(
      e.mul(this.segmentNumber(), segmentAddress(1) - segmentAddress(0)),
      segmentAddress(0),
    );
  }

  private vectorAddress(i: number, access: 'read' | 'write'): I64 {
    const linear = this.linear(i, 16, access);
    if (this.shape.row.aligned) this.raiseIf(e.nez(e.and(e.wrap(linear), 15)), 13, 0);
    return linear;
  }

  #entry(address: I64): I32 {
    const index = e.and(
      e.shrU(e.wrap(address), PAGE_BITS - ENTRY_SHIFT),
      (TLB_ENTRIES - 1) << ENTRY_SHIFT,
    );
    return this.c.let(e.add(this.tlb(), index));
  }

  /**
   * One comparison covers presence, permission and page crossing: the page of the last byte must be the tag of the entry of the first byte's page.
   */
  protected probe(
    address: I64,
    bytes: number,
    tagOffset: number,
    hit: (host: I32) => void,
    miss: () => void,
  ): void {
    const { c } = this;
    const entry = this.#entry(address);
    const tag = c.load('i64.load', entry, tagOffset);
    const last = bytes === 1 ? address : e.add(address, e.i64(bytes - 1));
    c.if(
      e.eq(tag, e.and(last, e.i64(-(1 << PAGE_BITS)))),
      () => {
        const addend = c.load('i32.load', entry, TLB_ENTRY.addend);
        hit(c.let(e.add(e.wrap(address), addend)));
      },
      () => this.callOut(miss),
    );
  }

  protected loadHost(width: Size, host: I32): Int {
    if (width === 64) return this.c.load('i64.load', host);
    return this.c.load(LOADS[width], host);
  }

  protected storeHost(width: Size, host: I32, value: Int): void {
    this.c.store(STORES[width], host, value);
  }

  #loadCallee(width: Size): Callees['load8'] {
    return {
      8: this.callees.load8,
      16: this.callees.load16,
      32: this.callees.load32,
      64: this.callees.load64,
    }[width];
  }

  #storeCallee(width: Size): Callees['store8'] {
    return {
      8: this.callees.store8,
      16: this.callees.store16,
      32: this.callees.store32,
      64: this.callees.store64,
    }[width];
  }

  /** Stack pointer plus `delta`, and the linear address there. */
  #stackAt(
    delta: number,
    bytes: number,
    access: 'read' | 'write',
    from?: I64,
  ): { readonly pointer: Int; readonly address: I64 } {
    const { c } = this;
    if (this.mode === 'long') {
      const pointer = c.let(e.add(from ?? (this.gpr(RSP, 64) as I64), e.i64(delta)));
      return { pointer, address: pointer };
    }
    const start = from ? e.wrap(from) : (this.gpr(RSP, 32) as I32);
    const sum = e.add(start, delta);
    if (this.mode === 'flat') {
      const pointer = c.let(sum);
      return { pointer, address: c.let(e.extendU(pointer)) };
    }
    const pointer = c.let(e.and(sum, this.#stackMask()));
    const address = this.segmented(e.i32(STACK_SEGMENT), e.extendU(pointer), bytes, access);
    return { pointer, address };
  }

  /** 0xffff or 0xffffffff by SS.B. */
  #stackMask(): I32 {
    const attributes = this.c.load(
      'i32.load',
      BASE,
      segmentAddress(STACK_SEGMENT) + SEGMENT.attributes,
    );
    return this.c.let(e.select(e.nez(e.and(attributes, ATTRIBUTE.big)), e.i32(-1), e.i32(0xffff)));
  }

  #setStackPointer(pointer: Int): void {
    if (this.mode !== 'legacy') {
      this.setGpr(RSP, this.mode === 'long' ? 64 : 32, pointer);
      return;
    }
    const wide = this.#stackMask();
    const old = this.gpr(RSP, 32) as I32;
    const merged = e.or(e.and(pointer as I32, wide), e.and(old, e.not(wide)));
    this.setGpr(RSP, 32, merged);
  }
}

export const narrow = (value: Int): I32 =>
  value.type === 'i64' ? e.wrap(value as I64) : (value as I32);
