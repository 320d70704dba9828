import {
  BOOLEAN,
  callFailure,
  EFI_GUID,
  EFI_TIME,
  EFI_TIME_CAPABILITIES,
  efiFail,
  efiOk,
  efiResult,
  EfiStatus,
  encodeChar16Z,
  isEfiError,
  UINT32,
  UINT64,
} from '@systab/efi-core';
import type {
  EfiCallOps,
  EfiFailure,
  EfiResult,
  EfiRuntimeOps,
  EfiTime,
  FieldType,
  GetVariableFailure,
  Guid,
  MachineOutcome,
  RuntimeServiceName,
  Width,
} from '@systab/efi-core';
import { invoke, readUintn, uintn } from './arguments.ts';
import type { Argument, ArgumentSpace } from './arguments.ts';

/** Attributes before the call: a firmware that leaves them alone is told from one that writes them. */
const UNTOUCHED = 0xffff_ffff;

type After = readonly (Uint8Array | undefined)[];
interface Returned {
  readonly status: EfiStatus;
  readonly after: After;
}

const read = <T>(type: FieldType<T>, bytes: Uint8Array | undefined): T => {
  if (bytes === undefined) throw new Error('an output that was passed as NULL is not there');
  return type.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, 64);
};

const guidBytes = (guid: Guid | null): Uint8Array | null => {
  if (guid === null) return null;
  const bytes = new Uint8Array(EFI_GUID.size(64));
  EFI_GUID.write(new DataView(bytes.buffer), 0, guid, 64);
  return bytes;
};

const nameBytes = (name: string | null): Uint8Array | null =>
  name === null ? null : encodeChar16Z(name);

const decodeTime = (bytes: Uint8Array | undefined): EfiTime => {
  const time = bytes === undefined ? undefined : EFI_TIME.decode(bytes);
  if (time?.ok !== true) throw new Error('an EFI_TIME of 16 bytes decodes');
  return time.value;
};

const word = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

/** An output buffer, NULL when the caller wants it so. */
const out = <N extends string>(
  nulls: readonly N[] | undefined,
  name: N,
  size: number,
): Uint8Array | null => (nulls?.includes(name) === true ? null : new Uint8Array(size));

/** An output that the caller may have passed as NULL. */
const optional = <K extends string, T>(
  key: K,
  bytes: Uint8Array | undefined,
  decode: (bytes: Uint8Array) => T,
): { readonly [P in K]?: T } =>
  (bytes === undefined ? {} : { [key]: decode(bytes) }) as { readonly [P in K]?: T };

/** A failure with the attributes that the firmware gave away with it. */
const withAttributes = (failure: EfiFailure, bytes: Uint8Array | undefined): GetVariableFailure => {
  const attributes = bytes === undefined ? UNTOUCHED : read(UINT32, bytes);
  return attributes === UNTOUCHED ? failure : { ...failure, attributes };
};

/**
 * The runtime services as calls of `call`: each parameter of the specification's prototypes becomes one raw argument, with the
 * buffers in `space`, in the layout of firmware of this width.
 */
export const createRuntimeOps = (
  call: EfiCallOps['call'],
  space: ArgumentSpace,
  width: Width,
): EfiRuntimeOps => {
  const run = (service: RuntimeServiceName, args: readonly Argument[]): EfiResult<Returned> => {
    const done = invoke(space, call, width, service, args);
    if (!done.ok) return done;
    const { outcome, after } = done.value;
    if (outcome.kind === 'returned') return efiOk({ status: outcome.status, after });
    return (
      callFailure(outcome) ??
      efiFail(EfiStatus.ABORTED, {
        why: `the machine was ${outcome.kind === 'left' ? outcome.how : outcome.kind} in ${service}`,
      })
    );
  };
  /** Calls, and makes a value of the outputs on success. */
  const answer = <T>(
    service: RuntimeServiceName,
    args: readonly Argument[],
    value: (after: After) => T,
  ): EfiResult<T> => {
    const done = run(service, args);
    return done.ok ? efiResult(done.value.status, () => value(done.value.after)) : done;
  };
  return Object.freeze<EfiRuntimeOps>({
    getTime: (nullOut) =>
      answer(
        'GetTime',
        [
          out(nullOut, 'time', EFI_TIME.size()),
          out(nullOut, 'capabilities', EFI_TIME_CAPABILITIES.size()),
        ],
        ([time, capabilities]) => ({
          time: decodeTime(time),
          ...optional('capabilities', capabilities, (bytes) => {
            const decoded = EFI_TIME_CAPABILITIES.decode(bytes);
            if (!decoded.ok) throw new Error('EFI_TIME_CAPABILITIES of 12 bytes decodes');
            return decoded.value;
          }),
        }),
      ),
    setTime: (time) =>
      answer('SetTime', [time === null ? null : EFI_TIME.encode(time)], () => undefined),
    getWakeupTime: (nullOut) =>
      answer(
        'GetWakeupTime',
        [
          out(nullOut, 'enabled', 1),
          out(nullOut, 'pending', 1),
          out(nullOut, 'time', EFI_TIME.size()),
        ],
        ([enabled, pending, time]) => ({
          enabled: read(BOOLEAN, enabled),
          pending: read(BOOLEAN, pending),
          time: decodeTime(time),
        }),
      ),
    setWakeupTime: (enable, time) =>
      answer(
        'SetWakeupTime',
        [enable ? 1n : 0n, time === null ? null : EFI_TIME.encode(time)],
        () => undefined,
      ),
    getVariable: (variableName, vendorGuid, dataSize, nullOut) => {
      const size = nullOut?.includes('dataSize') === true ? null : uintn(dataSize, width);
      const attributes = nullOut?.includes('attributes') === true ? null : word(UNTOUCHED);
      const done = run('GetVariable', [
        nameBytes(variableName),
        guidBytes(vendorGuid),
        attributes,
        size,
        out(nullOut, 'data', dataSize),
      ]);
      if (!done.ok) return done;
      const { status, after } = done.value;
      const left = Number(readUintn(after[3], width));
      if (isEfiError(status)) {
        const short = status === EfiStatus.BUFFER_TOO_SMALL && size !== null;
        return withAttributes(efiFail(status, short ? { needed: left } : {}), after[2]);
      }
      return efiResult(status, () => ({
        ...optional('attributes', after[2], (bytes) => read(UINT32, bytes)),
        data: (after[4] ?? new Uint8Array()).slice(0, Math.min(left, dataSize)),
      }));
    },
    getNextVariableName: (variableNameSize, variableName, vendorGuid) => {
      const size = variableNameSize === null ? null : uintn(variableNameSize, width);
      const done = run('GetNextVariableName', [size, variableName, guidBytes(vendorGuid)]);
      if (!done.ok) return done;
      const { status, after } = done.value;
      const left = Number(readUintn(after[0], width));
      if (isEfiError(status)) {
        const short = status === EfiStatus.BUFFER_TOO_SMALL && size !== null;
        return efiFail(status, short ? { needed: left } : {});
      }
      return efiResult(status, () => ({
        variableNameSize: left,
        variableName: after[1] ?? new Uint8Array(),
        vendorGuid: read(EFI_GUID, after[2]),
      }));
    },
    setVariable: (variableName, vendorGuid, attributes, dataSize, data) =>
      answer(
        'SetVariable',
        [
          nameBytes(variableName),
          guidBytes(vendorGuid),
          BigInt(attributes >>> 0),
          BigInt(dataSize),
          data,
        ],
        () => undefined,
      ),
    getNextHighMonotonicCount: (nullOut) =>
      answer('GetNextHighMonotonicCount', [out(nullOut, 'highCount', 4)], ([count]) =>
        read(UINT32, count),
      ),
    resetSystem: (resetType, resetStatus, dataSize, resetData) => {
      const done = invoke(space, call, width, 'ResetSystem', [
        BigInt(resetType),
        width === 64 ? resetStatus : BigInt.asUintN(32, resetStatus),
        BigInt(dataSize),
        resetData,
      ]);
      if (!done.ok) return done;
      const { outcome } = done.value;
      if (outcome.kind === 'left') return efiOk<MachineOutcome>(outcome.how);
      return callFailure(outcome) ?? efiOk<MachineOutcome>('returned');
    },
    updateCapsule: (capsules, capsuleCount, scatterGatherList) =>
      answer(
        'UpdateCapsule',
        [capsules && { pointers: capsules }, BigInt(capsuleCount), scatterGatherList],
        () => undefined,
      ),
    queryCapsuleCapabilities: (capsules, capsuleCount, nullOut) =>
      answer(
        'QueryCapsuleCapabilities',
        [
          capsules && { pointers: capsules },
          BigInt(capsuleCount),
          out(nullOut, 'maximumCapsuleSize', 8),
          out(nullOut, 'resetType', 4),
        ],
        ([, , maximumCapsuleSize, resetType]) => ({
          maximumCapsuleSize: read(UINT64, maximumCapsuleSize),
          resetType: read(UINT32, resetType),
        }),
      ),
    queryVariableInfo: (attributes, nullOut) =>
      answer(
        'QueryVariableInfo',
        [
          BigInt(attributes >>> 0),
          out(nullOut, 'maximumVariableStorageSize', 8),
          out(nullOut, 'remainingVariableStorageSize', 8),
          out(nullOut, 'maximumVariableSize', 8),
        ],
        ([, maximum, remaining, largest]) => ({
          maximumVariableStorageSize: read(UINT64, maximum),
          remainingVariableStorageSize: read(UINT64, remaining),
          maximumVariableSize: read(UINT64, largest),
        }),
      ),
  });
};
