// What both machines boot, and how a recording of it looks.
import { fatVolume } from '@systab/fat-volume';
import { dom0Kernel, unifiedImage } from '../../src/index.ts';

/** Bytes of RAM. */
export const MEMORY: number = 512 * 2 ** 20;

const OPTIONS = 'console=com1 com1=115200,8n1 dom0_mem=64M noreboot';

/** Dom0's kernel has no code: it crashes at its first instruction, Xen shows its registers and stops. */
export const LAST_LINE = "(XEN) Hardware Dom0 crashed: 'noreboot' set - not rebooting.\r\n";

/** A disk that firmware starts Xen from: one image with configuration and kernel. */
export const xenDisk = (hypervisor: Uint8Array): Uint8Array =>
  fatVolume({
    EFI: {
      BOOT: {
        'BOOTX64.EFI': unifiedImage({ hypervisor, kernel: dom0Kernel(), options: OPTIONS }),
      },
    },
  });

/** The serial output of a boot. */
export interface Recording {
  /** Version line of the machine's maker. */
  readonly qemu: string;
  /** SHA-256 of the firmware's images and of the disk, which the recording holds for. */
  readonly code: string;
  readonly vars: string;
  readonly disk: string;
  /** Ends with `LAST_LINE`: one character for each byte. */
  readonly text: string;
}
