import {
  bindPlatform,
  createEfi,
  efiFail,
  efiOk,
  EfiStatus,
  neutralRuntimeOps,
  RUNTIME_SERVICES,
  RuntimeSupported,
  statusOf,
} from '@systab/efi-core';
import type { EfiRuntimeOps } from '@systab/efi-core';
import { describe, expect, it } from 'vitest';
import {
  createEfiRuntime,
  guardMachineOps,
  guardRuntimeServices,
  REENTRY_RULES,
  reentryConflict,
} from '../src/index.ts';
import { bindDouble, createDouble, readyEfi, VENDOR } from './firmware-double.ts';

const fault = (why: string) => (): ReturnType<typeof efiFail> =>
  efiFail(EfiStatus.ABORTED, { why });

/** One harmless call of each service. */
const callAll = (services: EfiRuntimeOps): Readonly<Record<string, EfiStatus>> => ({
  GetTime: statusOf(services.getTime()),
  SetTime: statusOf(services.setTime(null)),
  GetWakeupTime: statusOf(services.getWakeupTime()),
  SetWakeupTime: statusOf(services.setWakeupTime(false, null)),
  GetVariable: statusOf(services.getVariable('x', VENDOR, 0)),
  GetNextVariableName: statusOf(services.getNextVariableName(null, null, null)),
  SetVariable: statusOf(services.setVariable(null, null, 0, 0, null)),
  GetNextHighMonotonicCount: statusOf(services.getNextHighMonotonicCount()),
  ResetSystem: statusOf(services.resetSystem(0, EfiStatus.SUCCESS, 0, null)),
  UpdateCapsule: statusOf(services.updateCapsule(null, 0, 0n)),
  QueryCapsuleCapabilities: statusOf(services.queryCapsuleCapabilities(null, 0)),
  QueryVariableInfo: statusOf(services.queryVariableInfo(0)),
});

describe('the gate', () => {
  it('lets every service through on UEFI 2.x', () => {
    const double = createDouble();
    const { services } = createEfiRuntime(readyEfi(), bindDouble(double));
    callAll(services);
    expect(double.calls).toHaveLength(12);
  });

  it('keeps EFI 1.10 from being asked for what its table does not have', () => {
    const efi = readyEfi();
    efi.runtimeVersion = 0x0001_000a;
    const double = createDouble();
    const statuses = callAll(guardRuntimeServices(double.services, efi));
    const refused = ['UpdateCapsule', 'QueryCapsuleCapabilities', 'QueryVariableInfo'];
    for (const name of refused) expect(statuses[name]).toBe(EfiStatus.UNSUPPORTED);
    expect(double.calls).toHaveLength(9);
    expect(double.calls).not.toEqual(expect.arrayContaining(refused));
  });

  it('obeys every bit of the RT properties table', () => {
    for (const name of RUNTIME_SERVICES) {
      if (name === 'SetVirtualAddressMap' || name === 'ConvertPointer') continue;
      const efi = readyEfi();
      efi.runtimeSupportedMask &= ~RuntimeSupported[name];
      const double = createDouble();
      expect(callAll(guardRuntimeServices(double.services, efi))[name]).toBe(EfiStatus.UNSUPPORTED);
      expect(double.calls).not.toContain(name);
      expect(double.calls).toHaveLength(11);
    }
  });

  it('answers EFI_DEVICE_ERROR while runtime services are off, and says so once', () => {
    const efi = createEfi();
    efi.runtimeVersion = 0x0002_0046;
    const double = createDouble();
    const lines: string[] = [];
    const services = guardRuntimeServices(double.services, efi, {
      warn: (line) => lines.push(line),
    });
    expect(new Set(Object.values(callAll(services)))).toEqual(new Set([EfiStatus.DEVICE_ERROR]));
    expect(double.calls).toEqual([]);
    expect(lines).toEqual(['efi: EFI Runtime Services are disabled!']);
  });
});

describe('containment', () => {
  it('shuts runtime services off after a fault and reports EFI_ABORTED', () => {
    const double = createDouble();
    const efi = readyEfi();
    const lines: string[] = [];
    const tables = bindDouble(double, { getVariable: fault('page fault at 0x1000') });
    const runtime = createEfiRuntime(efi, tables, { warn: (line) => lines.push(line) });
    const read = runtime.variables.read('db', VENDOR);
    expect(read).toMatchObject({ ok: false, status: EfiStatus.ABORTED, errno: 'EINTR' });
    expect(efi.facilities.enabled('EFI_RUNTIME_SERVICES')).toBe(false);
    expect(efi.facilities.history().at(-1)?.why).toBe('GetVariable: page fault at 0x1000');
    expect(lines).toEqual([
      'efi: [Firmware Bug]: GetVariable: page fault at 0x1000',
      'efi: disabled EFI Runtime Services',
    ]);
    expect(runtime.services.getTime()).toMatchObject({ status: EfiStatus.DEVICE_ERROR });
    expect(double.calls).toEqual([]);
  });

  it('takes EFI_ABORTED from the firmware itself for an answer', () => {
    const efi = readyEfi();
    const tables = bindDouble(createDouble(), { setTime: () => efiFail(EfiStatus.ABORTED) });
    const { services } = createEfiRuntime(efi, tables);
    expect(services.setTime(null)).toMatchObject({ status: EfiStatus.ABORTED });
    expect(efi.facilities.enabled('EFI_RUNTIME_SERVICES')).toBe(true);
  });

  it('never resets through firmware that has faulted, unless the platform has another way', () => {
    const double = createDouble();
    const efi = readyEfi();
    const tables = bindDouble(double, { getTime: fault('hung') });
    const runtime = createEfiRuntime(efi, tables);
    runtime.services.getTime();
    expect(runtime.power.reboot()).toMatchObject({ ok: false, status: EfiStatus.DEVICE_ERROR });
    expect(runtime.power.powerOff()).toMatchObject({ ok: false });
    expect(double.resets).toEqual([]);

    const own = bindPlatform({
      name: 'own reset line',
      detect: () => 1,
      machine: () => ({ restart: () => efiOk('restarted'), powerOff: () => efiOk('powered off') }),
    });
    const machine = guardMachineOps(own.machine, runtime.services);
    expect(machine.restart(0)).toEqual(efiOk('restarted'));
    expect(machine.powerOff()).toEqual(efiOk('powered off'));
    expect(machine.halt()).toMatchObject({ status: EfiStatus.UNSUPPORTED });
  });

  it('releases the service when a backend breaks', () => {
    const efi = readyEfi();
    let broken = true;
    const services = guardRuntimeServices(
      {
        ...createDouble().services,
        getTime: () => {
          if (broken) throw new Error('broken invariant');
          return neutralRuntimeOps.getTime();
        },
      },
      efi,
    );
    expect(() => services.getTime()).toThrow('broken invariant');
    broken = false;
    expect(services.getTime()).toMatchObject({ status: EfiStatus.UNSUPPORTED });
  });
});

describe('the options of the whole', () => {
  it('reach the parts they are for', () => {
    const double = createDouble({ capacity: 4096 });
    const runtime = createEfiRuntime(readyEfi(), bindDouble(double), {
      overlap: 'by the rules',
      storageParanoia: false,
      walk: { names: 1 },
      era: '2013',
      unspecifiedZone: 60,
    });
    const { variables, clock } = runtime;
    const careful = createEfiRuntime(readyEfi(), bindDouble(double));
    const data = Uint8Array.of(1);
    expect(careful.variables.write('A', VENDOR, 7, data)).toMatchObject({ errno: 'ENOSPC' });
    expect(variables.write('A', VENDOR, 7, data).ok).toBe(true);
    expect(variables.write('B', VENDOR, 7, data).ok).toBe(true);
    expect(variables.list().end).toEqual({ kind: 'too many', limit: 1 });
    const [here, there] = [clock.now(), careful.clock.now()];
    expect(here.ok && there.ok && here.value.seconds - there.value.seconds).toBe(3600);
  });
});

describe('re-entry', () => {
  /** Status of `inner` called from inside `outer`. */
  const nested = (
    overlap: 'never' | 'by the rules',
    outer: 'getTime' | 'getVariable' | 'setVariable',
    inner: (services: EfiRuntimeOps) => EfiStatus,
  ): EfiStatus | undefined => {
    let status: EfiStatus | undefined;
    const double = createDouble();
    const enter = (): ReturnType<typeof efiFail> => {
      status = inner(services);
      return efiFail(EfiStatus.NOT_FOUND);
    };
    const services: EfiRuntimeOps = guardRuntimeServices(
      { ...double.services, [outer]: enter },
      readyEfi(),
      { overlap },
    );
    if (outer === 'getTime') services.getTime();
    else if (outer === 'getVariable') services.getVariable('x', VENDOR, 0);
    else services.setVariable('x', VENDOR, 0, 0, null);
    return status;
  };
  const reset = (services: EfiRuntimeOps): EfiStatus =>
    statusOf(services.resetSystem(0, EfiStatus.SUCCESS, 0, null));
  const time = (services: EfiRuntimeOps): EfiStatus => statusOf(services.getWakeupTime());
  const info = (services: EfiRuntimeOps): EfiStatus => statusOf(services.queryVariableInfo(7));

  it('is refused altogether by default', () => {
    for (const inner of [reset, time, info]) {
      expect(nested('never', 'getTime', inner)).toBe(EfiStatus.NOT_READY);
    }
  });

  it('follows the rules of the specification when asked to', () => {
    const inside = (outer: 'getTime' | 'getVariable' | 'setVariable') =>
      [reset, time, info].map((inner) => nested('by the rules', outer, inner));
    const { SUCCESS, NOT_READY } = EfiStatus;
    expect(inside('getTime')).toEqual([SUCCESS, NOT_READY, SUCCESS]);
    expect(inside('getVariable')).toEqual([SUCCESS, SUCCESS, NOT_READY]);
    expect(inside('setVariable')).toEqual([NOT_READY, SUCCESS, NOT_READY]);
  });

  it('has rules only about services that exist', () => {
    const named = REENTRY_RULES.flatMap(({ busy, forbidden }) => [...busy, ...forbidden]);
    expect(RUNTIME_SERVICES).toEqual(expect.arrayContaining(named));
    expect(reentryConflict([], 'GetTime')).toBeUndefined();
    expect(reentryConflict(['ConvertPointer'], 'ConvertPointer')).toBe('ConvertPointer');
  });

  it('is over when the call is', () => {
    const { services } = createEfiRuntime(readyEfi(), bindDouble(createDouble()));
    expect(services.getTime().ok).toBe(true);
    expect(services.getTime().ok).toBe(true);
  });
});
