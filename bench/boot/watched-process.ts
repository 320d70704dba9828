// Runs a program until it has printed certain texts, one after the other, and takes the time of each.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { cpuSeconds } from '../process-cpu.ts';

/** A text to wait for, and what to type when it is there. */
export interface Milestone {
  readonly text: string;
  readonly type?: string;
}

export interface WatchedProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly milestones: readonly Milestone[];
  /** Ends by itself after the last text; otherwise it is ended there. */
  readonly ends: boolean;
}

/** Seconds since the process was started. */
export interface WatchedRun {
  /** When each text was there. */
  readonly milestones: readonly number[];
  /** When the process had ended by itself. */
  readonly end: number | undefined;
  /** CPU time up to each text; 0 where the process had ended before it could be asked. */
  readonly cpu: readonly number[];
}

const POLL_MS = 2;
const TIMEOUT_MS = 120_000;

/** Throws an Error if the program ends, or two minutes pass, before the last text. */
export const watchProgram = async (
  { program, args, env, milestones, ends }: WatchedProgram,
  folder: string,
): Promise<WatchedRun> => {
  // A file takes every byte at once; QEMU loses some where a pipe does not.
  const path = join(folder, 'output');
  const written = openSync(path, 'w');
  const output = openSync(path, 'r');
  const buffer = Buffer.alloc(0x1_0000);
  const started = performance.now();
  const child = spawn(program, [...args], {
    stdio: ['pipe', written, 'pipe'],
    env: { ...process.env, ...env },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(performance.now()));
  });
  let text = '';
  const times: number[] = [];
  const cpu: number[] = [];
  try {
    for (const { text: expected, type } of milestones) {
      for (;;) {
        const over = child.exitCode !== null || child.signalCode !== null;
        const count = readSync(output, buffer);
        text += buffer.toString('latin1', 0, count);
        if (text.includes(expected)) break;
        if (over && count === 0)
          throw new Error(
            `${program} ended before it printed '${expected}': ${errors.slice(-500) || text.slice(-500)}`,
          );
        if (count === 0) await setTimeout(POLL_MS);
      }
      times.push((performance.now() - started) / 1e3);
      const alive = child.exitCode === null && child.signalCode === null;
      cpu.push(alive ? cpuSeconds(child.pid as number) : 0);
      if (type !== undefined) child.stdin?.write(type);
    }
    if (!ends) child.kill('SIGKILL');
    const end = await ended;
    return { milestones: times, end: ends ? (end - started) / 1e3 : undefined, cpu };
  } finally {
    child.kill('SIGKILL');
    closeSync(written);
    closeSync(output);
  }
};
