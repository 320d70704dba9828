import type { Width } from '@systab/efi-core';

/** Bytes of each of its two flash chips: the code image, and the variables, which start erased (all 0xff). */
const FLASH_SIZE = 0x2_0000;

/** The reference firmware of a width. */
export interface ReferenceFirmware {
  /** Where its code image is: a file for Node.js, something to fetch for a browser. */
  readonly code: URL;
  /** A variable image as it leaves the factory; the firmware formats it when it starts. */
  readonly variables: () => Uint8Array;
}

/** Our own UEFI firmware, whose sources are in guest/firmware: its two flash images for a `PcMachine`. */
export const referenceFirmware: Readonly<Record<Width, ReferenceFirmware>> = Object.freeze({
  32: {
    code: new URL('../../images/reference-ia32.fd', import.meta.url),
    variables: () => new Uint8Array(FLASH_SIZE).fill(0xff),
  },
  64: {
    code: new URL('../../images/reference-x64.fd', import.meta.url),
    variables: () => new Uint8Array(FLASH_SIZE).fill(0xff),
  },
});
