/**
 * A running 64-bit hash of everything that passes between processor and machine: port and memory-mapped accesses, interrupts and exceptions, each with
 * the number of instructions retired. Equal hashes mean equal runs as far as any device could tell.
 */
export const TRACE_EVENT = {
  portRead: 1,
  portWrite: 2,
  ioRead: 3,
  ioWrite: 4,
  interrupt: 5,
} as const;

/** One event of the trace. */
export interface TraceEvent {
  readonly kind: keyof typeof TRACE_EVENT;
  /** Instructions retired, the present one included. */
  readonly retired: number;
  /** Port, physical address, or for interrupts RIP: the low 32 bits. */
  readonly address: number;
  /** Width of the access; 0 for interrupts. */
  readonly bytes: number;
  /** What was read or written, or the vector. */
  readonly value: number;
}

const mix = (hash: number, value: number, factor: number): number => {
  const h = Math.imul(hash ^ value, factor);
  return (h ^ (h >>> 15)) | 0;
};

const hex32 = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

export class TraceHash {
  #low = 0x811c_9dc5 | 0;
  #high = 0x1b87_3593;

  /** Adds an event; `retired` is a count below 2^53, the rest are taken as 32 bits. */
  add(kind: number, retired: number, address: number, value: number): void {
    const count = retired | 0;
    const countHigh = Math.floor(retired / 2 ** 32);
    this.#low = mix(mix(this.#low, count, 0x01000193), (kind << 24) ^ address, 0x85eb_ca6b);
    this.#high = mix(
      mix(this.#high, countHigh ^ kind, 0xcc9e_2d51),
      value ^ this.#low,
      0xc2b2_ae35,
    );
  }

  /** 16 hex digits. */
  toString(): string {
    return hex32(this.#high) + hex32(this.#low);
  }

  get state(): readonly [number, number] {
    return [this.#low, this.#high];
  }

  set state([low, high]: readonly [number, number]) {
    this.#low = low;
    this.#high = high;
  }
}
