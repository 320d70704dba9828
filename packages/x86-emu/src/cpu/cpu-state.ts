/** Typed access to the CPU state in linear memory, for code outside the engine. */
import type { X87State } from '../fpu/x87-state.ts';
import {
  FIELDS,
  FPU,
  MSR_SLOTS,
  SEGMENT,
  SEGMENT_NAMES,
  gprAddress,
  segmentAddress,
  xmmAddress,
} from './state-layout.ts';
import type { SegmentName, StateField } from './state-layout.ts';

/** A cached segment register. `attributes` are bits 40-55 of the descriptor shifted to 0-15 (limit bits clear); `limit` is in bytes. */
export interface Segment {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  readonly attributes: number;
}

/** Attribute bits of a cached segment register: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15. */
export const ATTRIBUTE = {
  accessed: 0x1,
  /** Data: writable. Code: readable. */
  readWrite: 0x2,
  /** Data: expand-down. Code: conforming. */
  expandDownOrConforming: 0x4,
  code: 0x8,
  nonSystem: 0x10,
  dplShift: 5,
  present: 0x80,
  available: 0x1000,
  long: 0x2000,
  big: 0x4000,
  granularity: 0x8000,
  /** Not in any descriptor: the register holds a null selector. */
  unusable: 0x10000,
} as const;

const SEGMENT_AT = Object.fromEntries(
  SEGMENT_NAMES.map((name, i) => [name, segmentAddress(i)]),
) as Record<SegmentName, number>;

/** Six status flags: CF PF AF ZF SF OF. */
export const STATUS_FLAGS = 0x8d5;

export class CpuState {
  readonly #view: DataView;
  /** The x87 and MMX state, whose inner layout belongs to `fpu/`. */
  readonly x87: X87State;
  /** Words of the vectors that staged code and vector slow paths exchange: operands at 0 and 4, the result at 8. */
  readonly vectors: Uint32Array;

  constructor(memory: ArrayBufferLike) {
    this.#view = new DataView(memory);
    this.x87 = { view: this.#view, base: FPU };
    this.vectors = new Uint32Array(memory, FIELDS.sseA.address, 12);
  }

  /** A field as an unsigned number; fields of 64 bits must be read with `big`. */
  get(field: StateField): number {
    const { type, address } = FIELDS[field];
    if (type === 'u64') throw new TypeError(`${field} has 64 bits`);
    return type === 'u32'
      ? this.#view.getUint32(address, true)
      : type === 'u16'
        ? this.#view.getUint16(address, true)
        : this.#view.getUint8(address);
  }

  set(field: StateField, value: number): void {
    const { type, address } = FIELDS[field];
    if (type === 'u64') throw new TypeError(`${field} has 64 bits`);
    if (type === 'u32') this.#view.setUint32(address, value, true);
    else if (type === 'u16') this.#view.setUint16(address, value, true);
    else this.#view.setUint8(address, value);
  }

  /** The low 32 bits of a field of 32 or 64 bits: control registers' flags, without the cost of a bigint. */
  low(field: StateField): number {
    return this.#view.getUint32(FIELDS[field].address, true);
  }

  /** A 64-bit field, unsigned. */
  big(field: StateField): bigint {
    return this.#view.getBigUint64(FIELDS[field].address, true);
  }

  setBig(field: StateField, value: bigint): void {
    this.#view.setBigUint64(FIELDS[field].address, value, true);
  }

  /** General register `n`, 64 bits. */
  gpr(n: number): bigint {
    return this.#view.getBigUint64(gprAddress(n), true);
  }

  setGpr(n: number, value: bigint): void {
    this.#view.setBigUint64(gprAddress(n), value, true);
  }

  /** The low 32 bits of general register `n`, unsigned. */
  gpr32(n: number): number {
    return this.#view.getUint32(gprAddress(n), true);
  }

  /** Writes the low 32 bits and clears the high ones. */
  setGpr32(n: number, value: number): void {
    this.#view.setUint32(gprAddress(n), value, true);
    this.#view.setUint32(gprAddress(n) + 4, 0, true);
  }

  /** 64-bit half `half` (0 low, 1 high) of an XMM register. */
  xmm(n: number, half: 0 | 1): bigint {
    return this.#view.getBigUint64(xmmAddress(n) + half * 8, true);
  }

  setXmm(n: number, half: 0 | 1, value: bigint): void {
    this.#view.setBigUint64(xmmAddress(n) + half * 8, value, true);
  }

  segment(name: SegmentName): Segment {
    const at = SEGMENT_AT[name];
    return {
      base: this.#view.getBigUint64(at + SEGMENT.base, true),
      limit: this.#view.getUint32(at + SEGMENT.limit, true),
      attributes: this.#view.getUint32(at + SEGMENT.attributes, true),
      selector: this.#view.getUint16(at + SEGMENT.selector, true),
    };
  }

  /** `segment(name).attributes` and `.selector` alone. */
  attributes(name: SegmentName): number {
    return this.#view.getUint32(SEGMENT_AT[name] + SEGMENT.attributes, true);
  }

  selector(name: SegmentName): number {
    return this.#view.getUint16(SEGMENT_AT[name] + SEGMENT.selector, true);
  }

  setSegment(name: SegmentName, segment: Segment): void {
    const at = SEGMENT_AT[name];
    this.#view.setBigUint64(at + SEGMENT.base, segment.base, true);
    this.#view.setUint32(at + SEGMENT.limit, segment.limit, true);
    this.#view.setUint32(at + SEGMENT.attributes, segment.attributes, true);
    this.#view.setUint16(at + SEGMENT.selector, segment.selector, true);
  }

  /** Slot `n` of the model-specific registers. */
  msrSlot(n: number): bigint {
    return this.#view.getBigUint64(MSR_SLOTS + n * 8, true);
  }

  setMsrSlot(n: number, value: bigint): void {
    this.#view.setBigUint64(MSR_SLOTS + n * 8, value, true);
  }

  /** RFLAGS, the status flags made from their lazy form. */
  get rflags(): number {
    return (this.get('systemFlags') & ~STATUS_FLAGS) | this.#statusFlags() | 2;
  }

  set rflags(value: number) {
    this.set('systemFlags', (value & ~STATUS_FLAGS) | 2);
    this.setStatusFlags(value & STATUS_FLAGS);
  }

  /** Replaces the six status flags. */
  setStatusFlags(flags: number): void {
    const zero = (flags & 0x40) !== 0;
    const sign = (flags & 0x80) !== 0;
    const parity = (flags & 0x04) !== 0;
    // The lazy form keeps ZF, SF and PF in one result; the delta bits cover what no result can show.
    const delta = zero ? (sign ? SIGN_DELTA : 0) | (parity ? 0 : PARITY_DELTA) : 0;
    const view = this.#view;
    view.setUint32(FIELDS.flagKind.address, delta, true);
    view.setUint32(FIELDS.flagResult.address, zero ? 0 : parity ? 3 : 1, true);
    view.setUint32(FIELDS.flagResult.address + 4, !zero && sign ? 0x8000_0000 : 0, true);
    view.setUint32(FIELDS.flagA.address, flags & 0x811, true);
    view.setUint32(FIELDS.flagA.address + 4, 0, true);
  }

  #statusFlags(): number {
    const kind = this.low('flagKind');
    const low = this.low('flagResult');
    const high = this.#high('flagResult');
    let flags = low === 0 && high === 0 ? 0x40 : 0;
    if (high >>> 31 !== ((kind & SIGN_DELTA) !== 0 ? 1 : 0)) flags |= 0x80;
    let parity = low ^ (low >> 4);
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    if ((parity & 1) === ((kind & PARITY_DELTA) !== 0 ? 1 : 0)) flags |= 0x04;
    return flags | this.#carryAuxiliaryOverflow(kind & KIND_MASK, low, high);
  }

  /** Carries and overflows show in the top bits, the auxiliary carry in bit 4. */
  #carryAuxiliaryOverflow(kind: number, r: number, rh: number): number {
    const a = this.low('flagA');
    const b = this.low('flagB');
    const ah = this.#high('flagA');
    const bh = this.#high('flagB');
    switch (kind) {
      case FLAG_KIND.add:
        return (
          (((ah & bh) | ((ah | bh) & ~rh)) >>> 31) |
          ((a ^ b ^ r) & 0x10) |
          ((((ah ^ rh) & (bh ^ rh)) >>> 31) << 11)
        );
      case FLAG_KIND.sub:
      case FLAG_KIND.sbb:
        return (
          (((~ah & bh) | ((~ah | bh) & rh)) >>> 31) |
          ((a ^ b ^ r) & 0x10) |
          ((((ah ^ bh) & (ah ^ rh)) >>> 31) << 11)
        );
      case FLAG_KIND.inc:
        return (b & 1) | ((a ^ r ^ 1) & 0x10) | (((~ah & rh) >>> 31) << 11);
      case FLAG_KIND.dec:
        return (b & 1) | ((a ^ r ^ 1) & 0x10) | (((ah & ~rh) >>> 31) << 11);
      default:
        return a & 0x811;
    }
  }

  #high(field: 'flagResult' | 'flagA' | 'flagB'): number {
    return this.#view.getUint32(FIELDS[field].address + 4, true);
  }
}

/** Lazy flag kinds: how CF, AF and OF follow from flagA, flagB and flagResult (all sign-extended to 64 bits). */
export const FLAG_KIND = {
  /** flagA holds CF, AF and OF at their places. */
  explicit: 0,
  /** result = A + B (+ carry). */
  add: 1,
  /** result = A - B. */
  sub: 2,
  /** result = A - B - carry. */
  sbb: 3,
  /** result = A + 1; flagB is CF. */
  inc: 4,
  /** result = A - 1; flagB is CF. */
  dec: 5,
} as const;
export const KIND_MASK = 7;
/** SF is the opposite of the result's sign; PF the opposite of its parity. */
export const SIGN_DELTA = 0x100;
export const PARITY_DELTA = 0x200;
