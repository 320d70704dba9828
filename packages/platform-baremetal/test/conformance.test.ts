import { readFileSync } from 'node:fs';
import {
  bindPlatform,
  decodeVariableVolume,
  EFI_TIME_ZERO,
  encodeVariableVolume,
  physAddr,
  setStoredVariable,
} from '@systab/efi-core';
import type { RuntimeServiceName } from '@systab/efi-core';
import { BOOT_ONLY, describeConformance, OVMF_DIFFERENCES } from '@systab/efi-conformance';
import type { ObservedCall, System } from '@systab/efi-conformance';
import type { PcMachine } from '@systab/x86-emu';
import { vi } from 'vitest';
import { serviceEntry } from '../src/firmware-call.ts';
import { createBareMetalBackend, enterBootPhase } from '../src/index.ts';
import type { Kernel } from '../src/index.ts';
import { bootOnce, FIRMWARE, firmwareFlash, machineWith, runToTrap } from './firmware.ts';

// OVMF's boot, with other work on the machine.
vi.setConfig({ testTimeout: 120_000 });

/** Small enough that a hung call is noticed soon, large enough for OVMF to program 32 KiB of flash. */
const CALL_BUDGET = 50_000_000;

const SIGNED_UPDATES = readFileSync(
  new URL('../../../guest/firmware/test/auth-vectors.bin', import.meta.url),
);

/** A variable store that holds what the suite asks for. */
const prepared = (store: Uint8Array): Uint8Array => {
  const volume = decodeVariableVolume(store);
  if (!volume.ok) throw new Error('the variable store cannot be read');
  const edited = setStoredVariable(volume.value, { ...BOOT_ONLY, timeStamp: EFI_TIME_ZERO });
  if (!edited.ok) throw new Error(edited.error.kind);
  return encodeVariableVolume(edited.value);
};

/** Where the code of a service is: its address as the firmware's page table has it now. */
const codeOf = (
  { machine, width, systemTable }: Kernel,
  service: RuntimeServiceName,
): number | undefined => {
  const entry = serviceEntry(service, BigInt(systemTable ?? 0), width, (at, length) =>
    machine.readLinear(at, length),
  );
  return entry === undefined ? undefined : machine.physicalAddress(entry);
};

/** The kernel on a machine that is at the trap of the stub. */
const takenOver = (pc: PcMachine): System => {
  const kernel = enterBootPhase(pc.machine).exit();
  if (!kernel.ok) throw new Error(`ExitBootServices failed: ${String(kernel.status)}`);
  const calls: ObservedCall[] = [];
  const backend = createBareMetalBackend(kernel.value, {
    budget: CALL_BUDGET,
    onCall: ({ service, breaches }) =>
      calls.push({
        service,
        breaches: breaches.map(
          ({ what, expected, actual }) => `${what} is ${actual}, expected ${expected}`,
        ),
      }),
  });
  return {
    tables: bindPlatform(backend),
    calls,
    overwrite: (service, code) => {
      const raw = kernel.value.inFirmwareSpace(() => codeOf(kernel.value, service));
      const at = raw === undefined ? undefined : physAddr(raw);
      return at !== undefined && kernel.value.write(at, code);
    },
    signedUpdates: SIGNED_UPDATES,
    reboot: () => {
      pc.reset();
      runToTrap(pc);
      return takenOver(pc);
    },
  };
};

const booted = bootOnce((context, name) => {
  const flash = firmwareFlash(context, name);
  return machineWith(name, { ...flash, variables: prepared(flash.variables) });
});

for (const name of FIRMWARE) {
  describeConformance(`bare metal on ${name}`, {
    boot: (context) => takenOver(booted(context, name)),
    differences: name === 'ovmf' ? OVMF_DIFFERENCES : [],
  });
}
