import {
  decodeDevicePath,
  decodeLoadOption,
  decodeLoadOrder,
  findGlobalVariable,
  WellKnownGuid,
} from '@systab/efi-core';
import type { GlobalVariableShape, Guid } from '@systab/efi-core';

const isLanguage = (data: Uint8Array): boolean => {
  const end = data.indexOf(0);
  return end >= 0 && data.subarray(0, end).every((byte) => byte < 0x80);
};

const isDevicePath = (data: Uint8Array): boolean => {
  let at = 0;
  while (at < data.length) {
    const path = decodeDevicePath(data, at);
    if (!path.ok) return false;
    at += path.value.size;
  }
  return data.length > 0;
};

// The shapes Linux checks; a shape without a row is taken as it comes.
const CHECKS: Readonly<Partial<Record<GlobalVariableShape, (data: Uint8Array) => boolean>>> = {
  UINT16: (data) => data.length === 2,
  'UINT16[]': (data) => decodeLoadOrder(data).ok,
  EFI_LOAD_OPTION: (data) => decodeLoadOption(data).ok,
  'device path': isDevicePath,
  language: isLanguage,
};

/** A boot or driver option; what follows its four digits. */
const LOAD_OPTION = /^(?:Boot|Driver)[0-9a-f]{4}(.*)$/is;

/** Whether data has the shape the specification gives a global variable of this name; true for every other variable. */
export const isVariableDataSound = (name: string, vendorGuid: Guid, data: Uint8Array): boolean => {
  const numbered = vendorGuid === WellKnownGuid.EFI_GLOBAL_VARIABLE && LOAD_OPTION.exec(name);
  // Linux takes digits in both cases, and none of these names goes on after the fourth.
  if (numbered) return numbered[1] === '' && decodeLoadOption(data).ok;
  const row = findGlobalVariable(name, vendorGuid);
  const check = row === undefined ? undefined : CHECKS[row.shape];
  return check === undefined || check(data);
};
