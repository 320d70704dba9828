/** `systab`: bare metal unchanged, above a system table whose services are machine code that makes hypercalls, as Wilk proposed. */
import { createBareMetalBackend } from '@systab/platform-baremetal';
import { createDom0Environment } from '@systab/platform-xen';
import { bringUp, TakeOverError } from '../../system.ts';
import { linesReachedFrom } from '../platform-code.ts';
import type { MemoryMapChoice, Route } from '../route.ts';
import { callEvent } from './direct.ts';
import { startDom0, xenModule } from './dom0.ts';
import type { ComparedHypervisor } from './dom0.ts';
import type { ComparedFirmware } from './firmware.ts';

/** The route on a firmware and a hypervisor. */
export const systabRoute = (
  firmware: ComparedFirmware,
  hypervisor: ComparedHypervisor,
  memoryMap: MemoryMapChoice,
): Route => ({
  name: 'systab',
  origin:
    'Wilk: a system table whose services are code that makes hypercalls, under unchanged bare-metal tables',
  platformLines: () => linesReachedFrom(xenModule('route/environment')),
  boot: () => {
    const { pc, dom0, meter } = startDom0(firmware, hypervisor);
    const environment = createDom0Environment(dom0, { memoryMap });
    if (!environment.ok)
      throw new TakeOverError(environment.why ?? 'no surroundings for bare metal');
    const backend = createBareMetalBackend(environment.value, {
      onCall: (call) => {
        // The stub makes the hypercall itself, out of sight of the domain's own code.
        meter.count({ hypercalls: 1, crossings: 1, instructions: call.instructions });
        meter.event(callEvent(call));
      },
    });
    const system = bringUp(pc, [backend], '');
    return { system, cost: () => meter.cost, takeEvents: () => meter.takeEvents() };
  },
});
