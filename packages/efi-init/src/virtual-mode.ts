import { isBootServicesMemory, isRuntimeDescriptor, memoryDescriptorEnd } from '@systab/efi-core';
import type { EfiFailure, MemoryDescriptor, VirtualModePlan } from '@systab/efi-core';
import type { InitContext } from './context.ts';
import { layOutRegions, pageMappings } from './mappings.ts';
import { memoryAttributesFault } from './memory-attributes.ts';
import { formatMemoryDescriptor, formatMemoryType, mergeMemoryMap } from './memory-map.ts';
import { freeBootServices } from './reservation.ts';

/**
 * Lets runtime services be called, unless the command line forbids it; then the memory map has no more use and goes. Where the
 * services are is not looked at: that is for those who call them. Sets EFI_RUNTIME_SERVICES.
 */
export const allowRuntimeServices = ({ efi, commandLine, log }: InitContext): void => {
  const { facilities } = efi;
  if (!facilities.enabled('EFI_CONFIG_TABLES')) return;
  if (!commandLine.runtimeDisabled) {
    facilities.enable('EFI_RUNTIME_SERVICES', 'the firmware tables are sound');
    return;
  }
  log.info('efi: EFI runtime services are disabled on the command line');
  efi.runtimeSupportedMask = 0;
  efi.memoryMap = undefined;
  facilities.disable('EFI_MEMMAP', 'nothing needs the memory map without runtime services');
};

/** Works out what entering virtual mode needs; undefined without a memory map or without runtime services. */
const planVirtualMode = ({ efi, commandLine, log }: InitContext): VirtualModePlan | undefined => {
  if (efi.memoryMap === undefined || !efi.facilities.enabled('EFI_RUNTIME_SERVICES'))
    return undefined;
  const merged = mergeMemoryMap(efi.memoryMap);
  const identity = efi.width === 32 || commandLine.noVirtualMap;
  const { map, unplaced } = layOutRegions(merged, efi.width, identity);
  if (unplaced.length > 0) log.warn('efi: [Firmware Warn]: VA address range overflow!');
  if (commandLine.debug) {
    log.info('efi: EFI runtime memory map:');
    map.descriptors.forEach((descriptor, index) => {
      log.info(`efi: ${formatMemoryDescriptor(descriptor, index)}`);
    });
  }
  return { map, mappings: pageMappings(map.descriptors) };
};

const disable = ({ efi, log }: InitContext, what: string, failure: EfiFailure): void => {
  const status = failure.status.toString(16);
  log.err(`efi: ${what} (status=${status})!`);
  efi.facilities.disable('EFI_RUNTIME_SERVICES', failure.why ?? `${what}: ${status}`);
};

/**
 * Enters virtual mode, or with `efi=novamap` only installs the page table. What fails here ends runtime services, not the
 * boot; the mapped regions with their addresses become `efi.runtimeMap`.
 */
export const enterVirtualMode = (context: InitContext): void => {
  const { efi, tables, commandLine } = context;
  const plan = planVirtualMode(context);
  if (plan === undefined) return;
  const entered = commandLine.noVirtualMap
    ? tables.memory.installPageTable(plan.mappings)
    : tables.init.enterVirtualMode(plan);
  if (!entered.ok) {
    disable(context, 'Unable to switch EFI into virtual mode', entered);
    return;
  }
  efi.runtimeMap = plan.map;
};

/** An entry as the kernel dumps it, marked where it is not applied. */
const formatAttributes = (entry: MemoryDescriptor, sound: boolean): string => {
  const [start, last] = [entry.physicalStart, memoryDescriptorEnd(entry) - 1n].map(
    (at) => `0x${at.toString(16).padStart(12, '0')}`,
  );
  return `${sound ? '' : '!'} ${start}-${last} ${formatMemoryType(entry)}`;
};

/** Entries of the memory attributes table that can be applied. */
const soundAttributes = ({ efi, commandLine, log }: InitContext): readonly MemoryDescriptor[] => {
  if (efi.memoryAttributes === undefined || efi.runtimeMap === undefined) return [];
  if (commandLine.debug) log.info('efi: memattr: Processing EFI Memory Attributes table:');
  const sound: MemoryDescriptor[] = [];
  for (const entry of efi.memoryAttributes.entries) {
    const fault = memoryAttributesFault(efi.runtimeMap, entry);
    if (fault === undefined) sound.push(entry);
    else log.warn(`efi: memattr: ${fault}: 0x${entry.physicalStart.toString(16)}`);
    if (commandLine.debug)
      log.info(`efi: memattr: ${formatAttributes(entry, fault === undefined)}`);
  }
  return sound;
};

/**
 * Gives boot services memory back and takes what runtime services do not need out of their page table: freed regions, and
 * write or execute permission where the memory attributes table says so. Not before SetVirtualAddressMap, which still
 * relocates code.
 */
export const settleVirtualMode = (context: InitContext): void => {
  const { efi, tables } = context;
  if (efi.runtimeMap === undefined) return;
  const freed = freeBootServices(context);
  const attributes = soundAttributes(context);
  if (!(freed.ok && freed.value) && attributes.length === 0) return;
  const gone = (region: MemoryDescriptor): boolean =>
    freed.ok && freed.value && isBootServicesMemory(region.type) && !isRuntimeDescriptor(region);
  const kept = efi.runtimeMap.descriptors.filter((region) => !gone(region));
  const installed = tables.memory.installPageTable(pageMappings(kept, attributes));
  if (!installed.ok) disable(context, 'Failed to update the EFI page table', installed);
};
