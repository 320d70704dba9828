// Parallel NOR flash with the Intel command set.
// Datasheet: Intel 28F256J3 StrataFlash (command set, status register); JEDEC JESD68.01 (Common Flash Interface).
// Device width 8 bits, identifier codes zero as QEMU's `pflash_cfi01` has them. Programming and erasing take no virtual
// time. The ready bit is set by the first of them and cleared with the rest of the register by CLEAR_STATUS, not by a
// real chip but by QEMU: a status of 0 after a clear is how OVMF tells this flash from RAM and ROM.

import type { IoSize, StateObject, IoHandler } from './ops.ts';

/** Read-array mode: the chip answers like memory and the machine may map it as such. */
export type FlashMode = 'memory' | 'registers';

export interface FlashOptions {
  /**
   * The contents, changed in place by programming and erasing. They are memory of the machine, which maps them in
   * read-array mode and keeps them in its snapshots: the chip's own state leaves them out.
   */
  readonly image: Uint8Array;
  readonly readOnly: boolean;
  /** Bytes per erase block, a power of two. */
  readonly blockSize?: number;
  /** Called when the mode changes; `memory` is the mode at power-on. */
  readonly onMode?: (mode: FlashMode) => void;
  /** Called after bytes were changed by programming or erasing. */
  readonly onChange?: (offset: number, length: number) => void;
}

export type FlashState = StateObject & {
  readonly cycle: number;
  readonly command: number;
  readonly status: number;
  readonly count: number;
  readonly block: number;
  readonly buffer: Uint8Array;
};

export interface Flash {
  readonly handler: IoHandler;
  readonly image: Uint8Array;
  readonly mode: () => FlashMode;
  /** Back to read-array mode (RP# pulse); the contents stay. */
  readonly reset: () => void;
  readonly save: () => FlashState;
  readonly load: (state: FlashState) => void;
}

const READ_ARRAY = 0xff;
const READ_STATUS = 0x70;
const CLEAR_STATUS = 0x50;
const READ_IDENTIFIER = 0x90;
const READ_QUERY = 0x98;
const PROGRAM = 0x10;
const PROGRAM_ALTERNATE = 0x40;
const BLOCK_ERASE = 0x20;
const BUFFER_PROGRAM = 0xe8;
const LOCK = 0x60;
const CONFIRM = 0xd0;

const STATUS_READY = 0x80;
const STATUS_ERASE_ERROR = 0x20;
const STATUS_PROGRAM_ERROR = 0x10;

const WRITE_BUFFER_SIZE = 256;

const DEFAULT_BLOCK_SIZE = 4096;

/** The CFI query structure of JESD68.01 from offset 0x10 on: command set 1 (Intel extended), no alternate set. */
const queryTable = (imageSize: number, blockSize: number): Uint8Array => {
  const table = new Uint8Array(0x100);
  const put = (offset: number, ...bytes: readonly number[]): void => table.set(bytes, offset);
  put(0x10, 0x51, 0x52, 0x59);
  put(0x13, 0x01, 0x00, 0x31, 0x00);
  // Supply 2.7 V to 3.6 V; typical times 2^7 us per byte and buffer, 2^10 ms per block; maximum 2^4 times that.
  put(0x1b, 0x45, 0x55, 0x00, 0x00, 0x07, 0x07, 0x0a, 0x00, 0x04, 0x04, 0x04, 0x00);
  put(0x27, Math.ceil(Math.log2(imageSize)), 0x02, 0x00);
  put(0x2a, Math.log2(WRITE_BUFFER_SIZE), 0x00, 0x01);
  const blocks = imageSize / blockSize - 1;
  put(0x2d, blocks & 0xff, blocks >> 8, (blockSize >> 8) & 0xff, blockSize >> 16);
  put(0x31, 0x50, 0x52, 0x49, 0x31, 0x30);
  put(0x3f, 0x01);
  return table;
};

export const createFlash = (options: FlashOptions): Flash => {
  const { image, readOnly } = options;
  const blockSize = options.blockSize ?? DEFAULT_BLOCK_SIZE;
  if (image.length === 0 || image.length % blockSize !== 0)
    throw new Error(
      `flash image of ${image.length} bytes is no multiple of the ${blockSize}-byte block`,
    );
  const query = queryTable(image.length, blockSize);
  let cycle = 0;
  let command = READ_ARRAY;
  let status = 0;
  let count = 0;
  let block = 0;
  let buffer = new Uint8Array(0);
  let shown: FlashMode = 'memory';

  const mode = (): FlashMode => (cycle === 0 && command === READ_ARRAY ? 'memory' : 'registers');
  const announce = (): void => {
    const next = mode();
    if (next === shown) return;
    shown = next;
    options.onMode?.(next);
  };
  const enter = (next: number, nextCycle: number): void => {
    command = next;
    cycle = nextCycle;
  };

  const program = (offset: number, size: IoSize, value: number): void => {
    if (readOnly) {
      status |= STATUS_PROGRAM_ERROR;
      return;
    }
    // A cell can be cleared by programming and set by erasing only.
    for (let i = 0; i < size; i++) image[offset + i]! &= value >>> (8 * i);
    options.onChange?.(offset, size);
  };
  const erase = (offset: number): void => {
    if (readOnly) {
      status |= STATUS_ERASE_ERROR;
      return;
    }
    const start = offset - (offset % blockSize);
    image.fill(0xff, start, start + blockSize);
    options.onChange?.(start, blockSize);
  };

  const firstCycle = (offset: number, byte: number): void => {
    switch (byte) {
      case PROGRAM:
      case PROGRAM_ALTERNATE:
        enter(byte, 1);
        return;
      case BLOCK_ERASE:
        status |= STATUS_READY;
        enter(byte, 1);
        return;
      case CLEAR_STATUS:
        status = 0;
        enter(READ_ARRAY, 0);
        return;
      case READ_STATUS:
      case READ_IDENTIFIER:
      case READ_QUERY:
        enter(byte, 0);
        return;
      case LOCK:
        enter(byte, 1);
        return;
      case BUFFER_PROGRAM:
        block = offset - (offset % blockSize);
        status |= STATUS_READY;
        enter(byte, 1);
        return;
      default:
        // READ_ARRAY, the null command 0x00 and everything the chip does not know.
        enter(READ_ARRAY, 0);
    }
  };

  const secondCycle = (offset: number, size: IoSize, value: number): void => {
    const byte = value & 0xff;
    switch (command) {
      case PROGRAM:
      case PROGRAM_ALTERNATE:
        program(offset, size, value);
        status |= STATUS_READY;
        enter(READ_STATUS, 0);
        return;
      case BLOCK_ERASE:
        if (byte === CONFIRM) erase(offset);
        enter(byte === CONFIRM ? READ_STATUS : READ_ARRAY, 0);
        return;
      case BUFFER_PROGRAM:
        count = byte + 1;
        buffer = new Uint8Array(0);
        enter(BUFFER_PROGRAM, 2);
        return;
      default:
        // Block locks: set (0x01) and clear (0xd0) are accepted, the model has none to hold.
        status |= STATUS_READY;
        enter(byte === READ_ARRAY ? READ_ARRAY : READ_STATUS, 0);
    }
  };

  /** BUFFER_PROGRAM: `count` writes into one block, then the confirmation. */
  const bufferCycle = (offset: number, size: IoSize, value: number): void => {
    if (count > 0) {
      const grown = new Uint8Array(buffer.length + 8 * size);
      grown.set(buffer);
      const view = new DataView(grown.buffer);
      for (let i = 0; i < size; i++) {
        view.setUint32(buffer.length + 8 * i, offset + i, true);
        view.setUint32(buffer.length + 8 * i + 4, (value >>> (8 * i)) & 0xff, true);
      }
      buffer = grown;
      count--;
      return;
    }
    if ((value & 0xff) === CONFIRM) {
      const view = new DataView(buffer.buffer);
      for (let i = 0; i < buffer.length; i += 8) {
        const target = view.getUint32(i, true);
        if (target - (target % blockSize) === block)
          program(target, 1, view.getUint32(i + 4, true));
        else status |= STATUS_PROGRAM_ERROR;
      }
    } else status |= STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
    buffer = new Uint8Array(0);
    enter(READ_STATUS, 0);
  };

  const readArray = (offset: number, size: IoSize): number => {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (image[offset + i] ?? 0xff);
    return value;
  };

  const handler: IoHandler = {
    read: (offset, size) => {
      switch (command) {
        case READ_ARRAY:
          return readArray(offset, size);
        case READ_IDENTIFIER:
          return 0;
        case READ_QUERY:
          return query[offset & 0xff] ?? 0;
        default:
          // The status stands in each 16-bit lane.
          return size === 4 ? (status * 0x1_0001) >>> 0 : status;
      }
    },
    write: (offset, size, value) => {
      if (cycle === 0) firstCycle(offset, value & 0xff);
      else if (cycle === 1) secondCycle(offset, size, value);
      else bufferCycle(offset, size, value);
      announce();
    },
  };

  return {
    handler,
    image,
    mode,
    reset: () => {
      enter(READ_ARRAY, 0);
      status = 0;
      count = 0;
      buffer = new Uint8Array(0);
      announce();
    },
    save: () => ({ cycle, command, status, count, block, buffer: buffer.slice() }),
    load: (state) => {
      ({ cycle, command, status, count, block } = state);
      buffer = state.buffer.slice();
      announce();
    },
  };
};
