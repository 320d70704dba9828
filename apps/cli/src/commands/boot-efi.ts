import { efiFacts, factRows } from '../efi-facts.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { startSystem } from '../running-system.ts';
import type { SystemCommandOptions } from '../running-system.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';

const LABEL_WIDTH = 15;

/**
 * Boots firmware, takes the machine over as an operating system does, and shows the kernel log and the resulting `efi` facts.
 * @returns `findings` when the firmware's runtime services cannot be used although nobody asked for that.
 */
export const bootEfi = async (
  terminal: Terminal,
  json: boolean,
  options: SystemCommandOptions,
): Promise<ExitCode> => {
  const started = await startSystem(terminal, json, options, {
    onLog: ({ level, text }) => {
      if (!json && level !== 'debug') {
        terminal.out(`${level === 'err' ? styled(terminal, 'red', text) : text}\n`);
      }
    },
  });
  const { system, files, cacheUse, firmwareSeconds, kernelSeconds } = started;
  const facts = efiFacts(system);
  const { machine } = system.pc;
  const { init } = system;
  if (json) {
    const log = init.log.map(({ level, text }) => ({ level, text }));
    const flash = { code: files.code.path, vars: files.vars?.path ?? null };
    const counts = { instructions: machine.retired, traceHash: machine.traceHash, cache: cacheUse };
    const times = { firmwareSeconds, kernelSeconds };
    terminal.out(
      `${JSON.stringify({ firmware: flash, commandLine: system.commandLine, efi: facts, log, ...counts, ...times })}\n`,
    );
  } else {
    const rows: readonly (readonly [string, string])[] = [
      ...factRows(facts),
      [
        'took',
        `${firmwareSeconds.toFixed(2)} s firmware${cacheUse === 'hit' ? ' (from the cache)' : ''}, ${kernelSeconds.toFixed(2)} s kernel, ${String(machine.retired)} instructions`,
      ],
      ['trace hash', machine.traceHash],
    ];
    terminal.out('\n');
    for (const [label, value] of rows) {
      terminal.out(`${styled(terminal, 'bold', label.padEnd(LABEL_WIDTH))}${value}\n`);
    }
  }
  const lost =
    !system.efi.facilities.enabled('EFI_RUNTIME_SERVICES') && !init.commandLine.runtimeDisabled;
  return lost ? exitCodes.findings : exitCodes.ok;
};
