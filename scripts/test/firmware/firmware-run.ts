// The reference firmware with its test application, in our machine and in QEMU, and what the application reports.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  emptyVariableFlash,
  firmwareImagePath,
  testApplicationPath,
} from '../../../guest/firmware/build.ts';
import type { TestApplication } from '../../../guest/firmware/build.ts';
import type { FirmwareArchitecture } from '../../../guest/firmware/pe-program.ts';
import { PcMachine } from '../../../packages/x86-emu/src/index.ts';

const BUDGET = 1_000_000_000;
const CMDLINE = 'one two';
/** What the test application expects: bytes that count by 7, in a size that is no multiple of anything. */
export const INITRD: Uint8Array = Uint8Array.from(
  { length: 0x1803 },
  (_, index) => (index * 7) & 0xff,
);
const QEMU_TIMEOUT = 120_000;

/** What a run leaves. */
export interface FirmwareRun {
  readonly text: string;
  /** The checks that failed, as their lines say. */
  readonly failures: readonly string[];
  /** Number of checks that the application counted; 0 when it did not come to its end. */
  readonly checks: number;
  readonly variables: Uint8Array;
}

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

const report = (text: string, variables: Uint8Array): FirmwareRun => ({
  text,
  failures: text.split('\n').filter((line) => line.includes('FAIL')),
  checks: [...text.matchAll(/^checks ([0-9a-f]+) /gm)].reduce(
    (sum, [, count = '']) => sum + Number.parseInt(count, 16),
    0,
  ),
  variables,
});

/** Runs an application in our machine, through resets, until it switches the power off. */
export const runInMachine = (
  application: TestApplication,
  architecture: FirmwareArchitecture,
  variables: Uint8Array = emptyVariableFlash(),
  initrd?: Uint8Array,
): FirmwareRun => {
  const bytes: number[] = [];
  const machine = new PcMachine({
    flash: [
      { image: read(firmwareImagePath(architecture)), readOnly: true },
      { image: variables, readOnly: false },
    ],
    kernel: {
      kernel: read(testApplicationPath(application, architecture)),
      cmdline: CMDLINE,
      ...(initrd === undefined ? {} : { initrd }),
    },
    onReset: 'restart',
    onSerial: (byte) => bytes.push(byte),
  });
  const exit = machine.run({ budget: BUDGET });
  if (exit.kind !== 'shutdown') throw new Error(`the run ended with ${exit.kind}`);
  return report(new TextDecoder().decode(new Uint8Array(bytes)), machine.flashContents(1));
};

/** The same in QEMU, which takes an initial RAM disk with a Linux image only. */
export const runInQemu = (
  qemu: string,
  application: TestApplication,
  architecture: FirmwareArchitecture,
  variables: Uint8Array = emptyVariableFlash(),
): FirmwareRun => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-firmware-run-'));
  try {
    const flash = join(folder, 'variables.fd');
    writeFileSync(flash, variables);
    const { stdout } = spawnSync(
      qemu,
      [
        ['-machine', 'pc', '-accel', 'tcg', '-m', '256', '-nodefaults', '-no-user-config'],
        ['-display', 'none', '-serial', 'stdio', '-rtc', 'base=2024-01-01'],
        ['-drive', `if=pflash,format=raw,readonly=on,file=${firmwareImagePath(architecture)}`],
        ['-drive', `if=pflash,format=raw,file=${flash}`],
        ['-kernel', testApplicationPath(application, architecture), '-append', CMDLINE],
      ].flat(),
      { encoding: 'utf8', timeout: QEMU_TIMEOUT },
    );
    return report(stdout, read(flash));
  } finally {
    rmSync(folder, { recursive: true });
  }
};
