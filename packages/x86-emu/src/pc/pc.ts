// The PC: i440FX host bridge and PIIX3 with their devices, composed from `device/` and described as data for the
// machine that plugs it in. QEMU 7.2's `pc` is the model. One processor; no display, floppy, USB, SMBus or PCI hotplug.

import type { AcpiPmState } from '../device/acpi-pm.ts';
import { createAcpiPm } from '../device/acpi-pm.ts';
import type { CpuHotplugState } from '../device/cpu-hotplug.ts';
import { createCpuHotplug } from '../device/cpu-hotplug.ts';
import { createDebugConsole } from '../device/debug-console.ts';
import type { DiskImage } from '../device/disk-image.ts';
import type { Flash, FlashMode, FlashState } from '../device/flash.ts';
import { createFlash } from '../device/flash.ts';
import type { FwCfgContent, FwCfgState } from '../device/fw-cfg.ts';
import { createFwCfg, FW_CFG } from '../device/fw-cfg.ts';
import type { HpetState } from '../device/hpet.ts';
import { createHpet, HPET_BASE, HPET_ID } from '../device/hpet.ts';
import type { I8042State } from '../device/i8042.ts';
import { createI8042 } from '../device/i8042.ts';
import type { PitState } from '../device/i8254.ts';
import { createPit } from '../device/i8254.ts';
import type { Pic, PicState } from '../device/i8259.ts';
import { createPic } from '../device/i8259.ts';
import type { IoApic, IoApicState } from '../device/io-apic.ts';
import { createIoApic, IO_APIC_PINS } from '../device/io-apic.ts';
import type { LocalApic, LocalApicState } from '../device/local-apic.ts';
import { createLocalApic } from '../device/local-apic.ts';
import type { RtcState } from '../device/mc146818.ts';
import { createRtc } from '../device/mc146818.ts';
import type { Clock, CpuSignals, StateObject, Dma, IrqLine, MmioRange } from '../device/ops.ts';
import type { PciHostState } from '../device/pci-host.ts';
import { createI440fx, createPciHost } from '../device/pci-host.ts';
import type { Piix3IdeState } from '../device/piix3-ide.ts';
import { createPiix3Ide } from '../device/piix3-ide.ts';
import { createPiix3Isa } from '../device/piix3-isa.ts';
import type { ResetControlState } from '../device/reset-control.ts';
import { createResetControl } from '../device/reset-control.ts';
import type { Uart, UartState } from '../device/uart16550.ts';
import { createUart } from '../device/uart16550.ts';
import { buildAcpiFiles } from './acpi-tables.ts';
import type { KernelOptions } from './kernel-items.ts';
import { kernelItems } from './kernel-items.ts';
import type { MemoryRegion } from './memory-map.ts';
import { buildE820, cmosContents, memoryBelow4G, memoryMap } from './memory-map.ts';
import type { MmioBus, PortBus, UnassignedReads } from './bus.ts';
import { createMmioBus, createPortBus } from './bus.ts';
import { buildSmbiosFiles } from './smbios.ts';

/** What the machine gives the PC. */
export interface PcOps {
  readonly clock: Clock;
  readonly dma: Dma;
  readonly signals: CpuSignals;
  /** A flash chip changed between memory and registers: map its region accordingly. */
  readonly flashMode: (unit: number, mode: FlashMode) => void;
  /** Bytes of a flash chip changed: cached pages and code of that range are stale. */
  readonly flashChanged: (unit: number, offset: number, length: number) => void;
  /** A byte sent by COM1, and one sent to the debug console. */
  readonly serialOutput: (byte: number) => void;
  readonly debugOutput: (byte: number) => void;
}

export interface FlashImage {
  /** A multiple of 4096 bytes, changed in place when writable: a view of the memory that the machine maps for it. */
  readonly image: Uint8Array;
  readonly readOnly: boolean;
}

export interface PcOptions {
  /** Bytes of RAM, a multiple of 1 MiB. */
  readonly memory: number;
  /** Unit 0 ends at 4 GiB; unit 1 stands below it. Code and variables, or one combined image. */
  readonly flash: readonly FlashImage[];
  /** RTC at power-on: seconds since 1970. */
  readonly startTime: number;
  /** Nanoseconds that a read of the ACPI timer takes. Default 0. */
  readonly timerReadTime?: number;
  readonly kernel?: KernelOptions;
  readonly disks?: readonly (DiskImage | undefined)[];
  /** Further fw_cfg files, by name. */
  readonly fwCfgFiles?: ReadonlyMap<string, FwCfgContent>;
  readonly unassignedReads?: UnassignedReads;
  /** Leave out devices that firmware and systems can do without. Present by default. */
  readonly hpet?: boolean;
  readonly keyboard?: boolean;
  /** CPUID leaf 1 EAX and EDX for SMBIOS, and whether the vendor is AMD (a reserved range in the memory map). */
  readonly cpu?: { readonly signature: number; readonly features: number; readonly amd: boolean };
}

/** A snapshot of every device: plain values only. RAM and flash contents are the machine's. */
export type PcState = StateObject & {
  readonly flash: readonly FlashState[];
  readonly fwCfg: FwCfgState;
  readonly pci: PciHostState;
  readonly pirqLines: number;
  readonly pm: AcpiPmState;
  readonly rtc: RtcState;
  readonly uart: UartState;
  readonly pic: PicState;
  readonly pit: PitState;
  readonly localApic: LocalApicState;
  readonly ioApic: IoApicState;
  readonly resetControl: ResetControlState;
  readonly cpuHotplug: CpuHotplugState;
  readonly ide: Piix3IdeState;
  readonly i8042: I8042State;
  readonly hpet: HpetState;
  readonly irqs: readonly number[];
};

export interface Pc {
  /** I/O port accesses of the processor. */
  readonly ports: PortBus;
  /** Registers in memory: APICs, HPET, and flash chips while they are in register mode. */
  readonly mmio: MmioBus;
  readonly memory: readonly MemoryRegion[];
  readonly devices: {
    readonly flash: readonly Flash[];
    readonly uart: Uart;
    readonly pic: Pic;
    readonly localApic: LocalApic;
    readonly ioApic: IoApic;
  };
  /** Interrupt-acknowledge cycle of the processor, after `signals.interruptRequest(true)`. */
  readonly acknowledge: () => number;
  /** Hardware reset of all devices; memory and flash contents, CMOS and time of day stay. */
  readonly reset: () => void;
  readonly save: () => PcState;
  /** The clock must already stand at the snapshot's time, without timers. */
  readonly load: (state: PcState) => void;
}

const FOUR_GIB = 0x1_0000_0000;
const IRQ = {
  TIMER: 0,
  KEYBOARD: 1,
  COM1: 4,
  RTC: 8,
  SCI: 9,
  MOUSE: 12,
  IDE0: 14,
  IDE1: 15,
} as const;
/** IRQ 0 arrives at pin 2 of the IO-APIC (interrupt source override in the MADT). */
const TIMER_PIN = 2;
/** Family 15, model 107, stepping 1 and the feature flags of QEMU's qemu64. */
const QEMU64 = { signature: 0x0006_0fb1, features: 0x078b_fbfd, amd: true };
const CPUS = 1;

const word = (value: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);
const EMPTY = new Uint8Array(0);

/** QEMU's hpet_fw_config: a count and room for eight packed entries of 15 bytes. */
const hpetItem = (present: boolean): Uint8Array => {
  const bytes = new Uint8Array(1 + 8 * 15);
  if (!present) return bytes;
  bytes[0] = 1;
  bytes.set(word(HPET_ID, 4), 1);
  bytes.set(word(HPET_BASE, 8), 5);
  return bytes;
};

export const createPc = (ops: PcOps, options: PcOptions): Pc => {
  const { clock, signals } = ops;
  const hpetPresent = options.hpet ?? true;
  const keyboardPresent = options.keyboard ?? true;
  const below = memoryBelow4G(options.memory);
  const cpu = options.cpu ?? QEMU64;
  const ports = createPortBus();

  const flash = options.flash.map(({ image, readOnly }, unit) =>
    createFlash({
      image,
      readOnly,
      onMode: (mode) => ops.flashMode(unit, mode),
      onChange: (offset, length) => ops.flashChanged(unit, offset, length),
    }),
  );
  const memory = memoryMap(
    options.memory,
    flash.map(({ image }) => image),
  );

  // Interrupt routing: each ISA interrupt drives both controllers. A line is the OR of its sources.
  const pic = createPic({ output: { set: () => localApic.externalChanged() } });
  const localApic: LocalApic = createLocalApic({
    clock,
    signals,
    request: { set: signals.interruptRequest },
    externalInterrupt: { pending: pic.pending, acknowledge: pic.acknowledge },
    endOfInterrupt: (vector) => ioApic.endOfInterrupt(vector),
  });
  const ioApic = createIoApic({ deliver: localApic.deliver });
  const levels = new Uint8Array(16);
  const SOURCE = { DEVICE: 1, PIRQ: 2 } as const;
  /** While a snapshot is loaded the devices set their lines again; the controllers have the outcome in their own state. */
  let loading = false;
  const setPin = (pin: number, level: boolean): void => {
    if (!loading && pin < IO_APIC_PINS) ioApic.setPin(pin, level);
  };
  const driveIrq = (irq: number, source: number, level: boolean): void => {
    if (loading) return;
    const sources = level ? levels[irq]! | source : levels[irq]! & ~source;
    if (sources === levels[irq]) return;
    levels[irq] = sources;
    pic.setIrq(irq, sources !== 0);
    setPin(irq === IRQ.TIMER ? TIMER_PIN : irq, sources !== 0);
  };
  const irqLine = (irq: number): IrqLine => ({
    set: (level) => driveIrq(irq, SOURCE.DEVICE, level),
  });

  // With the HPET's legacy replacement on, the 8254 and the clock lose IRQ 0 and IRQ 8 to it.
  let replaced = false;
  const replaceable = (irq: number): { readonly device: IrqLine; readonly hpet: IrqLine } => ({
    device: { set: (level) => (replaced ? undefined : driveIrq(irq, SOURCE.DEVICE, level)) },
    hpet: irqLine(irq),
  });
  const timerIrq = replaceable(IRQ.TIMER);
  const clockIrq = replaceable(IRQ.RTC);

  const isa = createPiix3Isa((irq, level) => driveIrq(irq, SOURCE.PIRQ, level));
  const pm = createAcpiPm(
    { clock, sci: irqLine(IRQ.SCI), signals, ports },
    { serial: true, timerReadTime: options.timerReadTime ?? 0 },
  );
  const ide = createPiix3Ide(
    { dma: ops.dma, ports, irqs: [irqLine(IRQ.IDE0), irqLine(IRQ.IDE1)] },
    { disks: options.disks ?? [] },
  );
  const pci = createPciHost([createI440fx(), isa.pci, ide.pci, pm.pci]);
  const rtc = createRtc(
    { clock, irq: clockIrq.device },
    { startTime: options.startTime, contents: cmosContents(options.memory, CPUS) },
  );
  const uart = createUart(
    { clock, irq: irqLine(IRQ.COM1), transmit: ops.serialOutput },
    { base: 0x3f8 },
  );
  const pit = createPit({ clock, irq: timerIrq.device });
  const resetControl = createResetControl({ signals });
  const cpuHotplug = createCpuHotplug(CPUS);
  const i8042 = createI8042({
    keyboardIrq: irqLine(IRQ.KEYBOARD),
    mouseIrq: irqLine(IRQ.MOUSE),
    signals,
  });
  const hpet = createHpet({
    clock,
    route: (pin) => ({ set: (level) => setPin(pin, level) }),
    legacyLines: [timerIrq.hpet, clockIrq.hpet],
    legacy: (on) => {
      replaced = on;
      driveIrq(IRQ.TIMER, SOURCE.DEVICE, false);
      driveIrq(IRQ.RTC, SOURCE.DEVICE, false);
    },
  });

  const acpi = (): ReturnType<typeof buildAcpiFiles> =>
    buildAcpiFiles({
      cpus: CPUS,
      hpet: hpetPresent,
      serial: true,
      keyboard: keyboardPresent,
      pciWindow: below,
      pmBase: pm.base(),
    });
  const smbios = buildSmbiosFiles({
    cpus: CPUS,
    memory: options.memory,
    memoryBelow4G: below,
    cpuSignature: cpu.signature,
    cpuFeatures: cpu.features,
  });
  const files = new Map<string, FwCfgContent>([
    ['bios-geometry', EMPTY],
    ['bootorder', EMPTY],
    ['etc/acpi/rsdp', () => acpi().rsdp],
    ['etc/acpi/tables', () => acpi().tables],
    ['etc/boot-fail-wait', word(0xffff_ffff, 4)],
    ['etc/e820', buildE820(options.memory, cpu.amd)],
    ['etc/smbios/smbios-anchor', smbios.anchor],
    ['etc/smbios/smbios-tables', smbios.tables],
    // S3 and S4 supported, with the SLP_TYP values of the DSDT; bit 7 is the "supported" flag.
    ['etc/system-states', new Uint8Array([0x80, 0, 0, 0x81, 0x82, 0x80])],
    ['etc/table-loader', () => acpi().loader],
    ['etc/tpm/log', EMPTY],
    ...(options.fwCfgFiles ?? []),
  ]);
  const items = new Map<number, FwCfgContent>([
    [FW_CFG.RAM_SIZE, word(options.memory, 8)],
    [FW_CFG.NB_CPUS, word(CPUS, 2)],
    [FW_CFG.MAX_CPUS, word(CPUS, 2)],
    [FW_CFG.IRQ0_OVERRIDE, word(1, 4)],
    [FW_CFG.HPET, hpetItem(hpetPresent)],
    ...(options.kernel === undefined ? [] : kernelItems(options.kernel, below)),
  ]);
  const fwCfg = createFwCfg({ dma: ops.dma }, { items, files });

  const portDevices = [
    fwCfg,
    pci,
    pm,
    cpuHotplug,
    rtc,
    uart,
    pic,
    pit,
    resetControl,
    ide,
    ...(keyboardPresent ? [i8042] : []),
    createDebugConsole(ops.debugOutput),
  ];
  for (const { portRanges } of portDevices) for (const range of portRanges) ports.map(range);

  const flashRanges = memory.flatMap((region): MmioRange[] =>
    region.kind === 'flash'
      ? [
          {
            name: `flash ${region.unit}`,
            base: region.base,
            length: region.length,
            maxSize: 4,
            handler: flash[region.unit]!.handler,
          },
        ]
      : [],
  );
  const lowestFlash = Math.min(FOUR_GIB, ...flashRanges.map(({ base }) => base));
  if (below > lowestFlash)
    throw new Error(`flash reaches down to ${lowestFlash.toString(16)}, into RAM`);
  const mmio = createMmioBus(
    [
      localApic.mmioRange,
      ioApic.mmioRange,
      ...(hpetPresent ? [hpet.mmioRange] : []),
      ...flashRanges,
    ],
    options.unassignedReads ?? 'ones',
  );

  /** The controllers last: an edge that another device makes in its own reset is no request. */
  const resetControllers = (): void => {
    for (const { reset } of [pic, ioApic, localApic]) reset();
  };
  resetControllers();

  return {
    ports,
    mmio,
    memory,
    devices: { flash, uart, pic, localApic, ioApic },
    acknowledge: localApic.acknowledge,
    reset: () => {
      for (const chip of flash) chip.reset();
      for (const { reset } of [
        fwCfg,
        pci,
        pm,
        rtc,
        uart,
        pit,
        resetControl,
        cpuHotplug,
        ide,
        i8042,
        hpet,
      ])
        reset();
      resetControllers();
    },
    save: () => ({
      flash: flash.map((chip) => chip.save()),
      fwCfg: fwCfg.save(),
      pci: pci.save(),
      pirqLines: isa.saveLines(),
      pm: pm.save(),
      rtc: rtc.save(),
      uart: uart.save(),
      pic: pic.save(),
      pit: pit.save(),
      localApic: localApic.save(),
      ioApic: ioApic.save(),
      resetControl: resetControl.save(),
      cpuHotplug: cpuHotplug.save(),
      ide: ide.save(),
      i8042: i8042.save(),
      hpet: hpet.save(),
      irqs: [...levels, Number(replaced)],
    }),
    load: (state) => {
      loading = true;
      state.flash.forEach((saved, unit) => flash[unit]!.load(saved));
      fwCfg.load(state.fwCfg);
      pci.load(state.pci);
      replaced = state.irqs[16] !== 0;
      hpet.load(state.hpet);
      rtc.load(state.rtc);
      uart.load(state.uart);
      pit.load(state.pit);
      pm.load(state.pm);
      resetControl.load(state.resetControl);
      cpuHotplug.load(state.cpuHotplug);
      ide.load(state.ide);
      i8042.load(state.i8042);
      isa.loadLines(state.pirqLines);
      loading = false;
      levels.set(state.irqs.slice(0, 16));
      pic.load(state.pic);
      ioApic.load(state.ioApic);
      localApic.load(state.localApic);
    },
  };
};
