// One ATA channel: command block and control block registers, up to two disks, PIO and DMA commands.
// Source: ATA/ATAPI-6 (T13/1410D), 7 and 8. A command completes within the access that starts it, so BSY is never seen.
// Slightly long: the phases of a command share one state.

import { CMD } from './ata-commands.ts';
import type { Drive } from './ata-drive.ts';
import {
  address,
  COMMAND_STATUS,
  createDrive,
  DEVICE_HEAD,
  FEATURE_ERROR,
  LBA,
  SECTOR_COUNT,
  sectorCount,
  setAddress,
  setSectorCount,
} from './ata-drive.ts';
import { DEFAULT_MODES, identifyData, MAX_MULTIPLE } from './ata-identify.ts';
import type { DiskImage, DiskImageState } from './disk-image.ts';
import { SECTOR_SIZE } from './disk-image.ts';
import type { StateObject, IoHandler, IrqLine } from './ops.ts';

/** What the bus master is asked to move when both the command and the start bit have come. */
export interface DmaTransfer {
  readonly toMemory: boolean;
  readonly length: number;
  /** Data of a read; a write's data is handed to `complete`. */
  readonly data: Uint8Array;
}

export interface AtaChannelOps {
  readonly irq: IrqLine;
  /** A DMA command waits for the bus master. */
  readonly dmaRequested: () => void;
  /** The channel raised its interrupt (sets the bus master's interrupt bit). */
  readonly interrupted: () => void;
}

type DriveState = StateObject & {
  readonly registers: readonly number[];
  readonly multiple: number;
  readonly modes: readonly number[];
  readonly disk: DiskImageState | Record<string, never>;
};

export type AtaChannelState = StateObject & {
  readonly drives: readonly DriveState[];
  readonly selected: number;
  readonly control: number;
  readonly irqLevel: number;
  readonly buffer: Uint8Array;
  readonly position: number;
  readonly phase: readonly number[];
};

export interface AtaChannel {
  readonly command: IoHandler;
  readonly data: IoHandler;
  readonly controlPort: IoHandler;
  /** The transfer that waits for the bus master, if any. */
  readonly pendingDma: () => DmaTransfer | undefined;
  /** Ends the waiting transfer; `data` is what a write brought, undefined when the descriptor table was too short. */
  readonly completeDma: (data: Uint8Array | undefined) => void;
  readonly reset: () => void;
  readonly save: () => AtaChannelState;
  readonly load: (state: AtaChannelState) => void;
}

const ERR = 0x01;
const DRQ = 0x08;
const SEEK = 0x10;
const DRDY = 0x40;
const ABRT = 0x04;
const DIAGNOSTIC_PASSED = 0x01;
const DEVICE_1 = 0x10;
const OBSOLETE_BITS = 0xa0;

const CONTROL_NIEN = 0x02;
const CONTROL_SRST = 0x04;
const CONTROL_HOB = 0x80;

/** SET FEATURES subcommands that are accepted and change nothing that can be seen. */
const HARMLESS_FEATURES: ReadonlySet<number> = new Set([
  0x02, 0x05, 0x42, 0x55, 0x66, 0x67, 0x69, 0x82, 0x85, 0x9a, 0xaa, 0xc2, 0xcc,
]);
const SET_TRANSFER_MODE = 0x03;

/** The data phase in progress. `unit` is the sectors between two interrupts. */
type Phase =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'pio-in' | 'pio-out';
      readonly wide: boolean;
      readonly unit: number;
      readonly left: number;
    }
  | {
      readonly kind: 'dma-in' | 'dma-out';
      readonly wide: boolean;
      readonly lba: number;
      readonly count: number;
    };

const NO_PHASE: Phase = { kind: 'none' };
const PHASE_KINDS = ['none', 'pio-in', 'pio-out', 'dma-in', 'dma-out'] as const;

/** The register contents after a reset, by which software tells a disk from nothing (ATA-6, 9.12). */
const signature = (target: Drive): void => {
  target.file[DEVICE_HEAD]! &= LBA | DEVICE_1 | OBSOLETE_BITS;
  target.file.set(target.disk === undefined ? [1, 1, 0xff, 0xff] : [1, 1, 0, 0], SECTOR_COUNT);
};

/** `serials` are the numbers of the two drives in the machine. */
export const createAtaChannel = (
  ops: AtaChannelOps,
  disks: readonly [DiskImage | undefined, DiskImage | undefined],
  serials: readonly [number, number],
): AtaChannel => {
  const drives: readonly [Drive, Drive] = [createDrive(disks[0]), createDrive(disks[1])];
  const empty = disks[0] === undefined && disks[1] === undefined;
  let selected: 0 | 1 = 0;
  let control = 0;
  let irqLevel = false;
  let buffer: Uint8Array = new Uint8Array(0);
  let position = 0;
  let phase: Phase = NO_PHASE;

  const drive = (): Drive => drives[selected];
  /** The selected drive answers: a lone drive does not answer for an absent partner (ATA-6, 9.16.1, as QEMU has it). */
  const answers = (): boolean => !empty && (selected === 0 || drive().disk !== undefined);

  const setIrq = (level: boolean): void => {
    irqLevel = level;
    ops.irq.set(level);
  };
  const interrupt = (): void => {
    if ((control & CONTROL_NIEN) !== 0) return;
    setIrq(true);
    ops.interrupted();
  };
  const finish = (status = DRDY | SEEK): void => {
    drive().status = status;
    phase = NO_PHASE;
    interrupt();
  };
  const abort = (): void => {
    drive().error = ABRT;
    finish(DRDY | ERR);
  };

  const resetDrives = (): void => {
    drives.forEach((target, i) => {
      target.hob.fill(0);
      target.file[DEVICE_HEAD] = OBSOLETE_BITS | (i === 1 ? DEVICE_1 : 0);
      signature(target);
      target.status = DRDY | SEEK;
      target.error = DIAGNOSTIC_PASSED;
    });
    selected = 0;
    phase = NO_PHASE;
    setIrq(false);
  };

  const inRange = (lba: number, count: number): boolean =>
    lba >= 0 && lba + count <= drive().disk!.sectors;

  /** Fills the buffer with the next block of a PIO read; address and count run ahead as the drive reads. */
  const nextPioIn = (wide: boolean, unit: number, left: number): void => {
    if (left === 0) {
      drive().status = DRDY | SEEK;
      phase = NO_PHASE;
      return;
    }
    const lba = address(drive(), wide);
    const count = Math.min(unit, left);
    if (!inRange(lba, count)) return abort();
    buffer = drive().disk!.read(lba, count);
    position = 0;
    setAddress(drive(), lba + count, wide);
    setSectorCount(drive(), left - count);
    phase = { kind: 'pio-in', wide, unit, left: left - count };
    drive().status = DRDY | SEEK | DRQ;
    interrupt();
  };
  const nextPioOut = (wide: boolean, unit: number, left: number, first: boolean): void => {
    if (left === 0) return finish();
    buffer = new Uint8Array(Math.min(unit, left) * SECTOR_SIZE);
    position = 0;
    phase = { kind: 'pio-out', wide, unit, left };
    drive().status = DRDY | SEEK | DRQ;
    if (!first) interrupt();
  };
  const store = (lba: number, data: Uint8Array): void => {
    for (let at = 0; at < data.length; at += SECTOR_SIZE)
      drive().disk!.write(lba + at / SECTOR_SIZE, data.subarray(at, at + SECTOR_SIZE));
  };
  const blockFilled = (): void => {
    if (phase.kind === 'pio-in') nextPioIn(phase.wide, phase.unit, phase.left);
    else if (phase.kind === 'pio-out') {
      const { wide, unit, left } = phase;
      const lba = address(drive(), wide);
      const count = buffer.length / SECTOR_SIZE;
      if (!inRange(lba, count)) return abort();
      store(lba, buffer);
      setAddress(drive(), lba + count, wide);
      setSectorCount(drive(), left - count);
      nextPioOut(wide, unit, left - count, false);
    }
  };

  const startPio = (out: boolean, wide: boolean, unit: number): void => {
    const count = sectorCount(drive(), wide);
    if (unit === 0 || !inRange(address(drive(), wide), count)) return abort();
    if (out) nextPioOut(wide, unit, count, true);
    else nextPioIn(wide, unit, count);
  };
  const startDma = (out: boolean, wide: boolean): void => {
    const lba = address(drive(), wide);
    const count = sectorCount(drive(), wide);
    phase = { kind: out ? 'dma-out' : 'dma-in', wide, lba, count };
    drive().status = DRDY | SEEK | DRQ;
    ops.dmaRequested();
  };

  const setFeatures = (): void => {
    const { file } = drive();
    const feature = file[FEATURE_ERROR]!;
    if (HARMLESS_FEATURES.has(feature)) return finish();
    if (feature !== SET_TRANSFER_MODE) return abort();
    const mode = file[SECTOR_COUNT]! & 7;
    const none = { singleWord: 0x07, multiWord: 0x07, ultra: 0x3f };
    switch (file[SECTOR_COUNT]! >>> 3) {
      case 0:
      case 1:
        drive().modes = none;
        return finish();
      case 2:
        drive().modes = { ...none, singleWord: 0x07 | (0x100 << mode) };
        return finish();
      case 4:
        drive().modes = { ...none, multiWord: 0x07 | (0x100 << mode) };
        return finish();
      case 8:
        drive().modes = { ...none, ultra: 0x3f | (0x100 << mode) };
        return finish();
      default:
        return abort();
    }
  };

  const execute = (code: number): void => {
    const current = drive();
    if (code === CMD.EXECUTE_DIAGNOSTIC) {
      resetDrives();
      return interrupt();
    }
    if (current.disk === undefined) return;
    current.error = 0;
    switch (code) {
      case CMD.IDENTIFY:
        buffer = identifyData({
          ...current,
          sectors: current.disk.sectors,
          serial: serials[selected],
        });
        position = 0;
        phase = { kind: 'pio-in', wide: false, unit: 1, left: 0 };
        current.status = DRDY | SEEK | DRQ;
        return interrupt();
      case CMD.READ_SECTORS:
      case CMD.READ_SECTORS_NORETRY:
        return startPio(false, false, 1);
      case CMD.READ_SECTORS_EXT:
        return startPio(false, true, 1);
      case CMD.READ_MULTIPLE:
      case CMD.READ_MULTIPLE_EXT:
        return startPio(false, code === CMD.READ_MULTIPLE_EXT, current.multiple);
      case CMD.WRITE_SECTORS:
      case CMD.WRITE_SECTORS_NORETRY:
        return startPio(true, false, 1);
      case CMD.WRITE_SECTORS_EXT:
        return startPio(true, true, 1);
      case CMD.WRITE_MULTIPLE:
      case CMD.WRITE_MULTIPLE_EXT:
        return startPio(true, code === CMD.WRITE_MULTIPLE_EXT, current.multiple);
      case CMD.READ_DMA:
      case CMD.READ_DMA_NORETRY:
        return startDma(false, false);
      case CMD.READ_DMA_EXT:
        return startDma(false, true);
      case CMD.WRITE_DMA:
      case CMD.WRITE_DMA_NORETRY:
        return startDma(true, false);
      case CMD.WRITE_DMA_EXT:
        return startDma(true, true);
      case CMD.READ_NATIVE_MAX:
      case CMD.READ_NATIVE_MAX_EXT:
        setAddress(drive(), current.disk.sectors - 1, code === CMD.READ_NATIVE_MAX_EXT);
        return finish();
      case CMD.SET_MULTIPLE: {
        const count = current.file[SECTOR_COUNT]!;
        if (count > MAX_MULTIPLE || (count & (count - 1)) !== 0) return abort();
        current.multiple = count;
        return finish();
      }
      case CMD.CHECK_POWER_MODE:
        // Active or idle.
        current.file[SECTOR_COUNT] = 0xff;
        return finish();
      case CMD.SET_FEATURES:
        return setFeatures();
      case CMD.READ_VERIFY:
      case CMD.READ_VERIFY_NORETRY:
      case CMD.READ_VERIFY_EXT:
      case CMD.RECALIBRATE:
      case CMD.SEEK:
      case CMD.INITIALIZE_PARAMETERS:
      case CMD.FLUSH_CACHE:
      case CMD.FLUSH_CACHE_EXT:
        return finish();
      case CMD.STANDBY_IMMEDIATE:
      case CMD.IDLE_IMMEDIATE:
      case CMD.STANDBY:
      case CMD.IDLE:
      case CMD.SLEEP:
        return finish(DRDY);
      default:
        return abort();
    }
  };

  const writeRegister = (offset: number, value: number): void => {
    if (offset === COMMAND_STATUS) {
      setIrq(false);
      // While data is to be moved only a reset is heard.
      if ((drive().status & DRQ) === 0) execute(value);
      return;
    }
    control &= ~CONTROL_HOB;
    if (offset === DEVICE_HEAD) {
      drives[0].file[DEVICE_HEAD] = (value & ~DEVICE_1) | OBSOLETE_BITS;
      drives[1].file[DEVICE_HEAD] = value | DEVICE_1 | OBSOLETE_BITS;
      selected = (value & DEVICE_1) !== 0 ? 1 : 0;
      return;
    }
    // Both drives hear a write to the command block.
    for (const { file, hob } of drives) {
      hob[offset] = file[offset]!;
      file[offset] = value;
    }
  };
  const readRegister = (offset: number): number => {
    if (empty) return 0;
    const current = drive();
    switch (offset) {
      case FEATURE_ERROR:
        return answers() ? current.error : 0;
      case COMMAND_STATUS:
        setIrq(false);
        return answers() ? current.status : 0;
      case DEVICE_HEAD:
        return current.file[DEVICE_HEAD]!;
      default:
        return ((control & CONTROL_HOB) !== 0 ? current.hob : current.file)[offset]!;
    }
  };

  const reset = (): void => {
    control = 0;
    for (const target of drives) {
      target.multiple = MAX_MULTIPLE;
      target.modes = DEFAULT_MODES;
    }
    resetDrives();
    for (const target of drives) target.error = 0;
  };
  reset();

  return {
    command: {
      read: (offset) => readRegister(offset + 1),
      write: (offset, _size, value) => writeRegister(offset + 1, value),
    },
    data: {
      read: (_offset, size) => {
        if (phase.kind !== 'pio-in' || position + size > buffer.length) return 0;
        let value = 0;
        for (let i = size - 1; i >= 0; i--) value = value * 256 + buffer[position + i]!;
        position += size;
        if (position === buffer.length) blockFilled();
        return value;
      },
      write: (_offset, size, value) => {
        if (phase.kind !== 'pio-out' || position + size > buffer.length) return;
        for (let i = 0; i < size; i++) buffer[position++] = value >>> (8 * i);
        if (position === buffer.length) blockFilled();
      },
    },
    controlPort: {
      read: () => (answers() ? drive().status : 0),
      write: (_offset, _size, value) => {
        if ((value & CONTROL_SRST) !== 0 && (control & CONTROL_SRST) === 0) resetDrives();
        control = value;
      },
    },
    pendingDma: () => {
      if (phase.kind === 'dma-out')
        return { toMemory: false, length: phase.count * SECTOR_SIZE, data: new Uint8Array(0) };
      if (phase.kind !== 'dma-in') return undefined;
      const { lba, count } = phase;
      // An address beyond the end moves nothing; `completeDma` reports it.
      const data = inRange(lba, count) ? drive().disk!.read(lba, count) : new Uint8Array(0);
      return { toMemory: true, length: count * SECTOR_SIZE, data };
    },
    completeDma: (data) => {
      if (phase.kind !== 'dma-in' && phase.kind !== 'dma-out') return;
      const { lba, count, wide, kind } = phase;
      if (!inRange(lba, count)) return abort();
      if (data !== undefined) {
        if (kind === 'dma-out') store(lba, data);
        setAddress(drive(), lba + count, wide);
        setSectorCount(drive(), 0);
      }
      finish();
    },
    reset,
    save: () => ({
      drives: drives.map((d) => ({
        registers: [...d.file, ...d.hob, d.status, d.error],
        multiple: d.multiple,
        modes: [d.modes.singleWord, d.modes.multiWord, d.modes.ultra],
        disk: d.disk?.save() ?? {},
      })),
      selected,
      control,
      irqLevel: Number(irqLevel),
      buffer: buffer.slice(),
      position,
      phase: [
        PHASE_KINDS.indexOf(phase.kind),
        ...('wide' in phase ? [Number(phase.wide)] : []),
        ...('unit' in phase ? [phase.unit, phase.left] : []),
        ...('lba' in phase ? [phase.lba, phase.count] : []),
      ],
    }),
    load: (state) => {
      state.drives.forEach((saved, i) => {
        const target = drives[i]!;
        target.file.set(saved.registers.slice(0, 8));
        target.hob.set(saved.registers.slice(8, 16));
        [target.status = 0, target.error = 0] = saved.registers.slice(16);
        target.multiple = saved.multiple;
        const [singleWord = 0, multiWord = 0, ultra = 0] = saved.modes;
        target.modes = { singleWord, multiWord, ultra };
        if (target.disk !== undefined) target.disk.load(saved.disk as DiskImageState);
      });
      selected = state.selected === 1 ? 1 : 0;
      ({ control, position } = state);
      buffer = state.buffer.slice();
      const [kind = 0, wide = 0, a = 0, b = 0] = state.phase;
      const name = PHASE_KINDS[kind] ?? 'none';
      if (name === 'pio-in' || name === 'pio-out')
        phase = { kind: name, wide: wide !== 0, unit: a, left: b };
      else if (name === 'dma-in' || name === 'dma-out')
        phase = { kind: name, wide: wide !== 0, lba: a, count: b };
      else phase = NO_PHASE;
      setIrq(state.irqLevel !== 0);
    },
  };
};
