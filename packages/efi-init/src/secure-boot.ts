import { EfiStatus, RuntimeSupported, WellKnownGuid } from '@systab/efi-core';
import type { EfiResult, SecureBootMode, VariableValue } from '@systab/efi-core';
import type { InitContext } from './context.ts';

/** Nothing else than a byte is expected; more room, so that a firmware with odd ideas is understood too. */
const BUFFER = 16;

const MESSAGES: Readonly<Record<SecureBootMode, string>> = {
  disabled: 'Secure boot disabled',
  enabled: 'Secure boot enabled',
  unset: 'Secure boot could not be determined (mode 0)',
  unknown: 'Secure boot could not be determined (mode 1)',
};

const isOne = (result: EfiResult<VariableValue>): boolean =>
  result.ok && result.value.data[0] === 1;

const ask = ({ efi, tables, log }: InitContext): SecureBootMode => {
  const { getVariable } = tables.runtime;
  const read = (
    name: string,
    vendorGuid = WellKnownGuid.EFI_GLOBAL_VARIABLE,
  ): EfiResult<VariableValue> => {
    const result = getVariable(name, vendorGuid, BUFFER);
    // Control was lost in the firmware: it is not entered again.
    if (!result.ok && result.status === EfiStatus.ABORTED && result.why !== undefined) {
      efi.facilities.disable('EFI_RUNTIME_SERVICES', `GetVariable: ${result.why}`);
      log.err(`efi: [Firmware Bug]: GetVariable: ${result.why}`);
    }
    return result;
  };
  if ((efi.runtimeSupportedMask & RuntimeSupported.GetVariable) === 0) return 'unknown';
  const secureBoot = read('SecureBoot');
  if (!secureBoot.ok) return secureBoot.status === EfiStatus.NOT_FOUND ? 'disabled' : 'unknown';
  if (!isOne(secureBoot)) return 'disabled';
  const setupMode = read('SetupMode');
  if (!setupMode.ok) return setupMode.status === EfiStatus.NOT_FOUND ? 'disabled' : 'unknown';
  if (isOne(setupMode)) return 'disabled';
  // The shim loader was told not to verify what it starts.
  return isOne(read('MokSBStateRT', WellKnownGuid.SHIM_LOCK_GUID)) ? 'disabled' : 'enabled';
};

/** Settles whether Secure Boot is on: what the loader said, else what the variables say. */
export const determineSecureBoot = (context: InitContext): void => {
  const { efi, log } = context;
  if (!efi.facilities.enabled('EFI_BOOT')) return;
  const canAsk = efi.facilities.enabled('EFI_RUNTIME_SERVICES');
  if (efi.secureBoot === 'unset' && canAsk) efi.secureBoot = ask(context);
  log.info(`secureboot: ${MESSAGES[efi.secureBoot]}`);
};
