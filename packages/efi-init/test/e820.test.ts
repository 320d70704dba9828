import { MemoryAttribute, MemoryType } from '@systab/efi-core';
import type { MemoryDescriptor, MemoryMap } from '@systab/efi-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deviceRanges,
  e820FromMemoryMap,
  e820TypeOf,
  E820Type,
  memoryMapFromE820,
  removeFromE820,
  sanitizeE820,
} from '../src/index.ts';
import type { E820Entry, E820Rules } from '../src/index.ts';

const { WB, SP } = MemoryAttribute;
const one = (type: number, attribute: bigint = WB): MemoryDescriptor => ({
  type,
  physicalStart: 0x1000n,
  virtualStart: 0n,
  numberOfPages: 2n,
  attribute,
});
const mapOf = (...descriptors: readonly MemoryDescriptor[]): MemoryMap => ({
  descriptorSize: 48,
  descriptorVersion: 1,
  descriptors,
});
const types = (rules: E820Rules, attribute: bigint): readonly (number | undefined)[] =>
  [...Array(17).keys()].map((type) => e820TypeOf(one(type, attribute), rules));

/** Type of each of the first 64 units, the slow way. */
const paint = (entries: readonly E820Entry[]): readonly number[] =>
  [...Array(64).keys()].map((unit) =>
    Math.max(
      0,
      ...entries
        .filter(({ start, size }) => BigInt(unit) >= start && BigInt(unit) < start + size)
        .map(({ type }) => type),
    ),
  );

const entry: fc.Arbitrary<E820Entry> = fc.record({
  start: fc.bigInt({ min: 0n, max: 40n }),
  size: fc.bigInt({ min: 0n, max: 20n }),
  type: fc.constantFrom<E820Type>(1, 2, 3, 4, 5, 7, 99),
});

describe('EFI types as E820 types', () => {
  it('are those of the boot stub', () => {
    const expected = [2, 1, 1, 1, 1, 2, 2, 1, 5, 3, 4, 2, 2, 2, 7, undefined, undefined];
    expect(types({ by: 'stub' }, WB)).toEqual(expected);
    expect(types({ by: 'stub' }, 0n)).toEqual(expected);
  });

  it('are those of add_efi_memmap, where RAM must be cacheable', () => {
    expect(types({ by: 'kernel' }, WB)).toEqual([
      2, 1, 1, 1, 1, 2, 2, 1, 5, 3, 4, 2, 2, 2, 7, 2, 2,
    ]);
    expect(types({ by: 'kernel' }, 1n).filter((type) => type === 1)).toEqual([]);
  });

  it('set specific-purpose memory apart, unless told not to', () => {
    const special = one(MemoryType.EfiConventionalMemory, WB | SP);
    expect(e820TypeOf(special, { by: 'kernel' })).toBe(E820Type.SOFT_RESERVED);
    expect(e820TypeOf(special, { by: 'stub', softReserve: false })).toBe(E820Type.RAM);
    expect(e820TypeOf(one(MemoryType.EfiLoaderData, WB | SP), { by: 'stub' })).toBe(E820Type.RAM);
  });

  it('join what lies side by side and skip what cannot be', () => {
    const second = { ...one(7), physicalStart: 0x3000n };
    const wraps = { ...one(7), numberOfPages: 1n << 52n };
    const map = mapOf(second, one(4), wraps, { ...one(2), numberOfPages: 0n });
    expect(e820FromMemoryMap(map, { by: 'stub' })).toEqual([
      { start: 0x1000n, size: 0x4000n, type: 1 },
    ]);
  });
});

describe('sorting out an E820 map', () => {
  it('keeps the highest type everywhere, in as few ranges as there can be', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
        const clean = sanitizeE820(entries);
        expect(paint(clean)).toEqual(paint(entries));
        clean.slice(1).forEach((next, index) => {
          const before = clean[index];
          const end = (before?.start ?? 0n) + (before?.size ?? 0n);
          expect(next.start > end || (next.start === end && next.type !== before?.type)).toBe(true);
        });
        expect(clean.every(({ size }) => size > 0n)).toBe(true);
      }),
    );
  });

  it('drops ranges that wrap', () => {
    expect(sanitizeE820([{ start: (1n << 64n) - 1n, size: 2n, type: 1 }])).toEqual([]);
    expect(sanitizeE820([{ start: (1n << 64n) - 1n, size: 1n, type: 1 }])).toHaveLength(1);
  });

  it('takes a hole out of one type only', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), entry, (entries, hole) => {
        const clean = sanitizeE820(entries);
        const inHole = paint([{ ...hole, type: 1 }]);
        const expected = paint(clean).map((type, unit) =>
          inHole[unit] === 1 && type === hole.type ? 0 : type,
        );
        expect(paint(removeFromE820(clean, hole))).toEqual(expected);
      }),
    );
  });
});

describe('a memory map made of an E820 map', () => {
  it('never calls RAM what is not', () => {
    const bytes = fc.record({
      start: fc.bigInt({ min: 0n, max: 0x8000n }),
      size: fc.bigInt({ min: 0n, max: 0x8000n }),
      type: fc.constantFrom<E820Type>(1, 2, 3, 7),
    });
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), (entries) => {
        const back = e820FromMemoryMap(memoryMapFromE820(entries), { by: 'kernel' });
        const typeAt = (all: readonly E820Entry[], at: bigint): number =>
          Math.max(
            0,
            ...all
              .filter(({ start, size }) => at >= start && at < start + size)
              .map(({ type }) => type),
          );
        for (let at = 0n; at < 0x1_0000n; at += 0x333n) {
          const [before, after] = [typeAt(entries, at), typeAt(back, at)];
          expect(after !== 1 || before === 1).toBe(true);
          expect(before <= 1 || after >= before).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('comes back from whole pages as it was', () => {
    const entries: readonly E820Entry[] = [
      { start: 0n, size: 0x9_f000n, type: 1 },
      { start: 0xf_0000n, size: 0x1_0000n, type: 2 },
      { start: 0x10_0000n, size: 0xf0_0000n, type: 1 },
      { start: 0x100_0000n, size: 0x1_0000n, type: 3 },
      { start: 0x101_0000n, size: 0x1_0000n, type: 4 },
      { start: 0x1_0000_0000n, size: 0x1000_0000n, type: E820Type.SOFT_RESERVED },
    ];
    const map = memoryMapFromE820(entries);
    expect(e820FromMemoryMap(map, { by: 'kernel' })).toEqual(entries);
    expect(map.descriptorSize).toBe(48);
  });
});

describe('device ranges', () => {
  it('are large from 256 KiB on', () => {
    const device = { ...one(MemoryType.EfiMemoryMappedIO), numberOfPages: 64n };
    const map = mapOf(one(7), device, { ...device, numberOfPages: 63n });
    expect(deviceRanges(map).map(({ index, large }) => [index, large])).toEqual([
      [1, true],
      [2, false],
    ]);
  });
});
