// The narrow tables a device is built on, and the data by which it tells where it sits. A device never sees the machine.

import type { IoHandler, IoSize } from '../engine/physical-memory.ts';
import type { Timer } from '../machine/virtual-clock.ts';

export type { IoHandler, IoSize } from '../engine/physical-memory.ts';
export type { StateObject } from '../machine/snapshot.ts';
export type { Timer } from '../machine/virtual-clock.ts';

/** A range of I/O ports. An access wider than `maxSize` reaches the handler as several accesses, lowest port first. */
export interface PortRange {
  readonly name: string;
  readonly first: number;
  readonly count: number;
  readonly maxSize: IoSize;
  readonly handler: IoHandler;
}

/** A range of guest-physical addresses that is not memory. */
export interface MmioRange {
  readonly name: string;
  readonly base: number;
  readonly length: number;
  readonly maxSize: IoSize;
  readonly handler: IoHandler;
}

/** Where a device maps ports whose place the guest chooses (PCI base registers). */
export interface PortMap {
  /** Maps the range over whatever is there and returns the function that takes it away again. */
  readonly map: (range: PortRange) => () => void;
}

/** Virtual time in nanoseconds since power-on: integers, derived from retired instructions by the machine. */
export interface Clock {
  readonly now: () => number;
  /** Calls `fn` once when virtual time reaches `deadline` (at once after the current access if that is past). */
  readonly at: (deadline: number, fn: () => void) => Timer;
  /** Cancelling a timer that has fired or was cancelled does nothing. */
  readonly cancel: (timer: Timer) => void;
  /** Nanoseconds that the present access takes. */
  readonly pass: (ns: number) => void;
}

/** One interrupt wire. Setting a level it already has does nothing. */
export interface IrqLine {
  readonly set: (level: boolean) => void;
}

/** Guest-physical memory as a bus master sees it. Addresses without RAM read as all-ones and swallow writes. */
export interface Dma {
  readonly read: (address: number, length: number) => Uint8Array;
  readonly write: (address: number, bytes: Uint8Array) => void;
}

/** Why the machine left the running state. */
export type PowerEvent =
  | { readonly kind: 'reset'; readonly source: string }
  | { readonly kind: 'off'; readonly source: string };

/** What devices may ask of the processor and of the machine's power. */
export interface CpuSignals {
  /** Level of the processor's interrupt request; the vector comes from the acknowledge cycle. */
  readonly interruptRequest: (level: boolean) => void;
  readonly nmi: () => void;
  /** INIT: registers to their reset values, memory and devices untouched (SDM Vol. 3A, 9.1). */
  readonly init: () => void;
  readonly power: (event: PowerEvent) => void;
}

/** Deadline of a timer in a snapshot; `NO_DEADLINE` when none is pending. */
export const NO_DEADLINE = -1;

/** All-ones of the width of an access: what an unclaimed address returns. */
export const allOnes = (size: IoSize): number => (size === 4 ? 0xffffffff : (1 << (size * 8)) - 1);

/** `floor(ns · hz / 10^9)` without losing bits: a double holds 2^53, the product would not fit. */
export const ticksAt = (ns: number, hz: number): number => {
  const seconds = Math.floor(ns / 1e9);
  return seconds * hz + Math.floor(((ns - seconds * 1e9) * hz) / 1e9);
};

/** The first nanosecond at which `ticksAt` returns at least `ticks`. */
export const timeOfTick = (ticks: number, hz: number): number => {
  const seconds = Math.floor(ticks / hz);
  return seconds * 1e9 + Math.ceil(((ticks - seconds * hz) * 1e9) / hz);
};

/** A one-slot alarm on a clock that can stand in a snapshot. */
export interface Alarm {
  readonly set: (deadline: number) => void;
  readonly clear: () => void;
  /** `NO_DEADLINE` when idle. */
  readonly deadline: () => number;
}

/** Makes an alarm that calls `fire`; it is idle again before the call. */
export const createAlarm = (clock: Clock, fire: () => void): Alarm => {
  let timer: Timer | undefined;
  const clear = (): void => {
    if (timer !== undefined) clock.cancel(timer);
    timer = undefined;
  };
  return {
    clear,
    deadline: () => timer?.deadline ?? NO_DEADLINE,
    set: (deadline) => {
      clear();
      if (deadline === NO_DEADLINE) return;
      timer = clock.at(deadline, () => {
        timer = undefined;
        fire();
      });
    },
  };
};
