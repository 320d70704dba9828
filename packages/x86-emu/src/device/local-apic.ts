// Local APIC in xAPIC mode, memory-mapped at 0xfee00000. Source: Intel SDM Vol. 3A, chapter 11 (APIC).
// Timer input: 1 GHz, one count per virtual nanosecond before the divider, as in QEMU. One processor per machine.

import type { Clock, CpuSignals, StateObject, IrqLine, MmioRange } from './ops.ts';
import { createAlarm } from './ops.ts';

export interface LocalApicOps {
  readonly clock: Clock;
  readonly signals: Pick<CpuSignals, 'nmi' | 'init'>;
  /** The processor's interrupt request. */
  readonly request: IrqLine;
  /** The 8259A pair behind LINT0: its request level and its acknowledge cycle. */
  readonly externalInterrupt: {
    readonly pending: () => boolean;
    readonly acknowledge: () => number;
  };
  /** EOI broadcast to the IO-APIC for a level-triggered vector. */
  readonly endOfInterrupt: (vector: number) => void;
}

export type LocalApicState = StateObject & {
  readonly registers: readonly number[];
  readonly lvt: readonly number[];
  readonly isr: Uint8Array;
  readonly tmr: Uint8Array;
  readonly irr: Uint8Array;
  readonly loadTime: number;
  readonly deadline: number;
};

/** How an interrupt message is delivered (SDM 11.6.1). */
export interface InterruptMessage {
  readonly destination: number;
  readonly logical: boolean;
  readonly delivery: number;
  readonly vector: number;
  readonly level: boolean;
}

export interface LocalApic {
  readonly mmioRange: MmioRange;
  /** An interrupt message from the IO-APIC; says whether this APIC took it. */
  readonly deliver: (message: InterruptMessage) => boolean;
  /** The 8259A's request changed. */
  readonly externalChanged: () => void;
  /** Interrupt-acknowledge cycle: the vector to take. */
  readonly acknowledge: () => number;
  /** CR8: bits 7 to 4 of the task priority. */
  readonly taskPriority: () => number;
  readonly setTaskPriority: (cr8: number) => void;
  readonly reset: () => void;
  readonly save: () => LocalApicState;
  readonly load: (state: LocalApicState) => void;
}

export const LOCAL_APIC_BASE = 0xfee0_0000;

/** Delivery modes (SDM 11.5.1). */
export const DELIVERY = {
  FIXED: 0,
  LOWEST: 1,
  SMI: 2,
  NMI: 4,
  INIT: 5,
  STARTUP: 6,
  EXTINT: 7,
} as const;

/** Register numbers: offset divided by 16. */
const REG = {
  ID: 0x02,
  VERSION: 0x03,
  TPR: 0x08,
  PPR: 0x0a,
  EOI: 0x0b,
  LDR: 0x0d,
  DFR: 0x0e,
  SVR: 0x0f,
  ISR: 0x10,
  TMR: 0x18,
  IRR: 0x20,
  ESR: 0x28,
  ICR_LOW: 0x30,
  ICR_HIGH: 0x31,
  LVT_TIMER: 0x32,
  LVT_ERROR: 0x37,
  INITIAL_COUNT: 0x38,
  CURRENT_COUNT: 0x39,
  DIVIDE: 0x3e,
} as const;

// Vectors 0 to 15 are accepted into IRR without an error, as QEMU does; their class never passes the processor priority.

/** Version 0x14 with six LVT entries. */
const VERSION = 0x0005_0014;
const LVT_MASKED = 0x1_0000;
const LVT_PERIODIC = 0x2_0000;
const LVT_COUNT = 6;
const LINT0 = 3;
const SVR_ENABLED = 0x100;
const SVR_MASK = 0x1ff;
const ESR_ILLEGAL_REGISTER = 0x80;
const ICR_SHORTHAND = { NONE: 0, SELF: 1, ALL: 2, OTHERS: 3 } as const;
const BROADCAST = 0xff;

const getBit = (bits: Uint8Array, n: number): boolean => ((bits[n >>> 3]! >>> (n & 7)) & 1) !== 0;
const setBit = (bits: Uint8Array, n: number, on: boolean): void => {
  if (on) bits[n >>> 3]! |= 1 << (n & 7);
  else bits[n >>> 3]! &= ~(1 << (n & 7));
};
const highestBit = (bits: Uint8Array): number => {
  for (let i = 31; i >= 0; i--) if (bits[i] !== 0) return i * 8 + 31 - Math.clz32(bits[i]!);
  return -1;
};
const word = (bits: Uint8Array, n: number): number =>
  new DataView(bits.buffer, bits.byteOffset).getUint32(n * 4, true);

export const createLocalApic = (ops: LocalApicOps): LocalApic => {
  const { clock } = ops;
  let id = 0;
  let tpr = 0;
  let logicalId = 0;
  let destinationFormat = 0xf;
  let svr = 0xff;
  let esr = 0;
  let icrLow = 0;
  let icrHigh = 0;
  let initialCount = 0;
  let divide = 0;
  let loadTime = 0;
  const lvt = new Uint32Array(LVT_COUNT).fill(LVT_MASKED);
  const isr = new Uint8Array(32);
  const tmr = new Uint8Array(32);
  const irr = new Uint8Array(32);

  const enabled = (): boolean => (svr & SVR_ENABLED) !== 0;
  const processorPriority = (): number => {
    const serving = Math.max(highestBit(isr), 0);
    return tpr >>> 4 >= serving >>> 4 ? tpr : serving & 0xf0;
  };
  /** The vector that is ready to be taken, -1 if none passes the processor priority. */
  const ready = (): number => {
    if (!enabled()) return -1;
    const vector = highestBit(irr);
    return vector >= 0 && vector >>> 4 > processorPriority() >>> 4 ? vector : -1;
  };
  /** The 8259A reaches the processor through LINT0 in ExtINT mode, software-enabled or not. */
  const externalReady = (): boolean =>
    (lvt[LINT0]! & LVT_MASKED) === 0 &&
    ((lvt[LINT0]! >>> 8) & 7) === DELIVERY.EXTINT &&
    ops.externalInterrupt.pending();
  const update = (): void => ops.request.set(ready() >= 0 || externalReady());

  const request = (vector: number, level: boolean): void => {
    setBit(irr, vector, true);
    setBit(tmr, vector, level);
    update();
  };
  const accept = (delivery: number, vector: number, level: boolean): void => {
    switch (delivery) {
      case DELIVERY.FIXED:
      case DELIVERY.LOWEST:
        request(vector, level);
        return;
      case DELIVERY.NMI:
        ops.signals.nmi();
        return;
      case DELIVERY.INIT:
        ops.signals.init();
        return;
      case DELIVERY.EXTINT:
        request(ops.externalInterrupt.acknowledge(), level);
        return;
      default:
      // SMI and STARTUP: no system management mode, no second processor.
    }
  };

  const addressed = (destination: number, logical: boolean): boolean => {
    if (destination === BROADCAST) return true;
    if (!logical) return destination === id;
    if (destinationFormat === 0xf) return (destination & logicalId) !== 0;
    // Cluster model: bits 7 to 4 name the cluster, 3 to 0 the members.
    return destination >>> 4 === logicalId >>> 4 && (destination & logicalId & 0x0f) !== 0;
  };

  const sendIpi = (): void => {
    const delivery = (icrLow >>> 8) & 7;
    const vector = icrLow & 0xff;
    const logical = ((icrLow >>> 11) & 1) !== 0;
    const shorthand = (icrLow >>> 18) & 3;
    if (shorthand === ICR_SHORTHAND.OTHERS) return;
    // INIT level de-assert only synchronises arbitration ids.
    if (delivery === DELIVERY.INIT && (icrLow & 0xc000) === 0x8000) return;
    if (shorthand === ICR_SHORTHAND.NONE && !addressed(icrHigh >>> 24, logical)) return;
    accept(delivery, vector, false);
  };

  /** Divide configuration bits 3, 1 and 0: 2, 4, 8, … 128, 1 (SDM figure 11-10). */
  const shift = (): number => (((divide & 3) | ((divide >>> 1) & 4)) + 1) & 7;
  const counted = (): number => Math.floor((clock.now() - loadTime) / 2 ** shift());
  const periodicMode = (): boolean => (lvt[0]! & LVT_PERIODIC) !== 0;
  const currentCount = (): number => {
    const passed = counted();
    if (periodicMode()) return initialCount - (passed % (initialCount + 1));
    return Math.max(initialCount - passed, 0);
  };
  const timer = createAlarm(clock, () => {
    if ((lvt[0]! & LVT_MASKED) === 0) request(lvt[0]! & 0xff, false);
    scheduleTimer();
  });
  const scheduleTimer = (): void => {
    timer.clear();
    if ((lvt[0]! & LVT_MASKED) !== 0 || initialCount === 0) return;
    const period = initialCount + 1;
    const passed = counted();
    if (!periodicMode() && passed >= initialCount) return;
    const next = periodicMode() ? (Math.floor(passed / period) + 1) * period : period;
    timer.set(loadTime + next * 2 ** shift());
  };

  const endOfInterrupt = (): void => {
    const vector = highestBit(isr);
    if (vector < 0) return;
    setBit(isr, vector, false);
    if (getBit(tmr, vector)) ops.endOfInterrupt(vector);
    update();
  };

  const read = (reg: number): number => {
    if (reg >= REG.ISR && reg < REG.ISR + 8) return word(isr, reg - REG.ISR);
    if (reg >= REG.TMR && reg < REG.TMR + 8) return word(tmr, reg - REG.TMR);
    if (reg >= REG.IRR && reg < REG.IRR + 8) return word(irr, reg - REG.IRR);
    if (reg >= REG.LVT_TIMER && reg <= REG.LVT_ERROR) return lvt[reg - REG.LVT_TIMER]!;
    switch (reg) {
      case REG.ID:
        return id << 24;
      case REG.VERSION:
        return VERSION;
      case REG.TPR:
        return tpr;
      case REG.PPR:
        return processorPriority();
      case REG.EOI:
      case 0x09:
        return 0;
      case REG.LDR:
        return logicalId << 24;
      case REG.DFR:
        return (destinationFormat << 28) | 0x0fff_ffff;
      case REG.SVR:
        return svr;
      case REG.ESR:
        return esr;
      case REG.ICR_LOW:
        return icrLow;
      case REG.ICR_HIGH:
        return icrHigh;
      case REG.INITIAL_COUNT:
        return initialCount;
      case REG.CURRENT_COUNT:
        return currentCount();
      case REG.DIVIDE:
        return divide;
      default:
        esr |= ESR_ILLEGAL_REGISTER;
        return 0;
    }
  };
  const write = (reg: number, value: number): void => {
    if (reg >= REG.LVT_TIMER && reg <= REG.LVT_ERROR) {
      lvt[reg - REG.LVT_TIMER] = value;
      if (reg === REG.LVT_TIMER) scheduleTimer();
      update();
      return;
    }
    switch (reg) {
      case REG.ID:
        id = value >>> 24;
        return;
      case REG.TPR:
        tpr = value & 0xff;
        update();
        return;
      case REG.EOI:
        endOfInterrupt();
        return;
      case REG.LDR:
        logicalId = value >>> 24;
        return;
      case REG.DFR:
        destinationFormat = value >>> 28;
        return;
      case REG.SVR:
        svr = value & SVR_MASK;
        update();
        return;
      case REG.ICR_LOW:
        icrLow = value;
        sendIpi();
        return;
      case REG.ICR_HIGH:
        icrHigh = value;
        return;
      case REG.INITIAL_COUNT:
        initialCount = value;
        loadTime = clock.now();
        scheduleTimer();
        return;
      case REG.DIVIDE:
        divide = value & 0xb;
        return;
      case REG.VERSION:
      case REG.PPR:
      case REG.ESR:
      case REG.CURRENT_COUNT:
        return;
      default:
        if (reg < REG.ISR || reg >= REG.ESR) esr |= ESR_ILLEGAL_REGISTER;
    }
  };

  return {
    mmioRange: {
      name: 'local APIC',
      base: LOCAL_APIC_BASE,
      length: 0x1000,
      maxSize: 4,
      handler: {
        // Registers are 32 bits wide on 16-byte boundaries; anything narrower is undefined (SDM 11.4.1) and reads 0.
        read: (offset, size) => (size === 4 ? read((offset >>> 4) & 0xff) >>> 0 : 0),
        write: (offset, size, value) => {
          if (size === 4) write((offset >>> 4) & 0xff, value);
        },
      },
    },
    deliver: (message) => {
      if (!addressed(message.destination, message.logical)) return false;
      accept(message.delivery, message.vector, message.level);
      return true;
    },
    externalChanged: update,
    acknowledge: () => {
      const vector = ready();
      if (vector >= 0) {
        setBit(irr, vector, false);
        setBit(isr, vector, true);
        update();
        return vector;
      }
      if (externalReady()) {
        const external = ops.externalInterrupt.acknowledge();
        update();
        return external;
      }
      return svr & 0xff;
    },
    taskPriority: () => tpr >>> 4,
    setTaskPriority: (cr8) => {
      tpr = (cr8 & 0x0f) << 4;
      update();
    },
    reset: () => {
      id = tpr = logicalId = esr = icrLow = icrHigh = initialCount = divide = loadTime = 0;
      destinationFormat = 0xf;
      svr = 0xff;
      lvt.fill(LVT_MASKED);
      for (const bits of [isr, tmr, irr]) bits.fill(0);
      timer.clear();
      update();
    },
    save: () => ({
      registers: [
        id,
        tpr,
        logicalId,
        destinationFormat,
        svr,
        esr,
        icrLow,
        icrHigh,
        initialCount,
        divide,
      ],
      lvt: [...lvt],
      isr: isr.slice(),
      tmr: tmr.slice(),
      irr: irr.slice(),
      loadTime,
      deadline: timer.deadline(),
    }),
    load: (state) => {
      [id = 0, tpr = 0, logicalId = 0, destinationFormat = 0, svr = 0, esr = 0] = state.registers;
      [icrLow = 0, icrHigh = 0, initialCount = 0, divide = 0] = state.registers.slice(6);
      lvt.set(state.lvt);
      isr.set(state.isr);
      tmr.set(state.tmr);
      irr.set(state.irr);
      ({ loadTime } = state);
      timer.set(state.deadline);
      update();
    },
  };
};
