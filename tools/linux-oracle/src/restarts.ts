// How Linux ends the machine: which ports it writes to at last, with each way to ask for it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from './configurations.ts';
import type { DebianKernel } from './debian-kernel.ts';
import type { RecordedRestart } from './facts.ts';
import { runLinux } from './run-linux.ts';

const WAYS: readonly (readonly [command: 'restart' | 'power-off', option: string])[] = [
  ['restart', ''],
  ['restart', 'reboot=efi'],
  ['restart', 'reboot=warm,efi'],
  ['restart', 'reboot=kbd'],
  ['restart', 'reboot=pci'],
  ['power-off', ''],
];

const WRITE =
  /^memory_region_ops_write .*addr (0x[0-9a-f]+) value (0x[0-9a-f]+) size \d+ name '([^']*)'/;
const REPORT = 'isa-debugcon';
/** Devices that end a machine; others are quieted on the way. */
const ENDS: ReadonlySet<string> = new Set(['piix3-reset-control', 'i8042-cmd', 'acpi-cnt']);

/** The writes after the guest's last word. */
const lastWrites = (trace: string): readonly string[] => {
  const lines = trace.split('\n');
  const said = lines.findLastIndex((line) => line.includes(`'${REPORT}'`));
  return lines.slice(said + 1).flatMap((line) => {
    const [, address, value, device = ''] = WRITE.exec(line) ?? [];
    return ENDS.has(device) ? `${device} ${address} ${value}` : [];
  });
};

/** Boots Linux once for each way. */
export const recordRestarts = async (
  configuration: Configuration,
  kernel: DebianKernel,
): Promise<readonly RecordedRestart[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-linux-restart-'));
  const deviceTrace = join(folder, 'trace');
  const restarts: RecordedRestart[] = [];
  try {
    for (const [command, option] of WAYS) {
      await runLinux({
        configuration,
        kernel,
        script: [command],
        deterministic: true,
        deviceTrace,
        ...(option === '' ? {} : { options: option }),
      });
      const writes = lastWrites(readFileSync(deviceTrace, 'latin1'));
      restarts.push({ command, option, writes });
    }
    return restarts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
