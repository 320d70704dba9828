import {
  decodeMemoryMap,
  EFI_DONE,
  EFI_GUID,
  efiFail,
  EfiStatus,
  efiOk,
  isEfiError,
  MemoryType,
} from '@systab/efi-core';
import type {
  EfiCallOps,
  EfiResult,
  EfiServiceName,
  Guid,
  MemoryMap,
  PhysAddr,
  Width,
} from '@systab/efi-core';
import { callFailure, physAddr } from '@systab/efi-core';
import { invoke, readUintn, uintn } from './arguments.ts';
import type { Argument, ArgumentSpace } from './arguments.ts';

/** EFI_ALLOCATE_TYPE (UEFI 2.10, section 7.2.1). */
export const AllocateType = {
  AllocateAnyPages: 0,
  AllocateMaxAddress: 1,
  AllocateAddress: 2,
} as const;

/** Outputs of GetMemoryMap. */
export interface BootMemoryMap extends MemoryMap {
  readonly mapKey: bigint;
  /** The descriptors as the firmware wrote them. */
  readonly bytes: Uint8Array;
}

/** What a boot loader needs of the boot services, and `call` for the rest. */
export interface BootServices extends EfiCallOps {
  /** The map into a buffer of `size` bytes; EFI_BUFFER_TOO_SMALL says in `needed` how large it must be. */
  readonly getMemoryMap: (size: number) => EfiResult<BootMemoryMap>;
  /** `address` is the limit or the place, by `type`. */
  readonly allocatePages: (
    type: (typeof AllocateType)[keyof typeof AllocateType],
    memoryType: number,
    pages: number,
    address?: bigint,
  ) => EfiResult<PhysAddr>;
  readonly freePages: (at: PhysAddr, pages: number) => EfiResult<void>;
  /** The first instance of a protocol. */
  readonly locateProtocol: (protocol: Guid) => EfiResult<bigint>;
  readonly handleProtocol: (handle: bigint, protocol: Guid) => EfiResult<bigint>;
  readonly exitBootServices: (imageHandle: bigint, mapKey: bigint) => EfiResult<void>;
}

const SUCCESS_PARTS = { size: 0, map: 1, key: 2, descriptorSize: 3, version: 4 } as const;

const guidBytes = (guid: Guid): Uint8Array => {
  const bytes = new Uint8Array(EFI_GUID.size(64));
  EFI_GUID.write(new DataView(bytes.buffer), 0, guid, 64);
  return bytes;
};

const address = (raw: bigint, what: string): EfiResult<PhysAddr> => {
  const at = physAddr(raw);
  return at === undefined
    ? efiFail(EfiStatus.DEVICE_ERROR, { why: `${what} answered 0x${raw.toString(16)}` })
    : efiOk(at);
};

/** Typed calls over raw ones, for firmware of a width, with arguments in `space`. */
export const createBootServices = (
  { call }: EfiCallOps,
  space: ArgumentSpace,
  width: Width,
): BootServices => {
  const run = (
    service: EfiServiceName,
    args: readonly Argument[],
  ): EfiResult<{
    readonly status: EfiStatus;
    readonly after: readonly (Uint8Array | undefined)[];
  }> => {
    const done = invoke(space, call, width, service, args);
    if (!done.ok) return done;
    const { outcome, after } = done.value;
    const failure = callFailure(outcome);
    if (failure !== undefined) return failure;
    return outcome.kind === 'returned'
      ? efiOk({ status: outcome.status, after })
      : efiFail(EfiStatus.ABORTED, { why: `${service}: the machine ${outcome.kind}` });
  };
  const plain = (service: EfiServiceName, args: readonly Argument[]): EfiResult<void> => {
    const done = run(service, args);
    if (!done.ok) return done;
    return isEfiError(done.value.status) ? efiFail(done.value.status) : EFI_DONE;
  };
  /** The pointer a service stored through its argument number `index`. */
  const pointer = (
    service: EfiServiceName,
    args: readonly Argument[],
    index: number,
  ): EfiResult<bigint> => {
    const done = run(service, args);
    if (!done.ok) return done;
    const { status, after } = done.value;
    return isEfiError(status) ? efiFail(status) : efiOk(readUintn(after[index], width));
  };
  const empty = (): Uint8Array => uintn(0, width);

  return Object.freeze<BootServices>({
    call,
    getMemoryMap: (size) => {
      const done = run('GetMemoryMap', [
        uintn(size, width),
        size === 0 ? null : new Uint8Array(size),
        empty(),
        empty(),
        new Uint8Array(4),
      ]);
      if (!done.ok) return done;
      const { status, after } = done.value;
      const used = Number(readUintn(after[SUCCESS_PARTS.size], width));
      if (isEfiError(status)) {
        return efiFail(status, status === EfiStatus.BUFFER_TOO_SMALL ? { needed: used } : {});
      }
      const bytes = (after[SUCCESS_PARTS.map] ?? new Uint8Array()).subarray(0, used);
      const descriptorSize = Number(readUintn(after[SUCCESS_PARTS.descriptorSize], width));
      const version = after[SUCCESS_PARTS.version] ?? new Uint8Array(4);
      const descriptorVersion = new DataView(version.buffer, version.byteOffset).getUint32(0, true);
      const map = decodeMemoryMap(bytes, { descriptorSize, descriptorVersion });
      if (!map.ok) {
        return efiFail(EfiStatus.DEVICE_ERROR, {
          why: `GetMemoryMap: DescriptorSize ${String(descriptorSize)}`,
        });
      }
      return efiOk({ ...map.value, mapKey: readUintn(after[SUCCESS_PARTS.key], width), bytes });
    },
    allocatePages: (type, memoryType, pages, at = 0n) => {
      const place = new Uint8Array(8);
      new DataView(place.buffer).setBigUint64(0, at, true);
      const done = run('AllocatePages', [BigInt(type), BigInt(memoryType), BigInt(pages), place]);
      if (!done.ok) return done;
      if (isEfiError(done.value.status)) return efiFail(done.value.status);
      return address(readUintn(done.value.after[3], 64), 'AllocatePages');
    },
    freePages: (at, pages) => plain('FreePages', [BigInt(at), BigInt(pages)]),
    locateProtocol: (protocol) =>
      pointer('LocateProtocol', [guidBytes(protocol), null, empty()], 2),
    handleProtocol: (handle, protocol) =>
      pointer('HandleProtocol', [handle, guidBytes(protocol), empty()], 2),
    exitBootServices: (imageHandle, mapKey) => plain('ExitBootServices', [imageHandle, mapKey]),
  });
};

/** Room for descriptors that allocating the buffer itself may add (UEFI 2.10, section 7.2.3). */
const SLACK_DESCRIPTORS = 8;

/** Bytes of the largest map there may be: fifty times that of OVMF, and it fits the kernel's pages. */
const LARGEST_MAP = 0x8_0000;

/** The present map. */
const readMemoryMap = (services: BootServices): EfiResult<BootMemoryMap> => {
  let size = 0;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const map = services.getMemoryMap(size);
    if (map.ok && map.value.descriptors.length === 0)
      return efiFail(EfiStatus.DEVICE_ERROR, { why: 'GetMemoryMap answered an empty map' });
    if (map.ok || map.status !== EfiStatus.BUFFER_TOO_SMALL || map.needed === undefined) return map;
    size = map.needed + SLACK_DESCRIPTORS * 48;
    if (size > LARGEST_MAP) {
      return efiFail(EfiStatus.DEVICE_ERROR, {
        why: `GetMemoryMap wants ${String(map.needed)} bytes`,
      });
    }
  }
  return efiFail(EfiStatus.DEVICE_ERROR, { why: 'the memory map grows with every question' });
};

/**
 * Ends the boot services. The map key is stale when firmware changed the map on the way out; then only GetMemoryMap may still
 * be called, and the second attempt must do (UEFI 2.10, section 7.4.6). Gives the map that stands.
 */
export const leaveBootServices = (
  services: BootServices,
  imageHandle: bigint,
): EfiResult<BootMemoryMap> => {
  const first = readMemoryMap(services);
  if (!first.ok) return first;
  const left = services.exitBootServices(imageHandle, first.value.mapKey);
  if (left.ok) return first;
  if (left.status !== EfiStatus.INVALID_PARAMETER) return left;
  const second = readMemoryMap(services);
  if (!second.ok) return second;
  const again = services.exitBootServices(imageHandle, second.value.mapKey);
  return again.ok ? second : again;
};

/** What the kernel allocates for itself. */
export const KERNEL_MEMORY: number = MemoryType.EfiLoaderData;
