import type { Guid } from '../guid.ts';
import type { EfiFailure, EfiResult } from '../result.ts';
import type { EfiStatus } from '../status.ts';
import type { EfiTime, EfiTimeCapabilities } from '../time.ts';
import type { VariableAttributes } from '../variable.ts';
import type { MachineOutcome } from './call-ops.ts';
import { unsupported } from './default.ts';

/**
 * Out pointers the caller passes as NULL; every other one points to a good buffer. With it each error condition of
 * the specification can be asked for through the table.
 */
export type NullOut<Name extends string> = readonly Name[];

/** EFI_RESET_TYPE: an open set (UEFI 2.10, section 8.5.1). */
export type ResetType = number;

/** The reset types the specification names. */
export const ResetType: {
  readonly EfiResetCold: 0;
  readonly EfiResetWarm: 1;
  readonly EfiResetShutdown: 2;
  readonly EfiResetPlatformSpecific: 3;
} = Object.freeze({
  EfiResetCold: 0,
  EfiResetWarm: 1,
  EfiResetShutdown: 2,
  EfiResetPlatformSpecific: 3,
});

/** Outputs of GetTime. */
export interface GetTimeValue {
  readonly time: EfiTime;
  /** Absent when the caller passed NULL for it. */
  readonly capabilities?: EfiTimeCapabilities;
}

/** Outputs of GetWakeupTime. */
export interface WakeupTime {
  readonly enabled: boolean;
  readonly pending: boolean;
  readonly time: EfiTime;
}

/** Outputs of GetVariable. */
export interface VariableValue {
  /** Absent when the caller passed NULL for it. */
  readonly attributes?: VariableAttributes;
  /** DataSize bytes; empty when the caller passed NULL for Data. */
  readonly data: Uint8Array;
}

/** A failed GetVariable: with EFI_BUFFER_TOO_SMALL the size needed, and from most firmware the attributes. */
export interface GetVariableFailure extends EfiFailure {
  readonly attributes?: VariableAttributes;
}

/** Outputs of GetNextVariableName, exactly as the firmware left them: real firmware gets the size wrong. */
export interface NextVariableName {
  /** Bytes, terminator included, if the firmware keeps to the specification. */
  readonly variableNameSize: number;
  /** The whole buffer after the call. */
  readonly variableName: Uint8Array;
  readonly vendorGuid: Guid;
}

/** Outputs of QueryCapsuleCapabilities. */
export interface CapsuleCapabilities {
  readonly maximumCapsuleSize: bigint;
  readonly resetType: ResetType;
}

/** Outputs of QueryVariableInfo, in bytes. */
export interface VariableInfo {
  readonly maximumVariableStorageSize: bigint;
  readonly remainingVariableStorageSize: bigint;
  readonly maximumVariableSize: bigint;
}

/**
 * The runtime services, one member each, in the order of EFI_RUNTIME_SERVICES (SetVirtualAddressMap and
 * ConvertPointer belong to entering virtual mode). Parameters are the specification's, `null` is the NULL pointer.
 * Synchronous; one call at a time is the caller's duty. Whatever cannot be called answers EFI_UNSUPPORTED with a reason.
 */
export interface EfiRuntimeOps {
  readonly getTime: (nullOut?: NullOut<'time' | 'capabilities'>) => EfiResult<GetTimeValue>;
  readonly setTime: (time: EfiTime | null) => EfiResult<void>;
  readonly getWakeupTime: (
    nullOut?: NullOut<'enabled' | 'pending' | 'time'>,
  ) => EfiResult<WakeupTime>;
  readonly setWakeupTime: (enable: boolean, time: EfiTime | null) => EfiResult<void>;
  /** `dataSize` is the size of the buffer in bytes; 0 with Data in `nullOut` asks for the size. */
  readonly getVariable: (
    variableName: string | null,
    vendorGuid: Guid | null,
    dataSize: number,
    nullOut?: NullOut<'attributes' | 'dataSize' | 'data'>,
  ) => EfiResult<VariableValue, GetVariableFailure>;
  /** `variableName` is the whole buffer, `variableNameSize` what the call is told its size is. */
  readonly getNextVariableName: (
    variableNameSize: number | null,
    variableName: Uint8Array | null,
    vendorGuid: Guid | null,
  ) => EfiResult<NextVariableName>;
  readonly setVariable: (
    variableName: string | null,
    vendorGuid: Guid | null,
    attributes: VariableAttributes,
    dataSize: number,
    data: Uint8Array | null,
  ) => EfiResult<void>;
  /** The high 32 bits of the monotonic counter. */
  readonly getNextHighMonotonicCount: (nullOut?: NullOut<'highCount'>) => EfiResult<number>;
  /** Does not come back on a machine that obeys; the value says how it went. */
  readonly resetSystem: (
    resetType: ResetType,
    resetStatus: EfiStatus,
    dataSize: number,
    resetData: Uint8Array | null,
  ) => EfiResult<MachineOutcome>;
  /** Each capsule starts with its header; `scatterGatherList` is a physical address, 0n for none. */
  readonly updateCapsule: (
    capsules: readonly Uint8Array[] | null,
    capsuleCount: number,
    scatterGatherList: bigint,
  ) => EfiResult<void>;
  readonly queryCapsuleCapabilities: (
    capsules: readonly Uint8Array[] | null,
    capsuleCount: number,
    nullOut?: NullOut<'maximumCapsuleSize' | 'resetType'>,
  ) => EfiResult<CapsuleCapabilities>;
  readonly queryVariableInfo: (
    attributes: VariableAttributes,
    nullOut?: NullOut<
      'maximumVariableStorageSize' | 'remainingVariableStorageSize' | 'maximumVariableSize'
    >,
  ) => EfiResult<VariableInfo>;
}

const NO_SERVICES = 'no runtime services are bound';

/** Neutral `EfiRuntimeOps`: a machine without runtime services. */
export const neutralRuntimeOps: EfiRuntimeOps = Object.freeze({
  getTime: unsupported(NO_SERVICES),
  setTime: unsupported(NO_SERVICES),
  getWakeupTime: unsupported(NO_SERVICES),
  setWakeupTime: unsupported(NO_SERVICES),
  getVariable: unsupported(NO_SERVICES),
  getNextVariableName: unsupported(NO_SERVICES),
  setVariable: unsupported(NO_SERVICES),
  getNextHighMonotonicCount: unsupported(NO_SERVICES),
  resetSystem: unsupported(NO_SERVICES),
  updateCapsule: unsupported(NO_SERVICES),
  queryCapsuleCapabilities: unsupported(NO_SERVICES),
  queryVariableInfo: unsupported(NO_SERVICES),
});
