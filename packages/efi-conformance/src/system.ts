import { guid, VariableAttribute } from '@systab/efi-core';
import type { BoundPlatform, EfiServiceName, Guid, RuntimeServiceName } from '@systab/efi-core';

/** A call across the firmware boundary, as the backend saw it. */
export interface ObservedCall {
  readonly service: EfiServiceName;
  /** Rules of the calling convention that the service broke, in words. */
  readonly breaches: readonly string[];
}

/** A machine whose firmware has booted and let go: what a kernel starts from. */
export interface System {
  readonly tables: BoundPlatform;
  /** Every call so far, oldest first. Absent where calls cannot be observed. */
  readonly calls?: readonly ObservedCall[];
  /**
   * Writes over the machine code at the entry of a service, where it is in physical memory; false when the tables of the firmware lead
   * to none. Absent where nobody can.
   */
  readonly overwrite?: (service: RuntimeServiceName, code: Uint8Array) => boolean;
  /** The signed updates of `guest/firmware/test/auth-vectors.ts`, as the file has them. Absent where the firmware verifies none. */
  readonly signedUpdates?: Uint8Array;
  /** Carries out the reset that the machine is in, and boots again with the same flash. Absent where that is not possible. */
  readonly reboot?: () => System;
}

/** Vendor of every variable that the suite makes. */
export const VENDOR: Guid = guid('5d1a9cd4-5a3f-4b1c-93c1-f1a3c1a4e7d2');
/** Another vendor, for variables of the same name. */
export const OTHER_VENDOR: Guid = guid('0c66b2a4-08d2-4f0e-8b3f-6f3c5f2b9a11');

const { NON_VOLATILE, BOOTSERVICE_ACCESS } = VariableAttribute;

/**
 * The variable that must be in the non-volatile store before the firmware starts: the only way to one without RUNTIME_ACCESS, which
 * cannot be made at runtime.
 */
export const BOOT_ONLY: {
  readonly name: string;
  readonly vendorGuid: Guid;
  readonly attributes: number;
  readonly data: Uint8Array;
} = Object.freeze({
  name: 'BootOnly',
  vendorGuid: VENDOR,
  attributes: NON_VOLATILE | BOOTSERVICE_ACCESS,
  data: Uint8Array.of(0xb0, 0x07),
});
