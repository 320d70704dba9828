// What a boot shows, as lines that can be compared: of Linux from the record, of our layer from the objects it fills in.
import {
  bytesToHex,
  efivarfsFileName,
  encodeEfivarfs,
} from '../../../packages/efi-core/src/index.ts';
import type { LinuxFacts } from '../../../tools/linux-oracle/src/index.ts';
import type { FirmwareSystem } from './firmware-system.ts';

/** What of the kernel's log our layer writes as well. */
const OUR_LINES = /^(efi|esrt|secureboot): /;
const E820_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'usable'],
  [2, 'reserved'],
  [3, 'ACPI data'],
  [4, 'ACPI NVS'],
]);

const RUNTIME_MAP = 'efi: EFI runtime memory map:';

/** The lines of a log, without numbers of regions, which shift when one is added before them, and by the map they are in. */
const logLines = (log: readonly string[]): readonly string[] => {
  const runtimeMap = log.indexOf(RUNTIME_MAP);
  return log.map((line, index) =>
    line
      .replace(/^efi: mem\d+: /, index < runtimeMap ? 'efi: mem: ' : 'efi: runtime mem: ')
      .trimEnd(),
  );
};

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const address = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;

const region = (
  type: string,
  start: string,
  virtual: string,
  pages: string,
  attribute: string,
): string =>
  `runtime-map: type=${type} phys=${start} virt=${virtual} pages=${pages} attribute=${attribute}`;

/** Lines of the record: log, E820 map, runtime map, variables, tables. */
export const linuxFactLines = (facts: LinuxFacts): readonly string[] => [
  ...logLines(facts.log.filter((line) => OUR_LINES.test(line))),
  ...facts.log.filter((line) => line.startsWith('BIOS-e820: ')),
  ...facts.runtimeMap.map((one) =>
    region(one.type, one.physicalStart, one.virtualStart, one.pages, one.attribute),
  ),
  ...facts.variables.map(({ name, bytes }) => `variable: ${name} ${bytes}`),
  `systab: runtime=${facts.sysfs.runtime?.trim()}`,
  `systab: config_table=${facts.sysfs.config_table?.trim()}`,
  `systab: fw_vendor=${facts.sysfs.fw_vendor?.trim()}`,
  `systab: fw_platform_size=${facts.sysfs.fw_platform_size?.trim()}`,
  ...Object.entries(facts.sysfs)
    .filter(([path]) => path.startsWith('esrt/'))
    .map(([path, text]) => `${path}: ${text.trim()}`),
];

const esrtLines = ({ init }: FirmwareSystem): readonly string[] => {
  const { esrt } = init.efi;
  if (esrt === undefined) return [];
  return [
    ...esrt.entries.flatMap((entry, index) =>
      Object.entries({
        capsule_flags: hex(entry.capsuleFlags),
        fw_class: entry.fwClass,
        fw_type: entry.fwType,
        fw_version: entry.fwVersion,
        last_attempt_status: entry.lastAttemptStatus,
        last_attempt_version: entry.lastAttemptVersion,
        lowest_supported_fw_version: entry.lowestSupportedFwVersion,
      }).map(([name, value]) => `esrt/entries/entry${index}/${name}: ${value}`),
    ),
    `esrt/fw_resource_count: ${esrt.entries.length}`,
    `esrt/fw_resource_count_max: ${esrt.fwResourceCountMax}`,
    `esrt/fw_resource_version: 1`,
  ];
};

const variableLines = ({ runtime }: FirmwareSystem): readonly string[] =>
  runtime.variables
    .list()
    .labels.map((label) => {
      const found = runtime.variables.read(label.name, label.vendorGuid);
      const content = found.ok ? bytesToHex(encodeEfivarfs(found.value)) : found.errno;
      return `variable: ${efivarfsFileName(label)} ${content}`;
    })
    .toSorted((left, right) => (left < right ? -1 : 1));

/** The same lines of our layer. */
export const ourFactLines = (system: FirmwareSystem): readonly string[] => {
  const { efi, e820 = [], log } = system.init;
  const { systemTable } = efi;
  return [
    ...logLines(log.map(({ text }) => text)),
    ...e820.map(
      ({ start, size, type }) =>
        `BIOS-e820: [mem ${address(start)}-${address(start + size - 1n)}] ${E820_NAMES.get(type)}`,
    ),
    ...(efi.runtimeMap?.descriptors ?? []).map((one) =>
      region(
        hex(one.type),
        hex(one.physicalStart),
        hex(one.virtualStart),
        hex(one.numberOfPages),
        hex(one.attribute),
      ),
    ),
    ...variableLines(system),
    `systab: runtime=${hex(systemTable?.runtimeServices ?? 0n)}`,
    `systab: config_table=${hex(systemTable?.configurationTable ?? 0n)}`,
    `systab: fw_vendor=${hex(systemTable?.firmwareVendor ?? 0n)}`,
    `systab: fw_platform_size=${efi.width}`,
    ...esrtLines(system),
  ];
};
