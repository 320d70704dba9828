// The operation tables of a dom0, route `ops`, on the embedded hypervisor and on unmodified Xen.
import {
  bindPlatform,
  decodeConfigurationTables,
  decodeMemoryMap,
  decodeSystemTable,
  defaultOf,
  EfiStatus,
  findMemoryDescriptor,
  guid,
  MemoryType,
  neutralInitOps,
  overriddenMembers,
  physAddr,
  selectPlatform,
  verifyEfiTableCrc,
  WellKnownGuid,
} from '@systab/efi-core';
import type { BoundPlatform, EfiResult, EfiTime, PhysAddr } from '@systab/efi-core';
import type { SkippableContext } from '@systab/host-tools';
import { describe, expect, it, vi } from 'vitest';
import { enterSoftOff, hypervisorVersion, machineMemoryMap, xenBackend } from '../src/index.ts';
import type { XenBackendOptions, XenMemoryMapChoice } from '../src/index.ts';
import { embeddedDom0, freshDom0, HYPERVISORS } from './dom0-run.ts';
import type { HypervisorName, RunningDom0 } from './dom0-run.ts';

vi.setConfig({ testTimeout: 180_000 });

const VENDOR = guid('12345678-1234-1234-1234-123456789abc');
const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;
const NV_BS_RT = 7;

const valueOf = <T>(result: EfiResult<T>): T => {
  if (!result.ok) throw new Error(`${result.status.toString(16)} ${result.why ?? ''}`);
  return result.value;
};

const at = (raw: bigint | number): PhysAddr => {
  const address = physAddr(raw);
  if (address === undefined) throw new Error('bad test address');
  return address;
};

const start = (
  context: SkippableContext,
  name: HypervisorName,
  options?: XenBackendOptions,
): RunningDom0 & { readonly tables: BoundPlatform } => {
  const running = freshDom0(context, name);
  return { ...running, tables: bindPlatform(xenBackend(running.dom0, options)) };
};

describe.each(HYPERVISORS)('runtime services over %s', (name) => {
  it('tell and set the time', (context) => {
    const { runtime } = start(context, name).tables;
    const { time, capabilities } = valueOf(runtime.getTime());
    expect(time.year).toBe(2024);
    expect(capabilities).toEqual({ resolution: 1, accuracy: 50_000_000, setsToZero: false });
    expect(valueOf(runtime.getTime(['capabilities']))).not.toHaveProperty('capabilities');
    const later: EfiTime = { ...time, year: 2031, month: 7, day: 9, hour: 3 };
    valueOf(runtime.setTime(later));
    expect(valueOf(runtime.getTime()).time).toMatchObject({ year: 2031, month: 7, day: 9 });
    expect(runtime.setTime({ ...later, month: 13 })).toMatchObject({
      ok: false,
      status: EfiStatus.INVALID_PARAMETER,
    });
  });

  it('set and clear an alarm', (context) => {
    const { runtime } = start(context, name).tables;
    const { time } = valueOf(runtime.getTime());
    const alarm = { ...time, hour: 23, minute: 30 };
    valueOf(runtime.setWakeupTime(true, alarm));
    const set = valueOf(runtime.getWakeupTime());
    expect(set).toMatchObject({ enabled: true, pending: false });
    expect(set.time).toMatchObject({ hour: 23, minute: 30 });
    valueOf(runtime.setWakeupTime(false, null));
    expect(valueOf(runtime.getWakeupTime()).enabled).toBe(false);
  });

  it('read, write, list and delete variables', (context) => {
    const { runtime } = start(context, name).tables;
    const data = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff);
    valueOf(runtime.setVariable('Wide Name', VENDOR, NV_BS_RT, 300, data));
    expect(valueOf(runtime.getVariable('Wide Name', VENDOR, 1000))).toEqual({
      attributes: NV_BS_RT,
      data,
    });
    expect(
      valueOf(runtime.getVariable('Wide Name', VENDOR, 300, ['attributes'])),
    ).not.toHaveProperty('attributes');
    expect(runtime.getVariable('Wide Name', VENDOR, 299)).toMatchObject({
      ok: false,
      status: EfiStatus.BUFFER_TOO_SMALL,
      needed: 300,
      attributes: NV_BS_RT,
    });
    const names: string[] = [];
    let end: bigint | undefined;
    let buffer = new Uint8Array(512);
    let vendor = VENDOR;
    for (;;) {
      const next = runtime.getNextVariableName(512, buffer, vendor);
      if (!next.ok) {
        end = next.status;
        break;
      }
      buffer = new Uint8Array(next.value.variableName);
      vendor = next.value.vendorGuid;
      names.push(new TextDecoder('utf-16le').decode(buffer).replace(/\0.*$/su, ''));
    }
    expect(end).toBe(EfiStatus.NOT_FOUND);
    expect(names).toContain('SecureBoot');
    expect(names).toContain('Wide Name');
    expect(new Set(names).size).toBe(names.length);
    valueOf(runtime.setVariable('Wide Name', VENDOR, NV_BS_RT, 0, null));
    expect(runtime.getVariable('Wide Name', VENDOR, 10)).toEqual({
      ok: false,
      status: EfiStatus.NOT_FOUND,
    });
    expect(runtime.setVariable('SecureBoot', GLOBAL, 6, 1, Uint8Array.of(1)).ok).toBe(false);
  });

  it('know the space that is left, now or at boot', (context) => {
    const now = start(context, name).tables.runtime;
    valueOf(now.setVariable('Space', VENDOR, NV_BS_RT, 2000, new Uint8Array(2000)));
    const left = valueOf(now.queryVariableInfo(NV_BS_RT));
    expect(left.maximumVariableStorageSize).toBeGreaterThan(left.remainingVariableStorageSize);
    const options = { variableInfo: 'boot snapshot' } as const;
    const snapshot = start(context, name, options).tables.runtime;
    const atBoot = valueOf(snapshot.queryVariableInfo(NV_BS_RT));
    expect(atBoot.remainingVariableStorageSize).toBeGreaterThan(left.remainingVariableStorageSize);
    expect(snapshot.queryVariableInfo(2)).toMatchObject({ status: EfiStatus.UNSUPPORTED });
  });

  it('count', (context) => {
    const { runtime } = start(context, name).tables;
    const first = valueOf(runtime.getNextHighMonotonicCount());
    expect(valueOf(runtime.getNextHighMonotonicCount())).toBe(first + 1);
  });

  it('keep Xen’s error numbers out of the status and in the reason', (context) => {
    const { runtime } = start(context, name).tables;
    const refused = { ok: false, status: EfiStatus.UNSUPPORTED };
    expect(runtime.getVariable(null, VENDOR, 10)).toEqual({
      ...refused,
      why: '-EFAULT from XEN_EFI_get_variable (GetVariable)',
    });
    expect(runtime.setVariable('A', VENDOR, NV_BS_RT, 4, null)).toMatchObject(refused);
    expect(runtime.getVariable('SecureBoot', GLOBAL, 4, ['data'])).toMatchObject(refused);
    expect(runtime.queryCapsuleCapabilities([new Uint8Array(28)], 1)).toEqual({
      ...refused,
      why: '-ENOSYS from XEN_EFI_query_capsule_capabilities (QueryCapsuleCapabilities)',
    });
    expect(runtime.updateCapsule(null, 0, 0n)).toMatchObject(refused);
  });

  it('answer for the NULLs that a hypercall cannot carry', (context) => {
    const { tables, hypercalls } = start(context, name);
    const { runtime } = tables;
    const before = hypercalls.length;
    const invalid = { ok: false, status: EfiStatus.INVALID_PARAMETER };
    expect(runtime.getTime(['time'])).toMatchObject(invalid);
    expect(runtime.setTime(null)).toMatchObject(invalid);
    expect(runtime.getWakeupTime(['pending'])).toMatchObject(invalid);
    expect(runtime.getVariable('A', null, 1)).toMatchObject(invalid);
    expect(runtime.getVariable('A', VENDOR, 1, ['dataSize'])).toMatchObject(invalid);
    expect(runtime.getNextVariableName(null, new Uint8Array(4), VENDOR)).toMatchObject(invalid);
    expect(runtime.getNextVariableName(4, new Uint8Array(4), null)).toMatchObject(invalid);
    expect(runtime.setVariable('A', null, 7, 1, Uint8Array.of(1))).toMatchObject(invalid);
    expect(runtime.getNextHighMonotonicCount(['highCount'])).toMatchObject(invalid);
    expect(runtime.queryCapsuleCapabilities([], 0, ['resetType'])).toMatchObject(invalid);
    expect(runtime.queryVariableInfo(7, ['maximumVariableSize'])).toMatchObject(invalid);
    expect(hypercalls).toHaveLength(before);
  });

  it('have no room for arguments of megabytes', (context) => {
    const { tables, hypercalls } = start(context, name);
    const before = hypercalls.length;
    expect(tables.runtime.getVariable('A', VENDOR, 2 ** 24)).toMatchObject({
      ok: false,
      status: EfiStatus.OUT_OF_RESOURCES,
    });
    expect(hypercalls).toHaveLength(before);
  });
});

describe.each(HYPERVISORS)('leaving the machine over %s', (name) => {
  it.for([
    [0, 'restarted'],
    [1, 'restarted'],
    [3, 'restarted'],
    [2, 'halted'],
  ] as const)('ResetSystem %i: the machine is %s', ([type, how], context) => {
    const { tables, text } = start(context, name);
    expect(valueOf(tables.runtime.resetSystem(type, EfiStatus.SUCCESS, 0, null))).toBe(how);
    expect(text()).toContain(how === 'halted' ? 'halting machine' : 'rebooting machine');
    // After that nothing can be called.
    expect(tables.runtime.getTime()).toMatchObject({ status: EfiStatus.ABORTED });
  });

  it('halts and restarts through MachineOps', (context) => {
    expect(valueOf(start(context, name).tables.machine.halt())).toBe('halted');
    expect(valueOf(start(context, name).tables.machine.restart(0))).toBe('restarted');
    expect(valueOf(start(context, name).tables.machine.powerOff())).toBe('halted');
  });

  it('switches off by ACPI', (context) => {
    // _S5 of this machine is sleep type 0.
    const { dom0 } = start(context, name);
    expect(enterSoftOff(dom0, 0)).toEqual({ ok: true, value: 'powered off' });
  });
});

describe.each(HYPERVISORS)('initialisation over %s', (name) => {
  it('finds a system table made of hypercalls, whole and sealed', (context) => {
    const { tables, dom0 } = start(context, name);
    const { address, width } = valueOf(tables.init.locateSystemTable());
    expect(width).toBe(64);
    expect(dom0.owns(address)).toBe(true);
    const bytes = valueOf(tables.memory.read(address, 120));
    expect(verifyEfiTableCrc(bytes)).toEqual({ ok: true, value: true });
    const table = decodeSystemTable(bytes);
    if (!table.ok) throw new Error('no system table');
    expect(table.value.runtimeServices).toBe(0xffff_ffff_ffff_ffffn);
    const vendor = valueOf(tables.memory.read(at(table.value.firmwareVendor), 14));
    expect(new TextDecoder('utf-16le').decode(vendor)).toMatch(/^(?:Systab\0|EDK II\0)$/u);
    const count = Number(table.value.numberOfTableEntries);
    const array = valueOf(tables.memory.read(at(table.value.configurationTable), count * 24));
    const entries = decodeConfigurationTables(array, count);
    if (!entries.ok) throw new Error('no configuration tables');
    const adopted = entries.value.map((entry) => [
      entry.vendorGuid,
      tables.init.adoptConfigurationTable(entry).ok,
    ]);
    expect(adopted).toContainEqual([WellKnownGuid.EFI_ACPI_20_TABLE_GUID, true]);
    const acpi = entries.value.find(
      ({ vendorGuid }) => vendorGuid === WellKnownGuid.EFI_ACPI_20_TABLE_GUID,
    );
    const root = valueOf(tables.memory.read(at(acpi?.vendorTable ?? 0n), 8));
    expect(new TextDecoder().decode(root)).toBe('RSD PTR ');
    // What the firmware left in boot services memory is lost.
    expect(adopted.some(([, good]) => !good)).toBe(true);
  });

  it('has no memory map unless asked', (context) => {
    const { init } = start(context, name).tables;
    expect(init.locateMemoryMap()).toMatchObject({
      status: EfiStatus.UNSUPPORTED,
      why: 'the hypervisor owns the memory map',
    });
    expect(defaultOf(init.locateMemoryMap)?.kind).toBe('unsupported');
  });

  /** The map that was prepared, and the machine's. */
  const maps = (context: SkippableContext, memoryMap: XenMemoryMapChoice) => {
    const { tables, dom0 } = start(context, name, { memoryMap });
    const { address, size, descriptorSize } = valueOf(tables.init.locateMemoryMap());
    const map = decodeMemoryMap(valueOf(tables.memory.read(address, size)), { descriptorSize });
    const e820 = machineMemoryMap(dom0);
    if (!map.ok || !e820.ok) throw new Error('no map');
    return { map: map.value, e820: e820.value };
  };

  it('prepares a memory map of the machine’s', (context) => {
    const { map, e820 } = maps(context, 'machine');
    expect(map.descriptors).toHaveLength(e820.length);
    expect(map.descriptors[0]).toMatchObject({ type: MemoryType.EfiConventionalMemory });
    for (const { addr } of e820.filter(({ type }) => type === 3))
      expect(findMemoryDescriptor(map, addr)?.type).toBe(MemoryType.EfiACPIReclaimMemory);
  });

  it('puts the firmware’s memory map together', (context) => {
    const { map, e820 } = maps(context, 'firmware');
    expect(map.descriptors.length).toBeGreaterThan(e820.length);
    expect(findMemoryDescriptor(map, 0xffff_0000)).toMatchObject({
      type: MemoryType.EfiMemoryMappedIO,
      attribute: 0x8000_0000_0000_0001n,
    });
    const types = new Set(map.descriptors.map(({ type }) => type));
    expect(types.has(MemoryType.EfiRuntimeServicesCode)).toBe(true);
    for (const { addr } of e820.filter(({ type }) => type === 3))
      expect(findMemoryDescriptor(map, addr)?.type).toBe(MemoryType.EfiACPIReclaimMemory);
  });

  it('describes memory that no map was given for', (context) => {
    const { init } = start(context, name).tables;
    expect(valueOf(init.describeMemory(at(0xffff_0000), undefined))).toMatchObject({
      type: MemoryType.EfiMemoryMappedIO,
    });
    expect(init.describeMemory(at(2 ** 45), undefined)).toEqual({
      ok: false,
      status: EfiStatus.NOT_FOUND,
    });
  });
});

describe.each(HYPERVISORS)('memory over %s', (name) => {
  it('is the domain’s own above 256 GiB and the machine’s below', (context) => {
    const { memory } = start(context, name).tables;
    const pages = valueOf(memory.allocatePages({ pages: 3 }));
    expect(pages).toBeGreaterThanOrEqual(2 ** 38);
    const data = Uint8Array.from({ length: 9000 }, (_, index) => (index * 7) & 0xff);
    valueOf(memory.write(at(pages + 100), data));
    expect(valueOf(memory.read(at(pages + 100), 9000))).toEqual(data);
    valueOf(memory.freePages(pages, 3));
    expect(memory.freePages(pages, 3).ok).toBe(false);
    expect(memory.freePages(at(pages + 1), 1).ok).toBe(false);
    // Zeroed for who comes next.
    const again = valueOf(memory.allocatePages({ pages: 3 }));
    expect(valueOf(memory.read(again, 12_288)).every((byte) => byte === 0)).toBe(true);
    expect(memory.allocatePages({ pages: 100_000 }).ok).toBe(false);
    expect(memory.allocatePages({ pages: 1, below: 1n << 32n })).toMatchObject({
      status: EfiStatus.OUT_OF_RESOURCES,
    });
    expect(memory.read(at(2 ** 50), 1).ok).toBe(false);
    expect(memory.write(at(2 ** 50), Uint8Array.of(1)).ok).toBe(false);
  });

  it('cannot be read where it is somebody else’s, and says so', (context) => {
    const { memory } = start(context, name).tables;
    expect(memory.read(at(0x20_0000), 1)).toMatchObject({
      ok: false,
      status: EfiStatus.INVALID_PARAMETER,
    });
    // Flash: more pages than the window has, one after the other.
    const flash = valueOf(memory.read(at(0xffff_0000), 0x1_0000));
    expect(flash.length).toBe(0x1_0000);
    expect(flash.some((byte) => byte !== 0xff)).toBe(true);
  });
});

describe('the backend', () => {
  it('wins where there is a domain, and is not there where there is none', () => {
    const { dom0 } = embeddedDom0();
    const other = { name: 'other', detect: () => 1 };
    const chosen = selectPlatform([other, xenBackend(dom0)]);
    expect(chosen.ok && chosen.value.backend.name).toBe('xen');
    const none = selectPlatform([other, xenBackend(undefined)]);
    expect(none.ok && none.value.backend.name).toBe('other');
    expect(bindPlatform(xenBackend(undefined)).init.locateSystemTable()).toEqual(
      neutralInitOps.locateSystemTable(),
    );
  });

  it('replaces the runtime services, memory, and four steps of initialisation', () => {
    const { dom0 } = embeddedDom0();
    const members = overriddenMembers(bindPlatform(xenBackend(dom0)));
    const count = (table: string): number => members.filter((one) => one.table === table).length;
    expect(count('runtime')).toBe(12);
    expect(count('memory')).toBe(4);
    expect(count('init')).toBe(4);
    expect(count('machine')).toBe(1);
    expect(count('call')).toBe(0);
  });

  it('says whose hypervisor it is', () => {
    expect(hypervisorVersion(embeddedDom0().dom0)).toEqual({ ok: true, value: '4.17.0-systab' });
  });

  it('finds no EFI for a domain that may not ask', () => {
    const { dom0 } = embeddedDom0({ options: 'noreboot unprivileged' });
    expect(bindPlatform(xenBackend(dom0)).init.locateSystemTable()).toMatchObject({
      status: EfiStatus.UNSUPPORTED,
      why: '-EPERM from XEN_FW_EFI_CONFIG_TABLE',
    });
  });
});
