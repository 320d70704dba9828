// Linux on a configuration's firmware in QEMU, from the reset vector to the end of a script.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Configuration } from './configurations.ts';
import type { DebianKernel } from './debian-kernel.ts';
import { buildInitramfs } from './guest-files.ts';

/** How Linux is run. */
export interface LinuxRun {
  readonly configuration: Configuration;
  readonly kernel: DebianKernel;
  readonly script: readonly string[];
  /** Virtual time follows instructions, so that every run is the same; otherwise it is the host's, for measuring. */
  readonly deterministic: boolean;
  /** A reset starts the firmware again instead of ending the run. */
  readonly reboots?: boolean;
  /** Words behind the command line. */
  readonly options?: string;
  /** Receives a line for every write to a device. */
  readonly deviceTrace?: string;
  /** Sees each line of the guest's report when it comes, with the id of QEMU's process. What it throws ends the run. */
  readonly onLine?: (line: string, pid: number) => void;
}

/** What a run leaves. */
export interface LinuxOutput {
  /** One JSON text for each command of the script; two for one that measures. */
  readonly lines: readonly string[];
  /** The serial console, firmware and kernel. */
  readonly console: string;
  /** From the start of QEMU to its end. */
  readonly seconds: number;
}

const ROOT = join(import.meta.dirname, '../../..');
const TIMEOUT_MS = 300_000;
const NO_REBOOT = '-no-reboot';
const ERASED_FLASH = 0x2_0000;

/** The kernel's own address does not move, so that the memory map stays; `efi=debug` prints the map. */
export const COMMAND_LINE = 'console=ttyS0 efi=debug nokaslr panic=-1';

/** The machine, as our own `PcMachine` has it; `{…}` stand for files. */
export const machineArguments = (deterministic: boolean): readonly string[] => [
  ...['-machine', 'pc', '-accel', 'tcg', '-cpu', 'qemu64', '-smp', '1', '-m', '256'],
  ...['-nodefaults', '-no-user-config', '-display', 'none', NO_REBOOT],
  ...['-rtc', 'base=2024-01-01T00:00:00,clock=vm'],
  ...(deterministic ? ['-icount', 'shift=4,sleep=off'] : []),
  ...['-drive', 'if=pflash,format=raw,unit=0,readonly=on,file={code}'],
  ...['-drive', 'if=pflash,format=raw,unit=1,file={variables}'],
  ...['-serial', 'file:{console}'],
  // The guest's report. Neither firmware nor kernel look at this port, and no table tells of it.
  ...['-debugcon', 'stdio', '-global', 'isa-debugcon.iobase=0xe9'],
  ...['-kernel', '{kernel}', '-initrd', '{initramfs}', '-append', COMMAND_LINE],
];

/** Path of the code flash of a configuration. */
export const codePath = ({ code }: Configuration): string => resolve(ROOT, code);

/** The variable flash a configuration starts with. */
export const variableFlash = ({ variables }: Configuration): Uint8Array =>
  variables === undefined
    ? new Uint8Array(ERASED_FLASH).fill(0xff)
    : readFileSync(resolve(ROOT, variables));

/** First line of `qemu-system-x86_64 --version`. */
export const qemuVersion = (): string =>
  spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? '';

/** Runs Linux and its script. Throws, with the end of the console, where the script did not come to its end. */
export const runLinux = async (run: LinuxRun): Promise<LinuxOutput> => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-linux-run-'));
  const paths = {
    code: codePath(run.configuration),
    variables: join(folder, 'variables.fd'),
    console: join(folder, 'console'),
    kernel: run.kernel.image,
    initramfs: join(folder, 'initramfs'),
  };
  try {
    writeFileSync(paths.variables, variableFlash(run.configuration));
    writeFileSync(paths.initramfs, buildInitramfs(run.kernel, run.script));
    const args = machineArguments(run.deterministic)
      .filter((argument) => run.reboots !== true || argument !== NO_REBOOT)
      .map((argument) =>
        argument.replace(/\{(\w+)\}/, (_, name: keyof typeof paths) => paths[name]),
      );
    if (run.options !== undefined) args.push('-append', `${COMMAND_LINE} ${run.options}`);
    if (run.deviceTrace !== undefined)
      args.push('-trace', 'memory_region_ops_write', '-D', run.deviceTrace);
    const start = performance.now();
    const lines = await reportOf(args, run.onLine);
    const seconds = (performance.now() - start) / 1e3;
    const text = readFileSync(paths.console, 'latin1');
    const answered = lines.filter((line) => !line.includes('"state":"begins"')).length;
    if (answered !== run.script.length)
      throw new Error(
        `the guest answered ${answered} of ${run.script.length} commands:\n${text.slice(-800)}`,
      );
    return { lines, console: text, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const reportOf = (
  args: readonly string[],
  onLine: (line: string, pid: number) => void = () => undefined,
): Promise<readonly string[]> =>
  new Promise((resolveLines, reject) => {
    const qemu = spawn('qemu-system-x86_64', args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const lines: string[] = [];
    let pending = '';
    qemu.stdout.setEncoding('latin1').on('data', (text: string) => {
      const parts = (pending + text).split('\n');
      pending = parts.pop() ?? '';
      try {
        for (const line of parts) {
          lines.push(line);
          onLine(line, qemu.pid ?? 0);
        }
      } catch (error) {
        qemu.kill('SIGKILL');
        reject(error);
      }
    });
    qemu.on('error', reject);
    qemu.on('close', () => resolveLines(lines));
  });
