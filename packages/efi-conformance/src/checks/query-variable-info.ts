import { VariableAttribute } from '@systab/efi-core';
import type { EfiResult, VariableInfo } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, yes } from '../check.ts';
import { LASTING, remove, set } from './own-variable.ts';

const { check, answers } = checksOf('QueryVariableInfo', 'UEFI 2.10, 8.2.4', ['QueryVariableInfo']);

const {
  NON_VOLATILE,
  BOOTSERVICE_ACCESS,
  RUNTIME_ACCESS,
  HARDWARE_ERROR_RECORD,
  AUTHENTICATED_WRITE_ACCESS,
  TIME_BASED_AUTHENTICATED_WRITE_ACCESS,
} = VariableAttribute;

const NOTHING: VariableInfo = {
  maximumVariableStorageSize: 0n,
  remainingVariableStorageSize: 0n,
  maximumVariableSize: 0n,
};

const valueOf = (result: EfiResult<VariableInfo>): VariableInfo =>
  result.ok ? result.value : NOTHING;

/** Whether the three sizes of an answer can all be true. */
const areSound = (result: EfiResult<VariableInfo>): string => {
  const { maximumVariableStorageSize, remainingVariableStorageSize, maximumVariableSize } =
    valueOf(result);
  return yes(
    maximumVariableStorageSize > 0n &&
      remainingVariableStorageSize <= maximumVariableStorageSize &&
      maximumVariableSize > 0n &&
      maximumVariableSize <= remainingVariableStorageSize,
  );
};

const refuses = (what: string, attributes: number, expected: string | readonly string[]): Check =>
  answers(what, ({ services }) => services.queryVariableInfo(attributes), expected);

const DATA = new Uint8Array(100);
/** 'Counted' with its terminator, and the data. */
const COUNTED = 16n + BigInt(DATA.length);

export const QUERY_VARIABLE_INFO: readonly Check[] = [
  ...(
    ['maximumVariableStorageSize', 'remainingVariableStorageSize', 'maximumVariableSize'] as const
  ).map((output) =>
    answers(
      `NULL for ${output}`,
      ({ services }) => services.queryVariableInfo(LASTING, [output]),
      'EFI_INVALID_PARAMETER',
    ),
  ),
  refuses('no attributes', 0, 'EFI_INVALID_PARAMETER'),
  refuses('NON_VOLATILE alone', NON_VOLATILE, 'EFI_INVALID_PARAMETER'),
  refuses(
    'RUNTIME_ACCESS without BOOTSERVICE_ACCESS',
    NON_VOLATILE | RUNTIME_ACCESS,
    'EFI_INVALID_PARAMETER',
  ),
  refuses(
    'without RUNTIME_ACCESS, after ExitBootServices',
    NON_VOLATILE | BOOTSERVICE_ACCESS,
    'EFI_INVALID_PARAMETER',
  ),
  refuses('no attribute that there is', 0x100, 'EFI_UNSUPPORTED'),
  refuses(
    'AUTHENTICATED_WRITE_ACCESS, which is deprecated',
    LASTING | AUTHENTICATED_WRITE_ACCESS,
    'EFI_UNSUPPORTED',
  ),
  refuses(
    'HARDWARE_ERROR_RECORD that is volatile',
    BOOTSERVICE_ACCESS | RUNTIME_ACCESS | HARDWARE_ERROR_RECORD,
    'EFI_INVALID_PARAMETER',
  ),
  refuses('HARDWARE_ERROR_RECORD', LASTING | HARDWARE_ERROR_RECORD, [
    'EFI_UNSUPPORTED',
    'EFI_SUCCESS',
  ]),
  check(
    'sizes that can all be true',
    ({ services }) => ({
      lasting: areSound(services.queryVariableInfo(LASTING)),
      volatile: areSound(services.queryVariableInfo(BOOTSERVICE_ACCESS | RUNTIME_ACCESS)),
      authenticated: areSound(
        services.queryVariableInfo(LASTING | TIME_BASED_AUTHENTICATED_WRITE_ACCESS),
      ),
    }),
    { lasting: 'yes', volatile: 'yes', authenticated: 'yes' },
  ),
  check(
    'sizes that follow what is stored',
    ({ services }) => {
      const before = valueOf(services.queryVariableInfo(LASTING));
      const create = told(set(services, 'Counted', DATA));
      const between = valueOf(services.queryVariableInfo(LASTING));
      const drop = told(remove(services, 'Counted'));
      const after = valueOf(services.queryVariableInfo(LASTING));
      const used = before.remainingVariableStorageSize - between.remainingVariableStorageSize;
      return {
        create,
        'the variable is counted': yes(used >= COUNTED && used < COUNTED + 128n),
        'the total stays': yes(
          before.maximumVariableStorageSize === between.maximumVariableStorageSize,
        ),
        drop,
        'space comes back': yes(
          after.remainingVariableStorageSize === before.remainingVariableStorageSize,
        ),
      };
    },
    {
      create: 'EFI_SUCCESS',
      'the variable is counted': 'yes',
      'the total stays': 'yes',
      drop: 'EFI_SUCCESS',
      'space comes back': 'yes',
    },
    { needs: ['SetVariable'] },
  ),
];
