// OVMF from the start of a process to the prompt of the UEFI shell: QEMU and `systab boot` on the same images and the same machine.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadFirmware } from '../../apps/cli/src/firmware-files.ts';
import { versionLine } from '../peers/child.ts';
import { median } from '../statistics.ts';
import { QEMU, qemuArguments, systabBootArguments } from './machines.ts';
import { watchProgram } from './watched-process.ts';
import type { Milestone, WatchedProgram, WatchedRun } from './watched-process.ts';

/** Seconds since the process was started, medians of the rounds. */
export interface BootResult {
  readonly title: string;
  /** The boot manager starts the shell; the shell begins to count down; the shell takes a command. */
  readonly bds: number;
  readonly countdown: number;
  readonly prompt: number;
  /** The process has ended, where it does so by itself. */
  readonly end: number | undefined;
  /** CPU time up to the prompt. */
  readonly cpu: number;
}

/** `reference`: what the others are compared with. */
export interface BootResults {
  readonly reference: string | undefined;
  readonly boots: readonly BootResult[];
}

interface Boot {
  readonly title: string;
  readonly program: WatchedProgram;
}

const BDS: Milestone = { text: 'BdsDxe: starting' };
/** The shell waits five seconds for a key before it goes on. Any key but ESC ends the wait, Enter as well. */
const COUNTDOWN: Milestone = { text: 'any other key to continue' };
const PROMPT: Milestone = { text: 'Shell> ' };
const ENTER = '\r';

const REFERENCE = 'QEMU TCG, Enter at the countdown';

const qemuBoots = (code: string, vars: string): readonly Boot[] => {
  const args = qemuArguments({ cpu: 'qemu64', memory: 256, code, vars });
  const boot = (title: string, countdown: Milestone): Boot => ({
    title,
    program: {
      program: QEMU,
      args,
      milestones: [BDS, countdown, PROMPT],
      ends: false,
    },
  });
  return [
    boot(REFERENCE, { ...COUNTDOWN, type: ENTER }),
    boot('QEMU TCG, nobody types', COUNTDOWN),
  ];
};

const systabBoot = (title: string, cache: string, ...options: readonly string[]): Boot => ({
  title,
  program: {
    program: process.execPath,
    args: systabBootArguments(['--firmware', 'ovmf', ...options]),
    env: { XDG_CACHE_HOME: cache },
    milestones: [BDS, COUNTDOWN, PROMPT],
    ends: true,
  },
});

const resultOf = (title: string, runs: readonly WatchedRun[]): BootResult => {
  const at = (index: number): number =>
    median(runs.map(({ milestones }) => milestones[index] ?? Number.NaN));
  const ends = runs.flatMap(({ end }) => end ?? []);
  return {
    title,
    bds: at(0),
    countdown: at(1),
    prompt: at(2),
    end: ends.length > 0 ? median(ends) : undefined,
    cpu: median(runs.map(({ cpu }) => cpu.at(-1) ?? 0)),
  };
};

/** Runs every boot in turn, `rounds` times; a reason instead where that is not possible. */
export const measureBoots = async (
  rounds: number,
  progress: (text: string) => void,
): Promise<BootResults | string> => {
  if (process.platform !== 'linux') return 'its CPU time is read from /proc';
  const folder = mkdtempSync(join(tmpdir(), 'systab-bench-boot-'));
  try {
    const { code, vars } = loadFirmware({ firmware: 'ovmf', unchecked: false });
    const copy = join(folder, 'vars.fd');
    copyFileSync(vars?.path ?? code.path, copy);
    const cache = join(folder, 'cache');
    mkdirSync(cache);
    const qemu = versionLine(QEMU) !== undefined;
    const fromCache = systabBoot('systab boot, from its cache', cache);
    const boots = [
      ...(qemu ? qemuBoots(code.path, copy) : []),
      systabBoot('systab boot --cpu qemu64', cache, '--no-cache', '--cpu', 'qemu64'),
      systabBoot('systab boot', cache, '--no-cache'),
      fromCache,
    ];
    progress('boot: filling the cache');
    await watchProgram(fromCache.program, folder);
    const runs = new Map(boots.map(({ title }) => [title, [] as WatchedRun[]]));
    for (let round = 1; round <= rounds; round++)
      for (const { title, program } of boots) {
        progress(`boot, round ${round} of ${rounds}: ${title}`);
        runs.get(title)?.push(await watchProgram(program, folder));
      }
    return {
      reference: qemu ? REFERENCE : undefined,
      boots: [...runs].map(([title, results]) => resultOf(title, results)),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    progress('');
    rmSync(folder, { recursive: true, force: true });
  }
};
