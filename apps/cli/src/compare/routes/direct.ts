/** `direct`: bare metal. The firmware's own code is called. */
import { formatEfiStatus } from '@systab/efi-core';
import { startFirmware, trapStub } from '@systab/platform-baremetal';
import type { CallRecord } from '@systab/platform-baremetal';
import { abiTrace } from '../../abi-trace.ts';
import { takeOver, TakeOverError } from '../../system.ts';
import type { Route, RouteEvent } from '../route.ts';
import { machineFor } from './firmware.ts';
import type { ComparedFirmware } from './firmware.ts';
import { Meter } from './meter.ts';

/** A call as an event of a timeline. */
export const callEvent = (call: CallRecord): RouteEvent => ({
  name: call.service,
  through: call.convention,
  outcome:
    call.outcome.kind === 'returned' ? formatEfiStatus(call.outcome.status) : call.outcome.kind,
  instructions: call.instructions,
  trace: abiTrace(call),
});

/** The route on a firmware. */
export const directRoute = (firmware: ComparedFirmware): Route => ({
  name: 'direct',
  origin: 'bare metal: a call into the firmware, at its virtual address',
  platformLines: () => 0,
  boot: () => {
    const pc = machineFor(firmware, trapStub(64), '');
    const started = startFirmware(pc);
    if (!started.ok) throw new TakeOverError(`the firmware ended with ${started.error.kind}`);
    const meter = new Meter(pc.machine);
    const system = takeOver(pc, {
      onCall: (call) => {
        meter.count({ crossings: 1, instructions: call.instructions });
        meter.event(callEvent(call));
      },
    });
    return { system, cost: () => meter.cost, takeEvents: () => meter.takeEvents() };
  },
});
