// The differentiated system description table: what an operating system needs to know of this machine's ISA and PCI
// devices. Our own program, shorter than QEMU's (no hotplug of PCI devices or processors, no floppy, no debug method).

import type { Aml } from './aml.ts';
import * as aml from './aml.ts';
import { HPET_BASE } from '../device/hpet.ts';
import { GPE0_BASE, GPE0_LENGTH, SLEEP_TYPES } from '../device/acpi-pm.ts';

export interface DsdtOptions {
  readonly cpus: number;
  readonly hpet: boolean;
  readonly serial: boolean;
  readonly keyboard: boolean;
  /** First address after RAM below 4 GiB: start of the 32-bit PCI window. */
  readonly pciWindow: number;
}

const IO_APIC_BASE = 0xfec0_0000;
const PRESENT = 0x0f;
const PRESENT_HIDDEN = 0x0b;
const PRESENT_DISABLED = 0x09;
const ROUTE_OFF = 0x80;
/** Slots 0 to 31 with four pins each: slot and pin together choose a link. */
const LINK_OF_SUM = ['LNKD', 'LNKA', 'LNKB', 'LNKC'] as const;
const PM_SLOT = 1;

const present = (status: number): Aml => aml.name('_STA', aml.integer(status));

const routingTable = (): Aml => {
  const entries: Aml[] = [];
  for (let slot = 1; slot < 32; slot++)
    for (let pin = 0; pin < 4; pin++) {
      // The power-management function's pin A is wired to IRQ 9, not routed.
      const link = slot === PM_SLOT && pin === 0 ? 'LNKS' : LINK_OF_SUM[(slot + pin) & 3]!;
      entries.push(
        aml.pkg(
          aml.integer(slot * 0x10000 + 0xffff),
          aml.integer(pin),
          aml.path(link),
          aml.integer(0),
        ),
      );
    }
  return aml.name('_PRT', aml.pkg(...entries));
};

/** A PCI interrupt link: its IRQ is a byte of PIIX3's PIRQRC. */
const link = (name: string, uid: number, register: string): Aml =>
  aml.device(
    name,
    aml.name('_HID', aml.eisaId('PNP0C0F')),
    aml.name('_UID', aml.integer(uid)),
    aml.name('_PRS', aml.resources(aml.interrupt(5, 10, 11))),
    aml.method(
      '_STA',
      0,
      false,
      aml.ifThen(
        aml.and(aml.path(register), aml.integer(ROUTE_OFF)),
        aml.ret(aml.integer(PRESENT_DISABLED)),
      ),
      aml.ret(aml.integer(PRESENT_HIDDEN)),
    ),
    aml.method(
      '_DIS',
      0,
      false,
      aml.orInto(aml.path(register), aml.integer(ROUTE_OFF), aml.path(register)),
    ),
    aml.method(
      '_CRS',
      0,
      true,
      aml.name('RES', aml.resources(aml.interrupt(0))),
      // The number stands after tag, length, flags and count.
      aml.createDWordField(aml.path('RES'), 5, 'NUM'),
      aml.store(aml.and(aml.path(register), aml.integer(0x0f)), aml.path('NUM')),
      aml.ret(aml.path('RES')),
    ),
    aml.method(
      '_SRS',
      1,
      false,
      aml.createDWordField(aml.arg0, 5, 'NUM'),
      aml.store(aml.path('NUM'), aml.path(register)),
    ),
  );

const fixedLink = (): Aml =>
  aml.device(
    'LNKS',
    aml.name('_HID', aml.eisaId('PNP0C0F')),
    aml.name('_UID', aml.integer(4)),
    present(PRESENT_HIDDEN),
    aml.name('_PRS', aml.resources(aml.interrupt(9))),
    aml.name('_CRS', aml.resources(aml.interrupt(9))),
    aml.method('_DIS', 0, false),
    aml.method('_SRS', 1, false),
  );

const isaDevices = (options: DsdtOptions): Aml[] => {
  const list = [
    aml.device(
      'RTC',
      aml.name('_HID', aml.eisaId('PNP0B00')),
      aml.name('_CRS', aml.resources(aml.io(0x70, 1, 8), aml.irqNoFlags(8))),
    ),
  ];
  if (options.keyboard)
    list.push(
      aml.device(
        'KBD',
        aml.name('_HID', aml.eisaId('PNP0303')),
        present(PRESENT),
        aml.name('_CRS', aml.resources(aml.io(0x60, 1, 1), aml.io(0x64, 1, 1), aml.irqNoFlags(1))),
      ),
      aml.device(
        'MOU',
        aml.name('_HID', aml.eisaId('PNP0F13')),
        present(PRESENT),
        aml.name('_CRS', aml.resources(aml.irqNoFlags(12))),
      ),
    );
  if (options.serial)
    list.push(
      aml.device(
        'COM1',
        aml.name('_HID', aml.eisaId('PNP0501')),
        aml.name('_UID', aml.integer(1)),
        present(PRESENT),
        aml.name('_CRS', aml.resources(aml.io(0x3f8, 0, 8), aml.irqNoFlags(4))),
      ),
    );
  return list;
};

const pciBridge = (options: DsdtOptions): Aml =>
  aml.device(
    'PCI0',
    aml.name('_HID', aml.eisaId('PNP0A03')),
    aml.name('_ADR', aml.integer(0)),
    aml.name('_UID', aml.integer(0)),
    aml.name(
      '_CRS',
      aml.resources(
        aml.wordBusNumber(0x00, 0xff),
        aml.io(0x0cf8, 1, 8),
        aml.wordIo(0x0000, 0x0cf7),
        aml.wordIo(0x0d00, 0xffff),
        aml.dwordMemory(true, 0xa_0000, 0xb_ffff),
        aml.dwordMemory(false, options.pciWindow, IO_APIC_BASE - 1),
      ),
    ),
    routingTable(),
    aml.device(
      'ISA',
      aml.name('_ADR', aml.integer(0x1_0000)),
      aml.operationRegion('PIRQ', aml.REGION.PCI_CONFIG, 0x60, 4),
      aml.field('PIRQ', [
        ['PRQ0', 8],
        ['PRQ1', 8],
        ['PRQ2', 8],
        ['PRQ3', 8],
      ]),
      ...isaDevices(options),
    ),
    aml.device(
      'GPE0',
      aml.name('_HID', aml.eisaId('PNP0A06')),
      aml.name('_UID', aml.string('GPE0 resources')),
      present(PRESENT_HIDDEN),
      aml.name('_CRS', aml.resources(aml.io(GPE0_BASE, 1, GPE0_LENGTH))),
    ),
    aml.device(
      'FWCF',
      aml.name('_HID', aml.string('QEMU0002')),
      present(PRESENT_HIDDEN),
      aml.name('_CRS', aml.resources(aml.io(0x510, 1, 12))),
    ),
  );

const sleepState = (state: string, type: number): Aml =>
  aml.name(state, aml.pkg(aml.integer(type), aml.integer(type), aml.integer(0), aml.integer(0)));

/** The table's definition block, without its header. */
export const buildDsdt = (options: DsdtOptions): Aml =>
  aml.terms(
    aml.scope(
      '\\_SB',
      pciBridge(options),
      ...(['LNKA', 'LNKB', 'LNKC', 'LNKD'] as const).map((name, i) =>
        link(name, i, `\\_SB.PCI0.ISA.PRQ${i}`),
      ),
      fixedLink(),
      ...(options.hpet
        ? [
            aml.device(
              'HPET',
              aml.name('_HID', aml.eisaId('PNP0103')),
              aml.name('_UID', aml.integer(0)),
              present(PRESENT),
              aml.name('_CRS', aml.resources(aml.memory32Fixed(false, HPET_BASE, 0x400))),
            ),
          ]
        : []),
      ...Array.from({ length: options.cpus }, (_, i) =>
        aml.processor(`C${i.toString(16).toUpperCase().padStart(3, '0')}`, i),
      ),
    ),
    sleepState('\\_S3', SLEEP_TYPES.S3),
    sleepState('\\_S4', SLEEP_TYPES.S4),
    sleepState('\\_S5', SLEEP_TYPES.S5),
  );
