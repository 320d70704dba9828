/** platform_op, hypercall 7: the envelope and the operations about EFI. Xen 4.17, xen/include/public/platform.h. */
import {
  byteArray,
  defineStruct,
  EFI_GUID,
  EFI_TIME,
  nested,
  UINT16,
  UINT32,
  UINT64,
} from '@systab/efi-core';
import type { EfiTime, Guid, Struct } from '@systab/efi-core';

const CLAUSE = 'Xen 4.17, public/platform.h';

/** What every platform_op must carry in `interface_version`. */
export const XENPF_INTERFACE_VERSION = 0x0300_0001;

/** `cmd` of an operation. */
export const XENPF: {
  readonly settime32: 17;
  readonly efi_runtime_call: 49;
  readonly firmware_info: 50;
  readonly enter_acpi_sleep: 51;
  readonly settime64: 62;
} = Object.freeze({
  settime32: 17,
  efi_runtime_call: 49,
  firmware_info: 50,
  enter_acpi_sleep: 51,
  settime64: 62,
});

/** Bytes of the union behind the head of the envelope. */
const UNION_SIZE = 128;

/** struct xen_platform_op. */
export interface XenPlatformOp {
  readonly cmd: number;
  readonly interface_version: number;
  readonly u: Uint8Array;
}

export const xen_platform_op: Struct<XenPlatformOp> = defineStruct<XenPlatformOp>(
  'xen_platform_op',
  CLAUSE,
  { cmd: UINT32, interface_version: UINT32, u: byteArray(UNION_SIZE) },
);

/** Function of `xenpf_efi_runtime_call`. There is none for ResetSystem, SetVirtualAddressMap and ConvertPointer. */
export const XEN_EFI: {
  readonly get_time: 1;
  readonly set_time: 2;
  readonly get_wakeup_time: 3;
  readonly set_wakeup_time: 4;
  readonly get_next_high_monotonic_count: 5;
  readonly get_variable: 6;
  readonly set_variable: 7;
  readonly get_next_variable_name: 8;
  readonly query_variable_info: 9;
  readonly query_capsule_capabilities: 10;
  readonly update_capsule: 11;
} = Object.freeze({
  get_time: 1,
  set_time: 2,
  get_wakeup_time: 3,
  set_wakeup_time: 4,
  get_next_high_monotonic_count: 5,
  get_variable: 6,
  set_variable: 7,
  get_next_variable_name: 8,
  query_variable_info: 9,
  query_capsule_capabilities: 10,
  update_capsule: 11,
});

/** Name of a function of `xenpf_efi_runtime_call`. */
export type XenEfiFunction = keyof typeof XEN_EFI;

/** Bits of `misc`, by function and direction. */
export const XEN_EFI_GET_TIME_SET_CLEARS_NS = 1;
export const XEN_EFI_GET_WAKEUP_TIME_ENABLED = 1;
export const XEN_EFI_GET_WAKEUP_TIME_PENDING = 2;
export const XEN_EFI_SET_WAKEUP_TIME_ENABLE = 1;
export const XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY = 2;
export const XEN_EFI_VARINFO_BOOT_SNAPSHOT = 1;

/** Head of struct xenpf_efi_runtime_call; the function's own part follows it. */
export interface XenpfEfiRuntimeCall {
  readonly function: number;
  readonly misc: number;
  readonly status: bigint;
}

export const xenpf_efi_runtime_call: Struct<XenpfEfiRuntimeCall> =
  defineStruct<XenpfEfiRuntimeCall>('xenpf_efi_runtime_call', CLAUSE, {
    function: UINT32,
    misc: UINT32,
    status: UINT64,
  });

/** Part of get_time. xenpf_efi_time is EFI_TIME. */
export interface XenEfiGetTime {
  readonly time: EfiTime;
  readonly resolution: number;
  readonly accuracy: number;
}

export const xen_efi_get_time: Struct<XenEfiGetTime> = defineStruct<XenEfiGetTime>(
  'xenpf_efi_runtime_call.get_time',
  CLAUSE,
  { time: nested(EFI_TIME), resolution: UINT32, accuracy: UINT32 },
);

/** Part of set_time, get_wakeup_time and set_wakeup_time. */
export const xen_efi_time: Struct<{ readonly time: EfiTime }> = defineStruct(
  'xenpf_efi_runtime_call.set_time',
  CLAUSE,
  { time: nested(EFI_TIME) },
);

/** Part of get_next_high_monotonic_count, which has none. */
export const xen_efi_no_part: Struct<{ readonly unused: number }> = defineStruct(
  'xenpf_efi_runtime_call',
  CLAUSE,
  { unused: UINT32 },
);

/** Part of get_variable and set_variable. */
export interface XenEfiVariable {
  /** Guest handle: a virtual address of the caller. */
  readonly name: bigint;
  readonly size: bigint;
  readonly data: bigint;
  readonly vendor_guid: Guid;
}

export const xen_efi_variable: Struct<XenEfiVariable> = defineStruct<XenEfiVariable>(
  'xenpf_efi_runtime_call.get_variable',
  CLAUSE,
  { name: UINT64, size: UINT64, data: UINT64, vendor_guid: EFI_GUID },
);

/** Part of get_next_variable_name. */
export interface XenEfiNextVariableName {
  readonly size: bigint;
  readonly name: bigint;
  readonly vendor_guid: Guid;
}

export const xen_efi_next_variable_name: Struct<XenEfiNextVariableName> =
  defineStruct<XenEfiNextVariableName>('xenpf_efi_runtime_call.get_next_variable_name', CLAUSE, {
    size: UINT64,
    name: UINT64,
    vendor_guid: EFI_GUID,
  });

/** Part of query_variable_info. */
export interface XenEfiVariableInfo {
  readonly attr: number;
  readonly max_store_size: bigint;
  readonly remain_store_size: bigint;
  readonly max_size: bigint;
}

export const xen_efi_variable_info: Struct<XenEfiVariableInfo> = defineStruct<XenEfiVariableInfo>(
  'xenpf_efi_runtime_call.query_variable_info',
  CLAUSE,
  { attr: UINT32, max_store_size: UINT64, remain_store_size: UINT64, max_size: UINT64 },
);

/** Part of query_capsule_capabilities, and with `max_capsule_size` as its sg_list of update_capsule. */
export interface XenEfiCapsule {
  readonly capsule_header_array: bigint;
  readonly capsule_count: bigint;
  readonly max_capsule_size: bigint;
  readonly reset_type: number;
}

export const xen_efi_capsule: Struct<XenEfiCapsule> = defineStruct<XenEfiCapsule>(
  'xenpf_efi_runtime_call.query_capsule_capabilities',
  CLAUSE,
  {
    capsule_header_array: UINT64,
    capsule_count: UINT64,
    max_capsule_size: UINT64,
    reset_type: UINT32,
  },
);

/** `type` of `xenpf_firmware_info` that asks about EFI. */
export const XEN_FW_EFI_INFO = 4;

/** `index` of `xenpf_firmware_info` of that type. */
export const XEN_FW_EFI: {
  readonly VERSION: 0;
  readonly CONFIG_TABLE: 1;
  readonly VENDOR: 2;
  readonly MEM_INFO: 3;
  readonly RT_VERSION: 4;
  readonly PCI_ROM: 5;
  readonly APPLE_PROPERTIES: 6;
} = Object.freeze({
  VERSION: 0,
  CONFIG_TABLE: 1,
  VENDOR: 2,
  MEM_INFO: 3,
  RT_VERSION: 4,
  PCI_ROM: 5,
  APPLE_PROPERTIES: 6,
});

/** Name of an index. */
export type XenFirmwareIndex = keyof typeof XEN_FW_EFI;

/** Head of struct xenpf_firmware_info; what the index asks for follows it. */
export interface XenpfFirmwareInfo {
  readonly type: number;
  readonly index: number;
}

export const xenpf_firmware_info: Struct<XenpfFirmwareInfo> = defineStruct<XenpfFirmwareInfo>(
  'xenpf_firmware_info',
  CLAUSE,
  { type: UINT32, index: UINT32 },
);

/** VERSION and RT_VERSION. */
export const xen_fw_version: Struct<{ readonly version: number }> = defineStruct(
  'xenpf_efi_info.version',
  CLAUSE,
  { version: UINT32 },
);

/** CONFIG_TABLE: the machine address of the array. */
export interface XenFwConfigTable {
  readonly addr: bigint;
  readonly nent: number;
}

export const xen_fw_config_table: Struct<XenFwConfigTable> = defineStruct<XenFwConfigTable>(
  'xenpf_efi_info.cfg',
  CLAUSE,
  { addr: UINT64, nent: UINT32 },
);

/** VENDOR: a buffer of `bufsz` bytes in, the firmware's revision out. */
export interface XenFwVendor {
  readonly revision: number;
  readonly bufsz: number;
  readonly name: bigint;
}

export const xen_fw_vendor: Struct<XenFwVendor> = defineStruct<XenFwVendor>(
  'xenpf_efi_info.vendor',
  CLAUSE,
  { revision: UINT32, bufsz: UINT32, name: UINT64 },
);

/** MEM_INFO: a range in, the part of it that one descriptor covers out. */
export interface XenFwMemInfo {
  readonly addr: bigint;
  readonly size: bigint;
  readonly attr: bigint;
  readonly type: number;
}

export const xen_fw_mem_info: Struct<XenFwMemInfo> = defineStruct<XenFwMemInfo>(
  'xenpf_efi_info.mem',
  CLAUSE,
  { addr: UINT64, size: UINT64, attr: UINT64, type: UINT32 },
);

/** struct xenpf_settime64. */
export interface XenpfSettime64 {
  readonly secs: bigint;
  readonly nsecs: number;
  readonly mbz: number;
  readonly system_time: bigint;
}

export const xenpf_settime64: Struct<XenpfSettime64> = defineStruct<XenpfSettime64>(
  'xenpf_settime64',
  CLAUSE,
  { secs: UINT64, nsecs: UINT32, mbz: UINT32, system_time: UINT64 },
);

/** struct xenpf_enter_acpi_sleep. */
export interface XenpfEnterAcpiSleep {
  readonly val_a: number;
  readonly val_b: number;
  readonly sleep_state: number;
  readonly flags: number;
}

export const xenpf_enter_acpi_sleep: Struct<XenpfEnterAcpiSleep> =
  defineStruct<XenpfEnterAcpiSleep>('xenpf_enter_acpi_sleep', CLAUSE, {
    val_a: UINT16,
    val_b: UINT16,
    sleep_state: UINT32,
    flags: UINT32,
  });
