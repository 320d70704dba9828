import {
  decodeMemoryMap,
  EFI_2_00_REVISION,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  EfiFacility,
  findConfigurationTable,
  isBootServicesMemory,
  isRuntimeDescriptor,
  isRuntimeServicesMemory,
  memoryDescriptorFaults,
  memoryOverlaps,
  MemoryType,
  physAddr,
  verifyEfiTableCrc,
  WellKnownGuid,
} from '@systab/efi-core';
import type { Guid, MemoryMap } from '@systab/efi-core';
import { CALLABLE_SERVICES, plainCall } from '../capability.ts';
import type { Check } from '../check.ts';
import { checksOf, told, yes } from '../check.ts';
import type { Running } from '../running.ts';

const INIT = checksOf('initialisation', 'UEFI 2.10, 4.3 and 4.6', ['firmware tables']);
const PLATFORM = checksOf('platform', 'ARCHITECTURE.md, Who may import whom', []);
const MAP = checksOf('memory map', 'UEFI 2.10, 7.2.3', ['firmware tables', 'memory map']);

const facility = ({ efi }: Running, name: EfiFacility): string => yes(efi.facilities.enabled(name));

const hasTable = ({ efi }: Running, name: Guid): boolean =>
  findConfigurationTable(efi.configurationTables, name) !== undefined;

/** Whether the table at an address has the CRC it says. */
const isSealed = ({ tables }: Running, at: bigint | number, length: number): string => {
  const start = physAddr(at);
  const bytes = start === undefined ? undefined : tables.memory.read(start, length);
  if (bytes?.ok !== true) return 'cannot be read';
  const sealed = verifyEfiTableCrc(bytes.value);
  return yes(sealed.ok && sealed.value);
};

/** Every service refuses, and none is entered. */
const refusals = (running: Running): string => {
  const before = running.system.calls?.length;
  const statuses = CALLABLE_SERVICES.map((service) => told(plainCall(running.services, service)));
  const entered = running.system.calls?.length !== before ? ['entered the firmware'] : [];
  return [...new Set([...statuses, ...entered])].join();
};

/** Why every service refuses. */
const reasons = ({ services }: Running): string => {
  const given = CALLABLE_SERVICES.map((service) => {
    const refused = plainCall(services, service);
    return refused.ok ? 'answers' : (refused.why ?? 'says nothing');
  });
  return [...new Set(given)].join();
};

/** The map as the platform gave it. */
const rawMap = ({ tables }: Running): MemoryMap | undefined => {
  const where = tables.init.locateMemoryMap();
  if (!where.ok) return undefined;
  const { address, size, ...shape } = where.value;
  const bytes = tables.memory.read(address, size);
  const map = bytes.ok ? decodeMemoryMap(bytes.value, shape) : undefined;
  return map?.ok === true ? map.value : undefined;
};

export const INITIALISATION: readonly Check[] = [
  INIT.check(
    'the facilities of a sound boot',
    (running) => ({
      EFI_BOOT: facility(running, 'EFI_BOOT'),
      EFI_CONFIG_TABLES: facility(running, 'EFI_CONFIG_TABLES'),
      EFI_RUNTIME_SERVICES: facility(running, 'EFI_RUNTIME_SERVICES'),
      'EFI_64BIT as wide as the firmware': yes(
        running.efi.facilities.enabled('EFI_64BIT') === (running.efi.width === 64),
      ),
      'EFI_MEM_ATTR with the table of that name': yes(
        running.efi.facilities.enabled('EFI_MEM_ATTR') ===
          hasTable(running, WellKnownGuid.EFI_MEMORY_ATTRIBUTES_TABLE_GUID),
      ),
      EFI_DBG: facility(running, 'EFI_DBG'),
      'memory is not kept back': facility(running, 'EFI_PRESERVE_BS_REGIONS'),
      'each known': yes(running.efi.facilities.list().every((name) => name in EfiFacility)),
      bugs: running.log.filter((line) => line.includes('Bug')).join(),
    }),
    {
      EFI_BOOT: 'yes',
      EFI_CONFIG_TABLES: 'yes',
      EFI_RUNTIME_SERVICES: 'yes',
      'EFI_64BIT as wide as the firmware': 'yes',
      'EFI_MEM_ATTR with the table of that name': 'yes',
      EFI_DBG: 'no',
      'memory is not kept back': 'no',
      'each known': 'yes',
      bugs: '',
    },
  ),
  PLATFORM.check(
    'members are bound or explained',
    ({ tables }) => ({
      unexplained: tables.origins
        .filter((origin) => origin.backend === undefined && origin.default === undefined)
        .map(({ table, member }) => `${table}.${member}`)
        .join(),
      frozen: yes(
        [tables.memory, tables.call, tables.runtime, tables.machine, tables.init].every((table) =>
          Object.isFrozen(table),
        ),
      ),
    }),
    { unexplained: '', frozen: 'yes' },
    { commandLines: [''] },
  ),
  PLATFORM.check(
    'it can be halted, or says why not',
    ({ runtime }) => {
      const halted = runtime.power.halt();
      const answer = halted.ok ? halted.value : told(halted);
      return { halt: !halted.ok && (halted.why ?? '') !== '' ? `${answer} with a reason` : answer };
    },
    { halt: ['halted', 'EFI_UNSUPPORTED with a reason'] },
    { commandLines: [''] },
  ),
  INIT.check(
    'a system table',
    (running) => {
      const { efi } = running;
      const at = efi.systemTableAt ?? 0;
      return {
        'revision 2.0 or later': yes((efi.systemTable?.hdr.revision ?? 0) >= EFI_2_00_REVISION),
        'gates by it': yes(efi.runtimeVersion === efi.systemTable?.hdr.revision),
        vendor: yes((efi.vendor ?? '') !== ''),
        'boot services are gone': yes(
          efi.systemTable?.bootServices === 0n && efi.systemTable.conOut === 0n,
        ),
        CRC: isSealed(running, at, EFI_SYSTEM_TABLE.size(efi.width)),
      };
    },
    {
      'revision 2.0 or later': 'yes',
      'gates by it': 'yes',
      vendor: 'yes',
      'boot services are gone': 'yes',
      CRC: 'yes',
    },
    { needs: ['virtual mode'] },
  ),
  INIT.check(
    'configuration tables',
    (running) => {
      const { efi, tables } = running;
      const { configurationTables } = efi;
      const unreadable = configurationTables.filter(({ vendorTable }) => {
        const at = physAddr(vendorTable);
        return at === undefined || !tables.memory.read(at, 4).ok;
      });
      return {
        'ACPI 2.0': yes(hasTable(running, WellKnownGuid.EFI_ACPI_20_TABLE_GUID)),
        'each once': yes(
          new Set(configurationTables.map(({ vendorGuid }) => vendorGuid)).size ===
            configurationTables.length,
        ),
        unreadable: unreadable.map(({ vendorGuid }) => vendorGuid).join(),
      };
    },
    { 'ACPI 2.0': 'yes', 'each once': 'yes', unreadable: '' },
  ),
  INIT.check(
    'Secure Boot',
    ({ efi }) => ({ mode: efi.secureBoot }),
    { mode: 'disabled' },
    { needs: ['GetVariable'] },
  ),
  INIT.check(
    'runtime services that the command line forbids',
    (running) => ({
      EFI_BOOT: facility(running, 'EFI_BOOT'),
      EFI_CONFIG_TABLES: facility(running, 'EFI_CONFIG_TABLES'),
      EFI_RUNTIME_SERVICES: facility(running, 'EFI_RUNTIME_SERVICES'),
      EFI_MEMMAP: facility(running, 'EFI_MEMMAP'),
      'virtual mode entered': yes(running.efi.runtimeMap !== undefined),
      'services supported': String(running.efi.runtimeSupportedMask),
      answers: refusals(running),
      reasons: reasons(running),
    }),
    {
      EFI_BOOT: 'yes',
      EFI_CONFIG_TABLES: 'yes',
      EFI_RUNTIME_SERVICES: 'no',
      EFI_MEMMAP: 'no',
      'virtual mode entered': 'no',
      'services supported': '0',
      answers: 'EFI_UNSUPPORTED',
      reasons: 'EFI runtime services are disabled',
    },
    { commandLines: ['noefi', 'efi=noruntime'] },
  ),
  INIT.check(
    'runtime services that the command line gives back',
    (running) => ({
      EFI_RUNTIME_SERVICES: facility(running, 'EFI_RUNTIME_SERVICES'),
      time: told(running.services.getTime()),
    }),
    { EFI_RUNTIME_SERVICES: 'yes', time: 'EFI_SUCCESS' },
    { needs: ['GetTime'], commandLines: ['noefi efi=runtime', 'efi=noruntime,runtime'] },
  ),
  MAP.check(
    'sane, adopted whole',
    (running) => {
      const { efi, report } = running;
      const raw = rawMap(running)?.descriptors ?? [];
      const map = efi.memoryMap ?? { descriptors: [], descriptorSize: 40, descriptorVersion: 1 };
      const e820 = report.e820 ?? [];
      return {
        EFI_MEMMAP: facility(running, 'EFI_MEMMAP'),
        faults: raw.flatMap((descriptor) => memoryDescriptorFaults(descriptor)).join(),
        overlaps: String(memoryOverlaps({ ...map, descriptors: raw }).length),
        dropped: String(running.log.filter((line) => line.includes('(invalid)')).length),
        'descriptors of some size': yes(map.descriptorSize >= 40),
        version: String(map.descriptorVersion),
        'runtime services memory stays': yes(
          raw
            .filter(({ type }) => isRuntimeServicesMemory(type))
            .every((descriptor) => isRuntimeDescriptor(descriptor)),
        ),
        'there is memory to use': yes(
          raw.some(({ type }) => type === MemoryType.EfiConventionalMemory),
        ),
        'E820 ascends': yes(
          e820.length > 0 &&
            e820.every((entry, index) => {
              const before = e820[index - 1];
              return before === undefined || before.start + before.size <= entry.start;
            }),
        ),
      };
    },
    {
      EFI_MEMMAP: 'yes',
      faults: '',
      overlaps: '0',
      dropped: '0',
      'descriptors of some size': 'yes',
      version: '1',
      'runtime services memory stays': 'yes',
      'there is memory to use': 'yes',
      'E820 ascends': 'yes',
    },
  ),
  MAP.check(
    'what firmware needs at runtime lies in what it keeps',
    ({ efi }) => {
      const kept = (efi.memoryMap?.descriptors ?? []).filter((one) => isRuntimeDescriptor(one));
      const isKept = (at: bigint): boolean =>
        kept.some(
          ({ physicalStart, numberOfPages }) =>
            at >= physicalStart && at < physicalStart + numberOfPages * 4096n,
        );
      return {
        'system table': yes(isKept(BigInt(efi.systemTableAt ?? 0))),
        'runtime services table': yes(isKept(efi.systemTable?.runtimeServices ?? 0n)),
        'configuration tables': yes(isKept(efi.systemTable?.configurationTable ?? 0n)),
        vendor: yes(isKept(efi.systemTable?.firmwareVendor ?? 0n)),
      };
    },
    {
      'system table': 'yes',
      'runtime services table': 'yes',
      'configuration tables': 'yes',
      vendor: 'yes',
    },
  ),
  MAP.check(
    'kept for debugging',
    (running) => ({
      EFI_DBG: facility(running, 'EFI_DBG'),
      EFI_PRESERVE_BS_REGIONS: facility(running, 'EFI_PRESERVE_BS_REGIONS'),
      dumped: yes(running.log.some((line) => line.startsWith('efi: mem00: ['))),
      'boot services memory in the runtime map': yes(
        (running.efi.runtimeMap?.descriptors ?? []).some(({ type }) => isBootServicesMemory(type)),
      ),
      time: told(running.services.getTime()),
    }),
    {
      EFI_DBG: 'yes',
      EFI_PRESERVE_BS_REGIONS: 'yes',
      dumped: 'yes',
      'boot services memory in the runtime map': 'yes',
      time: 'EFI_SUCCESS',
    },
    { needs: ['virtual mode', 'GetTime'], commandLines: ['efi=debug'] },
  ),
  MAP.check(
    'the table of runtime services is sealed',
    (running) => {
      const { efi } = running;
      const at = efi.systemTable?.runtimeServices ?? 0n;
      return { CRC: isSealed(running, at, EFI_RUNTIME_SERVICES.size(efi.width)) };
    },
    { CRC: 'yes' },
    { needs: ['virtual mode'] },
  ),
];
