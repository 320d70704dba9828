// Runs a program and gives its output.
import { spawn, spawnSync } from 'node:child_process';

const TIMEOUT_MS = 600_000;

/** First line of `program --version`, or undefined if there is no such program. */
export const versionLine = (program: string): string | undefined => {
  const result = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return result.error ? undefined : result.stdout.split('\n')[0];
};

/** Standard output of a finished program; `onText` sees it as it comes, with the id of the process. */
export const runProgram = (
  program: string,
  args: readonly string[],
  onText?: (text: string, pid: number) => void,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      output += text;
      onText?.(text, child.pid ?? 0);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (output.includes('DONE')) resolve(output);
      else
        reject(
          new Error(`ended with ${signal ?? code} before its work was done: ${errors.slice(-500)}`),
        );
    });
  });
