// PIIX3 IDE, PCI function 8086:7010: two ATA channels at their legacy ports and the bus-master registers at BAR4.
// Datasheets: Intel 82371SB (PIIX3), 290550, 2.6; Programming Interface for Bus Master IDE Controller, revision 1.0.

import type { AtaChannel, AtaChannelState } from './ata-channel.ts';
import { createAtaChannel } from './ata-channel.ts';
import type { DiskImage } from './disk-image.ts';
import type { StateObject, Dma, IoHandler, IrqLine, PortRange, PortMap } from './ops.ts';
import { allOnes } from './ops.ts';
import type { PciFunction } from './pci-host.ts';
import { createPciFunction, PCI_COMMAND_IO, PCI_CONFIG } from './pci-host.ts';

export interface Piix3IdeOps {
  readonly dma: Dma;
  readonly ports: PortMap;
  /** IRQ 14 and IRQ 15. */
  readonly irqs: readonly [IrqLine, IrqLine];
}

/** Disks in the order primary master, primary slave, secondary master, secondary slave. */
export interface Piix3IdeOptions {
  readonly disks: readonly (DiskImage | undefined)[];
}

export type Piix3IdeState = StateObject & {
  readonly channels: readonly AtaChannelState[];
  readonly masters: readonly (readonly number[])[];
};

export interface Piix3Ide {
  readonly pci: PciFunction;
  readonly portRanges: readonly PortRange[];
  readonly reset: () => void;
  readonly save: () => Piix3IdeState;
  readonly load: (state: Piix3IdeState) => void;
}

const BAR4 = 0x20;
const BUS_MASTER_LENGTH = 16;

const BMIC = 0;
const BMIS = 2;
const BMIDTP = 4;
const COMMAND_START = 0x01;
const COMMAND_TO_MEMORY = 0x08;
const STATUS_ACTIVE = 0x01;
const STATUS_ERROR = 0x02;
const STATUS_INTERRUPT = 0x04;
const STATUS_DRIVES_CAPABLE = 0x60;

const PRD_SIZE = 8;
const PRD_END = 0x8000;
/** A table without an end mark stops at the 64 KiB boundary that it must not cross. */
const PRD_MAXIMUM = 8192;

const LEGACY_PORTS = [
  { command: 0x1f0, control: 0x3f6 },
  { command: 0x170, control: 0x376 },
] as const;

interface BusMaster {
  command: number;
  status: number;
  table: number;
}

/** One memory region of a descriptor table. */
interface Region {
  readonly address: number;
  readonly length: number;
}

const readTable = (dma: Dma, table: number): readonly Region[] => {
  const regions: Region[] = [];
  for (let i = 0; i < PRD_MAXIMUM; i++) {
    const view = new DataView(dma.read(table + i * PRD_SIZE, PRD_SIZE).slice().buffer);
    const count = view.getUint16(4, true) & 0xfffe;
    regions.push({ address: view.getUint32(0, true) & ~1, length: count === 0 ? 0x10000 : count });
    if ((view.getUint16(6, true) & PRD_END) !== 0) break;
  }
  return regions.map((region) => ({ ...region, address: region.address >>> 0 }));
};

export const createPiix3Ide = (ops: Piix3IdeOps, options: Piix3IdeOptions): Piix3Ide => {
  const masters: readonly [BusMaster, BusMaster] = [
    { command: 0, status: 0, table: 0 },
    { command: 0, status: 0, table: 0 },
  ];

  /** Moves the waiting transfer through the descriptor table, whole and at once. */
  const run = (n: 0 | 1): void => {
    const master = masters[n];
    const channel = channels[n];
    if ((master.command & COMMAND_START) === 0) return;
    const transfer = channel.pendingDma();
    if (transfer === undefined) return;
    const regions = readTable(ops.dma, master.table);
    const room = regions.reduce((sum, region) => sum + region.length, 0);
    const gathered = new Uint8Array(transfer.toMemory ? 0 : transfer.length);
    let done = 0;
    if (room >= transfer.length && (!transfer.toMemory || transfer.data.length > 0))
      for (const { address, length } of regions) {
        const part = Math.min(length, transfer.length - done);
        if (part === 0) break;
        if (transfer.toMemory) ops.dma.write(address, transfer.data.subarray(done, done + part));
        else gathered.set(ops.dma.read(address, part), done);
        done += part;
      }
    // A table longer than the transfer leaves the engine active (bus-master specification, 3.1, status bits 2 and 0).
    if (done < transfer.length || room === transfer.length) master.status &= ~STATUS_ACTIVE;
    channel.completeDma(room >= transfer.length ? gathered : undefined);
  };

  const channelOps = (n: 0 | 1): Parameters<typeof createAtaChannel>[0] => ({
    irq: ops.irqs[n],
    dmaRequested: () => run(n),
    interrupted: () => {
      masters[n].status |= STATUS_INTERRUPT;
    },
  });
  const [d0, d1, d2, d3] = options.disks;
  const channels: readonly [AtaChannel, AtaChannel] = [
    createAtaChannel(channelOps(0), [d0, d1], [1, 2]),
    createAtaChannel(channelOps(1), [d2, d3], [3, 4]),
  ];

  const writeCommand = (n: 0 | 1, value: number): void => {
    const master = masters[n];
    const starts = (value & ~master.command & COMMAND_START) !== 0;
    const stops = (~value & master.command & COMMAND_START) !== 0;
    master.command = value & (COMMAND_START | COMMAND_TO_MEMORY);
    if (stops) master.status &= ~STATUS_ACTIVE;
    if (starts) {
      master.status |= STATUS_ACTIVE;
      run(n);
    }
  };
  const busMaster: IoHandler = {
    read: (offset, size) => {
      const master = masters[offset < 8 ? 0 : 1];
      const at = offset & 7;
      if (at >= BMIDTP)
        return ((master.table >>> (8 * (at - BMIDTP))) & (size === 4 ? -1 : allOnes(size))) >>> 0;
      if (size !== 1) return allOnes(size);
      return at === BMIC ? master.command : at === BMIS ? master.status : 0xff;
    },
    write: (offset, size, value) => {
      const n = offset < 8 ? 0 : 1;
      const master = masters[n];
      const at = offset & 7;
      if (at >= BMIDTP) {
        const shift = 8 * (at - BMIDTP);
        const mask = size === 4 ? 0xffff_ffff : allOnes(size) << shift;
        master.table = ((master.table & ~mask) | ((value << shift) & mask & ~3)) >>> 0;
      } else if (at === BMIC) writeCommand(n, value & 0xff);
      else if (at === BMIS)
        master.status =
          (value & STATUS_DRIVES_CAPABLE) |
          (master.status & STATUS_ACTIVE) |
          (master.status & ~value & (STATUS_ERROR | STATUS_INTERRUPT));
    },
  };

  let base = 0;
  let unmap: (() => void) | undefined;
  const remap = (config: Uint8Array): void => {
    const bar = new DataView(config.buffer).getUint32(BAR4, true) & 0xfff0;
    const wanted = (config[PCI_CONFIG.COMMAND]! & PCI_COMMAND_IO) !== 0 ? bar : 0;
    if (wanted === base) return;
    unmap?.();
    unmap = undefined;
    base = wanted;
    if (base !== 0)
      unmap = ops.ports.map({
        name: 'IDE bus master',
        first: base,
        count: BUS_MASTER_LENGTH,
        maxSize: 4,
        handler: busMaster,
      });
  };

  const pci = createPciFunction({
    device: 1,
    function: 1,
    vendorId: 0x8086,
    deviceId: 0x7010,
    revision: 0,
    classCode: [0x01, 0x01, 0x80],
    status: 0x0280,
    contents: { [BAR4]: 0x01 },
    masks: { [BAR4]: 0xf0, [BAR4 + 1]: 0xff, [BAR4 + 2]: 0xff, [BAR4 + 3]: 0xff },
    onWrite: (config, offset) => {
      if (offset < BAR4 + 4) remap(config);
    },
  });

  return {
    pci,
    portRanges: LEGACY_PORTS.flatMap(({ command, control }, n): PortRange[] => {
      const channel = channels[n]!;
      const name = n === 0 ? 'IDE primary' : 'IDE secondary';
      return [
        { name: `${name} data`, first: command, count: 1, maxSize: 4, handler: channel.data },
        { name, first: command + 1, count: 7, maxSize: 1, handler: channel.command },
        {
          name: `${name} control`,
          first: control,
          count: 1,
          maxSize: 1,
          handler: channel.controlPort,
        },
      ];
    }),
    reset: () => {
      for (const [n, channel] of channels.entries()) {
        Object.assign(masters[n]!, { command: 0, status: 0, table: 0 } satisfies BusMaster);
        channel.reset();
      }
    },
    save: () => ({
      channels: channels.map((channel) => channel.save()),
      masters: masters.map(({ command, status, table }) => [command, status, table]),
    }),
    load: (state) => {
      state.channels.forEach((saved, n) => channels[n]!.load(saved));
      state.masters.forEach(([command = 0, status = 0, table = 0], n) =>
        Object.assign(masters[n]!, { command, status, table } satisfies BusMaster),
      );
    },
  };
};
