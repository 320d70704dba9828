// Records what OVMF and Xen send over the serial line when QEMU boots them: the oracle of packages/platform-xen/test/xen-log.test.ts.
// node tools/xen-oracle/record.ts [--check]; with --check nothing is written, and a recording that is not the committed one fails.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { LAST_LINE, MEMORY, xenDisk } from '../../packages/platform-xen/test/oracle/xen-session.ts';
import type { Recording } from '../../packages/platform-xen/test/oracle/xen-session.ts';

const CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const VARS = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const XEN = '/boot/xen-4.17-amd64.efi';
const OUTPUT = new URL('../../packages/platform-xen/test/oracle/xen.json.gz', import.meta.url);
const TIMEOUT_MS = 300_000;
const POLL_MS = 100;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Virtual time follows instructions: every run prints the same. */
const machineArguments = (vars: string, disk: string, serial: string): readonly string[] => [
  // Our processor has no SVM, and the profile says so.
  ...['-machine', 'pc', '-accel', 'tcg', '-cpu', 'qemu64,-svm', '-smp', '1'],
  ...['-m', String(MEMORY / 2 ** 20), '-icount', 'shift=4,sleep=off'],
  ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
  ...['-rtc', 'base=2024-01-01T00:00:00,clock=vm'],
  ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${CODE}`],
  ...['-drive', `if=pflash,format=raw,unit=1,file=${vars}`],
  ...['-drive', `if=ide,index=0,format=raw,file=${disk}`],
  ...['-serial', `file:${serial}`],
];

const runQemu = async (folder: string, vars: Uint8Array, disk: Uint8Array): Promise<string> => {
  const paths = ['vars.fd', 'disk.img', 'serial'].map((name) => join(folder, name));
  const [varsPath = '', diskPath = '', serial = ''] = paths;
  writeFileSync(varsPath, vars);
  writeFileSync(diskPath, disk);
  writeFileSync(serial, '');
  const qemu = spawn('qemu-system-x86_64', machineArguments(varsPath, diskPath, serial), {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const start = performance.now();
  for (;;) {
    await setTimeout(POLL_MS);
    const text = readFileSync(serial, 'latin1');
    if (text.endsWith(LAST_LINE)) {
      qemu.kill('SIGKILL');
      console.log(`${((performance.now() - start) / 1e3).toFixed(1)} s, ${text.length} bytes`);
      return text;
    }
    if (qemu.exitCode !== null || qemu.signalCode !== null)
      throw new Error(`qemu ended before Xen did:\n${text.slice(-800)}`);
  }
};

const folder = mkdtempSync(join(tmpdir(), 'systab-xen-'));
try {
  const version = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).stdout;
  const [code, vars, disk] = [readFileSync(CODE), readFileSync(VARS), xenDisk(readFileSync(XEN))];
  const recording: Recording = {
    qemu: version.split('\n')[0] ?? '',
    code: sha256(code),
    vars: sha256(vars),
    disk: sha256(disk),
    text: await runQemu(folder, vars, disk),
  };
  const json = JSON.stringify(recording);
  if (!process.argv.includes('--check')) writeFileSync(OUTPUT, gzipSync(json, { level: 9 }));
  else if (gunzipSync(readFileSync(OUTPUT)).toString() !== json) {
    console.log('differs from the committed recording');
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
