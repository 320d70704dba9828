// The public names of the package; `test/exports.test.ts` pins them.

export { createBareMetalBackend } from './backend.ts';
export { AllocateType } from './boot-services.ts';
export type { BootMemoryMap, BootServices } from './boot-services.ts';
export type { KernelEnvironment } from './environment.ts';
export type { CallMode, CallOptions, CallRecord } from './firmware-call.ts';
export { referenceFirmware } from './image/reference-firmware.ts';
export { trapStub } from './image/trap-stub.ts';
export type { Kernel } from './kernel.ts';
export { enterBootPhase, enterWithoutEfi, startFirmware, watchTrap } from './take-over.ts';
export type { BootPhase, StartOptions, TrapWatch } from './take-over.ts';
