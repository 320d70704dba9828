/** Why translated code came back to the interpreter. The first three go on at a record. */
export const REGION_EXIT = {
  /** The budget does not cover the next block. */
  budget: 0,
  /** An instruction that is not plain this time: a TLB miss, memory that is not RAM, a fault, a slow path. */
  stepBack: 1,
  /** An instruction that cannot be translated, or code beyond the region. */
  onward: 2,
  /** A direct jump off the page. */
  branch: 3,
  /** A return or an indirect jump to what is no entry of the region. */
  computed: 4,
  /** Events are to be looked at. */
  event: 5,
} as const;

export type RegionExit = keyof typeof REGION_EXIT;
