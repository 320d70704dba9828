// Records what OVMF sends over the serial line when QEMU runs it: the oracle of packages/x86-emu/test/pc/ovmf.test.ts.
// node tools/ovmf-oracle/record.ts
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  endsWithPrompt,
  sessionDisk,
  SHELL_COMMANDS,
} from '../../packages/x86-emu/test/pc/shell-session.ts';
import type { Recording } from '../../packages/x86-emu/test/pc/shell-session.ts';

const CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const VARS = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const OUTPUT = new URL('../../packages/x86-emu/test/pc/oracle/ovmf.json.gz', import.meta.url);
const TIMEOUT_MS = 180_000;

const hashOf = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex');

const POLL_MS = 20;

/** Types the commands at the prompts. Output goes to a file: bytes are lost where a pipe does not take them at once. */
const runSession = async (folder: string): Promise<readonly string[]> => {
  const vars = join(folder, 'vars.fd');
  const disk = join(folder, 'disk.img');
  const output = join(folder, 'output');
  copyFileSync(VARS, vars);
  writeFileSync(disk, sessionDisk());
  const written = openSync(output, 'w');
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'pc', '-accel', 'tcg', '-cpu', 'qemu64', '-smp', '1', '-m', '256'],
      ...['-nodefaults', '-display', 'none', '-no-reboot', '-rtc', 'base=2024-01-01T00:00:00'],
      ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${CODE}`],
      ...['-drive', `if=pflash,format=raw,unit=1,file=${vars}`],
      ...['-drive', `if=ide,index=0,format=raw,file=${disk}`],
      ...['-serial', 'stdio'],
    ],
    { stdio: ['pipe', written, 'inherit'], timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
  );
  const parts: string[] = [];
  const start = performance.now();
  let taken = 0;
  let part = '';
  while (qemu.exitCode === null && qemu.signalCode === null) {
    await setTimeout(POLL_MS);
    part = readFileSync(output, 'latin1').slice(taken);
    if (!endsWithPrompt(part)) continue;
    if (parts.length === 0)
      console.log(`first prompt after ${((performance.now() - start) / 1e3).toFixed(1)} s`);
    const command = SHELL_COMMANDS[parts.length];
    parts.push(part);
    taken += part.length;
    if (command !== undefined) qemu.stdin?.write(`${command}\r`);
  }
  closeSync(written);
  if (parts.length !== SHELL_COMMANDS.length)
    throw new Error(`qemu ended after ${parts.length} prompts:\n${part.slice(-400)}`);
  return [...parts, readFileSync(output, 'latin1').slice(taken)];
};

const folder = mkdtempSync(join(tmpdir(), 'systab-ovmf-'));
try {
  const version = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).stdout;
  const recording: Recording = {
    qemu: version.split('\n')[0] ?? '',
    code: hashOf(CODE),
    vars: hashOf(VARS),
    parts: await runSession(folder),
  };
  writeFileSync(OUTPUT, gzipSync(JSON.stringify(recording), { level: 9 }));
  console.log(`${recording.parts.length} parts, ${recording.parts.join('').length} bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
