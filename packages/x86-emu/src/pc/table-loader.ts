// The script by which firmware places tables, fills in their addresses and checksums them.
// Source: QEMU's `etc/table-loader` interface (bios-linker-loader): 128-byte little-endian entries.

/** Where firmware puts a file. */
export const ZONE = { HIGH: 1, FSEG: 2 } as const;

export type LoaderCommand =
  | {
      readonly kind: 'allocate';
      readonly file: string;
      readonly alignment: number;
      readonly zone: number;
    }
  /** Adds the address of `source` to the little-endian field of `size` bytes at `offset` in `target`. */
  | {
      readonly kind: 'pointer';
      readonly target: string;
      readonly source: string;
      readonly offset: number;
      readonly size: number;
    }
  /** Makes the bytes `[start, start + length)` of `file` sum to zero through the byte at `offset`. */
  | {
      readonly kind: 'checksum';
      readonly file: string;
      readonly offset: number;
      readonly start: number;
      readonly length: number;
    };

const ENTRY_SIZE = 128;
const FILE_NAME_SIZE = 56;
const SCRIPT_SIZE = 4096;
const ALLOCATE = 1;
const ADD_POINTER = 2;
const ADD_CHECKSUM = 3;

/** The script, filled up to 4 KiB as QEMU does: empty entries are ignored. */
export const encodeLoaderScript = (commands: readonly LoaderCommand[]): Uint8Array => {
  if (commands.length * ENTRY_SIZE > SCRIPT_SIZE)
    throw new Error(`table loader has ${commands.length} commands`);
  const out = new Uint8Array(SCRIPT_SIZE);
  const view = new DataView(out.buffer);
  const putName = (at: number, name: string): void => out.set(new TextEncoder().encode(name), at);
  commands.forEach((command, i) => {
    const at = i * ENTRY_SIZE;
    const second = at + 4 + FILE_NAME_SIZE;
    switch (command.kind) {
      case 'allocate':
        view.setUint32(at, ALLOCATE, true);
        putName(at + 4, command.file);
        view.setUint32(second, command.alignment, true);
        out[second + 4] = command.zone;
        return;
      case 'pointer':
        view.setUint32(at, ADD_POINTER, true);
        putName(at + 4, command.target);
        putName(second, command.source);
        view.setUint32(second + FILE_NAME_SIZE, command.offset, true);
        out[second + FILE_NAME_SIZE + 4] = command.size;
        return;
      case 'checksum':
        view.setUint32(at, ADD_CHECKSUM, true);
        putName(at + 4, command.file);
        view.setUint32(second, command.offset, true);
        view.setUint32(second + 4, command.start, true);
        view.setUint32(second + 8, command.length, true);
    }
  });
  return out;
};
