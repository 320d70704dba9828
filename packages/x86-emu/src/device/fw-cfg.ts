// QEMU's firmware configuration device at ports 0x510 to 0x51b.
// Datasheet: QEMU docs/specs/fw_cfg (selector and data register, file directory, DMA interface). Read-only items.

import type { Dma, StateObject, IoHandler, PortRange } from './ops.ts';

/** Selector values of the fixed items. */
export const FW_CFG = {
  SIGNATURE: 0x00,
  ID: 0x01,
  RAM_SIZE: 0x03,
  NB_CPUS: 0x05,
  KERNEL_ADDR: 0x07,
  KERNEL_SIZE: 0x08,
  INITRD_ADDR: 0x0a,
  INITRD_SIZE: 0x0b,
  MAX_CPUS: 0x0f,
  KERNEL_DATA: 0x11,
  INITRD_DATA: 0x12,
  CMDLINE_ADDR: 0x13,
  CMDLINE_SIZE: 0x14,
  CMDLINE_DATA: 0x15,
  SETUP_ADDR: 0x16,
  SETUP_SIZE: 0x17,
  SETUP_DATA: 0x18,
  FILE_DIR: 0x19,
  FILE_FIRST: 0x20,
  /** Items of the x86 machines: IRQ 0 override and HPET description. */
  IRQ0_OVERRIDE: 0x8002,
  HPET: 0x8004,
} as const;

/** A file's bytes, or how to make them when it is selected (tables that depend on what the firmware configured). */
export type FwCfgContent = Uint8Array | (() => Uint8Array);

export interface FwCfgOptions {
  /** Fixed items by selector; what is missing reads as zeros. */
  readonly items: ReadonlyMap<number, FwCfgContent>;
  /** Files by name, at most 55 characters each; the directory lists them sorted by name. */
  readonly files: ReadonlyMap<string, FwCfgContent>;
}

export type FwCfgState = StateObject & {
  readonly key: number;
  readonly offset: number;
  readonly addressHigh: number;
  /** Bytes of the selected item if they were made when it was selected; a fixed item is not part of a snapshot. */
  readonly made: Uint8Array;
};

export interface FwCfg {
  readonly portRanges: readonly PortRange[];
  readonly reset: () => void;
  readonly save: () => FwCfgState;
  readonly load: (state: FwCfgState) => void;
}

const DMA_ERROR = 0x01;
const DMA_READ = 0x02;
const DMA_SKIP = 0x04;
const DMA_SELECT = 0x08;
const DMA_WRITE = 0x10;
/** What the DMA address register reads as. */
const DMA_SIGNATURE = new TextEncoder().encode('QEMU CFG');
const NAME_LENGTH = 56;
const WRITE_FLAG = 0x4000;
const CHUNK = 0x10000;

/** The directory item: big-endian count, then size, selector, reserved and name of each file. */
const directory = (files: readonly (readonly [string, FwCfgContent])[]): Uint8Array => {
  const bytes = new Uint8Array(4 + files.length * (8 + NAME_LENGTH));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, files.length);
  files.forEach(([name, content], i) => {
    const encoded = new TextEncoder().encode(name);
    if (encoded.length >= NAME_LENGTH) throw new Error(`fw_cfg file name is too long: ${name}`);
    const at = 4 + i * (8 + NAME_LENGTH);
    view.setUint32(at, (typeof content === 'function' ? content() : content).length);
    view.setUint16(at + 4, FW_CFG.FILE_FIRST + i);
    bytes.set(encoded, at + 8);
  });
  return bytes;
};

const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;

export const createFwCfg = (ops: { readonly dma: Dma }, options: FwCfgOptions): FwCfg => {
  const files = [...options.files].toSorted(byName);
  const items = new Map<number, FwCfgContent>(options.items);
  items.set(FW_CFG.SIGNATURE, new TextEncoder().encode('QEMU'));
  // Bit 0: traditional interface, bit 1: DMA.
  items.set(FW_CFG.ID, new Uint8Array([3, 0, 0, 0]));
  items.set(FW_CFG.FILE_DIR, directory(files));
  files.forEach(([, content], i) => items.set(FW_CFG.FILE_FIRST + i, content));

  const nothing: Uint8Array = new Uint8Array(0);
  let key = 0;
  let offset = 0;
  let content = nothing;
  let addressHigh = 0;

  const itemOf = (selector: number): FwCfgContent | undefined => items.get(selector & ~WRITE_FLAG);
  const select = (next: number): boolean => {
    key = next;
    offset = 0;
    const found = itemOf(next);
    content = typeof found === 'function' ? found() : (found ?? nothing);
    return found !== undefined;
  };
  const nextByte = (): number => content[offset++] ?? 0;

  /** Carries out the request whose 16-byte block (control, length, address; big-endian) stands at `block`. */
  const transfer = (block: number): void => {
    const view = new DataView(ops.dma.read(block, 16).slice().buffer);
    const control = view.getUint32(0);
    let length = view.getUint32(4);
    let address = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
    let failed = false;
    if ((control & DMA_SELECT) !== 0) select(control >>> 16);
    if ((control & DMA_READ) !== 0)
      while (length > 0) {
        const part = Math.min(length, CHUNK);
        const bytes = new Uint8Array(part);
        bytes.set(content.subarray(offset, offset + part));
        ops.dma.write(address, bytes);
        offset += part;
        address += part;
        length -= part;
        // Past the end everything is zero: a length of 4 GiB must not take for ever.
        if (offset >= content.length && length > CHUNK) length = CHUNK;
      }
    else if ((control & DMA_WRITE) !== 0) failed = length > 0;
    else if ((control & DMA_SKIP) !== 0) offset += length;
    const result = new Uint8Array(4);
    new DataView(result.buffer).setUint32(0, failed ? DMA_ERROR : 0);
    ops.dma.write(block, result);
  };

  const control: IoHandler = {
    // Either port gives the next byte; the data register is 8 bits wide and a wider read consumes nothing.
    read: (_at, size) => (size === 1 ? nextByte() : 0),
    write: (at, size, value) => {
      // The selector takes 16-bit writes only; data cannot be written.
      if (at === 0 && size === 2) select(value);
    },
  };
  const dma: IoHandler = {
    read: (at, size) => {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + (DMA_SIGNATURE[at + i] ?? 0);
      return value;
    },
    write: (at, size, value) => {
      if (size !== 4) return;
      const view = new DataView(new ArrayBuffer(4));
      view.setUint32(0, value, true);
      const word = view.getUint32(0);
      if (at === 0) addressHigh = word;
      else if (at === 4) {
        const block = addressHigh * 2 ** 32 + word;
        addressHigh = 0;
        transfer(block);
      }
    },
  };

  select(FW_CFG.SIGNATURE);

  return {
    portRanges: [
      { name: 'fw_cfg', first: 0x510, count: 2, maxSize: 4, handler: control },
      { name: 'fw_cfg DMA', first: 0x514, count: 8, maxSize: 4, handler: dma },
    ],
    reset: () => {
      select(FW_CFG.SIGNATURE);
      addressHigh = 0;
    },
    save: () => ({
      key,
      offset,
      addressHigh,
      made: typeof itemOf(key) === 'function' ? content.slice() : nothing,
    }),
    load: (state) => {
      ({ key, offset, addressHigh } = state);
      const item = itemOf(key);
      content = typeof item === 'function' ? state.made.slice() : (item ?? nothing);
    },
  };
};
