// The public names of the package; `test/exports.test.ts` pins them.

export { createBootEntries } from './boot-entries.ts';
export type { BootEntries, BootEntry, BootMenu, NewEntryOptions } from './boot-entries.ts';
export { createCapsules } from './capsules.ts';
export type { Capsules } from './capsules.ts';
export { firmwareResources } from './esrt-view.ts';
export type { FirmwareKind, FirmwareResource, UpdateOutcome } from './esrt-view.ts';
export { gateService } from './gate.ts';
export type { GateFacts } from './gate.ts';
export { guardMachineOps, guardRuntimeServices, isContainedFault } from './guard.ts';
export type { GuardOptions, Overlap, Warn } from './guard.ts';
export { createPower } from './power.ts';
export type { Power, RebootMode } from './power.ts';
export { REENTRY_RULES, reentryConflict } from './reentry.ts';
export type { ReentryRule } from './reentry.ts';
export { efiTimeFromRtc, rtcFromEfiTime } from './rtc.ts';
export type { RtcSetting, RtcTime, SummerTime } from './rtc.ts';
export { createEfiRuntime } from './runtime.ts';
export type { EfiRuntime, EfiRuntimeOptions } from './runtime.ts';
export {
  DUMMY_NAME,
  EFI_MIN_RESERVE,
  UNKNOWN_SPACE_LIMIT,
  checkVariableSpace,
  deleteDummyVariable,
} from './storage-policy.ts';
export { isVariableDataSound } from './variable-check.ts';
export { walkVariables } from './variable-walk.ts';
export type { VariableWalk, WalkEnd, WalkLimits, WrongNameSize } from './variable-walk.ts';
export { createVariables } from './variables.ts';
export type {
  VariableFailure,
  VariableResult,
  VariableSpace,
  Variables,
  VariablesOptions,
} from './variables.ts';
export { createWallClock } from './wall-clock.ts';
export type { RtcAlarm, WallClock, WallClockOptions } from './wall-clock.ts';
