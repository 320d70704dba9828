import {
  EFI_PAGE_SIZE,
  efiOk,
  isBootServicesMemory,
  isRuntimeDescriptor,
  MemoryAttribute,
  MemoryType,
  memoryDescriptorEnd,
} from '@systab/efi-core';
import type { EfiResult, MemoryDescriptor, MemoryMap, PhysRange } from '@systab/efi-core';
import { keepMemory } from './context.ts';
import type { InitContext } from './context.ts';
import { tagMemoryRange } from './memory-map.ts';

/**
 * Keeps memory that a table lies in. Boot services data is tagged RUNTIME as well, so that it is neither freed nor left
 * unmapped when virtual mode is entered.
 */
export const reserveFirmwareMemory = (
  context: InitContext,
  range: PhysRange,
  why: string,
): void => {
  const { efi, tables, log } = context;
  if (!keepMemory(context, range, why)) log.warn(`efi: Could not reserve the ${why}`);
  if (efi.memoryMap === undefined) return;
  const at = `0x${range.start.toString(16)}`;
  const found = tables.init.describeMemory(range.start, efi.memoryMap);
  if (!found.ok || found.value.type !== MemoryType.EfiBootServicesData) {
    log.err(`efi: Failed to lookup EFI memory descriptor for ${at}`);
    return;
  }
  const start = BigInt(range.start);
  const length = BigInt(range.length);
  if (start + length > memoryDescriptorEnd(found.value)) {
    log.err(`efi: Region spans EFI memory descriptors, ${at}`);
    return;
  }
  efi.memoryMap = tagMemoryRange(efi.memoryMap, { start, length }, MemoryAttribute.RUNTIME);
};

const bootServicesOf = (map: MemoryMap): readonly MemoryDescriptor[] =>
  map.descriptors.filter(({ type }) => isBootServicesMemory(type));

/** A region with what was kept before in it is nobody's to free later: tagged RUNTIME as a whole. */
const tagKept = (map: MemoryMap, kept: readonly PhysRange[]): MemoryMap => ({
  ...map,
  descriptors: map.descriptors.map((descriptor) =>
    isBootServicesMemory(descriptor.type) &&
    kept.some(
      ({ start, length }) =>
        BigInt(start) < memoryDescriptorEnd(descriptor) &&
        BigInt(start) + BigInt(length) > descriptor.physicalStart,
    )
      ? { ...descriptor, attribute: descriptor.attribute | MemoryAttribute.RUNTIME }
      : descriptor,
  ),
});

/** Keeps boot services memory for now: firmware is known to touch it until SetVirtualAddressMap. Sets EFI_PRESERVE_BS_REGIONS. */
export const reserveBootServices = (context: InitContext): void => {
  const { efi, tables, log } = context;
  if (efi.memoryMap === undefined) return;
  efi.memoryMap = tagKept(efi.memoryMap, context.kept);
  const map = { ...efi.memoryMap, descriptors: bootServicesOf(efi.memoryMap) };
  const kept = tables.init.reserveBootServices(map);
  if (kept.ok) {
    efi.facilities.enable('EFI_PRESERVE_BS_REGIONS', 'boot services memory is kept for now');
  } else log.warn(`efi: Could not reserve boot services memory: ${kept.why ?? ''}`);
};

/** Low memory that start-up code of other processors may need is never handed out from here. */
const ONE_MIB = 0x10_0000n;

/** What of the boot services memory may go: all but tagged parts and the first MiB. */
export const freeableBootServices = (map: MemoryMap): MemoryMap => {
  const descriptors = bootServicesOf(map).flatMap((descriptor): readonly MemoryDescriptor[] => {
    const end = memoryDescriptorEnd(descriptor);
    if (isRuntimeDescriptor(descriptor) || end <= ONE_MIB) return [];
    const start = descriptor.physicalStart > ONE_MIB ? descriptor.physicalStart : ONE_MIB;
    const numberOfPages = (end - start) / BigInt(EFI_PAGE_SIZE);
    return [{ ...descriptor, physicalStart: start, numberOfPages }];
  });
  return { ...map, descriptors };
};

/** Hands boot services memory over, unless debugging keeps it. The value says whether it was. */
export const freeBootServices = ({
  efi,
  tables,
  commandLine,
  log,
}: InitContext): EfiResult<boolean> => {
  if (efi.memoryMap === undefined || commandLine.debug) return efiOk(false);
  if (!efi.facilities.enabled('EFI_PRESERVE_BS_REGIONS')) return efiOk(false);
  const freed = tables.init.freeBootServices(freeableBootServices(efi.memoryMap));
  if (!freed.ok) {
    log.warn(`efi: Could not free boot services memory: ${freed.why ?? ''}`);
    return freed;
  }
  efi.facilities.disable('EFI_PRESERVE_BS_REGIONS', 'boot services memory was handed over');
  return efiOk(true);
};
