/** What the EFI layer knows of a system, as plain values for `--json`, and as the rows that people read. */
import {
  formatAddress,
  formatEfiRevision,
  formatEfiStatus,
  formatEfiTime,
  memoryDescriptorEnd,
  memoryTypeName,
  RUNTIME_SERVICES,
  RuntimeSupported,
  variableLabel,
} from '@systab/efi-core';
import type { MemoryMap } from '@systab/efi-core';
import type { System } from './system.ts';

/** One entry of a memory map; addresses in hex. */
export interface RegionFacts {
  readonly type: string;
  readonly start: string;
  /** First address behind it. */
  readonly end: string;
  readonly attribute: string;
  /** Where runtime services see it; absent outside the runtime map. */
  readonly virtual?: string;
}

/** The resulting `efi` object and what its services answer. */
export interface EfiFacts {
  readonly vendor: string | null;
  /** `2.70` */
  readonly revision: string | null;
  readonly width: number;
  readonly systemTable: string | null;
  readonly facilities: readonly string[];
  readonly secureBoot: string;
  readonly runtimeServices: readonly string[];
  readonly configurationTables: readonly { readonly guid: string; readonly address: string }[];
  readonly memoryMap: readonly RegionFacts[];
  readonly runtimeMap: readonly RegionFacts[];
  readonly e820: readonly { readonly start: string; readonly end: string; readonly type: number }[];
  readonly firmware: readonly { readonly class: string; readonly version: number }[];
  /** `Name-guid`; null when the firmware does not tell. */
  readonly variables: readonly string[] | null;
  /** Bytes for non-volatile variables. */
  readonly storage: { readonly total: number; readonly free: number } | null;
  /** ISO 8601; the status when the clock cannot be read. */
  readonly time: string;
}

const regions = (map: MemoryMap | undefined, withVirtual: boolean): readonly RegionFacts[] =>
  (map?.descriptors ?? []).map((descriptor) => ({
    type: memoryTypeName(descriptor.type),
    start: formatAddress(descriptor.physicalStart),
    end: formatAddress(memoryDescriptorEnd(descriptor)),
    attribute: formatAddress(descriptor.attribute),
    ...(withVirtual ? { virtual: formatAddress(descriptor.virtualStart) } : {}),
  }));

/** Asks everything that can be asked. */
export const efiFacts = ({ efi, init, runtime }: System): EfiFacts => {
  const walk = runtime.variables.list();
  const space = runtime.variables.space();
  const now = runtime.services.getTime();
  return {
    vendor: efi.vendor ?? null,
    revision:
      efi.systemTable === undefined ? null : formatEfiRevision(efi.systemTable.hdr.revision),
    width: efi.width,
    systemTable: efi.systemTableAt === undefined ? null : formatAddress(efi.systemTableAt),
    facilities: efi.facilities.list(),
    secureBoot: efi.secureBoot,
    runtimeServices: efi.facilities.enabled('EFI_RUNTIME_SERVICES')
      ? RUNTIME_SERVICES.filter((name) => (efi.runtimeSupportedMask & RuntimeSupported[name]) !== 0)
      : [],
    configurationTables: efi.configurationTables.map(({ vendorGuid, vendorTable }) => ({
      guid: vendorGuid,
      address: formatAddress(vendorTable),
    })),
    memoryMap: regions(efi.memoryMap, false),
    runtimeMap: regions(efi.runtimeMap, true),
    e820: (init.e820 ?? []).map(({ start, size, type }) => ({
      start: formatAddress(start),
      end: formatAddress(start + size),
      type,
    })),
    firmware: runtime.firmware().map(({ fwClass, version }) => ({ class: fwClass, version })),
    variables:
      walk.end.kind === 'complete'
        ? walk.labels.map(({ name, vendorGuid }) => variableLabel(name, vendorGuid))
        : null,
    storage: space.ok ? { total: Number(space.value.total), free: Number(space.value.free) } : null,
    time: now.ok ? formatEfiTime(now.value.time) : formatEfiStatus(now.status),
  };
};

const MIB = 2 ** 20;

const megabytes = (list: readonly RegionFacts[], type?: string): string => {
  const bytes = list
    .filter((region) => type === undefined || region.type === type)
    .reduce((sum, { start, end }) => sum + Number(BigInt(end) - BigInt(start)), 0);
  return `${(bytes / MIB).toFixed(1)} MiB`;
};

/** Name and value of each fact that fits a line. */
export const factRows = (facts: EfiFacts): readonly (readonly [string, string])[] => {
  const { memoryMap, runtimeMap, storage, variables } = facts;
  const first = runtimeMap.at(-1)?.virtual;
  const none = 'none';
  return [
    [
      'firmware',
      facts.vendor === null
        ? 'not EFI'
        : `${facts.vendor}, EFI v${facts.revision ?? '?'}, ${String(facts.width)}-bit, system table ${facts.systemTable ?? ''}`,
    ],
    ['facilities', facts.facilities.join(' ') || none],
    ['config tables', String(facts.configurationTables.length)],
    [
      'memory map',
      memoryMap.length === 0
        ? none
        : `${String(memoryMap.length)} entries, ${megabytes(memoryMap, 'EfiConventionalMemory')} conventional`,
    ],
    [
      'runtime map',
      runtimeMap.length === 0 || first === undefined
        ? none
        : `${String(runtimeMap.length)} regions, ${megabytes(runtimeMap)}, from ${first}`,
    ],
    ['secure boot', facts.secureBoot],
    [
      'services',
      facts.runtimeServices.length === 0
        ? none
        : `${String(facts.runtimeServices.length)} of ${String(RUNTIME_SERVICES.length)}`,
    ],
    [
      'variables',
      variables === null
        ? none
        : `${String(variables.length)}${storage === null ? '' : `, ${String(storage.total - storage.free)} of ${String(storage.total)} bytes used`}`,
    ],
    ['time', facts.time],
  ];
};
