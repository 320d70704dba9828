import {
  bytesToHex,
  EFI_TIME_ZERO,
  EFI_VARIABLE_AUTHENTICATION_2,
  VariableAttribute,
  WellKnownGuid,
  WIN_CERT_REVISION_2_0,
  WIN_CERT_TYPE_EFI_GUID,
} from '@systab/efi-core';
import type { EfiVariableAuthentication2, Guid } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told, toldContent } from '../check.ts';
import { VENDOR } from '../system.ts';
import { bytes, get, LASTING, set } from './own-variable.ts';

const { check } = checksOf('authenticated variables', 'UEFI 2.10, 8.2.6', [
  'GetVariable',
  'SetVariable',
]);

const AUTHENTICATED = LASTING | VariableAttribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS;
const GLOBAL = WellKnownGuid.EFI_GLOBAL_VARIABLE;
const SECURITY = WellKnownGuid.EFI_IMAGE_SECURITY_DATABASE_GUID;
const { EFI_CERT_TYPE_PKCS7_GUID, EFI_CERT_X509_GUID } = WellKnownGuid;

const CERTIFICATE = bytes(0x30, 3, 2, 1, 0);
const PAYLOAD = bytes(1, 2, 3, 4);
const GUID_CERTIFICATE =
  EFI_VARIABLE_AUTHENTICATION_2.size() - EFI_VARIABLE_AUTHENTICATION_2.offsetOf('authInfo');

const STAMP = { ...EFI_TIME_ZERO, year: 2024, month: 2, day: 29, hour: 12 };
const AUTH_INFO = {
  length: GUID_CERTIFICATE + CERTIFICATE.length,
  revision: WIN_CERT_REVISION_2_0,
  certificateType: WIN_CERT_TYPE_EFI_GUID,
  certType: EFI_CERT_TYPE_PKCS7_GUID,
};

/** Data of an authenticated write whose certificate nobody has signed anything with. */
const unsigned = (
  stamp: Partial<EfiVariableAuthentication2['timeStamp']> = {},
  info: Partial<EfiVariableAuthentication2['authInfo']> = {},
): Uint8Array =>
  Uint8Array.from([
    ...EFI_VARIABLE_AUTHENTICATION_2.encode({
      timeStamp: { ...STAMP, ...stamp },
      authInfo: { ...AUTH_INFO, ...info },
    }),
    ...CERTIFICATE,
    ...PAYLOAD,
  ]);

/** Data that must not make a variable. */
const refuses = (what: string, data: Uint8Array): Check =>
  check(
    what,
    ({ services }) => ({
      write: told(set(services, 'Signed', data, AUTHENTICATED)),
      append: told(set(services, 'Signed', data, AUTHENTICATED | VariableAttribute.APPEND_WRITE)),
      read: told(get(services, 'Signed')),
    }),
    {
      write: 'EFI_SECURITY_VIOLATION',
      append: 'EFI_SECURITY_VIOLATION',
      read: 'EFI_NOT_FOUND',
    },
  );

const HEADER = EFI_VARIABLE_AUTHENTICATION_2.size();

/** A key or database that is not written without authentication (32.3). */
const guards = (name: string, vendorGuid: Guid): Check =>
  check(
    `${name} without authentication`,
    ({ services }) => ({
      plain: told(set(services, name, PAYLOAD, LASTING, vendorGuid)),
      'half a descriptor': told(
        set(services, name, unsigned().subarray(0, 20), AUTHENTICATED, vendorGuid),
      ),
      read: told(get(services, name, vendorGuid)),
    }),
    {
      plain: 'EFI_INVALID_PARAMETER',
      'half a descriptor': 'EFI_SECURITY_VIOLATION',
      read: 'EFI_NOT_FOUND',
    },
  );

export const AUTHENTICATED_VARIABLE: readonly Check[] = [
  refuses('no descriptor at all', PAYLOAD),
  refuses('a descriptor one byte short', unsigned().subarray(0, HEADER - 1)),
  refuses('a descriptor without certificate', unsigned({}, { length: GUID_CERTIFICATE })),
  refuses('a certificate length below that of its header', unsigned({}, { length: 23 })),
  refuses('a certificate longer than the data', unsigned({}, { length: 0xffff })),
  refuses('the largest certificate length there is', unsigned({}, { length: 0xffff_ffff })),
  refuses('another revision of WIN_CERTIFICATE', unsigned({}, { revision: 0x0100 })),
  refuses('another type of WIN_CERTIFICATE', unsigned({}, { certificateType: 2 })),
  refuses('a certificate that is no PKCS #7', unsigned({}, { certType: EFI_CERT_X509_GUID })),
  refuses('a time stamp with nanoseconds', unsigned({ nanosecond: 1 })),
  refuses('a time stamp with a zone', unsigned({ timeZone: 60 })),
  refuses('a time stamp with daylight saving', unsigned({ daylight: 1 })),
  refuses('a time stamp with padding', unsigned({ pad1: 1 })),
  refuses('nothing signed', unsigned()),
  check(
    'no data at all',
    ({ services }) => ({
      write: told(services.setVariable('Signed', VENDOR, AUTHENTICATED, 0, null)),
      read: told(get(services, 'Signed')),
    }),
    { write: ['EFI_SECURITY_VIOLATION', 'EFI_NOT_FOUND'], read: 'EFI_NOT_FOUND' },
  ),
  check(
    'a variable that was made without authentication',
    ({ services }) => ({
      create: told(set(services, 'Plain', PAYLOAD)),
      write: told(set(services, 'Plain', unsigned(), AUTHENTICATED)),
      read: toldContent(get(services, 'Plain')),
    }),
    {
      create: 'EFI_SUCCESS',
      write: ['EFI_INVALID_PARAMETER', 'EFI_SECURITY_VIOLATION'],
      read: `7: ${bytesToHex(PAYLOAD)}`,
    },
  ),
  guards('PK', GLOBAL),
  guards('KEK', GLOBAL),
  guards('db', SECURITY),
  guards('dbx', SECURITY),
  check(
    'setup mode, without keys',
    ({ services }) => ({
      SetupMode: toldContent(get(services, 'SetupMode', GLOBAL)),
      SecureBoot: toldContent(get(services, 'SecureBoot', GLOBAL)),
      'write of SetupMode': told(set(services, 'SetupMode', bytes(0), 6, GLOBAL)),
    }),
    { SetupMode: '6: 01', SecureBoot: '6: 00', 'write of SetupMode': 'EFI_WRITE_PROTECTED' },
  ),
];
