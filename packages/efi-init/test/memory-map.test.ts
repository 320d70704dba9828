import {
  isBootServicesMemory,
  isRuntimeDescriptor,
  MemoryAttribute,
  memoryDescriptorEnd,
  MemoryType,
} from '@systab/efi-core';
import type { MemoryDescriptor, MemoryMap } from '@systab/efi-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EFI_VA_END,
  EFI_VA_START,
  formatMemoryDescriptor,
  formatMemoryType,
  freeableBootServices,
  isMappedRegion,
  layOutRegions,
  mergeMemoryMap,
  pageMappings,
  splitMemoryMap,
  tagMemoryRange,
} from '../src/index.ts';
import { region, RUNTIME, UC, WB } from './fake-firmware.ts';

const mapOf = (descriptors: readonly MemoryDescriptor[]): MemoryMap => ({
  descriptorSize: 48,
  descriptorVersion: 1,
  descriptors,
});

/** A map without overlaps: runs of pages side by side or apart. */
const soundMap: fc.Arbitrary<MemoryMap> = fc
  .array(
    fc.record({
      gap: fc.constantFrom(0, 0, 1, 300),
      pages: fc.integer({ min: 1, max: 900 }),
      type: fc.constantFrom(0, 2, 3, 4, 5, 6, 7, 9, 11),
      attribute: fc.constantFrom(WB, UC, WB | RUNTIME, UC | RUNTIME),
    }),
    { maxLength: 12 },
  )
  .map((runs) => {
    let page = 0;
    return mapOf(
      runs.map(({ gap, pages, type, attribute }) => {
        const start = page + gap;
        page = start + pages;
        return region(type, start * 4096, page * 4096, attribute);
      }),
    );
  });

/** Type and attributes of one page. */
const pageAt = (map: MemoryMap, address: bigint): string => {
  const found = map.descriptors.find(
    (one) => one.physicalStart <= address && address < memoryDescriptorEnd(one),
  );
  return found === undefined ? 'none' : `${String(found.type)} ${found.attribute.toString(16)}`;
};

describe('the dump', () => {
  it('has the columns of the kernel', () => {
    expect(formatMemoryDescriptor(region(7, 0x1000, 0xa_0000, 0xfn), 1)).toBe(
      'mem01: [Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] range=[0x0000000000001000-0x000000000009ffff] (0MB)',
    );
    expect(formatMemoryDescriptor(region(11, 0xffc0_0000, 0x1_0000_0000, UC | RUNTIME), 100)).toBe(
      'mem100: [MMIO        |RUN|  |  |  |  |  |  |  |  |  |   |  |  |  |UC] range=[0x00000000ffc00000-0x00000000ffffffff] (4MB)',
    );
  });

  it('falls back to numbers for what has no name', () => {
    expect(formatMemoryType(region(0x7000_0000, 0, 4096, 1n << 40n))).toBe(
      '[type=1879048192|attr=0x0000010000000000]',
    );
    const all = Object.values(MemoryAttribute).reduce((sum, bit) => sum | bit, 0n);
    expect(formatMemoryType(region(0, 0, 4096, all & ~MemoryAttribute.ISA_VALID))).toBe(
      '[Reserved    |RUN|HP|MR|CC|SP|NV|XP|RP|WP|RO|UCE|WB|WT|WC|UC]',
    );
  });
});

describe('a memory map', () => {
  it('says the same of every page after merging, in fewer words', () => {
    fc.assert(
      fc.property(soundMap, (map) => {
        const merged = mergeMemoryMap(map);
        for (const { physicalStart: start } of map.descriptors) {
          for (const address of [start - 1n, start, start + 4096n]) {
            expect(pageAt(merged, address)).toBe(pageAt(map, address));
          }
        }
        merged.descriptors.slice(1).forEach((next, index) => {
          const last = merged.descriptors[index];
          const same = last?.type === next.type && last.attribute === next.attribute;
          const adjacent = last !== undefined && memoryDescriptorEnd(last) === next.physicalStart;
          expect(same && adjacent).toBe(false);
        });
      }),
    );
  });

  it('changes attributes in the pages of a range and nowhere else', () => {
    const range = fc.record({
      start: fc.bigInt({ min: 0n, max: 0x80_0000n }),
      length: fc.bigInt({ min: 1n, max: 0x20_0000n }),
    });
    fc.assert(
      fc.property(soundMap, range, (map, { start, length }) => {
        const tagged = tagMemoryRange(map, { start, length }, 1n << 16n);
        const probes = [start, start + length - 1n, start - 4096n, start + length + 4095n];
        for (const address of [...probes, ...map.descriptors.map((one) => one.physicalStart)]) {
          const page = address & ~0xfffn;
          const inside = page + 4095n >= start && page < start + length;
          const before = pageAt(map, page);
          const [type, attribute] = before.split(' ');
          const expected =
            inside && attribute !== undefined
              ? `${type ?? ''} ${(BigInt(`0x${attribute}`) | (1n << 16n)).toString(16)}`
              : before;
          expect(pageAt(tagged, page)).toBe(expected);
        }
        const pages = (one: MemoryMap): bigint =>
          one.descriptors.reduce((sum, { numberOfPages }) => sum + numberOfPages, 0n);
        expect(pages(tagged)).toBe(pages(map));
      }),
    );
  });

  it('loses what cannot be, and only that', () => {
    const good = region(7, 0x1000, 0x2000);
    const bad: readonly MemoryDescriptor[] = [
      { ...good, numberOfPages: 0n },
      { ...good, numberOfPages: 1n << 52n },
      { ...good, physicalStart: 0x1001n },
      { ...good, physicalStart: 1n << 52n },
    ];
    const { sound, bad: found } = splitMemoryMap(mapOf([...bad, good]));
    expect(sound.descriptors).toEqual([good]);
    expect(found.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  it('lets boot services memory go, but for tagged parts and the first MiB', () => {
    fc.assert(
      fc.property(soundMap, (map) => {
        const freed = freeableBootServices(map);
        for (const one of freed.descriptors) {
          expect(one.physicalStart).toBeGreaterThanOrEqual(0x10_0000n);
          expect(isBootServicesMemory(one.type) && !isRuntimeDescriptor(one)).toBe(true);
          expect(pageAt(map, one.physicalStart)).toBe(pageAt(freed, one.physicalStart));
        }
        for (const one of map.descriptors) {
          const last = memoryDescriptorEnd(one) - 4096n;
          const goes =
            isBootServicesMemory(one.type) && !isRuntimeDescriptor(one) && last >= 0x10_0000n;
          expect(pageAt(freed, last) === 'none').toBe(!goes);
        }
      }),
    );
  });
});

describe('the layout of virtual addresses', () => {
  it('keeps offsets within 2 MiB, never overlaps, stays in the window', () => {
    fc.assert(
      fc.property(soundMap, (map) => {
        const { map: laid, unplaced } = layOutRegions(map, 64);
        expect(unplaced).toEqual([]);
        let top = EFI_VA_START;
        for (const one of laid.descriptors) {
          expect(one.virtualStart % 0x20_0000n).toBe(one.physicalStart % 0x20_0000n);
          expect(one.virtualStart + one.numberOfPages * 4096n).toBeLessThanOrEqual(top);
          expect(one.virtualStart).toBeGreaterThanOrEqual(EFI_VA_END);
          top = one.virtualStart;
        }
        const wanted = map.descriptors.filter((one) => isMappedRegion(one, 64));
        expect(laid.descriptors.map((one) => one.physicalStart).toReversed()).toEqual(
          wanted.map((one) => one.physicalStart),
        );
      }),
    );
  });

  it('is what the kernel comes to', () => {
    const { map } = layOutRegions(
      mapOf([
        region(5, 0x7e9f_f000, 0x7eaf_f000, WB | RUNTIME),
        region(6, 0x7eaf_f000, 0x7ebf_f000, WB | RUNTIME),
        region(11, 0xffc0_0000, 0x1_0000_0000, UC | RUNTIME),
      ]),
      64,
    );
    // 4 MiB down from the top; then 1 MiB more, down to the offset 0xff000; then again.
    expect(map.descriptors.map(({ virtualStart }) => virtualStart.toString(16))).toEqual([
      'fffffffeffc00000',
      'fffffffeffaff000',
      'fffffffeff9ff000',
    ]);
  });

  it('leaves out what the window has no room for', () => {
    const huge = { ...region(6, 0, 0x1000, WB | RUNTIME), numberOfPages: 1n << 24n };
    const small = region(5, 0x1000, 0x2000, WB | RUNTIME);
    const { map, unplaced } = layOutRegions(mapOf([small, huge]), 64);
    expect(map.descriptors).toHaveLength(1);
    expect(unplaced).toHaveLength(1);
  });

  it('is the identity for 32-bit firmware, which sees low RAM too', () => {
    const ram = region(7, 0x10_0000, 0x20_0000);
    const high = region(7, 0x1_0000_0000, 0x1_1000_0000);
    const special = region(7, 0x20_0000, 0x30_0000, WB | MemoryAttribute.SP);
    const { map } = layOutRegions(mapOf([ram, special, high]), 32);
    expect(map.descriptors).toEqual([{ ...ram, virtualStart: 0x10_0000n }]);
    expect(layOutRegions(mapOf([ram, high]), 64).map.descriptors).toEqual([]);
    const far = region(6, 0x1_0000_0000, 0x1_0000_1000, WB | RUNTIME);
    expect(layOutRegions(mapOf([far]), 32).unplaced).toEqual([far]);
    expect(layOutRegions(mapOf([far]), 64, true).unplaced).toEqual([]);
    const absurd = { ...far, numberOfPages: 1n << 25n };
    expect(layOutRegions(mapOf([absurd]), 64, true).unplaced).toEqual([absurd]);
  });
});

describe('the page table', () => {
  const code = { ...region(5, 0x10_0000, 0x10_4000, WB | RUNTIME), virtualStart: 0xffff_0000n };
  const io = { ...region(11, 0xf000_0000, 0xf000_1000, UC | RUNTIME), virtualStart: 0xe000_0000n };

  it('has each region twice, code executable, devices uncached, and page 0', () => {
    const mappings = pageMappings([code, io]);
    expect(mappings.map(({ virt, phys, pages }) => [virt, phys, pages])).toEqual([
      [0x10_0000n, 0x10_0000, 4],
      [0xffff_0000n, 0x10_0000, 4],
      [0xf000_0000n, 0xf000_0000, 1],
      [0xe000_0000n, 0xf000_0000, 1],
      [0n, 0, 1],
    ]);
    expect(mappings.map(({ executable }) => executable)).toEqual([true, true, false, false, false]);
    expect(mappings.map(({ cached }) => cached)).toEqual([true, true, false, false, true]);
    expect(mappings.every(({ writable }) => writable)).toBe(true);
  });

  it('maps page 0 once', () => {
    const zero = { ...region(3, 0, 0x1000), virtualStart: 0n };
    expect(pageMappings([zero])).toHaveLength(1);
  });

  it('is cut where memory attributes change', () => {
    const mappings = pageMappings(
      [code],
      [
        region(5, 0x10_0000, 0x10_1000, RUNTIME | MemoryAttribute.XP),
        region(5, 0x10_1000, 0x10_3000, RUNTIME | MemoryAttribute.RO),
      ],
    );
    const own = mappings.filter(({ virt }) => virt >= 0xffff_0000n);
    expect(own.map((one) => [one.phys, one.pages, one.writable, one.executable])).toEqual([
      [0x10_0000, 1, true, false],
      [0x10_1000, 2, false, true],
      [0x10_3000, 1, true, true],
    ]);
    expect(own[2]?.virt).toBe(0xffff_3000n);
  });

  it('covers each page of each region exactly once at each address', () => {
    fc.assert(
      fc.property(soundMap, (map) => {
        const { descriptors } = layOutRegions(map, 64).map;
        const mappings = pageMappings(descriptors);
        const sorted = mappings.toSorted((left, right) => (left.virt < right.virt ? -1 : 1));
        sorted.slice(1).forEach((next, index) => {
          const last = sorted[index];
          const end = (last?.virt ?? 0n) + BigInt((last?.pages ?? 0) * 4096);
          expect(next.virt >= end).toBe(true);
        });
        const pages = descriptors.reduce((sum, one) => sum + Number(one.numberOfPages), 0);
        const zero = descriptors.some((one) => one.physicalStart === 0n) ? 0 : 1;
        expect(mappings.reduce((sum, one) => sum + one.pages, 0)).toBe(2 * pages + zero);
      }),
    );
  });

  it('lets data be written, not run', () => {
    const data = {
      ...region(MemoryType.EfiRuntimeServicesData, 0x1000, 0x2000),
      virtualStart: 0x1000n,
    };
    expect(pageMappings([data])[0]).toMatchObject({ executable: false, writable: true });
  });
});
