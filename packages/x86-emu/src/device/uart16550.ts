// 16550A UART. Datasheet: National Semiconductor PC16550D (1995). Transmission takes no virtual time; received bytes
// come from a host-side queue as the receiver has room.

import type { Clock, StateObject, IoHandler, IrqLine, PortRange } from './ops.ts';
import { createAlarm, NO_DEADLINE } from './ops.ts';

export interface UartOps {
  readonly clock: Clock;
  readonly irq: IrqLine;
  /** Each byte the guest sends. */
  readonly transmit: (byte: number) => void;
}

export interface UartOptions {
  /** First port: 0x3f8 for COM1. */
  readonly base: number;
  readonly name?: string;
}

export type UartState = StateObject & {
  readonly registers: Uint8Array;
  readonly divisor: number;
  readonly fifo: Uint8Array;
  readonly pending: Uint8Array;
  readonly emptyPending: number;
  readonly timeoutPending: number;
  readonly timeout: number;
};

export interface Uart {
  readonly portRanges: readonly PortRange[];
  /** Queues bytes that arrive on the line. */
  readonly receive: (bytes: Uint8Array) => void;
  readonly reset: () => void;
  readonly save: () => UartState;
  readonly load: (state: UartState) => void;
}

const RBR_THR = 0;
const IER = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

const IER_RX = 0x01;
const IER_TX_EMPTY = 0x02;
const IER_LINE_STATUS = 0x04;
const IER_MODEM_STATUS = 0x08;

const IIR_NONE = 0x01;
const IIR_TX_EMPTY = 0x02;
const IIR_RX = 0x04;
const IIR_LINE_STATUS = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFO = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_CLEAR_RX = 0x02;
const LCR_DLAB = 0x80;
const MCR_LOOP = 0x10;
const MCR_OUT2 = 0x08;

const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_ERRORS = 0x1e;
const LSR_TX_EMPTY = 0x60;

/** Clear to send, data set ready, carrier detect: a line with something at its other end. */
const MSR_CONNECTED = 0xb0;
const MSR_CHANGES = 0x0f;

const FIFO_SIZE = 16;
const TRIGGER = [1, 4, 8, 14] as const;
const BASE_CLOCK = 115_200;
/** 12: 9600 baud. */
const RESET_DIVISOR = 12;

export const createUart = (ops: UartOps, options: UartOptions): Uart => {
  let ier = 0;
  let fcr = 0;
  let lcr = 0;
  let mcr = MCR_OUT2;
  let lsr = LSR_TX_EMPTY;
  let msrChanges = 0;
  let scr = 0;
  let rbr = 0;
  let divisor = RESET_DIVISOR;
  let fifo: number[] = [];
  let pending: number[] = [];
  /** The transmitter-empty interrupt is pending: set when the last byte left, cleared by reading IIR. */
  let txEmpty = false;
  let timedOut = false;

  const fifoOn = (): boolean => (fcr & FCR_ENABLE) !== 0;
  const modemStatus = (): number => {
    if ((mcr & MCR_LOOP) === 0) return MSR_CONNECTED | msrChanges;
    // Loopback: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD.
    return ((mcr & 0x0c) << 4) | ((mcr & 2) << 3) | ((mcr & 1) << 5) | msrChanges;
  };
  const interrupt = (): number => {
    if ((ier & IER_LINE_STATUS) !== 0 && (lsr & LSR_ERRORS) !== 0) return IIR_LINE_STATUS;
    if ((ier & IER_RX) !== 0 && timedOut) return IIR_TIMEOUT;
    if (
      (ier & IER_RX) !== 0 &&
      (lsr & LSR_DATA_READY) !== 0 &&
      (!fifoOn() || fifo.length >= TRIGGER[fcr >>> 6]!)
    )
      return IIR_RX;
    if ((ier & IER_TX_EMPTY) !== 0 && txEmpty) return IIR_TX_EMPTY;
    if ((ier & IER_MODEM_STATUS) !== 0 && (msrChanges & MSR_CHANGES) !== 0) return 0;
    return IIR_NONE;
  };
  const update = (): void => ops.irq.set(interrupt() !== IIR_NONE);

  /** Four character times without a read (datasheet 8.5.4). */
  const timeoutDelay = (): number => {
    const bits = 1 + (5 + (lcr & 3)) + ((lcr & 8) !== 0 ? 1 : 0) + ((lcr & 4) !== 0 ? 2 : 1);
    return Math.floor((4 * bits * Math.max(divisor, 1) * 1e9) / BASE_CLOCK);
  };
  const timeout = createAlarm(ops.clock, () => {
    if (fifo.length > 0) timedOut = true;
    update();
  });

  const accept = (byte: number): void => {
    if (fifoOn()) {
      if (fifo.length < FIFO_SIZE) fifo.push(byte);
      else lsr |= LSR_OVERRUN;
      timeout.set(ops.clock.now() + timeoutDelay());
    } else {
      if ((lsr & LSR_DATA_READY) !== 0) lsr |= LSR_OVERRUN;
      rbr = byte;
    }
    lsr |= LSR_DATA_READY;
  };
  /** Takes queued bytes while there is room. */
  const refill = (): void => {
    if ((mcr & MCR_LOOP) !== 0) return;
    while (
      pending.length > 0 &&
      (fifoOn() ? fifo.length < FIFO_SIZE : (lsr & LSR_DATA_READY) === 0)
    )
      accept(pending.shift()!);
  };

  const readData = (): number => {
    if (!fifoOn()) lsr &= ~LSR_DATA_READY;
    else {
      rbr = fifo.shift() ?? 0;
      if (fifo.length === 0) {
        lsr &= ~LSR_DATA_READY;
        timeout.clear();
      } else timeout.set(ops.clock.now() + timeoutDelay());
      timedOut = false;
    }
    const byte = rbr;
    refill();
    return byte;
  };
  const writeFcr = (value: number): void => {
    const toggled = ((value ^ fcr) & FCR_ENABLE) !== 0;
    if (toggled || (value & FCR_CLEAR_RX) !== 0) {
      fifo = [];
      lsr &= ~LSR_DATA_READY;
      timedOut = false;
      timeout.clear();
    }
    fcr = value & 0xc9;
    refill();
  };

  const read = (offset: number): number => {
    switch (offset) {
      case RBR_THR:
        return (lcr & LCR_DLAB) !== 0 ? divisor & 0xff : readData();
      case IER:
        return (lcr & LCR_DLAB) !== 0 ? divisor >>> 8 : ier;
      case IIR_FCR: {
        const id = interrupt();
        if (id === IIR_TX_EMPTY) txEmpty = false;
        return id | (fifoOn() ? IIR_FIFO : 0);
      }
      case LCR:
        return lcr;
      case MCR:
        return mcr;
      case LSR: {
        const value = lsr;
        lsr &= ~LSR_ERRORS;
        return value;
      }
      case MSR: {
        const value = modemStatus();
        msrChanges = 0;
        return value;
      }
      default:
        return scr;
    }
  };
  const write = (offset: number, value: number): void => {
    switch (offset) {
      case RBR_THR:
        if ((lcr & LCR_DLAB) !== 0) {
          divisor = (divisor & 0xff00) | value;
          return;
        }
        if ((mcr & MCR_LOOP) !== 0) accept(value);
        else ops.transmit(value);
        txEmpty = true;
        return;
      case IER:
        if ((lcr & LCR_DLAB) !== 0) {
          divisor = (divisor & 0xff) | (value << 8);
          return;
        }
        // Enabling the transmitter interrupt while the transmitter is empty raises it (datasheet 8.6.6).
        if ((value & ~ier & IER_TX_EMPTY) !== 0) txEmpty = true;
        ier = value & 0x0f;
        return;
      case IIR_FCR:
        writeFcr(value);
        return;
      case LCR:
        lcr = value;
        return;
      case MCR:
        mcr = value & 0x1f;
        refill();
        return;
      case SCR:
        scr = value;
        return;
      default:
      // LSR and MSR are read only.
    }
  };

  const handler: IoHandler = {
    read: (offset) => {
      const value = read(offset);
      update();
      return value;
    },
    write: (offset, _size, value) => {
      write(offset, value);
      update();
    },
  };

  return {
    portRanges: [
      { name: options.name ?? 'COM1', first: options.base, count: 8, maxSize: 1, handler },
    ],
    receive: (bytes) => {
      for (const byte of bytes) pending.push(byte);
      refill();
      update();
    },
    reset: () => {
      ier = fcr = lcr = msrChanges = scr = rbr = 0;
      mcr = MCR_OUT2;
      lsr = LSR_TX_EMPTY;
      divisor = RESET_DIVISOR;
      fifo = [];
      txEmpty = timedOut = false;
      timeout.clear();
      refill();
      update();
    },
    save: () => ({
      registers: new Uint8Array([ier, fcr, lcr, mcr, lsr, msrChanges, scr, rbr]),
      divisor,
      fifo: new Uint8Array(fifo),
      pending: new Uint8Array(pending),
      emptyPending: Number(txEmpty),
      timeoutPending: Number(timedOut),
      timeout: timeout.deadline(),
    }),
    load: (state) => {
      [ier = 0, fcr = 0, lcr = 0, mcr = 0, lsr = 0, msrChanges = 0, scr = 0, rbr = 0] =
        state.registers;
      divisor = state.divisor;
      fifo = [...state.fifo];
      pending = [...state.pending];
      txEmpty = state.emptyPending !== 0;
      timedOut = state.timeoutPending !== 0;
      timeout.set(state.timeout ?? NO_DEADLINE);
      update();
    },
  };
};
