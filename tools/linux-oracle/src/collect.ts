// The script that asks for every fact, and the facts from the guest's answers to it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ScriptedCall } from './calls/call.ts';
import { CLOCK_CALLS } from './calls/clock-calls.ts';
import { SERVICE_CALLS } from './calls/service-calls.ts';
import { VARIABLE_CALLS } from './calls/variable-calls.ts';
import type { Configuration } from './configurations.ts';
import type { DebianKernel } from './debian-kernel.ts';
import type {
  Answer,
  LinuxFacts,
  RecordedCall,
  RecordedRestart,
  RuntimeRegion,
  VariableFile,
} from './facts.ts';
import { ARCHIVE_SIZE } from './initramfs.ts';
import {
  codePath,
  COMMAND_LINE,
  machineArguments,
  qemuVersion,
  variableFlash,
} from './run-linux.ts';

const SYSFS = '/sys/firmware/efi';
const REBOOT = '/sys/kernel/reboot';
const RUNTIME_MAP = `${SYSFS}/runtime-map`;
/** Mounting shows the variables; the first command, since the kernel only makes the folder. */
const SCRIPT_HEAD = [
  'log',
  'text /proc/iomem',
  `tree ${SYSFS}`,
  `tree ${REBOOT}`,
  'remount',
  'variables',
] as const;
const SCRIPT_TAIL = ['remount', 'variables', 'log'] as const;

/** The commands for the guest. */
export const FACTS_SCRIPT: readonly string[] = [
  ...SCRIPT_HEAD,
  ...[...SERVICE_CALLS, ...CLOCK_CALLS, ...VARIABLE_CALLS].map(({ command }) => command),
  ...SCRIPT_TAIL,
];

interface LogAnswer {
  readonly lines: readonly string[];
}

interface FileAnswer {
  readonly path: string;
  readonly text?: string;
  readonly errno?: string;
}

interface TreeAnswer {
  readonly files: readonly FileAnswer[];
}

const LOG_OF_EFI =
  /^(efi(?!_services)|BIOS-e820|e820|secureboot|esrt|SMBIOS|DMI|ACPI: RSDP|Registered efivars|EFI Variables|rtc|integrity|Remove mem|memattr|systab|pstore)/;

const efiLines = (log: readonly string[]): readonly string[] =>
  log.filter((line) => LOG_OF_EFI.test(line));
const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

const runtimeMapOf = (files: readonly FileAnswer[]): readonly RuntimeRegion[] => {
  const prefix = `${RUNTIME_MAP}/`;
  const values = new Map(files.map(({ path, text = '' }) => [path, text.trim()]));
  const count = [...values.keys()].filter(
    (path) => path.startsWith(prefix) && path.endsWith('/type'),
  ).length;
  return Array.from({ length: count }, (_, index) => {
    const of = (name: string): string => values.get(`${prefix}${index}/${name}`) ?? '';
    return {
      type: of('type'),
      physicalStart: of('phys_addr'),
      virtualStart: of('virt_addr'),
      pages: of('num_pages'),
      attribute: of('attribute'),
    };
  });
};

const attributesOf = (
  folder: string,
  files: readonly FileAnswer[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    files.map(({ path, text, errno }) => [path.slice(folder.length + 1), text ?? errno ?? '']),
  );

/** Where a PE image (Microsoft's PE format, 3.4.2) says how much memory it takes. */
const PE_HEADER_AT = 0x3c;
const SIZE_OF_IMAGE = 24 + 56;

const loadedBy = (kernel: DebianKernel): LinuxFacts['recording']['loaded'] => {
  const file = readFileSync(kernel.image);
  return {
    kernelFile: file.length,
    kernelImage: file.readUInt32LE(file.readUInt32LE(PE_HEADER_AT) + SIZE_OF_IMAGE),
    initramfs: ARCHIVE_SIZE,
  };
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The facts from the lines of a run of `FACTS_SCRIPT`. Throws where the guest did not know a command. */
export const collectFacts = (
  configuration: Configuration,
  kernel: DebianKernel,
  report: readonly string[],
  restarts: readonly RecordedRestart[],
): LinuxFacts => {
  let at = 0;
  const next = (): unknown => {
    const answer = JSON.parse(report[at] ?? '{}') as { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${FACTS_SCRIPT[at]}: ${answer.error}`);
    at += 1;
    return answer;
  };
  const answers = (calls: readonly ScriptedCall[]): readonly RecordedCall[] =>
    calls.map(({ title, command }) => ({ title, command, answer: next() as Answer }));
  const variables = (): readonly VariableFile[] =>
    (next() as { variables: readonly VariableFile[] }).variables;

  const log = (next() as LogAnswer).lines;
  const iomem = lines((next() as { text: string }).text);
  const { files } = next() as TreeAnswer;
  const reboot = (next() as TreeAnswer).files;
  next();
  const before = variables();
  const runtimeServices = answers(SERVICE_CALLS);
  const clock = answers(CLOCK_CALLS);
  const efivarfs = answers(VARIABLE_CALLS);
  next();
  const variablesAfter = variables();
  const logAfter = (next() as LogAnswer).lines.slice(log.length);
  return {
    format: 1,
    configuration: configuration.name,
    recording: {
      qemu: qemuVersion(),
      kernel: `${kernel.packageName} ${kernel.packageVersion}`,
      code: sha256(readFileSync(codePath(configuration))),
      variables: sha256(variableFlash(configuration)),
      machine: machineArguments(true),
      commandLine: COMMAND_LINE,
      loaded: loadedBy(kernel),
    },
    log: efiLines(log),
    iomem,
    sysfs: attributesOf(
      SYSFS,
      files.filter(({ path }) => !path.startsWith(RUNTIME_MAP)),
    ),
    reboot: attributesOf(REBOOT, reboot),
    restarts,
    runtimeMap: runtimeMapOf(files),
    runtimeServices,
    clock,
    variables: before,
    efivarfs,
    variablesAfter,
    logAfter: efiLines(logAfter),
  };
};
