import {
  decodeChar16,
  EFI_LOADED_IMAGE_PROTOCOL,
  efiFail,
  efiOk,
  EfiStatus,
  physAddr,
  WellKnownGuid,
} from '@systab/efi-core';
import type { EfiResult, Outcome, PhysAddr, Width } from '@systab/efi-core';
import type { Machine, PcMachine, VmExit } from '@systab/x86-emu';
import type { ArgumentSpace } from './arguments.ts';
import {
  AllocateType,
  createBootServices,
  KERNEL_MEMORY,
  leaveBootServices,
} from './boot-services.ts';
import type { BootServices } from './boot-services.ts';
import { callFirmware, serviceEntry } from './firmware-call.ts';
import type { CallOptions } from './firmware-call.ts';
import { TRAP_CODE } from './image/trap-stub.ts';
import { hasKernelPages, Kernel, KERNEL_PAGES } from './kernel.ts';
import { containExceptions } from './processor.ts';
import { directTransfer } from './transfer.ts';

/** UD2 raises it (SDM Vol. 2B): an exception in every mode and at every privilege. */
const INVALID_OPCODE = 6;
/** Top of what AllocatePages may give: below 4 GiB, where 32-bit firmware and the thunk can reach. */
const HIGHEST = 0xffff_ffffn;
/** Below the stack pointer, where a C caller would have its locals. */
const RED_ZONE = 128n;

/** Whether the next instruction is the trap of the stub. */
const isTrap = (machine: Machine): boolean => {
  const code = machine.readLinear(
    BigInt.asUintN(64, machine.segment('cs').base + machine.rip),
    TRAP_CODE.length,
  );
  return code !== undefined && code.every((byte, at) => byte === TRAP_CODE[at]);
};

const LONG_MODE = 0x400n;

/** What the firmware passed to the entry point of the stub (UEFI 2.10, section 4.1). */
interface EntryArguments {
  readonly width: Width;
  readonly imageHandle: bigint;
  readonly systemTable: PhysAddr;
}

/** Undefined when the machine is not at the trap, or the firmware passed what is no address. */
const entryArguments = (machine: Machine): EntryArguments | undefined => {
  if (!isTrap(machine)) return undefined;
  const width: Width = (machine.readRegister('efer') & LONG_MODE) !== 0n ? 64 : 32;
  const onStack = (index: number): bigint | undefined => {
    const bytes = machine.readLinear(machine.readRegister('esp') + BigInt(4 + index * 4), 4);
    return bytes && BigInt(new DataView(bytes.buffer).getUint32(0, true));
  };
  const imageHandle = width === 64 ? machine.readRegister('rcx') : onStack(0);
  const table = width === 64 ? machine.readRegister('rdx') : onStack(1);
  const systemTable = table === undefined ? undefined : physAddr(table);
  return imageHandle === undefined || systemTable === undefined
    ? undefined
    : { width, imageHandle, systemTable };
};

/** A machine that is to come to the stub: run it until an exit of kind `exception`, then ask. */
export interface TrapWatch {
  /** Whether the machine stands at the trap, in a stub that was called as the entry point of an image is. */
  readonly waiting: () => boolean;
  /** Ends the watch. */
  readonly end: () => void;
}

/** Makes the machine stop where the trap stub asks for it, and nowhere else. */
export const watchTrap = (machine: Machine): TrapWatch => {
  const outer = machine.hooks.interrupt;
  machine.hooks.interrupt = (event) =>
    event.vector === INVALID_OPCODE && isTrap(machine) ? 'stop' : outer?.(event);
  return {
    waiting: () => entryArguments(machine) !== undefined,
    end: () => {
      machine.hooks.interrupt = outer;
    },
  };
};

/** An operating system in the boot phase: started by the firmware, its boot services still there. */
export interface BootPhase {
  readonly width: Width;
  readonly imageHandle: bigint;
  readonly systemTable: PhysAddr;
  readonly services: BootServices;
  /** The options the firmware's loader passed (EFI_LOADED_IMAGE_PROTOCOL.LoadOptions), read as CHAR16. */
  readonly commandLine: () => EfiResult<string>;
  /** Ends the boot services and takes the machine over. After a failure the machine is the firmware's still. */
  readonly exit: () => EfiResult<Kernel>;
  /** Returns to the firmware with a status, as an application that ends; run the machine on afterwards. */
  readonly leave: (status: EfiStatus) => void;
}

/** Locals of the caller, below its stack pointer. */
const stackSpace = (machine: Machine, width: Width): ArgumentSpace & { stack: () => bigint } => {
  const pointer = (): bigint => machine.readRegister(width === 64 ? 'rsp' : 'esp');
  let reserved = 0n;
  return {
    stack: () => (pointer() - RED_ZONE - reserved) & ~15n,
    memory: {
      read: (at, length) => {
        const bytes = machine.readLinear(BigInt(at), length);
        return bytes === undefined ? efiFail(EfiStatus.INVALID_PARAMETER) : efiOk(bytes);
      },
      write: (at, bytes) =>
        machine.writeLinear(BigInt(at), bytes)
          ? efiOk(undefined)
          : efiFail(EfiStatus.INVALID_PARAMETER, { why: 'no memory for the arguments' }),
    },
    reserve: (bytes) => {
      reserved = BigInt(Math.ceil(bytes / 16) * 16);
      const at = physAddr((pointer() - RED_ZONE - reserved) & ~15n);
      return at === undefined
        ? efiFail(EfiStatus.OUT_OF_RESOURCES, { why: 'the stack pointer is no address' })
        : efiOk(at);
    },
  };
};

/**
 * Takes control where the trap stub stopped, with the arguments of its entry point: the image handle and the system table. Throws
 * `Error` when the machine is not at the trap, or the stub was not called as the entry point of an image.
 */
export const enterBootPhase = (machine: Machine, options: CallOptions = {}): BootPhase => {
  const entered = entryArguments(machine);
  if (entered === undefined) throw new Error('the machine is not at the trap of the stub');
  const { width, imageHandle, systemTable } = entered;

  const space = stackSpace(machine, width);
  const transfer = directTransfer(machine, width === 64 ? 'ms-x64' : 'cdecl-ia32', space.stack);
  const read = (at: bigint, length: number): Uint8Array | undefined =>
    machine.readLinear(at, length);
  const services = createBootServices(
    {
      call: (service, args) => {
        const entry = serviceEntry(service, BigInt(systemTable), width, read);
        if (entry === undefined || entry === 0n) {
          return { kind: 'unavailable', why: `the tables of the firmware name no ${service}` };
        }
        const contain = <T>(work: () => T): T => containExceptions(machine, work);
        const target = { service, entry, args, width, contain, mode: 'boot services' } as const;
        return callFirmware(machine, transfer, target, options);
      },
    },
    space,
    width,
  );

  const commandLine = (): EfiResult<string> => {
    const image = services.handleProtocol(
      imageHandle,
      WellKnownGuid.EFI_LOADED_IMAGE_PROTOCOL_GUID,
    );
    if (!image.ok) return image;
    const bytes = read(image.value, EFI_LOADED_IMAGE_PROTOCOL.size(width));
    const loaded = bytes && EFI_LOADED_IMAGE_PROTOCOL.decode(bytes, 0, width);
    if (loaded?.ok !== true) return efiFail(EfiStatus.DEVICE_ERROR, { why: 'no loaded image' });
    const { loadOptions, loadOptionsSize } = loaded.value;
    if (loadOptions === 0n || loadOptionsSize === 0) return efiOk('');
    const text = read(loadOptions, Math.min(loadOptionsSize, LONGEST_COMMAND_LINE));
    if (text === undefined) return efiFail(EfiStatus.DEVICE_ERROR, { why: 'no load options' });
    return efiOk(decodeChar16(text).replace(/\0.*$/su, ''));
  };

  const exit = (): EfiResult<Kernel> => {
    const base = services.allocatePages(
      AllocateType.AllocateMaxAddress,
      KERNEL_MEMORY,
      KERNEL_PAGES,
      HIGHEST,
    );
    if (!base.ok) return base;
    if (!hasKernelPages(machine, base.value)) {
      return efiFail(EfiStatus.DEVICE_ERROR, {
        why: `AllocatePages answered 0x${base.value.toString(16)}, where ${String(KERNEL_PAGES)} pages of memory are not`,
      });
    }
    const memoryMap = leaveBootServices(services, imageHandle);
    if (!memoryMap.ok) return memoryMap;
    const start = { machine, width, base: base.value, systemTable, memoryMap: memoryMap.value };
    return efiOk(new Kernel(start));
  };

  return Object.freeze<BootPhase>({
    width,
    imageHandle,
    systemTable,
    services,
    commandLine,
    exit,
    leave: (status) => {
      machine.writeRegister('rax', status);
      machine.writeRegister('rip', machine.rip + 2n);
    },
  });
};

/** Linux takes 2048 characters (COMMAND_LINE_SIZE). */
const LONGEST_COMMAND_LINE = 4096;

/** How far to go for the stub. */
export interface StartOptions extends CallOptions {
  /** Most instructions up to the stub; default 10 thousand million, fifteen times what OVMF takes. */
  readonly bootBudget?: number;
}

const BOOT_BUDGET = 10e9;

/** Runs a machine whose `kernel` is the trap stub until the firmware starts it; the error is how the run ended otherwise. */
export const startFirmware = (
  pc: PcMachine,
  { bootBudget = BOOT_BUDGET, ...options }: StartOptions = {},
): Outcome<BootPhase, VmExit> => {
  const watch = watchTrap(pc.machine);
  try {
    const exit = pc.run({ budget: bootBudget });
    return exit.kind === 'exception' && watch.waiting()
      ? { ok: true, value: enterBootPhase(pc.machine, options) }
      : { ok: false, error: exit };
  } finally {
    watch.end();
  }
};

/** Where the kernel of a machine without EFI has its own pages: memory no BIOS structure lies in. */
const LEGACY_BASE = 0x100_0000;

/**
 * Takes over a machine that no EFI firmware booted, as a kernel started by a BIOS loader would find it: no system table and
 * no map. EFI_OUT_OF_RESOURCES with less than 17 MiB of memory.
 */
export const enterWithoutEfi = (machine: Machine): EfiResult<Kernel> => {
  const base = physAddr(LEGACY_BASE);
  if (base === undefined || !hasKernelPages(machine, base)) {
    return efiFail(EfiStatus.OUT_OF_RESOURCES, { why: 'no memory at 16 MiB' });
  }
  const nothing = { systemTable: undefined, memoryMap: undefined };
  return efiOk(new Kernel({ machine, width: 64, base, ...nothing }));
};
