import type { PhysAddr } from './address.ts';
import type { EsrtTable } from './esrt.ts';
import { createFacilitySet } from './facility.ts';
import type { FacilitySet } from './facility.ts';
import type { MemoryAttributesTable } from './memory-attributes.ts';
import type { MemoryMap } from './memory-map.ts';
import { RT_SUPPORTED_ALL } from './rt-properties.ts';
import type { Width } from './struct.ts';
import type { EfiConfigurationTable } from './table/configuration.ts';
import type { EfiSystemTable } from './table/system.ts';

/** What is known about Secure Boot; `unset` until somebody has asked. */
export type SecureBootMode = 'unset' | 'unknown' | 'disabled' | 'enabled';

/**
 * The `efi` object: what is known about the firmware of one system. Data and facility flags only; code is in
 * the operation tables. The init half fills it in, everybody else reads it (as `Readonly<Efi>`).
 */
export interface Efi {
  readonly facilities: FacilitySet;
  /** Pointer width of the firmware. */
  width: Width;
  /** Physical address of the system table. */
  systemTableAt: PhysAddr | undefined;
  systemTable: EfiSystemTable | undefined;
  /** The firmware vendor string, whole. */
  vendor: string | undefined;
  /** Revision word that gates runtime services. */
  runtimeVersion: number;
  /** Bits of `RuntimeSupported` for the services that may be called. */
  runtimeSupportedMask: number;
  /** In the firmware's order; empty until parsed. */
  configurationTables: readonly EfiConfigurationTable[];
  /** The map as adopted, before or after virtual mode; undefined without one. */
  memoryMap: MemoryMap | undefined;
  /** Entries passed to SetVirtualAddressMap, virtual addresses filled in. */
  runtimeMap: MemoryMap | undefined;
  esrt: EsrtTable | undefined;
  memoryAttributes: MemoryAttributesTable | undefined;
  secureBoot: SecureBootMode;
}

/** An `efi` object that knows nothing yet. Sealed: nobody can hang code on it. */
export const createEfi = (): Efi =>
  Object.seal<Efi>({
    facilities: createFacilitySet(),
    width: 64,
    systemTableAt: undefined,
    systemTable: undefined,
    vendor: undefined,
    runtimeVersion: 0,
    runtimeSupportedMask: RT_SUPPORTED_ALL,
    configurationTables: [],
    memoryMap: undefined,
    runtimeMap: undefined,
    esrt: undefined,
    memoryAttributes: undefined,
    secureBoot: 'unset',
  });
