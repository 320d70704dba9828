import { EfiStatus, VariableAttribute } from '@systab/efi-core';
import type { EfiRuntimeOps } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, toldContent, yes } from '../check.ts';
import { VENDOR } from '../system.ts';
import { bytes, get, LASTING, remove, set } from './own-variable.ts';

const { check } = checksOf('variable storage', 'UEFI 2.10, 8.2.3', [
  'GetVariable',
  'SetVariable',
  'QueryVariableInfo',
]);

/** Largest sum of name and data the firmware says it takes. */
const largest = (services: EfiRuntimeOps): number => {
  const info = services.queryVariableInfo(LASTING);
  return info.ok ? Number(info.value.maximumVariableSize) : 0;
};

/** 'Big' with its terminator. */
const NAME_SIZE = 8;
/** What a refusal of a size is called: the specification has a status for each cause, but does not draw the line. */
const TOO_LARGE = ['EFI_INVALID_PARAMETER', 'EFI_OUT_OF_RESOURCES'];

const FILLING = 0x1000;
const MOST_FILLED = 400;
const filled = (index: number): string => `Fill${String(index)}`;

/** Writes variables until one is refused: how many were written, and the refusal. */
const fill = (services: EfiRuntimeOps): { readonly count: number; readonly end: string } => {
  // What the large ones leave is taken by small ones.
  let count = 0;
  let end = 'never full';
  for (const size of [FILLING, 64, 1]) {
    for (; count < MOST_FILLED; count += 1) {
      const data = new Uint8Array(size).fill(count);
      const written = set(services, filled(count), data);
      if (!written.ok) {
        end = told(written);
        break;
      }
    }
  }
  return { count, end };
};

/** The filling variables that do not read as written. */
const damaged = (services: EfiRuntimeOps, count: number): string =>
  Array.from({ length: count }, (_, index) => index)
    .filter((index) => {
      const found = get(services, filled(index));
      return !found.ok || found.value.data.some((byte) => byte !== (index & 0xff));
    })
    .join();

/** Deletes the filling variables; the statuses, each once. */
const empty = (services: EfiRuntimeOps, count: number): string => {
  const statuses = Array.from({ length: count }, (_, index) =>
    told(remove(services, filled(index))),
  );
  return [...new Set(statuses)].join();
};

export const VARIABLE_STORAGE: readonly Check[] = [
  check(
    'the largest variable fits, a byte more does not',
    ({ services }) => {
      const size = largest(services) - NAME_SIZE;
      const fits = new Uint8Array(size).fill(0x5a);
      const write = told(set(services, 'Big', fits));
      const read = services.getVariable('Big', VENDOR, size);
      return {
        write,
        read: yes(read.ok && read.value.data.every((byte) => byte === 0x5a)),
        append: told(set(services, 'Big', bytes(1), LASTING | VariableAttribute.APPEND_WRITE)),
        remove: told(remove(services, 'Big')),
        'a byte more': told(set(services, 'Big', new Uint8Array(size + 1))),
        'a name longer': told(set(services, 'Bigger', fits)),
        'read again': told(get(services, 'Big')),
      };
    },
    {
      write: 'EFI_SUCCESS',
      read: 'yes',
      append: TOO_LARGE,
      remove: 'EFI_SUCCESS',
      'a byte more': TOO_LARGE,
      'a name longer': TOO_LARGE,
      'read again': 'EFI_NOT_FOUND',
    },
  ),
  check(
    'a full store keeps what it has and takes variables again after a delete',
    ({ services }) => {
      const { count, end } = fill(services);
      const refused = told(set(services, filled(0), new Uint8Array(FILLING + 1)));
      const intact = damaged(services, count);
      const deleted = empty(services, count);
      return {
        end,
        'a replacement that does not fit': refused,
        'damaged variables': intact,
        deleted,
        'written again': told(set(services, 'After', new Uint8Array(FILLING))),
      };
    },
    {
      end: 'EFI_OUT_OF_RESOURCES',
      'a replacement that does not fit': 'EFI_OUT_OF_RESOURCES',
      'damaged variables': '',
      deleted: 'EFI_SUCCESS',
      'written again': 'EFI_SUCCESS',
    },
    { commandLines: [''] },
  ),
  check(
    'a full store is writable again after a delete and a reset',
    (before) => {
      const { count, end } = fill(before.services);
      const deleted = empty(before.services, count - 1);
      const reset = before.services.resetSystem(0, EfiStatus.SUCCESS, 0, null);
      const { services } = before.reboot();
      const last = filled(count - 1);
      return {
        end,
        deleted,
        reset: reset.ok ? reset.value : told(reset),
        'what was not deleted': yes(get(services, last).ok),
        'what was': told(get(services, filled(0))),
        write: told(set(services, 'After', new Uint8Array(FILLING).fill(1))),
        delete: told(remove(services, last)),
        'read back': toldContent(services.getVariable('After', VENDOR, 0)),
      };
    },
    {
      end: 'EFI_OUT_OF_RESOURCES',
      deleted: 'EFI_SUCCESS',
      reset: 'restarted',
      'what was not deleted': 'yes',
      'what was': 'EFI_NOT_FOUND',
      write: 'EFI_SUCCESS',
      delete: 'EFI_SUCCESS',
      'read back': `EFI_BUFFER_TOO_SMALL, ${String(FILLING)} bytes needed`,
    },
    { needs: ['reboot', 'ResetSystem'], commandLines: [''] },
  ),
];
