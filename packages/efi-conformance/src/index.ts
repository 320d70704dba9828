// The names that tests of platform backends use.

export type { CallableService, Capability, Lacks } from './capability.ts';
export type { Answers } from './check.ts';
export { hostileBytes, hostileCode } from './hostile-code.ts';
export type { CodeByWidth } from './hostile-code.ts';
export type { Difference } from './difference.ts';
export { OVMF_DIFFERENCES } from './firmware/ovmf-differences.ts';
export { describeConformance } from './suite.ts';
export type { Candidate } from './suite.ts';
export { BOOT_ONLY } from './system.ts';
export type { ObservedCall, System } from './system.ts';
