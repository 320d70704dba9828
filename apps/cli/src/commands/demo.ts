import { readFileSync } from 'node:fs';
import { createMachine } from '@systab/x86-emu';
import type { Machine, VmExit } from '@systab/x86-emu';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';

const MIB = 2 ** 20;
const RAM = 16 * MIB;
// The ports are those of `guest/demo/demo.S`.
const TEXT_PORT = 0xe9;
const VERDICT_PORT = 0xf4;

/** What one run of the demo guest gave. */
interface DemoResult {
  /** What the guest printed. */
  readonly output: string;
  readonly instructions: number;
  /** Wall time until the first instruction, and from it to the last. */
  readonly startSeconds: number;
  readonly runSeconds: number;
  /** The same in every run: nothing in the machine depends on the host. */
  readonly traceHash: string;
}

const runGuest = (budget: number, onText: (text: string) => void): DemoResult => {
  const image = readFileSync(new URL('../../images/demo.bin', import.meta.url));
  let output = '';
  let verdict: number | undefined;
  const setup = ({ memory, ports }: Machine): void => {
    const base = 2 ** 32 - image.length;
    memory.mapMemory('rom', base, image.length, 'demo');
    memory.write(base, image);
    ports.map(TEXT_PORT, 1, 'text', {
      read: () => TEXT_PORT,
      write: (_offset, _bytes, value) => {
        const text = String.fromCharCode(value);
        output += text;
        onText(text);
      },
    });
    ports.map(VERDICT_PORT, 1, 'verdict', {
      read: () => 0,
      write: (_offset, _bytes, value) => {
        verdict = value;
      },
    });
  };
  const created = performance.now();
  const machine = createMachine({ ram: RAM, setup });
  const started = performance.now();
  const exit = machine.run({ budget });
  const ended = performance.now();
  requireSuccess(exit, verdict, budget);
  return {
    output,
    instructions: machine.retired,
    startSeconds: (started - created) / 1000,
    runSeconds: (ended - started) / 1000,
    traceHash: machine.traceHash,
  };
};

const requireSuccess = (exit: VmExit, verdict: number | undefined, budget: number): void => {
  if (exit.kind === 'budget') {
    const message = `${budget} instructions were not enough for the guest to end`;
    throw new CliError('--budget', message, exitCodes.budgetUsedUp);
  }
  if (exit.kind !== 'halt' || verdict !== 0) {
    const said = verdict === undefined ? 'no verdict' : `verdict ${verdict}`;
    throw new CliError(
      'demo guest',
      `ended with ${exit.kind} and ${said}`,
      exitCodes.firmwareFault,
    );
  }
};

/**
 * Runs the demo guest and shows what it prints, how fast it ran and its trace hash.
 * @param budget most instructions to execute.
 */
export const demo = (terminal: Terminal, json: boolean, budget: number): void => {
  if (json) {
    const result = runGuest(budget, () => undefined);
    terminal.out(`${JSON.stringify(result)}\n`);
    return;
  }
  terminal.out(
    styled(terminal, 'bold', `machine  x86-64, ${RAM / MIB} MiB, from the reset vector\n\n`),
  );
  const { instructions, startSeconds, runSeconds, traceHash } = runGuest(budget, terminal.out);
  const millions = instructions / 1e6;
  terminal.out(
    [
      '',
      `ready in     ${(startSeconds * 1000).toFixed(0)} ms`,
      `executed     ${instructions} instructions in ${runSeconds.toFixed(2)} s`,
      `speed        ${(millions / runSeconds).toFixed(0)} million instructions per second`,
      `trace hash   ${traceHash}`,
      '',
    ].join('\n'),
  );
};
