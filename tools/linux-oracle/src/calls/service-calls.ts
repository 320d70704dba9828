// What is asked of the runtime services through the kernel's own wrappers, in this order.
import type { ScriptedCall } from './call.ts';
import { scripted } from './call.ts';

/** `OWN_VENDOR` and the others as bytes. */
const OWN = '1e5b9a6c570f0c4d9a538d5f3b9f4e21';
const GLOBAL = '61dfe48bca93d211aa0d00e098032b8c';

const call = (title: string, service: string, ...words: readonly string[]): ScriptedCall =>
  scripted(title, 'call', service, ...words);

const hex = (value: number, bytes: number): string =>
  Array.from({ length: bytes }, (_, index) =>
    ((value >> (8 * index)) & 0xff).toString(16).padStart(2, '0'),
  ).join('');

interface TimeFields {
  readonly year?: number;
  readonly month?: number;
  readonly day?: number;
  readonly hour?: number;
  readonly minute?: number;
  readonly second?: number;
  readonly nanosecond?: number;
  readonly timeZone?: number;
  readonly daylight?: number;
}

const UNSPECIFIED_ZONE = 0x7ff;

/** EFI_TIME as `time=<hex>`; noon of 5 March 2024 but for the fields given. */
const time = (fields: TimeFields): string => {
  const { year = 2024, month = 3, day = 5, hour = 12, minute = 0, second = 0 } = fields;
  const { nanosecond = 0, timeZone = UNSPECIFIED_ZONE, daylight = 0 } = fields;
  const bytes = [month, day, hour, minute, second, 0].map((value) => hex(value, 1)).join('');
  return `time=${hex(year, 2)}${bytes}${hex(nanosecond, 4)}${hex(timeZone, 2)}${hex(daylight, 1)}00`;
};

const BAD_TIMES: readonly (readonly [string, TimeFields])[] = [
  ['year 1899', { year: 1899 }],
  ['year 1997', { year: 1997 }],
  ['year 2098', { year: 2098 }],
  ['year 10000', { year: 10_000 }],
  ['month 0', { month: 0 }],
  ['month 13', { month: 13 }],
  ['day 0', { day: 0 }],
  ['day 32', { day: 32 }],
  ['31 April', { month: 4, day: 31 }],
  ['29 February in a common year', { year: 2023, month: 2, day: 29 }],
  ['hour 24', { hour: 24 }],
  ['minute 60', { minute: 60 }],
  ['second 60', { second: 60 }],
  ['a thousand million nanoseconds', { nanosecond: 1_000_000_000 }],
  ['time zone 1441', { timeZone: 1441 }],
  ['time zone -1441', { timeZone: -1441 }],
  ['reserved daylight bits', { daylight: 4 }],
];

const timeCalls: readonly ScriptedCall[] = [
  call('no time wanted', 'GetTime', 'null=time'),
  call('set no time', 'SetTime', 'null=time'),
  ...BAD_TIMES.map(([title, fields]) => call(`set ${title}`, 'SetTime', time(fields))),
  call('set with a zone and summer time', 'SetTime', time({ timeZone: 120, daylight: 3 })),
  call('read, zone and summer time', 'GetTime'),
  call('read without capabilities', 'GetTime', 'null=capabilities'),
  call('set without a zone', 'SetTime', time({ second: 30 })),
  call('read, no zone', 'GetTime'),
];

const wakeupCalls: readonly ScriptedCall[] = [
  call('read', 'GetWakeupTime'),
  call('read without enabled', 'GetWakeupTime', 'null=enabled'),
  call('read without pending', 'GetWakeupTime', 'null=pending'),
  call('read without a time', 'GetWakeupTime', 'null=time'),
  call('enabled without a time', 'SetWakeupTime', 'enabled=1', 'null=time'),
  call('enabled at month 13', 'SetWakeupTime', 'enabled=1', time({ month: 13 })),
  call('enabled in an hour', 'SetWakeupTime', 'enabled=1', time({ hour: 13 })),
  call('read when enabled', 'GetWakeupTime'),
  call('enabled after three days', 'SetWakeupTime', 'enabled=1', time({ day: 8 })),
  call('enabled in the past', 'SetWakeupTime', 'enabled=1', time({ day: 4 })),
  call('disabled', 'SetWakeupTime', 'enabled=0', 'null=time'),
  call('read when disabled', 'GetWakeupTime'),
];

const own = (name: string): readonly string[] => [`name=${name}`, `vendor=${OWN}`];
const global = (name: string): readonly string[] => [`name=${name}`, `vendor=${GLOBAL}`];
const LONG_NAME = 'N'.repeat(300);

const setCalls: readonly ScriptedCall[] = [
  call('no name', 'SetVariable', ...own('X'), 'attributes=7', 'data=01', 'null=name'),
  call('an empty name', 'SetVariable', `vendor=${OWN}`, 'attributes=7', 'data=01'),
  call('no vendor', 'SetVariable', ...own('X'), 'attributes=7', 'data=01', 'null=vendor'),
  call('no data', 'SetVariable', ...own('X'), 'attributes=7', 'data=01', 'null=data'),
  ...['1', '2', '3', '4', '5', '6', 'f', '17', '27', '37', '80', '87', '100', '80000007'].map(
    (attributes) =>
      call(
        `created with attributes ${attributes}`,
        'SetVariable',
        ...own(`SystabService${attributes}`),
        `attributes=${attributes}`,
        'data=01',
      ),
  ),
  call('deleted, not there', 'SetVariable', ...own('SystabNone'), 'attributes=7'),
  call('deleted by no attributes, not there', 'SetVariable', ...own('SystabNone'), 'data=01'),
  call('nothing appended to nothing', 'SetVariable', ...own('SystabNone'), 'attributes=47'),
  call('created', 'SetVariable', ...own('SystabService'), 'attributes=7', 'data=01020304'),
  call('other attributes', 'SetVariable', ...own('SystabService'), 'attributes=3', 'data=01'),
  call('a name too long for a file', 'SetVariable', ...own(LONG_NAME), 'attributes=7', 'data=01'),
  call('the same, deleted', 'SetVariable', ...own(LONG_NAME), 'attributes=7'),
  call('SecureBoot', 'SetVariable', ...global('SecureBoot'), 'attributes=6', 'data=01'),
];

const getCalls: readonly ScriptedCall[] = [
  call('no name', 'GetVariable', ...own('SystabService'), 'size=16', 'null=name'),
  call('no vendor', 'GetVariable', ...own('SystabService'), 'size=16', 'null=vendor'),
  call('no size', 'GetVariable', ...own('SystabService'), 'null=size'),
  call('no data, no size', 'GetVariable', ...own('SystabService'), 'null=data'),
  call('no data, size enough', 'GetVariable', ...own('SystabService'), 'size=16', 'null=data'),
  call(
    'no attributes wanted',
    'GetVariable',
    ...own('SystabService'),
    'size=16',
    'null=attributes',
  ),
  call('an empty name', 'GetVariable', `vendor=${OWN}`, 'size=16'),
  call('not there', 'GetVariable', ...own('SystabNone'), 'size=16'),
  call('another vendor', 'GetVariable', ...global('SystabService'), 'size=16'),
  call('too small', 'GetVariable', ...own('SystabService'), 'size=3'),
  call('exactly', 'GetVariable', ...own('SystabService'), 'size=4'),
  call('for boot services only', 'GetVariable', ...global('CustomMode'), 'size=16'),
  call('SecureBoot', 'GetVariable', ...global('SecureBoot'), 'size=16'),
];

const NAME_ROOM = 'size=1024';
const nextCalls: readonly ScriptedCall[] = [
  call('no size', 'GetNextVariableName', 'null=size'),
  call('no name', 'GetNextVariableName', NAME_ROOM, 'null=name'),
  call('no vendor', 'GetNextVariableName', NAME_ROOM, 'null=vendor'),
  call('size 0', 'GetNextVariableName', 'size=0'),
  call('the first, too small', 'GetNextVariableName', 'size=2'),
  call('the first', 'GetNextVariableName', NAME_ROOM),
  call('a name without an end', 'GetNextVariableName', ...own('SystabService'), 'size=26'),
  call('a name that is not there', 'GetNextVariableName', ...own('SystabNone'), NAME_ROOM),
];

const otherCalls: readonly ScriptedCall[] = [
  ...['0', '1', '2', '3', '4', '5', '6', '7', 'f', '17', '27', '47', '80', '100'].map(
    (attributes) =>
      call(`attributes ${attributes}`, 'QueryVariableInfo', `attributes=${attributes}`),
  ),
  ...['maximum', 'remaining', 'limit'].map((pointer) =>
    call(`no ${pointer}`, 'QueryVariableInfo', 'attributes=7', `null=${pointer}`),
  ),
  call('no count', 'GetNextHighMonotonicCount', 'null=maximum'),
  call('a count', 'GetNextHighMonotonicCount'),
  call('the next', 'GetNextHighMonotonicCount'),
  ...[
    ['of no flags', '00000000'],
    ['that persists', '00000100'],
    ['that populates the system table', '00000200'],
    ['that persists and populates', '00000300'],
    ['that resets', '00000400'],
  ].flatMap(([title = '', flags = '']) => {
    const header = `data=${OWN}1c000000${flags}1c000000`;
    return [
      call(
        `a capsule ${title}, no size`,
        'QueryCapsuleCapabilities',
        header,
        'size=1',
        'null=maximum',
      ),
      call(`a capsule ${title}`, 'QueryCapsuleCapabilities', header, 'size=1'),
      call(`a capsule ${title}, no list`, 'UpdateCapsule', header, 'size=1'),
    ];
  }),
  call('no capsule', 'QueryCapsuleCapabilities', `data=${OWN}1c000000000000001c000000`, 'size=0'),
  call('no capsule', 'UpdateCapsule', `data=${OWN}1c000000000000001c000000`, 'size=0'),
];

/** Every call of a runtime service, in order. */
export const SERVICE_CALLS: readonly ScriptedCall[] = [
  ...timeCalls,
  ...wakeupCalls,
  ...setCalls,
  ...getCalls,
  ...nextCalls,
  ...otherCalls,
];
