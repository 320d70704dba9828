/** Memory maps for a domain that the firmware gave none: from the machine's E820 map, or descriptor by descriptor. */
import {
  EFI_MEMORY_DESCRIPTOR_VERSION,
  EFI_PAGE_SHIFT,
  EFI_PAGE_SIZE,
  efiOk,
  encodeMemoryMap,
  MemoryAttribute,
  MemoryType,
  pagesFor,
} from '@systab/efi-core';
import type { EfiResult, MemoryDescriptor, MemoryMapLocation, MemoryOps } from '@systab/efi-core';
import { E820 } from '../abi/memory-op.ts';
import type { E820Entry } from '../abi/memory-op.ts';
import { xen_fw_mem_info } from '../abi/platform-op.ts';
import type { XenFwMemInfo } from '../abi/platform-op.ts';
import type { Dom0 } from '../domain/dom0.ts';
import { efiFirmwareInfo } from '../domain/efi-hypercalls.ts';
import { hypercallEfiFailure } from '../domain/hypercall.ts';
import type { XenResult } from '../domain/hypercall.ts';
import { machineMemoryMap } from '../domain/hypervisor.ts';

/**
 * Which memory map the domain has: none, as Linux under Xen; the machine's E820 map in EFI's words; or the firmware's own, put together
 * from XEN_FW_EFI_MEM_INFO.
 */
export type XenMemoryMapChoice = 'absent' | 'machine' | 'firmware';

const DESCRIPTOR_SIZE = 48;
const PAGE = BigInt(EFI_PAGE_SIZE);
const TO_THE_END = 0xffff_ffff_ffff_ffffn;

/** The type and attributes of an E820 type; everything else is reserved. */
const EFI_OF_E820: ReadonlyMap<number, { readonly type: number; readonly attribute: bigint }> =
  new Map([
    [E820.RAM, { type: MemoryType.EfiConventionalMemory, attribute: MemoryAttribute.WB }],
    [E820.ACPI, { type: MemoryType.EfiACPIReclaimMemory, attribute: MemoryAttribute.WB }],
    [E820.NVS, { type: MemoryType.EfiACPIMemoryNVS, attribute: MemoryAttribute.WB }],
    [E820.UNUSABLE, { type: MemoryType.EfiUnusableMemory, attribute: MemoryAttribute.WB }],
  ]);
const RESERVED = { type: MemoryType.EfiReservedMemoryType, attribute: 0n };

const descriptorOf = (
  start: bigint,
  size: bigint,
  what: { readonly type: number; readonly attribute: bigint },
): MemoryDescriptor => ({
  type: what.type,
  physicalStart: start,
  virtualStart: 0n,
  numberOfPages: size >> BigInt(EFI_PAGE_SHIFT),
  attribute: what.attribute,
});

const fromE820 = (entries: readonly E820Entry[]): readonly MemoryDescriptor[] =>
  entries.map(({ addr, size, type }) =>
    descriptorOf(addr, size, EFI_OF_E820.get(type) ?? RESERVED),
  );

/** The descriptor that covers an address, from there to its end. */
export const memoryInfo = (dom0: Dom0, at: bigint): XenResult<XenFwMemInfo> =>
  efiFirmwareInfo(dom0, 'MEM_INFO', xen_fw_mem_info, {
    addr: at,
    size: TO_THE_END - at,
    attr: 0n,
    type: 0,
  });

/** Walks from descriptor to descriptor; where the firmware's map has none, the next entry of the machine's map goes on. */
const fromFirmware = (
  dom0: Dom0,
  entries: readonly E820Entry[],
): XenResult<readonly MemoryDescriptor[]> => {
  const descriptors: MemoryDescriptor[] = [];
  let at = 0n;
  for (const { addr, size } of entries) {
    at = at > addr ? at : addr;
    while (at < addr + size) {
      const info = memoryInfo(dom0, at);
      // What the hypervisor reserves for itself is in no descriptor.
      if (!info.ok && info.failure.kind === 'failed' && info.failure.errno === 'ESRCH') break;
      if (!info.ok) return info;
      const { attr, type } = info.value;
      // Not even a page would go on for ever.
      if (info.value.size < PAGE) break;
      descriptors.push(descriptorOf(at, info.value.size, { type, attribute: attr }));
      at += info.value.size;
    }
  }
  return { ok: true, value: descriptors };
};

/** Puts a memory map of the chosen kind into memory of the domain. */
export const prepareMemoryMap = (
  dom0: Dom0,
  memory: Pick<MemoryOps, 'allocatePages' | 'write'>,
  choice: Exclude<XenMemoryMapChoice, 'absent'>,
): EfiResult<MemoryMapLocation> => {
  const entries = machineMemoryMap(dom0);
  if (!entries.ok) return hypercallEfiFailure(entries.failure, 'XENMEM_machine_memory_map');
  const found =
    choice === 'machine'
      ? ({ ok: true, value: fromE820(entries.value) } as const)
      : fromFirmware(dom0, entries.value);
  if (!found.ok) return hypercallEfiFailure(found.failure, 'XEN_FW_EFI_MEM_INFO');
  const bytes = encodeMemoryMap({
    descriptorSize: DESCRIPTOR_SIZE,
    descriptorVersion: EFI_MEMORY_DESCRIPTOR_VERSION,
    descriptors: found.value,
  });
  const pages = memory.allocatePages({ pages: pagesFor(bytes.length) });
  if (!pages.ok) return pages;
  const written = memory.write(pages.value, bytes);
  if (!written.ok) return written;
  return efiOk({ address: pages.value, size: bytes.length, descriptorSize: DESCRIPTOR_SIZE });
};
