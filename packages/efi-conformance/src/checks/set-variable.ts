import { bytesToHex, VariableAttribute, WellKnownGuid } from '@systab/efi-core';
import type { VariableAttributes } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, toldContent } from '../check.ts';
import { BOOT_ONLY, OTHER_VENDOR, VENDOR } from '../system.ts';
import { bytes, get, LASTING, remove, set } from './own-variable.ts';

const { check, answers } = checksOf('SetVariable', 'UEFI 2.10, 8.2.3', [
  'GetVariable',
  'SetVariable',
]);

const {
  NON_VOLATILE,
  BOOTSERVICE_ACCESS,
  RUNTIME_ACCESS,
  HARDWARE_ERROR_RECORD,
  AUTHENTICATED_WRITE_ACCESS,
  TIME_BASED_AUTHENTICATED_WRITE_ACCESS,
  APPEND_WRITE,
} = VariableAttribute;
const APPENDING = LASTING | APPEND_WRITE;
const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;

/** An attribute word that SetVariable must refuse whatever the variable is. */
const refusesAttributes = (
  what: string,
  attributes: VariableAttributes,
  expected: string | readonly string[],
): Check =>
  check(
    `attributes: ${what}`,
    ({ services }) => ({
      write: told(set(services, 'Refused', bytes(1), attributes)),
      read: told(get(services, 'Refused')),
    }),
    { write: expected, read: 'EFI_NOT_FOUND' },
  );

const REFUSALS: readonly Check[] = [
  answers(
    'NULL for VariableName',
    ({ services }) => services.setVariable(null, VENDOR, LASTING, 1, bytes(1)),
    'EFI_INVALID_PARAMETER',
  ),
  answers(
    'an empty name',
    ({ services }) => services.setVariable('', VENDOR, LASTING, 1, bytes(1)),
    'EFI_INVALID_PARAMETER',
  ),
  answers(
    'NULL for VendorGuid',
    ({ services }) => services.setVariable('Refused', null, LASTING, 1, bytes(1)),
    'EFI_INVALID_PARAMETER',
  ),
  check(
    'NULL for Data of some size',
    ({ services }) => ({
      write: told(services.setVariable('Refused', VENDOR, LASTING, 1, null)),
      read: told(get(services, 'Refused')),
    }),
    { write: 'EFI_INVALID_PARAMETER', read: 'EFI_NOT_FOUND' },
  ),
  refusesAttributes('a reserved bit', LASTING | 0x100, 'EFI_INVALID_PARAMETER'),
  refusesAttributes('the highest bit', (LASTING | 0x8000_0000) >>> 0, 'EFI_INVALID_PARAMETER'),
  refusesAttributes(
    'RUNTIME_ACCESS without BOOTSERVICE_ACCESS',
    NON_VOLATILE | RUNTIME_ACCESS,
    'EFI_INVALID_PARAMETER',
  ),
  refusesAttributes('NON_VOLATILE alone', NON_VOLATILE, 'EFI_INVALID_PARAMETER'),
  refusesAttributes('nobody has access', 0, ['EFI_NOT_FOUND', 'EFI_INVALID_PARAMETER']),
  // 8.2.8: only a platform that supports hardware error records takes one.
  refusesAttributes(
    'HARDWARE_ERROR_RECORD without support for it',
    LASTING | HARDWARE_ERROR_RECORD,
    ['EFI_INVALID_PARAMETER', 'EFI_UNSUPPORTED'],
  ),
  refusesAttributes(
    'AUTHENTICATED_WRITE_ACCESS, which is deprecated',
    LASTING | AUTHENTICATED_WRITE_ACCESS,
    'EFI_UNSUPPORTED',
  ),
  refusesAttributes(
    'two kinds of authentication',
    LASTING | AUTHENTICATED_WRITE_ACCESS | TIME_BASED_AUTHENTICATED_WRITE_ACCESS,
    'EFI_UNSUPPORTED',
  ),
  refusesAttributes(
    'volatile, after ExitBootServices',
    BOOTSERVICE_ACCESS | RUNTIME_ACCESS,
    'EFI_INVALID_PARAMETER',
  ),
  refusesAttributes(
    'without RUNTIME_ACCESS, after ExitBootServices',
    NON_VOLATILE | BOOTSERVICE_ACCESS,
    'EFI_INVALID_PARAMETER',
  ),
  check(
    'a variable without RUNTIME_ACCESS',
    ({ services }) => ({
      write: told(set(services, BOOT_ONLY.name, bytes(1))),
      'write with its attributes': told(
        set(services, BOOT_ONLY.name, bytes(1), BOOT_ONLY.attributes),
      ),
      delete: told(remove(services, BOOT_ONLY.name)),
    }),
    {
      write: 'EFI_WRITE_PROTECTED',
      'write with its attributes': 'EFI_WRITE_PROTECTED',
      delete: 'EFI_WRITE_PROTECTED',
    },
  ),
  check(
    'a volatile variable, read-only after ExitBootServices',
    ({ services }) => {
      const volatile = BOOTSERVICE_ACCESS | RUNTIME_ACCESS;
      const before = toldContent(get(services, 'SecureBoot', GLOBAL));
      return {
        before,
        write: told(set(services, 'SecureBoot', bytes(1), volatile, GLOBAL)),
        append: told(set(services, 'SecureBoot', bytes(1), volatile | APPEND_WRITE, GLOBAL)),
        delete: told(services.setVariable('SecureBoot', GLOBAL, volatile, 0, null)),
        after: toldContent(get(services, 'SecureBoot', GLOBAL)),
      };
    },
    {
      before: '6: 00',
      write: 'EFI_WRITE_PROTECTED',
      append: 'EFI_WRITE_PROTECTED',
      delete: 'EFI_WRITE_PROTECTED',
      after: '6: 00',
    },
  ),
  check(
    'other attributes than the variable has',
    ({ services }) => ({
      create: told(set(services, 'Fixed', bytes(1))),
      volatile: told(set(services, 'Fixed', bytes(2), BOOTSERVICE_ACCESS | RUNTIME_ACCESS)),
      'not at runtime': told(set(services, 'Fixed', bytes(2), NON_VOLATILE | BOOTSERVICE_ACCESS)),
      appending: told(set(services, 'Fixed', bytes(2), BOOTSERVICE_ACCESS | APPEND_WRITE)),
      read: toldContent(get(services, 'Fixed')),
    }),
    {
      create: 'EFI_SUCCESS',
      volatile: 'EFI_INVALID_PARAMETER',
      'not at runtime': 'EFI_INVALID_PARAMETER',
      appending: 'EFI_INVALID_PARAMETER',
      read: '7: 01',
    },
  ),
];

/** Names of any kind, each with its own data. */
const NAMES: readonly string[] = [
  'Two',
  'two',
  'Two ',
  'Zwölf Boxkämpfer',
  '漢字',
  'a/b\\c:d-5d1a9cd4',
  '\u0001',
  '\uffff\ud800',
  'N'.repeat(300),
];

const LARGE = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7 + (index >> 8)) & 255);

const WRITES: readonly Check[] = [
  check(
    'creates, replaces with less, with more, with the same',
    ({ services }) => {
      const values = [bytes(1, 2, 3), bytes(9), bytes(4, 5, 6, 7), bytes(4, 5, 6, 7)];
      const written = values.map((data) => [
        told(set(services, 'Changing', data)),
        toldContent(get(services, 'Changing')),
      ]);
      return { all: written.flat().join(' ') };
    },
    {
      all: 'EFI_SUCCESS 7: 010203 EFI_SUCCESS 7: 09 EFI_SUCCESS 7: 04050607 EFI_SUCCESS 7: 04050607',
    },
  ),
  check(
    'deletes by size, by attributes, and not what is not there',
    ({ services }) => ({
      'nothing there': told(remove(services, 'Short')),
      create: told(set(services, 'Short', bytes(1))),
      'size 0': told(remove(services, 'Short')),
      read: told(get(services, 'Short')),
      again: told(remove(services, 'Short')),
      'create again': told(set(services, 'Short', bytes(2))),
      'attributes 0': told(services.setVariable('Short', VENDOR, 0, 0, null)),
      'read again': told(get(services, 'Short')),
      'create once more': told(set(services, 'Short', bytes(3))),
      'attributes 0 with data': told(set(services, 'Short', bytes(4), 0)),
      'read once more': told(get(services, 'Short')),
    }),
    {
      'nothing there': 'EFI_NOT_FOUND',
      create: 'EFI_SUCCESS',
      'size 0': 'EFI_SUCCESS',
      read: 'EFI_NOT_FOUND',
      again: 'EFI_NOT_FOUND',
      'create again': 'EFI_SUCCESS',
      'attributes 0': 'EFI_SUCCESS',
      'read again': 'EFI_NOT_FOUND',
      'create once more': 'EFI_SUCCESS',
      'attributes 0 with data': 'EFI_SUCCESS',
      'read once more': 'EFI_NOT_FOUND',
    },
  ),
  check(
    'appends to what is there and to nothing',
    ({ services }) => ({
      'nothing to nothing': told(services.setVariable('Log', VENDOR, APPENDING, 0, null)),
      'still nothing': told(get(services, 'Log')),
      first: told(set(services, 'Log', bytes(1, 2), APPENDING)),
      read: toldContent(get(services, 'Log')),
      second: told(set(services, 'Log', bytes(3), APPENDING)),
      'read both': toldContent(get(services, 'Log')),
      nothing: told(services.setVariable('Log', VENDOR, APPENDING, 0, null)),
      'read again': toldContent(get(services, 'Log')),
      replace: told(set(services, 'Log', bytes(9))),
      'read last': toldContent(get(services, 'Log')),
    }),
    {
      'nothing to nothing': 'EFI_SUCCESS',
      'still nothing': 'EFI_NOT_FOUND',
      first: 'EFI_SUCCESS',
      read: '7: 0102',
      second: 'EFI_SUCCESS',
      'read both': '7: 010203',
      nothing: 'EFI_SUCCESS',
      'read again': '7: 010203',
      replace: 'EFI_SUCCESS',
      'read last': '7: 09',
    },
  ),
  check(
    'keeps variables apart by name and by vendor',
    ({ services }) => {
      const vendors = [VENDOR, OTHER_VENDOR];
      const labels = vendors.flatMap((vendor) => NAMES.map((name) => [name, vendor] as const));
      const written = labels.map(([name, vendor], index) =>
        told(set(services, name, bytes(index), LASTING, vendor)),
      );
      const wrong = labels.filter(
        ([name, vendor], index) =>
          toldContent(get(services, name, vendor)) !== `7: ${bytesToHex(bytes(index))}`,
      );
      return {
        written: [...new Set(written)].join(),
        wrong: wrong.map(([name]) => name).join(),
      };
    },
    { written: 'EFI_SUCCESS', wrong: '' },
  ),
  check(
    'keeps every byte of a large value',
    ({ services }) => ({
      write: told(set(services, 'Large', LARGE)),
      read: toldContent(get(services, 'Large')),
    }),
    { write: 'EFI_SUCCESS', read: `7: ${bytesToHex(LARGE)}` },
  ),
];

export const SET_VARIABLE: readonly Check[] = [...REFUSALS, ...WRITES];
