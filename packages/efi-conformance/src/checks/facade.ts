import {
  efiTimeFromUnix,
  formatEfiTime,
  LoadOptionAttribute,
  numberedName,
  parseDevicePath,
  VariableAttribute,
  WellKnownGuid,
} from '@systab/efi-core';
import type { EfiResult, LoadOption } from '@systab/efi-core';
import { DUMMY_NAME, EFI_MIN_RESERVE } from '@systab/efi-runtime';
import type { VariableResult } from '@systab/efi-runtime';
import type { Check } from '../check.ts';
import { checksOf, told, toldContent, yes } from '../check.ts';
import { BOOT_ONLY, VENDOR } from '../system.ts';
import { bytes, LASTING } from './own-variable.ts';

const VARIABLES = checksOf(
  'variables as efivarfs',
  'Linux, Documentation/filesystems/efivarfs.rst',
  ['GetVariable', 'GetNextVariableName', 'SetVariable', 'QueryVariableInfo'],
);
const ENTRIES = checksOf('boot entries', 'UEFI 2.10, 3.1', [
  'GetVariable',
  'GetNextVariableName',
  'SetVariable',
]);
const CLOCK = checksOf('wall clock', 'UEFI 2.10, 8.3', ['GetTime', 'SetTime']);

const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;
const { BOOTSERVICE_ACCESS, RUNTIME_ACCESS } = VariableAttribute;

const errno = (result: VariableResult<unknown>): string => (result.ok ? 'done' : result.errno);

const option = (description: string): LoadOption => {
  const path = parseDevicePath('PciRoot(0)/Pci(1,1)/Ata(Primary,Master,0)/\\boot.efi');
  if (!path.ok) throw new Error('a device path of the suite cannot be read');
  return {
    attributes: LoadOptionAttribute.ACTIVE,
    description,
    filePaths: [path.value],
    optionalData: bytes(),
  };
};

/** Date and minute of a formatted time. */
const head = (text: string): string => text.slice(0, 10) + text.slice(13, 16);

const SECONDS = 1_900_000_000;
const shown = (result: EfiResult<{ readonly seconds: number }>): string =>
  result.ok
    ? yes(result.value.seconds >= SECONDS && result.value.seconds < SECONDS + 2)
    : told(result);

export const FACADE: readonly Check[] = [
  VARIABLES.check(
    'error numbers',
    ({ runtime: { variables } }) => ({
      'read nothing': errno(variables.read('Nothing', VENDOR)),
      'delete nothing': errno(variables.delete('Nothing', VENDOR)),
      'delete by an empty write': errno(variables.write('Nothing', VENDOR, LASTING, bytes())),
      'read-only': errno(
        variables.write('SecureBoot', GLOBAL, BOOTSERVICE_ACCESS | RUNTIME_ACCESS, bytes(1)),
      ),
      'not at runtime': errno(variables.read(BOOT_ONLY.name, BOOT_ONLY.vendorGuid)),
      'bad attributes': errno(variables.write('New', VENDOR, 1, bytes(1))),
      'unknown attributes': errno(variables.write('New', VENDOR, 0x100, bytes(1))),
      unsigned: errno(variables.write('New', VENDOR, LASTING | 0x20, bytes(1))),
    }),
    {
      'read nothing': 'ENOENT',
      'delete nothing': 'ENOENT',
      'delete by an empty write': 'EIO',
      'read-only': 'EROFS',
      'not at runtime': 'ENOENT',
      'bad attributes': 'EINVAL',
      'unknown attributes': 'EINVAL',
      unsigned: 'EACCES',
    },
  ),
  VARIABLES.check(
    'a life of one variable',
    ({ runtime: { variables } }) => ({
      write: errno(variables.write('Note', VENDOR, LASTING, bytes(1, 2))),
      append: errno(variables.append('Note', VENDOR, LASTING, bytes(3))),
      read: toldContent(variables.read('Note', VENDOR)),
      listed: String(
        variables
          .list()
          .labels.filter(({ name, vendorGuid }) => name === 'Note' && vendorGuid === VENDOR).length,
      ),
      'the list ends': variables.list().end.kind,
      delete: errno(variables.delete('Note', VENDOR)),
      gone: errno(variables.read('Note', VENDOR)),
    }),
    {
      write: 'done',
      append: 'done',
      read: '7: 010203',
      listed: '1',
      'the list ends': 'complete',
      delete: 'done',
      gone: 'ENOENT',
    },
  ),
  VARIABLES.check(
    'the reserve is kept',
    ({ runtime: { variables } }) => {
      const space = variables.space();
      if (!space.ok) return { space: told(space) };
      let count = 0;
      let last: VariableResult<void> = { ok: true, value: undefined };
      while (last.ok && count < 200) {
        last = variables.write(`Reserve${String(count)}`, VENDOR, LASTING, new Uint8Array(3000));
        count += 1;
      }
      const left = variables.space();
      return {
        space: 'known',
        refused: errno(last),
        'enough is left': yes(left.ok && left.value.free >= EFI_MIN_RESERVE - 256n),
        'the dummy is gone': errno(variables.read(DUMMY_NAME, WellKnownGuid.LINUX_EFI_DUMMY_GUID)),
      };
    },
    {
      space: 'known',
      refused: 'ENOSPC',
      'enough is left': 'yes',
      'the dummy is gone': 'ENOENT',
    },
    { commandLines: [''] },
  ),
  ENTRIES.check(
    'created, ordered, chosen, deleted',
    ({ runtime: { bootEntries } }) => {
      const before = bootEntries.list();
      const order = before.ok ? before.value.order : [];
      const first = bootEntries.create(option('First'), { number: 0x1234 });
      const next = bootEntries.setNext(0x1234);
      const timeout = bootEntries.setTimeout(7);
      const during = bootEntries.list();
      const entry = during.ok
        ? during.value.entries.find(({ number }) => number === 0x1234)
        : undefined;
      const gone = bootEntries.delete(0x1234);
      const after = bootEntries.list();
      return {
        created: first.ok ? numberedName('Boot', first.value) : first.errno,
        next: errno(next),
        timeout: errno(timeout),
        description: entry?.option?.description ?? '',
        'first in order': yes(during.ok && during.value.order[0] === 0x1234),
        'chosen for once': yes(during.ok && during.value.next === 0x1234),
        'waits for': during.ok ? String(during.value.timeout) : during.errno,
        gone: errno(gone),
        'the order is what it was': yes(after.ok && after.value.order.join() === order.join()),
      };
    },
    {
      created: 'Boot1234',
      next: 'done',
      timeout: 'done',
      description: 'First',
      'first in order': 'yes',
      'chosen for once': 'yes',
      'waits for': '7',
      gone: 'done',
      'the order is what it was': 'yes',
    },
  ),
  CLOCK.check(
    'an instant, in and out, in three zones',
    ({ runtime: { clock } }) => {
      const answers: Record<string, string> = {};
      for (const [name, zone] of [
        ['unspecified', {}],
        ['west', { timeZone: 300 }],
        ['summer', { timeZone: -60, daylight: 3 }],
      ] as const) {
        answers[`set ${name}`] = told(clock.setNow({ seconds: SECONDS, nanosecond: 0 }, zone));
        answers[`read ${name}`] = shown(clock.now());
      }
      return answers;
    },
    {
      'set unspecified': 'EFI_SUCCESS',
      'read unspecified': 'yes',
      'set west': 'EFI_SUCCESS',
      'read west': 'yes',
      'set summer': 'EFI_SUCCESS',
      'read summer': 'yes',
    },
  ),
  CLOCK.check(
    'minutes and seconds of the system time',
    ({ runtime: { clock }, services }) => {
      const set = told(clock.setRtcMmss(SECONDS));
      const read = services.getTime();
      const wanted = efiTimeFromUnix({ seconds: SECONDS, nanosecond: 0 });
      return {
        set,
        'date and minute': yes(
          read.ok &&
            wanted !== undefined &&
            head(formatEfiTime(read.value.time)) === head(formatEfiTime(wanted)),
        ),
      };
    },
    { set: 'EFI_SUCCESS', 'date and minute': 'yes' },
  ),
];
