/**
 * Route `efi-call`: the layer below the runtime services replaced. Whoever calls a service with raw arguments, as firmware would be
 * called, has it made a hypercall here; pointers are the domain's own addresses and go into the hypercall as they are.
 */
import {
  BOOLEAN,
  EFI_GUID,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_DESCRIPTOR_VERSION,
  EFI_TIME,
  EFI_TIME_CAPABILITIES,
  EFI_TIME_ZERO,
  EfiStatus,
  isEfiError,
  ResetType,
  UINT32,
  UINT64,
} from '@systab/efi-core';
import type {
  EfiCallOps,
  EfiCallOutcome,
  EfiServiceName,
  FieldType,
  PlatformBackend,
  RuntimeServiceName,
  Struct,
} from '@systab/efi-core';
import {
  XEN_EFI_GET_TIME_SET_CLEARS_NS,
  XEN_EFI_GET_WAKEUP_TIME_ENABLED,
  XEN_EFI_GET_WAKEUP_TIME_PENDING,
  XEN_EFI_SET_WAKEUP_TIME_ENABLE,
  XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY,
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
import { formatHypercallFailure } from '../domain/hypercall.ts';
import type { HypercallFailure } from '../domain/hypercall.ts';
import { shutDown } from '../domain/hypervisor.ts';

const returned = (status: EfiStatus): EfiCallOutcome => ({ kind: 'returned', status });
const INVALID = returned(EfiStatus.INVALID_PARAMETER);

/** The service found the caller's memory not to be there. */
class PointerFault extends Error {}

/** The caller's memory behind pointers. */
interface Pointers {
  readonly read: <T>(type: FieldType<T>, at: bigint) => T;
  readonly write: <T>(type: FieldType<T>, at: bigint, value: T) => void;
  readonly readStruct: <T extends object>(struct: Struct<T>, at: bigint) => T;
  readonly writeStruct: <T extends object>(struct: Struct<T>, at: bigint, value: T) => void;
}

const pointersOf = (dom0: Dom0): Pointers => {
  const load = (at: bigint, length: number): Uint8Array => {
    const bytes = dom0.read(at, length);
    if (bytes === undefined) throw new PointerFault(`no memory to read at 0x${at.toString(16)}`);
    return bytes;
  };
  const save = (at: bigint, bytes: Uint8Array): void => {
    if (!dom0.write(at, bytes))
      throw new PointerFault(`no memory to write at 0x${at.toString(16)}`);
  };
  return {
    read: (type, at) => {
      const { buffer, byteOffset, byteLength } = load(at, type.size(64));
      return type.read(new DataView(buffer, byteOffset, byteLength), 0, 64);
    },
    write: (type, at, value) => {
      const bytes = new Uint8Array(type.size(64));
      type.write(new DataView(bytes.buffer), 0, value, 64);
      save(at, bytes);
    },
    readStruct: (struct, at) => {
      const value = struct.decode(load(at, struct.size()));
      if (!value.ok) throw new Error('a structure of its own size decodes');
      return value.value;
    },
    writeStruct: (struct, at, value) => save(at, struct.encode(value)),
  };
};

const outcomeOf = (failure: HypercallFailure, what: string): EfiCallOutcome => {
  if (failure.kind === 'failed') return returned(EfiStatus.UNSUPPORTED);
  if (failure.kind === 'left') return failure;
  return { kind: 'hung', why: formatHypercallFailure(failure, what) };
};

/** Writes results only where the service succeeded. */
const onSuccess =
  <T>(write: (result: RuntimeCallResult<T>) => void) =>
  (result: RuntimeCallResult<T>): void => {
    if (!isEfiError(result.status)) write(result);
  };

type Service = (args: readonly bigint[]) => EfiCallOutcome;

const services = (dom0: Dom0): Readonly<Record<RuntimeServiceName, Service>> => {
  const memory = pointersOf(dom0);

  /** Makes the hypercall; `finish` writes its results to the caller's memory when there was no error of the hypervisor. */
  const call = <T extends object>(
    name: XenEfiFunction,
    misc: number,
    struct: Struct<T>,
    part: T,
    finish: (result: RuntimeCallResult<T>) => void = () => {},
  ): EfiCallOutcome => {
    const [at] = dom0.reserveArguments([PLATFORM_OP_SIZE]) ?? [];
    if (at === undefined) throw new Error('one small argument always has room');
    const done = efiRuntimeCall(dom0, name, misc, struct, part, at);
    if (!done.ok) return outcomeOf(done.failure, `XEN_EFI_${name}`);
    finish(done.value);
    return returned(done.value.status);
  };
  const { read, write, readStruct, writeStruct } = memory;
  const readTime = (at: bigint) => (at === 0n ? EFI_TIME_ZERO : readStruct(EFI_TIME, at));

  return {
    GetTime: ([time = 0n, capabilities = 0n]) => {
      if (time === 0n) return INVALID;
      const empty = { time: EFI_TIME_ZERO, resolution: 0, accuracy: 0 };
      return call(
        'get_time',
        0,
        xen_efi_get_time,
        empty,
        onSuccess(({ misc, part }) => {
          writeStruct(EFI_TIME, time, part.time);
          if (capabilities === 0n) return;
          const { resolution, accuracy } = part;
          const setsToZero = (misc & XEN_EFI_GET_TIME_SET_CLEARS_NS) !== 0;
          writeStruct(EFI_TIME_CAPABILITIES, capabilities, { resolution, accuracy, setsToZero });
        }),
      );
    },
    SetTime: ([time = 0n]) =>
      time === 0n ? INVALID : call('set_time', 0, xen_efi_time, { time: readTime(time) }),
    GetWakeupTime: ([enabled = 0n, pending = 0n, time = 0n]) => {
      if (enabled === 0n || pending === 0n || time === 0n) return INVALID;
      return call(
        'get_wakeup_time',
        0,
        xen_efi_time,
        { time: EFI_TIME_ZERO },
        onSuccess(({ misc, part }) => {
          write(BOOLEAN, enabled, (misc & XEN_EFI_GET_WAKEUP_TIME_ENABLED) !== 0);
          write(BOOLEAN, pending, (misc & XEN_EFI_GET_WAKEUP_TIME_PENDING) !== 0);
          writeStruct(EFI_TIME, time, part.time);
        }),
      );
    },
    SetWakeupTime: ([enable = 0n, time = 0n]) => {
      const misc =
        ((enable & 0xffn) === 0n ? 0 : XEN_EFI_SET_WAKEUP_TIME_ENABLE) |
        (time === 0n ? XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY : 0);
      return call('set_wakeup_time', misc, xen_efi_time, { time: readTime(time) });
    },
    // Nothing moves: the hypervisor calls the firmware where it is. Nothing is remembered either.
    SetVirtualAddressMap: ([, descriptorSize = 0n, version = 0n]) =>
      BigInt.asUintN(32, version) === BigInt(EFI_MEMORY_DESCRIPTOR_VERSION) &&
      descriptorSize >= BigInt(EFI_MEMORY_DESCRIPTOR.size())
        ? returned(EfiStatus.SUCCESS)
        : INVALID,
    ConvertPointer: () => returned(EfiStatus.UNSUPPORTED),
    GetVariable: ([name = 0n, vendor = 0n, attributes = 0n, size = 0n, data = 0n]) => {
      if (vendor === 0n || size === 0n) return INVALID;
      const part = {
        name,
        size: read(UINT64, size),
        data,
        vendor_guid: read(EFI_GUID, vendor),
      };
      return call('get_variable', 0, xen_efi_variable, part, ({ status, misc, part: left }) => {
        write(UINT64, size, left.size);
        const told = !isEfiError(status) || status === EfiStatus.BUFFER_TOO_SMALL;
        if (attributes !== 0n && told) write(UINT32, attributes, misc);
      });
    },
    GetNextVariableName: ([size = 0n, name = 0n, vendor = 0n]) => {
      if (size === 0n || vendor === 0n) return INVALID;
      const part = { size: read(UINT64, size), name, vendor_guid: read(EFI_GUID, vendor) };
      return call(
        'get_next_variable_name',
        0,
        xen_efi_next_variable_name,
        part,
        ({ part: left }) => {
          write(UINT64, size, left.size);
          write(EFI_GUID, vendor, left.vendor_guid);
        },
      );
    },
    SetVariable: ([name = 0n, vendor = 0n, attributes = 0n, size = 0n, data = 0n]) => {
      if (vendor === 0n) return INVALID;
      const part = { name, size, data, vendor_guid: read(EFI_GUID, vendor) };
      return call('set_variable', Number(BigInt.asUintN(32, attributes)), xen_efi_variable, part);
    },
    GetNextHighMonotonicCount: ([count = 0n]) =>
      count === 0n
        ? INVALID
        : call(
            'get_next_high_monotonic_count',
            0,
            xen_efi_no_part,
            { unused: 0 },
            onSuccess(({ misc }) => write(UINT32, count, misc)),
          ),
    ResetSystem: ([type = 0n]) => {
      const off = Number(BigInt.asUintN(32, type)) === ResetType.EfiResetShutdown;
      const done = shutDown(dom0, off ? 'poweroff' : 'reboot');
      if (!done.ok) return outcomeOf(done.failure, 'SCHEDOP_shutdown');
      return done.value === 'returned'
        ? returned(EfiStatus.UNSUPPORTED)
        : { kind: 'left', how: done.value };
    },
    UpdateCapsule: ([headers = 0n, count = 0n, list = 0n]) =>
      call('update_capsule', 0, xen_efi_capsule, {
        capsule_header_array: headers,
        capsule_count: count,
        max_capsule_size: list,
        reset_type: 0,
      }),
    QueryCapsuleCapabilities: ([headers = 0n, count = 0n, maxSize = 0n, reset = 0n]) => {
      if (maxSize === 0n || reset === 0n) return INVALID;
      const part = {
        capsule_header_array: headers,
        capsule_count: count,
        max_capsule_size: 0n,
        reset_type: 0,
      };
      return call(
        'query_capsule_capabilities',
        0,
        xen_efi_capsule,
        part,
        onSuccess(({ part: left }) => {
          write(UINT64, maxSize, left.max_capsule_size);
          write(UINT32, reset, left.reset_type);
        }),
      );
    },
    QueryVariableInfo: ([attributes = 0n, maxStore = 0n, remaining = 0n, maxSize = 0n]) => {
      if (maxStore === 0n || remaining === 0n || maxSize === 0n) return INVALID;
      const attr = Number(BigInt.asUintN(32, attributes));
      const part = { attr, max_store_size: 0n, remain_store_size: 0n, max_size: 0n };
      return call(
        'query_variable_info',
        0,
        xen_efi_variable_info,
        part,
        onSuccess(({ part: left }) => {
          write(UINT64, maxStore, left.max_store_size);
          write(UINT64, remaining, left.remain_store_size);
          write(UINT64, maxSize, left.max_size);
        }),
      );
    },
  };
};

/** Calls of runtime services that become hypercalls. There are no boot services below a hypervisor. */
export const createCallOps = (dom0: Dom0): EfiCallOps => {
  const table: Readonly<Partial<Record<EfiServiceName, Service>>> = services(dom0);
  return {
    call: (service, args) => {
      const run = table[service];
      if (run === undefined)
        return { kind: 'unavailable', why: `${service} ended when the hypervisor took over` };
      try {
        return run(args);
      } catch (error) {
        if (error instanceof PointerFault)
          return { kind: 'fault', why: `${service}: ${error.message}` };
        throw error;
      }
    },
  };
};

/** A backend whose calls below the runtime services are hypercalls, and whose every other member is `base`'s. */
export const efiCallBackend = (dom0: Dom0, base: PlatformBackend): PlatformBackend => ({
  name: 'xen-efi-call',
  detect: base.detect,
  base,
  call: () => createCallOps(dom0),
});
