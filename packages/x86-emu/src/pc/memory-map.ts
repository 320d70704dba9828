// Where RAM, flash and their copies stand in guest-physical memory, as on QEMU's `pc` machine.

const MIB = 0x10_0000;
const FOUR_GIB = 0x1_0000_0000;
/** RAM beyond this goes above 4 GiB, and then only 3 GiB stay below. */
const LOW_LIMIT = 0xe000_0000;
const LOW_WITH_HIGH = 0xc000_0000;
const CONVENTIONAL_END = 0xa_0000;
const OPTION_ROM_START = 0xc_0000;
const BIOS_COPY_START = 0xe_0000;
const BIOS_COPY_SIZE = 0x2_0000;

export type MemoryRegion =
  /** RAM; `offset` is the place of its first byte in the machine's RAM. */
  | {
      readonly kind: 'ram';
      readonly base: number;
      readonly length: number;
      readonly offset: number;
    }
  /** Contents that cannot be written. */
  | {
      readonly kind: 'rom';
      readonly base: number;
      readonly length: number;
      readonly bytes: Uint8Array;
    }
  /** A flash chip: memory in read-array mode, registers otherwise; `unit` counts from the top. */
  | {
      readonly kind: 'flash';
      readonly base: number;
      readonly length: number;
      readonly unit: number;
    };

export const memoryBelow4G = (memory: number): number =>
  memory >= LOW_LIMIT ? LOW_WITH_HIGH : memory;

/**
 * Regions in ascending order. 0xa0000 to 0xbffff is open (no display). The RAM below 0xc0000 to 0xfffff stays hidden:
 * the PAM registers keep what is written to them and open nothing.
 * @param memory bytes of RAM, a multiple of 1 MiB
 * @param flash contents of the flash chips, unit 0 (which ends at 4 GiB) first
 */
export const memoryMap = (
  memory: number,
  flash: readonly Uint8Array[],
): readonly MemoryRegion[] => {
  if (memory < MIB || memory % MIB !== 0 || memory > 2 ** 46)
    throw new Error(`memory of ${memory} bytes is no multiple of 1 MiB up to 64 TiB`);
  const below = memoryBelow4G(memory);
  const top = flash[0];
  const copy = new Uint8Array(BIOS_COPY_SIZE).fill(0xff);
  if (top !== undefined) {
    const tail = top.subarray(Math.max(top.length - BIOS_COPY_SIZE, 0));
    copy.set(tail, BIOS_COPY_SIZE - tail.length);
  }
  let end = FOUR_GIB;
  const chips = flash.map((image, unit): MemoryRegion => {
    end -= image.length;
    return { kind: 'flash', base: end, length: image.length, unit };
  });
  const optionRoms = BIOS_COPY_START - OPTION_ROM_START;
  return [
    { kind: 'ram', base: 0, length: CONVENTIONAL_END, offset: 0 },
    { kind: 'rom', base: OPTION_ROM_START, length: optionRoms, bytes: new Uint8Array(optionRoms) },
    { kind: 'rom', base: BIOS_COPY_START, length: BIOS_COPY_SIZE, bytes: copy },
    { kind: 'ram', base: MIB, length: below - MIB, offset: MIB },
    ...chips.toReversed(),
    ...(memory > below
      ? [{ kind: 'ram', base: FOUR_GIB, length: memory - below, offset: below } as const]
      : []),
  ];
};

/** `etc/e820`: 20-byte entries of base, length and type (1 RAM, 2 reserved). */
export const buildE820 = (memory: number, hyperTransportHole: boolean): Uint8Array => {
  const below = memoryBelow4G(memory);
  const entries: [number, number, number][] = [];
  // AMD processors reserve 12 GiB below 1 TiB for HyperTransport.
  if (hyperTransportHole) entries.push([0xfd_0000_0000, 0x3_0000_0000, 2]);
  entries.push([0, below, 1]);
  if (memory > below) entries.push([FOUR_GIB, memory - below, 1]);
  const bytes = new Uint8Array(entries.length * 20);
  const view = new DataView(bytes.buffer);
  entries.forEach(([base, length, type], i) => {
    view.setBigUint64(i * 20, BigInt(base), true);
    view.setBigUint64(i * 20 + 8, BigInt(length), true);
    view.setUint32(i * 20 + 16, type, true);
  });
  return bytes;
};

/** The CMOS bytes in which a PC describes its memory (QEMU's values) and its fixed settings. */
export const cmosContents = (memory: number, cpus: number): Readonly<Record<number, number>> => {
  const below = memoryBelow4G(memory);
  const bytes: Record<number, number> = {};
  const word = (index: number, value: number): void => {
    bytes[index] = value & 0xff;
    bytes[index + 1] = (value >>> 8) & 0xff;
  };
  // Coprocessor and PS/2 mouse.
  bytes[0x14] = 0x06;
  word(0x15, 640);
  const extended = Math.min(Math.floor((below - MIB) / 1024), 0xffff);
  word(0x17, extended);
  word(0x30, extended);
  word(0x34, below > 16 * MIB ? Math.min(Math.floor((below - 16 * MIB) / 0x1_0000), 0xffff) : 0);
  const above = Math.floor((memory - below) / 0x1_0000);
  word(0x5b, above & 0xffff);
  bytes[0x5d] = (above >>> 16) & 0xff;
  bytes[0x5f] = cpus - 1;
  // Boot order: disk, CD-ROM, floppy.
  bytes[0x38] = 0x30;
  bytes[0x3d] = 0x12;
  return bytes;
};
