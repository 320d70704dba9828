import type { InitContext } from './context.ts';

/**
 * Lets runtime services be called, unless the command line forbids it; then the memory map has no more use and goes. Where the
 * services are is not looked at: that is for those who call them. Sets EFI_RUNTIME_SERVICES.
 */
export const allowRuntimeServices = ({ efi, commandLine, log }: InitContext): void => {
  const { facilities } = efi;
  if (!facilities.enabled('EFI_CONFIG_TABLES')) return;
  if (!commandLine.runtimeDisabled) {
    facilities.enable('EFI_RUNTIME_SERVICES', 'the firmware tables are sound');
    return;
  }
  log.info('efi: EFI runtime services are disabled on the command line');
  efi.runtimeSupportedMask = 0;
  efi.memoryMap = undefined;
  facilities.disable('EFI_MEMMAP', 'nothing needs the memory map without runtime services');
};
