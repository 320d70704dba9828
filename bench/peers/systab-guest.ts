// Child process: one run of the 64-bit image in our machine.
import { patchedImage } from '../image.ts';
import { selectionOf } from '../kernels.ts';
import { createLineMeter } from '../measurement.ts';
import { createMultibootMachine } from '../multiboot-machine.ts';
import { finish, givenJob, ownCpuSeconds } from './node-engine.ts';

const { work, divisor, translate = false } = givenJob();
const meter = createLineMeter(ownCpuSeconds);
const machine = createMultibootMachine(
  patchedImage('bench64', divisor, selectionOf(work)),
  (text) => meter.feed(text),
  translate ? 'translator' : 'interpreter',
);
const exit = machine.run();
if (!meter.isDone())
  throw new Error(`the guest ended with ${exit.kind} at 0x${machine.rip.toString(16)}`);
finish(meter.measurements);
