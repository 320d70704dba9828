// OVMF, Xen and dom0 from the start of a process, and hypercalls made by code of dom0: QEMU and `systab boot` on the same disk; the
// embedded hypervisor with the same dom0 beside them.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { loadFirmware } from '../../apps/cli/src/firmware-files.ts';
import { unifiedImage } from '../../packages/platform-xen/src/index.ts';
import { fatVolume } from '../../tools/fat-volume/src/index.ts';
import { hostTools } from '../../tools/host-tools/src/tools.ts';
import { QEMU, qemuArguments, systabBootArguments } from '../boot/machines.ts';
import { watchProgram } from '../boot/watched-process.ts';
import type { Milestone, WatchedProgram, WatchedRun } from '../boot/watched-process.ts';
import { versionLine } from '../peers/child.ts';
import { median } from '../statistics.ts';
import { beginOf, countingKernel, endOf, HYPERCALLS, roundsOf } from './guest.ts';
import type { HypercallWork } from './guest.ts';

/** Figures of one machine, medians of the rounds. */
export interface XenBootResult {
  readonly title: string;
  /** Seconds since the process was started: the hypervisor's first line; dom0's first. */
  readonly hypervisor: number;
  readonly dom0: number;
  /** CPU time up to dom0's first line. */
  readonly cpu: number;
  /** Hypercalls per second of CPU time, made by code of dom0. */
  readonly perCpuSecond: Readonly<Record<HypercallWork, number>>;
}

/** `reference`: what the others are compared with. */
export interface XenBootResults {
  readonly reference: string | undefined;
  readonly boots: readonly XenBootResult[];
}

interface Machine {
  readonly title: string;
  readonly program: WatchedProgram;
}

const REFERENCE = 'QEMU TCG, OVMF and Xen';
const MEMORY = 512;
const XEN_OPTIONS = 'console=com1 com1=115200,8n1 dom0_mem=64M noreboot';
const EMBEDDED = new URL('../../packages/platform-xen/images/hypervisor-x64.efi', import.meta.url);

/** Dom0's first line is its first instructions' work. */
const milestonesOf = (hypervisor: string): readonly Milestone[] => [
  { text: hypervisor },
  ...HYPERCALLS.flatMap((work) => [{ text: beginOf(work) }, { text: endOf(work) }]),
];

const systab = (
  title: string,
  hypervisor: string,
  cache: string,
  options: readonly string[],
): Machine => ({
  title,
  program: {
    program: process.execPath,
    args: systabBootArguments(['--no-cache', ...options]),
    env: { XDG_CACHE_HOME: cache },
    milestones: milestonesOf(hypervisor),
    ends: false,
  },
});

const FIRST_LINE = { xen: '(XEN) Xen version', embedded: '(XEN) Systab hypervisor' };

const prepareMachines = (folder: string, xen: string, quick: boolean): readonly Machine[] => {
  const { code, vars } = loadFirmware({ firmware: 'ovmf', unchecked: false });
  const kernel = countingKernel(quick);
  const [disk, image, copy] = ['disk.img', 'hypervisor.efi', 'vars.fd'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const imageOf = (path: string): Uint8Array =>
    unifiedImage({ hypervisor: readFileSync(path), kernel, options: XEN_OPTIONS });
  writeFileSync(disk, fatVolume({ EFI: { BOOT: { 'BOOTX64.EFI': imageOf(xen) } } }));
  writeFileSync(image, imageOf(fileURLToPath(EMBEDDED)));
  copyFileSync(vars?.path ?? code.path, copy);
  // Our processor has no SVM, and Xen would set it up.
  const machine = { cpu: 'qemu64,-svm', memory: MEMORY, code: code.path, vars: copy, disk };
  const qemu: Machine = {
    title: REFERENCE,
    program: {
      program: QEMU,
      args: qemuArguments(machine),
      milestones: milestonesOf(FIRST_LINE.xen),
      ends: false,
    },
  };
  const ovmf = ['--firmware', 'ovmf', '--memory', String(MEMORY), '--disk', disk];
  return [
    ...(versionLine(QEMU) === undefined ? [] : [qemu]),
    systab('systab --cpu qemu64, OVMF and Xen', FIRST_LINE.xen, folder, [
      ...ovmf,
      '--cpu',
      'qemu64',
    ]),
    systab('systab, OVMF and Xen', FIRST_LINE.xen, folder, ovmf),
    systab('systab, reference firmware and embedded hypervisor', FIRST_LINE.embedded, folder, [
      ...['--kernel', image, '--append', 'hypervisor.efi'],
    ]),
  ];
};

const resultOf = (title: string, runs: readonly WatchedRun[], quick: boolean): XenBootResult => {
  const middle = (value: (run: WatchedRun) => number | undefined): number =>
    median(runs.map((run) => value(run) ?? Number.NaN));
  const rates = HYPERCALLS.map((work, index) => {
    const begin = 1 + 2 * index;
    const seconds = middle(
      ({ cpu }) => (cpu[begin + 1] ?? Number.NaN) - (cpu[begin] ?? Number.NaN),
    );
    return [work, roundsOf(work, quick) / seconds];
  });
  return {
    title,
    hypervisor: middle(({ milestones }) => milestones[0]),
    dom0: middle(({ milestones }) => milestones[1]),
    cpu: middle(({ cpu }) => cpu[1]),
    perCpuSecond: Object.fromEntries(rates) as Record<HypercallWork, number>,
  };
};

/** Runs every machine in turn, `rounds` times. Throws where that is not possible. */
export const measureXenBoots = async (
  rounds: number,
  quick: boolean,
  progress: (text: string) => void,
): Promise<XenBootResults> => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-bench-xen-'));
  try {
    const machines = prepareMachines(folder, hostTools.xen.file ?? '', quick);
    const runs = new Map(machines.map(({ title }) => [title, [] as WatchedRun[]]));
    for (let round = 1; round <= rounds; round++)
      for (const { title, program } of machines) {
        progress(`xen, round ${round} of ${rounds}: ${title}`);
        runs.get(title)?.push(await watchProgram(program, folder));
      }
    return {
      reference: machines.some(({ title }) => title === REFERENCE) ? REFERENCE : undefined,
      boots: [...runs].map(([title, results]) => resultOf(title, results, quick)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
