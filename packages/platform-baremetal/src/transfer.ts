import type { PhysAddr } from '@systab/efi-core';
import { callGuest, CALLING_CONVENTIONS } from '@systab/x86-emu';
import type { Breach, CallingConventionName, Machine } from '@systab/x86-emu';
import type { Transfer } from './firmware-call.ts';
import { SELECTOR } from './processor.ts';

/** Stack space below the caller's own for locals: what a C caller would have put there. */
const frameSize = (convention: CallingConventionName, slots: number): number => {
  const { slot, shadowSpace, argumentRegisters } = CALLING_CONVENTIONS[convention];
  const onStack = Math.max(0, slots - argumentRegisters.length);
  return slot + shadowSpace + onStack * slot;
};

/**
 * Calls in the mode the processor is in. `stack` gives the stack pointer to call with; without it the present one serves.
 */
export const directTransfer = (
  machine: Machine,
  convention: 'ms-x64' | 'cdecl-ia32',
  stack?: () => bigint,
): Transfer => ({
  convention,
  call: (entry, slots, budget) => {
    const options = stack === undefined ? { budget } : { budget, stack: stack() };
    const result = callGuest(machine, convention, entry, slots, options);
    const frame = machine.readLinear(result.stack, frameSize(convention, slots.length));
    return { ...result, frame: frame ?? new Uint8Array() };
  },
});

/** Offsets in the frame of guest/stubs/mixed-mode.S. */
const FRAME = {
  function: 0,
  stack: 4,
  count: 8,
  code32: 12,
  data32: 16,
  before: 32,
  after: 52,
  arguments: 76,
} as const;
const CHECKED = ['ebx', 'ebp', 'esi', 'edi', 'stack pointer'] as const;
/** More than any service has. */
const MAX_SLOTS = 16;
const STACK_ALIGNMENT = 16;
/** What the thunk itself puts on the stack, and more. */
const THUNK_STACK = 256;

/** Bytes a frame of the thunk needs. */
const MIXED_FRAME_SIZE: number = FRAME.arguments + MAX_SLOTS * 4;

/** Where the thunk lies and, in the page behind it, its frame: below 4 GiB, as the stack must be. */
export interface MixedModeLayout {
  readonly thunk: PhysAddr;
  readonly frame: PhysAddr;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/**
 * Calls 32-bit firmware from long mode through the thunk (guest/stubs/mixed-mode.S): compatibility mode, cdecl, the page
 * table in place.
 */
export const mixedModeTransfer = (machine: Machine, layout: MixedModeLayout): Transfer => ({
  convention: 'cdecl-ia32',
  call: (entry, slots, budget) => {
    if (slots.length > MAX_SLOTS) throw new RangeError(`${String(slots.length)} argument slots`);
    const argumentBytes = slots.length * 4;
    const bytes = new Uint8Array(MIXED_FRAME_SIZE);
    const view = new DataView(bytes.buffer);
    // The stack is aligned where the return address is pushed.
    const top = Number(machine.readRegister('rsp')) - THUNK_STACK - argumentBytes;
    const stack = Math.floor(top / STACK_ALIGNMENT) * STACK_ALIGNMENT + argumentBytes;
    view.setUint32(FRAME.function, Number(entry), true);
    view.setUint32(FRAME.stack, stack, true);
    view.setUint32(FRAME.count, slots.length, true);
    view.setUint32(FRAME.code32, SELECTOR.code32, true);
    view.setUint32(FRAME.data32, SELECTOR.data, true);
    slots.forEach((slot, index) => {
      view.setUint32(FRAME.arguments + index * 4, Number(slot), true);
    });
    machine.memory.write(layout.frame, bytes);
    const result = callGuest(machine, 'sysv-x64', BigInt(layout.thunk), [], {
      budget,
    });
    const left = new DataView(machine.memory.read(layout.frame, MIXED_FRAME_SIZE).buffer);
    const breaches: Breach[] = [...result.breaches];
    if (result.returned) {
      CHECKED.forEach((what, index) => {
        const expected = left.getUint32(FRAME.before + index * 4, true);
        const actual = left.getUint32(FRAME.after + index * 4, true);
        if (expected !== actual)
          breaches.push({ what, expected: hex(expected), actual: hex(actual) });
      });
    }
    const at = stack - argumentBytes - 4;
    return {
      ...result,
      breaches,
      value: BigInt.asUintN(32, result.value),
      stack: BigInt(at),
      frame: machine.memory.read(at, argumentBytes + 4),
    };
  },
});
