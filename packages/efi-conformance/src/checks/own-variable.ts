import { VariableAttribute } from '@systab/efi-core';
import type { EfiRuntimeOps, EfiResult, Guid, VariableValue } from '@systab/efi-core';
import { VENDOR } from '../system.ts';

const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS } = VariableAttribute;

/** Attributes of the variables an operating system makes. */
export const LASTING: number = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;

/** Creates or replaces a variable of the suite. */
export const set = (
  services: EfiRuntimeOps,
  name: string,
  data: Uint8Array,
  attributes: number = LASTING,
  vendorGuid: Guid = VENDOR,
): EfiResult<void> => services.setVariable(name, vendorGuid, attributes, data.length, data);

/** Asks to delete a variable of the suite. */
export const remove = (services: EfiRuntimeOps, name: string): EfiResult<void> =>
  services.setVariable(name, VENDOR, LASTING, 0, null);

const LARGE_BUFFER = 0x1_0000;

/** Reads a variable of the suite. */
export const get = (
  services: EfiRuntimeOps,
  name: string,
  vendorGuid: Guid = VENDOR,
): EfiResult<VariableValue> => services.getVariable(name, vendorGuid, LARGE_BUFFER);

/** Bytes as a variable may hold them. */
export const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
