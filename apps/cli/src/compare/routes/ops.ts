/** `ops`: a table of functions that make hypercalls, as Shelton's patches have it. */
import { xenBackend } from '@systab/platform-xen';
import { bringUp } from '../../system.ts';
import { linesReachedFrom } from '../platform-code.ts';
import type { MemoryMapChoice, Route } from '../route.ts';
import { startDom0, xenModule } from './dom0.ts';
import type { ComparedHypervisor } from './dom0.ts';
import type { ComparedFirmware } from './firmware.ts';

/** The route on a firmware and a hypervisor. */
export const opsRoute = (
  firmware: ComparedFirmware,
  hypervisor: ComparedHypervisor,
  memoryMap: MemoryMapChoice,
): Route => ({
  name: 'ops',
  origin: 'Shelton: operation tables whose members make hypercalls',
  platformLines: () => linesReachedFrom(xenModule('backend')),
  boot: () => {
    const { pc, dom0, meter } = startDom0(firmware, hypervisor);
    const system = bringUp(pc, [xenBackend(dom0, { memoryMap })], '');
    return { system, cost: () => meter.cost, takeEvents: () => meter.takeEvents() };
  },
});
