/** The sixteen conditions that Jcc, SETcc and CMOVcc share (SDM Vol. 1, appendix B). */
import type { ConditionCode } from './emit.ts';

interface Condition {
  readonly code: ConditionCode;
  /** Mnemonic suffix, upper case. */
  readonly suffix: string;
}

const SUFFIXES = 'O NO B AE E NE BE A S NS P NP L GE LE G'.split(' ');

/** All conditions in opcode order. */
export const CONDITIONS: readonly Condition[] = SUFFIXES.map((suffix, code) => ({
  code: code as ConditionCode,
  suffix,
}));

/** Two upper-case hex digits, as an opcode column spells a byte. */
export const opcodeByte = (byte: number): string =>
  byte.toString(16).toUpperCase().padStart(2, '0');
