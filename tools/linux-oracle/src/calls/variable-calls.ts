// What is asked of efivarfs, in this order on one boot: later calls meet what earlier ones left.
import type { ScriptedCall } from './call.ts';
import {
  APPEND,
  APPENDED,
  AUTHENTICATED,
  DIGEST_LIST,
  EMPTY_SIGNATURE,
  GLOBAL_VENDOR,
  KEPT,
  OWN_VENDOR,
  scripted,
  SECURITY_VENDOR,
} from './call.ts';

const own = (name: string): string => `${name}-${OWN_VENDOR}`;
const global = (name: string): string => `${name}-${GLOBAL_VENDOR}`;
const security = (name: string): string => `${name}-${SECURITY_VENDOR}`;
const write = (title: string, file: string, attributes: number, data: string): ScriptedCall =>
  scripted(title, 'write', file, attributes.toString(16), data);
const raw = (title: string, file: string, bytes: string): ScriptedCall =>
  scripted(title, 'raw', file, bytes);
const read = (title: string, file: string): ScriptedCall => scripted(title, 'read', file);
const remove = (title: string, file: string): ScriptedCall => scripted(title, 'delete', file);
const release = (file: string): ScriptedCall =>
  scripted('the immutable flag is taken away', 'protect', file, 'off');

const LIFE = own('SystabLife');

const lifeOfAVariable: readonly ScriptedCall[] = [
  read('there is none yet', LIFE),
  write('created', LIFE, KEPT, '0102'),
  read('read', LIFE),
  write('replaced while immutable', LIFE, KEPT, '03'),
  remove('deleted while immutable', LIFE),
  release(LIFE),
  write('replaced', LIFE, KEPT, '030405'),
  write('replaced by the same', LIFE, KEPT, '030405'),
  write('replaced with fewer attributes', LIFE, 3, '06'),
  write('replaced with more attributes', LIFE, AUTHENTICATED, '06'),
  read('as it was', LIFE),
  write('appended', LIFE, APPENDED, '0607'),
  read('longer', LIFE),
  write('nothing appended', LIFE, APPENDED, '-'),
  read('as long as before', LIFE),
  write('deleted by empty data', LIFE, KEPT, '-'),
  read('gone', LIFE),
  remove('deleted when it is gone', LIFE),
  write('appended to nothing', LIFE, APPENDED, '08'),
  read('created by that', LIFE),
  release(LIFE),
  remove('deleted', LIFE),
  read('gone again', LIFE),
  write('nothing written to nothing', LIFE, KEPT, '-'),
  read('after that', LIFE),
  remove('deleted what never was', LIFE),
];

/** Every combination of the first three bits, and each further bit with and without them. */
const ATTRIBUTES = [
  0, 1, 2, 3, 4, 5, 6, 8, 9, 0xf, 0x10, 0x17, 0x20, 0x26, 0x27, 0x37, 0x40, 0x41, 0x43, 0x46, 0x80,
  0x87, 0x100, 0x107, 0x8000_0007,
];

const attributeCalls: readonly ScriptedCall[] = ATTRIBUTES.flatMap((attributes) => {
  const file = own(`SystabAttributes${attributes.toString(16)}`);
  return [
    write(`created with attributes ${attributes.toString(16)}`, file, attributes, '01'),
    read('what that left', file),
  ];
});

/** Around the limits of a variable: 32 KiB in builds with 4 MiB of flash, 16 KiB in the reference firmware. */
const SIZES = [1, 1024, 16_282, 16_384, 33_700, 33_732, 33_792, 65_536, 65_537, 300_000, 1_000_000];

const sizeCalls: readonly ScriptedCall[] = [
  raw('a file without a byte', own('SystabShort'), '-'),
  release(own('SystabShort')),
  raw('a file of one byte', own('SystabShort'), '07'),
  raw('a file of three bytes', own('SystabShort'), '070000'),
  read('what that left', own('SystabShort')),
  ...SIZES.flatMap((size) => {
    const file = own(`SystabSize${size}`);
    return [
      write(`${size} bytes`, file, KEPT, `a5*${size}`),
      release(file),
      remove('deleted', file),
    ];
  }),
];

const longName = (length: number): string => own('N'.repeat(length));

const nameCalls: readonly ScriptedCall[] = [
  write('no name', `-${OWN_VENDOR}`, KEPT, '01'),
  write('a name of one letter', own('N'), KEPT, '01'),
  write('no vendor', 'SystabName', KEPT, '01'),
  write('a vendor and nothing else', OWN_VENDOR, KEPT, '01'),
  write(
    'a vendor with a letter that is no digit',
    own('SystabName').replace(/.$/, 'g'),
    KEPT,
    '01',
  ),
  write('a vendor that is short', own('SystabName').slice(0, -1), KEPT, '01'),
  write('a vendor without dashes', own('SystabName').replaceAll('-', ''), KEPT, '01'),
  write('a vendor in capitals', own('SystabCapitals').toUpperCase(), KEPT, '01'),
  read('the same vendor in small letters', `SYSTABCAPITALS-${OWN_VENDOR}`),
  write('a name with dashes', own('Systab-Name-1'), KEPT, '01'),
  write('a name of two bytes in UTF-8', own('\u{c3}\u{a9}'), KEPT, '01'),
  write('the longest name of a file', longName(218), KEPT, '01'),
  write('a name that is longer', longName(219), KEPT, '01'),
];

const readOnlyCalls: readonly ScriptedCall[] = [
  'SecureBoot',
  'SetupMode',
  'BootCurrent',
  'PlatformLangCodes',
].flatMap((name) => [
  scripted('the immutable flag is taken away', 'protect', global(name), 'off'),
  write('a volatile variable written', global(name), 6, '01'),
  write('the same, made non-volatile', global(name), KEPT, '01'),
  remove('the same, deleted', global(name)),
  read('as it was', global(name)),
]);

/** A load option without attributes, description "A", and the end of a device path. */
const LOAD_OPTION = '000000000400410000007fff0400';

const globalCalls: readonly ScriptedCall[] = [
  write('BootOrder of two entries', global('BootOrder'), KEPT, '00000100'),
  write('BootOrder of one byte and a half', global('BootOrder'), KEPT, '000001'),
  write('BootOrder of an odd size for another vendor', own('BootOrder'), KEPT, '000001'),
  write('BootNext of one byte', global('BootNext'), KEPT, '00'),
  write('BootNext of two bytes', global('BootNext'), KEPT, '0000'),
  write('BootNext of four bytes', global('BootNext'), KEPT, '00000000'),
  remove('BootNext deleted', global('BootNext')),
  write('Timeout of three bytes', global('Timeout'), KEPT, '050000'),
  write('Timeout of two bytes', global('Timeout'), KEPT, '0500'),
  write('a load option of one byte', global('Boot0007'), KEPT, '00'),
  write(
    'a load option whose path is cut short',
    global('Boot0007'),
    KEPT,
    LOAD_OPTION.slice(0, -2),
  ),
  write('a load option', global('Boot0007'), KEPT, LOAD_OPTION),
  remove('a load option deleted', global('Boot0007')),
  write('a boot entry with a number that is none', global('Boot000G'), KEPT, '00'),
  write('a boot entry with five digits', global('Boot00007'), KEPT, '00'),
  write('a boot entry in small letters', global('Boot000a'), KEPT, '00'),
  write('a device path that is garbage', global('ConOut'), KEPT, '01'),
  write('a device path that is only its end', global('ConOut'), KEPT, '7fff0400'),
  write('a language without an end', global('PlatformLang'), KEPT, '656e'),
  write('a language', global('PlatformLang'), KEPT, '656e00'),
  write('a language with an 8-bit letter', global('PlatformLang'), KEPT, 'e9656e00'),
  write('a global variable that the specification does not know', global('SystabNew'), KEPT, '01'),
  write('OsIndications', global('OsIndications'), KEPT, '0000000000000000'),
  write('OsIndications of one byte', global('OsIndications'), KEPT, '01'),
];

const PK = global('PK');
const DB = security('db');
const SIGNED_DIGEST = EMPTY_SIGNATURE + DIGEST_LIST;

/** A file that a refused write leaves is immutable. PK comes last: where it is accepted, the keys are locked. */
const keyCalls: readonly ScriptedCall[] = [
  write('db without authentication', DB, KEPT, DIGEST_LIST),
  release(DB),
  write('db with one byte for a signature', DB, AUTHENTICATED, '01'),
  write('db unsigned, with garbage', DB, AUTHENTICATED, `${EMPTY_SIGNATURE}0102`),
  write('db unsigned, in setup mode', DB, AUTHENTICATED, SIGNED_DIGEST),
  read('db', DB),
  write('db again, no newer', DB, AUTHENTICATED, SIGNED_DIGEST),
  write('db appended by what it holds', DB, AUTHENTICATED | APPEND, SIGNED_DIGEST),
  read('db as it was', DB),
  write('db without authentication, now that it is there', DB, KEPT, DIGEST_LIST),
  remove('db deleted without authentication', DB),
  read('db after that', DB),
  write('authenticated, unsigned', own('SystabSigned'), AUTHENTICATED, `${EMPTY_SIGNATURE}01`),
  write('authenticated by a count', own('SystabCounted'), 0x17, `${EMPTY_SIGNATURE}01`),
  write('PK without authentication', PK, KEPT, '01'),
  release(PK),
  write('PK with one byte for a signature', PK, AUTHENTICATED, '01'),
  write('PK unsigned, with a digest', PK, AUTHENTICATED, SIGNED_DIGEST),
  read('what that left', PK),
];

const PROTECTED = own('SystabProtected');

const protectionCalls: readonly ScriptedCall[] = [
  write('created', PROTECTED, KEPT, '01'),
  release(PROTECTED),
  scripted('made immutable', 'protect', PROTECTED, 'on'),
  write('written while immutable', PROTECTED, KEPT, '02'),
  remove('deleted while immutable', PROTECTED),
  release(PROTECTED),
  remove('deleted', PROTECTED),
];

const FILLERS = 12;
const FILLER_SIZE = 30_000;
const LAST_FILLER_SIZE = 3000;
const filler = (index: number): string => own(`SystabFill${index}`);

const fillingCalls: readonly ScriptedCall[] = [
  scripted('space before', 'space'),
  ...Array.from({ length: FILLERS }, (_, index) =>
    write(
      'the store is filled',
      filler(index),
      KEPT,
      `a5*${index < FILLERS / 2 ? LAST_FILLER_SIZE : FILLER_SIZE}`,
    ),
  ),
  scripted('space when full', 'space'),
  write('a small variable when full', own('SystabSmall'), KEPT, '01'),
  ...Array.from({ length: FILLERS }, (_, index) => [
    release(filler(index)),
    remove('deleted', filler(index)),
  ]).flat(),
  scripted('space after deleting', 'space'),
  write('a large variable after deleting', own('SystabLarge'), KEPT, `a5*${LAST_FILLER_SIZE}`),
];

/** Every call of efivarfs, in order. */
export const VARIABLE_CALLS: readonly ScriptedCall[] = [
  ...lifeOfAVariable,
  ...attributeCalls,
  ...sizeCalls,
  ...nameCalls,
  ...readOnlyCalls,
  ...globalCalls,
  ...keyCalls,
  ...protectionCalls,
  ...fillingCalls,
];
