// Two cascaded 8259A interrupt controllers at 0x20 and 0xa0, with PIIX3's edge/level registers at 0x4d0.
// Datasheets: Intel 8259A (231468); Intel 82371SB (PIIX3), 290550, 2.5.3.2 (ELCR).

import type { StateObject, IoHandler, IrqLine, PortRange } from './ops.ts';

export interface PicOps {
  /** The INT output of the master. */
  readonly output: IrqLine;
}

export type PicState = StateObject & { readonly master: Uint8Array; readonly slave: Uint8Array };

export interface Pic {
  readonly portRanges: readonly PortRange[];
  /** Sets one of the 16 inputs; input 2 is the cascade and not connected. */
  readonly setIrq: (irq: number, level: boolean) => void;
  /** Interrupt-acknowledge cycle: the vector, a spurious one (IR7) when the request has gone. */
  readonly acknowledge: () => number;
  readonly pending: () => boolean;
  readonly reset: () => void;
  readonly save: () => PicState;
  readonly load: (state: PicState) => void;
}

const ICW1 = 0x10;
const ICW1_NEEDS_ICW4 = 0x01;
const ICW1_SINGLE = 0x02;
const ICW4_AUTO_EOI = 0x02;
const ICW4_FULLY_NESTED = 0x10;
const OCW3 = 0x08;
const OCW3_READ = 0x02;
const OCW3_READ_ISR = 0x01;
const OCW3_POLL = 0x04;
const OCW3_SET_MASK_MODE = 0x40;
const OCW3_MASK_MODE = 0x20;
const SPURIOUS = 7;

/** Inputs that PIIX3 lets be level-triggered: not 0, 1, 2, 8 and 13. */
const ELCR_MASKS = [0xf8, 0xde] as const;

interface Chip {
  readonly handler: IoHandler;
  readonly elcr: IoHandler;
  readonly set: (input: number, level: boolean) => void;
  /** The input to be served, undefined if none. */
  readonly highest: () => number | undefined;
  readonly acknowledge: (input: number) => void;
  readonly vector: (input: number) => number;
  readonly reset: () => void;
  readonly save: () => Uint8Array;
  readonly load: (bytes: Uint8Array) => void;
}

const createChip = (master: boolean, elcrMask: number, changed: () => void): Chip => {
  let irr = 0;
  let imr = 0;
  let isr = 0;
  let lines = 0;
  let elcr = 0;
  let base = 0;
  /** Number of the input with the highest priority. */
  let top = 0;
  let initStep = 0;
  let icw1 = 0;
  let icw4 = 0;
  let readIsr = false;
  let poll = false;
  let specialMask = false;
  let rotateOnAutoEoi = false;

  /** Distance of the highest-priority set bit from `top`, 8 if there is none. */
  const rank = (bits: number): number => {
    for (let distance = 0; distance < 8; distance++)
      if (((bits >>> ((top + distance) & 7)) & 1) !== 0) return distance;
    return 8;
  };
  const highest = (): number | undefined => {
    const request = rank(irr & ~imr);
    if (request === 8) return undefined;
    let serving = specialMask ? isr & ~imr : isr;
    // Special fully nested mode: the slave may interrupt its own service (datasheet, "Special fully nested mode").
    if (master && (icw4 & ICW4_FULLY_NESTED) !== 0) serving &= ~(1 << 2);
    return request < rank(serving) ? (top + request) & 7 : undefined;
  };
  const acknowledge = (input: number): void => {
    if ((icw4 & ICW4_AUTO_EOI) === 0) isr |= 1 << input;
    else if (rotateOnAutoEoi) top = (input + 1) & 7;
    if (((elcr >>> input) & 1) === 0) irr &= ~(1 << input);
    changed();
  };
  const endOfInterrupt = (input: number): void => {
    isr &= ~(1 << input);
  };

  /** OCW2: R, SL, EOI in bits 7 to 5. */
  const command = (value: number): void => {
    const level = value & 7;
    const served = rank(isr);
    switch (value >>> 5) {
      case 0:
      case 4:
        rotateOnAutoEoi = value >>> 5 === 4;
        return;
      case 1:
      case 5:
        if (served === 8) return;
        {
          const input = (top + served) & 7;
          endOfInterrupt(input);
          if (value >>> 5 === 5) top = (input + 1) & 7;
        }
        return;
      case 3:
        endOfInterrupt(level);
        return;
      case 6:
        top = (level + 1) & 7;
        return;
      case 7:
        endOfInterrupt(level);
        top = (level + 1) & 7;
        return;
      default:
      // 2: no operation.
    }
  };

  const initialise = (value: number): void => {
    imr = isr = icw4 = top = 0;
    // The edge sense is reset: an input must go low and high again (datasheet, ICW1). Level inputs stay.
    irr &= elcr;
    readIsr = specialMask = rotateOnAutoEoi = poll = false;
    icw1 = value;
    initStep = 2;
  };

  const writeData = (value: number): void => {
    switch (initStep) {
      case 2:
        base = value & 0xf8;
        initStep = (icw1 & ICW1_SINGLE) !== 0 ? ((icw1 & ICW1_NEEDS_ICW4) !== 0 ? 4 : 0) : 3;
        return;
      case 3:
        initStep = (icw1 & ICW1_NEEDS_ICW4) !== 0 ? 4 : 0;
        return;
      case 4:
        icw4 = value;
        initStep = 0;
        return;
      default:
        imr = value;
    }
  };

  const pollWord = (): number => {
    const input = highest();
    if (input === undefined) return 0;
    acknowledge(input);
    return 0x80 | input;
  };

  return {
    handler: {
      read: (offset) => {
        if (poll) {
          poll = false;
          return pollWord();
        }
        if (offset === 1) return imr;
        return readIsr ? isr : irr;
      },
      write: (offset, _size, value) => {
        if (offset === 1) writeData(value);
        else if ((value & ICW1) !== 0) initialise(value);
        else if ((value & OCW3) !== 0) {
          poll = (value & OCW3_POLL) !== 0;
          if ((value & OCW3_READ) !== 0) readIsr = (value & OCW3_READ_ISR) !== 0;
          if ((value & OCW3_SET_MASK_MODE) !== 0) specialMask = (value & OCW3_MASK_MODE) !== 0;
        } else command(value);
        changed();
      },
    },
    elcr: {
      read: () => elcr,
      write: (_offset, _size, value) => {
        elcr = value & elcrMask;
      },
    },
    set: (input, level) => {
      const bit = 1 << input;
      const rose = level && (lines & bit) === 0;
      lines = level ? lines | bit : lines & ~bit;
      // An edge stays requested until acknowledged; a level request follows its line.
      if ((elcr & bit) !== 0) irr = level ? irr | bit : irr & ~bit;
      else if (rose) irr |= bit;
      changed();
    },
    highest,
    acknowledge,
    vector: (input) => base | input,
    reset: () => {
      irr = imr = isr = elcr = base = top = initStep = icw1 = icw4 = 0;
      readIsr = poll = specialMask = rotateOnAutoEoi = false;
      changed();
    },
    save: () =>
      new Uint8Array([
        irr,
        imr,
        isr,
        lines,
        elcr,
        base,
        top,
        initStep,
        icw1,
        icw4,
        ...[readIsr, poll, specialMask, rotateOnAutoEoi].map(Number),
      ]),
    load: (bytes) => {
      [
        irr = 0,
        imr = 0,
        isr = 0,
        lines = 0,
        elcr = 0,
        base = 0,
        top = 0,
        initStep = 0,
        icw1 = 0,
        icw4 = 0,
      ] = bytes;
      [readIsr = false, poll = false, specialMask = false, rotateOnAutoEoi = false] = [
        ...bytes.subarray(10),
      ].map((flag) => flag !== 0);
    },
  };
};

const CASCADE = 2;

export const createPic = (ops: PicOps): Pic => {
  const slave = createChip(false, ELCR_MASKS[1], () =>
    master.set(CASCADE, slave.highest() !== undefined),
  );
  const master = createChip(true, ELCR_MASKS[0], () =>
    ops.output.set(master.highest() !== undefined),
  );
  return {
    portRanges: [
      { name: '8259A master', first: 0x20, count: 2, maxSize: 1, handler: master.handler },
      { name: '8259A slave', first: 0xa0, count: 2, maxSize: 1, handler: slave.handler },
      { name: 'ELCR1', first: 0x4d0, count: 1, maxSize: 1, handler: master.elcr },
      { name: 'ELCR2', first: 0x4d1, count: 1, maxSize: 1, handler: slave.elcr },
    ],
    setIrq: (irq, level) => {
      if (irq >= 8) slave.set(irq - 8, level);
      else if (irq !== CASCADE) master.set(irq, level);
    },
    acknowledge: () => {
      const input = master.highest();
      if (input === undefined) return master.vector(SPURIOUS);
      if (input !== CASCADE) {
        master.acknowledge(input);
        return master.vector(input);
      }
      const second = slave.highest();
      if (second !== undefined) slave.acknowledge(second);
      master.acknowledge(CASCADE);
      return slave.vector(second ?? SPURIOUS);
    },
    pending: () => master.highest() !== undefined,
    reset: () => {
      slave.reset();
      master.reset();
    },
    save: () => ({ master: master.save(), slave: slave.save() }),
    load: (state) => {
      slave.load(state.slave);
      master.load(state.master);
      ops.output.set(master.highest() !== undefined);
    },
  };
};
