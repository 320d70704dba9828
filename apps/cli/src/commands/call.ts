import { formatEfiStatus, statusOf } from '@systab/efi-core';
import type { EfiStatus } from '@systab/efi-core';
import type { CallRecord } from '@systab/platform-baremetal';
import { abiTrace } from '../abi-trace.ts';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { startSystem } from '../running-system.ts';
import type { SystemCommandOptions } from '../running-system.ts';
import { SERVICE_CALLS } from '../service-calls.ts';
import type { ServiceCall } from '../service-calls.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';

/** The options of `systab call`. */
export type CallCommandOptions = SystemCommandOptions;

/** The service a word names, in any case. @throws CliError with the names there are */
const findService = (word: string): ServiceCall => {
  const found = SERVICE_CALLS.find(({ service }) => service.toLowerCase() === word.toLowerCase());
  if (found !== undefined) return found;
  const names = SERVICE_CALLS.map(({ service }) => service).join(', ');
  throw new CliError('service', `expected one of ${names}, got '${word}'`);
};

const plain = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
};

const exitCodeOf = (calls: readonly CallRecord[], status: EfiStatus): ExitCode => {
  const kinds = new Set(calls.map(({ outcome }) => outcome.kind));
  if (kinds.has('hung')) return exitCodes.budgetUsedUp;
  if (kinds.has('fault')) return exitCodes.firmwareFault;
  const broken = calls.some(({ breaches }) => breaches.length > 0);
  return broken || (status & (1n << 63n)) !== 0n ? exitCodes.findings : exitCodes.ok;
};

/**
 * Boots, makes one call, and shows it register by register.
 * @returns `findings` when the service answers an error or breaks the calling convention.
 */
export const call = async (
  terminal: Terminal,
  json: boolean,
  word: string,
  args: readonly string[],
  options: CallCommandOptions,
): Promise<ExitCode> => {
  const service = findService(word);
  const [fewest, most] = service.arity;
  if (args.length < fewest || args.length > most)
    throw new CliError(
      service.service,
      `expected ${service.usage === '' ? 'no arguments' : service.usage}, got ${args.length} arguments`,
    );
  const make = service.prepare(args);
  let calls: CallRecord[] = [];
  const { system } = await startSystem(terminal, json, options, {
    onCall: (record) => calls.push(record),
  });
  calls = [];
  const { result, lines } = make(system.runtime.services);
  const status = statusOf(result);
  if (json) {
    terminal.out(
      `${JSON.stringify({ service: service.service, status: formatEfiStatus(status), result, calls }, plain)}\n`,
    );
    return exitCodeOf(calls, status);
  }
  for (const record of calls) {
    const [head = '', ...rest] = abiTrace(record);
    terminal.out(`${styled(terminal, 'bold', head)}\n${rest.join('\n')}\n`);
  }
  const why = result.ok || result.why === undefined ? '' : `: ${result.why}`;
  const needed = result.ok || result.needed === undefined ? '' : `, ${result.needed} bytes needed`;
  const text = formatEfiStatus(status);
  terminal.out(`\n${styled(terminal, result.ok ? 'bold' : 'red', text)}${needed}${why}\n`);
  for (const line of lines) terminal.out(`${line}\n`);
  return exitCodeOf(calls, status);
};
