/** Decode modes and their keys: a key of 0 or 1 means that code segment offsets are linear addresses and operands need no segment checks. */
import type { DecodeMode } from '../decode/decoder.ts';

export const MODE_KEY = {
  long: 0,
  flat: 1,
  legacy32: 2,
  legacy16: 3,
  /** Real and virtual-8086 mode. */
  real32: 4,
  real16: 5,
} as const;

/** Added to a mode key at privilege 3 where the exec TLB is looked up: user code may not be where supervisor code is. */
export const USER_KEY = 8;

export const DECODE_MODES: readonly DecodeMode[] = [
  { code: 'long', defaultSize: 64, protected: true },
  { code: 'flat', defaultSize: 32, protected: true },
  { code: 'legacy', defaultSize: 32, protected: true },
  { code: 'legacy', defaultSize: 16, protected: true },
  { code: 'legacy', defaultSize: 32, protected: false },
  { code: 'legacy', defaultSize: 16, protected: false },
];
