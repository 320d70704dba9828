/** A bare x87 for tests: state, context and a small memory operand that can be made to fault. */

import { createX87Context } from '../../src/fpu/x87-context.ts';
import type { X87Context, X87Memory, X87Outcome } from '../../src/fpu/x87-context.ts';
import { X87_LAYOUT, initializeX87 } from '../../src/fpu/x87-state.ts';
import type { X87State } from '../../src/fpu/x87-state.ts';
import { executeX87 } from '../../src/fpu/x87.ts';

export class TestFault extends Error {}

/** Where the state starts in its buffer: not 0, so that a forgotten base shows. */
const BASE = 64;

export interface X87Machine {
  readonly state: X87State;
  readonly context: X87Context;
  readonly operand: DataView;
  readonly run: (opcode: number, modrm: number) => X87Outcome;
  /** Makes the operand's bytes from `limit` on fault. */
  readonly faultFrom: (limit: number) => void;
  /** All bytes of the state, for comparison. */
  readonly bytes: () => Uint8Array;
  /** ST(i) as 20 hexadecimal digits. */
  readonly st: (i: number) => string;
  readonly setSt: (i: number, digits: string) => void;
  readonly fsw: () => number;
}

export function createX87Machine(): X87Machine {
  const buffer = new ArrayBuffer(BASE + X87_LAYOUT.size + 64);
  const view = new DataView(buffer);
  const state: X87State = { view, base: BASE };
  initializeX87(state);
  const context = createX87Context();
  const operand = new DataView(new ArrayBuffer(128));
  let limit = 128;
  const check = (end: number): void => {
    if (end > limit) throw new TestFault('page fault');
  };
  const memory: X87Memory = {
    read16: (at) => (check(at + 2), operand.getUint16(at, true)),
    read32: (at) => (check(at + 4), operand.getUint32(at, true)),
    write16: (at, value) => (check(at + 2), operand.setUint16(at, value, true)),
    write32: (at, value) => (check(at + 4), operand.setUint32(at, value, true)),
    probe: check,
  };
  const fsw = (): number => view.getUint16(BASE + X87_LAYOUT.fsw, true);
  const at = (i: number): number =>
    BASE + X87_LAYOUT.registers + X87_LAYOUT.stride * (((fsw() >> 11) + i) & 7);
  return {
    state,
    context,
    operand,
    run: (opcode, modrm) => executeX87(state, context, opcode, modrm, memory),
    faultFrom: (bytes) => {
      limit = bytes;
    },
    bytes: () => new Uint8Array(buffer.slice(0)),
    st: (i) =>
      view
        .getUint16(at(i) + 8, true)
        .toString(16)
        .padStart(4, '0') + view.getBigUint64(at(i), true).toString(16).padStart(16, '0'),
    setSt: (i, digits) => {
      view.setUint16(at(i) + 8, parseInt(digits.slice(0, 4), 16), true);
      view.setBigUint64(at(i), BigInt(`0x${digits.slice(4)}`), true);
      const tags = BASE + X87_LAYOUT.tags;
      view.setUint8(tags, view.getUint8(tags) | (1 << (((fsw() >> 11) + i) & 7)));
    },
    fsw,
  };
}
