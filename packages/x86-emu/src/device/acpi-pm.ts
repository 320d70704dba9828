// PIIX4 power management, PCI function 8086:7113: PM1a event and control, PM timer, GPE block 0, APM ports.
// Datasheets: Intel 82371AB (PIIX4), order number 290562, chapter 7; ACPI 1.0, 4.7.3. Port values as QEMU gives them.

import type {
  IoSize,
  Clock,
  CpuSignals,
  StateObject,
  IoHandler,
  IrqLine,
  PortRange,
  PortMap,
} from './ops.ts';
import { createAlarm, ticksAt, timeOfTick } from './ops.ts';
import type { PciFunction } from './pci-host.ts';
import { createPciFunction } from './pci-host.ts';

export interface AcpiPmOps {
  readonly clock: Clock;
  /** The system control interrupt (IRQ 9). */
  readonly sci: IrqLine;
  readonly signals: Pick<CpuSignals, 'power'>;
  readonly ports: PortMap;
}

export interface AcpiPmOptions {
  /** Report the serial port in the function's DEVRESJ byte, as QEMU does when it has one. */
  readonly serial: boolean;
  /** Nanoseconds that a read of the timer takes. */
  readonly timerReadTime: number;
}

export type AcpiPmState = StateObject & {
  readonly status: number;
  readonly enable: number;
  readonly control: number;
  readonly overflow: number;
  readonly gpeStatus: number;
  readonly gpeEnable: number;
  readonly apmControl: number;
  readonly apmStatus: number;
};

export interface AcpiPm {
  readonly pci: PciFunction;
  readonly portRanges: readonly PortRange[];
  /** Address of the PM1a event block as the firmware configured it, 0 before. */
  readonly base: () => number;
  readonly reset: () => void;
  readonly save: () => AcpiPmState;
  readonly load: (state: AcpiPmState) => void;
}

/** PM timer frequency in Hz (ACPI 1.0, 4.7.2.1). */
const PM_TIMER_HZ = 3_579_545;
export const ACPI_ENABLE = 0xf1;
export const ACPI_DISABLE = 0xf0;
export const GPE0_BASE = 0xafe0;
export const GPE0_LENGTH = 4;
const APM_CONTROL_PORT = 0xb2;

const PMBA = 0x40;
const PMREGMISC = 0x80;
const PM1_STS = 0;
const PM1_EN = 2;
const PM1_CNT = 4;
const PM_TMR = 8;
const PM_LENGTH = 12;

const TMR_STS = 0x0001;
const RTC_STS = 0x0400;
const PWRBTN_STS = 0x0100;
const GBL_STS = 0x0020;
const SCI_SOURCES = TMR_STS | GBL_STS | PWRBTN_STS | RTC_STS;
const SCI_EN = 0x0001;
const SLP_EN = 0x2000;

/** SLP_TYP values of QEMU's \_S5, \_S3 and \_S4 packages. */
export const SLEEP_TYPES = { S5: 0, S3: 1, S4: 2 } as const;

const TIMER_MASK = 0xff_ffff;
/** TMR_STS is set when bit 23 changes. */
const HALF_PERIOD = 0x80_0000;

export const createAcpiPm = (ops: AcpiPmOps, options: AcpiPmOptions): AcpiPm => {
  const { clock } = ops;
  let status = 0;
  let enable = 0;
  let control = 0;
  /** Tick count at which TMR_STS is set. */
  let overflow = 0;
  let gpeStatus = 0;
  let gpeEnable = 0;
  let apmControl = 0;
  let apmStatus = 0;
  let base = 0;
  let unmap: (() => void) | undefined;

  const ticks = (): number => ticksAt(clock.now(), PM_TIMER_HZ);
  const currentStatus = (): number => {
    if (ticks() >= overflow) status |= TMR_STS;
    return status;
  };
  const update = (): void => {
    const now = currentStatus();
    ops.sci.set((now & enable & SCI_SOURCES) !== 0 || (gpeStatus & gpeEnable) !== 0);
    if ((enable & TMR_STS) !== 0 && (now & TMR_STS) === 0)
      timer.set(timeOfTick(overflow, PM_TIMER_HZ));
    else timer.clear();
  };
  const timer = createAlarm(clock, () => update());

  const sleep = (type: number): void => {
    if (type === SLEEP_TYPES.S5) ops.signals.power({ kind: 'off', source: 'ACPI S5' });
    else if (type === SLEEP_TYPES.S4) ops.signals.power({ kind: 'off', source: 'ACPI S4' });
    else if (type === SLEEP_TYPES.S3) ops.signals.power({ kind: 'off', source: 'ACPI S3' });
  };

  const writeStatus = (value: number): void => {
    if ((currentStatus() & value & TMR_STS) !== 0)
      overflow = (Math.floor(ticks() / HALF_PERIOD) + 1) * HALF_PERIOD;
    status &= ~value;
    update();
  };

  // Registers are 16 bits wide and the timer 32; a narrower read gives the low bits whatever its offset.
  const handler: IoHandler = {
    read: (offset, size) => {
      if (offset >= PM_TMR) {
        clock.pass(options.timerReadTime);
        return narrow(ticks() & TIMER_MASK, size);
      }
      if (offset >= PM1_CNT) return narrow(control, size);
      return narrow(offset >= PM1_EN ? enable : currentStatus(), size);
    },
    write: (offset, _size, value) => {
      switch (offset) {
        case PM1_STS:
          writeStatus(value);
          return;
        case PM1_EN:
          enable = value & 0xffff;
          update();
          return;
        case PM1_CNT:
          control = value & 0xffff & ~SLP_EN;
          if ((value & SLP_EN) !== 0) sleep((value >>> 10) & 7);
          return;
        default:
      }
    },
  };

  const gpe: IoHandler = {
    read: (offset) => ((offset < 2 ? gpeStatus : gpeEnable) >>> (8 * (offset & 1))) & 0xff,
    write: (offset, _size, value) => {
      const shift = 8 * (offset & 1);
      if (offset < 2) gpeStatus &= ~(value << shift);
      else gpeEnable = (gpeEnable & ~(0xff << shift)) | (value << shift);
      update();
    },
  };
  const apm: IoHandler = {
    read: (offset) => (offset === 0 ? apmControl : apmStatus),
    write: (offset, _size, value) => {
      if (offset !== 0) {
        apmStatus = value;
        return;
      }
      apmControl = value;
      if (value === ACPI_ENABLE) control |= SCI_EN;
      else if (value === ACPI_DISABLE) control &= ~SCI_EN;
    },
  };

  const remap = (config: Uint8Array): void => {
    const wanted =
      (config[PMREGMISC]! & 1) !== 0 ? ((config[PMBA + 1]! << 8) | config[PMBA]!) & 0xffc0 : 0;
    if (wanted === base) return;
    unmap?.();
    unmap = undefined;
    base = wanted;
    if (base !== 0)
      unmap = ops.ports.map({
        name: 'ACPI PM',
        first: base,
        count: PM_LENGTH,
        maxSize: 4,
        handler,
      });
  };

  const pci = createPciFunction({
    device: 1,
    function: 3,
    vendorId: 0x8086,
    deviceId: 0x7113,
    revision: 3,
    classCode: [0x06, 0x80, 0x00],
    status: 0x0280,
    interruptPin: 1,
    contents: {
      [PMBA]: 0x01,
      0x5f: 0x10,
      0x63: 0x60,
      0x67: options.serial ? 0x08 : 0x00,
      // SMBus base and host configuration; the controller itself is not modelled.
      0x90: 0x01,
      0x91: 0xb1,
      0xd2: 0x09,
    },
    onWrite: (config, offset, size) => {
      if (offset <= PMREGMISC && offset + size > PMBA) remap(config);
    },
  });

  return {
    pci,
    portRanges: [
      { name: 'ACPI GPE0', first: GPE0_BASE, count: GPE0_LENGTH, maxSize: 1, handler: gpe },
      { name: 'APM', first: APM_CONTROL_PORT, count: 2, maxSize: 1, handler: apm },
    ],
    base: () => base,
    reset: () => {
      status = enable = control = overflow = gpeStatus = gpeEnable = apmControl = apmStatus = 0;
      update();
    },
    save: () => ({
      status: currentStatus(),
      enable,
      control,
      overflow,
      gpeStatus,
      gpeEnable,
      apmControl,
      apmStatus,
    }),
    load: (state) => {
      ({ status, enable, control, overflow, gpeStatus, gpeEnable, apmControl, apmStatus } = state);
      update();
    },
  };
};

const narrow = (value: number, size: IoSize): number =>
  size === 4 ? value >>> 0 : value & (2 ** (8 * size) - 1);
