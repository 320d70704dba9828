// Child process of calls.ts: one pair, one GetVariable per route many times. Arguments: the pair, the rounds.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

import { loadFirmware } from '../../apps/cli/src/firmware-files.ts';
import { bringUp, takeOver } from '../../apps/cli/src/system.ts';
import type { System } from '../../apps/cli/src/system.ts';
import { WellKnownGuid } from '../../packages/efi-core/src/index.ts';
import {
  createBareMetalBackend,
  startFirmware,
  trapStub,
} from '../../packages/platform-baremetal/src/index.ts';
import {
  createDom0Environment,
  Dom0,
  dom0Kernel,
  DOM0_LAYOUT,
  efiCallBackend,
  enterDom0,
  unifiedImage,
  xenBackend,
} from '../../packages/platform-xen/src/index.ts';
import type { Dom0Environment } from '../../packages/platform-xen/src/index.ts';
import { PcMachine } from '../../packages/x86-emu/src/index.ts';
import type { Machine } from '../../packages/x86-emu/src/index.ts';
import { hostTools } from '../../tools/host-tools/src/tools.ts';
import type { CallName, CallRun, PairName } from './pairs.ts';

const BOOT_BUDGET = 10e9;
const WARM_UP = 500;
const MIB = 2 ** 20;

const EMBEDDED = fileURLToPath(
  new URL('../../packages/platform-xen/images/hypervisor-x64.efi', import.meta.url),
);
const PAIR: Readonly<
  Record<
    PairName,
    { readonly firmware: string; readonly hypervisor: string; readonly memory: number }
  >
> = {
  embedded: { firmware: 'reference', hypervisor: EMBEDDED, memory: 256 * MIB },
  'ovmf-xen': { firmware: 'ovmf', hypervisor: hostTools.xen.file ?? '', memory: 512 * MIB },
};

const [name = '', roundsText = ''] = process.argv.slice(2);
const pair = PAIR[name as PairName];
const rounds = Number(roundsText);
const files = loadFirmware({ firmware: pair.firmware, unchecked: false });

const machineWith = (kernel: Uint8Array, cmdline: string): PcMachine =>
  new PcMachine({
    memory: pair.memory,
    flash: [
      { image: files.code.bytes, readOnly: true },
      { image: files.vars?.bytes ?? new Uint8Array(), readOnly: false },
    ],
    kernel: { kernel, cmdline },
  });

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Makes a call some times to warm up, then `rounds` times. `make` gives a reason for a failure. */
const measure = (call: CallName, machine: Machine, make: () => string | undefined): void => {
  const many = (count: number): void => {
    for (let round = 0; round < count; round++) {
      const failure = make();
      if (failure !== undefined) throw new Error(`${call} on ${name}: ${failure}`);
    }
  };
  many(WARM_UP);
  const [start, cpu, retired] = [performance.now(), cpuSeconds(), machine.retired];
  many(rounds);
  const run: CallRun = {
    call,
    rounds,
    seconds: (performance.now() - start) / 1e3,
    cpu: cpuSeconds() - cpu,
    instructions: machine.retired - retired,
  };
  process.stdout.write(`${JSON.stringify(run)}\n`);
};

const measureGetVariable = (call: CallName, { pc, runtime }: System): void =>
  measure(call, pc.machine, () => {
    const answer = runtime.services.getVariable('SetupMode', WellKnownGuid.EFI_GLOBAL_VARIABLE, 1);
    return answer.ok ? undefined : (answer.why ?? answer.status.toString(16));
  });

const bareMetal = machineWith(trapStub(64), '');
if (!startFirmware(bareMetal).ok) throw new Error('the firmware starts nothing');
measureGetVariable('direct', takeOver(bareMetal));

const pc = machineWith(
  unifiedImage({
    hypervisor: readFileSync(pair.hypervisor),
    kernel: dom0Kernel(),
    options: 'dom0_mem=64M',
  }),
  'hypervisor.efi',
);
const exit = pc.run({ budget: BOOT_BUDGET, until: DOM0_LAYOUT.entry });
if (exit.kind !== 'until') throw new Error(`no dom0: ${exit.kind}`);
const atEntry = pc.machine.snapshot();

/** A new domain each time. */
const freshDom0 = (): Dom0 => {
  pc.machine.restore(atEntry);
  const entered = enterDom0(pc.machine);
  if (!entered.ok) throw new Error(entered.error.why);
  return entered.value;
};

const surroundings = (dom0: Dom0, runtimeStubs: boolean): Dom0Environment => {
  const made = createDom0Environment(dom0, { runtimeStubs });
  if (!made.ok) throw new Error(made.why ?? 'no surroundings for bare metal');
  return made.value;
};

const idle = freshDom0();
measure('hypercall xen_version', pc.machine, () => {
  const { kind } = idle.hypercall('xen_version', [0n, 0n]);
  return kind === 'returned' ? undefined : kind;
});
measureGetVariable('ops', bringUp(pc, [xenBackend(freshDom0())], ''));
measureGetVariable(
  'systab',
  bringUp(pc, [createBareMetalBackend(surroundings(freshDom0(), true))], ''),
);
const below = freshDom0();
measureGetVariable(
  'efi-call',
  bringUp(pc, [efiCallBackend(below, createBareMetalBackend(surroundings(below, false)))], ''),
);
process.stdout.write('DONE\n');
