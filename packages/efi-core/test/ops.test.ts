import { describe, expect, it } from 'vitest';
import {
  bindPlatform,
  BOOT_SERVICES,
  callFailure,
  createEfi,
  createFacilitySet,
  defaultOf,
  EFI_DONE,
  efiOk,
  EfiStatus,
  generic,
  guid,
  neutralCallOps,
  neutralInitOps,
  neutralMachineOps,
  neutralMemoryOps,
  neutralRuntimeOps,
  notNeeded,
  notNeededValue,
  overriddenMembers,
  physAddr,
  ResetType,
  RUNTIME_SERVICES,
  SERVICE_PARAMETERS,
  selectPlatform,
  unsupported,
} from '../src/index.ts';
import type { EfiCallOps, PhysAddr, PlatformBackend } from '../src/index.ts';

const at = (raw: number): PhysAddr => {
  const address = physAddr(raw);
  if (address === undefined) throw new Error('bad test address');
  return address;
};

const ZERO_GUID = guid('00000000-0000-0000-0000-000000000000');
const backend = (name: string, score: number): PlatformBackend => ({ name, detect: () => score });

describe('defaults', () => {
  it('carry their reason', () => {
    expect(notNeeded('tables are mapped')()).toEqual(EFI_DONE);
    expect(defaultOf(notNeeded('tables are mapped'))).toEqual({
      kind: 'not needed',
      reason: 'tables are mapped',
    });
    expect(notNeededValue('always 64-bit', 64)()).toEqual(efiOk(64));
    expect(unsupported('no clock')()).toEqual({
      ok: false,
      status: EfiStatus.UNSUPPORTED,
      why: 'no clock',
    });
    expect(defaultOf(() => undefined)).toBeUndefined();
  });

  it('refuse to be silent', () => {
    expect(() => unsupported('  ')).toThrow(/reason/);
    expect(() => notNeeded('')).toThrow(/reason/);
  });

  it('mark a wrapper, not the function they wrap', () => {
    const add = (left: number, right: number): number => left + right;
    const op = generic('arithmetic is the same everywhere', add);
    expect(op(2, 3)).toBe(5);
    expect(defaultOf(op)?.kind).toBe('generic');
    expect(defaultOf(add)).toBeUndefined();
  });

  it('stand behind every member of every neutral table', () => {
    const tables = [
      neutralMemoryOps,
      neutralCallOps,
      neutralRuntimeOps,
      neutralMachineOps(neutralRuntimeOps),
      neutralInitOps,
    ];
    for (const table of tables) {
      expect(Object.isFrozen(table)).toBe(true);
      for (const op of Object.values(table) as object[]) expect(defaultOf(op)).toBeDefined();
    }
  });
});

describe('the runtime table', () => {
  it('lists the services in the order of EFI_RUNTIME_SERVICES, without the two of virtual mode', () => {
    const spec = RUNTIME_SERVICES.filter(
      (name) => name !== 'SetVirtualAddressMap' && name !== 'ConvertPointer',
    ).map((name) => name.charAt(0).toLowerCase() + name.slice(1));
    expect(Object.keys(neutralRuntimeOps)).toEqual(spec);
  });

  it('answers EFI_UNSUPPORTED with a reason when nothing is bound', () => {
    const { runtime } = bindPlatform(backend('empty', 1));
    expect(runtime.getVariable('BootOrder', ZERO_GUID, 16)).toMatchObject({
      status: EfiStatus.UNSUPPORTED,
      why: 'no runtime services are bound',
    });
  });
});

describe('selectPlatform', () => {
  it('takes the highest score, the first of equals, and reports all', () => {
    const [low, high, same] = [backend('low', 1), backend('high', 9), backend('same', 9)];
    expect(selectPlatform([low, high, same])).toEqual({
      ok: true,
      value: {
        backend: high,
        score: 9,
        scores: [
          { name: 'low', score: 1 },
          { name: 'high', score: 9 },
          { name: 'same', score: 9 },
        ],
      },
    });
  });

  it('answers a second registration of one name with an error value, before any detection', () => {
    let asked = 0;
    const nosy = { name: 'a', detect: (): number => (asked += 1) };
    expect(selectPlatform([nosy, backend('b', 1), backend('a', 2)])).toEqual({
      ok: false,
      error: { kind: 'registered twice', name: 'a' },
    });
    expect(asked).toBe(0);
  });

  it('answers no candidate, only zeros, and impossible scores with error values', () => {
    expect(selectPlatform([])).toMatchObject({ error: { kind: 'none detected', scores: [] } });
    expect(selectPlatform([backend('a', 0)])).toMatchObject({ error: { kind: 'none detected' } });
    for (const score of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(selectPlatform([backend('a', score)])).toMatchObject({ error: { kind: 'bad score' } });
    }
  });
});

describe('bindPlatform', () => {
  const made: string[] = [];
  const base: PlatformBackend = {
    name: 'direct',
    detect: () => 1,
    call: () => ({
      call: (service) => {
        made.push(`direct ${service}`);
        return { kind: 'returned', status: EfiStatus.SUCCESS };
      },
    }),
    runtime: ({ call }) => ({
      setTime: () => callFailure(call.call('SetTime', [0n])) ?? EFI_DONE,
      resetSystem: (type) => {
        made.push(`reset ${String(type)}`);
        return efiOk('restarted');
      },
    }),
    init: () => ({ locateSystemTable: () => efiOk({ address: at(0x1000), width: 64 }) }),
  };
  const other: EfiCallOps['call'] = (service) => {
    made.push(`other ${service}`);
    return { kind: 'fault', why: 'touched page 0' };
  };
  const rerouted: PlatformBackend = {
    name: 'rerouted',
    detect: () => 2,
    base,
    call: () => ({ call: other }),
  };

  it('freezes complete tables', () => {
    const bound = bindPlatform(base);
    for (const table of [
      bound,
      bound.init,
      bound.runtime,
      bound.call,
      bound.machine,
      bound.memory,
    ]) {
      expect(Object.isFrozen(table)).toBe(true);
    }
    expect(() => {
      (bound.runtime as { setTime: unknown }).setTime = () => undefined;
    }).toThrow(TypeError);
    expect(Object.keys(bound.init)).toEqual(Object.keys(neutralInitOps));
  });

  it('runs the unchanged members of a base over a replaced layer', () => {
    made.length = 0;
    expect(bindPlatform(base).runtime.setTime(null)).toEqual(EFI_DONE);
    expect(bindPlatform(rerouted).runtime.setTime(null)).toEqual({
      ok: false,
      status: EfiStatus.ABORTED,
      why: 'touched page 0',
    });
    expect(made).toEqual(['direct SetTime', 'other SetTime']);
  });

  it('routes restart and power-off through the bound ResetSystem', () => {
    made.length = 0;
    const { machine } = bindPlatform(base);
    expect(machine.restart(ResetType.EfiResetWarm)).toEqual(efiOk('restarted'));
    machine.powerOff();
    expect(made).toEqual(['reset 1', 'reset 2']);
    expect(machine.halt()).toMatchObject({ status: EfiStatus.UNSUPPORTED });
  });

  it('counts the members a backend brings, beyond another one', () => {
    const names = (list: readonly { table: string; member: string }[]): string[] =>
      list.map(({ table, member }) => `${table}.${member}`);
    expect(names(overriddenMembers(bindPlatform(base)))).toEqual([
      'call.call',
      'runtime.setTime',
      'runtime.resetSystem',
      'init.locateSystemTable',
    ]);
    expect(overriddenMembers(bindPlatform(base), 'direct')).toEqual([]);
    expect(names(overriddenMembers(bindPlatform(rerouted), 'direct'))).toEqual(['call.call']);
  });

  it('says where each member comes from', () => {
    const { origins } = bindPlatform(rerouted);
    expect(origins.find(({ member }) => member === 'call')?.backend).toBe('rerouted');
    expect(origins.find(({ member }) => member === 'setTime')?.backend).toBe('direct');
    expect(origins.find(({ member }) => member === 'freeBootServices')).toMatchObject({
      backend: undefined,
      default: { kind: 'not needed' },
    });
    for (const { backend: from, default: fallback } of origins) {
      expect((from === undefined) === (fallback !== undefined)).toBe(true);
    }
  });

  it('throws for a backend that breaks the contract', () => {
    const strange = { setTheClock: () => EFI_DONE } as object;
    expect(() => bindPlatform({ ...base, runtime: () => strange })).toThrow(
      /direct overrides runtime\.setTheClock, which does not exist/,
    );
    const hole = { getTime: undefined } as object;
    expect(() => bindPlatform({ ...base, runtime: () => hole })).toThrow(/with no function/);
    const inherited = { toString: () => 'x' } as object;
    expect(() => bindPlatform({ ...base, call: () => inherited })).toThrow(/does not exist/);
    const circle: { name: string; detect: () => number; base?: PlatformBackend } = backend('c', 1);
    circle.base = circle;
    expect(() => bindPlatform(circle)).toThrow(/own base/);
  });
});

describe('callFailure', () => {
  it('is EFI_ABORTED for a fault or a hang and nothing for a return', () => {
    expect(callFailure({ kind: 'hung', why: 'budget' })).toMatchObject({
      status: EfiStatus.ABORTED,
    });
    expect(callFailure({ kind: 'returned', status: EfiStatus.NOT_FOUND })).toBeUndefined();
    expect(callFailure({ kind: 'left', how: 'restarted' })).toBeUndefined();
    expect(callFailure(neutralCallOps.call('GetTime', []))).toMatchObject({
      status: EfiStatus.UNSUPPORTED,
    });
  });
});

describe('describeMemory by default', () => {
  const map = {
    descriptorSize: 48,
    descriptorVersion: 1,
    descriptors: [
      { type: 6, physicalStart: 0x1000n, virtualStart: 0n, numberOfPages: 1n, attribute: 1n },
    ],
  };
  it('looks the address up in the map it is given', () => {
    const { describeMemory } = neutralInitOps;
    expect(describeMemory(at(0x1fff), map)).toMatchObject({ ok: true, value: { type: 6 } });
    expect(describeMemory(at(0x2000), map)).toMatchObject({ status: EfiStatus.NOT_FOUND });
    expect(describeMemory(at(0x1fff), undefined)).toMatchObject({ status: EfiStatus.NOT_FOUND });
  });
});

describe('facilities', () => {
  it('hold flags, Linux bit numbers and their history', () => {
    const set = createFacilitySet();
    expect(set.bits()).toBe(0);
    set.enable('EFI_MEMMAP', 'map adopted');
    set.enable('EFI_BOOT', 'loader signature');
    set.enable('EFI_BOOT', 'again');
    expect(set.list()).toEqual(['EFI_BOOT', 'EFI_MEMMAP']);
    expect(set.bits()).toBe(0b1_0001);
    set.disable('EFI_MEMMAP', 'unmapped');
    set.disable('EFI_64BIT', 'never was');
    expect(set.enabled('EFI_MEMMAP')).toBe(false);
    expect(set.history()).toEqual([
      { facility: 'EFI_MEMMAP', enabled: true, why: 'map adopted' },
      { facility: 'EFI_BOOT', enabled: true, why: 'loader signature' },
      { facility: 'EFI_MEMMAP', enabled: false, why: 'unmapped' },
    ]);
  });
});

describe('the efi object', () => {
  it('starts empty, holds data, and takes no code', () => {
    const efi = createEfi();
    expect(efi.facilities.list()).toEqual([]);
    expect(efi.runtimeSupportedMask).toBe(0x3fff);
    efi.vendor = 'EDK II';
    expect(efi.vendor).toBe('EDK II');
    expect(() => Object.assign(efi, { getTime: () => 0 })).toThrow(TypeError);
  });
});

describe('service parameters', () => {
  it('cover every service of both tables', () => {
    const services = [...RUNTIME_SERVICES, ...BOOT_SERVICES.filter((name) => name !== 'Reserved')];
    expect(Object.keys(SERVICE_PARAMETERS).toSorted()).toEqual(services.toSorted());
    const types = new Set(
      Object.values(SERVICE_PARAMETERS).flatMap((list) => list.map(({ type }) => type)),
    );
    expect([...types].toSorted()).toEqual([
      'BOOLEAN',
      'HANDLE',
      'POINTER',
      'UINT32',
      'UINT64',
      'UINT8',
      'UINTN',
    ]);
    for (const list of Object.values(SERVICE_PARAMETERS)) {
      expect(list.every(({ name }) => /^[A-Z][A-Za-z0-9]+$/.test(name))).toBe(true);
    }
  });

  it('are those of the prototypes', () => {
    expect(SERVICE_PARAMETERS.GetVariable).toEqual([
      { name: 'VariableName', type: 'POINTER', direction: 'in', optional: false },
      { name: 'VendorGuid', type: 'POINTER', direction: 'in', optional: false },
      { name: 'Attributes', type: 'POINTER', direction: 'out', optional: true },
      { name: 'DataSize', type: 'POINTER', direction: 'in out', optional: false },
      { name: 'Data', type: 'POINTER', direction: 'out', optional: true },
    ]);
    const sizes = RUNTIME_SERVICES.map((name) => SERVICE_PARAMETERS[name].length);
    expect(sizes).toEqual([2, 1, 3, 2, 4, 2, 5, 3, 5, 1, 4, 3, 4, 4]);
    expect(SERVICE_PARAMETERS.UpdateCapsule[2]?.type).toBe('UINT64');
  });
});
