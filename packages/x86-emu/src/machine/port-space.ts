/** The 64 KiB of I/O ports. */
import type { Ports } from '../cpu/helper.ts';
import { MapError } from '../engine/physical-memory.ts';
import type { IoHandler, IoSize } from '../engine/physical-memory.ts';

const PORT_COUNT = 0x1_0000;

interface PortRange {
  readonly first: number;
  readonly count: number;
  readonly name: string;
  readonly maxSize: IoSize;
  readonly handler: IoHandler;
}

/** Sees every access, for traces and hooks. */
export type PortObserver = (port: number, bytes: number, value: number, write: boolean) => void;

export class PortSpace implements Ports {
  readonly #ranges: PortRange[] = [];
  /** Range index + 1 of each port. */
  readonly #owner = new Uint16Array(PORT_COUNT);
  readonly #unclaimed: (port: number, bytes: number, write: boolean) => number;
  readonly #observe: PortObserver;

  constructor(
    unclaimed: (port: number, bytes: number, write: boolean) => number,
    observe: PortObserver,
  ) {
    this.#unclaimed = unclaimed;
    this.#observe = observe;
  }

  /** Maps `count` ports from `first` on. An access wider than `maxSize` reaches the handler in parts, lowest port first. */
  map(first: number, count: number, name: string, handler: IoHandler, maxSize: IoSize = 4): void {
    if (!Number.isInteger(first) || first < 0 || count <= 0 || first + count > PORT_COUNT)
      throw new MapError(`${name}: ports ${first} to ${first + count - 1} are outside 0-65535`);
    for (let port = first; port < first + count; port++) {
      const other = this.#ranges[(this.#owner[port] as number) - 1];
      if (other)
        throw new MapError(`${name}: port 0x${port.toString(16)} belongs to ${other.name}`);
    }
    const index = this.#ranges.push({ first, count, name, maxSize, handler });
    this.#owner.fill(index, first, first + count);
  }

  read(bytes: IoSize, port: number): number {
    const value = this.#read(bytes, port);
    this.#observe(port, bytes, value, false);
    return value;
  }

  write(bytes: IoSize, port: number, value: number): void {
    this.#observe(port, bytes, value, true);
    this.#write(bytes, port, value);
  }

  #rangeFor(bytes: number, port: number): PortRange | undefined {
    const owner = this.#owner[port & 0xffff] as number;
    const range = owner === 0 ? undefined : this.#ranges[owner - 1];
    return range && bytes <= range.maxSize && port + bytes <= range.first + range.count
      ? range
      : undefined;
  }

  #read(bytes: IoSize, port: number): number {
    const range = this.#rangeFor(bytes, port);
    if (range) return range.handler.read(port - range.first, bytes) >>> 0;
    if (bytes === 1 || !this.#anyOwner(bytes, port)) return this.#unclaimed(port, bytes, false);
    const half = (bytes / 2) as IoSize;
    const low = this.#read(half, port);
    return (low | (this.#read(half, port + half) << (8 * half))) >>> 0;
  }

  #write(bytes: IoSize, port: number, value: number): void {
    const range = this.#rangeFor(bytes, port);
    if (range) {
      range.handler.write(port - range.first, bytes, value >>> 0);
      return;
    }
    if (bytes === 1 || !this.#anyOwner(bytes, port)) {
      this.#unclaimed(port, bytes, true);
      return;
    }
    const half = (bytes / 2) as IoSize;
    const mask = half === 1 ? 0xff : 0xffff;
    this.#write(half, port, value & mask);
    this.#write(half, port + half, (value >>> (8 * half)) & mask);
  }

  #anyOwner(bytes: number, port: number): boolean {
    for (let i = 0; i < bytes; i++) if (this.#owner[(port + i) & 0xffff] !== 0) return true;
    return false;
  }
}
