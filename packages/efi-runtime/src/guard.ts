import { EfiStatus, efiFail, neutralMachineOps, defaultOf } from '@systab/efi-core';
import type {
  Efi,
  EfiFailure,
  EfiResult,
  EfiRuntimeOps,
  MachineOps,
  RuntimeServiceName,
} from '@systab/efi-core';
import { gateService } from './gate.ts';
import { reentryConflict } from './reentry.ts';

/** Receives one line for the kernel log, prefix included. */
export type Warn = (line: string) => void;

/** Which calls may be in progress at the same time. */
export type Overlap =
  /** One at a time, as Linux has it. */
  | 'never'
  /** Whatever `REENTRY_RULES` does not forbid. */
  | 'by the rules';

/** How runtime services are guarded. */
export interface GuardOptions {
  /** Default `never`. */
  readonly overlap?: Overlap;
  /** Default: nobody listens. */
  readonly warn?: Warn;
}

/**
 * Whether a failure means that control was lost inside the firmware. Only then does somebody other than the firmware
 * answer EFI_ABORTED and say why (`callFailure` of efi-core).
 */
export const isContainedFault = (result: EfiResult<unknown>): result is EfiFailure =>
  !result.ok && result.status === EfiStatus.ABORTED && result.why !== undefined;

/**
 * The same services, safe to call: gated by revision and supported mask, one at a time, and shut off for good once the
 * firmware has faulted or used up its budget in one of them. A call that would have to wait answers EFI_NOT_READY at
 * once: calls are synchronous, so the one in progress could never end while somebody waits.
 */
export const guardRuntimeServices = (
  services: EfiRuntimeOps,
  efi: Readonly<Efi>,
  options: GuardOptions = {},
): EfiRuntimeOps => {
  const { overlap = 'never', warn = () => undefined } = options;
  const busy: RuntimeServiceName[] = [];
  let warnedDisabled = false;

  const refusal = (service: RuntimeServiceName): EfiFailure | undefined => {
    const gated = gateService(efi, service);
    if (gated !== undefined) {
      if (gated.status === EfiStatus.DEVICE_ERROR && !warnedDisabled) {
        warnedDisabled = true;
        warn('efi: EFI Runtime Services are disabled!');
      }
      return gated;
    }
    const first = overlap === 'never' ? busy[0] : reentryConflict(busy, service);
    if (first === undefined) return undefined;
    if (service === 'ResetSystem') warn(`efi: no ResetSystem while ${first} is in progress`);
    return efiFail(EfiStatus.NOT_READY, { why: `${first} is in progress` });
  };

  const guarded =
    <A extends readonly unknown[], R extends EfiResult<unknown>>(
      service: RuntimeServiceName,
      call: (...args: A) => R,
    ): ((...args: A) => R | EfiFailure) =>
    (...args) => {
      const refused = refusal(service);
      if (refused !== undefined) return refused;
      busy.push(service);
      try {
        const result = call(...args);
        if (isContainedFault(result)) {
          const why = `${service}: ${result.why ?? ''}`;
          efi.facilities.disable('EFI_RUNTIME_SERVICES', why);
          warn(`efi: [Firmware Bug]: ${why}`);
          warn('efi: disabled EFI Runtime Services');
        }
        return result;
      } finally {
        busy.splice(busy.lastIndexOf(service), 1);
      }
    };

  return Object.freeze<EfiRuntimeOps>({
    getTime: guarded('GetTime', services.getTime),
    setTime: guarded('SetTime', services.setTime),
    getWakeupTime: guarded('GetWakeupTime', services.getWakeupTime),
    setWakeupTime: guarded('SetWakeupTime', services.setWakeupTime),
    getVariable: guarded('GetVariable', services.getVariable),
    getNextVariableName: guarded('GetNextVariableName', services.getNextVariableName),
    setVariable: guarded('SetVariable', services.setVariable),
    getNextHighMonotonicCount: guarded(
      'GetNextHighMonotonicCount',
      services.getNextHighMonotonicCount,
    ),
    resetSystem: guarded('ResetSystem', services.resetSystem),
    updateCapsule: guarded('UpdateCapsule', services.updateCapsule),
    queryCapsuleCapabilities: guarded(
      'QueryCapsuleCapabilities',
      services.queryCapsuleCapabilities,
    ),
    queryVariableInfo: guarded('QueryVariableInfo', services.queryVariableInfo),
  });
};

/**
 * A machine table whose default members, which are ResetSystem under another name, go through guarded services: firmware that
 * has faulted once is not entered again to reset the machine.
 */
export const guardMachineOps = (machine: MachineOps, guarded: EfiRuntimeOps): MachineOps => {
  const { restart, powerOff } = neutralMachineOps(guarded);
  return Object.freeze<MachineOps>({
    restart: defaultOf(machine.restart) === undefined ? machine.restart : restart,
    halt: machine.halt,
    powerOff: defaultOf(machine.powerOff) === undefined ? machine.powerOff : powerOff,
  });
};
