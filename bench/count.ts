// Counts the instructions of every kernel in our machine, which counts exactly, and writes bench/instruction-counts.json:
// `node bench/count.ts`. To be run again whenever an image changes.
import { writeFileSync } from 'node:fs';

import { DIVISORS } from './divisors.ts';
import { imageDigest, patchedImage } from './image.ts';
import type { ImageName } from './image.ts';
import { countsPath } from './instruction-counts.ts';
import type { InstructionCounts } from './instruction-counts.ts';
import { GUEST_WORK, isEvent, selectionOf } from './kernels.ts';
import { createLineMeter } from './measurement.ts';
import { createMultibootMachine } from './multiboot-machine.ts';

const KERNELS = GUEST_WORK.filter((name) => !isEvent(name));

const count = (name: ImageName, divisor: number): Record<string, number> => {
  let retired = 0;
  const meter = createLineMeter(() => retired);
  const image = patchedImage(name, divisor, selectionOf(KERNELS));
  const machine = createMultibootMachine(image, (text, now) => {
    retired = now;
    meter.feed(text);
  });
  machine.run();
  if (!meter.isDone()) throw new Error(`${name} did not finish`);
  return Object.fromEntries(meter.measurements.map((m) => [m.name, m.seconds]));
};

const counts: InstructionCounts = Object.fromEntries(
  (['bench64', 'bench32'] as const).map((name) => [
    name,
    {
      digest: imageDigest(name),
      divisors: Object.fromEntries(
        Object.values(DIVISORS).map((divisor) => [String(divisor), count(name, divisor)]),
      ),
    },
  ]),
);
writeFileSync(countsPath, `${JSON.stringify(counts, null, 2)}\n`);
