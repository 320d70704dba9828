import { efiFail, efiOk, EfiStatus, variableLabel, WellKnownGuid } from '@systab/efi-core';
import type { EfiRuntimeOps, EfiStatusName } from '@systab/efi-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVariables, EFI_MIN_RESERVE, isVariableDataSound } from '../src/index.ts';
import type { FirmwareDouble } from './firmware-double.ts';
import { createDouble, NV_BS_RT, VENDOR } from './firmware-double.ts';

const bytes = (length: number, fill = 0xab): Uint8Array => new Uint8Array(length).fill(fill);
const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;

const withLies = (double: FirmwareDouble, lies: Partial<EfiRuntimeOps>): EfiRuntimeOps => ({
  ...double.services,
  ...lies,
});

describe('variables', () => {
  it('behave like a map from names to data', () => {
    const step = fc.record({
      verb: fc.constantFrom('write', 'append', 'delete', 'read' as const),
      name: fc.constantFrom('A', 'B', 'C'),
      data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const variables = createVariables(createDouble({ capacity: 0x10_0000 }).services);
        const model = new Map<string, readonly number[]>();
        for (const { verb, name, data } of steps) {
          const old = model.get(name);
          const run = {
            write: () => [variables.write(name, VENDOR, NV_BS_RT, data).ok, true],
            append: () => [variables.append(name, VENDOR, NV_BS_RT, data).ok, true],
            delete: () => [variables.delete(name, VENDOR).ok, old !== undefined],
            read: () => {
              const read = variables.read(name, VENDOR);
              return [read.ok ? [...read.value.data] : read.errno, old ?? 'ENOENT'];
            },
          };
          const [got, wanted] = run[verb]();
          expect(got).toEqual(wanted);
          if (verb === 'write') model.set(name, [...data]);
          else if (verb === 'append') model.set(name, [...(old ?? []), ...data]);
          else if (verb === 'delete') model.delete(name);
        }
        expect(
          variables
            .list()
            .labels.map(({ name }) => name)
            .toSorted(),
        ).toEqual([...model.keys()].toSorted());
      }),
      { numRuns: 60 },
    );
  });

  it('give the error numbers of efivarfs', () => {
    const expected: readonly (readonly [EfiStatusName, string])[] = [
      ['INVALID_PARAMETER', 'EINVAL'],
      ['OUT_OF_RESOURCES', 'ENOSPC'],
      ['DEVICE_ERROR', 'EIO'],
      ['WRITE_PROTECTED', 'EROFS'],
      ['SECURITY_VIOLATION', 'EACCES'],
      ['ABORTED', 'EINTR'],
      ['UNSUPPORTED', 'EINVAL'],
      // The file is there while it is being written: only deleting may miss the variable.
      ['NOT_FOUND', 'EIO'],
    ];
    for (const [name, errno] of expected) {
      const services = withLies(createDouble(), { setVariable: () => efiFail(EfiStatus[name]) });
      const variables = createVariables(services);
      expect(variables.write('X', VENDOR, 6, bytes(4))).toMatchObject({ ok: false, errno });
    }
    const missing = createVariables(
      withLies(createDouble(), { setVariable: () => efiFail(EfiStatus.NOT_FOUND) }),
    );
    expect(missing.append('X', VENDOR, 6, bytes(4))).toMatchObject({ errno: 'EIO' });
    expect(missing.delete('X', VENDOR)).toMatchObject({ errno: 'ENOENT' });
    const readOnly = createVariables(
      withLies(createDouble(), { setVariable: () => efiFail(EfiStatus.WRITE_PROTECTED) }),
    );
    expect(readOnly.delete('X', VENDOR)).toMatchObject({
      errno: 'EINVAL',
      status: EfiStatus.WRITE_PROTECTED,
    });
    const old = createVariables(
      withLies(createDouble(), { setVariable: () => efiFail(EfiStatus.ABORTED) }),
      { era: '2013' },
    );
    expect(old.write('X', VENDOR, 6, bytes(4))).toMatchObject({ errno: 'EINVAL' });
  });

  it('refuse attribute bits and data that the firmware should not see', () => {
    const double = createDouble();
    const variables = createVariables(double.services);
    expect(variables.write('X', VENDOR, 0x87, bytes(1))).toMatchObject({ errno: 'EINVAL' });
    expect(variables.write('BootNext', GLOBAL, 7, bytes(1))).toMatchObject({ errno: 'EINVAL' });
    expect(double.calls).toEqual([]);
    expect(variables.write('BootNext', VENDOR, 7, bytes(1)).ok).toBe(true);
  });

  it('know the shapes of global variables', () => {
    const sound = (name: string, ...data: number[]): boolean =>
      isVariableDataSound(name, GLOBAL, Uint8Array.from(data));
    expect(sound('Timeout', 5, 0)).toBe(true);
    expect(sound('Timeout', 5)).toBe(false);
    expect(sound('BootOrder', 1, 0, 2, 0)).toBe(true);
    expect(sound('BootOrder', 1, 0, 2)).toBe(false);
    expect(sound('PlatformLang', 0x65, 0x6e, 0)).toBe(true);
    expect(sound('PlatformLang', 0x65, 0x6e)).toBe(false);
    expect(sound('PlatformLang', 0xe9, 0)).toBe(false);
    const option = [0, 0, 0, 0, 4, 0, 0x41, 0, 0, 0, 0x7f, 0xff, 4, 0];
    expect(sound('Boot000A', ...option)).toBe(true);
    expect(sound('Driver0000', ...option.slice(0, -1))).toBe(false);
    expect(sound('Boot000a', 0)).toBe(false);
    expect(sound('Boot00007', ...option)).toBe(false);
    expect(sound('Boot000G', 0)).toBe(true);
    expect(sound('ConOut', 0x7f, 0xff, 4, 0)).toBe(true);
    expect(sound('ConOut')).toBe(false);
    expect(sound('ConOut', 1, 1, 2, 0)).toBe(false);
    expect(sound('Boot0001', 1, 2, 3)).toBe(false);
    expect(sound('Whatever', 1, 2, 3)).toBe(true);
  });

  it('read what is larger than the first buffer, in as few calls as the firmware allows', () => {
    const double = createDouble();
    const variables = createVariables(double.services);
    for (const size of [1, 1024, 1025, 9000]) {
      expect(variables.write('X', VENDOR, NV_BS_RT, bytes(size)).ok).toBe(true);
      double.calls.length = 0;
      expect(variables.read('X', VENDOR)).toMatchObject({ ok: true, value: { attributes: 7 } });
      expect(double.calls).toHaveLength(size > 1024 ? 2 : 1);
    }
  });

  it('stop reading when the size the firmware wants never fits', () => {
    let calls = 0;
    const growing: EfiRuntimeOps['getVariable'] = (_name, _guid, size) => {
      calls += 1;
      return efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed: size + 1 });
    };
    const read = createVariables(withLies(createDouble(), { getVariable: growing })).read;
    expect(read('X', VENDOR)).toMatchObject({ ok: false, errno: 'EIO' });
    expect(calls).toBe(3);
    for (const needed of [10, 1024, 2 ** 40]) {
      const services = withLies(createDouble(), {
        getVariable: () => efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed }),
      });
      expect(createVariables(services).read('X', VENDOR)).toMatchObject({ errno: 'EIO' });
    }
  });
});

describe('the storage policy', () => {
  const fill = (double: FirmwareDouble, left: number): void => {
    const info = double.services.queryVariableInfo(NV_BS_RT);
    if (!info.ok) throw new Error('the double has no store');
    const free = Number(info.value.remainingVariableStorageSize);
    const size = free - left - 60 - 12;
    expect(double.services.setVariable('Large', VENDOR, NV_BS_RT, size, bytes(size)).ok).toBe(true);
    double.calls.length = 0;
  };

  it('keeps 5120 bytes free, to the byte', () => {
    const reserve = Number(EFI_MIN_RESERVE);
    // Name X counts with 2 bytes, data with 10.
    for (const [left, allowed] of [
      [reserve + 12, true],
      [reserve + 11, false],
    ] as const) {
      const double = createDouble();
      fill(double, left);
      const written = createVariables(double.services).write('X', VENDOR, NV_BS_RT, bytes(10));
      expect(written.ok ? 'written' : written.errno).toBe(allowed ? 'written' : 'ENOSPC');
      expect(double.variables.has(variableLabel('X', VENDOR))).toBe(allowed);
      expect([...double.variables.keys()].some((key) => key.startsWith('DUMMY'))).toBe(false);
    }
  });

  it('makes the firmware reclaim what deleted variables left', () => {
    const double = createDouble({ reclaim: 'when full' });
    fill(double, 4000);
    expect(double.services.setVariable('Large', VENDOR, 0, 0, null).ok).toBe(true);
    expect(double.dead()).toBeGreaterThan(50_000);
    const variables = createVariables(double.services);
    expect(variables.write('X', VENDOR, NV_BS_RT, bytes(10)).ok).toBe(true);
    expect(double.variables.size).toBe(1);
    expect(double.calls.filter((name) => name === 'QueryVariableInfo')).toHaveLength(2);
  });

  it('is off with efi_no_storage_paranoia, for volatile variables, and for deleting', () => {
    const double = createDouble();
    fill(double, 1000);
    const careless = createVariables(double.services, { storageParanoia: false });
    expect(careless.write('X', VENDOR, NV_BS_RT, bytes(10)).ok).toBe(true);
    const careful = createVariables(double.services);
    expect(careful.write('V', VENDOR, 6, bytes(10)).ok).toBe(true);
    expect(careful.delete('X', VENDOR).ok).toBe(true);
    expect(careful.write('Y', VENDOR, NV_BS_RT, bytes(10))).toMatchObject({ errno: 'ENOSPC' });
  });

  it('leaves a write beyond all free space to the firmware', () => {
    const double = createDouble({ capacity: 8192 });
    const written = createVariables(double.services).write('X', VENDOR, NV_BS_RT, bytes(9000));
    expect(written).toMatchObject({ ok: false, errno: 'ENOSPC' });
    expect(double.calls).toEqual(['QueryVariableInfo', 'SetVariable']);
  });

  it('allows 64 KiB where the firmware cannot say what is left, and passes other failures on', () => {
    const double = createDouble({ capacity: 0x10_0000 });
    const silent = withLies(double, { queryVariableInfo: () => efiFail(EfiStatus.UNSUPPORTED) });
    const variables = createVariables(silent);
    expect(variables.write('X', VENDOR, NV_BS_RT, bytes(65_534)).ok).toBe(true);
    expect(variables.write('X', VENDOR, NV_BS_RT, bytes(65_535))).toMatchObject({
      errno: 'ENOSPC',
    });
    expect(variables.space()).toMatchObject({ ok: false, errno: 'EINVAL' });
    const broken = withLies(double, { queryVariableInfo: () => efiFail(EfiStatus.DEVICE_ERROR) });
    expect(createVariables(broken).write('X', VENDOR, NV_BS_RT, bytes(1))).toMatchObject({
      errno: 'EIO',
    });
  });

  it('does not believe in a store of terabytes', () => {
    const huge = 1n << 44n;
    let asked = 0;
    const services = withLies(createDouble(), {
      queryVariableInfo: () => {
        asked += 1;
        return efiOk({
          maximumVariableStorageSize: huge,
          remainingVariableStorageSize: asked === 1 ? 5121n : huge,
          maximumVariableSize: huge,
        });
      },
    });
    expect(createVariables(services).write('X', VENDOR, NV_BS_RT, bytes(10)).ok).toBe(true);
  });

  it('tells the space there is, less the reserve', () => {
    const double = createDouble({ capacity: 6000 });
    const variables = createVariables(double.services);
    expect(variables.space()).toEqual(efiOk({ total: 6000n, free: 6000n, available: 880n }));
    const small = createVariables(createDouble({ capacity: 100 }).services);
    expect(small.space()).toEqual(efiOk({ total: 100n, free: 100n, available: 0n }));
  });

  it('cleans up a dummy that an interrupted check left', () => {
    const double = createDouble();
    const { services } = double;
    services.setVariable('DUMMY', WellKnownGuid.LINUX_EFI_DUMMY_GUID, NV_BS_RT, 1, bytes(1));
    const variables = createVariables(services);
    expect(variables.cleanUp().ok).toBe(true);
    expect(double.variables.size).toBe(0);
    expect(variables.cleanUp().ok).toBe(true);
  });
});
