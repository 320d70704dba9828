// SMBIOS 2.8 anchor and structures as QEMU 7.2's `pc` hands them to its firmware, which fills in address and checksums.
// Source: DMTF DSP0134 2.8.0; chapter 7 for the structure types.

export interface SmbiosOptions {
  readonly cpus: number;
  readonly memory: number;
  readonly memoryBelow4G: number;
  /** CPUID leaf 1 EAX and EDX: the processor id. */
  readonly cpuSignature: number;
  readonly cpuFeatures: number;
}

export interface SmbiosFiles {
  readonly anchor: Uint8Array;
  readonly tables: Uint8Array;
}

const MANUFACTURER = 'QEMU';
const VERSION = 'pc-i440fx-7.2';
const PRODUCT = 'Standard PC (i440FX + PIIX, 1996)';
const MIB = 0x10_0000;
const FOUR_GIB = 0x1_0000_0000;
/** Sizes in kilobytes up to 2 TiB fit the 32-bit fields. */
const EXTENDED_SIZE = 0x7fff;

const le = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);

/** Header, formatted area and the string set; a structure without strings ends in two zeros (6.1.3). */
const structure = (
  type: number,
  handle: number,
  body: readonly number[],
  strings: readonly string[],
): number[] => [
  type,
  4 + body.length,
  ...le(handle, 2),
  ...body,
  ...(strings.length === 0 ? [0] : strings.flatMap((s) => [...new TextEncoder().encode(s), 0])),
  0,
];

const processor = (n: number, options: SmbiosOptions): number[] =>
  structure(
    4,
    0x400 + n,
    [
      // Socket, central processor, family other, manufacturer.
      1,
      3,
      1,
      2,
      ...le(options.cpuSignature, 4),
      ...le(options.cpuFeatures, 4),
      // Version, voltage, external clock, 2000 MHz, populated and enabled, upgrade other.
      3,
      0,
      ...le(0, 2),
      ...le(2000, 2),
      ...le(2000, 2),
      0x41,
      1,
      // No cache structures.
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0,
      0,
      0,
      // One core, enabled, one thread; characteristics unknown.
      1,
      1,
      1,
      ...le(2, 2),
      ...le(1, 2),
    ],
    [`CPU ${n}`, MANUFACTURER, VERSION],
  );

const memoryDevice = (size: number): number[] => {
  const mib = size / MIB;
  return structure(
    17,
    0x1100,
    [
      ...le(0x1000, 2),
      ...le(0xfffe, 2),
      ...le(0xffff, 2),
      ...le(0xffff, 2),
      ...le(mib < EXTENDED_SIZE ? mib : EXTENDED_SIZE, 2),
      // DIMM, no set, locator, no bank, RAM, other detail.
      0x09,
      0,
      1,
      0,
      0x07,
      ...le(2, 2),
      ...le(0, 2),
      2,
      0,
      0,
      0,
      0,
      ...le(mib < EXTENDED_SIZE ? 0 : mib, 4),
      ...le(0, 2),
      ...le(0, 2),
      ...le(0, 2),
      ...le(0, 2),
    ],
    ['DIMM 0', MANUFACTURER],
  );
};

const mappedAddress = (n: number, start: number, length: number): number[] =>
  structure(
    19,
    0x1300 + n,
    [
      ...le(start / 1024, 4),
      ...le((start + length) / 1024 - 1, 4),
      ...le(0x1000, 2),
      1,
      ...le(0, 8),
      ...le(0, 8),
    ],
    [],
  );

/** Anchor and structure table for `etc/smbios/smbios-anchor` and `etc/smbios/smbios-tables`. */
export const buildSmbiosFiles = (options: SmbiosOptions): SmbiosFiles => {
  const above = options.memory - options.memoryBelow4G;
  const structures = [
    // System: UUID all zeros is "not present"; wake-up by the power switch.
    structure(1, 0x100, [1, 2, 3, 0, ...le(0, 16), 6, 0, 0], [MANUFACTURER, PRODUCT, VERSION]),
    // Chassis: other; all states safe.
    structure(
      3,
      0x300,
      [1, 1, 2, 0, 0, 3, 3, 3, 2, ...le(0, 4), 0, 0, 0, 0, 0],
      [MANUFACTURER, VERSION],
    ),
    ...Array.from({ length: options.cpus }, (_, n) => processor(n, options)),
    // Memory array: other location, system memory, multi-bit ECC, one device.
    structure(
      16,
      0x1000,
      [1, 3, 6, ...le(options.memory / 1024, 4), ...le(0xfffe, 2), ...le(1, 2), ...le(0, 8)],
      [],
    ),
    memoryDevice(options.memory),
    mappedAddress(0, 0, options.memoryBelow4G),
    ...(above > 0 ? [mappedAddress(1, FOUR_GIB, above)] : []),
    // Boot status: no errors.
    structure(32, 0x2000, [...le(0, 6), 0], []),
    structure(127, 0x7f00, [], []),
  ];
  const tables = new Uint8Array(structures.flat());
  const longest = Math.max(...structures.map((bytes) => bytes.length));
  const anchor = new Uint8Array(31);
  const view = new DataView(anchor.buffer);
  anchor.set(new TextEncoder().encode('_SM_'));
  anchor[5] = 0x1f;
  anchor.set([2, 8], 6);
  view.setUint16(8, longest, true);
  anchor.set(new TextEncoder().encode('_DMI_'), 16);
  view.setUint16(22, tables.length, true);
  view.setUint16(28, structures.length, true);
  anchor[30] = 0x28;
  return { anchor, tables };
};
