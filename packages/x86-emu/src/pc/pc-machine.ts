/** A machine that is a PC: `createPc` plugged into `createMachine`. */
import type { CpuProfile } from '../cpu/cpuid-profile.ts';
import { createCpuid } from '../cpu/cpuid.ts';
import { taskPriorityRegister } from '../cpu/msr.ts';
import type { DiskImage } from '../device/disk-image.ts';
import type { EngineChoice } from '../machine/options.ts';
import type { Region } from '../engine/physical-memory.ts';
import { Machine } from '../machine.ts';
import type { RunOptions } from '../machine.ts';
import type { VmExit } from '../machine/vm-exit.ts';
import type { KernelOptions } from './kernel-items.ts';
import { createPc } from './pc.ts';
import type { Pc, PcOptions, PcState } from './pc.ts';

export interface PcMachineOptions {
  /** Bytes of RAM, a multiple of 1 MiB from 2 MiB to 3 GiB. Default 256 MiB. */
  readonly memory?: number;
  /** Flash images; the first ends at 4 GiB, the next stands below it. Copied: what the guest writes is in `flashContents`. */
  readonly flash: readonly { readonly image: Uint8Array; readonly readOnly: boolean }[];
  readonly profile?: CpuProfile;
  /** Instructions per second of virtual time. */
  readonly clockRate?: number;
  /** Virtual nanoseconds that a read of the ACPI timer takes. */
  readonly timerReadTime?: number;
  readonly entropySeed?: bigint;
  /** As in `MachineOptions`. */
  readonly engine?: EngineChoice;
  /** RTC at power-on: seconds since 1970. Default 2024-01-01. */
  readonly startTime?: number;
  /** A PE image or Linux kernel that the firmware finds through fw_cfg, as QEMU's -kernel. */
  readonly kernel?: KernelOptions;
  readonly disks?: readonly (DiskImage | undefined)[];
  /** What memory addresses without a device read; QEMU gives zeros. */
  readonly unassignedReads?: 'ones' | 'zeros';
  readonly hpet?: boolean;
  readonly keyboard?: boolean;
  /** Bytes of COM1 and of the debug console. */
  readonly onSerial?: (byte: number) => void;
  readonly onDebug?: (byte: number) => void;
  /** `exit` (default) ends the run at a reset; `restart` carries it out and goes on. */
  readonly onReset?: 'exit' | 'restart';
}

const MIB = 2 ** 20;
const DEFAULT_MEMORY = 256 * MIB;
/** RAM ends where the PCI hole of the i440FX begins. */
const LARGEST_MEMORY = 3072 * MIB;
const FLASH_BLOCK = 4096;
/** The registers of the local APIC are at 0xfee00000. */
const LARGEST_FLASH = 16 * MIB;
const FOUR_GIB = 2 ** 32;
const LOW_ROMS = MIB;
const DEFAULT_START = 1_704_067_200;
/**
 * 128 ns per instruction, and 16 us per read of the ACPI timer. Firmware waits by polling that timer, and OVMF gets to the prompt of its shell, which
 * counts down five seconds, with 1079 million instructions at 16 ns each, 843 at 64 ns and 806 at 128 ns. Where reads take time of their own it is
 * 793 at 128 ns and 1 us a read, 780 with 4 us, 772 with 16 us, 770 with 32 us; and 768 at 16 ns and 16 us. The slow rate is for those who poll what
 * has no such time: the time stamp counter, the 8254.
 */
const DEFAULT_CLOCK_RATE = 7_812_500;
const DEFAULT_TIMER_READ_TIME = 16_000;

/**
 * Timers of devices that may fire while the processor stays halted before the run ends with `halt`: the 8254 runs from power-on, so
 * virtual time alone would never stop (half an hour of it, at the 8254's slowest).
 */
const IDLE_LIMIT = 65_536;

/** Throws a RangeError that names the option and what was expected. */
const checkOptions = ({ memory = DEFAULT_MEMORY, flash }: PcMachineOptions): void => {
  flash.forEach(({ image }, unit) => {
    if (image.length === 0 || image.length % FLASH_BLOCK !== 0)
      throw new RangeError(
        `flash ${unit}: the image has ${image.length} bytes, expected a multiple of ${FLASH_BLOCK}`,
      );
  });
  const flashSize = flash.reduce((sum, { image }) => sum + image.length, 0);
  if (flashSize > LARGEST_FLASH)
    throw new RangeError(
      `flash: ${flashSize} bytes, expected at most ${LARGEST_FLASH}: the local APIC's registers are below`,
    );
  if (memory % MIB !== 0 || memory < 2 * MIB || memory > LARGEST_MEMORY)
    throw new RangeError(
      `memory is ${memory}, expected a multiple of 1 MiB from 2 MiB to ${LARGEST_MEMORY / MIB} MiB`,
    );
};

export class PcMachine {
  readonly machine: Machine;
  readonly pc: Pc;
  readonly #flash: readonly Region[];
  readonly #restart: boolean;
  /** Timers fired since the processor last did something. */
  #idle = 0;
  #retired = 0;

  constructor(options: PcMachineOptions) {
    checkOptions(options);
    const memory = options.memory ?? DEFAULT_MEMORY;
    const flashSize = options.flash.reduce((sum, { image }) => sum + image.length, 0);
    this.#restart = options.onReset === 'restart';
    let pc: Pc | undefined;
    let flash: Region[] = [];
    const machine = new Machine({
      ram: 0,
      romCapacity: memory + flashSize + LOW_ROMS,
      clockRate: options.clockRate ?? DEFAULT_CLOCK_RATE,
      ...(options.profile ? { profile: options.profile } : {}),
      ...(options.entropySeed === undefined ? {} : { entropySeed: options.entropySeed }),
      ...(options.engine ? { engine: options.engine } : {}),
      unclaimed: options.unassignedReads ?? 'ones',
      msrs: [
        taskPriorityRegister(
          () => pc?.devices.localApic.taskPriority() ?? 0,
          (priority) => pc?.devices.localApic.setTaskPriority(priority),
        ),
      ],
      setup: (m) => {
        flash = mapFlash(m, options.flash, () => pc);
      },
    });
    const power = (event: 'off' | 'reset' | 'init', source: string): void =>
      machine.stop({ kind: 'shutdown', event, source });
    const created = createPc(
      {
        clock: {
          now: () => machine.clock.now(),
          at: (deadline, fn) =>
            machine.clock.at(deadline, () => {
              fn();
              this.#countIdle();
            }),
          cancel: (timer) => machine.clock.cancel(timer),
          pass: (ns) => machine.clock.pass(ns),
        },
        dma: {
          read: (address, length) => machine.memory.read(address, length),
          write: (address, bytes) => machine.memory.write(address, bytes, false),
        },
        signals: {
          interruptRequest: (level) => machine.setInterruptLine(level, () => created.acknowledge()),
          nmi: () => machine.nmi(),
          init: () => power('init', 'INIT'),
          power: ({ kind, source }) => power(kind, source),
        },
        flashMode: (unit, mode) =>
          machine.memory.setReadable(flash[unit] as Region, mode === 'memory'),
        flashChanged: (unit, offset, length) =>
          machine.memory.touched((flash[unit] as Region).base + offset, length),
        serialOutput: options.onSerial ?? (() => {}),
        debugOutput: options.onDebug ?? (() => {}),
      },
      {
        memory,
        flash: flash.map((region, unit) => ({
          image: machine.memory.contents(region),
          readOnly: options.flash[unit]?.readOnly ?? true,
        })),
        startTime: options.startTime ?? DEFAULT_START,
        timerReadTime: options.timerReadTime ?? DEFAULT_TIMER_READ_TIME,
        ...(options.kernel ? { kernel: options.kernel } : {}),
        ...(options.disks ? { disks: options.disks } : {}),
        unassignedReads: options.unassignedReads ?? 'ones',
        cpu: describeCpu(machine),
        ...(options.hpet === undefined ? {} : { hpet: options.hpet }),
        ...(options.keyboard === undefined ? {} : { keyboard: options.keyboard }),
      },
    );
    pc = created;
    this.machine = machine;
    this.pc = created;
    this.#flash = flash;
    mapPc(machine, created);
    machine.attach({
      name: 'pc',
      save: () => created.save(),
      load: (state) => created.load(state as PcState),
    });
  }

  /** What flash chip `unit` holds now: a copy. */
  flashContents(unit: number): Uint8Array {
    const region = this.#flash[unit];
    if (!region) throw new RangeError(`there is no flash unit ${unit}`);
    return this.machine.memory.contents(region).slice();
  }

  /** Bytes arrive on COM1. */
  sendSerial(bytes: Uint8Array): void {
    this.pc.devices.uart.receive(bytes);
  }

  /** Runs as `Machine.run`; INIT, and with `onReset: 'restart'` resets, are carried out on the way. */
  run(options: RunOptions = {}): VmExit {
    this.#idle = 0;
    const end = options.budget === undefined ? undefined : this.machine.retired + options.budget;
    for (;;) {
      const budget = end === undefined ? {} : { budget: Math.max(0, end - this.machine.retired) };
      const exit = this.machine.run({ ...options, ...budget });
      if (exit.kind === 'tripleFault' && this.#restart) this.reset();
      else if (exit.kind !== 'shutdown') return exit;
      else if (exit.event === 'init') this.machine.reset();
      else if (exit.event === 'reset' && this.#restart) this.reset();
      else return exit;
    }
  }

  #countIdle(): void {
    const { retired, state } = this.machine;
    this.#idle = retired === this.#retired && state.get('halted') !== 0 ? this.#idle + 1 : 0;
    this.#retired = retired;
    if (this.#idle > IDLE_LIMIT) this.machine.stop({ kind: 'halt' });
  }

  /** Hardware reset of processor and devices. Memory, flash contents and time stay. */
  reset(): void {
    this.pc.reset();
    this.machine.reset();
  }
}

/** AMD's reserved range below 1 TiB, of no interest to a processor that cannot address it. */
const HYPER_TRANSPORT_BITS = 40;

/** What SMBIOS and the memory map say of the processor. */
const describeCpu = ({ options, state }: Machine): NonNullable<PcOptions['cpu']> => {
  const { profile } = options;
  const [signature, , , features] = createCpuid(profile, state)(1, 0);
  const amd = profile.vendor === 'AuthenticAMD' && profile.physicalBits >= HYPER_TRANSPORT_BITS;
  return { signature, features, amd };
};

/** Maps the flash chips as ROM that hands writes to the chip. */
const mapFlash = (
  machine: Machine,
  images: PcMachineOptions['flash'],
  pc: () => Pc | undefined,
): Region[] => {
  let end = FOUR_GIB;
  return images.map(({ image }, unit) => {
    end -= image.length;
    const region = machine.memory.mapMemory('rom', end, image.length, `flash ${unit}`, {
      read: (offset, size) => pc()?.devices.flash[unit]?.handler.read(offset, size) ?? 0,
      write: (offset, size, value) => pc()?.devices.flash[unit]?.handler.write(offset, size, value),
    });
    machine.memory.write(end, image);
    return region;
  });
};

/** Maps RAM, ROM copies, registers and ports. */
const mapPc = (machine: Machine, pc: Pc): void => {
  for (const region of pc.memory) {
    const { kind, base, length } = region;
    if (kind === 'flash') continue;
    machine.memory.mapMemory(kind, base, length, `${kind} at 0x${base.toString(16)}`);
    if (region.kind === 'rom') machine.memory.write(base, region.bytes);
  }
  for (const { name, base, length } of pc.mmio.ranges)
    if (!name.startsWith('flash'))
      machine.memory.mapIo(base, length, name, {
        read: (offset, size) => pc.mmio.read(base + offset, size),
        write: (offset, size, value) => pc.mmio.write(base + offset, size, value),
      });

  machine.ports.map(0, 0x1_0000, 'pc', {
    read: (port, size) => pc.ports.read(port, size),
    write: (port, size, value) => pc.ports.write(port, size, value),
  });
};
