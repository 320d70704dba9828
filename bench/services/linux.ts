// Linux on a firmware in QEMU: the calls through efivarfs and through the kernel's own wrappers.
import { findConfiguration } from '../../tools/linux-oracle/src/index.ts';
import type { ConfigurationName } from '../../tools/linux-oracle/src/index.ts';
import { provideDebianKernel } from '../../tools/linux-oracle/src/debian-kernel.ts';
import { runLinux } from '../../tools/linux-oracle/src/run-linux.ts';
import { cpuSeconds } from '../process-cpu.ts';
import type { ServiceRun, Timed } from './run.ts';
import { ATTRIBUTES, CALL_KINDS, NAME, roundsOf, SIZE, VENDOR, VENDOR_BYTES } from './work.ts';
import type { CallKind } from './work.ts';

const FILE = `${NAME}-${VENDOR}`;
const ZEROS = '00'.repeat(SIZE);
const VARIABLE = `name=${NAME} vendor=${VENDOR_BYTES}`;

const commandOf = (kind: CallKind, rounds: number): string => {
  switch (kind) {
    case 'read':
      return `reads ${FILE} ${rounds}`;
    case 'write same':
      return `same-writes ${FILE} ${rounds}`;
    case 'write other':
      return `changing-writes ${FILE} ${rounds}`;
    case 'GetVariable':
      return `call GetVariable ${VARIABLE} size=64 rounds=${rounds}`;
    case 'SetVariable same':
      return `call SetVariable ${VARIABLE} attributes=${ATTRIBUTES} data=${ZEROS} rounds=${rounds}`;
    case 'GetTime':
      return `call GetTime rounds=${rounds}`;
  }
};

/** The log and the variables: then the facts are known. */
const FACTS = ['log', 'remount', 'variables'] as const;

interface Ended {
  readonly state?: string;
  readonly rounds?: number;
  readonly nanoseconds?: number;
  readonly errno?: string;
}

/** Boots and makes every kind of call. Throws where one of them fails, or a tool is missing. */
export const runLinuxServices = async (
  firmware: ConfigurationName,
  quick: boolean,
): Promise<ServiceRun> => {
  const calls: Partial<Record<CallKind, Timed>> = {};
  const kinds = CALL_KINDS.values();
  const started = performance.now();
  let answered = 0;
  let facts = 0;
  let cpu = 0;
  await runLinux({
    configuration: findConfiguration(firmware),
    kernel: provideDebianKernel(),
    script: [
      ...FACTS,
      `write ${FILE} ${ATTRIBUTES} ${ZEROS}`,
      `protect ${FILE} off`,
      ...CALL_KINDS.map((kind) => commandOf(kind, roundsOf(kind, quick))),
    ],
    deterministic: false,
    onLine: (line, pid) => {
      const { state, rounds = 0, nanoseconds = 0, errno } = JSON.parse(line) as Ended;
      if (errno !== undefined) throw new Error(`Linux on ${firmware}: ${line}`);
      answered += 1;
      if (answered === FACTS.length) facts = (performance.now() - started) / 1e3;
      if (state === 'begins') cpu = cpuSeconds(pid);
      const kind = state === 'ended' ? kinds.next().value : undefined;
      if (kind !== undefined)
        calls[kind] = { rounds, cpu: cpuSeconds(pid) - cpu, seconds: nanoseconds / 1e9 };
    },
  });
  return { facts, calls };
};
