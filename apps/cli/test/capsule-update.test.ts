// A capsule on its way: the EFI layer puts it into memory and asks for the reset, the firmware finds it there at its next start.
import { expect, test } from 'vitest';
import {
  CapsuleFlag,
  crc32,
  decodeChar16,
  encodeCapsule,
  guid,
  WellKnownGuid,
} from '@systab/efi-core';
import { startFirmware } from '@systab/platform-baremetal';
import { bootSystem, takeOver } from '../src/system.ts';
import type { System } from '../src/system.ts';

const FIRMWARE_CLASS = guid('6f1d5a34-0c7e-4b52-9e21-535953544142');
const SIGNATURE = new TextEncoder().encode('SfwU');
const HEADER_SIZE = 24;
const WARM = 1;

/** An update of the reference firmware, guest/firmware/include/efi-capsule.h. */
const update = (version: number, payload: Uint8Array): Uint8Array => {
  const body = new Uint8Array(HEADER_SIZE + payload.length);
  const view = new DataView(body.buffer);
  body.set(SIGNATURE);
  [HEADER_SIZE, version, version, payload.length, crc32(payload)].forEach((word, index) => {
    view.setUint32(4 + index * 4, word, true);
  });
  body.set(payload, HEADER_SIZE);
  return encodeCapsule({
    capsuleGuid: FIRMWARE_CLASS,
    flags: CapsuleFlag.PERSIST_ACROSS_RESET,
    extraHeader: new Uint8Array(),
    body,
  });
};

const afterReset = ({ pc }: System): System => {
  pc.reset();
  const boot = startFirmware(pc);
  if (!boot.ok) throw new Error(`the firmware ended with ${boot.error.kind}`);
  return takeOver(pc);
};

const version = ({ runtime }: System): number | undefined => runtime.firmware()[0]?.version;

test.each([
  { firmware: 'reference', commandLine: '' },
  { firmware: 'reference32', commandLine: '' },
  { firmware: 'reference', commandLine: 'efi=novamap' },
] as const)('$firmware $commandLine is updated across a reset', ({ firmware, commandLine }) => {
  const before = bootSystem({ firmware, commandLine });
  expect(version(before)).toBe(0x1_0000);
  const payload = Uint8Array.from({ length: 70_001 }, (_, index) => (index * 31) % 251);
  expect(before.runtime.capsules.update(update(0x1_0002, payload))).toMatchObject({ ok: true });
  expect(before.runtime.capsules.pendingReset()).toBe(WARM);
  expect(before.runtime.power.reboot('cold')).toEqual({ ok: true, value: 'restarted' });

  const after = afterReset(before);
  expect(version(after)).toBe(0x1_0002);
  expect(after.efi.systemTable?.firmwareRevision).toBe(0x1_0002);
  const { variables, firmware: resources } = after.runtime;
  expect(resources()[0]).toMatchObject({
    fwClass: FIRMWARE_CLASS,
    lastAttemptVersion: 0x1_0002,
    lastAttempt: 'success',
  });
  const last = variables.read('CapsuleLast', WellKnownGuid.EFI_CAPSULE_REPORT_GUID);
  expect(last.ok && decodeChar16(last.value.data)).toBe('Capsule0000');

  // The version just left is older than the lowest that may follow now.
  expect(after.runtime.capsules.update(update(0x1_0000, payload))).toMatchObject({ ok: true });
  expect(after.runtime.power.reboot()).toMatchObject({ ok: true });
  const again = afterReset(after);
  expect(version(again)).toBe(0x1_0002);
  expect(again.runtime.firmware()[0]).toMatchObject({
    lastAttemptVersion: 0x1_0000,
    lastAttempt: 'incorrect version',
  });
});
