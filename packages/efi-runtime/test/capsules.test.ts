import {
  crc32,
  decodeCapsuleBlocks,
  EFI_DONE,
  efiFail,
  efiOk,
  EfiStatus,
  encodeCapsule,
  guid,
  neutralMemoryOps,
} from '@systab/efi-core';
import type { EfiRuntimeOps } from '@systab/efi-core';
import { describe, expect, it } from 'vitest';
import { createEfiRuntime, firmwareResources } from '../src/index.ts';
import type { EfiRuntime } from '../src/index.ts';
import { bindDouble, createDouble, createMemory, readyEfi, VENDOR } from './firmware-double.ts';

const PERSIST = 0x1_0000;
const image = (flags: number, size: number): Uint8Array =>
  encodeCapsule({
    capsuleGuid: VENDOR,
    flags,
    extraHeader: new Uint8Array(4),
    body: Uint8Array.from({ length: size }, (_, index) => index % 251),
  });

const setUp = (lies: Partial<EfiRuntimeOps> = {}) => {
  const double = createDouble();
  const memory = createMemory();
  const lists: bigint[] = [];
  const tables = bindDouble(
    double,
    {
      updateCapsule: (_capsules, _count, list) => {
        lists.push(list);
        return EFI_DONE;
      },
      ...lies,
    },
    memory.ops,
  );
  const lines: string[] = [];
  const runtime: EfiRuntime = createEfiRuntime(readyEfi(), tables, {
    warn: (line) => lines.push(line),
  });
  return { double, memory, lists, runtime, lines };
};

describe('capsules', () => {
  it('that survive a reset are scattered over pages that describe themselves', () => {
    for (const size of [10, 4064, 4065, 255 * 4096 - 32, 255 * 4096 - 31]) {
      const { memory, lists, runtime } = setUp();
      const whole = image(PERSIST, size);
      expect(runtime.capsules.update(whole).ok).toBe(true);
      const gathered = new Uint8Array(whole.length);
      let filled = 0;
      let at = lists[0];
      let listPages = 0;
      while (at !== undefined) {
        const list = decodeCapsuleBlocks(memory.bytes.subarray(Number(at), Number(at) + 4096));
        if (!list.ok) throw new Error('no list');
        listPages += 1;
        for (const { address, length } of list.value.blocks) {
          const start = Number(address);
          expect(start % 4096).toBe(0);
          gathered.set(memory.bytes.subarray(start, start + Number(length)), filled);
          filled += Number(length);
        }
        at = list.value.continuation;
      }
      expect(filled).toBe(whole.length);
      expect(crc32(gathered)).toBe(crc32(whole));
      expect(listPages).toBe(Math.ceil(Math.ceil(whole.length / 4096) / 255));
      expect(memory.held.size).toBe(2);
    }
  });

  it('that do not, need no list', () => {
    const { lists, runtime, memory } = setUp();
    expect(runtime.capsules.update(image(0x1234, 10)).ok).toBe(true);
    expect(lists).toEqual([0n]);
    expect(memory.held.size).toBe(0);
    expect(runtime.capsules.pendingReset()).toBeUndefined();
  });

  it('are refused before the firmware sees them', () => {
    const { lists, runtime } = setUp({
      queryCapsuleCapabilities: () => efiOk({ maximumCapsuleSize: 100n, resetType: 0 }),
    });
    const status = (bytes: Uint8Array): unknown => {
      const result = runtime.capsules.update(bytes);
      return result.ok ? 'taken' : result.status;
    };
    expect(status(new Uint8Array(8))).toBe(EfiStatus.INVALID_PARAMETER);
    expect(status(image(PERSIST, 10).subarray(0, 35))).toBe(EfiStatus.INVALID_PARAMETER);
    expect(status(image(0x5_0000, 10))).toBe(EfiStatus.INVALID_PARAMETER);
    expect(status(image(0x8000_0000, 10))).toBe(EfiStatus.INVALID_PARAMETER);
    expect(status(image(0, 69))).toBe(EfiStatus.OUT_OF_RESOURCES);
    expect(lists).toEqual([]);
    expect(status(image(0, 68))).toBe('taken');
  });

  it('give their pages back when the firmware or the memory fails', () => {
    const refusing = setUp({ updateCapsule: () => efiFail(EfiStatus.UNSUPPORTED) });
    expect(refusing.runtime.capsules.update(image(PERSIST, 9000))).toMatchObject({
      status: EfiStatus.UNSUPPORTED,
    });
    expect(refusing.memory.held.size).toBe(0);
    expect(refusing.runtime.capsules.pendingReset()).toBeUndefined();
    const small = setUp();
    expect(small.runtime.capsules.update(image(PERSIST, 5_000_000))).toMatchObject({
      status: EfiStatus.OUT_OF_RESOURCES,
    });
    const none = createEfiRuntime(
      readyEfi(),
      bindDouble(createDouble(), {}, { read: neutralMemoryOps.read }),
    );
    expect(none.capsules.update(image(PERSIST, 10))).toMatchObject({
      status: EfiStatus.UNSUPPORTED,
    });
  });

  it('decide how the machine is reset, and come too late once it is', () => {
    let resetType = 1;
    const { runtime, double } = setUp({
      queryCapsuleCapabilities: () => efiOk({ maximumCapsuleSize: 1n << 20n, resetType }),
    });
    expect(runtime.capsules.update(image(PERSIST, 10)).ok).toBe(true);
    expect(runtime.capsules.pendingReset()).toBe(1);
    resetType = 0;
    expect(runtime.capsules.update(image(PERSIST, 10))).toMatchObject({
      status: EfiStatus.INVALID_PARAMETER,
      why: 'conflicting capsule reset type 0 (1)',
    });
    expect(runtime.power.reboot('cold')).toEqual(efiOk('restarted'));
    expect(double.resets).toEqual([1]);
    resetType = 1;
    expect(runtime.capsules.update(image(PERSIST, 10))).toMatchObject({
      status: EfiStatus.ABORTED,
    });
  });
});

describe('leaving the machine', () => {
  it('passes the mode on and says when the machine is still there', () => {
    const { runtime, double, lines } = setUp();
    runtime.power.reboot();
    runtime.power.reboot('warm');
    expect(runtime.power.powerOff()).toEqual(efiOk('powered off'));
    expect(double.resets).toEqual([0, 1, 2]);
    expect(lines).toEqual([]);
    expect(runtime.power.halt()).toMatchObject({ ok: false, status: EfiStatus.UNSUPPORTED });
    const stuck = setUp({ resetSystem: () => efiOk('returned') });
    expect(stuck.runtime.power.reboot()).toEqual(efiOk('returned'));
    expect(stuck.lines).toEqual(['reboot: the machine is still here after restart']);
    expect(lines).toEqual(['reboot: halt failed: EFI_UNSUPPORTED']);
  });
});

describe('the view of the ESRT', () => {
  it('puts numbers into words, unknown ones too', () => {
    const entry = {
      fwClass: guid('11111111-2222-3333-4444-555555555555'),
      fwType: 1,
      fwVersion: 5,
      lowestSupportedFwVersion: 3,
      capsuleFlags: PERSIST,
      lastAttemptVersion: 6,
      lastAttemptStatus: 5,
    };
    const table = {
      fwResourceCountMax: 2,
      fwResourceVersion: 1n,
      entries: [entry, { ...entry, fwType: 9, lastAttemptStatus: 0x2000 }],
    };
    expect(firmwareResources(table)).toMatchObject([
      { kind: 'system firmware', lastAttempt: 'authentication error', version: 5 },
      { kind: 'unknown', lastAttempt: 'vendor specific' },
    ]);
    expect(firmwareResources(undefined)).toEqual([]);
    expect(setUp().runtime.firmware()).toEqual([]);
  });
});
