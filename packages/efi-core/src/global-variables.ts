import type { Guid } from './guid.ts';
import { VariableAttribute } from './variable.ts';
import type { VariableAttributes } from './variable.ts';
import { WellKnownGuid } from './well-known-guids.ts';

/** How the data of a variable the specification defines is built. */
export type GlobalVariableShape =
  | 'UINT8'
  | 'UINT16'
  | 'UINT16[]'
  | 'UINT32'
  | 'UINT64'
  | 'EFI_GUID[]'
  | 'EFI_KEY_OPTION'
  | 'EFI_LOAD_OPTION'
  | 'EFI_SIGNATURE_LIST[]'
  | 'device path'
  | 'language'
  | 'CHAR16'
  | 'bytes';

/** One row of UEFI 2.10, section 3.3 (and of section 32.4 for the signature databases). */
export interface GlobalVariable {
  /** `####` stands for four upper-case hex digits. */
  readonly pattern: string;
  readonly vendorGuid: Guid;
  /** Attributes the specification gives it. */
  readonly attributes: VariableAttributes;
  readonly shape: GlobalVariableShape;
  /** Whether only the firmware writes it. */
  readonly readOnly: boolean;
}

const { NON_VOLATILE: NV, BOOTSERVICE_ACCESS: BS, RUNTIME_ACCESS: RT } = VariableAttribute;
const AT = VariableAttribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS;

const rows = (
  attributes: VariableAttributes,
  shape: GlobalVariableShape,
  patterns: string,
  readOnly = false,
  vendorGuid: Guid = WellKnownGuid.EFI_GLOBAL_VARIABLE,
): readonly GlobalVariable[] =>
  patterns
    .split(' ')
    .map((pattern) => Object.freeze({ pattern, vendorGuid, attributes, shape, readOnly }));

/** Variables of UEFI 2.10, section 3.3 and section 32.4, that tools meet. */
export const GLOBAL_VARIABLES: readonly GlobalVariable[] = Object.freeze([
  ...rows(NV | BS | RT, 'EFI_LOAD_OPTION', 'Boot#### Driver#### SysPrep####'),
  ...rows(BS | RT, 'EFI_LOAD_OPTION', 'OsRecovery####'),
  ...rows(BS | RT, 'EFI_LOAD_OPTION', 'PlatformRecovery####', true),
  ...rows(NV | BS | RT, 'EFI_KEY_OPTION', 'Key####'),
  ...rows(NV | BS | RT, 'UINT16[]', 'BootOrder DriverOrder SysPrepOrder'),
  ...rows(NV | BS | RT, 'UINT16', 'BootNext Timeout'),
  ...rows(BS | RT, 'UINT16', 'BootCurrent', true),
  ...rows(BS | RT, 'UINT32', 'BootOptionSupport', true),
  ...rows(NV | BS | RT, 'device path', 'ConIn ConOut ErrOut'),
  ...rows(BS | RT, 'device path', 'ConInDev ConOutDev ErrOutDev', true),
  ...rows(NV | BS | RT, 'language', 'Lang PlatformLang'),
  ...rows(BS | RT, 'language', 'LangCodes PlatformLangCodes', true),
  ...rows(NV | BS | RT, 'UINT16', 'HwErrRecSupport'),
  ...rows(NV | BS | RT, 'UINT64', 'OsIndications'),
  ...rows(BS | RT, 'UINT64', 'OsIndicationsSupported', true),
  ...rows(BS | RT, 'EFI_GUID[]', 'SignatureSupport', true),
  ...rows(BS | RT, 'UINT8', 'SecureBoot SetupMode VendorKeys', true),
  ...rows(BS | RT, 'UINT8', 'AuditMode DeployedMode'),
  ...rows(NV | BS | RT | AT, 'EFI_SIGNATURE_LIST[]', 'PK KEK'),
  ...rows(
    BS | RT,
    'EFI_SIGNATURE_LIST[]',
    'PKDefault KEKDefault dbDefault dbxDefault dbtDefault dbrDefault',
    true,
  ),
  ...rows(
    NV | BS | RT | AT,
    'EFI_SIGNATURE_LIST[]',
    'db dbx dbt dbr',
    false,
    WellKnownGuid.EFI_IMAGE_SECURITY_DATABASE_GUID,
  ),
  ...rows(NV | BS | RT, 'bytes', 'HwErrRec####', false, WellKnownGuid.EFI_HARDWARE_ERROR_VARIABLE),
  // UEFI 2.10, table 8.9: without a terminator.
  ...rows(BS | RT, 'CHAR16', 'CapsuleMax', true, WellKnownGuid.EFI_CAPSULE_REPORT_GUID),
  ...rows(NV | BS | RT, 'CHAR16', 'CapsuleLast', true, WellKnownGuid.EFI_CAPSULE_REPORT_GUID),
  ...rows(NV | BS | RT, 'bytes', 'Capsule####', false, WellKnownGuid.EFI_CAPSULE_REPORT_GUID),
]);

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith('####')
    ? name.length === pattern.length &&
      name.startsWith(pattern.slice(0, -4)) &&
      /^[0-9A-F]{4}$/.test(name.slice(-4))
    : name === pattern;

/** The specification's row for a variable; undefined for one that belongs to somebody else. */
export const findGlobalVariable = (name: string, vendorGuid: Guid): GlobalVariable | undefined =>
  GLOBAL_VARIABLES.find((row) => row.vendorGuid === vendorGuid && matches(row.pattern, name));

/** `Boot0003` from `Boot` and 3. Throws `RangeError` outside 16 bits. */
export const numberedName = (prefix: string, number: number): string => {
  if (!Number.isInteger(number) || number < 0 || number > 0xffff) {
    throw new RangeError(`${String(number)} does not fit ${prefix}####`);
  }
  return `${prefix}${number.toString(16).toUpperCase().padStart(4, '0')}`;
};

/** 3 from `Boot0003` and `Boot`; undefined when the name is not of that family. */
export const nameNumber = (prefix: string, name: string): number | undefined =>
  matches(`${prefix}####`, name) ? Number.parseInt(name.slice(-4), 16) : undefined;
