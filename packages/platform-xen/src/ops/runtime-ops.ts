/** The runtime services as XENPF_efi_runtime_call: the table of functions that Linux's Xen support has (drivers/xen/efi.c). */
import {
  EFI_TIME_ZERO,
  efiFail,
  efiOk,
  efiResult,
  EfiStatus,
  encodeChar16Z,
  isEfiError,
  ResetType,
} from '@systab/efi-core';
import type {
  EfiFailure,
  EfiResult,
  EfiRuntimeOps,
  MachineOutcome,
  RuntimeServiceName,
  Struct,
} from '@systab/efi-core';
import {
  XEN_EFI_GET_TIME_SET_CLEARS_NS,
  XEN_EFI_GET_WAKEUP_TIME_ENABLED,
  XEN_EFI_GET_WAKEUP_TIME_PENDING,
  XEN_EFI_SET_WAKEUP_TIME_ENABLE,
  XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY,
  XEN_EFI_VARINFO_BOOT_SNAPSHOT,
  xen_efi_capsule,
  xen_efi_get_time,
  xen_efi_next_variable_name,
  xen_efi_no_part,
  xen_efi_time,
  xen_efi_variable,
  xen_efi_variable_info,
} from '../abi/platform-op.ts';
import type { XenEfiFunction } from '../abi/platform-op.ts';
import type { Dom0 } from '../domain/dom0.ts';
import { efiRuntimeCall, PLATFORM_OP_SIZE } from '../domain/efi-hypercalls.ts';
import type { RuntimeCallResult } from '../domain/efi-hypercalls.ts';
import { hypercallEfiFailure } from '../domain/hypercall.ts';
import { shutDown } from '../domain/hypervisor.ts';

/** Whom QueryVariableInfo asks: the firmware, or the hypervisor for what it was told while boot services were there. */
export type VariableInfoSource = 'firmware' | 'boot snapshot';

/** What can be chosen about the services. */
export interface XenRuntimeOptions {
  /** Default `firmware`, as Linux has it. */
  readonly variableInfo?: VariableInfoSource;
}

/** A NULL that the structure of the hypercall has no place for. The answer is the one the specification asks of the firmware. */
const notCarried = (parameter: string): EfiFailure =>
  efiFail(EfiStatus.INVALID_PARAMETER, {
    why: `the hypercall carries ${parameter} by value: NULL cannot be passed on`,
  });

const noRoom = (bytes: number): EfiFailure =>
  efiFail(EfiStatus.OUT_OF_RESOURCES, {
    why: `no memory for arguments of ${String(bytes)} bytes`,
  });

const has = <N extends string>(names: readonly N[] | undefined, name: N): boolean =>
  names?.includes(name) ?? false;

const nameBytes = (name: string | null): Uint8Array =>
  name === null ? new Uint8Array() : encodeChar16Z(name);

/** The runtime services of a dom0. */
export const createRuntimeOps = (dom0: Dom0, options: XenRuntimeOptions = {}): EfiRuntimeOps => {
  /** Makes a call whose buffers have these contents; `part` gets their addresses, `read` reads them back. */
  const call = <T extends object, R>(
    service: RuntimeServiceName,
    name: XenEfiFunction,
    misc: number,
    struct: Struct<T>,
    buffers: readonly Uint8Array[],
    part: (addresses: readonly bigint[]) => T,
    value: (result: RuntimeCallResult<T>, buffer: (index: number) => Uint8Array) => EfiResult<R>,
  ): EfiResult<R> => {
    const sizes = [PLATFORM_OP_SIZE, ...buffers.map(({ length }) => length)];
    const places = dom0.reserveArguments(sizes);
    if (places === undefined) return noRoom(sizes.reduce((sum, size) => sum + size, 0));
    const [at, ...addresses] = places;
    if (at === undefined) throw new Error('the place of the platform_op is the first');
    buffers.forEach((bytes, index) => dom0.store(addresses[index] ?? 0n, bytes));
    const done = efiRuntimeCall(dom0, name, misc, struct, part(addresses), at);
    if (!done.ok) return hypercallEfiFailure(done.failure, `XEN_EFI_${name} (${service})`);
    return value(done.value, (index) =>
      dom0.load(addresses[index] ?? 0n, buffers[index]?.length ?? 0),
    );
  };

  /** A call without buffers that succeeds with a value made of its structure. */
  const plain = <T extends object, R>(
    service: RuntimeServiceName,
    name: XenEfiFunction,
    misc: number,
    struct: Struct<T>,
    part: T,
    value: (result: RuntimeCallResult<T>) => R,
  ): EfiResult<R> =>
    call(
      service,
      name,
      misc,
      struct,
      [],
      () => part,
      (result) => efiResult(result.status, () => value(result)),
    );

  const capsules = (
    service: 'UpdateCapsule' | 'QueryCapsuleCapabilities',
    name: 'update_capsule' | 'query_capsule_capabilities',
    images: readonly Uint8Array[] | null,
    count: number,
    scatterGatherList: bigint,
  ): EfiResult<{ maximumCapsuleSize: bigint; resetType: ResetType }> => {
    const array = new Uint8Array((images?.length ?? 0) * 8);
    return call(
      service,
      name,
      0,
      xen_efi_capsule,
      [array, ...(images ?? [])],
      ([first = 0n, ...rest]) => {
        const view = new DataView(array.buffer);
        rest.forEach((address, index) => view.setBigUint64(index * 8, address, true));
        if (images !== null) dom0.store(first, array);
        return {
          capsule_header_array: images === null ? 0n : first,
          capsule_count: BigInt(count),
          max_capsule_size: scatterGatherList,
          reset_type: 0,
        };
      },
      ({ status, part }) =>
        efiResult(status, () => ({
          maximumCapsuleSize: part.max_capsule_size,
          resetType: part.reset_type,
        })),
    );
  };

  return Object.freeze<EfiRuntimeOps>({
    getTime: (nullOut) => {
      if (has(nullOut, 'time')) return notCarried('Time');
      const empty = { time: EFI_TIME_ZERO, resolution: 0, accuracy: 0 };
      return plain('GetTime', 'get_time', 0, xen_efi_get_time, empty, ({ misc, part }) => ({
        time: part.time,
        ...(has(nullOut, 'capabilities')
          ? {}
          : {
              capabilities: {
                resolution: part.resolution,
                accuracy: part.accuracy,
                setsToZero: (misc & XEN_EFI_GET_TIME_SET_CLEARS_NS) !== 0,
              },
            }),
      }));
    },
    setTime: (time) =>
      time === null
        ? notCarried('Time')
        : plain('SetTime', 'set_time', 0, xen_efi_time, { time }, () => undefined),
    getWakeupTime: (nullOut) => {
      for (const name of ['enabled', 'pending', 'time'] as const)
        if (has(nullOut, name)) return notCarried(name);
      const empty = { time: EFI_TIME_ZERO };
      return plain(
        'GetWakeupTime',
        'get_wakeup_time',
        0,
        xen_efi_time,
        empty,
        ({ misc, part }) => ({
          enabled: (misc & XEN_EFI_GET_WAKEUP_TIME_ENABLED) !== 0,
          pending: (misc & XEN_EFI_GET_WAKEUP_TIME_PENDING) !== 0,
          time: part.time,
        }),
      );
    },
    setWakeupTime: (enable, time) => {
      const misc =
        (enable ? XEN_EFI_SET_WAKEUP_TIME_ENABLE : 0) |
        (time === null ? XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY : 0);
      const part = { time: time ?? EFI_TIME_ZERO };
      return plain('SetWakeupTime', 'set_wakeup_time', misc, xen_efi_time, part, () => undefined);
    },
    getVariable: (variableName, vendorGuid, dataSize, nullOut) => {
      if (vendorGuid === null) return notCarried('VendorGuid');
      if (has(nullOut, 'dataSize')) return notCarried('DataSize');
      const noData = has(nullOut, 'data');
      return call(
        'GetVariable',
        'get_variable',
        0,
        xen_efi_variable,
        [nameBytes(variableName), new Uint8Array(noData ? 0 : dataSize)],
        ([name = 0n, data = 0n]) => ({
          name: variableName === null ? 0n : name,
          size: BigInt(dataSize),
          data: noData ? 0n : data,
          vendor_guid: vendorGuid,
        }),
        ({ status, misc, part }, buffer) => {
          const size = Number(part.size);
          if (status === EfiStatus.BUFFER_TOO_SMALL)
            return { ...efiFail(status, { needed: size }), attributes: misc };
          if (isEfiError(status)) return efiFail(status);
          return efiResult(status, () => ({
            ...(has(nullOut, 'attributes') ? {} : { attributes: misc }),
            data: noData ? new Uint8Array() : buffer(1).slice(0, size),
          }));
        },
      );
    },
    getNextVariableName: (variableNameSize, variableName, vendorGuid) => {
      if (variableNameSize === null) return notCarried('VariableNameSize');
      if (vendorGuid === null) return notCarried('VendorGuid');
      // As large as the call is told that it is: the hypervisor copies all of it, both ways.
      const buffer = new Uint8Array(Math.max(variableNameSize, variableName?.length ?? 0));
      if (variableName !== null) buffer.set(variableName);
      return call(
        'GetNextVariableName',
        'get_next_variable_name',
        0,
        xen_efi_next_variable_name,
        [buffer],
        ([name = 0n]) => ({
          size: BigInt(variableNameSize),
          name: variableName === null ? 0n : name,
          vendor_guid: vendorGuid,
        }),
        ({ status, part }, left) => {
          const size = Number(part.size);
          if (status === EfiStatus.BUFFER_TOO_SMALL) return efiFail(status, { needed: size });
          return efiResult(status, () => ({
            variableNameSize: size,
            variableName: left(0).slice(0, variableName?.length ?? 0),
            vendorGuid: part.vendor_guid,
          }));
        },
      );
    },
    setVariable: (variableName, vendorGuid, attributes, dataSize, data) => {
      if (vendorGuid === null) return notCarried('VendorGuid');
      const buffer = new Uint8Array(Math.max(dataSize, data?.length ?? 0));
      if (data !== null) buffer.set(data);
      return call(
        'SetVariable',
        'set_variable',
        attributes >>> 0,
        xen_efi_variable,
        [nameBytes(variableName), buffer],
        ([name = 0n, at = 0n]) => ({
          name: variableName === null ? 0n : name,
          size: BigInt(dataSize),
          data: data === null ? 0n : at,
          vendor_guid: vendorGuid,
        }),
        ({ status }) => efiResult<void>(status, () => undefined),
      );
    },
    getNextHighMonotonicCount: (nullOut) =>
      has(nullOut, 'highCount')
        ? notCarried('HighCount')
        : plain(
            'GetNextHighMonotonicCount',
            'get_next_high_monotonic_count',
            0,
            xen_efi_no_part,
            { unused: 0 },
            ({ misc }) => misc,
          ),
    // No hypercall resets through the firmware: the hypervisor is asked to end the domain, and goes with it.
    resetSystem: (resetType) => {
      const reason = resetType === ResetType.EfiResetShutdown ? 'poweroff' : 'reboot';
      const done = shutDown(dom0, reason);
      return done.ok
        ? efiOk<MachineOutcome>(done.value)
        : hypercallEfiFailure(done.failure, 'SCHEDOP_shutdown (ResetSystem)');
    },
    updateCapsule: (images, count, scatterGatherList) => {
      const done = capsules('UpdateCapsule', 'update_capsule', images, count, scatterGatherList);
      return done.ok ? { ...done, value: undefined } : done;
    },
    queryCapsuleCapabilities: (images, count, nullOut) => {
      for (const name of ['maximumCapsuleSize', 'resetType'] as const)
        if (has(nullOut, name)) return notCarried(name);
      return capsules('QueryCapsuleCapabilities', 'query_capsule_capabilities', images, count, 0n);
    },
    queryVariableInfo: (attributes, nullOut) => {
      const outputs = [
        'maximumVariableStorageSize',
        'remainingVariableStorageSize',
        'maximumVariableSize',
      ] as const;
      for (const name of outputs) if (has(nullOut, name)) return notCarried(name);
      const misc = options.variableInfo === 'boot snapshot' ? XEN_EFI_VARINFO_BOOT_SNAPSHOT : 0;
      const part = {
        attr: attributes >>> 0,
        max_store_size: 0n,
        remain_store_size: 0n,
        max_size: 0n,
      };
      return plain(
        'QueryVariableInfo',
        'query_variable_info',
        misc,
        xen_efi_variable_info,
        part,
        (result) => ({
          maximumVariableStorageSize: result.part.max_store_size,
          remainingVariableStorageSize: result.part.remain_store_size,
          maximumVariableSize: result.part.max_size,
        }),
      );
    },
  });
};
