import { readFileSync } from 'node:fs';
import { requireTool } from '@systab/host-tools';
import type { SkippableContext } from '@systab/host-tools';
import { PcMachine } from '@systab/x86-emu';
import type { SnapshotContents } from '@systab/x86-emu';
import { enterBootPhase, trapStub, watchTrap } from '../src/index.ts';
import type { BootPhase, CallRecord } from '../src/index.ts';

/** Firmware that the tests boot. */
export const FIRMWARE = ['reference-x64', 'reference-ia32', 'ovmf'] as const;
export type FirmwareName = (typeof FIRMWARE)[number];

const VARIABLES_SIZE = 0x2_0000;
const BUDGET = 4e9;
const COMMAND_LINE = 'efi=debug quiet';

const flashOf = (context: SkippableContext, name: FirmwareName): readonly Uint8Array[] => {
  if (name !== 'ovmf')
    return [
      readFileSync(new URL(`../images/${name}.fd`, import.meta.url)),
      new Uint8Array(VARIABLES_SIZE).fill(0xff),
    ];
  requireTool(context, 'ovmf');
  return ['CODE', 'VARS'].map((part) => readFileSync(`/usr/share/OVMF/OVMF_${part}_4M.fd`));
};

const atTrap = new Map<
  FirmwareName,
  { readonly pc: PcMachine; readonly state: SnapshotContents }
>();

/** A machine in which the firmware has just started the stub; the first call for a firmware boots it, later ones go back. */
const bootedToTrap = (context: SkippableContext, name: FirmwareName): PcMachine => {
  const known = atTrap.get(name);
  if (known !== undefined) {
    known.pc.machine.restore(known.state);
    return known.pc;
  }
  const [code, vars] = flashOf(context, name);
  if (code === undefined || vars === undefined) throw new Error('firmware has two flash images');
  const pc = new PcMachine({
    flash: [
      { image: code, readOnly: true },
      { image: vars, readOnly: false },
    ],
    kernel: { kernel: trapStub(name === 'reference-ia32' ? 32 : 64), cmdline: COMMAND_LINE },
  });
  const watch = watchTrap(pc.machine);
  const exit = pc.run({ budget: BUDGET });
  if (!watch.waiting()) throw new Error(`${name} ended with ${exit.kind}, not at the stub`);
  watch.end();
  atTrap.set(name, { pc, state: pc.machine.snapshot() });
  return pc;
};

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
