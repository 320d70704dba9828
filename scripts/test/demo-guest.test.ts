import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '@systab/host-tools';
import { expect, test } from 'vitest';
import { buildDemo, demoImagePath } from '../../guest/demo/build.ts';

const image = readFileSync(demoImagePath);

test('the committed image is what the sources build, byte for byte', (context) => {
  requireTool(context, 'clang');
  requireTool(context, 'ld.lld');
  requireTool(context, 'llvm-objcopy');
  expect(image.equals(buildDemo())).toBe(true);
});

test('QEMU runs it to its end', (context) => {
  const qemu = requireTool(context, 'qemu-system-x86_64');
  const folder = mkdtempSync(join(tmpdir(), 'systab-demo-'));
  try {
    const rom = join(folder, 'rom.bin');
    const text = join(folder, 'text');
    // QEMU takes ROMs in units of 64 KiB.
    writeFileSync(rom, Buffer.concat([Buffer.alloc(0x10000 - image.length), image]));
    const { status } = spawnSync(
      qemu,
      [
        ['-machine', 'pc', '-cpu', 'qemu64', '-m', '16', '-nodefaults', '-no-user-config'],
        ['-display', 'none', '-no-reboot', '-bios', rom, '-debugcon', `file:${text}`],
        ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
      ].flat(),
      { timeout: 60_000 },
    );
    // The debug exit device turns the guest's verdict v into the exit code 2v + 1.
    expect(status).toBe(1);
    expect(readFileSync(text, 'utf8')).toBe(
      [
        'hello from long mode, page tables at 0x1000',
        'primes below 4000000: 283146',
        'pages mapped on demand: 977',
        '',
      ].join('\n'),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
