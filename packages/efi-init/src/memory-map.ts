import {
  decodeMemoryMap,
  EFI_MEMORY_DESCRIPTOR_VERSION,
  EFI_PAGE_SIZE,
  MemoryAttribute,
  MemoryType,
  memoryDescriptorEnd,
  memoryDescriptorFaults,
  memoryOverlaps,
} from '@systab/efi-core';
import type { MemoryDescriptor, MemoryMap } from '@systab/efi-core';
import { keepMemory, readFirmware } from './context.ts';
import type { InitContext } from './context.ts';
import { deviceRanges, e820FromMemoryMap, removeFromE820, sanitizeE820 } from './e820.ts';

/** Bytes; no firmware describes its memory in so many words. */
const LARGEST_MAP = 0x100_0000;

// Names and columns of the kernel's dump, in its order.
const TYPE_NAMES: readonly string[] = [
  'Reserved',
  'Loader Code',
  'Loader Data',
  'Boot Code',
  'Boot Data',
  'Runtime Code',
  'Runtime Data',
  'Conventional',
  'Unusable',
  'ACPI Reclaim',
  'ACPI Mem NVS',
  'MMIO',
  'MMIO Port',
  'PAL Code',
  'Persistent',
  'Unaccepted',
];
const NAME_WIDTH = 12;
const M = MemoryAttribute;
const COLUMNS: readonly (readonly [string, bigint])[] = [
  ['RUN', M.RUNTIME],
  ['HP', M.HOT_PLUGGABLE],
  ['MR', M.MORE_RELIABLE],
  ['CC', M.CPU_CRYPTO],
  ['SP', M.SP],
  ['NV', M.NV],
  ['XP', M.XP],
  ['RP', M.RP],
  ['WP', M.WP],
  ['RO', M.RO],
  ['UCE', M.UCE],
  ['WB', M.WB],
  ['WT', M.WT],
  ['WC', M.WC],
  ['UC', M.UC],
];
const KNOWN_ATTRIBUTES = COLUMNS.reduce((all, [, bit]) => all | bit, 0n);

const hex = (value: bigint, digits: number): string =>
  `0x${value.toString(16).padStart(digits, '0')}`;
const memIndex = (index: number): string => `mem${String(index).padStart(2, '0')}`;

/** Type and attributes of a descriptor in the columns of the kernel's dump. */
export const formatMemoryType = ({ type, attribute }: MemoryDescriptor): string => {
  const name = TYPE_NAMES[type]?.padEnd(NAME_WIDTH) ?? `type=${String(type)}`;
  if ((attribute & ~KNOWN_ATTRIBUTES) !== 0n) return `[${name}|attr=${hex(attribute, 16)}]`;
  const columns = COLUMNS.map(([label, bit]) =>
    (attribute & bit) === 0n ? ' '.repeat(label.length) : label,
  );
  return `[${name}|${columns.join('|')}]`;
};

/** One line of the kernel's dump: `mem03: [Conventional|…] range=[0x…-0x…] (12MB)`, the end included. */
export const formatMemoryDescriptor = (descriptor: MemoryDescriptor, index: number): string => {
  const end = BigInt.asUintN(64, memoryDescriptorEnd(descriptor) - 1n);
  const range = `[${hex(descriptor.physicalStart, 16)}-${hex(end, 16)}]`;
  const size = BigInt.asUintN(64, descriptor.numberOfPages >> 8n);
  return `${memIndex(index)}: ${formatMemoryType(descriptor)} range=${range} (${String(size)}MB)`;
};

/** Reads the memory map the loader left and keeps its place from being handed out. Sets EFI_MEMMAP. */
export const adoptMemoryMap = (context: InitContext): void => {
  const { efi, tables, log } = context;
  if (!efi.facilities.enabled('EFI_BOOT')) return;
  const found = tables.init.locateMemoryMap();
  if (!found.ok) {
    log.debug(`efi: no memory map: ${found.why ?? 'the platform has none'}`);
    return;
  }
  const { address, size, descriptorVersion = EFI_MEMORY_DESCRIPTOR_VERSION } = found.value;
  const bytes =
    size > LARGEST_MAP ? undefined : readFirmware(tables.memory, address, Math.max(0, size));
  const map = bytes?.ok === true ? decodeMemoryMap(bytes.value, found.value) : undefined;
  if (map?.ok !== true) {
    const place = `phys_map=0x${address.toString(16)}, size=0x${size.toString(16)}`;
    log.err(`efi: Could not map the memory map! ${place}`);
    return;
  }
  if (descriptorVersion !== EFI_MEMORY_DESCRIPTOR_VERSION) {
    log.warn(`efi: Unexpected EFI_MEMORY_DESCRIPTOR version ${String(descriptorVersion)}`);
  }
  if (!keepMemory(context, { start: address, length: size }, 'memory map'))
    log.warn('efi: Could not reserve the memory map');
  efi.memoryMap = map.value;
  efi.facilities.enable('EFI_MEMMAP', 'the memory map was read');
};

/** A descriptor with its place in the map it came from. */
export interface PlacedDescriptor {
  readonly descriptor: MemoryDescriptor;
  readonly index: number;
}

/** Descriptors that can be true, and the rest with their place in the map. */
export const splitMemoryMap = (
  map: MemoryMap,
): { readonly sound: MemoryMap; readonly bad: readonly PlacedDescriptor[] } => {
  const sound: MemoryDescriptor[] = [];
  const bad: PlacedDescriptor[] = [];
  map.descriptors.forEach((descriptor, index) => {
    if (memoryDescriptorFaults(descriptor).length === 0) sound.push(descriptor);
    else bad.push({ descriptor, index });
  });
  return { sound: { ...map, descriptors: sound }, bad };
};

/** Drops descriptors that cannot be true, tells overlaps, dumps the map when debugging. */
export const cleanMemoryMap = ({ efi, commandLine, log }: InitContext): void => {
  if (efi.memoryMap === undefined) return;
  const { sound, bad } = splitMemoryMap(efi.memoryMap);
  if (bad.length > 0) {
    log.warn('efi: [Firmware Bug]: Invalid EFI memory map entries:');
    for (const { descriptor, index } of bad) {
      log.warn(
        `efi: ${formatMemoryDescriptor(descriptor, index).replace(/\(\d+MB\)$/, '(invalid)')}`,
      );
    }
    log.warn(`efi: Removing ${String(bad.length)} invalid memory map entries.`);
  }
  efi.memoryMap = sound;
  for (const { first, second } of memoryOverlaps(sound)) {
    log.warn(`efi: [Firmware Bug]: ${memIndex(first)} and ${memIndex(second)} overlap`);
  }
  if (!commandLine.debug) return;
  sound.descriptors.forEach((descriptor, index) => {
    log.info(`efi: ${formatMemoryDescriptor(descriptor, index)}`);
  });
};

/** Brings the E820 map and the memory map together: adds the one to the other where asked, takes large device ranges out. */
export const updateE820 = (context: InitContext): void => {
  const { efi, commandLine, log } = context;
  const { memoryMap } = efi;
  if (memoryMap === undefined) return;
  const softReserve = !commandLine.noSoftReserve;
  const special = memoryMap.descriptors.some(
    ({ type, attribute }) =>
      type === MemoryType.EfiConventionalMemory && (attribute & MemoryAttribute.SP) !== 0n,
  );
  if (context.e820 === undefined) {
    context.e820 = e820FromMemoryMap(memoryMap, { by: 'stub', softReserve });
  } else if (commandLine.addMemoryMap || (special && softReserve)) {
    const added = e820FromMemoryMap(memoryMap, { by: 'kernel', softReserve });
    context.e820 = sanitizeE820([...context.e820, ...added]);
  }
  for (const { index, entry, large } of deviceRanges(memoryMap)) {
    const last = entry.start + entry.size - 1n;
    const range = `MMIO range=[${hex(entry.start, 8)}-${hex(last, 8)}]`;
    if (large) {
      context.e820 = removeFromE820(context.e820, entry);
      const size = String(entry.size >> 20n);
      log.info(`efi: Remove ${memIndex(index)}: ${range} (${size}MB) from e820 map`);
    } else {
      const size = String(entry.size >> 10n);
      log.info(`efi: Not removing ${memIndex(index)}: ${range} (${size}KB) from e820 map`);
    }
  }
};

/** Joins descriptors that follow each other in the table, lie side by side and agree in type and attributes. */
export const mergeMemoryMap = (map: MemoryMap): MemoryMap => {
  const descriptors: MemoryDescriptor[] = [];
  for (const next of map.descriptors) {
    const last = descriptors.at(-1);
    const joins =
      last !== undefined &&
      last.type === next.type &&
      last.attribute === next.attribute &&
      memoryDescriptorEnd(last) === next.physicalStart;
    if (joins) {
      const numberOfPages = last.numberOfPages + next.numberOfPages;
      descriptors.splice(-1, 1, { ...last, numberOfPages });
    } else descriptors.push(next);
  }
  return { ...map, descriptors };
};

/** ORs attributes into the pages that a range touches, splitting descriptors at its edges. */
export const tagMemoryRange = (
  map: MemoryMap,
  range: { readonly start: bigint; readonly length: bigint },
  attribute: bigint,
): MemoryMap => {
  const page = BigInt(EFI_PAGE_SIZE);
  const from = range.start - (range.start % page);
  const to = ((range.start + range.length + page - 1n) / page) * page;
  const descriptors = map.descriptors.flatMap((descriptor): readonly MemoryDescriptor[] => {
    const end = memoryDescriptorEnd(descriptor);
    const left = from > descriptor.physicalStart ? from : descriptor.physicalStart;
    const right = to < end ? to : end;
    if (left >= right) return [descriptor];
    const piece = (start: bigint, stop: bigint, more: bigint): MemoryDescriptor => ({
      ...descriptor,
      physicalStart: start,
      numberOfPages: (stop - start) / page,
      attribute: descriptor.attribute | more,
    });
    return [
      piece(descriptor.physicalStart, left, 0n),
      piece(left, right, attribute),
      piece(right, end, 0n),
    ].filter(({ numberOfPages }) => numberOfPages > 0n);
  });
  return { ...map, descriptors };
};
