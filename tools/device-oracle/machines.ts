// How QEMU is started for each transcript. The operations stand in the transcripts themselves: recording again takes
// them from there and writes new answers. A new transcript starts as a file of bare operations (`outb 70 a`).

export interface Machine {
  /** Extra QEMU arguments; `{rom}` and `{placeholder}` stand for file paths. */
  readonly args?: readonly string[];
  readonly files?: readonly { readonly placeholder: string; readonly bytes: () => Uint8Array }[];
  /** The arguments attach the recorder's image as flash unit 0 in place of `-bios`. */
  readonly flash?: boolean;
  /** Virtual nanoseconds per instruction are 2^shift. */
  readonly shift?: number;
}

const SERIAL = ['-serial', 'null'];

const flashImage = (): Uint8Array =>
  Uint8Array.from({ length: 0x1_0000 }, (_, i) =>
    i < 0x1000 ? 0xff : i < 0x2000 ? i & 0xff : 0xff,
  );
const diskImage = (): Uint8Array =>
  Uint8Array.from({ length: 0x10_0000 }, (_, i) => ((i >> 9) * 7 + i) & 0xff);
/** Begins like a PE image, has no Linux header; a length that is no multiple of a sector. */
const kernelImage = (): Uint8Array => {
  const image = Uint8Array.from({ length: 0x2345 }, (_, i) => (i < 0x40 ? 0 : (i * 3) & 0xff));
  image.set([0x4d, 0x5a]);
  image[0x1f1] = 2;
  return image;
};
/** The same with a Linux boot protocol 2.15 header: one setup sector, loaded high, initrd anywhere below 2 GiB. */
const linuxImage = (): Uint8Array => {
  const image = kernelImage();
  image[0x1f1] = 1;
  image.set([0x48, 0x64, 0x72, 0x53, 0x0f, 0x02], 0x202);
  image[0x211] = 1;
  image.set([0xff, 0xff, 0xff, 0x7f], 0x22c);
  image.set([0, 0], 0x236);
  return image;
};
const initrdImage = (): Uint8Array => Uint8Array.from({ length: 0x1801 }, (_, i) => (i * 5) & 0xff);
const DISK: Machine = {
  args: ['-drive', 'if=ide,index=0,format=raw,file={disk.img}'],
  files: [{ placeholder: 'disk.img', bytes: diskImage }],
};

/** Every machine by the name of its transcript. */
export const machines: Readonly<Record<string, Machine>> = {
  'acpi-pm': { shift: 5 },
  'cpu-hotplug': {},
  flash: {
    flash: true,
    args: [
      '-drive',
      'if=pflash,unit=0,format=raw,readonly=on,file={rom}',
      '-drive',
      'if=pflash,unit=1,format=raw,file={vars.bin}',
    ],
    files: [{ placeholder: 'vars.bin', bytes: flashImage }],
  },
  'fw-cfg': { args: ['-fw_cfg', 'name=opt/org.systab/probe,string=hello', ...SERIAL] },
  'fw-cfg-bzimage': {
    args: ['-kernel', '{bzimage}', '-initrd', '{initrd}', '-append', 'root=/dev/ram0 quiet'],
    files: [
      { placeholder: 'bzimage', bytes: linuxImage },
      { placeholder: 'initrd', bytes: initrdImage },
    ],
  },
  'fw-cfg-kernel': {
    args: ['-kernel', '{kernel.efi}', '-append', 'root=/dev/ram0 quiet'],
    files: [{ placeholder: 'kernel.efi', bytes: kernelImage }],
  },
  'fw-cfg-tables': { args: SERIAL },
  hpet: {},
  i8042: {},
  ide: DISK,
  'ide-absent': {},
  'ide-dma': DISK,
  'io-apic': { args: SERIAL },
  'local-apic': {},
  pci: { args: SERIAL },
  pic: {},
  pit: {},
  reset: {},
  rtc: { shift: 6 },
  'rtc-irq': { shift: 4 },
  uart: { args: SERIAL },
};
