import type { Check } from '../check.ts';
import { checksOf, told, toldContent } from '../check.ts';
import { BOOT_ONLY, OTHER_VENDOR, VENDOR } from '../system.ts';
import { bytes, get, set } from './own-variable.ts';

const { check, answers } = checksOf('GetVariable', 'UEFI 2.10, 8.2.1', [
  'GetVariable',
  'SetVariable',
]);

const FIVE = bytes(1, 2, 3, 4, 5);

export const GET_VARIABLE: readonly Check[] = [
  answers(
    'NULL for VariableName',
    ({ services }) => services.getVariable(null, VENDOR, 16),
    'EFI_INVALID_PARAMETER',
  ),
  answers(
    'NULL for VendorGuid',
    ({ services }) => services.getVariable('Five', null, 16),
    'EFI_INVALID_PARAMETER',
  ),
  answers(
    'NULL for DataSize',
    ({ services }) => services.getVariable('Five', VENDOR, 16, ['dataSize']),
    'EFI_INVALID_PARAMETER',
  ),
  check(
    'NULL for Data although the size would do',
    ({ services }) => ({
      create: told(set(services, 'Five', FIVE)),
      read: told(services.getVariable('Five', VENDOR, 16, ['data'])),
    }),
    { create: 'EFI_SUCCESS', read: 'EFI_INVALID_PARAMETER' },
  ),
  answers(
    'an empty name',
    ({ services }) => services.getVariable('', VENDOR, 16),
    // The specification names no status for it; it is no variable's name.
    ['EFI_NOT_FOUND', 'EFI_INVALID_PARAMETER'],
  ),
  check(
    'what does not exist',
    ({ services }) => ({
      create: told(set(services, 'Five', FIVE)),
      'other name': told(get(services, 'Four')),
      'other vendor': told(get(services, 'Five', OTHER_VENDOR)),
      'other case': told(get(services, 'five')),
      'a part of its name': told(get(services, 'Fiv')),
      'a longer name': told(get(services, 'Fives')),
    }),
    {
      create: 'EFI_SUCCESS',
      'other name': 'EFI_NOT_FOUND',
      'other vendor': 'EFI_NOT_FOUND',
      'other case': 'EFI_NOT_FOUND',
      'a part of its name': 'EFI_NOT_FOUND',
      'a longer name': 'EFI_NOT_FOUND',
    },
  ),
  answers(
    'a variable without RUNTIME_ACCESS',
    ({ services }) => get(services, BOOT_ONLY.name, BOOT_ONLY.vendorGuid),
    'EFI_NOT_FOUND',
  ),
  check(
    'a buffer that is too small, and the question for the size',
    ({ services }) => {
      const create = told(set(services, 'Five', FIVE));
      const small = services.getVariable('Five', VENDOR, 4);
      const query = services.getVariable('Five', VENDOR, 0, ['data']);
      const bare = services.getVariable('Five', VENDOR, 0, ['data', 'attributes']);
      return {
        create,
        small: told(small),
        'attributes with it': small.ok ? 'none' : String(small.attributes),
        query: told(query),
        'query without attributes': told(bare),
      };
    },
    {
      create: 'EFI_SUCCESS',
      small: 'EFI_BUFFER_TOO_SMALL, 5 bytes needed',
      'attributes with it': '7',
      query: 'EFI_BUFFER_TOO_SMALL, 5 bytes needed',
      'query without attributes': 'EFI_BUFFER_TOO_SMALL, 5 bytes needed',
    },
  ),
  check(
    'a buffer that does',
    ({ services }) => ({
      create: told(set(services, 'Five', FIVE)),
      exact: toldContent(services.getVariable('Five', VENDOR, 5)),
      larger: toldContent(services.getVariable('Five', VENDOR, 4096)),
      'without attributes': toldContent(services.getVariable('Five', VENDOR, 5, ['attributes'])),
    }),
    {
      create: 'EFI_SUCCESS',
      exact: '7: 0102030405',
      larger: '7: 0102030405',
      'without attributes': 'no attributes: 0102030405',
    },
  ),
];
