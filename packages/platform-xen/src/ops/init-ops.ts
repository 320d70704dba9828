import {
  EFI_DONE,
  EFI_PAGE_SHIFT,
  efiFail,
  efiOk,
  EfiStatus,
  findMemoryDescriptor,
  formatAddress,
  memoryTypeName,
  MemoryType,
  pageStart,
  physAddr,
  unsupported,
} from '@systab/efi-core';
import type { EfiInitOps, EfiResult, MemoryOps, PhysAddr } from '@systab/efi-core';
import type { Dom0 } from '../domain/dom0.ts';
import { hypercallEfiFailure } from '../domain/hypercall.ts';
import { memoryInfo, prepareMemoryMap } from './memory-map.ts';
import type { XenMemoryMapChoice } from './memory-map.ts';
import { identifyFirmware, writeSystemTable } from './system-table.ts';
import type { SystemTablePointers } from './system-table.ts';

/** What can be chosen about initialisation. */
export interface XenInitOptions extends SystemTablePointers {
  /** Default `absent`, as Linux has it. */
  readonly memoryMap?: XenMemoryMapChoice;
}

/** Types whose memory is still the firmware's while the domain runs (Linux: xen_efi_config_table_is_usable). */
const KEPT_TYPES: ReadonlySet<number> = new Set([
  MemoryType.EfiReservedMemoryType,
  MemoryType.EfiRuntimeServicesCode,
  MemoryType.EfiRuntimeServicesData,
  MemoryType.EfiACPIReclaimMemory,
  MemoryType.EfiACPIMemoryNVS,
]);

/** The steps of initialisation in a dom0. What is not here needs nothing done: the hypervisor has done it. */
export const createInitOps = (
  dom0: Dom0,
  memory: MemoryOps,
  options: XenInitOptions = {},
): Partial<EfiInitOps> => {
  const { memoryMap = 'absent' } = options;

  const adopt = (table: PhysAddr): EfiResult<void> => {
    const info = memoryInfo(dom0, BigInt(pageStart(table)));
    // An address no descriptor covers was never RAM, so nobody else was given it.
    if (!info.ok && info.failure.kind === 'failed') return EFI_DONE;
    if (!info.ok) return hypercallEfiFailure(info.failure, 'XEN_FW_EFI_MEM_INFO');
    if (KEPT_TYPES.has(info.value.type)) return EFI_DONE;
    return efiFail(EfiStatus.UNSUPPORTED, {
      why: `${formatAddress(table)} is ${memoryTypeName(info.value.type)}, which the hypervisor has given away`,
    });
  };

  return {
    locateSystemTable: () => {
      const identity = identifyFirmware(dom0);
      if (!identity.ok) return identity;
      const address = writeSystemTable(memory, identity.value, options);
      return address.ok ? efiOk({ address: address.value, width: 64 }) : address;
    },
    adoptConfigurationTable: ({ vendorTable }) => {
      const at = physAddr(vendorTable);
      return at === undefined
        ? efiFail(EfiStatus.INVALID_PARAMETER, { why: 'no machine has such an address' })
        : adopt(at);
    },
    locateMemoryMap:
      memoryMap === 'absent'
        ? unsupported('the hypervisor owns the memory map')
        : () => prepareMemoryMap(dom0, memory, memoryMap),
    describeMemory: (at, map) => {
      const known = map === undefined ? undefined : findMemoryDescriptor(map, at);
      if (known !== undefined) return efiOk(known);
      const start = BigInt(pageStart(at));
      const info = memoryInfo(dom0, start);
      if (!info.ok)
        return info.failure.kind === 'failed' && info.failure.errno === 'ESRCH'
          ? efiFail(EfiStatus.NOT_FOUND)
          : hypercallEfiFailure(info.failure, 'XEN_FW_EFI_MEM_INFO');
      return efiOk({
        type: info.value.type,
        physicalStart: start,
        virtualStart: 0n,
        numberOfPages: info.value.size >> BigInt(EFI_PAGE_SHIFT),
        attribute: info.value.attr,
      });
    },
  };
};
