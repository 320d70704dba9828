import type { EfiTime } from './time.ts';
import { char16Size } from './char16.ts';
import { WellKnownGuid } from './well-known-guids.ts';
import type { Guid } from './guid.ts';

/** Attribute word of a variable: an open set of 32 bits (UEFI 2.10, section 8.2). */
export type VariableAttributes = number;

/** Attribute bits of a variable. */
export const VariableAttribute: {
  readonly NON_VOLATILE: 0x01;
  readonly BOOTSERVICE_ACCESS: 0x02;
  readonly RUNTIME_ACCESS: 0x04;
  readonly HARDWARE_ERROR_RECORD: 0x08;
  /** Counter based authentication, deprecated. */
  readonly AUTHENTICATED_WRITE_ACCESS: 0x10;
  readonly TIME_BASED_AUTHENTICATED_WRITE_ACCESS: 0x20;
  /** A request of SetVariable, never stored or returned. */
  readonly APPEND_WRITE: 0x40;
  readonly ENHANCED_AUTHENTICATED_ACCESS: 0x80;
} = Object.freeze({
  NON_VOLATILE: 0x01,
  BOOTSERVICE_ACCESS: 0x02,
  RUNTIME_ACCESS: 0x04,
  HARDWARE_ERROR_RECORD: 0x08,
  AUTHENTICATED_WRITE_ACCESS: 0x10,
  TIME_BASED_AUTHENTICATED_WRITE_ACCESS: 0x20,
  APPEND_WRITE: 0x40,
  ENHANCED_AUTHENTICATED_ACCESS: 0x80,
});

/** Name of an attribute bit, without the `EFI_VARIABLE_` prefix. */
export type VariableAttributeName = keyof typeof VariableAttribute;

const ALL_ATTRIBUTES = 0xff;

/** Names of the bits set, lowest first; bits without a name follow as one hex number. */
export const variableAttributeNames = (attributes: VariableAttributes): readonly string[] => {
  const names: string[] = Object.entries(VariableAttribute)
    .filter(([, bit]) => (attributes & bit) !== 0)
    .map(([name]) => name);
  const unknown = (attributes & ~ALL_ATTRIBUTES) >>> 0;
  return unknown === 0 ? names : [...names, `0x${unknown.toString(16)}`];
};

/** Why SetVariable must refuse an attribute word whatever the variable is. */
export type VariableAttributeFault =
  /** Bits the specification does not define are set. */
  | 'reserved bits'
  /** RUNTIME_ACCESS needs BOOTSERVICE_ACCESS. */
  | 'runtime without boot'
  /** NON_VOLATILE by itself gives nobody access. */
  | 'no access'
  /** HARDWARE_ERROR_RECORD needs NON_VOLATILE, BOOTSERVICE_ACCESS and RUNTIME_ACCESS. */
  | 'hardware error record'
  /** More than one kind of authentication. */
  | 'two authentications';

const AUTHENTICATIONS: readonly number[] = [
  VariableAttribute.AUTHENTICATED_WRITE_ACCESS,
  VariableAttribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS,
  VariableAttribute.ENHANCED_AUTHENTICATED_ACCESS,
];

/**
 * Every rule of UEFI 2.10, section 8.2 an attribute word breaks; none for a legal word. 0, with or without
 * APPEND_WRITE, is legal: it asks to delete.
 */
export const variableAttributeFaults = (
  attributes: VariableAttributes,
): readonly VariableAttributeFault[] => {
  const has = (bit: number): boolean => (attributes & bit) !== 0;
  const access = VariableAttribute.BOOTSERVICE_ACCESS | VariableAttribute.RUNTIME_ACCESS;
  const all = access | VariableAttribute.NON_VOLATILE;
  const faults: VariableAttributeFault[] = [];
  if ((attributes & ~ALL_ATTRIBUTES) >>> 0 !== 0) faults.push('reserved bits');
  if (has(VariableAttribute.RUNTIME_ACCESS) && !has(VariableAttribute.BOOTSERVICE_ACCESS)) {
    faults.push('runtime without boot');
  }
  if (has(VariableAttribute.NON_VOLATILE) && !has(access)) faults.push('no access');
  if (has(VariableAttribute.HARDWARE_ERROR_RECORD) && (attributes & all) !== all) {
    faults.push('hardware error record');
  }
  if (AUTHENTICATIONS.filter(has).length > 1) faults.push('two authentications');
  return faults;
};

/** Why a name cannot be the name of a variable with these attributes in this name space. */
export type VariableNameFault =
  /** The empty string. */
  | 'empty'
  /** A NUL before the end: a reader would see a shorter name. */
  | 'embedded NUL'
  /** In the hardware error name space, names are HwErrRec#### (UEFI 2.10, section 8.2). */
  | 'not HwErrRec####';

/** Every rule a variable name breaks; none for a good one. */
export const variableNameFaults = (
  name: string,
  vendorGuid: Guid,
  attributes: VariableAttributes = 0,
): readonly VariableNameFault[] => {
  const faults: VariableNameFault[] = [];
  if (name === '') faults.push('empty');
  if (name.includes('\0')) faults.push('embedded NUL');
  const isRecord =
    (attributes & VariableAttribute.HARDWARE_ERROR_RECORD) !== 0 ||
    vendorGuid === WellKnownGuid.EFI_HARDWARE_ERROR_VARIABLE;
  if (isRecord && !/^HwErrRec[0-9A-F]{4}$/.test(name)) faults.push('not HwErrRec####');
  return faults;
};

/** A variable outside any store: what every exchange format can carry. */
export interface EfiVariable {
  readonly name: string;
  readonly vendorGuid: Guid;
  readonly attributes: VariableAttributes;
  readonly data: Uint8Array;
  /** Time stamp of a time-based authenticated variable. */
  readonly timeStamp?: EfiTime;
}

/** `Name-guid`, the way efivarfs and efivar name a variable. */
export const variableLabel = (name: string, vendorGuid: Guid): string => `${name}-${vendorGuid}`;

/** Bytes of the name as a firmware stores it, terminator included. */
export const variableNameSize = (name: string): number => char16Size(name);
