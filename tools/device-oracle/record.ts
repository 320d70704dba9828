// Records again what QEMU's devices answer to the operations of the transcripts.
//
//   node tools/device-oracle/record.ts [name…]        needs gcc and qemu-system-x86_64
//
// Debian's QEMU has no qtest accelerator, so a small guest (guest.S, guest.c) stands in the place of the firmware
// and performs the script. With -icount the time stamp counter is QEMU's virtual clock in nanoseconds, so every line
// of a transcript carries the exact virtual time of its access.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Machine } from './machines.ts';
import { machines } from './machines.ts';
import type { Op } from './transcript.ts';
import { OP_CODES, readScript, writeLine } from './transcript.ts';

const here = import.meta.dirname;
const transcripts = join(here, '../../packages/x86-emu/test/device/oracle');
const ROM_SIZE = 0x40000;
const SCRIPT_LIMIT = 0x30000;
const OP_SIZE = 12;
const RECORD_SIZE = 16;
const MEMORY_MIB = 256;
const START_TIME = '2024-02-28T23:59:50';

const buildGuest = (dir: string): Uint8Array => {
  const flags =
    '-m32 -Os -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables ' +
    '-fcf-protection=none -fno-jump-tables -fno-tree-loop-distribute-patterns';
  const object = (source: string): string => {
    const out = join(dir, `${source}.o`);
    execFileSync('gcc', [...flags.split(' '), '-c', join(here, source), '-o', out]);
    return out;
  };
  const elf = join(dir, 'guest.elf');
  const link = `-m elf_i386 -z noexecstack -T ${join(here, 'guest.ld')}`.split(' ');
  execFileSync('ld', [...link, object('guest.S'), object('guest.c'), '-o', elf]);
  const bin = join(dir, 'guest.bin');
  execFileSync('objcopy', ['-O', 'binary', '-j', '.text', '-j', '.reset', elf, bin]);
  const code = readFileSync(bin);
  if (code.length !== 0x10000)
    throw new Error(`guest is ${code.length} bytes, must end at the 4 GiB line`);
  return code;
};

const romFor = (guest: Uint8Array, ops: readonly Op[]): Uint8Array => {
  const rom = new Uint8Array(ROM_SIZE).fill(0xff);
  const view = new DataView(rom.buffer);
  if ((ops.length + 1) * OP_SIZE > SCRIPT_LIMIT)
    throw new Error(`script has ${ops.length} operations`);
  ops.forEach(({ code, operands }, i) => {
    // `wait` has no address: its operand is the value.
    const [address = 0, value = 0] = code === 'wait' ? [0, ...operands] : operands;
    view.setUint32(i * OP_SIZE, OP_CODES.indexOf(code), true);
    view.setUint32(i * OP_SIZE + 4, address, true);
    view.setUint32(i * OP_SIZE + 8, value, true);
  });
  view.setUint32(ops.length * OP_SIZE, 0, true);
  rom.set(guest, ROM_SIZE - guest.length);
  return rom;
};

// The guest halts at its end and QEMU would sleep for ever: stop it when the END record (code 0) has been written.
const runUntilEnd = `log=$1; shift; : > "$log"
timeout 120 qemu-system-x86_64 "$@" < /dev/null > /dev/null & pid=$!
while kill -0 $pid 2> /dev/null; do
  sleep 0.1
  [ -s "$log" ] && [ "$(tail -c 8 "$log" | od -An -tx4 | tr -d ' ')" = 0000000000000000 ] && { kill $pid; break; }
done
wait $pid; exit 0`;

/** Runs the script and returns the guest's records. */
const run = (machine: Machine, ops: readonly Op[], guest: Uint8Array, dir: string): DataView => {
  const log = join(dir, 'debug.bin');
  const paths = new Map([['rom', join(dir, 'rom.bin')]]);
  writeFileSync(paths.get('rom')!, romFor(guest, ops));
  for (const { placeholder, bytes } of machine.files ?? []) {
    paths.set(placeholder, join(dir, placeholder));
    writeFileSync(join(dir, placeholder), bytes());
  }
  const fixed =
    `-machine pc -cpu qemu64 -m ${MEMORY_MIB} -nodefaults -no-user-config -display none -no-reboot -monitor none ` +
    `-icount shift=${machine.shift ?? 0},sleep=off -rtc base=${START_TIME},clock=vm ` +
    `-debugcon file:${log} -global isa-debugcon.iobase=0x402`;
  const args = [
    ...fixed.split(' '),
    ...(machine.flash === true ? [] : ['-bios', '{rom}']),
    ...(machine.args ?? []),
  ].map((arg) => arg.replace(/\{([^}]+)\}/, (whole, name: string) => paths.get(name) ?? whole));
  spawnSync('sh', ['-c', runUntilEnd, 'sh', log, ...args], { stdio: 'inherit' });
  const bytes = readFileSync(log);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};

const record = (name: string, machine: Machine, guest: Uint8Array, dir: string): void => {
  const file = join(transcripts, `${name}.txt`);
  const entries = readScript(readFileSync(file, 'utf8'));
  const records = run(
    machine,
    entries.filter((entry) => 'code' in entry),
    guest,
    dir,
  );
  const lines: string[] = [];
  let at = 0;
  for (const entry of entries) {
    if ('comment' in entry) {
      lines.push(entry.comment);
      continue;
    }
    for (let interrupted = true; interrupted; at += RECORD_SIZE) {
      if (at + RECORD_SIZE > records.byteLength)
        throw new Error(`${name}: stopped at ${entry.code} after ${lines.at(-1)}`);
      const time = records.getBigUint64(at, true);
      const code = OP_CODES[records.getUint32(at + 8, true)];
      const answer = records.getUint32(at + 12, true);
      interrupted = code === 'irq';
      if (!interrupted && code !== entry.code)
        throw new Error(`${name}: expected ${entry.code}, guest did ${code}`);
      lines.push(
        interrupted ? `@${time} irq ${answer.toString(16)}` : writeLine(time, entry, answer),
      );
    }
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
  process.stdout.write(`${name}: ${lines.length} lines\n`);
};

const dir = mkdtempSync(join(tmpdir(), 'device-oracle-'));
try {
  const guest = buildGuest(dir);
  const wanted = process.argv.slice(2);
  for (const [name, machine] of Object.entries(machines))
    if (wanted.length === 0 || wanted.includes(name)) record(name, machine, guest, dir);
} finally {
  rmSync(dir, { recursive: true });
}
