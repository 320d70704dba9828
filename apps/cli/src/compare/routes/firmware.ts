/** The firmware that every route of a comparison runs on, and machines that start it. */
import { readFileSync } from 'node:fs';
import { referenceFirmware } from '@systab/platform-baremetal';
import { PcMachine } from '@systab/x86-emu';

/** Flash images of 64-bit firmware, and the machine around it. */
export interface ComparedFirmware {
  /** What a report calls it. */
  readonly name: string;
  readonly code: Uint8Array;
  readonly variables: Uint8Array;
  /** Bytes of RAM. */
  readonly memory: number;
}

const MIB = 2 ** 20;

/** The embedded one, on the default machine. */
export const embeddedFirmware = (): ComparedFirmware => ({
  name: 'reference x64',
  code: readFileSync(referenceFirmware[64].code),
  variables: referenceFirmware[64].variables(),
  memory: 256 * MIB,
});

/** A machine whose firmware will start `image`. */
export const machineFor = (
  { code, variables, memory }: ComparedFirmware,
  image: Uint8Array,
  commandLine: string,
  onSerial: (byte: number) => void = () => undefined,
): PcMachine =>
  new PcMachine({
    memory,
    onSerial,
    flash: [
      { image: code, readOnly: true },
      { image: variables, readOnly: false },
    ],
    kernel: { kernel: image, cmdline: commandLine },
  });
