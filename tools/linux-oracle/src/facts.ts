import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigurationName } from './configurations.ts';

/** What a call was answered; a member is absent where it does not apply. */
export interface Answer {
  /** Name of the error number of the system call that failed; absent where all went well. */
  readonly errno?: string;
  /** The system call that failed, of those that make up the command. */
  readonly step?: string;
  /** Size of the file afterwards, attributes included; absent where there is no file. */
  readonly size?: number;
  readonly written?: number;
  /** Hexadecimal: attributes and data of a variable. */
  readonly bytes?: string;
  readonly immutable?: boolean;
  /** Year, month, day, hour, minute and second of the clock; EFI_TIME in hexadecimal of a service. */
  readonly time?: readonly number[] | string;
  readonly enabled?: boolean;
  readonly pending?: boolean;
  /** EFI_STATUS, hexadecimal with `0x`. */
  readonly status?: string;
  readonly attributes?: number;
  /** Hexadecimal. */
  readonly data?: string;
  readonly name?: string;
  /** Hexadecimal. */
  readonly vendor?: string;
  /** EFI_TIME_CAPABILITIES, hexadecimal. */
  readonly capabilities?: string;
  readonly count?: number;
  /** What QueryVariableInfo or QueryCapsuleCapabilities gave. */
  readonly results?: readonly number[];
  /** What statfs gave. */
  readonly blockSize?: number;
  readonly blocks?: number;
  readonly free?: number;
  readonly available?: number;
  readonly longestName?: number;
}

/** A call: what it shows, the guest's command, the answer. */
export interface RecordedCall {
  readonly title: string;
  readonly command: string;
  readonly answer: Answer;
}

/** An end of the machine. */
export interface RecordedRestart {
  readonly command: 'restart' | 'power-off';
  /** Word on the kernel command line; empty for none. */
  readonly option: string;
  /** What the kernel, or the firmware for it, wrote at last to devices that end a machine: QEMU's name, address, value. */
  readonly writes: readonly string[];
}

/** A file of efivarfs. */
export interface VariableFile {
  /** `Name-guid`. */
  readonly name: string;
  /** Hexadecimal: four bytes of attributes, little-endian, and the data. */
  readonly bytes: string;
  readonly immutable: boolean;
}

/** What Linux showed about EFI on one configuration. */
export interface LinuxFacts {
  readonly format: 1;
  readonly configuration: ConfigurationName;
  readonly recording: {
    readonly qemu: string;
    /** Debian's package and its version. */
    readonly kernel: string;
    /** SHA-256 of the images. */
    readonly code: string;
    readonly variables: string;
    readonly machine: readonly string[];
    readonly commandLine: string;
    /** Bytes of what the firmware loads: they decide where it puts what comes after. */
    readonly loaded: {
      readonly kernelFile: number;
      /** SizeOfImage in its PE header. */
      readonly kernelImage: number;
      readonly initramfs: number;
    };
  };
  /** Lines of the kernel's log that tell of EFI, without their times. */
  readonly log: readonly string[];
  readonly iomem: readonly string[];
  /** Files directly in /sys/firmware/efi, then its folders but for `runtime-map` and `efivars`. */
  readonly sysfs: Readonly<Record<string, string>>;
  /** /sys/kernel/reboot: the way the kernel would restart the machine. */
  readonly reboot: Readonly<Record<string, string>>;
  readonly restarts: readonly RecordedRestart[];
  /** /sys/firmware/efi/runtime-map in the order of its numbers; numbers in hexadecimal with `0x`. */
  readonly runtimeMap: readonly RuntimeRegion[];
  readonly runtimeServices: readonly RecordedCall[];
  readonly clock: readonly RecordedCall[];
  /** efivarfs before any call, in the order of the names. */
  readonly variables: readonly VariableFile[];
  readonly efivarfs: readonly RecordedCall[];
  /** efivarfs mounted anew after all calls. */
  readonly variablesAfter: readonly VariableFile[];
  /** What the log got during the calls. */
  readonly logAfter: readonly string[];
}

/** A region given to SetVirtualAddressMap. */
export interface RuntimeRegion {
  readonly type: string;
  readonly physicalStart: string;
  readonly virtualStart: string;
  readonly pages: string;
  readonly attribute: string;
}

/** Where the facts of a configuration stand. */
export const factsPath = (configuration: ConfigurationName): string =>
  join(import.meta.dirname, '../facts', `${configuration}.json`);

/** The recorded facts of a configuration. */
export const readLinuxFacts = (configuration: ConfigurationName): LinuxFacts => {
  const path = factsPath(configuration);
  const facts = JSON.parse(readFileSync(path, 'utf8')) as { readonly format?: number };
  if (facts.format !== 1)
    throw new Error(`${path}: format ${String(facts.format)}, expected 1; record it again`);
  return facts as LinuxFacts;
};
