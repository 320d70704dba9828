import type { EsrtEntry, EsrtTable, Guid } from '@systab/efi-core';

/** What a firmware resource is (UEFI 2.10, section 23.4). */
export type FirmwareKind = 'unknown' | 'system firmware' | 'device firmware' | 'UEFI driver';

/** How the last attempt to update it ended (UEFI 2.10, section 23.4). */
export type UpdateOutcome =
  | 'success'
  | 'unsuccessful'
  | 'insufficient resources'
  | 'incorrect version'
  | 'invalid format'
  | 'authentication error'
  | 'AC power is missing'
  | 'battery power is too low'
  | 'unsatisfied dependencies'
  | 'vendor specific';

/** One firmware that a capsule can update, in words. */
export interface FirmwareResource {
  /** GUID the capsule must carry. */
  readonly fwClass: Guid;
  readonly kind: FirmwareKind;
  readonly version: number;
  /** An update below this one will be refused. */
  readonly lowestSupportedVersion: number;
  /** Flags to put into the capsule. */
  readonly capsuleFlags: number;
  readonly lastAttemptVersion: number;
  readonly lastAttempt: UpdateOutcome;
}

const KINDS: readonly FirmwareKind[] = [
  'unknown',
  'system firmware',
  'device firmware',
  'UEFI driver',
];

const OUTCOMES: readonly UpdateOutcome[] = [
  'success',
  'unsuccessful',
  'insufficient resources',
  'incorrect version',
  'invalid format',
  'authentication error',
  'AC power is missing',
  'battery power is too low',
  'unsatisfied dependencies',
];

const view = (entry: EsrtEntry): FirmwareResource => ({
  fwClass: entry.fwClass,
  kind: KINDS[entry.fwType] ?? 'unknown',
  version: entry.fwVersion,
  lowestSupportedVersion: entry.lowestSupportedFwVersion,
  capsuleFlags: entry.capsuleFlags,
  lastAttemptVersion: entry.lastAttemptVersion,
  lastAttempt: OUTCOMES[entry.lastAttemptStatus] ?? 'vendor specific',
});

/** The firmware resources of a system, in table order; none without a table. */
export const firmwareResources = (esrt: EsrtTable | undefined): readonly FirmwareResource[] =>
  (esrt?.entries ?? []).map(view);
