/** A dom0 on a hypervisor: what the three routes that end in hypercalls start from. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bootDom0, dom0Kernel, unifiedImage } from '@systab/platform-xen';
import type { Dom0, HypercallRecord, HypervisorOptions } from '@systab/platform-xen';
import type { PcMachine } from '@systab/x86-emu';
import { TakeOverError } from '../../system.ts';
import type { RouteEvent } from '../route.ts';
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

/** What the routes below a hypervisor run on. */
export interface ComparedHypervisor {
  /** What a report calls it. */
  readonly name: string;
  readonly image: Uint8Array;
  readonly options: HypervisorOptions;
}

const IMAGE_NAME = 'hypervisor.efi';

/** The hypervisor that comes with the platform package. */
export const embeddedHypervisor = (): Uint8Array =>
  readFileSync(
    fileURLToPath(import.meta.resolve('@systab/platform-xen/images/hypervisor-x64.efi')),
  );

/** A module of the platform package, in whatever form it is installed. */
export const xenModule = (name: string): URL => {
  const entry = new URL(import.meta.resolve('@systab/platform-xen'));
  return new URL(entry.href.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, entry);
};

/** A dom0 that has started. */
export interface StartedDom0 {
  readonly pc: PcMachine;
  readonly dom0: Dom0;
  /** Counts its hypercalls. */
  readonly meter: Meter;
  /** What the machine has printed so far. */
  readonly serial: () => string;
}

/** Boots the hypervisor on a firmware, and dom0 on that. Throws `TakeOverError`, and `ImageFormatError` for what is no image. */
export const startDom0 = (
  firmware: ComparedFirmware,
  { image: hypervisor, options: { options, switches } }: ComparedHypervisor,
): StartedDom0 => {
  // Of options that are there twice the last one holds.
  const image = unifiedImage({
    hypervisor,
    kernel: dom0Kernel(),
    options: `dom0_mem=64M ${options}`.trimEnd(),
  });
  let printed = '';
  const pc = machineFor(firmware, image, [IMAGE_NAME, ...switches].join(' '), (byte) => {
    printed += String.fromCharCode(byte);
  });
  const meter = new Meter(pc.machine);
  const booted = bootDom0(pc, {
    onHypercall: (call) => {
      meter.count({ hypercalls: 1, crossings: 1, instructions: call.instructions });
      meter.event(hypercallEvent(call));
    },
  });
  if (!booted.ok) throw new TakeOverError(`no dom0: ${booted.error.why}`);
  return { pc, dom0: booted.value, meter, serial: () => printed };
};
