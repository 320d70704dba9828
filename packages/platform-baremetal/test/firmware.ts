import { readFileSync } from 'node:fs';
import { blankVariableVolume, encodeVariableVolume, VOLUME_GEOMETRY } from '@systab/efi-core';
import { requireTool } from '@systab/host-tools';
import type { SkippableContext } from '@systab/host-tools';
import { PcMachine } from '@systab/x86-emu';
import type { SnapshotContents } from '@systab/x86-emu';
import { enterBootPhase, trapStub, watchTrap } from '../src/index.ts';
import type { BootPhase, CallRecord } from '../src/index.ts';

/** Firmware that the tests boot. */
export const FIRMWARE = ['reference-x64', 'reference-ia32', 'ovmf'] as const;
export type FirmwareName = (typeof FIRMWARE)[number];

const BUDGET = 4e9;
const COMMAND_LINE = 'efi=debug quiet';

/** The code and an empty variable store of a firmware. */
export const firmwareFlash = (
  context: SkippableContext,
  name: FirmwareName,
): { readonly code: Uint8Array; readonly variables: Uint8Array } => {
  if (name !== 'ovmf') {
    return {
      code: readFileSync(new URL(`../images/${name}.fd`, import.meta.url)),
      variables: encodeVariableVolume(blankVariableVolume(VOLUME_GEOMETRY['2M'])),
    };
  }
  requireTool(context, 'ovmf');
  const [code, variables] = ['CODE', 'VARS'].map((part) =>
    readFileSync(`/usr/share/OVMF/OVMF_${part}_4M.fd`),
  );
  if (code === undefined || variables === undefined) throw new Error('OVMF is two images');
  return { code, variables };
};

/** A machine that will start the stub of a firmware's width. */
export const machineWith = (
  name: FirmwareName,
  { code, variables }: ReturnType<typeof firmwareFlash>,
): PcMachine =>
  new PcMachine({
    flash: [
      { image: code, readOnly: true },
      { image: variables, readOnly: false },
    ],
    kernel: { kernel: trapStub(name === 'reference-ia32' ? 32 : 64), cmdline: COMMAND_LINE },
  });

/** Runs a machine until the firmware has started the stub. */
export const runToTrap = (pc: PcMachine): void => {
  const watch = watchTrap(pc.machine);
  const exit = pc.run({ budget: BUDGET });
  if (!watch.waiting()) throw new Error(`the run ended with ${exit.kind}, not at the stub`);
  watch.end();
};

/** A machine by firmware whose firmware has just started the stub: made and booted on the first call, gone back to on later ones. */
export const bootOnce = (
  make: (context: SkippableContext, name: FirmwareName) => PcMachine,
): ((context: SkippableContext, name: FirmwareName) => PcMachine) => {
  const booted = new Map<
    FirmwareName,
    { readonly pc: PcMachine; readonly state: SnapshotContents }
  >();
  return (context, name) => {
    const known = booted.get(name);
    if (known !== undefined) {
      known.pc.machine.restore(known.state);
      return known.pc;
    }
    const pc = make(context, name);
    runToTrap(pc);
    booted.set(name, { pc, state: pc.machine.snapshot() });
    return pc;
  };
};

const bootedToTrap = bootOnce((context, name) => machineWith(name, firmwareFlash(context, name)));

/** The boot phase of a firmware, with a record of every call. */
export const bootPhase = (
  context: SkippableContext,
  name: FirmwareName,
): { readonly pc: PcMachine; readonly boot: BootPhase; readonly calls: CallRecord[] } => {
  const pc = bootedToTrap(context, name);
  const calls: CallRecord[] = [];
  const boot = enterBootPhase(pc.machine, { onCall: (call) => calls.push(call) });
  return { pc, boot, calls };
};
