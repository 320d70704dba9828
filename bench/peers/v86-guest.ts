// Child process: one run of the 32-bit image in v86.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

import { patchedImage } from '../image.ts';
import { selectionOf } from '../kernels.ts';
import { createLineMeter } from '../measurement.ts';
import { finish, givenJob, ownCpuSeconds } from './node-engine.ts';
import { SEABIOS } from './v86-files.ts';

/** The part of v86 that is used here. */
interface V86Constructor {
  new (options: Readonly<Record<string, unknown>>): {
    add_listener: (event: string, listener: (value: number) => void) => void;
  };
}

const { resolve } = createRequire(import.meta.url);
const { V86 } = (await import(pathToFileURL(resolve('v86/build/libv86.mjs')).href)) as {
  V86: V86Constructor;
};

const exactBuffer = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer;

const { work, divisor, translate } = givenJob();
const meter = createLineMeter(ownCpuSeconds);
const emulator = new V86({
  wasm_path: resolve('v86/build/v86.wasm'),
  bios: { buffer: exactBuffer(readFileSync(SEABIOS)) },
  memory_size: 256 << 20,
  vga_memory_size: 8 << 20,
  multiboot: { buffer: exactBuffer(patchedImage('bench32', divisor, selectionOf(work))) },
  autostart: true,
  disable_jit: translate !== true,
  disable_speaker: true,
  acpi: false,
});
emulator.add_listener('serial0-output-byte', (byte) => {
  meter.feed(String.fromCharCode(byte));
  if (meter.isDone()) finish(meter.measurements);
});
