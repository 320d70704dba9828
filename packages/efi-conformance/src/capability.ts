import { defaultOf, EFI_TIME_ZERO, EfiStatus, RUNTIME_SERVICES } from '@systab/efi-core';
import type { EfiFailure, EfiResult, EfiRuntimeOps, RuntimeServiceName } from '@systab/efi-core';
import type { Running } from './running.ts';
import type { System } from './system.ts';
import { VENDOR } from './system.ts';

/** A service that an operating system calls by itself; the two others belong to entering virtual mode. */
export type CallableService = Exclude<
  RuntimeServiceName,
  'SetVirtualAddressMap' | 'ConvertPointer'
>;

/** What a platform may be without. */
export type Capability =
  | CallableService
  /** A system table: the machine was booted by EFI firmware. */
  | 'firmware tables'
  /** A memory map of the firmware. */
  | 'memory map'
  /** SetVirtualAddressMap and a page table for firmware calls. */
  | 'virtual mode'
  /** `System.calls`. */
  | 'observed calls'
  /** `System.overwrite`, and that the machine outlives what it leads to. */
  | 'damaged firmware'
  /** `System.reboot`. */
  | 'reboot'
  /** `System.signedUpdates`, and firmware that verifies signatures. */
  | 'signed updates';

/** What a platform is without, each with the reason. */
export type Lacks = Readonly<Partial<Record<Capability, string>>>;

/** The services by name, called as nothing but their absence could refuse. */
const PLAIN_CALLS: Readonly<Record<CallableService, (on: EfiRuntimeOps) => EfiResult<unknown>>> = {
  GetTime: (on) => on.getTime(),
  SetTime: (on) => on.setTime({ ...EFI_TIME_ZERO, year: 2024, month: 2, day: 29 }),
  GetWakeupTime: (on) => on.getWakeupTime(),
  SetWakeupTime: (on) => on.setWakeupTime(false, null),
  GetVariable: (on) => on.getVariable('Lacking', VENDOR, 16),
  GetNextVariableName: (on) => on.getNextVariableName(64, new Uint8Array(64), VENDOR),
  SetVariable: (on) => on.setVariable('Lacking', VENDOR, 7, 1, Uint8Array.of(1)),
  GetNextHighMonotonicCount: (on) => on.getNextHighMonotonicCount(),
  ResetSystem: (on) => on.resetSystem(0, EfiStatus.SUCCESS, 0, null),
  UpdateCapsule: (on) => on.updateCapsule([new Uint8Array(28)], 1, 0n),
  QueryCapsuleCapabilities: (on) => on.queryCapsuleCapabilities([new Uint8Array(28)], 1),
  QueryVariableInfo: (on) => on.queryVariableInfo(7),
};

/** Every service an operating system calls. */
export const CALLABLE_SERVICES: readonly CallableService[] = RUNTIME_SERVICES.filter(
  (service): service is CallableService => Object.hasOwn(PLAIN_CALLS, service),
);

/** Calls a service with plain arguments. */
export const plainCall = (on: EfiRuntimeOps, service: CallableService): EfiResult<unknown> =>
  PLAIN_CALLS[service](on);

const isExplained = (result: EfiResult<unknown>): result is EfiFailure =>
  !result.ok && result.status === EfiStatus.UNSUPPORTED && (result.why ?? '') !== '';

const isCallable = (capability: Capability): capability is CallableService =>
  Object.hasOwn(PLAIN_CALLS, capability);

const MEMBERS: Readonly<Partial<Record<Capability, keyof System>>> = {
  'observed calls': 'calls',
  'damaged firmware': 'overwrite',
  reboot: 'reboot',
  'signed updates': 'signedUpdates',
};

/**
 * What contradicts the claim that a platform lacks something; undefined when it does lack it. A service that is lacking answers
 * EFI_UNSUPPORTED with a reason.
 */
export const contradictsLack = (
  { system, tables, efi }: Running,
  lack: Capability,
): string | undefined => {
  if (isCallable(lack)) {
    return isExplained(plainCall(tables.runtime, lack))
      ? undefined
      : `${lack} does not answer EFI_UNSUPPORTED with a reason`;
  }
  if (lack === 'firmware tables') {
    if (efi.facilities.list().length > 0) return `facilities ${efi.facilities.list().join()}`;
    return isExplained(tables.init.locateSystemTable())
      ? undefined
      : 'locateSystemTable does not answer EFI_UNSUPPORTED with a reason';
  }
  if (lack === 'memory map') {
    if (efi.memoryMap !== undefined || efi.facilities.enabled('EFI_MEMMAP'))
      return 'a memory map was adopted';
    return isExplained(tables.init.locateMemoryMap())
      ? undefined
      : 'locateMemoryMap does not answer EFI_UNSUPPORTED with a reason';
  }
  if (lack === 'virtual mode') {
    if (efi.runtimeMap !== undefined) return 'virtual mode was entered';
    return defaultOf(tables.init.enterVirtualMode) === undefined
      ? 'enterVirtualMode is not a default with a reason'
      : undefined;
  }
  const member = MEMBERS[lack];
  return member !== undefined && system[member] !== undefined
    ? `the system has ${member}`
    : undefined;
};
