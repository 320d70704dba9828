// Every device against QEMU: the recorded answers, replayed at the recorded virtual times.

import { describe, expect, test } from 'vitest';
import { arraySource, createDiskImage } from '../../src/device/disk-image.ts';
import type { PcOptions } from '../../src/pc/pc.ts';
import type { Line, Tolerance } from './oracle-replay.ts';
import { createBench, readTranscript, recorderRom, replay } from './oracle-replay.ts';

/** The images that the scripts attach (tools/device-oracle/machines.ts). */
const diskImage = (): Uint8Array =>
  Uint8Array.from({ length: 0x10_0000 }, (_, i) => ((i >> 9) * 7 + i) & 0xff);
const flashImage = (): Uint8Array =>
  Uint8Array.from({ length: 0x1_0000 }, (_, i) =>
    i < 0x1000 ? 0xff : i < 0x2000 ? i & 0xff : 0xff,
  );
const kernelImage = (): Uint8Array => {
  const image = Uint8Array.from({ length: 0x2345 }, (_, i) => (i < 0x40 ? 0 : (i * 3) & 0xff));
  image.set([0x4d, 0x5a]);
  image[0x1f1] = 2;
  return image;
};
const linuxImage = (): Uint8Array => {
  const image = kernelImage();
  image[0x1f1] = 1;
  image.set([0x48, 0x64, 0x72, 0x53, 0x0f, 0x02], 0x202);
  image[0x211] = 1;
  image.set([0xff, 0xff, 0xff, 0x7f], 0x22c);
  image.set([0, 0], 0x236);
  return image;
};
const initrdImage = (): Uint8Array => Uint8Array.from({ length: 0x1801 }, (_, i) => (i * 5) & 0xff);
/** Option ROMs that QEMU adds for its own BIOS and no firmware of ours selects: they count in the directory. */
const optionRoms = (): ReadonlyMap<string, Uint8Array> =>
  new Map([
    ['genroms/kvmvapic.bin', new Uint8Array(9216)],
    ['genroms/linuxboot_dma.bin', new Uint8Array(1536)],
  ]);
const disk = (): Partial<PcOptions> => ({ disks: [createDiskImage(arraySource(diskImage()))] });

interface Case {
  readonly options?: () => Partial<PcOptions>;
  readonly tolerance?: Tolerance;
  /** Differences we keep, each with its reason. */
  readonly known?: Readonly<Record<string, (line: Line) => boolean>>;
}

const readsOf =
  (...addresses: readonly number[]) =>
  (line: Line): boolean =>
    addresses.includes(line.operands[0] ?? -1);

const CASES: Readonly<Record<string, Case>> = {
  'acpi-pm': {
    // The timer ticks every 279 ns, the stamp is good to a few instructions of 32 ns.
    tolerance: (line) => ((line.operands[0] ?? 0) >= 0xb008 ? 1 : 0),
    known: {
      'a 32-bit access to the 16-bit registers gives 0 in QEMU, the low register here': (line) =>
        line.op === 'inl' && line.operands[0] === 0xb000,
    },
  },
  'cpu-hotplug': {},
  flash: {
    options: () => ({
      flash: [
        { image: recorderRom(), readOnly: true },
        { image: flashImage(), readOnly: false },
      ],
    }),
    known: {
      'QEMU stores a programmed byte; a flash cell can only be cleared': (line) =>
        line.number > 30 && readsOf(0xfffb_0005, 0xfffb_0004)(line),
    },
  },
  'fw-cfg': {
    options: () => ({
      fwCfgFiles: new Map([
        // QEMU's option ROM for its own BIOS, which no firmware of ours selects.
        ['genroms/kvmvapic.bin', new Uint8Array(9216)],
        ['opt/org.systab/probe', new TextEncoder().encode('hello')],
      ]),
    }),
  },
  'fw-cfg-bzimage': {
    options: () => ({
      kernel: { kernel: linuxImage(), initrd: initrdImage(), cmdline: 'root=/dev/ram0 quiet' },
      fwCfgFiles: optionRoms(),
    }),
  },
  'fw-cfg-kernel': {
    options: () => ({
      kernel: { kernel: kernelImage(), cmdline: 'root=/dev/ram0 quiet' },
      fwCfgFiles: optionRoms(),
    }),
  },
  'fw-cfg-tables': {},
  hpet: { tolerance: (line) => (line.op === 'r32' && line.operands[0] === 0xfed0_00f0 ? 1 : 0) },
  i8042: {},
  ide: { options: disk },
  'ide-absent': {},
  'ide-dma': { options: disk },
  'io-apic': {},
  'local-apic': {
    tolerance: (line) => (line.op === 'r32' && line.operands[0] === 0xfee0_0390 ? 8 : 0),
  },
  pci: {},
  pic: {},
  pit: {},
  reset: {
    known: {
      'ISA DMA controller': readsOf(0x00, 0x08, 0x81, 0x87, 0xc0, 0xd0),
      'floppy controller': readsOf(0x3f2, 0x3f4, 0x3f7),
      'port of the VMware backdoor': readsOf(0x5658),
      'PCI hotplug registers': readsOf(0xae00, 0xae04, 0xae08, 0xae0c, 0xae10),
    },
  },
  rtc: {},
  'rtc-irq': {},
  uart: {},
};

describe('devices answer as QEMU 7.2 does', () => {
  test.each(Object.entries(CASES))('%s', (name, { options, tolerance, known = {} }) => {
    const lines = readTranscript(name);
    expect(lines.length).toBeGreaterThan(20);
    const isKnown = (line: Line): boolean => Object.values(known).some((matches) => matches(line));
    expect(replay(createBench(options?.()), lines, tolerance, isKnown)).toEqual([]);
    // A reason that excuses nothing any more must go.
    const unexcused = replay(createBench(options?.()), lines, tolerance).length;
    expect(unexcused > 0).toBe(Object.keys(known).length > 0);
  });
});

describe('the replay can fail', () => {
  test('a changed answer is reported', () => {
    const lines = readTranscript('pci');
    const first = lines.find((line) => line.result !== undefined);
    const changed = lines.map((line) => (line === first ? { ...line, result: 1 } : line));
    expect(replay(createBench(), changed)).toHaveLength(1);
  });
});
