import type { CallRecord } from '@systab/platform-baremetal';
import { abiTrace } from '../abi-trace.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { startSystem } from '../running-system.ts';
import type { SystemCommandOptions } from '../running-system.ts';
import type { System } from '../system.ts';
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { shortAttributes } from '../variables/attributes.ts';
import { labelText, parseLabel } from '../variables/label.ts';
import { logTo, showSystem } from './boot-efi.ts';

const MIB = 2 ** 20;

/** The reference firmware on the default machine. */
const OPTIONS: SystemCommandOptions = {
  firmware: 'reference',
  check: true,
  memory: 256 * MIB,
  cpu: 'default',
  cache: true,
};

const NAME_WIDTH = 55;
/** What the traced call asks for: every firmware has it. */
const ASKED = 'SetupMode';

/** Name, attributes and size of each variable. */
const variableLines = ({ runtime }: System): readonly string[] =>
  runtime.variables.list().labels.map((label) => {
    const found = runtime.variables.read(label.name, label.vendorGuid);
    const rest = found.ok
      ? `${shortAttributes(found.value.attributes).padEnd(10)}${String(found.value.data.length)} bytes`
      : found.errno;
    return `${labelText(label).padEnd(NAME_WIDTH)}${rest}`;
  });

/** Boots the firmware that comes with the program and shows on one screen what its EFI layer does; as JSON, what `boot` shows. */
export const overview = async (terminal: Terminal, json: boolean): Promise<ExitCode> => {
  let calls: CallRecord[] = [];
  const started = await startSystem(terminal, json, OPTIONS, {
    ...(json ? {} : { onLog: logTo(terminal) }),
    onCall: (call) => calls.push(call),
  });
  showSystem(terminal, json, started);
  if (json) return exitCodes.ok;
  const { system } = started;
  terminal.out(`\n${variableLines(system).join('\n')}\n`);
  const { name, vendorGuid } = parseLabel('variable', ASKED);
  calls = [];
  system.runtime.services.getVariable(name, vendorGuid, 1);
  for (const call of calls) {
    const [head = '', ...rest] = abiTrace(call);
    terminal.out(`\n${styled(terminal, 'bold', head)}\n${rest.join('\n')}\n`);
  }
  return exitCodes.ok;
};
