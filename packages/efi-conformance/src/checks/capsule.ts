import { CapsuleFlag, EFI_CAPSULE_HEADER, guid } from '@systab/efi-core';
import type { Check } from '../check.ts';
import { checksOf, told } from '../check.ts';

const UPDATE = checksOf('UpdateCapsule', 'UEFI 2.10, 8.5.3', ['UpdateCapsule']);
const QUERY = checksOf('QueryCapsuleCapabilities', 'UEFI 2.10, 8.5.3', [
  'QueryCapsuleCapabilities',
]);

const { PERSIST_ACROSS_RESET, POPULATE_SYSTEM_TABLE, INITIATE_RESET } = CapsuleFlag;

/** A capsule of a kind that no firmware knows. */
const capsule = (flags: number): readonly Uint8Array[] => [
  EFI_CAPSULE_HEADER.encode({
    capsuleGuid: guid('7e1e9f5c-21c5-4a30-9a7b-5b6f0d1c2e3f'),
    headerSize: EFI_CAPSULE_HEADER.size(),
    flags,
    capsuleImageSize: EFI_CAPSULE_HEADER.size(),
  }),
];

const UNPERSISTENT = [
  ['POPULATE_SYSTEM_TABLE without PERSIST_ACROSS_RESET', POPULATE_SYSTEM_TABLE],
  ['INITIATE_RESET without PERSIST_ACROSS_RESET', INITIATE_RESET],
] as const;

export const CAPSULE: readonly Check[] = [
  UPDATE.answers(
    'no capsule',
    ({ services }) => services.updateCapsule(capsule(0), 0, 0n),
    'EFI_INVALID_PARAMETER',
  ),
  ...UNPERSISTENT.map(([what, flags]) =>
    UPDATE.answers(
      what,
      ({ services }) => services.updateCapsule(capsule(flags), 1, 0n),
      'EFI_INVALID_PARAMETER',
    ),
  ),
  UPDATE.answers(
    'PERSIST_ACROSS_RESET without a scatter gather list',
    ({ services }) => services.updateCapsule(capsule(PERSIST_ACROSS_RESET), 1, 0n),
    'EFI_INVALID_PARAMETER',
  ),
  UPDATE.answers(
    'an unknown kind',
    ({ services }) => services.updateCapsule(capsule(0), 1, 0n),
    'EFI_UNSUPPORTED',
  ),
  QUERY.answers(
    'no capsule',
    ({ services }) => services.queryCapsuleCapabilities(capsule(0), 0),
    'EFI_INVALID_PARAMETER',
  ),
  ...(['maximumCapsuleSize', 'resetType'] as const).map((output) =>
    QUERY.answers(
      `NULL for ${output}`,
      ({ services }) => services.queryCapsuleCapabilities(capsule(0), 1, [output]),
      'EFI_INVALID_PARAMETER',
    ),
  ),
  ...UNPERSISTENT.map(([what, flags]) =>
    QUERY.answers(
      what,
      ({ services }) => services.queryCapsuleCapabilities(capsule(flags), 1),
      'EFI_INVALID_PARAMETER',
    ),
  ),
  QUERY.check(
    'an unknown kind, directly and through the capsule policy',
    ({ services, runtime }) => {
      const [image] = capsule(0);
      return {
        query: told(services.queryCapsuleCapabilities(capsule(0), 1)),
        update: told(runtime.capsules.update(image ?? new Uint8Array())),
        'reset pending': String(runtime.capsules.pendingReset()),
      };
    },
    { query: 'EFI_UNSUPPORTED', update: 'EFI_UNSUPPORTED', 'reset pending': 'undefined' },
  ),
];
