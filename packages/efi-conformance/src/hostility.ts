import {
  decodeSystemTable,
  EFI_CAPSULE_HEADER,
  EFI_CONFIGURATION_TABLE,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  encodeCapsule,
  guid,
  isRuntimeDescriptor,
  decodeMemoryMap,
  physAddr,
} from '@systab/efi-core';
import type { PhysRange, Width } from '@systab/efi-core';
import fc from 'fast-check';
import { CALLABLE_SERVICES, plainCall } from './capability.ts';
import type { CallableService, Capability } from './capability.ts';
import { hostileBytes, hostileCode } from './hostile-code.ts';
import type { CodeByWidth } from './hostile-code.ts';
import { start } from './running.ts';
import type { Running } from './running.ts';
import type { System } from './system.ts';
import { VENDOR } from './system.ts';

/** Bytes over something of the firmware. */
interface Damage {
  readonly place: 'its tables' | 'its memory map' | 'its runtime memory';
  /** Which of the ranges, and where in it. */
  readonly range: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Code in place of a service. */
interface Replacement {
  readonly service: CallableService;
  readonly code: CodeByWidth;
}

/** What happens to one firmware. */
export interface Hostility {
  readonly commandLine: string;
  /** Before initialisation, and after it. */
  readonly early: readonly Damage[];
  readonly late: readonly Damage[];
  readonly replaced: readonly Replacement[];
  /** When the code is replaced. */
  readonly when: 'early' | 'late';
}

const damage: fc.Arbitrary<Damage> = fc.record({
  place: fc.constantFrom('its tables', 'its tables', 'its memory map', 'its runtime memory'),
  range: fc.nat(1000),
  offset: fc.nat(2 ** 30),
  bytes: hostileBytes,
});

const replacement: fc.Arbitrary<Replacement> = fc.record({
  service: fc.constantFrom(...CALLABLE_SERVICES),
  code: hostileCode,
});

/** Everything that can happen to a firmware. */
const hostility: fc.Arbitrary<Hostility> = fc.record({
  commandLine: fc.constantFrom('', 'efi=novamap', 'efi=debug', 'add_efi_memmap', 'noefi'),
  early: fc.array(damage, { maxLength: 3 }),
  late: fc.array(damage, { maxLength: 3 }),
  replaced: fc.array(replacement, { maxLength: 2 }),
  when: fc.constantFrom('early', 'late'),
});

/** A property that holds whatever happens. */
export const PROPERTIES: readonly {
  readonly name: string;
  readonly needs: readonly Capability[];
  readonly hostility: fc.Arbitrary<Hostility>;
}[] = [{ name: 'nothing throws or hangs', needs: ['damaged firmware'], hostility }];

/** What there is to damage, at physical addresses, as the firmware left it. */
type Target = Readonly<Record<Damage['place'], readonly PhysRange[]>>;

const rangeAt = (at: bigint, length: number): readonly PhysRange[] => {
  const from = physAddr(at);
  return from === undefined || length <= 0 ? [] : [{ start: from, length }];
};

const TABLE_SIZE = 256;

const tablesOf = ({ tables: { init, memory } }: System): readonly PhysRange[] => {
  const where = init.locateSystemTable();
  if (!where.ok) return [];
  const { address, width } = where.value;
  const own = { start: address, length: EFI_SYSTEM_TABLE.size(width) };
  const image = memory.read(address, own.length);
  const table = image.ok ? decodeSystemTable(image.value, 0, width) : undefined;
  if (table?.ok !== true) return [own];
  const { runtimeServices, configurationTable, numberOfTableEntries, firmwareVendor } = table.value;
  const entry = EFI_CONFIGURATION_TABLE.size(width);
  const count = Number(numberOfTableEntries);
  const array = rangeAt(configurationTable, entry * count);
  const inner = array.flatMap(({ start: from, length }) => {
    const bytes = memory.read(from, length);
    if (!bytes.ok) return [];
    return Array.from({ length: count }, (_, index) =>
      EFI_CONFIGURATION_TABLE.decode(bytes.value, index * entry, width),
    ).flatMap((one) => (one.ok ? rangeAt(one.value.vendorTable, TABLE_SIZE) : []));
  });
  return [
    own,
    ...rangeAt(runtimeServices, EFI_RUNTIME_SERVICES.size(width)),
    ...rangeAt(firmwareVendor, 16),
    ...array,
    ...inner,
  ];
};

const targetOf = (system: System): Target => {
  const { init, memory } = system.tables;
  const where = init.locateMemoryMap();
  const map = where.ok ? where.value : undefined;
  const image = map && memory.read(map.address, map.size);
  const decoded = map && image?.ok === true ? decodeMemoryMap(image.value, map) : undefined;
  const kept = decoded?.ok === true ? decoded.value.descriptors : [];
  return {
    'its tables': tablesOf(system),
    'its memory map': map ? [{ start: map.address, length: map.size }] : [],
    'its runtime memory': kept
      .filter((one) => isRuntimeDescriptor(one))
      .flatMap(({ physicalStart, numberOfPages }) =>
        rangeAt(physicalStart, Number(numberOfPages) * 4096),
      ),
  };
};

const inflict = ({ tables }: System, target: Target, damages: readonly Damage[]): void => {
  for (const { place, range, offset, bytes } of damages) {
    const ranges = target[place];
    const chosen = ranges[range % Math.max(1, ranges.length)];
    const at = chosen && physAddr(chosen.start + (offset % chosen.length));
    // Flash is not written like memory: what is refused stays as it was.
    if (at !== undefined) tables.memory.write(at, bytes);
  }
};

const replace = (system: System, width: Width, replaced: readonly Replacement[]): void => {
  for (const { service, code } of replaced) system.overwrite?.(service, code[width]);
};

const CAPSULE = encodeCapsule({
  capsuleGuid: guid('7e1e9f5c-21c5-4a30-9a7b-5b6f0d1c2e3f'),
  flags: 0x1_0000,
  extraHeader: new Uint8Array(),
  body: new Uint8Array(64),
});

/** Asks for everything that the runtime half has to offer; the last thing is a reboot. */
const useAll = ({ services, runtime }: Running): void => {
  const { variables, bootEntries, clock, capsules, power } = runtime;
  for (const service of CALLABLE_SERVICES) {
    if (service !== 'ResetSystem') plainCall(services, service);
  }
  variables.list();
  variables.read('Any', VENDOR);
  variables.write('Any', VENDOR, 7, new Uint8Array(10));
  variables.append('Any', VENDOR, 7, new Uint8Array(10));
  variables.delete('Any', VENDOR);
  variables.space();
  bootEntries.list();
  bootEntries.setTimeout(3);
  clock.now();
  clock.readRtc();
  clock.readAlarm();
  clock.setRtcMmss(1_900_000_000);
  capsules.supported({
    capsuleGuid: VENDOR,
    headerSize: EFI_CAPSULE_HEADER.size(),
    flags: 0,
    capsuleImageSize: EFI_CAPSULE_HEADER.size(),
  });
  capsules.update(CAPSULE);
  runtime.firmware();
  power.reboot();
};

/** Lets a firmware become hostile and uses it all the same. Answers what was running then. */
export const endure = (system: System, hostile: Hostility): Running => {
  const where = system.tables.init.locateSystemTable();
  const width = where.ok ? where.value.width : 64;
  const target = targetOf(system);
  if (hostile.when === 'early') replace(system, width, hostile.replaced);
  inflict(system, target, hostile.early);
  const running = start(system, hostile.commandLine);
  if (hostile.when === 'late') replace(system, width, hostile.replaced);
  inflict(system, target, hostile.late);
  useAll(running);
  return running;
};
