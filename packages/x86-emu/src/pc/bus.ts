// The 64 Ki I/O ports and the memory-mapped registers: who answers an address, and what answers when nobody does.

import type { IoSize, IoHandler, MmioRange, PortRange, PortMap } from '../device/ops.ts';
import { allOnes } from '../device/ops.ts';

/**
 * What an address without a device reads as. Hardware gives all-ones; QEMU gives zeros for memory addresses (ports read
 * all-ones there too), which `zeros` copies for comparisons.
 */
export type UnassignedReads = 'ones' | 'zeros';

export interface PortBus extends PortMap {
  readonly read: (port: number, size: IoSize) => number;
  readonly write: (port: number, size: IoSize, value: number) => void;
  /** The ranges mapped at the moment, by first port. */
  readonly ranges: () => readonly PortRange[];
}

export interface MmioBus {
  readonly ranges: readonly MmioRange[];
  readonly find: (address: number) => MmioRange | undefined;
  /** Accesses must not cross the end of a range. */
  readonly read: (address: number, size: IoSize) => number;
  readonly write: (address: number, size: IoSize, value: number) => void;
}

const PORTS = 0x1_0000;

/** Splits an access that is wider than the device's registers, lowest address first. */
const split = (
  handler: (offset: number) => { readonly handler: IoHandler; readonly offset: number } | undefined,
  size: IoSize,
  part: IoSize,
): number => {
  let value = 0;
  for (let i = 0; i < size; i += part) {
    const target = handler(i);
    const piece =
      target === undefined ? allOnes(part) : target.handler.read(target.offset, part) >>> 0;
    value += piece * 2 ** (8 * i);
  }
  return value;
};

export const createPortBus = (): PortBus => {
  const owner: (PortRange | undefined)[] = Array.from({ length: PORTS });
  const at = (
    port: number,
  ): { readonly handler: IoHandler; readonly offset: number } | undefined => {
    const range = owner[port & (PORTS - 1)];
    return range === undefined ? undefined : { handler: range.handler, offset: port - range.first };
  };
  return {
    read: (port, size) => {
      const range = owner[port];
      if (range === undefined) return allOnes(size);
      if (size <= range.maxSize) return range.handler.read(port - range.first, size) >>> 0;
      const part = range.maxSize;
      return split((i) => at(port + i), size, part);
    },
    write: (port, size, value) => {
      const range = owner[port];
      if (range === undefined) return;
      if (size <= range.maxSize) {
        range.handler.write(port - range.first, size, value >>> 0);
        return;
      }
      const part = range.maxSize;
      for (let i = 0; i < size; i += part) {
        const target = at(port + i);
        target?.handler.write(target.offset, part, (value >>> (8 * i)) & allOnes(part));
      }
    },
    map: (range) => {
      if (range.first < 0 || range.first + range.count > PORTS)
        throw new Error(`${range.name}: ports beyond 0xffff`);
      const below = owner.slice(range.first, range.first + range.count);
      owner.fill(range, range.first, range.first + range.count);
      return () => {
        for (let i = 0; i < range.count; i++)
          if (owner[range.first + i] === range) owner[range.first + i] = below[i];
      };
    },
    ranges: () => [...new Set(owner.filter((range) => range !== undefined))],
  };
};

export const createMmioBus = (
  ranges: readonly MmioRange[],
  unassigned: UnassignedReads,
): MmioBus => {
  const sorted = ranges.toSorted((a, b) => a.base - b.base);
  sorted.forEach((range, i) => {
    const next = sorted[i + 1];
    if (next !== undefined && range.base + range.length > next.base)
      throw new Error(`${range.name} and ${next.name} overlap in memory`);
  });
  const find = (address: number): MmioRange | undefined =>
    sorted.find((range) => address >= range.base && address < range.base + range.length);
  return {
    ranges: sorted,
    find,
    read: (address, size) => {
      const range = find(address);
      if (range === undefined) return unassigned === 'ones' ? allOnes(size) : 0;
      const offset = address - range.base;
      if (size <= range.maxSize) return range.handler.read(offset, size) >>> 0;
      return split((i) => ({ handler: range.handler, offset: offset + i }), size, range.maxSize);
    },
    write: (address, size, value) => {
      const range = find(address);
      if (range === undefined) return;
      const offset = address - range.base;
      const part = range.maxSize < size ? range.maxSize : size;
      for (let i = 0; i < size; i += part)
        range.handler.write(
          offset + i,
          part,
          ((value >>> (8 * i)) & (part === 4 ? -1 : allOnes(part))) >>> 0,
        );
    },
  };
};
