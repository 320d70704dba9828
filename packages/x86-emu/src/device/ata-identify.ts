// IDENTIFY DEVICE data of the hard disk, word for word what QEMU's disk reports.
// Source: ATA/ATAPI-6 (T13/1410D), 8.15.

/** CHS geometry: 16 heads and 63 sectors, at most 16383 cylinders. */
export interface DiskGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

const HEADS = 16;
const SECTORS_PER_TRACK = 63;

export const geometryOf = (sectors: number): DiskGeometry => ({
  cylinders: Math.min(Math.max(Math.floor(sectors / (HEADS * SECTORS_PER_TRACK)), 2), 16_383),
  heads: HEADS,
  sectorsPerTrack: SECTORS_PER_TRACK,
});

export interface IdentifyOptions {
  readonly sectors: number;
  readonly geometry: DiskGeometry;
  /** 1 for the first drive of the machine: part of the serial number. */
  readonly serial: number;
  /** Sectors per READ MULTIPLE block, 0 if not set. */
  readonly multiple: number;
  /** Selected transfer modes: words 62, 63 and 88. */
  readonly modes: TransferModes;
}

/** Lower byte: supported, upper byte: selected (ATA-6 words 62, 63, 88). */
export interface TransferModes {
  readonly singleWord: number;
  readonly multiWord: number;
  readonly ultra: number;
}

export const DEFAULT_MODES: TransferModes = { singleWord: 0x07, multiWord: 0x07, ultra: 0x203f };
export const MAX_MULTIPLE = 16;

/** 512 bytes, words little-endian; strings have their bytes swapped in each word. */
export const identifyData = (options: IdentifyOptions): Uint8Array => {
  const { sectors, geometry } = options;
  const data = new Uint8Array(512);
  const view = new DataView(data.buffer);
  const put = (word: number, value: number): void => view.setUint16(word * 2, value & 0xffff, true);
  const put32 = (word: number, value: number): void => view.setUint32(word * 2, value, true);
  const text = (word: number, length: number, s: string): void => {
    for (let i = 0; i < length; i++)
      data[word * 2 + (i ^ 1)] = i < s.length ? s.charCodeAt(i) : 0x20;
  };
  put(0, 0x0040);
  put(1, geometry.cylinders);
  put(3, geometry.heads);
  put(4, 512 * geometry.sectorsPerTrack);
  put(5, 512);
  put(6, geometry.sectorsPerTrack);
  text(10, 20, `QM${String(options.serial).padStart(5, '0')}`);
  put(20, 3);
  put(21, 512);
  put(22, 4);
  text(23, 8, '2.5+');
  text(27, 40, 'QEMU HARDDISK');
  put(47, 0x8000 | MAX_MULTIPLE);
  put(48, 1);
  put(49, 0x0b00);
  put(51, 0x0200);
  put(52, 0x0200);
  put(53, 7);
  put(54, geometry.cylinders);
  put(55, geometry.heads);
  put(56, geometry.sectorsPerTrack);
  put32(57, geometry.cylinders * geometry.heads * geometry.sectorsPerTrack);
  put(59, options.multiple > 0 ? 0x0100 | options.multiple : 0);
  put32(60, Math.min(sectors, 0x0fff_ffff));
  put(62, options.modes.singleWord);
  put(63, options.modes.multiWord);
  put(64, 3);
  for (let word = 65; word <= 68; word++) put(word, 120);
  put(69, 0x4000);
  put(80, 0x00f0);
  put(81, 0x0016);
  put(82, 0x4021);
  put(83, 0x7400);
  put(84, 0x4000);
  put(85, 0x4021);
  put(86, 0x3400);
  put(87, 0x4000);
  put(88, options.modes.ultra);
  put(93, 0x6001);
  put32(100, sectors % 2 ** 32);
  put32(102, Math.floor(sectors / 2 ** 32));
  put(106, 0x6000);
  put(169, 1);
  return data;
};
