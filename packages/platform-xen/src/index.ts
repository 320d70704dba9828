export { xenBackend } from './backend.ts';
export type { XenBackendOptions } from './backend.ts';
export { DOM0_LAYOUT, DOM0_VIRT_BASE, dom0Kernel } from './boot/dom0-kernel.ts';
export { parseHypervisorOptions, switchesNotIn } from './boot/hypervisor-options.ts';
export type { HypervisorOptions } from './boot/hypervisor-options.ts';
export { appendSections, ImageFormatError, unifiedImage } from './boot/unified-image.ts';
export type { NamedSection, UnifiedImageParts } from './boot/unified-image.ts';
export { bootDom0, enterDom0 } from './domain/boot-dom0.ts';
export type { BootDom0Failure, BootDom0Options } from './domain/boot-dom0.ts';
export { Dom0 } from './domain/dom0.ts';
export type { Dom0Options } from './domain/dom0.ts';
export { formatHypercallFailure } from './domain/hypercall.ts';
export type {
  HypercallFailure,
  HypercallOutcome,
  HypercallRecord,
  XenResult,
} from './domain/hypercall.ts';
export {
  enterSoftOff,
  hypervisorCommandLine,
  hypervisorVersion,
  machineMemoryMap,
  readConsole,
  setWallclock,
  shutDown,
  writeConsole,
} from './domain/hypervisor.ts';
export type { E820Entry } from './abi/memory-op.ts';
export type { HypercallName, XenErrno } from './abi/hypercall.ts';
export type { StartInfo } from './abi/start-info.ts';
export { embeddedHypervisor } from './image/embedded-hypervisor.ts';
export type { XenInitOptions } from './ops/init-ops.ts';
export type { XenMemoryMapChoice } from './ops/memory-map.ts';
export type { VariableInfoSource, XenRuntimeOptions } from './ops/runtime-ops.ts';
export { createCallOps, efiCallBackend } from './route/efi-call.ts';
export { createDom0Environment } from './route/environment.ts';
export type { Dom0Environment, Dom0EnvironmentOptions } from './route/environment.ts';
