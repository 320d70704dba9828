import type { LogLine } from '@systab/efi-init';
import { efiFacts, factRows } from '../efi-facts.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { startSystem } from '../running-system.ts';
import type { RunningSystem, SystemCommandOptions } from '../running-system.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';

const LABEL_WIDTH = 15;

/** Prints the lines of the kernel log that a console shows. */
export const logTo =
  (terminal: Terminal): ((line: LogLine) => void) =>
  ({ level, text }) => {
    if (level === 'debug') return;
    terminal.out(`${level === 'err' ? styled(terminal, 'red', text) : text}\n`);
  };

/** Shows the facts of a system that has come up. */
export const showSystem = (
  terminal: Terminal,
  json: boolean,
  { system, files, cacheUse, firmwareSeconds, kernelSeconds }: RunningSystem,
): void => {
  const facts = efiFacts(system);
  const { machine } = system.pc;
  if (json) {
    const report = {
      firmware: { code: files.code.path, vars: files.vars?.path ?? null },
      commandLine: system.commandLine,
      efi: facts,
      log: system.init.log.map(({ level, text }) => ({ level, text })),
      instructions: machine.retired,
      traceHash: machine.traceHash,
      cache: cacheUse,
      firmwareSeconds,
      kernelSeconds,
    };
    terminal.out(`${JSON.stringify(report)}\n`);
    return;
  }
  const source = cacheUse === 'hit' ? ' (from the cache)' : '';
  const rows: readonly (readonly [string, string])[] = [
    ...factRows(facts),
    [
      'took',
      `${firmwareSeconds.toFixed(2)} s firmware${source}, ${kernelSeconds.toFixed(2)} s kernel, ${String(machine.retired)} instructions`,
    ],
    ['trace hash', machine.traceHash],
  ];
  terminal.out('\n');
  for (const [label, value] of rows)
    terminal.out(`${styled(terminal, 'bold', label.padEnd(LABEL_WIDTH))}${value}\n`);
};

/**
 * Boots firmware, takes the machine over as an operating system does, and shows the kernel log and the resulting `efi` facts.
 * @returns `findings` when the firmware's runtime services cannot be used although nobody asked for that.
 */
export const bootEfi = async (
  terminal: Terminal,
  json: boolean,
  options: SystemCommandOptions,
): Promise<ExitCode> => {
  const started = await startSystem(
    terminal,
    json,
    options,
    json ? {} : { onLog: logTo(terminal) },
  );
  showSystem(terminal, json, started);
  const { efi, init } = started.system;
  const lost = !efi.facilities.enabled('EFI_RUNTIME_SERVICES') && !init.commandLine.runtimeDisabled;
  return lost ? exitCodes.findings : exitCodes.ok;
};
