/** Runtime services as words of a command line: what each is called with, and what it answers. */
import { readFileSync } from 'node:fs';
import {
  char16Buffer,
  decodeChar16Z,
  EfiStatus,
  efiTime,
  efiTimeFaults,
  formatEfiTime,
  ResetType,
  VariableAttribute,
  variableLabel,
} from '@systab/efi-core';
import type { EfiResult, EfiRuntimeOps, EfiTime, RuntimeServiceName } from '@systab/efi-core';
import { CliError } from './cli-error.ts';
import { parseAttributes, shortAttributes } from './variables/attributes.ts';
import { hexdump } from './variables/hexdump.ts';
import { parseLabel } from './variables/label.ts';

/** What a call gave, as lines for people; the value itself is for `--json`. */
export interface ServiceAnswer {
  readonly result: EfiResult<unknown>;
  readonly lines: readonly string[];
}

/** One runtime service on the command line. */
export interface ServiceCall {
  readonly service: RuntimeServiceName;
  /** Its arguments, for the help. */
  readonly usage: string;
  /** Fewest and most arguments. */
  readonly arity: readonly [number, number];
  /** Reads the arguments before anything is booted. @throws CliError about one that is wrong */
  readonly prepare: (args: readonly string[]) => (services: EfiRuntimeOps) => ServiceAnswer;
}

const DEFAULT_BUFFER = 1024;
const NAME_BUFFER = 1024;
const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS } = VariableAttribute;
const DEFAULT_ATTRIBUTES = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;

const answer = <T>(
  result: EfiResult<T>,
  lines: (value: T) => readonly string[] = () => [],
): ServiceAnswer => ({ result, lines: result.ok ? lines(result.value) : [] });

const TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/;

const parseTime = (text: string): EfiTime => {
  const parts = TIME.exec(text)?.slice(1).map(Number);
  if (parts === undefined)
    throw new CliError('time', `expected YYYY-MM-DDThh:mm:ss, got '${text}'`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  return efiTime({ year, month, day, hour, minute, second });
};

const parseSize = (text: string): number => {
  if (!/^(?:0x[0-9a-f]{1,7}|\d{1,8})$/i.test(text))
    throw new CliError('size', `expected a number of bytes below 100000000, got '${text}'`);
  return Number(text);
};

/** `@file`, `hex:00ff`, or the text itself in UTF-8. */
const parseData = (text: string): Uint8Array => {
  if (text.startsWith('@')) {
    try {
      return readFileSync(text.slice(1));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      throw new CliError(text.slice(1), `it cannot be read (${code})`);
    }
  }
  if (!text.startsWith('hex:')) return new TextEncoder().encode(text);
  const digits = text.slice(4);
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits))
    throw new CliError('data', `expected pairs of hex digits behind 'hex:', got '${digits}'`);
  return Buffer.from(digits, 'hex');
};

const RESETS: Readonly<Record<string, ResetType>> = {
  cold: ResetType.EfiResetCold,
  warm: ResetType.EfiResetWarm,
  shutdown: ResetType.EfiResetShutdown,
  platform: ResetType.EfiResetPlatformSpecific,
};

const timeLine = (time: EfiTime): string => {
  const faults = efiTimeFaults(time);
  return faults.length === 0
    ? formatEfiTime(time)
    : `${formatEfiTime(time)} (out of range: ${faults.join(', ')})`;
};

/** Every runtime service an operating system may call at any time, in the order of their table. */
export const SERVICE_CALLS: readonly ServiceCall[] = [
  {
    service: 'GetTime',
    usage: '',
    arity: [0, 0],
    prepare: () => (services) =>
      answer(services.getTime(), ({ time, capabilities }) => [
        timeLine(time),
        ...(capabilities === undefined
          ? []
          : [
              `resolution ${String(capabilities.resolution)} Hz, accuracy ${String(capabilities.accuracy)}e-6 ppm`,
            ]),
      ]),
  },
  {
    service: 'SetTime',
    usage: '<YYYY-MM-DDThh:mm:ss>',
    arity: [1, 1],
    prepare: ([text = '']) => {
      const time = parseTime(text);
      return (services) => answer(services.setTime(time));
    },
  },
  {
    service: 'GetWakeupTime',
    usage: '',
    arity: [0, 0],
    prepare: () => (services) =>
      answer(services.getWakeupTime(), ({ enabled, pending, time }) => [
        `${enabled ? 'enabled' : 'disabled'}${pending ? ', pending' : ''}, ${timeLine(time)}`,
      ]),
  },
  {
    service: 'SetWakeupTime',
    usage: '<YYYY-MM-DDThh:mm:ss | off>',
    arity: [1, 1],
    prepare: ([text = '']) => {
      const time = text === 'off' ? null : parseTime(text);
      return (services) => answer(services.setWakeupTime(time !== null, time));
    },
  },
  {
    service: 'GetVariable',
    usage: '<variable> [buffer size]',
    arity: [1, 2],
    prepare: ([label = '', size]) => {
      const { name, vendorGuid } = parseLabel('variable', label);
      const room = size === undefined ? DEFAULT_BUFFER : parseSize(size);
      return (services) =>
        answer(services.getVariable(name, vendorGuid, room), ({ attributes, data }) => [
          `${shortAttributes(attributes ?? 0)}, ${String(data.length)} bytes`,
          ...hexdump(data),
        ]);
    },
  },
  {
    service: 'GetNextVariableName',
    usage: '[variable]',
    arity: [0, 1],
    prepare: ([label]) => {
      const { name, vendorGuid } =
        label === undefined
          ? { name: '', vendorGuid: parseLabel('variable', 'BootOrder').vendorGuid }
          : parseLabel('variable', label);
      const buffer = char16Buffer(name, NAME_BUFFER);
      if (buffer === undefined) throw new CliError('variable', 'the name is too long');
      return (services) =>
        answer(services.getNextVariableName(NAME_BUFFER, buffer, vendorGuid), (next) => {
          const found = decodeChar16Z(next.variableName);
          const text = found.ok
            ? variableLabel(found.value.text, next.vendorGuid)
            : 'no terminator';
          return [`${text}, ${String(next.variableNameSize)} bytes`];
        });
    },
  },
  {
    service: 'SetVariable',
    usage: '<variable> <text | hex:00ff | @file> [attributes]',
    arity: [2, 3],
    prepare: ([label = '', text = '', attributes]) => {
      const { name, vendorGuid } = parseLabel('variable', label);
      const data = parseData(text);
      const bits = attributes === undefined ? DEFAULT_ATTRIBUTES : parseAttributes(attributes);
      return (services) => answer(services.setVariable(name, vendorGuid, bits, data.length, data));
    },
  },
  {
    service: 'GetNextHighMonotonicCount',
    usage: '',
    arity: [0, 0],
    prepare: () => (services) =>
      answer(services.getNextHighMonotonicCount(), (count) => [`0x${count.toString(16)}`]),
  },
  {
    service: 'ResetSystem',
    usage: `<${Object.keys(RESETS).join(' | ')}>`,
    arity: [1, 1],
    prepare: ([word = '']) => {
      const type = RESETS[word];
      if (type === undefined)
        throw new CliError(
          'reset type',
          `expected ${Object.keys(RESETS).join(', ')}, got '${word}'`,
        );
      return (services) =>
        answer(services.resetSystem(type, EfiStatus.SUCCESS, 0, null), (how) => [
          `the machine ${how}`,
        ]);
    },
  },
  {
    service: 'UpdateCapsule',
    usage: '<file>',
    arity: [1, 1],
    prepare: ([file = '']) => {
      const capsule = parseData(`@${file}`);
      return (services) => answer(services.updateCapsule([capsule], 1, 0n));
    },
  },
  {
    service: 'QueryCapsuleCapabilities',
    usage: '<file>',
    arity: [1, 1],
    prepare: ([file = '']) => {
      const capsule = parseData(`@${file}`);
      return (services) =>
        answer(services.queryCapsuleCapabilities([capsule], 1), (value) => [
          `at most ${String(value.maximumCapsuleSize)} bytes, reset type ${String(value.resetType)}`,
        ]);
    },
  },
  {
    service: 'QueryVariableInfo',
    usage: '[attributes]',
    arity: [0, 1],
    prepare: ([attributes]) => {
      const bits = attributes === undefined ? DEFAULT_ATTRIBUTES : parseAttributes(attributes);
      return (services) =>
        answer(services.queryVariableInfo(bits), (info) => [
          `storage ${String(info.maximumVariableStorageSize)} bytes, ${String(info.remainingVariableStorageSize)} left, one variable at most ${String(info.maximumVariableSize)}`,
        ]);
    },
  },
];
