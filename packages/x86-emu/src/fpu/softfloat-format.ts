/** Numbers of IEEE-754 and of the x86 floating-point environments that all of `fpu/` shares. */

/**
 * Exception flags, in the bit order of FSW and MXCSR (SDM Vol. 1, 8.1.3 and 10.2.3).
 * The mask bits of FCW stand in the same order; those of MXCSR too, seven bits higher.
 */
export const FP_FLAG = {
  invalid: 0x01,
  denormal: 0x02,
  zeroDivide: 0x04,
  overflow: 0x08,
  underflow: 0x10,
  precision: 0x20,
} as const;

/** Exceptions found before a result is computed; the other three are found after. */
export const PRE_COMPUTATION_FLAGS: number =
  FP_FLAG.invalid | FP_FLAG.denormal | FP_FLAG.zeroDivide;

/** Rounding control as encoded in FCW, MXCSR and the immediate of ROUNDxx. */
export const ROUNDING = { nearest: 0, down: 1, up: 2, zero: 3 } as const;

/** What a result is rounded to: significand bits, and the exponent range of the destination. */
export interface RoundTarget {
  /** Significand bits, the integer bit included. */
  readonly precision: number;
  /** Smallest exponent of a normal number. */
  readonly emin: number;
  /** Largest exponent of a finite number. */
  readonly emax: number;
  /** What is added to the exponent on unmasked underflow and taken off on unmasked overflow. */
  readonly wrap: number;
}

/** IEEE binary32. */
export const BINARY32: RoundTarget = { precision: 24, emin: -126, emax: 127, wrap: 0 };
/** IEEE binary64. */
export const BINARY64: RoundTarget = { precision: 53, emin: -1022, emax: 1023, wrap: 0 };

/** The exponent bias of the x87 extended format. */
export const EXTENDED_BIAS = 16383;

/** Bias adjustment of an unmasked overflow or underflow in a register (SDM Vol. 1, 8.5.4). */
const EXTENDED_WRAP = 24576;

const extended = (precision: number): RoundTarget => ({
  precision,
  emin: -16382,
  emax: 16383,
  wrap: EXTENDED_WRAP,
});

/** x87 registers under FCW.PC = single: fewer significand bits, the full exponent range. */
const EXTENDED24: RoundTarget = extended(24);
/** x87 registers under FCW.PC = double. */
const EXTENDED53: RoundTarget = extended(53);
/** x87 registers under FCW.PC = extended. */
export const EXTENDED64: RoundTarget = extended(64);

/** FCW.PC to target; the reserved encoding 1 acts as extended, as silicon does. */
export const PRECISION_CONTROL: readonly RoundTarget[] = [
  EXTENDED24,
  EXTENDED64,
  EXTENDED53,
  EXTENDED64,
];
