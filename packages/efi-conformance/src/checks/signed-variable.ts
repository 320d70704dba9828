import {
  EFI_VARIABLE_AUTHENTICATION_2,
  guid,
  VariableAttribute,
  viewOf,
  WellKnownGuid,
} from '@systab/efi-core';
import type { EfiResult, Guid } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told } from '../check.ts';
import type { Running } from '../running.ts';
import { get, LASTING } from './own-variable.ts';

const { check } = checksOf('signed variables', 'UEFI 2.10, 8.2.6 and 32.3', [
  'GetVariable',
  'SetVariable',
  'signed updates',
]);

/** The updates in the order of `System.signedUpdates`, named after what each writes and who has signed it. */
const UPDATES = [
  'KEK by a stranger',
  'PK by itself',
  'db by KEK',
  'db by a stranger',
  'more db by KEK',
  'db by a chain',
  'db by a chain with a gap',
  'db that is no list',
  'KEK by KEK',
  'KEK by PK',
  'no PK by KEK',
  'no PK by PK',
  'own',
  'own by a stranger',
  'more own',
  'no own',
  'no own by a stranger',
  'no KEK',
  'no db',
] as const;
type Update = (typeof UPDATES)[number];

const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;
const SECURITY = WellKnownGuid.EFI_IMAGE_SECURITY_DATABASE_GUID;
/** The vendor that the private variable was signed for. */
const SIGNED_VENDOR = guid('db2d43a1-7f4b-4c0e-9a01-020304050607');

const AUTHENTICATED = LASTING | VariableAttribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS;
const APPENDING = AUTHENTICATED | VariableAttribute.APPEND_WRITE;

/** An update as it was signed: its SignedData has a ContentInfo around it. */
const wrapped = ({ system }: Running, update: Update): Uint8Array => {
  const all = system.signedUpdates ?? new Uint8Array();
  let at = 0;
  for (const one of UPDATES) {
    const size = viewOf(all).getUint32(at, true);
    // A copy, whatever kind of Uint8Array it is: some share their bytes with what `slice` gives.
    if (one === update) return Uint8Array.from(all.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  throw new Error(`no update ${update}`);
};

const AUTH_INFO = EFI_VARIABLE_AUTHENTICATION_2.offsetOf('authInfo');
const CERT_DATA = EFI_VARIABLE_AUTHENTICATION_2.size();
/** ContentInfo with lengths of two bytes: a SEQUENCE, the OID of signedData, and [0] around it. */
const CONTENT_INFO_SIZE = 4 + 11 + 4;

/** An update with nothing around the SignedData, the form that every firmware takes: what is signed is the same. */
const dataOf = (running: Running, update: Update): Uint8Array => {
  const data = wrapped(running, update);
  const bare = Uint8Array.from([
    ...data.subarray(0, CERT_DATA),
    ...data.subarray(CERT_DATA + CONTENT_INFO_SIZE),
  ]);
  const length = viewOf(data).getUint32(AUTH_INFO, true);
  viewOf(bare).setUint32(AUTH_INFO, length - CONTENT_INFO_SIZE, true);
  return bare;
};

/** The variable an update was signed for. */
const labelOf = (update: Update): readonly [name: string, vendorGuid: Guid] => {
  if (update.includes('own')) return ['Private', SIGNED_VENDOR];
  const [, name = ''] = /(?:no |more )?(PK|KEK|db)/.exec(update) ?? [];
  return [name, name === 'db' ? SECURITY : GLOBAL];
};

const write = (
  running: Running,
  update: Update,
  data: Uint8Array = dataOf(running, update),
  [name, vendorGuid]: readonly [string, Guid] = labelOf(update),
): EfiResult<void> => {
  const attributes = update.startsWith('more') ? APPENDING : AUTHENTICATED;
  return running.services.setVariable(name, vendorGuid, attributes, data.length, data);
};

/** Statuses of updates sent one after the other. */
const send = (running: Running, updates: readonly Update[]): string =>
  updates.map((update) => told(write(running, update))).join(' ');

/** An update with one bit changed, so many bytes before its end. */
const broken = (running: Running, update: Update, fromEnd: number): Uint8Array => {
  const data = dataOf(running, update);
  const at = data.length - fromEnd;
  data[at] = (data[at] ?? 0) ^ 1;
  return data;
};

const mode = (running: Running): string => {
  const found = get(running.services, 'SetupMode', GLOBAL);
  return found.ok ? (found.value.data[0] === 1 ? 'setup' : 'user') : told(found);
};

/** Size of what an update's variable holds. */
const size = ({ services }: Running, update: Update): string => {
  const found = get(services, ...labelOf(update));
  return found.ok
    ? `${String(found.value.attributes)}: ${String(found.value.data.length)}`
    : told(found);
};

const SUCCESS = 'EFI_SUCCESS';
const VIOLATION = 'EFI_SECURITY_VIOLATION';
/** A list of hashes: its header, and owner and SHA-256 of each. */
const hashes = (count: number): number => 28 + 48 * count;
/** Into the signature: behind it come two hashes. */
const IN_SIGNATURE = hashes(2) + 9;

export const SIGNED_VARIABLE: readonly Check[] = [
  check(
    'keys, from setup mode to user mode and back',
    (running) => {
      const atFirst = mode(running);
      const enrolled = send(running, ['KEK by a stranger', 'PK by itself']);
      const enrolledMode = mode(running);
      const refused = send(running, ['KEK by KEK', 'no PK by KEK']);
      const replaced = send(running, ['KEK by PK']);
      const plainly = told(running.services.setVariable('PK', GLOBAL, 0, 0, null));
      const stillMode = mode(running);
      const deleted = send(running, ['no PK by PK']);
      const lastMode = mode(running);
      return {
        'at first': atFirst,
        enrolled,
        'with PK': enrolledMode,
        'not signed by PK': refused,
        'signed by PK': replaced,
        'PK deleted without signature': plainly,
        still: stillMode,
        'PK deleted': deleted,
        'without PK': lastMode,
        'KEK deleted in setup mode': send(running, ['no KEK']),
        'no KEK left': size(running, 'no KEK'),
      };
    },
    {
      'at first': 'setup',
      enrolled: `${SUCCESS} ${SUCCESS}`,
      'with PK': 'user',
      'not signed by PK': `${VIOLATION} ${VIOLATION}`,
      'signed by PK': SUCCESS,
      'PK deleted without signature': ['EFI_INVALID_PARAMETER', VIOLATION, 'EFI_WRITE_PROTECTED'],
      still: 'user',
      'PK deleted': SUCCESS,
      'without PK': 'setup',
      'KEK deleted in setup mode': SUCCESS,
      'no KEK left': 'EFI_NOT_FOUND',
    },
  ),
  check(
    'a database, signed by KEK',
    (running) => {
      const enrolled = send(running, ['KEK by a stranger', 'PK by itself']);
      const changed = told(write(running, 'db by KEK', broken(running, 'db by KEK', 1)));
      const signature = told(
        write(running, 'db by KEK', broken(running, 'db by KEK', IN_SIGNATURE)),
      );
      const elsewhere = told(
        write(running, 'db by KEK', dataOf(running, 'db by KEK'), ['dbx', SECURITY]),
      );
      const nothing = size(running, 'db by KEK');
      const good = send(running, ['db by KEK']);
      const held = size(running, 'db by KEK');
      const replay = send(running, ['db by KEK']);
      const stranger = send(running, ['db by a stranger']);
      const appended = send(running, ['more db by KEK']);
      const grown = size(running, 'db by KEK');
      const again = send(running, ['more db by KEK']);
      return {
        enrolled,
        'changed on the way': changed,
        'with a broken signature': signature,
        'sent to dbx': elsewhere,
        'nothing was stored': nothing,
        good,
        'holds the payload alone': held,
        'sent again': replay,
        'by a stranger': stranger,
        appended,
        'grew by what was new': grown,
        'appended again': again,
        'did not grow': size(running, 'db by KEK'),
        'by a chain': send(running, ['db by a chain']),
        'replaced by one hash': size(running, 'db by KEK'),
        'by a chain with a gap': send(running, ['db by a chain with a gap']),
        'that is no list': send(running, ['db that is no list']),
        'kept all the same': size(running, 'db by KEK'),
      };
    },
    {
      enrolled: `${SUCCESS} ${SUCCESS}`,
      'changed on the way': VIOLATION,
      'with a broken signature': VIOLATION,
      'sent to dbx': VIOLATION,
      'nothing was stored': 'EFI_NOT_FOUND',
      good: SUCCESS,
      'holds the payload alone': `39: ${String(hashes(2))}`,
      'sent again': VIOLATION,
      'by a stranger': VIOLATION,
      appended: SUCCESS,
      'grew by what was new': `39: ${String(hashes(2) + hashes(1))}`,
      'appended again': SUCCESS,
      'did not grow': `39: ${String(hashes(2) + hashes(1))}`,
      'by a chain': SUCCESS,
      'replaced by one hash': `39: ${String(hashes(1))}`,
      'by a chain with a gap': VIOLATION,
      'that is no list': 'EFI_INVALID_PARAMETER',
      'kept all the same': `39: ${String(hashes(1))}`,
    },
  ),
  check(
    'SignedData with a ContentInfo around it',
    (running) => ({
      KEK: told(write(running, 'KEK by a stranger', wrapped(running, 'KEK by a stranger'))),
      PK: told(write(running, 'PK by itself', wrapped(running, 'PK by itself'))),
      mode: mode(running),
      db: told(write(running, 'db by KEK', wrapped(running, 'db by KEK'))),
      own: told(write(running, 'own', wrapped(running, 'own'))),
    }),
    { KEK: SUCCESS, PK: SUCCESS, mode: 'user', db: SUCCESS, own: SUCCESS },
  ),
  check(
    'a private variable belongs to who made it',
    (running) => {
      const { services } = running;
      const made = send(running, ['own']);
      const stranger = send(running, ['own by a stranger']);
      const plain = told(
        services.setVariable('Private', SIGNED_VENDOR, LASTING, 1, Uint8Array.of(1)),
      );
      const appended = send(running, ['more own']);
      const found = get(services, 'Private', SIGNED_VENDOR);
      return {
        made,
        'by a stranger': stranger,
        'without authentication': plain,
        appended,
        holds: found.ok ? new TextDecoder().decode(found.value.data) : told(found),
        'an old update': send(running, ['own']),
        deleted: send(running, ['no own']),
        gone: size(running, 'own'),
        'by a stranger now': send(running, ['own by a stranger']),
        'by its first owner': send(running, ['no own']),
        'deleted by the stranger': send(running, ['no own by a stranger']),
      };
    },
    {
      made: SUCCESS,
      'by a stranger': VIOLATION,
      'without authentication': ['EFI_INVALID_PARAMETER', 'EFI_WRITE_PROTECTED'],
      appended: SUCCESS,
      holds: 'mine alone',
      'an old update': VIOLATION,
      deleted: SUCCESS,
      gone: 'EFI_NOT_FOUND',
      'by a stranger now': SUCCESS,
      'by its first owner': VIOLATION,
      'deleted by the stranger': SUCCESS,
    },
  ),
];
