import {
  EFI_BOOT_SERVICES,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  efiStatusFromNative,
  RUNTIME_SERVICES,
  SERVICE_PARAMETERS,
} from '@systab/efi-core';
import type { EfiCallOutcome, EfiServiceName, RuntimeServiceName, Width } from '@systab/efi-core';
import type { Breach, Machine, VmExit } from '@systab/x86-emu';
import { pageFaultAddress, systemState } from './processor.ts';

/** Where a call happens. */
export type CallMode = 'boot services' | 'physical' | 'virtual';

/** One call across the boundary as it went over the wire. */
export interface CallRecord {
  readonly service: EfiServiceName;
  readonly mode: CallMode;
  readonly convention: string;
  /** Address control was passed to. */
  readonly entry: bigint;
  /** One raw argument per parameter. */
  readonly args: readonly bigint[];
  /** The page table in use; 0n without paging. */
  readonly cr3: bigint;
  /** Stack pointer at the entry, where the return address is. */
  readonly stack: bigint;
  /** What the stack held after the call, from the return address on: shadow space and stack arguments. */
  readonly frame: Uint8Array;
  /** The return register. */
  readonly value: bigint;
  readonly instructions: number;
  /** Rules of the calling convention and of UEFI 2.10, 2.3, that the service broke. */
  readonly breaches: readonly Breach[];
  readonly outcome: EfiCallOutcome;
}

/** What a call is made with, and who hears of it. */
export interface CallOptions {
  /** Most instructions of one call; default 500 million. */
  readonly budget?: number;
  readonly onCall?: (record: CallRecord) => void;
}

/** A way of passing control to a function of the firmware and back. */
export interface Transfer {
  readonly convention: string;
  readonly call: (
    entry: bigint,
    slots: readonly bigint[],
    budget: number,
  ) => {
    readonly exit: VmExit;
    readonly returned: boolean;
    readonly value: bigint;
    readonly breaches: readonly Breach[];
    readonly instructions: number;
    readonly stack: bigint;
    readonly frame: Uint8Array;
  };
}

const DEFAULT_CALL_BUDGET = 500_000_000;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Exceptions by vector (SDM Vol. 3A, table 6-1). */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  0: 'divide error',
  1: 'debug exception',
  2: 'NMI',
  3: 'breakpoint',
  4: 'overflow',
  5: 'bound range exceeded',
  6: 'invalid opcode',
  7: 'device not available',
  8: 'double fault',
  10: 'invalid TSS',
  11: 'segment not present',
  12: 'stack-segment fault',
  13: 'general protection fault',
  14: 'page fault',
  16: 'x87 floating-point error',
  17: 'alignment check',
  18: 'machine check',
  19: 'SIMD floating-point exception',
  21: 'control protection exception',
};

const PAGE_FAULT = 14;

/** The words for a fault of the firmware. */
const faultText = (machine: Machine, exit: VmExit & { readonly kind: 'exception' }): string => {
  const { vector, rip, errorCode } = exit;
  const name = EXCEPTIONS[vector] ?? `exception ${String(vector)}`;
  if (vector !== PAGE_FAULT) return `${name} at ${hex(rip)}`;
  const bits = errorCode ?? 0;
  const access = (bits & 0x10) !== 0 ? 'fetching' : (bits & 2) !== 0 ? 'writing' : 'reading';
  return `${name} at ${hex(rip)} ${access} ${hex(pageFaultAddress(machine))}`;
};

/** What the end of a run means for the service that was called. */
const outcomeOf = (
  machine: Machine,
  service: EfiServiceName,
  exit: VmExit,
  budget: number,
): EfiCallOutcome => {
  const at = hex(machine.rip);
  switch (exit.kind) {
    case 'shutdown':
      return { kind: 'left', how: exit.event === 'off' ? 'powered off' : 'restarted' };
    case 'tripleFault':
      // The last resort of a reset, and what any processor without an interrupt table ends in.
      return service === 'ResetSystem'
        ? { kind: 'left', how: 'restarted' }
        : { kind: 'fault', why: `triple fault at ${hex(exit.rip)}` };
    case 'halt':
      return service === 'ResetSystem'
        ? { kind: 'left', how: 'halted' }
        : { kind: 'hung', why: `halted at ${at} with nothing to wake it` };
    case 'budget':
      return { kind: 'hung', why: `${String(budget)} instructions used up at ${at}` };
    case 'exception':
      return { kind: 'fault', why: faultText(machine, exit) };
    case 'unclaimed':
      return {
        kind: 'fault',
        why: `${exit.space} 0x${exit.address.toString(16)} at ${hex(exit.rip)}, where nothing is`,
      };
    case 'breakpoint':
    case 'trap':
    case 'until':
      return { kind: 'fault', why: `stopped at ${at} by whoever runs the machine` };
  }
};

/** The slots of a call: one per parameter, two for a UINT64 of 32-bit firmware (UEFI 2.10, 2.3.2.2). */
const slotsOf = (
  service: EfiServiceName,
  args: readonly bigint[],
  width: Width,
): readonly bigint[] => {
  const parameters = SERVICE_PARAMETERS[service];
  if (width === 64) return args;
  return args.flatMap((value, index) =>
    parameters[index]?.type === 'UINT64'
      ? [BigInt.asUintN(32, value), BigInt.asUintN(32, value >> 32n)]
      : [BigInt.asUintN(32, value)],
  );
};

const isRuntimeService = (service: EfiServiceName): service is RuntimeServiceName =>
  (RUNTIME_SERVICES as readonly string[]).includes(service);

/** Finds the address of a service through the tables, as they are at this moment; undefined when they cannot be read. */
export const serviceEntry = (
  service: EfiServiceName,
  systemTable: bigint,
  width: Width,
  read: (at: bigint, length: number) => Uint8Array | undefined,
): bigint | undefined => {
  const pointer = (at: bigint): bigint | undefined => {
    const field = read(at, width / 8);
    if (field === undefined) return undefined;
    const view = new DataView(field.buffer, field.byteOffset, field.byteLength);
    return width === 64 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  };
  const [field, offset] = isRuntimeService(service)
    ? (['runtimeServices', EFI_RUNTIME_SERVICES.offsetOf(service, width)] as const)
    : (['bootServices', EFI_BOOT_SERVICES.offsetOf(service, width)] as const);
  const table = pointer(systemTable + BigInt(EFI_SYSTEM_TABLE.offsetOf(field, width)));
  return table === undefined || table === 0n ? undefined : pointer(table + BigInt(offset));
};

/** Makes one call and tells what became of it. */
export const callFirmware = (
  machine: Machine,
  transfer: Transfer,
  target: {
    readonly service: EfiServiceName;
    readonly entry: bigint;
    readonly args: readonly bigint[];
    readonly mode: CallMode;
    readonly width: Width;
    /** Runs the call with exceptions that nobody handles ending it. */
    readonly contain: <T>(work: () => T) => T;
  },
  options: CallOptions,
): EfiCallOutcome => {
  const { service, entry, args, mode, width, contain } = target;
  const { budget = DEFAULT_CALL_BUDGET } = options;
  const { onCall } = options;
  const before = onCall === undefined ? undefined : systemState(machine);
  const paging = (machine.readRegister('cr0') & 0x8000_0000n) !== 0n;
  const cr3 = paging ? machine.readRegister('cr3') : 0n;
  const result = contain(() => transfer.call(entry, slotsOf(service, args, width), budget));
  const outcome: EfiCallOutcome = result.returned
    ? { kind: 'returned', status: efiStatusFromNative(result.value, width) }
    : outcomeOf(machine, service, result.exit, budget);
  if (onCall !== undefined && before !== undefined) {
    const breaches = [...result.breaches];
    // Boot services may change the machine's state: that is what they are for.
    if (result.returned && mode !== 'boot services') {
      const after = systemState(machine);
      for (const [what, expected] of before) {
        const actual = after.get(what) ?? 0n;
        if (actual !== expected)
          breaches.push({ what, expected: hex(expected), actual: hex(actual) });
      }
    }
    onCall({
      service,
      mode,
      convention: transfer.convention,
      entry,
      args,
      cr3,
      stack: result.stack,
      frame: result.frame,
      value: result.value,
      instructions: result.instructions,
      breaches,
      outcome,
    });
  }
  return outcome;
};
