// The composition: memory map, interrupt routing, power, snapshots, bad input.

import { describe, expect, test } from 'vitest';
import { arraySource, createDiskImage } from '../../src/device/disk-image.ts';
import type { PcState } from '../../src/pc/pc.ts';
import type { Bench } from './oracle-replay.ts';
import { createBench, readTranscript, recorderRom, replay } from './oracle-replay.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const out = (bench: Bench, ...writes: readonly (readonly [number, number])[]): void => {
  for (const [port, value] of writes) bench.pc.ports.write(port, 1, value);
};

describe('memory map', () => {
  test('256 MiB: conventional memory, copy of the flash below 1 MiB, RAM, flash up to 4 GiB', () => {
    const { pc } = createBench({
      flash: [
        { image: recorderRom(), readOnly: true },
        { image: new Uint8Array(0x8_4000).fill(0xff), readOnly: false },
      ],
    });
    expect(pc.memory.map(({ kind, base, length }) => [kind, base, length])).toEqual([
      ['ram', 0, 0xa_0000],
      ['rom', 0xc_0000, 0x2_0000],
      ['rom', 0xe_0000, 0x2_0000],
      ['ram', MIB, 255 * MIB],
      ['flash', 0xfff3_c000, 0x8_4000],
      ['flash', 0xfffc_0000, 0x4_0000],
    ]);
  });
  test('6 GiB: 3 GiB below 4 GiB, the rest above', () => {
    const { pc } = createBench({ memory: 6 * GIB });
    const ram = pc.memory.filter(({ kind }) => kind === 'ram');
    expect(ram.map((region) => [region.base, region.length])).toEqual([
      [0, 0xa_0000],
      [MIB, 3 * GIB - MIB],
      [4 * GIB, 3 * GIB],
    ]);
  });
  test('3583 MiB stay below 4 GiB', () => {
    const { pc } = createBench({ memory: 3583 * MIB });
    expect(pc.memory.filter(({ kind }) => kind === 'ram')).toHaveLength(2);
  });
  test.each([0, MIB - 1, 1.5 * MIB, -MIB])('memory of %d bytes is refused', (memory) => {
    expect(() => createBench({ memory })).toThrow('1 MiB');
  });
  test('a flash image of odd size is refused', () => {
    expect(() => createBench({ flash: [{ image: new Uint8Array(5000), readOnly: true }] })).toThrow(
      '5000 bytes',
    );
  });
  test('unmapped memory reads as hardware has it, or as QEMU has it', () => {
    expect(createBench({ unassignedReads: 'ones' }).read(0xfed4_0000, 4)).toBe(0xffff_ffff);
    expect(createBench({ unassignedReads: 'zeros' }).read(0xfed4_0000, 4)).toBe(0);
  });
  test('absent HPET and 8042 leave their addresses open', () => {
    const bench = createBench({ hpet: false, keyboard: false, unassignedReads: 'ones' });
    expect(bench.read(0xfed0_0000, 4)).toBe(0xffff_ffff);
    expect(bench.pc.ports.read(0x64, 1)).toBe(0xff);
  });
});

describe('power', () => {
  test.each([
    ['port 0xcf9', [[0xcf9, 0x06]]],
    ['port 0x64', [[0x64, 0xfe]]],
    ['port 0x92', [[0x92, 0x01]]],
  ] as const)('%s resets', (source, writes) => {
    const bench = createBench();
    out(bench, ...writes);
    expect(bench.power).toEqual([{ kind: 'reset', source }]);
  });
  test('PM1a control with SLP_EN and the \\_S5 type powers off', () => {
    const bench = createBench();
    bench.pc.ports.write(0xcf8, 4, 0x8000_0b40);
    bench.pc.ports.write(0xcfc, 4, 0xb001);
    bench.pc.ports.write(0xcf8, 4, 0x8000_0b80);
    bench.pc.ports.write(0xcfc, 4, 1);
    bench.pc.ports.write(0xb004, 2, 0x0001);
    expect(bench.power).toEqual([]);
    bench.pc.ports.write(0xb004, 2, 0x2001);
    expect(bench.power).toEqual([{ kind: 'off', source: 'ACPI S5' }]);
    // SLP_EN reads as 0.
    expect(bench.pc.ports.read(0xb004, 2)).toBe(1);
  });
  test('reset gives the power-on answers again, time of day apart', () => {
    const bench = createBench();
    const touched = [0xcf8, 0x21, 0x92, 0x3fb, 0x4d0, 0x61, 0x64, 0x1f2];
    const before = touched.map((port) => bench.pc.ports.read(port, 1) & ~0x10);
    out(bench, [0x21, 0xb8], [0x92, 2], [0x3fb, 3], [0x4d0, 0xff], [0x61, 3], [0x64, 0xad]);
    bench.pc.reset();
    expect(touched.map((port) => bench.pc.ports.read(port, 1) & ~0x10)).toEqual(before);
  });
});

describe('serial line', () => {
  test('bytes out, and in through the FIFO as the guest makes room', () => {
    const bench = createBench();
    out(bench, [0x3fa, 0x07], [0x3f8, 0x48], [0x3f8, 0x69]);
    expect(String.fromCharCode(...bench.serial)).toBe('Hi');
    bench.pc.devices.uart.receive(Uint8Array.from({ length: 40 }, (_, i) => i));
    const got: number[] = [];
    while ((bench.pc.ports.read(0x3fd, 1) & 1) !== 0 && got.length < 100)
      got.push(bench.pc.ports.read(0x3f8, 1));
    expect(got).toEqual(Array.from({ length: 40 }, (_, i) => i));
    // No overrun was reported.
    expect(bench.pc.ports.read(0x3fd, 1)).toBe(0x60);
  });
});

describe('flash', () => {
  test('tells when it stops and starts being memory, and what changed', () => {
    const modes: string[] = [];
    const image = new Uint8Array(0x2000).fill(0xff);
    const bench = createBench({ flash: [{ image, readOnly: false }] });
    const base = 2 ** 32 - 0x2000;
    const write = (offset: number, value: number): void => {
      bench.pc.mmio.write(base + offset, 1, value);
      modes.push(bench.pc.devices.flash[0]!.mode());
    };
    for (const [offset, value] of [
      [5, 0x10],
      [5, 0x3c],
      [0, 0xff],
    ] as const)
      write(offset, value);
    expect(modes).toEqual(['registers', 'registers', 'memory']);
    expect(image[5]).toBe(0x3c);
  });
  test('a cell is cleared by programming and set by erasing only', () => {
    const image = new Uint8Array(0x2000).fill(0xff);
    const { pc } = createBench({ flash: [{ image, readOnly: false }] });
    const base = 2 ** 32 - 0x2000;
    for (const value of [0x10, 0x0f, 0x10, 0xf0]) pc.mmio.write(base + 0x1001, 1, value);
    expect(image[0x1001]).toBe(0);
    for (const value of [0x20, 0xd0]) pc.mmio.write(base + 0x1fff, 1, value);
    expect(image.subarray(0x1000).every((byte) => byte === 0xff)).toBe(true);
  });
  test('a read-only chip reports the failure and keeps its contents', () => {
    const image = new Uint8Array(0x1000).fill(0xff);
    const { pc } = createBench({ flash: [{ image, readOnly: true }] });
    const base = 2 ** 32 - 0x1000;
    for (const value of [0x10, 0x00]) pc.mmio.write(base, 1, value);
    expect(pc.mmio.read(base, 1) & 0x10).toBe(0x10);
    for (const value of [0x50, 0x20, 0xd0]) pc.mmio.write(base, 1, value);
    expect(pc.mmio.read(base, 1) & 0x20).toBe(0x20);
    expect(image.every((byte) => byte === 0xff)).toBe(true);
  });
});

describe('hostile guests', () => {
  test('a DMA request of 4 GiB ends', () => {
    const bench = createBench();
    const request = new DataView(bench.ram.buffer, 0x1000, 16);
    request.setUint32(0, 0x0000_000a);
    request.setUint32(4, 0xffff_ffff);
    request.setUint32(12, 0x3f_0000);
    bench.pc.ports.write(0x518, 4, 0x0010_0000);
    expect(request.getUint32(0)).toBe(0);
  });
  test('a descriptor table without end mark ends', () => {
    const bench = createBench({ disks: [createDiskImage(arraySource(new Uint8Array(MIB)))] });
    bench.pc.ports.write(0xcf8, 4, 0x8000_0920);
    bench.pc.ports.write(0xcfc, 4, 0xc001);
    bench.pc.ports.write(0xcf8, 4, 0x8000_0904);
    bench.pc.ports.write(0xcfc, 4, 5);
    out(bench, [0x1f2, 1], [0x1f6, 0xe0], [0x1f7, 0xc8], [0xc000, 9]);
    expect(bench.pc.ports.read(0x1f7, 1)).toBe(0x50);
  });
  test('every port and register survives any write', () => {
    const bench = createBench({ disks: [createDiskImage(arraySource(new Uint8Array(MIB)))] });
    let seed = 1;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed;
    };
    const ports = bench.pc.ports
      .ranges()
      .flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
    for (let i = 0; i < 200_000; i++) {
      const size = ([1, 2, 4] as const)[random() % 3]!;
      const write = random() % 2 === 0;
      const value = random() >>> (32 - 8 * size);
      if (random() % 4 === 0) {
        const { base, length } = bench.pc.mmio.ranges[random() % bench.pc.mmio.ranges.length]!;
        const address = base + ((random() % length) & -size);
        if (write) bench.pc.mmio.write(address, size, value);
        else bench.pc.mmio.read(address, size);
      } else {
        const port = ports[random() % ports.length]!;
        if (write) bench.pc.ports.write(port, size, value);
        else {
          const answer = bench.pc.ports.read(port, size);
          if (!(Number.isInteger(answer) && answer >= 0 && answer < 2 ** (8 * size)))
            throw new Error(`port ${port.toString(16)} read ${answer} as ${size} bytes`);
        }
      }
      if (bench.pending() && random() % 8 === 0) bench.pc.acknowledge();
      if (i % 64 === 0) bench.clock.advanceTo(bench.clock.now() + (random() % 1_000_000));
    }
    expect(bench.clock.now()).toBeGreaterThan(0);
  });
});

describe('snapshots', () => {
  /** Through text, as a snapshot that was stored: nothing but plain values survives. */
  const stored = (state: PcState): PcState =>
    JSON.parse(
      JSON.stringify(state, (_key, value: unknown) =>
        value instanceof Uint8Array ? { bytes: [...value] } : value,
      ),
      (_key, value: unknown) =>
        typeof value === 'object' && value !== null && 'bytes' in value
          ? new Uint8Array(value.bytes as number[])
          : value,
    ) as PcState;

  test('a fixed fw_cfg item stays out of it, one that was made when selected is kept', () => {
    const kernel = { kernel: Uint8Array.from({ length: 0x8000 }, (_, i) => i & 0x7f) };
    const select = (bench: Bench, key: number): void => bench.pc.ports.write(0x510, 2, key);
    const bytes = (bench: Bench): number[] =>
      Array.from({ length: 64 }, () => bench.pc.ports.read(0x511, 1));
    const first = createBench({ kernel });
    const second = createBench({ kernel });
    for (const [key, size] of [
      [0x11, 0],
      [0x23, 0x2_0000],
    ] as const) {
      select(first, key);
      bytes(first);
      const state = stored(first.pc.save());
      expect(state.fwCfg.made).toHaveLength(size);
      second.pc.load(state);
      expect(bytes(second)).toEqual(bytes(first));
    }
  });

  const image = Uint8Array.from({ length: MIB }, (_, at) => ((at >> 9) * 7 + at) & 0xff);
  const disk = () => ({ disks: [createDiskImage(arraySource(image))] });
  // A machine restored in the middle of a transcript goes on as if it had run from the start.
  test.each(
    [
      'rtc-irq',
      'pit',
      'pic',
      'local-apic',
      'io-apic',
      'uart',
      'ide',
      'i8042',
      'acpi-pm',
      'rtc',
    ].flatMap((name) => [0.2, 0.5, 0.8].map((part) => [name, part] as const)),
  )('%s restored after %d of its lines', (name, part) => {
    const lines = readTranscript(name);
    const cut = Math.floor(lines.length * part);
    const first = createBench(disk());
    replay(first, lines.slice(0, cut), () => 1e9);
    const state = stored(first.pc.save());
    expect(stored(first.pc.save())).toEqual(state);

    const second = createBench(disk());
    second.clock.restore(first.clock.now());
    second.ram.set(first.ram);
    second.pc.load(state);
    expect(second.pc.save()).toEqual(state);
    expect(second.pending()).toBe(first.pending());
    const rest = lines.slice(cut);
    expect(replay(second, rest)).toEqual(replay(first, rest));
    expect(second.pc.save()).toEqual(first.pc.save());
  });
});
