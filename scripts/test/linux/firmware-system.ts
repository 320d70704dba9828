// Our EFI layer on the machine, the firmware and the command line that Linux was recorded with.
import { readFileSync } from 'node:fs';
import { bindPlatform } from '../../../packages/efi-core/src/index.ts';
import { initEfi } from '../../../packages/efi-init/src/index.ts';
import type { EfiInitReport } from '../../../packages/efi-init/src/index.ts';
import { createEfiRuntime } from '../../../packages/efi-runtime/src/index.ts';
import type { EfiRuntime } from '../../../packages/efi-runtime/src/index.ts';
import {
  createBareMetalBackend,
  startFirmware,
  trapStub,
} from '../../../packages/platform-baremetal/src/index.ts';
import { PcMachine, QEMU64_PROFILE } from '../../../packages/x86-emu/src/index.ts';
import { findConfiguration } from '../../../tools/linux-oracle/src/index.ts';
import type { LinuxFacts } from '../../../tools/linux-oracle/src/index.ts';
import { codePath, variableFlash } from '../../../tools/linux-oracle/src/run-linux.ts';

/** The layer after a boot. */
export interface FirmwareSystem {
  readonly pc: PcMachine;
  readonly init: EfiInitReport;
  readonly runtime: EfiRuntime;
}

/** Where a PE image says how much memory it takes (Microsoft's PE format, 3.4.2). */
const PE_HEADER_AT = 0x3c;
const SIZE_OF_IMAGE = 24 + 56;

/** The trap stub in the size of the kernel, so that firmware puts what comes after it where it did for Linux. */
const stubLike = (loaded: LinuxFacts['recording']['loaded']): Uint8Array => {
  const file = new Uint8Array(loaded.kernelFile);
  file.set(trapStub(64));
  const view = new DataView(file.buffer);
  view.setUint32(view.getUint32(PE_HEADER_AT, true) + SIZE_OF_IMAGE, loaded.kernelImage, true);
  return file;
};

/** Boots a configuration up to virtual mode. Throws where the firmware does not start the stub or keeps the machine. */
export const bootLayer = ({ configuration, recording }: LinuxFacts): FirmwareSystem => {
  const { commandLine, loaded } = recording;
  const found = findConfiguration(configuration);
  const pc = new PcMachine({
    memory: 256 * 2 ** 20,
    flash: [
      { image: readFileSync(codePath(found)), readOnly: true },
      { image: variableFlash(found), readOnly: false },
    ],
    profile: QEMU64_PROFILE,
    unassignedReads: 'zeros',
    kernel: {
      kernel: stubLike(loaded),
      initrd: new Uint8Array(loaded.initramfs),
      cmdline: commandLine,
    },
  });
  return startLayer(pc, commandLine);
};

/** Lets the firmware start the stub and brings the layer up on it: a machine as it was made, or after a reset. */
export const startLayer = (pc: PcMachine, commandLine: string): FirmwareSystem => {
  const boot = startFirmware(pc);
  if (!boot.ok) throw new Error(`the boot ended with ${boot.error.kind}`);
  const kernel = boot.value.exit();
  if (!kernel.ok) throw new Error(`ExitBootServices: ${kernel.status.toString(16)}`);
  const tables = bindPlatform(createBareMetalBackend(kernel.value));
  const init = initEfi(tables, { commandLine });
  return { pc, init, runtime: createEfiRuntime(init.efi, tables) };
};
