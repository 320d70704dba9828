// How the machines of the boots are started: QEMU and `systab boot`, with the same devices.
import { fileURLToPath } from 'node:url';

/** A PC in QEMU. */
export interface QemuMachine {
  readonly cpu: string;
  /** MiB of RAM. */
  readonly memory: number;
  /** Flash images; the variables are written to. */
  readonly code: string;
  readonly vars: string;
  /** First IDE disk; nothing is written to it. */
  readonly disk?: string;
}

export const QEMU = 'qemu-system-x86_64';

/** QEMU's arguments: one processor translated by TCG, COM1 on standard input and output. */
export const qemuArguments = (machine: QemuMachine): readonly string[] => [
  ...`-machine pc -accel tcg -cpu ${machine.cpu} -smp 1 -m ${machine.memory}`.split(' '),
  ...'-nodefaults -display none -no-reboot -serial stdio'.split(' '),
  ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${machine.code}`],
  ...['-drive', `if=pflash,format=raw,unit=1,file=${machine.vars}`],
  ...(machine.disk === undefined
    ? []
    : ['-drive', `if=ide,index=0,format=raw,snapshot=on,file=${machine.disk}`]),
];

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));

/** A program of ours: Node.js, and the arguments that make it `systab boot` with these options. */
export const systabBootArguments = (options: readonly string[]): readonly string[] => [
  CLI,
  'boot',
  ...options,
];
