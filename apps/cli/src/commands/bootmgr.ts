/** `systab bootmgr`: efibootmgr on a variable store. */
import {
  bytesToHex,
  encodeChar16Z,
  formatDevicePath,
  LoadOptionAttribute,
  parseDevicePath,
} from '@systab/efi-core';
import type { DevicePath, LoadOption } from '@systab/efi-core';
import { createBootEntries } from '@systab/efi-runtime';
import type { BootEntries, BootMenu, VariableResult } from '@systab/efi-runtime';
import { CliError } from '../cli-error.ts';
import { readInput } from '../input-file.ts';
import { printJson } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { orFail } from '../variables/access.ts';
import type { VariableAccess } from '../variables/access.ts';
import { entryNumber, loadOptionText } from '../variables/describe.ts';
import { commit, openForChange, openTarget, sayWritten } from '../variables/target.ts';
import type { ChangeOptions } from '../variables/target.ts';

/** The options of `systab bootmgr`, numbers parsed. Without an action the entries are listed. */
export interface BootmgrOptions extends ChangeOptions {
  readonly create?: boolean;
  readonly createOnly?: boolean;
  readonly bootnum?: number;
  readonly label?: string;
  readonly path?: string;
  readonly loader?: string;
  readonly args?: string;
  readonly appendBinaryArgs?: string;
  readonly index?: number;
  readonly deleteBootnum?: boolean;
  readonly active?: boolean;
  readonly inactive?: boolean;
  readonly bootorder?: readonly number[];
  readonly deleteBootorder?: boolean;
  readonly removeDups?: boolean;
  readonly bootnext?: number;
  readonly deleteBootnext?: boolean;
  readonly timeout?: number;
  readonly deleteTimeout?: boolean;
  readonly quiet: boolean;
}

interface Session {
  readonly access: VariableAccess;
  readonly entries: BootEntries;
  readonly options: BootmgrOptions;
}

const menuOf = ({ access, entries }: Session): BootMenu =>
  orFail(access, 'boot entries', entries.list());

const requireBootnum = ({ options }: Session, action: string): number => {
  if (options.bootnum !== undefined) return options.bootnum;
  throw new CliError(action, 'needs --bootnum <XXXX>');
};

/** The path of a new entry: `--path`, with the file of `--loader` behind it. */
const filePath = ({ path, loader }: BootmgrOptions): DevicePath => {
  if (path === undefined && loader === undefined)
    throw new CliError('--create', 'needs --path <device path>, --loader <file>, or both');
  const file = loader?.replaceAll('/', '\\');
  const text = [path, file].filter((part) => part !== undefined).join('/');
  const parsed = parseDevicePath(text);
  if (parsed.ok) return parsed.value;
  const { offset, expected, found } = parsed.error;
  throw new CliError(
    path === undefined ? '--loader' : '--path',
    `'${text}' at character ${offset}: expected ${expected}, found ${found}`,
  );
};

const optionalData = ({ args, appendBinaryArgs }: BootmgrOptions): Uint8Array => {
  if (args !== undefined && appendBinaryArgs !== undefined)
    throw new CliError('--args', 'excludes --append-binary-args');
  if (appendBinaryArgs !== undefined) return readInput(appendBinaryArgs);
  return args === undefined ? new Uint8Array() : encodeChar16Z(args);
};

const create = ({ entries, options }: Session): VariableResult<unknown> => {
  const option: LoadOption = {
    attributes: options.inactive === true ? 0 : LoadOptionAttribute.ACTIVE,
    description: options.label ?? 'Linux',
    filePaths: [filePath(options)],
    optionalData: optionalData(options),
  };
  return entries.create(option, {
    position: options.createOnly === true ? 'none' : (options.index ?? 0),
    ...(options.bootnum === undefined ? {} : { number: options.bootnum }),
  });
};

interface Action {
  /** The option that asks for it. */
  readonly flag: string;
  readonly asked: (options: BootmgrOptions) => boolean;
  readonly run: (session: Session) => VariableResult<unknown>;
}

const isCreating = ({ create: add, createOnly }: BootmgrOptions): boolean =>
  add === true || createOnly === true;

/** In the order in which efibootmgr carries them out. */
const ACTIONS: readonly Action[] = [
  {
    flag: '--delete-bootnum',
    asked: ({ deleteBootnum }) => deleteBootnum === true,
    run: (session) => session.entries.delete(requireBootnum(session, '--delete-bootnum')),
  },
  {
    flag: '--active',
    asked: (options) => options.active === true && !isCreating(options),
    run: (session) => session.entries.setActive(requireBootnum(session, '--active'), true),
  },
  {
    flag: '--inactive',
    asked: (options) => options.inactive === true && !isCreating(options),
    run: (session) => session.entries.setActive(requireBootnum(session, '--inactive'), false),
  },
  { flag: '--create', asked: isCreating, run: create },
  {
    flag: '--delete-bootorder',
    asked: ({ deleteBootorder }) => deleteBootorder === true,
    run: ({ entries }) => entries.setOrder([]),
  },
  {
    flag: '--bootorder',
    asked: ({ bootorder }) => bootorder !== undefined,
    run: ({ entries, options }) => entries.setOrder(options.bootorder ?? []),
  },
  {
    flag: '--remove-dups',
    asked: ({ removeDups }) => removeDups === true,
    run: (session) => session.entries.setOrder([...new Set(menuOf(session).order)]),
  },
  {
    flag: '--delete-bootnext',
    asked: ({ deleteBootnext }) => deleteBootnext === true,
    run: ({ entries }) => entries.setNext(undefined),
  },
  {
    flag: '--bootnext',
    asked: ({ bootnext }) => bootnext !== undefined,
    run: ({ entries, options }) => entries.setNext(options.bootnext),
  },
  {
    flag: '--delete-timeout',
    asked: ({ deleteTimeout }) => deleteTimeout === true,
    run: ({ entries }) => entries.setTimeout(undefined),
  },
  {
    flag: '--timeout',
    asked: ({ timeout }) => timeout !== undefined,
    run: ({ entries, options }) => entries.setTimeout(options.timeout),
  },
];

/** The listing of efibootmgr 18. */
const menuText = ({ current, next, timeout, order, entries }: BootMenu): string => {
  const lines: string[] = [];
  if (next !== undefined) lines.push(`BootNext: ${entryNumber(next)}`);
  if (current !== undefined) lines.push(`BootCurrent: ${entryNumber(current)}`);
  if (timeout !== undefined) lines.push(`Timeout: ${timeout} seconds`);
  lines.push(
    order.length === 0
      ? 'No BootOrder is set; firmware will attempt recovery'
      : `BootOrder: ${order.map(entryNumber).join(',')}`,
  );
  for (const { number, option, fault } of entries)
    lines.push(
      `Boot${entryNumber(number)}${option === undefined ? `  no load option: ${fault}` : loadOptionText(option)}`,
    );
  return lines.map((line) => `${line}\n`).join('');
};

/** Members that efibootmgr's JSON has keep their names. */
const menuJson = (
  { current, next, timeout, order, entries }: BootMenu,
  written: string | undefined,
): unknown => ({
  ...(next === undefined ? {} : { BootNext: entryNumber(next) }),
  ...(current === undefined ? {} : { BootCurrent: entryNumber(current) }),
  ...(timeout === undefined ? {} : { Timeout: timeout }),
  BootOrder: order.map(entryNumber),
  vars: entries.map(({ number, option, fault, active, inOrder }) => ({
    name: `Boot${entryNumber(number)}`,
    active,
    inOrder,
    ...(option === undefined
      ? { fault }
      : {
          description: option.description,
          attributes: option.attributes,
          paths: option.filePaths.map(formatDevicePath),
          data: bytesToHex(option.optionalData),
        }),
  })),
  written: written ?? null,
});

const checkConflicts = (options: BootmgrOptions): void => {
  const pairs: readonly (readonly [keyof BootmgrOptions, keyof BootmgrOptions, string])[] = [
    ['create', 'createOnly', '--create and --create-only'],
    ['create', 'deleteBootnum', '--create and --delete-bootnum'],
    ['createOnly', 'deleteBootnum', '--create-only and --delete-bootnum'],
    ['active', 'inactive', '--active and --inactive'],
    ['bootorder', 'deleteBootorder', '--bootorder and --delete-bootorder'],
    ['bootnext', 'deleteBootnext', '--bootnext and --delete-bootnext'],
    ['timeout', 'deleteTimeout', '--timeout and --delete-timeout'],
  ];
  for (const [one, other, names] of pairs)
    if (options[one] !== undefined && options[other] !== undefined)
      throw new CliError('command line', `${names} exclude each other`);
};

/** Carries out what the options ask for, and lists the entries. */
export const bootmgr = async (
  terminal: Terminal,
  json: boolean,
  options: BootmgrOptions,
): Promise<void> => {
  checkConflicts(options);
  const actions = ACTIONS.filter(({ asked }) => asked(options));
  if (actions.length === 0 && options.bootnum !== undefined)
    throw new CliError(
      '--bootnum',
      'needs an action: --active, --inactive, --delete-bootnum, --create',
    );
  const open = actions.length === 0 ? openTarget : openForChange;
  const target = await open(terminal, json, options);
  const { access } = target;
  const session: Session = { access, entries: createBootEntries(access.variables), options };
  for (const { flag, run } of actions) orFail(access, flag, run(session));
  const written = actions.length === 0 ? undefined : commit(target, options);
  const menu = menuOf(session);
  if (json) printJson(terminal, menuJson(menu, written));
  else if (!options.quiet) terminal.out(menuText(menu));
  if (json || actions.length === 0) return;
  sayWritten(terminal, written);
};
