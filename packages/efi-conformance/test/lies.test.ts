import { readFileSync } from 'node:fs';
import {
  bindPlatform,
  createEfi,
  EFI_TIME_ZERO,
  efiFail,
  efiOk,
  EfiStatus,
  neutralRuntimeOps,
} from '@systab/efi-core';
import type { EfiResult, EfiRuntimeOps } from '@systab/efi-core';
import { initEfi } from '@systab/efi-init';
import { createEfiRuntime } from '@systab/efi-runtime';
import { describe, expect, it } from 'vitest';
import { CALLABLE_SERVICES, contradictsLack } from '../src/capability.ts';
import type { Check } from '../src/check.ts';
import { CHECKS } from '../src/checks/index.ts';
import { judge } from '../src/difference.ts';
import type { Running } from '../src/running.ts';

const SIGNED_UPDATES = readFileSync(
  new URL('../../../guest/firmware/test/auth-vectors.bin', import.meta.url),
);

/** Outputs of every service at once, all empty. */
const EMPTY = {
  time: { ...EFI_TIME_ZERO, year: 2024, month: 1, day: 1 },
  capabilities: { resolution: 1, accuracy: 1, setsToZero: false },
  enabled: false,
  pending: false,
  attributes: 7,
  data: new Uint8Array(),
  variableNameSize: 2,
  variableName: new Uint8Array(2),
  vendorGuid: '00000000-0000-0000-0000-000000000000',
  maximumCapsuleSize: 0n,
  resetType: 0,
  maximumVariableStorageSize: 1n << 16n,
  remainingVariableStorageSize: 1n << 15n,
  maximumVariableSize: 1n << 10n,
};

/** Firmware that gives every call the same answer. */
const LIARS: Readonly<Record<string, () => EfiResult<unknown>>> = {
  'that says yes to everything': () => efiOk(EMPTY),
  'that finds every parameter invalid': () => efiFail(EfiStatus.INVALID_PARAMETER),
  'that is broken': () => efiFail(EfiStatus.DEVICE_ERROR),
  'that supports nothing and does not say why': () => efiFail(EfiStatus.UNSUPPORTED),
};

/** The runtime half on such a firmware; initialisation found no tables. */
const runningOn = (answer: () => EfiResult<unknown>): Running => {
  const services = Object.fromEntries(
    Object.keys(neutralRuntimeOps).map((member) => [member, answer]),
  ) as unknown as EfiRuntimeOps;
  const tables = bindPlatform({ name: 'liar', detect: () => 1, runtime: () => services });
  const report = initEfi(tables);
  const efi = createEfi();
  efi.runtimeVersion = 0x0002_0064;
  efi.facilities.enable('EFI_RUNTIME_SERVICES', 'a lie');
  const runtime = createEfiRuntime(efi, tables);
  const running: Running = {
    system: { tables, calls: [], overwrite: () => true, signedUpdates: SIGNED_UPDATES },
    tables,
    report,
    efi,
    runtime,
    services: runtime.services,
    log: [],
    reboot: () => running,
  };
  return running;
};

/** Whether a check finds fault with a firmware; a check that cannot go on has found it too. */
const findsFault = (check: Check, answer: () => EfiResult<unknown>): boolean => {
  try {
    return judge(check, check.ask(runningOn(answer))).length > 0;
  } catch {
    return true;
  }
};

describe('a check that cannot fail is none', () => {
  // Those about the platform itself have nothing to do with firmware.
  const aboutFirmware = CHECKS.filter(({ needs }) => needs.length > 0);

  it.each(aboutFirmware.map((check) => [check.name, check] as const))('%s', (_, check) => {
    const believed = Object.values(LIARS).filter((answer) => !findsFault(check, answer));
    // A liar may happen to give one of the answers that are right.
    const right = Object.values(check.expected).map((expected) => [expected].flat().length);
    expect(believed.length).toBeLessThanOrEqual(Math.max(...right));
  });
});

describe('a lack that is not true', () => {
  it.each(CALLABLE_SERVICES)('%s answers, or does not say why it does not', (service) => {
    for (const answer of Object.values(LIARS))
      expect(contradictsLack(runningOn(answer), service)).toMatch(service);
  });

  it('is told of what the system has', () => {
    const running = runningOn(() => efiOk(EMPTY));
    expect(contradictsLack(running, 'observed calls')).toBe('the system has calls');
    expect(contradictsLack(running, 'damaged firmware')).toBe('the system has overwrite');
    expect(contradictsLack(running, 'reboot')).toBeUndefined();
    expect(contradictsLack(running, 'firmware tables')).toMatch(/^facilities/);
  });
});
