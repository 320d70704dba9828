// An initial RAM file system: a cpio archive in the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst).

/** A file of the archive. Folders are not made: `name` has no slash but for those of `dev`. */
export interface ArchiveFile {
  readonly name: string;
  readonly executable: boolean;
  readonly bytes: Uint8Array;
}

const FOLDER = 0o40755;
const CHARACTER_DEVICE = 0o20600;
const FILE = 0o100644;
const PROGRAM = 0o100755;
const ALIGNMENT = 4;

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly bytes?: Uint8Array;
  readonly device?: readonly [major: number, minor: number];
}

const padded = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(-bytes.length & (ALIGNMENT - 1))]);

const encodeEntry = (entry: Entry, inode: number): Buffer => {
  const { name, mode, bytes = new Uint8Array(), device = [0, 0] } = entry;
  // inode, mode, owner, group, links, time, size, device of the file, device it is, length of the name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, name.length + 1, 0];
  const header = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return Buffer.concat([padded(Buffer.from(`070701${header}${name}\0`, 'latin1')), padded(bytes)]);
};

/** Bytes of every archive: where firmware puts things depends on the size of what it loads. */
export const ARCHIVE_SIZE = 0x18_0000;

/** The archive of `files`, with the console that the kernel opens for the first process. Throws where they do not fit. */
export const encodeInitramfs = (files: readonly ArchiveFile[]): Uint8Array => {
  const entries: readonly Entry[] = [
    { name: 'dev', mode: FOLDER },
    { name: 'dev/console', mode: CHARACTER_DEVICE, device: [5, 1] },
    ...files.map(({ name, executable, bytes }) => ({
      name,
      mode: executable ? PROGRAM : FILE,
      bytes,
    })),
    { name: 'TRAILER!!!', mode: 0 },
  ];
  const archive = Buffer.concat(entries.map((entry, index) => encodeEntry(entry, index + 1)));
  if (archive.length > ARCHIVE_SIZE)
    throw new Error(`the archive has ${archive.length} bytes, at most ${ARCHIVE_SIZE} fit`);
  return Buffer.concat([archive, Buffer.alloc(ARCHIVE_SIZE - archive.length)]);
};
