import type { RuntimeServiceName } from '@systab/efi-core';

/** Services that may not be entered while any of `busy` has not come back. */
export interface ReentryRule {
  readonly busy: readonly RuntimeServiceName[];
  readonly forbidden: readonly RuntimeServiceName[];
}

const STORE: readonly RuntimeServiceName[] = [
  'GetVariable',
  'GetNextVariableName',
  'SetVariable',
  'QueryVariableInfo',
  'UpdateCapsule',
  'QueryCapsuleCapabilities',
  'GetNextHighMonotonicCount',
];
const CLOCK: readonly RuntimeServiceName[] = [
  'GetTime',
  'SetTime',
  'GetWakeupTime',
  'SetWakeupTime',
];

/**
 * Rules for re-entry into runtime services (UEFI 2.10, section 8.1). Whatever no rule forbids may overlap; that
 * SetVirtualAddressMap overlaps with nothing needs no row, since only initialisation calls it.
 */
export const REENTRY_RULES: readonly ReentryRule[] = Object.freeze([
  { busy: ['ConvertPointer'], forbidden: ['ConvertPointer'] },
  {
    busy: ['SetVariable', 'UpdateCapsule', 'SetTime', 'SetWakeupTime', 'GetNextHighMonotonicCount'],
    forbidden: ['ResetSystem'],
  },
  { busy: STORE, forbidden: STORE },
  { busy: CLOCK, forbidden: CLOCK },
]);

/** The service among `busy` that keeps `wanted` from being called by the rules; undefined when none does. */
export const reentryConflict = (
  busy: readonly RuntimeServiceName[],
  wanted: RuntimeServiceName,
): RuntimeServiceName | undefined =>
  busy.find((service) =>
    REENTRY_RULES.some((rule) => rule.busy.includes(service) && rule.forbidden.includes(wanted)),
  );
