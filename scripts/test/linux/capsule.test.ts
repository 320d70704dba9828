// The capsule that Linux took through a reset into the reference firmware, taken there by our layer.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  bytesToHex,
  encodeEfivarfs,
  hexToBytes,
  WellKnownGuid,
} from '../../../packages/efi-core/src/index.ts';
import { findConfiguration, readLinuxFacts } from '../../../tools/linux-oracle/src/index.ts';
import { readCapsuleFacts } from '../../../tools/linux-oracle/src/capsule.ts';
import type { CapsuleSight } from '../../../tools/linux-oracle/src/capsule.ts';
import { codePath } from '../../../tools/linux-oracle/src/run-linux.ts';
import { bootLayer, startLayer } from './firmware-system.ts';
import type { FirmwareSystem } from './firmware-system.ts';

const TIMEOUT = 120_000;

/** What was recorded, but for the flag of the file that Linux keeps by itself. */
const recorded = ({ esrt, last: { bytes, errno } }: CapsuleSight): unknown => ({
  esrt,
  last: bytes ?? errno,
});

/** What Linux's files would say of a system. */
const sightOf = ({ init, runtime }: FirmwareSystem): unknown => {
  const [entry] = init.efi.esrt?.entries ?? [];
  const last = runtime.variables.read('CapsuleLast', WellKnownGuid.EFI_CAPSULE_REPORT_GUID);
  if (entry === undefined) throw new Error('the firmware has no ESRT');
  return {
    esrt: {
      capsule_flags: `0x${entry.capsuleFlags.toString(16)}\n`,
      fw_class: `${entry.fwClass}\n`,
      fw_type: `${String(entry.fwType)}\n`,
      fw_version: `${String(entry.fwVersion)}\n`,
      last_attempt_status: `${String(entry.lastAttemptStatus)}\n`,
      last_attempt_version: `${String(entry.lastAttemptVersion)}\n`,
      lowest_supported_fw_version: `${String(entry.lowestSupportedFwVersion)}\n`,
    },
    last: last.ok ? bytesToHex(encodeEfivarfs(last.value)) : last.errno,
  };
};

test('a capsule comes to the firmware as from Linux', { timeout: TIMEOUT }, (context) => {
  const facts = readCapsuleFacts();
  const image = readFileSync(codePath(findConfiguration('reference-x64')));
  context.skip(
    createHash('sha256').update(image).digest('hex') !== facts.recording.code,
    'needs the reference firmware that Linux was recorded on',
  );
  const linux = readLinuxFacts('reference-x64');
  const before = bootLayer(linux);
  expect(sightOf(before)).toEqual(recorded(facts.before));
  const capsule = hexToBytes(facts.capsule) ?? new Uint8Array();
  expect(facts.loaded).toEqual({ written: capsule.length });
  expect(before.runtime.capsules.update(capsule)).toMatchObject({ ok: true });
  expect(before.runtime.power.reboot()).toEqual({ ok: true, value: 'restarted' });
  before.pc.reset();
  const after = startLayer(before.pc, linux.recording.commandLine);
  expect(sightOf(after)).toEqual(recorded(facts.after));
  expect(recorded(facts.after)).not.toEqual(recorded(facts.before));
});
