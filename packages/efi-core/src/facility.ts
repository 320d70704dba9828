/**
 * What works, as Linux's `efi.flags` says it (include/linux/efi.h), reduced to the bits generic code asks for.
 * None of them tells which platform this is.
 */
export type EfiFacility = keyof typeof EfiFacility;

/** Facilities and Linux 6.x's bit number of each. */
export const EfiFacility: {
  /** Booted from EFI firmware. */
  readonly EFI_BOOT: 0;
  /** The configuration tables have been parsed. */
  readonly EFI_CONFIG_TABLES: 2;
  /** Runtime services may be called. */
  readonly EFI_RUNTIME_SERVICES: 3;
  /** There is a firmware memory map. */
  readonly EFI_MEMMAP: 4;
  /** The firmware is 64-bit. */
  readonly EFI_64BIT: 5;
  /** Print more. */
  readonly EFI_DBG: 8;
  /** A sound memory attributes table was found. */
  readonly EFI_MEM_ATTR: 9;
  /** Specific-purpose memory is ordinary memory (`efi=nosoftreserve`). */
  readonly EFI_MEM_NO_SOFT_RESERVE: 10;
  /** Boot services memory stays reserved until virtual mode is entered. */
  readonly EFI_PRESERVE_BS_REGIONS: 11;
} = Object.freeze({
  EFI_BOOT: 0,
  EFI_CONFIG_TABLES: 2,
  EFI_RUNTIME_SERVICES: 3,
  EFI_MEMMAP: 4,
  EFI_64BIT: 5,
  EFI_DBG: 8,
  EFI_MEM_ATTR: 9,
  EFI_MEM_NO_SOFT_RESERVE: 10,
  EFI_PRESERVE_BS_REGIONS: 11,
});

/** One change of the set, for reports. */
export interface FacilityChange {
  readonly facility: EfiFacility;
  readonly enabled: boolean;
  readonly why: string;
}

/** The facilities of one system. */
export interface FacilitySet {
  readonly enabled: (facility: EfiFacility) => boolean;
  /** Sets a facility; a set one stays as it is, unrecorded. */
  readonly enable: (facility: EfiFacility, why: string) => void;
  /** Clears a facility; a clear one stays as it is, unrecorded. */
  readonly disable: (facility: EfiFacility, why: string) => void;
  /** The facilities set, by bit number. */
  readonly list: () => readonly EfiFacility[];
  /** The flag word Linux 6.x would hold. */
  readonly bits: () => number;
  /** Every change so far, oldest first. */
  readonly history: () => readonly FacilityChange[];
}

/** A set with nothing enabled. */
export const createFacilitySet = (): FacilitySet => {
  const set = new Set<EfiFacility>();
  const history: FacilityChange[] = [];
  const change = (facility: EfiFacility, enabled: boolean, why: string): void => {
    if (set.has(facility) === enabled) return;
    if (enabled) set.add(facility);
    else set.delete(facility);
    history.push(Object.freeze({ facility, enabled, why }));
  };
  const list = (): readonly EfiFacility[] =>
    [...set].toSorted((left, right) => EfiFacility[left] - EfiFacility[right]);
  return Object.freeze<FacilitySet>({
    enabled: (facility) => set.has(facility),
    enable: (facility, why) => {
      change(facility, true, why);
    },
    disable: (facility, why) => {
      change(facility, false, why);
    },
    list,
    bits: () => list().reduce((bits, facility) => bits | (1 << EfiFacility[facility]), 0),
    history: () => [...history],
  });
};
