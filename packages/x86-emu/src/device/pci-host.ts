// PCI host bridge with configuration mechanism 1, and the configuration space of a function.
// Datasheets: PCI Local Bus Specification 3.0, 3.2.2.3.2 and 6.1; Intel 82441FX (440FX) PMC, order number 290549.

import type { StateObject, IoHandler, PortRange } from './ops.ts';
import { allOnes } from './ops.ts';

/** Offsets of the configuration header (PCI 3.0, 6.1). */
export const PCI_CONFIG = {
  VENDOR_ID: 0x00,
  DEVICE_ID: 0x02,
  COMMAND: 0x04,
  STATUS: 0x06,
  REVISION_ID: 0x08,
  PROG_IF: 0x09,
  SUBCLASS: 0x0a,
  BASE_CLASS: 0x0b,
  CACHE_LINE_SIZE: 0x0c,
  HEADER_TYPE: 0x0e,
  BAR0: 0x10,
  SUBSYSTEM_VENDOR_ID: 0x2c,
  SUBSYSTEM_ID: 0x2e,
  INTERRUPT_LINE: 0x3c,
  INTERRUPT_PIN: 0x3d,
} as const;

export const PCI_COMMAND_IO = 0x01;

const CONFIG_SPACE_SIZE = 256;
const DEVICE_SPECIFIC = 0x40;
/** I/O, memory, bus master; SERR# and INTx disable in the upper byte. */
const COMMAND_MASK = [0x07, 0x05] as const;

/** One function: its 256 bytes, which bits of them software can write, and a call after a write. */
export interface PciFunction {
  readonly device: number;
  readonly function: number;
  readonly config: Uint8Array;
  readonly writable: Uint8Array;
  /** Called after bytes `[offset, offset + size)` were written. */
  readonly onWrite: (offset: number, size: number) => void;
  readonly reset: () => void;
}

export interface PciFunctionOptions {
  readonly device: number;
  readonly function: number;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** Base class, subclass, programming interface. */
  readonly classCode: readonly [number, number, number];
  readonly status: number;
  readonly multifunction?: boolean;
  readonly interruptPin?: number;
  /** Values at reset beyond the header. */
  readonly contents?: Readonly<Record<number, number>>;
  /** Write masks that differ from the common ones. */
  readonly masks?: Readonly<Record<number, number>>;
  readonly onWrite?: (config: Uint8Array, offset: number, size: number) => void;
}

/** A function whose device-specific space (0x40 to 0xff) keeps what is written, as QEMU's chipset functions do. */
export const createPciFunction = (options: PciFunctionOptions): PciFunction => {
  const config = new Uint8Array(CONFIG_SPACE_SIZE);
  const view = new DataView(config.buffer);
  const writable = new Uint8Array(CONFIG_SPACE_SIZE).fill(0xff, DEVICE_SPECIFIC);
  writable.set(COMMAND_MASK, PCI_CONFIG.COMMAND);
  writable[PCI_CONFIG.CACHE_LINE_SIZE] = 0xff;
  writable[PCI_CONFIG.INTERRUPT_LINE] = 0xff;
  for (const [offset, mask] of Object.entries(options.masks ?? {})) writable[Number(offset)] = mask;

  const reset = (): void => {
    config.fill(0);
    view.setUint16(PCI_CONFIG.VENDOR_ID, options.vendorId, true);
    view.setUint16(PCI_CONFIG.DEVICE_ID, options.deviceId, true);
    view.setUint16(PCI_CONFIG.STATUS, options.status, true);
    config[PCI_CONFIG.REVISION_ID] = options.revision;
    config[PCI_CONFIG.BASE_CLASS] = options.classCode[0];
    config[PCI_CONFIG.SUBCLASS] = options.classCode[1];
    config[PCI_CONFIG.PROG_IF] = options.classCode[2];
    config[PCI_CONFIG.HEADER_TYPE] = options.multifunction === true ? 0x80 : 0;
    // QEMU's default subsystem.
    view.setUint16(PCI_CONFIG.SUBSYSTEM_VENDOR_ID, 0x1af4, true);
    view.setUint16(PCI_CONFIG.SUBSYSTEM_ID, 0x1100, true);
    config[PCI_CONFIG.INTERRUPT_PIN] = options.interruptPin ?? 0;
    for (const [offset, value] of Object.entries(options.contents ?? {}))
      config[Number(offset)] = value;
    options.onWrite?.(config, 0, CONFIG_SPACE_SIZE);
  };
  reset();
  return {
    device: options.device,
    function: options.function,
    config,
    writable,
    reset,
    onWrite: (offset, size) => options.onWrite?.(config, offset, size),
  };
};

/** The host bridge 8086:1237. PAM (0x59 to 0x5f) and SMRAM (0x72) keep what is written and steer nothing. */
export const createI440fx = (): PciFunction =>
  createPciFunction({
    device: 0,
    function: 0,
    vendorId: 0x8086,
    deviceId: 0x1237,
    revision: 2,
    classCode: [0x06, 0x00, 0x00],
    status: 0,
    contents: { 0x57: 0x20, 0x72: 0x02 },
  });

export type PciHostState = StateObject & {
  readonly address: number;
  readonly spaces: readonly Uint8Array[];
};

export interface PciHost {
  readonly portRanges: readonly PortRange[];
  readonly functions: readonly PciFunction[];
  readonly reset: () => void;
  readonly save: () => PciHostState;
  readonly load: (state: PciHostState) => void;
}

const CONFIG_ENABLE = 0x8000_0000;

export const createPciHost = (functions: readonly PciFunction[]): PciHost => {
  const byAddress = new Map<number, PciFunction>();
  for (const fn of functions) {
    const key = (fn.device << 3) | fn.function;
    if (byAddress.has(key)) throw new Error(`two PCI functions at ${fn.device}.${fn.function}`);
    byAddress.set(key, fn);
  }
  let address = 0;
  /** The function that CONFADD points to, only on bus 0 and with the enable bit. */
  const target = (): PciFunction | undefined =>
    (address & CONFIG_ENABLE) !== 0 && ((address >>> 16) & 0xff) === 0
      ? byAddress.get((address >>> 8) & 0xff)
      : undefined;

  const addressPort: IoHandler = {
    read: (offset, size) => ((address >>> (8 * offset)) & (size === 4 ? -1 : allOnes(size))) >>> 0,
    write: (offset, size, value) => {
      if (offset === 0 && size === 4) address = value;
    },
  };
  const dataPort: IoHandler = {
    read: (offset, size) => {
      const fn = target();
      if (fn === undefined) return allOnes(size);
      const at = (address & 0xfc) + offset;
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + (fn.config[at + i] ?? 0xff);
      return value;
    },
    write: (offset, size, value) => {
      const fn = target();
      if (fn === undefined) return;
      const at = (address & 0xfc) + offset;
      for (let i = 0; i < size && at + i < CONFIG_SPACE_SIZE; i++) {
        const mask = fn.writable[at + i]!;
        fn.config[at + i] = (fn.config[at + i]! & ~mask) | ((value >>> (8 * i)) & mask);
      }
      fn.onWrite(at, size);
    },
  };
  return {
    functions,
    portRanges: [
      {
        name: 'PCI CONFADD',
        first: 0xcf8,
        count: 1,
        maxSize: 4,
        handler: addressPort,
      },
      { name: 'PCI CONFDATA', first: 0xcfc, count: 4, maxSize: 4, handler: dataPort },
    ],
    reset: () => {
      address = 0;
      for (const fn of functions) fn.reset();
    },
    save: () => ({ address, spaces: functions.map((fn) => fn.config.slice()) }),
    load: (state) => {
      ({ address } = state);
      functions.forEach((fn, i) => {
        const space = state.spaces[i];
        if (space === undefined)
          throw new Error(`snapshot lacks PCI function ${fn.device}.${fn.function}`);
        fn.config.set(space);
        fn.onWrite(0, CONFIG_SPACE_SIZE);
      });
    },
  };
};
