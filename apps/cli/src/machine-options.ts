/** The options of a machine that the command line decides, the same for every command that boots one. */
import { DEFAULT_PROFILE, QEMU64_PROFILE } from '@systab/x86-emu';
import type { PcMachineOptions } from '@systab/x86-emu';
import type { FirmwareFiles } from './firmware-files.ts';

/** What the command line says about the machine. */
export interface MachineChoice {
  /** Bytes. */
  readonly memory: number;
  readonly cpu: 'default' | 'qemu64';
}

/** Memory, flash chips and processor. */
export const machineOptions = (
  { memory, cpu }: MachineChoice,
  { code, vars }: FirmwareFiles,
): Pick<PcMachineOptions, 'memory' | 'flash' | 'profile' | 'unassignedReads'> => ({
  memory,
  // The first chip ends at 4 GiB, so the variables stand below the code. A combined image holds variables: writable.
  flash: vars
    ? [
        { image: code.bytes, readOnly: true },
        { image: vars.bytes, readOnly: false },
      ]
    : [{ image: code.bytes, readOnly: false }],
  profile: cpu === 'qemu64' ? QEMU64_PROFILE : DEFAULT_PROFILE,
  unassignedReads: cpu === 'qemu64' ? 'zeros' : 'ones',
});
