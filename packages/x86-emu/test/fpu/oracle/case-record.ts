/** The oracle's record: one instruction with the state before it, replaced by the state after it (`struct record` in oracle.c). */

export const RECORD_SIZE = 384;

/** Byte offsets in a record. */
export const AT = {
  code: 0,
  codeLength: 16,
  trap: 17,
  mxcsr: 24,
  rflags: 32,
  rax: 40,
  x87: 48,
  st: 80,
  xmm: 208,
  memory: 256,
} as const;

/** Trap vectors as the oracle notes them: vector + 1. */
export const TRAP = { none: 0, ud: 7, mf: 17, xm: 20 } as const;

/** Sets the instruction bytes. */
export function setCode(record: Uint8Array, bytes: readonly number[]): void {
  record.set(bytes, AT.code);
  record[AT.codeLength] = bytes.length;
}

/** Hexadecimal of a slice, for messages. */
export function hex(record: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = at + length - 1; i >= at; i--)
    text += (record[i] ?? 0).toString(16).padStart(2, '0');
  return text;
}
