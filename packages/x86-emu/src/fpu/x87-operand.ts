/** Memory operands of the x87, read and taken apart. */

import { unpack32, unpack64, unpackInteger } from './softfloat-unpacked.ts';
import type { Unpacked } from './softfloat-unpacked.ts';
import type { X87Memory } from './x87-context.ts';

/** Formats of memory operands. */
export const MEMORY_FORMAT = {
  single: 0,
  double: 1,
  int16: 2,
  int32: 3,
  int64: 4,
} as const;
export type MemoryFormat = (typeof MEMORY_FORMAT)[keyof typeof MEMORY_FORMAT];

/** Reads a signed integer. */
function readInteger(memory: X87Memory, format: MemoryFormat): bigint {
  if (format === MEMORY_FORMAT.int16) return BigInt((memory.read16(0) << 16) >> 16);
  const low = memory.read32(0);
  if (format === MEMORY_FORMAT.int32) return BigInt(low | 0);
  return (BigInt(memory.read32(4) | 0) << 32n) | BigInt(low >>> 0);
}

/** Reads an operand of any format but binary80 and BCD. */
export function readOperand(memory: X87Memory, format: MemoryFormat, out: Unpacked): void {
  if (format === MEMORY_FORMAT.single) unpack32(memory.read32(0), out);
  else if (format === MEMORY_FORMAT.double) unpack64(memory.read32(0), memory.read32(4), out);
  else unpackInteger(readInteger(memory, format), out);
}
