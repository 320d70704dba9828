import { encodeEsrt, encodeMemoryAttributesTable, guid, WellKnownGuid } from '@systab/efi-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initEfi } from '../src/index.ts';
import { fakePlatform, region, RUNTIME } from './fake-firmware.ts';

const G = WellKnownGuid;
const CONFIGURATION = [
  [G.EFI_ACPI_20_TABLE_GUID, 0x12_0000],
  [G.EFI_SYSTEM_RESOURCE_TABLE_GUID, 0x14_2000],
  [G.EFI_MEMORY_ATTRIBUTES_TABLE_GUID, 0x14_1000],
  [G.EFI_RT_PROPERTIES_TABLE_GUID, 0x11_2000],
  [G.LINUX_EFI_TPM_EVENT_LOG_GUID, 0x14_4000],
  [G.EFI_TCG2_FINAL_EVENTS_TABLE_GUID, 0x14_8000],
] as const;

const TABLES = new Map<number, Uint8Array>([
  [
    0x14_1000,
    encodeMemoryAttributesTable({
      version: 2,
      descriptorSize: 48,
      flags: 0,
      entries: [region(5, 0x10_0000, 0x10_4000, RUNTIME), region(6, 0x11_0000, 0x12_0000, RUNTIME)],
    }),
  ],
  [
    0x14_2000,
    encodeEsrt({
      fwResourceCountMax: 1,
      fwResourceVersion: 1n,
      entries: [
        {
          fwClass: guid('11111111-2222-3333-4444-555555555555'),
          fwType: 1,
          fwVersion: 5,
          lowestSupportedFwVersion: 3,
          capsuleFlags: 0,
          lastAttemptVersion: 0,
          lastAttemptStatus: 0,
        },
      ],
    }),
  ],
]);

/** Where the tables start, and how much of each is worth damaging. */
const PLACES: readonly (readonly [number, number])[] = [
  [0x11_0000, 120],
  [0x11_0400, 24 * CONFIGURATION.length],
  [0x13_0000, 480],
  [0x12_0000, 36],
  [0x14_1000, 112],
  [0x14_2000, 56],
  [0x11_2000, 8],
  [0x14_4000, 64],
  [0x14_8000, 32],
];

const damage = fc
  .record({
    place: fc.constantFrom(...PLACES),
    offset: fc.nat(479),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.constantFrom(0x00, 0xff, 0x7f).map((fill) => new Uint8Array(8).fill(fill)),
    ),
  })
  .map(({ place: [start, size], offset, bytes }): [number, Uint8Array] => [
    start + (offset % size),
    bytes,
  ]);

describe('firmware that left garbage', () => {
  it('is survived, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', 'efi=debug', 'efi=novamap', 'noefi', 'add_efi_memmap'),
        fc.constantFrom<32 | 64>(32, 64),
        (damages, commandLine, width) => {
          const { tables, record } = fakePlatform({
            width,
            configuration: CONFIGURATION,
            memory: new Map([...TABLES, ...damages]),
          });
          const { efi, log } = initEfi(tables, { commandLine, e820: [] });
          expect(log.length).toBeLessThan(400);
          expect([...record.mapped]).toEqual([]);
          expect(efi.facilities.enabled('EFI_MEMMAP')).toBe(efi.memoryMap !== undefined);
          expect(record.plans.length).toBe(
            efi.facilities.enabled('EFI_RUNTIME_SERVICES') &&
              efi.memoryMap !== undefined &&
              commandLine !== 'efi=novamap'
              ? 1
              : 0,
          );
        },
      ),
      { numRuns: 400 },
    );
  });
});
