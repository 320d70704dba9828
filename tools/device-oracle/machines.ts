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
