/** `efi-call`: the runtime services of bare metal unchanged, the layer below them replaced, as Garrett proposed. */
import { createBareMetalBackend } from '@systab/platform-baremetal';
import { createDom0Environment, efiCallBackend } from '@systab/platform-xen';
import { bringUp, TakeOverError } from '../../system.ts';
import { linesReachedFrom } from '../platform-code.ts';
import type { MemoryMapChoice, Route } from '../route.ts';
import { startDom0, xenModule } from './dom0.ts';
import type { ComparedHypervisor } from './dom0.ts';
import type { ComparedFirmware } from './firmware.ts';

/** The route on a firmware and a hypervisor. */
export const efiCallRoute = (
  firmware: ComparedFirmware,
  hypervisor: ComparedHypervisor,
  memoryMap: MemoryMapChoice,
): Route => ({
  name: 'efi-call',
  origin:
    'Garrett: efi_call_* replaced by one that makes hypercalls, under unchanged runtime services',
  platformLines: () => linesReachedFrom(xenModule('route/efi-call')),
  boot: () => {
    const { pc, dom0, meter } = startDom0(firmware, hypervisor);
    const environment = createDom0Environment(dom0, { runtimeStubs: false, memoryMap });
    if (!environment.ok)
      throw new TakeOverError(environment.why ?? 'no surroundings for bare metal');
    const backend = efiCallBackend(dom0, createBareMetalBackend(environment.value));
    const system = bringUp(pc, [backend], '');
    return { system, cost: () => meter.cost, takeEvents: () => meter.takeEvents() };
  },
});
