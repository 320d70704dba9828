import {
  decodeDevicePath,
  decodeLoadOption,
  decodeLoadOrder,
  findGlobalVariable,
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

/** Whether data has the shape the specification gives a global variable of this name; true for every other variable. */
export const isVariableDataSound = (name: string, vendorGuid: Guid, data: Uint8Array): boolean => {
  const row = findGlobalVariable(name, vendorGuid);
  const check = row === undefined ? undefined : CHECKS[row.shape];
  return check === undefined || check(data);
};
