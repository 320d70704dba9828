// The embedded hypervisor in QEMU: another processor and another PC take it to the first instruction of dom0, and to the end that its
// exception there leads to, with the same lines as ours.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '@systab/host-tools';
import { expect, test } from 'vitest';
import { emptyVariableFlash, firmwareImagePath } from '../../guest/firmware/build.ts';
import { hypervisorImagePath } from '../../guest/hypervisor/build.ts';
import { dom0Kernel, unifiedImage } from '../../packages/platform-xen/src/index.ts';
import { PcMachine, QEMU64_PROFILE } from '../../packages/x86-emu/src/index.ts';

const TIMEOUT = 120_000;
const BUDGET = 100_000_000;
const LOAD_OPTIONS = 'hypervisor.efi -- dom0_mem=32M';

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

const image = (): Uint8Array =>
  unifiedImage({ hypervisor: read(hypervisorImagePath), kernel: dom0Kernel() });

/** Runs until the machine is reset, which the hypervisor does for a domain that crashes. */
const runHere = (): string => {
  let text = '';
  const pc = new PcMachine({
    profile: QEMU64_PROFILE,
    flash: [
      { image: read(firmwareImagePath('x64')), readOnly: true },
      { image: emptyVariableFlash(), readOnly: false },
    ],
    kernel: { kernel: image(), cmdline: LOAD_OPTIONS },
    onSerial: (byte) => {
      text += String.fromCharCode(byte);
    },
  });
  expect(pc.run({ budget: BUDGET })).toMatchObject({ kind: 'shutdown', event: 'reset' });
  return text;
};

const runInQemu = (qemu: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-hypervisor-'));
  try {
    const flash = join(folder, 'variables.fd');
    const kernel = join(folder, 'unified.efi');
    writeFileSync(flash, emptyVariableFlash());
    writeFileSync(kernel, image());
    const { stdout } = spawnSync(
      qemu,
      [
        ['-machine', 'pc', '-accel', 'tcg', '-m', '256', '-nodefaults', '-no-user-config'],
        ['-display', 'none', '-no-reboot', '-serial', 'stdio', '-rtc', 'base=2024-01-01'],
        ['-drive', `if=pflash,format=raw,readonly=on,file=${firmwareImagePath('x64')}`],
        ['-drive', `if=pflash,format=raw,file=${flash}`],
        ['-kernel', kernel, '-append', LOAD_OPTIONS],
      ].flat(),
      { encoding: 'utf8', timeout: TIMEOUT },
    );
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** A fault pushes RFLAGS with RF set (SDM Vol. 3A, 6.8.3); TCG forgets that. */
const withoutResumeFlag = (text: string): string =>
  text.replace('RFLAGS: 0000000000010202', 'RFLAGS: 0000000000000202');

test('QEMU prints what our machine prints, registers included', { timeout: TIMEOUT }, (context) => {
  const qemu = requireTool(context, 'qemu-system-x86_64');
  const here = runHere();
  expect(here).toContain('RIP:    e033:[<0000004000000000>]');
  expect(here).toContain('Hardware Dom0 crashed: rebooting machine');
  expect(runInQemu(qemu)).toBe(withoutResumeFlag(here));
});
