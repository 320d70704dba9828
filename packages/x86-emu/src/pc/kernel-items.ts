// The fw_cfg items by which QEMU's `-kernel`, `-initrd` and `-append` hand an image to the firmware.
// Source: Linux boot protocol (Documentation/arch/x86/boot.rst); QEMU 7.2's placement of the parts.

import type { FwCfgContent } from '../device/fw-cfg.ts';
import { FW_CFG } from '../device/fw-cfg.ts';

export interface KernelOptions {
  /** A bzImage or any PE image. */
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly cmdline?: string;
}

const SECTOR = 512;
const SETUP_SECTS = 0x1f1;
const DEFAULT_SETUP_SECTS = 4;
const HEADER_MAGIC = 0x202;
const HDRS = 0x5372_6448;
const PROTOCOL = 0x206;
const TYPE_OF_LOADER = 0x210;
const LOADFLAGS = 0x211;
const RAMDISK_IMAGE = 0x218;
const RAMDISK_SIZE = 0x21c;
const HEAP_END = 0x224;
const CMD_LINE_PTR = 0x228;
const INITRD_ADDR_MAX = 0x22c;
/** Loader type "QEMU". */
const QEMU_LOADER = 0xb0;
const LOADED_HIGH = 0x01;
const CAN_USE_HEAP = 0x80;
const OLD_CMDLINE_MAGIC = 0xa33f;
const DEFAULT_INITRD_MAX = 0x37ff_ffff;
/** Space kept at the end of low memory for ACPI tables. */
const ACPI_RESERVE = 0x2_8000;

const word32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

/**
 * The items for one image.
 * @throws Error when a Linux image is shorter than the setup part that its header announces, or the initrd does not fit
 */
export const kernelItems = (
  options: KernelOptions,
  memoryBelow: number,
): ReadonlyMap<number, FwCfgContent> => {
  const image = options.kernel.slice();
  const view = new DataView(image.buffer);
  if (image.length < 0x230)
    throw new Error(`kernel image of ${image.length} bytes has no room for a header`);
  const protocol = view.getUint32(HEADER_MAGIC, true) === HDRS ? view.getUint16(PROTOCOL, true) : 0;
  const high = protocol >= 0x200 && (image[LOADFLAGS]! & LOADED_HIGH) !== 0;
  const cmdline = new TextEncoder().encode(`${options.cmdline ?? ''}\0`);
  const padded = (cmdline.length + 15) & ~15;
  const realAddress = high ? 0x1_0000 : 0x9_0000;
  const cmdlineAddress = high ? 0x2_0000 : 0x9_a000 - padded;
  const protectedAddress = high ? 0x10_0000 : 0x1_0000;

  if (protocol >= 0x202) view.setUint32(CMD_LINE_PTR, cmdlineAddress, true);
  else if (protocol > 0) {
    view.setUint16(0x20, OLD_CMDLINE_MAGIC, true);
    view.setUint16(0x22, (cmdlineAddress - realAddress) & 0xffff, true);
  }
  if (protocol >= 0x200) image[TYPE_OF_LOADER] = QEMU_LOADER;
  if (protocol >= 0x201) {
    image[LOADFLAGS]! |= CAN_USE_HEAP;
    view.setUint16(HEAP_END, (cmdlineAddress - realAddress - 0x200) & 0xffff, true);
  }

  const items = new Map<number, FwCfgContent>();
  if (options.initrd !== undefined) {
    const announced =
      protocol >= 0x203 ? view.getUint32(INITRD_ADDR_MAX, true) : DEFAULT_INITRD_MAX;
    const limit = Math.min(announced, memoryBelow - ACPI_RESERVE - 1);
    if (options.initrd.length >= limit)
      throw new Error(`initrd of ${options.initrd.length} bytes does not fit below ${limit}`);
    const address = (limit - options.initrd.length) & ~0xfff;
    items.set(FW_CFG.INITRD_ADDR, word32(address));
    items.set(FW_CFG.INITRD_SIZE, word32(options.initrd.length));
    items.set(FW_CFG.INITRD_DATA, options.initrd);
    if (protocol >= 0x200) {
      view.setUint32(RAMDISK_IMAGE, address, true);
      view.setUint32(RAMDISK_SIZE, options.initrd.length, true);
    }
  }

  const announcedSetup = ((image[SETUP_SECTS]! || DEFAULT_SETUP_SECTS) + 1) * SECTOR;
  if (protocol > 0 && announcedSetup > image.length)
    throw new Error(
      `kernel image of ${image.length} bytes is shorter than its setup part of ${announcedSetup}`,
    );
  // Without a Linux header that byte means nothing; firmware puts the two parts together again.
  const setupSize =
    announcedSetup > image.length
      ? Math.min((DEFAULT_SETUP_SECTS + 1) * SECTOR, image.length)
      : announcedSetup;
  items.set(FW_CFG.CMDLINE_ADDR, word32(cmdlineAddress));
  items.set(FW_CFG.CMDLINE_SIZE, word32(cmdline.length));
  items.set(FW_CFG.CMDLINE_DATA, cmdline);
  items.set(FW_CFG.KERNEL_ADDR, word32(protectedAddress));
  items.set(FW_CFG.KERNEL_SIZE, word32(image.length - setupSize));
  items.set(FW_CFG.KERNEL_DATA, image.subarray(setupSize));
  items.set(FW_CFG.SETUP_ADDR, word32(realAddress));
  items.set(FW_CFG.SETUP_SIZE, word32(setupSize));
  items.set(FW_CFG.SETUP_DATA, image.subarray(0, setupSize));
  return items;
};
