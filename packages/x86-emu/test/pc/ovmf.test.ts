// Unmodified OVMF from the reset vector to the shell, byte for byte what QEMU gives with the same machine: no line is excepted.
import { describe, expect, test } from 'vitest';
import { PcMachine, snapshotFromBytes } from '@systab/x86-emu';
import { bootedOvmf, firmware, oracleOptions, recording } from './booted-ovmf.ts';
import { SHELL_COMMANDS } from './shell-session.ts';

const BOOT_MS = 240_000;
const MILLION = 1e6;

describe('OVMF', () => {
  test(
    'boots to the prompt of the shell as in QEMU, running startup.nsh on the way',
    { timeout: BOOT_MS },
    (context) => {
      const { parts } = bootedOvmf(context);
      expect(parts[0]).toBe(recording().parts[0]);
      expect(parts[0]).toContain('\nhello from startup.nsh\r');
    },
  );

  test.for(SHELL_COMMANDS.map((command, at) => ({ command, at })))(
    '`$command` gives what it gives in QEMU',
    { timeout: BOOT_MS },
    ({ at }, context) => {
      const { parts } = bootedOvmf(context);
      expect(parts[at + 1]).toBe(recording().parts[at + 1]);
    },
  );

  test('switches the machine off when it is told to', { timeout: BOOT_MS }, (context) => {
    expect(bootedOvmf(context).end).toEqual({ kind: 'shutdown', event: 'off', source: 'ACPI S5' });
  });

  test(
    'goes on from a snapshot as if nothing had been, however the run is cut',
    { timeout: BOOT_MS },
    (context) => {
      const { snapshot, traceHash } = bootedOvmf(context);
      const options = oracleOptions(firmware(context));
      const outcomes = [6 * MILLION, 999_983].map((slice) => {
        let serial = '';
        const pc = new PcMachine({
          ...options,
          onSerial: (byte) => (serial += String.fromCharCode(byte)),
        });
        pc.machine.restore(snapshotFromBytes(snapshot));
        expect(pc.machine.traceHash).toBe(traceHash);
        const end = pc.machine.retired + 6 * MILLION;
        pc.sendSerial(new TextEncoder().encode('ver\r'));
        while (pc.machine.retired < end)
          expect(pc.run({ budget: Math.min(slice, end - pc.machine.retired) }).kind).toBe('budget');
        const { machine } = pc;
        return { serial, hash: machine.traceHash, rip: machine.rip, time: machine.clock.now() };
      });
      expect(outcomes[0]?.serial).toContain('UEFI Interactive Shell v2.2');
      expect(outcomes[1]).toEqual(outcomes[0]);
    },
  );

  test('takes the same way twice from the reset vector on', { timeout: BOOT_MS }, (context) => {
    const options = oracleOptions(firmware(context));
    const ways = [60 * MILLION, 7_654_321].map((slice) => {
      const { machine } = new PcMachine(options);
      while (machine.retired < 60 * MILLION)
        machine.run({ budget: Math.min(slice, 60 * MILLION - machine.retired) });
      const { cpu, pages } = machine.snapshot();
      return { hash: machine.traceHash, cpu, pages };
    });
    expect(ways[1]?.hash).toBe(ways[0]?.hash);
    expect(ways[1]?.cpu).toEqual(ways[0]?.cpu);
    expect(ways[1]?.pages.size).toBe(ways[0]?.pages.size);
    for (const [index, page] of ways[0]?.pages ?? [])
      expect(Buffer.compare(page, ways[1]?.pages.get(index) ?? new Uint8Array())).toBe(0);
  });
});
