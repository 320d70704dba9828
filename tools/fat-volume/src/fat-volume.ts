/**
 * FAT volumes without a partition table, as removable media have them: FAT12 with the geometry of a 1.44 MB floppy where that is
 * enough, otherwise FAT16. The bytes depend on nothing but the files.
 * Microsoft Extensible Firmware Initiative FAT32 File System Specification, version 1.03.
 */

/** Files and folders by names of the form 8.3. */
export interface FatFolder {
  readonly [name: string]: string | Uint8Array | FatFolder;
}

/** The fields of the BIOS parameter block that differ. */
interface Geometry {
  readonly bits: 12 | 16;
  readonly clusters: number;
  readonly sectorsPerCluster: number;
  readonly fatSectors: number;
  readonly rootEntries: number;
  readonly sectors: number;
  readonly media: number;
  readonly sectorsPerTrack: number;
  readonly heads: number;
  readonly drive: number;
}

const SECTOR = 512;
const RESERVED = 1;
const FATS = 2;
const ENTRY = 32;
const FIRST_CLUSTER = 2;
const ATTRIBUTE = { directory: 0x10, archive: 0x20 } as const;
/** 1 January 2024. */
const DATE = ((2024 - 1980) << 9) | (1 << 5) | 1;

const FLOPPY: Geometry = {
  bits: 12,
  clusters: 2847,
  sectorsPerCluster: 1,
  fatSectors: 9,
  rootEntries: 224,
  sectors: 2880,
  media: 0xf0,
  sectorsPerTrack: 18,
  heads: 2,
  drive: 0,
};

/** The number of clusters decides what a FAT is: these are the limits, with the distance the specification advises. */
const FAT16_CLUSTERS = { least: 4085 + 16, most: 65_525 - 16 };
const FAT16_SECTORS_PER_CLUSTER = 4;
const FAT16_ROOT_ENTRIES = 512;

const rootSectors = (rootEntries: number): number => (rootEntries * ENTRY) / SECTOR;

const hardDisk = (clusters: number): Geometry => {
  const fatSectors = Math.ceil(((clusters + FIRST_CLUSTER) * 2) / SECTOR);
  return {
    bits: 16,
    clusters,
    sectorsPerCluster: FAT16_SECTORS_PER_CLUSTER,
    fatSectors,
    rootEntries: FAT16_ROOT_ENTRIES,
    sectors:
      RESERVED +
      FATS * fatSectors +
      rootSectors(FAT16_ROOT_ENTRIES) +
      clusters * FAT16_SECTORS_PER_CLUSTER,
    media: 0xf8,
    sectorsPerTrack: 63,
    heads: 16,
    drive: 0x80,
  };
};

const isFolder = (content: FatFolder[string]): content is FatFolder =>
  typeof content !== 'string' && !(content instanceof Uint8Array);

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

/** Bytes of a folder that is not the root: `.` and `..` come first. */
const folderSize = (folder: FatFolder): number => (2 + Object.keys(folder).length) * ENTRY;

const clustersOf = (folder: FatFolder, clusterSize: number): number =>
  Object.values(folder).reduce<number>((sum, content) => {
    const size = isFolder(content) ? folderSize(content) : bytesOf(content).length;
    const inside = isFolder(content) ? clustersOf(content, clusterSize) : 0;
    return sum + Math.ceil(size / clusterSize) + inside;
  }, 0);

const geometryFor = (root: FatFolder): Geometry => {
  const entries = Object.keys(root).length;
  if (entries <= FLOPPY.rootEntries && clustersOf(root, SECTOR) <= FLOPPY.clusters) return FLOPPY;
  const needed = clustersOf(root, FAT16_SECTORS_PER_CLUSTER * SECTOR);
  if (needed > FAT16_CLUSTERS.most)
    throw new RangeError(
      `the files need ${needed} clusters of 2 KiB, expected at most ${FAT16_CLUSTERS.most}`,
    );
  if (entries > FAT16_ROOT_ENTRIES)
    throw new RangeError(
      `the root folder has ${entries} entries, expected at most ${FAT16_ROOT_ENTRIES}`,
    );
  return hardDisk(Math.max(FAT16_CLUSTERS.least, needed));
};

const SHORT_NAME = /^([A-Z0-9_~!#$%&'()@^`{}-]{1,8})(?:\.([A-Z0-9_~!#$%&'()@^`{}-]{1,3}))?$/;

const shortName = (name: string): string => {
  const [, base, extension = ''] = SHORT_NAME.exec(name.toUpperCase()) ?? [];
  if (base === undefined)
    throw new RangeError(
      `'${name}' is no name of the form 8.3: eight characters, a dot, three characters`,
    );
  return base.padEnd(8) + extension.padEnd(3);
};

const checkNames = (folder: FatFolder): void => {
  const seen = new Set<string>();
  for (const name of Object.keys(folder)) {
    const short = shortName(name);
    if (seen.has(short)) throw new RangeError(`'${name}' is there twice`);
    seen.add(short);
  }
};

const asciiAt = (image: Uint8Array, at: number, text: string): void =>
  image.set(new TextEncoder().encode(text), at);

const emptyVolume = (geometry: Geometry): Uint8Array => {
  const image = new Uint8Array(SECTOR * geometry.sectors);
  const view = new DataView(image.buffer);
  image.set([0xeb, 0x3c, 0x90]);
  asciiAt(image, 3, 'SYSTAB  ');
  view.setUint16(11, SECTOR, true);
  image[13] = geometry.sectorsPerCluster;
  view.setUint16(14, RESERVED, true);
  image[16] = FATS;
  view.setUint16(17, geometry.rootEntries, true);
  const small = geometry.sectors < 0x1_0000;
  view.setUint16(19, small ? geometry.sectors : 0, true);
  image[21] = geometry.media;
  view.setUint16(22, geometry.fatSectors, true);
  view.setUint16(24, geometry.sectorsPerTrack, true);
  view.setUint16(26, geometry.heads, true);
  view.setUint32(32, small ? 0 : geometry.sectors, true);
  image[36] = geometry.drive;
  image[38] = 0x29;
  view.setUint32(39, 0x5359_5354, true);
  asciiAt(image, 43, `SYSTAB     FAT${geometry.bits}   `);
  view.setUint16(510, 0xaa55, true);
  return image;
};

/**
 * The volume's bytes.
 * @throws RangeError for names that are not of the form 8.3 or not different, and for more than 128 MiB or 512 entries in the root folder
 */
export const fatVolume = (root: FatFolder): Uint8Array => {
  const geometry = geometryFor(root);
  const image = emptyVolume(geometry);
  const view = new DataView(image.buffer);
  const clusterSize = geometry.sectorsPerCluster * SECTOR;
  const rootAt = (RESERVED + FATS * geometry.fatSectors) * SECTOR;
  const dataAt = rootAt + geometry.rootEntries * ENTRY;
  const last = 2 ** geometry.bits - 1;

  const setCluster = (cluster: number, value: number): void => {
    for (let copy = 0; copy < FATS; copy++) {
      const fat = (RESERVED + copy * geometry.fatSectors) * SECTOR;
      if (geometry.bits === 16) {
        view.setUint16(fat + cluster * 2, value, true);
        continue;
      }
      const at = fat + Math.floor((cluster * 3) / 2);
      const old = view.getUint16(at, true);
      const odd = cluster % 2 === 1;
      view.setUint16(at, odd ? (old & 0x000f) | (value << 4) : (old & 0xf000) | value, true);
    }
  };
  setCluster(0, (last & 0xff00) | geometry.media);
  setCluster(1, last);

  let next = FIRST_CLUSTER;
  /** The first of a chain of clusters; 0 for nothing. */
  const allocate = (size: number): number => {
    const count = Math.ceil(size / clusterSize);
    const first = next;
    for (let i = 1; i <= count; i++, next++) setCluster(next, i === count ? last : next + 1);
    return count === 0 ? 0 : first;
  };
  const offsetOf = (cluster: number): number => dataAt + (cluster - FIRST_CLUSTER) * clusterSize;

  const writeEntry = (
    at: number,
    name: string,
    attributes: number,
    cluster: number,
    size = 0,
  ): void => {
    asciiAt(image, at, name);
    image[at + 11] = attributes;
    view.setUint16(at + 24, DATE, true);
    view.setUint16(at + 26, cluster, true);
    view.setUint32(at + 28, size, true);
  };

  const writeFolder = (folder: FatFolder, from: number, own: number): void => {
    checkNames(folder);
    let at = from;
    for (const [name, content] of Object.entries(folder)) {
      if (isFolder(content)) {
        const cluster = allocate(folderSize(content));
        const inside = offsetOf(cluster);
        writeEntry(at, shortName(name), ATTRIBUTE.directory, cluster);
        writeEntry(inside, '.'.padEnd(11), ATTRIBUTE.directory, cluster);
        writeEntry(inside + ENTRY, '..'.padEnd(11), ATTRIBUTE.directory, own);
        writeFolder(content, inside + 2 * ENTRY, cluster);
      } else {
        const bytes = bytesOf(content);
        const cluster = allocate(bytes.length);
        writeEntry(at, shortName(name), ATTRIBUTE.archive, cluster, bytes.length);
        if (bytes.length > 0) image.set(bytes, offsetOf(cluster));
      }
      at += ENTRY;
    }
  };
  writeFolder(root, rootAt, 0);
  return image;
};
