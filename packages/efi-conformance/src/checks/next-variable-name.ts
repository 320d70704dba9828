import { char16Buffer, char16Size, decodeChar16Z, encodeChar16Z, guid } from '@systab/efi-core';
import type { EfiResult, EfiRuntimeOps, Guid, NextVariableName } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, yes } from '../check.ts';
import { BOOT_ONLY, OTHER_VENDOR, VENDOR } from '../system.ts';
import { bytes, remove, set } from './own-variable.ts';

const { check, answers } = checksOf('GetNextVariableName', 'UEFI 2.10, 8.2.2', [
  'GetNextVariableName',
  'SetVariable',
]);

const NO_VENDOR = guid('00000000-0000-0000-0000-000000000000');
const NAME_BUFFER = 2048;
/** No firmware of a test has as many variables. */
const MOST_NAMES = 500;

/** Asks for the name after `name`, with a buffer of `size` bytes. */
const next = (
  services: EfiRuntimeOps,
  name: string,
  vendorGuid: Guid,
  size: number = NAME_BUFFER,
): EfiResult<NextVariableName> =>
  services.getNextVariableName(size, char16Buffer(name, NAME_BUFFER) ?? null, vendorGuid);

/** One step of a walk. */
interface Step {
  readonly name: string;
  readonly vendorGuid: Guid;
  /** Whether the size told is that of the name with its terminator. */
  readonly isSizeRight: boolean;
}

/** Every name from the first on, and how the walk ended. */
const walk = (
  services: EfiRuntimeOps,
): { readonly steps: readonly Step[]; readonly end: string } => {
  const steps: Step[] = [];
  let at: Pick<Step, 'name' | 'vendorGuid'> = { name: '', vendorGuid: NO_VENDOR };
  while (steps.length < MOST_NAMES) {
    const found = next(services, at.name, at.vendorGuid);
    if (!found.ok) return { steps, end: told(found) };
    const { variableName, vendorGuid, variableNameSize } = found.value;
    const name = decodeChar16Z(variableName);
    if (!name.ok) return { steps, end: 'a name without end' };
    const { text, size } = name.value;
    at = { name: text, vendorGuid };
    steps.push({ name: text, vendorGuid, isSizeRight: variableNameSize === size });
  }
  return { steps, end: 'too many names' };
};

const times = (steps: readonly Step[], name: string, vendorGuid: Guid = VENDOR): string =>
  String(steps.filter((one) => one.name === name && one.vendorGuid === vendorGuid).length);

export const NEXT_VARIABLE_NAME: readonly Check[] = [
  answers(
    'NULL for VariableNameSize',
    ({ services }) => services.getNextVariableName(null, new Uint8Array(16), NO_VENDOR),
    'EFI_INVALID_PARAMETER',
  ),
  answers(
    'NULL for VariableName',
    ({ services }) => services.getNextVariableName(16, null, NO_VENDOR),
    'EFI_INVALID_PARAMETER',
  ),
  answers(
    'NULL for VendorGuid',
    ({ services }) => services.getNextVariableName(16, new Uint8Array(16), null),
    'EFI_INVALID_PARAMETER',
  ),
  answers(
    'a size of 0',
    ({ services }) => services.getNextVariableName(0, new Uint8Array(16), NO_VENDOR),
    'EFI_INVALID_PARAMETER',
  ),
  check(
    'a name without terminator in its size',
    ({ services }) => ({
      create: told(set(services, 'First', bytes(1))),
      name: told(services.getNextVariableName(10, encodeChar16Z('First'), VENDOR)),
      'half of a character more': told(
        services.getNextVariableName(11, encodeChar16Z('First'), VENDOR),
      ),
    }),
    {
      create: 'EFI_SUCCESS',
      name: 'EFI_INVALID_PARAMETER',
      'half of a character more': 'EFI_INVALID_PARAMETER',
    },
  ),
  check(
    'a name that is no variable',
    ({ services }) => ({
      create: told(set(services, 'First', bytes(1))),
      'other name': told(next(services, 'Second', VENDOR)),
      'other vendor': told(next(services, 'First', OTHER_VENDOR)),
      'without RUNTIME_ACCESS': told(next(services, BOOT_ONLY.name, BOOT_ONLY.vendorGuid)),
      remove: told(remove(services, 'First')),
      removed: told(next(services, 'First', VENDOR)),
    }),
    {
      create: 'EFI_SUCCESS',
      'other name': 'EFI_INVALID_PARAMETER',
      'other vendor': 'EFI_INVALID_PARAMETER',
      'without RUNTIME_ACCESS': 'EFI_INVALID_PARAMETER',
      remove: 'EFI_SUCCESS',
      removed: 'EFI_INVALID_PARAMETER',
    },
  ),
  check(
    'a buffer that is too small',
    ({ services }) => {
      const create = told(set(services, 'First', bytes(1)));
      const first = walk(services).steps[0]?.name ?? '';
      const needed = char16Size(first);
      const probe = next(services, '', NO_VENDOR, 2);
      const short = next(services, '', NO_VENDOR, needed - 2);
      return {
        create,
        'room for the terminator only': yes(!probe.ok && probe.needed === needed),
        status: told(probe).split(',')[0] ?? '',
        'a character too short': yes(!short.ok && short.needed === needed),
        exact: told(next(services, '', NO_VENDOR, needed)),
      };
    },
    {
      create: 'EFI_SUCCESS',
      'room for the terminator only': 'yes',
      status: 'EFI_BUFFER_TOO_SMALL',
      'a character too short': 'yes',
      exact: 'EFI_SUCCESS',
    },
  ),
  check(
    'every variable once',
    ({ services }) => {
      const created = ['First', 'Second', 'Gone', 'Replaced'].map((name) =>
        told(set(services, name, bytes(1, 2))),
      );
      const shared = told(set(services, 'First', bytes(3), undefined, OTHER_VENDOR));
      const remaining = [
        told(set(services, 'Replaced', bytes(1, 2, 3))),
        told(remove(services, 'Gone')),
      ];
      const { steps, end } = walk(services);
      return {
        create: [...new Set([...created, shared, ...remaining])].join(),
        First: times(steps, 'First'),
        'First of another vendor': times(steps, 'First', OTHER_VENDOR),
        Second: times(steps, 'Second'),
        Replaced: times(steps, 'Replaced'),
        Gone: times(steps, 'Gone'),
        'without RUNTIME_ACCESS': times(steps, BOOT_ONLY.name, BOOT_ONLY.vendorGuid),
        'all different': yes(
          new Set(steps.map(({ name, vendorGuid }) => `${vendorGuid}${name}`)).size ===
            steps.length,
        ),
        'sizes right': yes(steps.every(({ isSizeRight }) => isSizeRight)),
        end,
      };
    },
    {
      create: 'EFI_SUCCESS',
      First: '1',
      'First of another vendor': '1',
      Second: '1',
      Replaced: '1',
      Gone: '0',
      'without RUNTIME_ACCESS': '0',
      'all different': 'yes',
      'sizes right': 'yes',
      end: 'EFI_NOT_FOUND',
    },
  ),
  check(
    'only what can be read',
    ({ services }) => {
      const { steps, end } = walk(services);
      const unreadable = steps.filter(({ name, vendorGuid }) => {
        const read = services.getVariable(name, vendorGuid, 0, ['data']);
        return read.ok || told(read).split(',')[0] !== 'EFI_BUFFER_TOO_SMALL';
      });
      return { end, unreadable: unreadable.map(({ name }) => name).join() };
    },
    { end: 'EFI_NOT_FOUND', unreadable: '' },
    { needs: ['GetVariable'] },
  ),
];
