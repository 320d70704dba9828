// IO-APIC at 0xfec00000, 24 pins. Datasheet: Intel 82093AA (290566); version 0x20 as QEMU reports it.

import type { StateObject, IoHandler, MmioRange } from './ops.ts';
import type { InterruptMessage } from './local-apic.ts';
import { DELIVERY } from './local-apic.ts';

export interface IoApicOps {
  readonly deliver: (message: InterruptMessage) => boolean;
}

export type IoApicState = StateObject & {
  readonly id: number;
  readonly index: number;
  readonly lines: number;
  readonly irr: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
};

export interface IoApic {
  readonly mmioRange: MmioRange;
  readonly setPin: (pin: number, level: boolean) => void;
  /** EOI message for a level-triggered vector: clears remote IRR and delivers again if the line is still up. */
  readonly endOfInterrupt: (vector: number) => void;
  readonly reset: () => void;
  readonly save: () => IoApicState;
  readonly load: (state: IoApicState) => void;
}

export const IO_APIC_BASE = 0xfec0_0000;
export const IO_APIC_PINS = 24;
const IO_APIC_VERSION = 0x20;

const IOREGSEL = 0x00;
const IOWIN = 0x10;
const IOAPICID = 0x00;
const IOAPICVER = 0x01;
const IOAPICARB = 0x02;
const IOREDTBL = 0x10;

const MASKED = 0x1_0000;
const LEVEL = 0x8000;
const REMOTE_IRR = 0x4000;
const DELIVERY_STATUS = 0x1000;
const LOGICAL = 0x0800;
const READ_ONLY = REMOTE_IRR | DELIVERY_STATUS;

export const createIoApic = (ops: IoApicOps): IoApic => {
  let id = 0;
  let index = 0;
  /** Levels of the pins, and requests not delivered yet. */
  let lines = 0;
  let irr = 0;
  const low = new Uint32Array(IO_APIC_PINS).fill(MASKED);
  const high = new Uint32Array(IO_APIC_PINS);

  const service = (): void => {
    for (let pin = 0; pin < IO_APIC_PINS; pin++) {
      const bit = 1 << pin;
      const entry = low[pin]!;
      if ((irr & bit) === 0 || (entry & MASKED) !== 0) continue;
      const level = (entry & LEVEL) !== 0;
      if (level) {
        // Delivered and not ended yet: the next one waits for the EOI.
        if ((entry & REMOTE_IRR) !== 0) continue;
        low[pin]! |= REMOTE_IRR;
      } else irr &= ~bit;
      ops.deliver({
        destination: high[pin]! >>> 24,
        logical: (entry & LOGICAL) !== 0,
        delivery: (entry >>> 8) & 7,
        vector: entry & 0xff,
        level: level && ((entry >>> 8) & 7) !== DELIVERY.EXTINT,
      });
    }
  };

  const readRegister = (): number => {
    if (index === IOAPICID || index === IOAPICARB) return id << 24;
    if (index === IOAPICVER) return ((IO_APIC_PINS - 1) << 16) | IO_APIC_VERSION;
    const pin = (index - IOREDTBL) >> 1;
    if (pin < 0 || pin >= IO_APIC_PINS) return 0;
    return (index & 1) === 0 ? low[pin]! : high[pin]!;
  };
  const writeRegister = (value: number): void => {
    if (index === IOAPICID) id = (value >>> 24) & 0x0f;
    const pin = (index - IOREDTBL) >> 1;
    if (pin < 0 || pin >= IO_APIC_PINS) return;
    if ((index & 1) !== 0) high[pin] = value;
    else {
      low[pin] = (value & ~READ_ONLY) | (low[pin]! & READ_ONLY);
      // Remote IRR means nothing for an edge-triggered entry.
      if ((value & LEVEL) === 0) low[pin] &= ~REMOTE_IRR;
    }
    service();
  };

  const handler: IoHandler = {
    read: (offset) => {
      if (offset === IOREGSEL) return index;
      return offset === IOWIN ? readRegister() >>> 0 : 0;
    },
    write: (offset, _size, value) => {
      if (offset === IOREGSEL) index = value & 0xff;
      else if (offset === IOWIN) writeRegister(value);
    },
  };

  return {
    mmioRange: { name: 'IO-APIC', base: IO_APIC_BASE, length: 0x1000, maxSize: 4, handler },
    setPin: (pin, level) => {
      const bit = 1 << pin;
      const was = (lines & bit) !== 0;
      lines = level ? lines | bit : lines & ~bit;
      if ((low[pin]! & LEVEL) !== 0) {
        irr = level ? irr | bit : irr & ~bit;
        if (level) service();
      } else if (level && !was && (low[pin]! & MASKED) === 0) {
        // An edge at a masked pin is lost (datasheet 3.2.4, interrupt mask).
        irr |= bit;
        service();
      }
    },
    endOfInterrupt: (vector) => {
      for (let pin = 0; pin < IO_APIC_PINS; pin++) {
        const entry = low[pin]!;
        if ((entry & 0xff) !== vector || (entry & LEVEL) === 0) continue;
        low[pin] = entry & ~REMOTE_IRR;
      }
      service();
    },
    reset: () => {
      id = index = irr = 0;
      low.fill(MASKED);
      high.fill(0);
    },
    save: () => ({ id, index, lines, irr, low: [...low], high: [...high] }),
    load: (state) => {
      ({ id, index, lines, irr } = state);
      low.set(state.low);
      high.set(state.high);
    },
  };
};
