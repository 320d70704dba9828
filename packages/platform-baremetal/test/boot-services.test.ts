import {
  bindPlatform,
  EfiStatus,
  findMemoryRange,
  guid,
  MemoryType,
  WellKnownGuid,
} from '@systab/efi-core';
import { describe, expect, it, vi } from 'vitest';
import { leaveBootServices } from '../src/boot-services.ts';
import type { BootServices } from '../src/boot-services.ts';
import type { CallRecord } from '../src/index.ts';
import { AllocateType, createBareMetalBackend } from '../src/index.ts';
import { bootPhase, FIRMWARE } from './firmware.ts';

// OVMF's boot, with other work on the machine.
vi.setConfig({ testTimeout: 120_000 });

const CONSOLE_OUT = guid('387477c2-69c7-11d2-8e39-00a0c969723b');

describe.each(FIRMWARE)('boot services of %s, called from TypeScript', (name) => {
  it('start the stub with an image handle, the system table and the command line', (context) => {
    const { boot } = bootPhase(context, name);
    expect(boot.width).toBe(name === 'reference-ia32' ? 32 : 64);
    expect(boot.imageHandle).not.toBe(0n);
    expect(boot.commandLine()).toEqual({ ok: true, value: 'efi=debug quiet' });
  });

  it('give the memory map, and its size when the buffer is too small', (context) => {
    const { boot } = bootPhase(context, name);
    const { getMemoryMap } = boot.services;
    const small = getMemoryMap(40);
    expect(small).toMatchObject({ ok: false, status: EfiStatus.BUFFER_TOO_SMALL });
    const needed = small.ok ? 0 : (small.needed ?? 0);
    const map = getMemoryMap(needed);
    if (!map.ok) throw new Error(String(map.status));
    expect(map.value.descriptorSize).toBeGreaterThanOrEqual(40);
    expect(map.value.bytes.length).toBe(map.value.descriptors.length * map.value.descriptorSize);
    expect(
      map.value.descriptors.some(({ type }) => type === MemoryType.EfiRuntimeServicesCode),
    ).toBe(true);
  });

  it('allocate pages where they are asked to, and show them in the map', (context) => {
    const { boot } = bootPhase(context, name);
    const { allocatePages, freePages, getMemoryMap } = boot.services;
    const limit = 0x4ff_ffffn;
    const got = allocatePages(AllocateType.AllocateMaxAddress, MemoryType.EfiLoaderData, 16, limit);
    if (!got.ok) throw new Error(String(got.status));
    expect(BigInt(got.value) + 0x1_0000n).toBeLessThanOrEqual(limit + 1n);
    const map = getMemoryMap(0x4000);
    if (!map.ok) throw new Error(String(map.status));
    expect(findMemoryRange(map.value, got.value, 0x1_0000)?.type).toBe(MemoryType.EfiLoaderData);
    const taken = BigInt(got.value);
    expect(
      allocatePages(AllocateType.AllocateAddress, MemoryType.EfiLoaderData, 1, taken),
    ).toMatchObject({
      ok: false,
      status: EfiStatus.NOT_FOUND,
    });
    expect(freePages(got.value, 16)).toMatchObject({ ok: true });
    expect(allocatePages(AllocateType.AllocateAddress, MemoryType.EfiLoaderData, 1, taken)).toEqual(
      {
        ok: true,
        value: got.value,
      },
    );
  });

  it('locate protocols', (context) => {
    const { boot } = bootPhase(context, name);
    const { locateProtocol, handleProtocol } = boot.services;
    const found = locateProtocol(CONSOLE_OUT);
    expect(found.ok && found.value !== 0n).toBe(true);
    const nobody = guid('00000000-0000-0000-0000-000000000001');
    expect(locateProtocol(nobody)).toMatchObject({ ok: false, status: EfiStatus.NOT_FOUND });
    const image = handleProtocol(boot.imageHandle, WellKnownGuid.EFI_LOADED_IMAGE_PROTOCOL_GUID);
    expect(image.ok && image.value !== 0n).toBe(true);
  });

  it('end only with the key of the present map, and at the second attempt with a fresh one', (context) => {
    const { boot, calls } = bootPhase(context, name);
    const { exitBootServices, getMemoryMap } = boot.services;
    const map = getMemoryMap(0x4000);
    if (!map.ok) throw new Error(String(map.status));
    expect(exitBootServices(boot.imageHandle, map.value.mapKey + 1n)).toMatchObject({
      ok: false,
      status: EfiStatus.INVALID_PARAMETER,
    });
    calls.length = 0;
    const kernel = boot.exit();
    expect(kernel.ok).toBe(true);
    expect(
      calls.map(({ service }) => service).filter((service) => service !== 'GetMemoryMap'),
    ).toEqual(['AllocatePages', 'ExitBootServices']);
    expect(calls.every(({ mode }) => mode === 'boot services')).toBe(true);
  });

  it('are asked for a fresh map when the key has become stale on the way out', (context) => {
    const { boot, calls } = bootPhase(context, name);
    const { services } = boot;
    let spoiled = false;
    const spoiling: BootServices = {
      ...services,
      // An allocation behind the loader's back, as a notification function of the firmware may make one.
      exitBootServices: (handle, key) => {
        if (!spoiled)
          services.allocatePages(AllocateType.AllocateAnyPages, MemoryType.EfiLoaderData, 1);
        spoiled = true;
        return services.exitBootServices(handle, key);
      },
    };
    expect(leaveBootServices(spoiling, boot.imageHandle).ok).toBe(true);
    const exits = calls.filter(({ service }) => service === 'ExitBootServices');
    expect(exits.map(({ outcome }) => outcome)).toEqual([
      { kind: 'returned', status: EfiStatus.INVALID_PARAMETER },
      { kind: 'returned', status: EfiStatus.SUCCESS },
    ]);
    const between = calls.slice(calls.indexOf(exits[0] as CallRecord) + 1, -1);
    expect(new Set(between.map(({ service }) => service))).toEqual(new Set(['GetMemoryMap']));
  });

  it('are gone afterwards', (context) => {
    const { boot } = bootPhase(context, name);
    const kernel = boot.exit();
    if (!kernel.ok) throw new Error(String(kernel.status));
    const { call } = bindPlatform(createBareMetalBackend(kernel.value));
    expect(call.call('Stall', [1n])).toMatchObject({ kind: 'unavailable' });
  });
});

it('let the stub return to the firmware, which has nothing else to start', (context) => {
  const { pc, boot } = bootPhase(context, 'reference-x64');
  boot.leave(EfiStatus.ABORTED);
  expect(pc.run({ budget: 1e8 })).toMatchObject({ kind: 'shutdown', event: 'off' });
});
