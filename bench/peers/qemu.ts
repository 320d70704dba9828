// QEMU with TCG: the 64-bit image by its multiboot header.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { patchedImage } from '../image.ts';
import { selectionOf } from '../kernels.ts';
import { createLineMeter } from '../measurement.ts';
import { cpuSeconds } from '../process-cpu.ts';
import { runProgram, versionLine } from './child.ts';
import type { Peer } from './peer.ts';

const MACHINE =
  '-M pc -accel tcg -cpu qemu64 -m 256 -nodefaults -display none -no-reboot -debugcon stdio';

export const qemuPeer: Peer = {
  name: 'qemu',
  title: 'QEMU TCG, long mode',
  image: 'bench64',
  system: true,
  slow: false,
  prepare: () => {
    if (process.platform !== 'linux')
      return { available: false, reason: 'its CPU time is read from /proc' };
    const version = versionLine('qemu-system-x86_64');
    return version
      ? { available: true, version: version.replace('QEMU emulator version', 'QEMU') }
      : { available: false, reason: 'no qemu-system-x86_64' };
  },
  run: async ({ work, divisor }) => {
    const folder = mkdtempSync(join(tmpdir(), 'systab-bench-'));
    try {
      const image = join(folder, 'bench64.bin');
      writeFileSync(image, patchedImage('bench64', divisor, selectionOf(work)));
      let qemu = 0;
      const meter = createLineMeter(() => cpuSeconds(qemu));
      await runProgram(
        'qemu-system-x86_64',
        [...MACHINE.split(' '), '-kernel', image],
        (text, pid) => {
          qemu = pid;
          meter.feed(text);
          // The guest halts; a thread that had ended would take its CPU time out of the sum.
          if (meter.isDone()) process.kill(pid);
        },
      );
      return meter.measurements;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
