/** `ops`: a table of functions that make hypercalls, as Shelton's patches have it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bootDom0, dom0Kernel, unifiedImage, xenBackend } from '@systab/platform-xen';
import type { Dom0, HypercallRecord } from '@systab/platform-xen';
import type { PcMachine } from '@systab/x86-emu';
import { bringUp, TakeOverError } from '../../system.ts';
import { linesReachedFrom } from '../platform-code.ts';
import type { Route, RouteEvent } from '../route.ts';
import { machineFor } from './firmware.ts';
import type { ComparedFirmware } from './firmware.ts';
import { Meter } from './meter.ts';

/** A hypercall as an event of a timeline. */
const hypercallEvent = ({ name, outcome, instructions }: HypercallRecord): RouteEvent => ({
  name,
  through: 'hypercall',
  outcome:
    outcome.kind === 'returned'
      ? `0x${outcome.value.toString(16)}`
      : outcome.kind === 'failed'
        ? `-${outcome.errno}`
        : outcome.kind,
  instructions,
  trace: [],
});

/** The hypervisor that comes with the platform package. */
export const embeddedHypervisor = (): Uint8Array =>
  readFileSync(
    fileURLToPath(import.meta.resolve('@systab/platform-xen/images/hypervisor-x64.efi')),
  );

/** A module of the platform package, in whatever form it is installed. */
const xenModule = (name: string): URL => {
  const entry = new URL(import.meta.resolve('@systab/platform-xen'));
  return new URL(entry.href.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, entry);
};

/** A dom0 on a firmware, and the meter that its hypercalls are counted by. */
const startDom0 = (
  firmware: ComparedFirmware,
  hypervisor: Uint8Array,
): { readonly pc: PcMachine; readonly dom0: Dom0; readonly meter: Meter } => {
  const image = unifiedImage({ hypervisor, kernel: dom0Kernel(), options: 'dom0_mem=64M' });
  const pc = machineFor(firmware, image, 'hypervisor.efi');
  const meter = new Meter(pc.machine);
  const booted = bootDom0(pc, {
    onHypercall: (call) => {
      meter.count({ hypercalls: 1, crossings: 1, instructions: call.instructions });
      meter.event(hypercallEvent(call));
    },
  });
  if (!booted.ok) throw new TakeOverError(`no dom0: ${booted.error.why}`);
  return { pc, dom0: booted.value, meter };
};

/** The route on a firmware and a hypervisor. */
export const opsRoute = (firmware: ComparedFirmware, hypervisor: Uint8Array): Route => ({
  name: 'ops',
  origin: 'Shelton: operation tables whose members make hypercalls',
  platformLines: () => linesReachedFrom(xenModule('backend')),
  boot: () => {
    const { pc, dom0, meter } = startDom0(firmware, hypervisor);
    const system = bringUp(pc, [xenBackend(dom0)], '');
    return { system, cost: () => meter.cost, takeEvents: () => meter.takeEvents() };
  },
});
