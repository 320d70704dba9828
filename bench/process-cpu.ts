// CPU time of another process, from Linux's /proc.
import { readFileSync, readdirSync } from 'node:fs';

/** CPU time of all threads of a process, in seconds; /proc counts it in nanoseconds. */
export const cpuSeconds = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(
      ' ',
    );
    return sum + Number(nanoseconds) / 1e9;
  }, 0);
