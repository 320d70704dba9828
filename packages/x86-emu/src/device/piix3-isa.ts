// PIIX3 PCI-to-ISA bridge, PCI function 8086:7000: power-on contents and the routing of PIRQA to PIRQD.
// Datasheet: Intel 82371SB (PIIX3), 290550, 2.1 and 2.1.11 (PIRQRC).

import type { PciFunction } from './pci-host.ts';
import { createPciFunction } from './pci-host.ts';

const PIRQRC = 0x60;
const PIRQ_DISABLED = 0x80;
const ROUTES = 4;

export interface Piix3Isa {
  readonly pci: PciFunction;
  /** Level of one of the four PCI interrupt wires (0 = PIRQA). */
  readonly setPirq: (pirq: number, level: boolean) => void;
  /** Drives the ISA interrupts again from the restored wires. */
  readonly saveLines: () => number;
  readonly loadLines: (lines: number) => void;
}

/** `setIrq` drives an ISA interrupt from the PCI side. */
export const createPiix3Isa = (setIrq: (irq: number, level: boolean) => void): Piix3Isa => {
  let lines = 0;
  const driven = new Set<number>();

  const route = (): void => {
    const wanted = new Set<number>();
    for (let pirq = 0; pirq < ROUTES; pirq++) {
      const target = pci.config[PIRQRC + pirq]!;
      if (((lines >>> pirq) & 1) !== 0 && (target & PIRQ_DISABLED) === 0) wanted.add(target & 0x0f);
    }
    for (const irq of driven) if (!wanted.has(irq)) setIrq(irq, false);
    for (const irq of wanted) if (!driven.has(irq)) setIrq(irq, true);
    driven.clear();
    for (const irq of wanted) driven.add(irq);
  };

  let ready = false;
  const pci: PciFunction = createPciFunction({
    device: 1,
    function: 0,
    vendorId: 0x8086,
    deviceId: 0x7000,
    revision: 0,
    classCode: [0x06, 0x01, 0x00],
    status: 0x0200,
    multifunction: true,
    contents: {
      76: 77,
      78: 3,
      96: 128,
      97: 128,
      98: 128,
      99: 128,
      105: 2,
      112: 128,
      118: 12,
      119: 12,
      120: 2,
      160: 8,
      168: 15,
    },
    onWrite: (_config, offset, size) => {
      if (ready && offset < PIRQRC + ROUTES && offset + size > PIRQRC) route();
    },
  });
  ready = true;

  return {
    pci,
    setPirq: (pirq, level) => {
      lines = level ? lines | (1 << pirq) : lines & ~(1 << pirq);
      route();
    },
    saveLines: () => lines,
    loadLines: (saved) => {
      lines = saved;
      route();
    },
  };
};
