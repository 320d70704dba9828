/** The two platform_ops about EFI, each with its structure taken apart. */
import type { EfiStatus, Struct } from '@systab/efi-core';
import {
  XEN_EFI,
  XEN_FW_EFI,
  XEN_FW_EFI_INFO,
  xen_platform_op,
  XENPF,
  xenpf_efi_runtime_call,
  xenpf_firmware_info,
} from '../abi/platform-op.ts';
import type { XenEfiFunction, XenFirmwareIndex } from '../abi/platform-op.ts';
import type { Dom0 } from './dom0.ts';
import { plainPlatformOp, platformOp } from './hypervisor.ts';
import { mapXen } from './hypercall.ts';
import type { XenResult } from './hypercall.ts';

/** What a runtime service left. */
export interface RuntimeCallResult<T> {
  readonly misc: number;
  readonly status: EfiStatus;
  readonly part: T;
}

/** Bytes a platform_op takes in the domain's memory. */
export const PLATFORM_OP_SIZE: number = xen_platform_op.size();

const HEAD = xenpf_efi_runtime_call.size();

/** XENPF_efi_runtime_call with the function's own part, its envelope at a place of the domain's memory. */
export const efiRuntimeCall = <T extends object>(
  dom0: Dom0,
  name: XenEfiFunction,
  misc: number,
  struct: Struct<T>,
  part: T,
  at: bigint,
): XenResult<RuntimeCallResult<T>> => {
  const payload = new Uint8Array(HEAD + struct.size());
  payload.set(xenpf_efi_runtime_call.encode({ function: XEN_EFI[name], misc, status: 0n }));
  payload.set(struct.encode(part), HEAD);
  return mapXen(platformOp(dom0, XENPF.efi_runtime_call, payload, at), (after) => {
    const head = xenpf_efi_runtime_call.decode(after);
    const left = struct.decode(after, HEAD);
    if (!head.ok || !left.ok) throw new Error('a platform_op of its own size decodes');
    return { misc: head.value.misc, status: head.value.status as EfiStatus, part: left.value };
  });
};

/** XENPF_firmware_info about EFI: the structure of an index in and out. */
export const efiFirmwareInfo = <T extends object>(
  dom0: Dom0,
  index: XenFirmwareIndex,
  struct: Struct<T>,
  part: T,
  at?: bigint,
): XenResult<T> => {
  const head = xenpf_firmware_info.size();
  const payload = new Uint8Array(head + struct.size());
  payload.set(xenpf_firmware_info.encode({ type: XEN_FW_EFI_INFO, index: XEN_FW_EFI[index] }));
  // The union of the information is aligned to 8 bytes, as is the end of its head.
  payload.set(struct.encode(part), head);
  const done =
    at === undefined
      ? plainPlatformOp(dom0, XENPF.firmware_info, payload)
      : platformOp(dom0, XENPF.firmware_info, payload, at);
  return mapXen(done, (after) => {
    const left = struct.decode(after, head);
    if (!left.ok) throw new Error('a platform_op of its own size decodes');
    return left.value;
  });
};
