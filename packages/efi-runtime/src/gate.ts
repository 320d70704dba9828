import { EFI_2_00_REVISION, EfiStatus, efiFail, RuntimeSupported } from '@systab/efi-core';
import type { Efi, EfiFailure, RuntimeServiceName } from '@systab/efi-core';

/** Services that the tables of EFI 1.x end before (UEFI 2.10, section 4.5). */
const SINCE_2_00: ReadonlySet<RuntimeServiceName> = new Set([
  'UpdateCapsule',
  'QueryCapsuleCapabilities',
  'QueryVariableInfo',
]);

const DISABLED = 'EFI runtime services are disabled';

/** What the gate reads of the `efi` object. */
export type GateFacts = Readonly<
  Pick<Efi, 'facilities' | 'runtimeVersion' | 'runtimeSupportedMask'>
>;

/**
 * Why a service may not be called at all; undefined when it may. EFI_UNSUPPORTED for what the firmware's revision or its
 * RT properties table (UEFI 2.10, section 4.6) exclude, EFI_DEVICE_ERROR while runtime services are disabled.
 */
export const gateService = (
  efi: GateFacts,
  service: RuntimeServiceName,
): EfiFailure | undefined => {
  const enabled = efi.facilities.enabled('EFI_RUNTIME_SERVICES');
  if (SINCE_2_00.has(service) && efi.runtimeVersion < EFI_2_00_REVISION) {
    return efiFail(EfiStatus.UNSUPPORTED, { why: 'the firmware is older than EFI 2.00' });
  }
  if ((efi.runtimeSupportedMask & RuntimeSupported[service]) === 0) {
    return efiFail(EfiStatus.UNSUPPORTED, {
      why: enabled ? 'the RT properties table of the firmware excludes it' : DISABLED,
    });
  }
  return enabled ? undefined : efiFail(EfiStatus.DEVICE_ERROR, { why: DISABLED });
};
