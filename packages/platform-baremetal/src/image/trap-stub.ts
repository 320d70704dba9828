import type { Width } from '@systab/efi-core';
import { TRAP_STUB_IA32, TRAP_STUB_X64 } from './programs.ts';

/** Bytes that a Base64 text stands for. */
export const bytesOfBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** An image that ends within its first five sectors counts as none: QEMU's fw_cfg loader takes them for a Linux setup part. */
const PADDED_SIZE = 4096;

/**
 * The PE image to give to the firmware as the operating system, for firmware of this width: its entry point traps to whoever runs
 * the machine. Its source is guest/stubs/trap-stub.c.
 */
export const trapStub = (width: Width): Uint8Array => {
  const file = new Uint8Array(PADDED_SIZE);
  file.set(bytesOfBase64(width === 64 ? TRAP_STUB_X64 : TRAP_STUB_IA32));
  return file;
};

/** UD2, a jump over the mark, the mark, RET: the same bytes in 32-bit and 64-bit code. */
const MARK = 'systab-trap';
export const TRAP_CODE: Uint8Array = Uint8Array.of(
  0x0f,
  0x0b,
  0xeb,
  MARK.length,
  ...new TextEncoder().encode(MARK),
  0xc3,
);
