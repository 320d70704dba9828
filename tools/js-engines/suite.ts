// What every engine of JavaScript must do alike: the system programs and some kernels of the benchmark, in every engine of ours. It uses nothing but the language
// and WebAssembly, so that a bare shell can run it. Each line but those of speed must be the same everywhere.
import { createMultibootMachine } from '../../bench/multiboot-machine.ts';
import type { Machine } from '../../packages/x86-emu/src/machine.ts';
import type { EngineChoice } from '../../packages/x86-emu/src/machine/options.ts';
import { TEST_IMAGES } from '../../packages/x86-emu/test/system/images.ts';
import { runRom } from '../../packages/x86-emu/test/system/rom-machine.ts';

/** The guests, as strings of hex digits by name. */
export interface SuiteData {
  readonly programs: Readonly<Record<string, string>>;
  readonly kernels: Readonly<Record<string, string>>;
}

export const LAST_LINE = 'done';
export const SPEED = 'speed';

const ENGINES: readonly EngineChoice[] = ['interpreter', 'translator', 'alternating'];
const BUDGET = 50_000_000;

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16),
  );

/** FNV-1a over 32-bit words. */
const checksum = (words: Uint32Array, start: number): number => {
  let sum = start;
  for (const word of words) sum = Math.imul(sum ^ word, 0x0100_0193);
  return sum;
};

/** Registers, instructions, trace and memory of a machine, in one line. */
const outcome = (machine: Machine): string => {
  let sum = 0x811c_9dc5;
  for (const region of machine.memory.regions) {
    if (region.kind === 'mmio') continue;
    const { buffer, byteOffset, length } = machine.memory.contents(region);
    sum = checksum(new Uint32Array(buffer, byteOffset, length / 4), sum);
  }
  const registers = Array.from({ length: 16 }, (_, n) => machine.state.gpr(n).toString(16));
  const memory = (sum >>> 0).toString(16);
  return [machine.retired, machine.traceHash, machine.rip.toString(16), memory, ...registers].join(
    ' ',
  );
};

export const runSuite = (
  { programs, kernels }: SuiteData,
  print: (line: string) => void,
  milliseconds: () => number,
): void => {
  for (const image of TEST_IMAGES)
    for (const engine of ENGINES) {
      const { machine } = runRom(bytesOf(programs[image.name] ?? ''), image, BUDGET, engine);
      print(`program ${image.name} ${engine}: ${outcome(machine)}`);
    }
  for (const [name, image] of Object.entries(kernels))
    for (const engine of ENGINES) {
      let text = '';
      const machine = createMultibootMachine(bytesOf(image), (piece) => (text += piece), engine);
      const began = milliseconds();
      machine.run();
      const elapsed = milliseconds() - began;
      const checked = text.split('\n').find((line) => line.startsWith('E ')) ?? text;
      print(`kernel ${name} ${engine}: ${checked.trim()} ${outcome(machine)}`);
      print(`${SPEED} ${name} ${engine}: ${(machine.retired / elapsed / 1000).toFixed(0)}`);
    }
  print(LAST_LINE);
};
