// Runs one ROM image in qemu-system-x86_64 with TCG, the oracle of the system-level tests.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The CPUs the transcripts are recorded with: what the SDM describes and our machine has, and plain qemu64. */
const ORACLE_CPUS = {
  sdm: 'qemu64,vendor=GenuineIntel,+smep,+smap,+fsgsbase,+pdpe1gb,+rdtscp,+bmi1,+bmi2,+erms,-svm',
  plain: 'qemu64,-svm',
} as const;

const ARGUMENTS = '-M pc -accel tcg -m 64 -nodefaults -display none -no-reboot'.split(' ');
const TIMEOUT_MS = 60_000;

/** Version line of the installed QEMU. Throws when there is none. */
export const qemuVersion = (): string =>
  spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ??
  'unknown';

/** Runs an image file from the reset vector; returns what it wrote to port 0xe9. Throws if it neither exits nor resets in time. */
export const runInQemu = (image: string, cpu: keyof typeof ORACLE_CPUS): string => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-oracle-'));
  const output = join(folder, 'output');
  try {
    const result = spawnSync(
      'qemu-system-x86_64',
      [
        ...ARGUMENTS,
        '-cpu',
        ORACLE_CPUS[cpu],
        '-bios',
        image,
        '-debugcon',
        `file:${output}`,
        '-device',
        'isa-debug-exit,iobase=0xf4,iosize=1',
      ],
      { encoding: 'utf8', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
    );
    if (result.error) {
      throw new Error(
        `qemu: ${result.error.message}; output so far:\n${readFileSync(output, 'latin1').slice(-400)}`,
      );
    }
    // isa-debug-exit ends QEMU with (value << 1) | 1; a triple fault under -no-reboot with 0.
    if (result.status !== 0 && result.status !== 1)
      throw new Error(`qemu ended with ${result.status}: ${result.stderr}`);
    return readFileSync(output, 'latin1');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
