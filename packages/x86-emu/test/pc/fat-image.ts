// A FAT12 volume without a partition table, as a 1.44 MB floppy has it: enough for a few files in the root folder.
// Microsoft Extensible Firmware Initiative FAT32 File System Specification, version 1.03.

const SECTOR = 512;
const SECTORS = 2880;
const RESERVED = 1;
const FATS = 2;
const FAT_SECTORS = 9;
const ROOT_ENTRIES = 224;
const MEDIA = 0xf0;
const ENTRY = 32;
const FIRST_CLUSTER = 2;
const LAST = 0xfff;
const ROOT = RESERVED + FATS * FAT_SECTORS;
const DATA = ROOT + (ROOT_ENTRIES * ENTRY) / SECTOR;
/** 1 January 2024. */
const DATE = ((2024 - 1980) << 9) | (1 << 5) | 1;

const shortName = (name: string): string => {
  const [base = '', extension = ''] = name.toUpperCase().split('.');
  return base.padEnd(8) + extension.padEnd(3);
};

/** The volume's bytes; `files` by names of the form 8.3. */
export const fatImage = (files: Readonly<Record<string, string>>): Uint8Array => {
  const image = new Uint8Array(SECTOR * SECTORS);
  const view = new DataView(image.buffer);
  const text = (at: number, value: string): void => image.set(new TextEncoder().encode(value), at);
  image.set([0xeb, 0x3c, 0x90]);
  text(3, 'SYSTAB  ');
  view.setUint16(11, SECTOR, true);
  image[13] = 1;
  view.setUint16(14, RESERVED, true);
  image[16] = FATS;
  view.setUint16(17, ROOT_ENTRIES, true);
  view.setUint16(19, SECTORS, true);
  image[21] = MEDIA;
  view.setUint16(22, FAT_SECTORS, true);
  view.setUint16(24, 18, true);
  view.setUint16(26, 2, true);
  image[38] = 0x29;
  view.setUint32(39, 0x5359_5354, true);
  text(43, 'SYSTAB     FAT12   ');
  view.setUint16(510, 0xaa55, true);

  const setCluster = (cluster: number, value: number): void => {
    for (let copy = 0; copy < FATS; copy++) {
      const at = (RESERVED + copy * FAT_SECTORS) * SECTOR + Math.floor((cluster * 3) / 2);
      const old = view.getUint16(at, true);
      const odd = cluster % 2 === 1;
      view.setUint16(at, odd ? (old & 0x000f) | (value << 4) : (old & 0xf000) | value, true);
    }
  };
  setCluster(0, 0xf00 | MEDIA);
  setCluster(1, LAST);
  let cluster = FIRST_CLUSTER;
  Object.entries(files).forEach(([name, content], index) => {
    const bytes = new TextEncoder().encode(content);
    const entry = ROOT * SECTOR + index * ENTRY;
    text(entry, shortName(name));
    image[entry + 11] = 0x20;
    view.setUint16(entry + 24, DATE, true);
    view.setUint16(entry + 26, cluster, true);
    view.setUint32(entry + 28, bytes.length, true);
    const count = Math.max(1, Math.ceil(bytes.length / SECTOR));
    image.set(bytes, (DATA + cluster - FIRST_CLUSTER) * SECTOR);
    for (let i = 1; i <= count; i++, cluster++)
      setCluster(cluster, i === count ? LAST : cluster + 1);
  });
  return image;
};
