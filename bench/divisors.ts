/** By what the rounds of the work are divided, so that one run of an engine takes seconds. */
export const DIVISORS = { fast: 4, slow: 20, quick: 100 } as const;

/** The divisor for an engine of this speed. */
export const divisorFor = (slow: boolean, quick: boolean): number => {
  if (quick) return DIVISORS.quick;
  return slow ? DIVISORS.slow : DIVISORS.fast;
};
