/** Exchange, and exchange with arithmetic or comparison: XCHG XADD CMPXCHG CMPXCHG8B CMPXCHG16B (SDM Vol. 2). */
import { FLAG } from '../cpu/control-bits.ts';
import { RAX, RBX, RCX, RDX } from './register.ts';
import { VECTOR } from '../cpu/helper.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';

const xchg: Semantics = (x) => {
  const target = x.modify(0);
  const other = x.read(1);
  target.write(other);
  x.write(1, target.value);
};

const xadd: Semantics = (x) => {
  const size = x.size(0);
  const target = x.modify(0);
  const b = x.read(1);
  const r = x.c.let(e.add(target.value, b));
  // The sum wins if both operands are the same register.
  x.write(1, target.value);
  target.write(r);
  x.flags.add(size, target.value, b, r);
};

const cmpxchg: Semantics = (x) => {
  const size = x.size(0);
  const target = x.modify(0);
  const b = x.read(1);
  const accumulator = x.gpr(RAX, size);
  // Silicon leaves a register destination whole when the comparison fails, bits 63:32 included.
  x.c.if(
    e.eq(accumulator, target.value),
    () => target.write(b),
    () => x.setGpr(RAX, size, target.value),
  );
  x.flags.sub(size, accumulator, target.value, x.c.let(e.sub(accumulator, target.value)));
};

const setZero = (x: Emit, zero: I32): void =>
  x.flags.set(e.or(e.and(x.flags.get(), ~FLAG.ZF), e.shl(zero, 6)));

const cmpxchg8b: Semantics = (x) => {
  const { c } = x;
  const target = x.modifyAt(64, x.linear(0, 8, 'write'));
  const pair = (high: number, low: number): I64 =>
    e.or(e.shl(e.extendU(x.gpr(high, 32) as I32), 32), e.extendU(x.gpr(low, 32) as I32));
  const value = target.value as I64;
  const equal = c.let(e.eq(value, pair(RDX, RAX)));
  c.if(
    equal,
    () => target.write(pair(RCX, RBX)),
    () => {
      x.setGpr(RAX, 32, e.wrap(value));
      x.setGpr(RDX, 32, e.wrap(e.shrU(value, 32)));
    },
  );
  setZero(x, equal);
};

const cmpxchg16b: Semantics = (x) => {
  const { c } = x;
  const linear = x.linear(0, 16, 'write');
  x.raiseIf(e.nez(e.and(linear, 15)), VECTOR.GP, 0);
  const low = x.modifyAt(64, linear);
  const high = x.modifyAt(64, c.let(e.add(linear, 8)));
  const equal = c.let(e.and(e.eq(low.value, x.gpr(RAX, 64)), e.eq(high.value, x.gpr(RDX, 64))));
  c.if(
    equal,
    () => {
      low.write(x.gpr(RBX, 64));
      high.write(x.gpr(RCX, 64));
    },
    () => {
      x.setGpr(RAX, 64, low.value);
      x.setGpr(RDX, 64, high.value);
    },
  );
  setZero(x, equal);
};

export const exchangeRows: readonly Row[] = [
  { op: '86 /r', mnemonic: 'XCHG', operands: ['Eb', 'Gb'], lock: true, exec: xchg },
  { op: '87 /r', mnemonic: 'XCHG', operands: ['Ev', 'Gv'], lock: true, exec: xchg },
  { op: '90+r', mnemonic: 'XCHG', operands: ['Zv', 'rAX'], exec: xchg },

  { op: '0F C0 /r', mnemonic: 'XADD', operands: ['Eb', 'Gb'], lock: true, exec: xadd },
  { op: '0F C1 /r', mnemonic: 'XADD', operands: ['Ev', 'Gv'], lock: true, exec: xadd },

  { op: '0F B0 /r', mnemonic: 'CMPXCHG', operands: ['Eb', 'Gb'], lock: true, exec: cmpxchg },
  { op: '0F B1 /r', mnemonic: 'CMPXCHG', operands: ['Ev', 'Gv'], lock: true, exec: cmpxchg },
  { op: '0F C7 /1', mnemonic: 'CMPXCHG8B', operands: ['Mq'], lock: true, exec: cmpxchg8b },
  {
    op: 'REX.W 0F C7 /1',
    mnemonic: 'CMPXCHG16B',
    operands: ['Mdq'],
    mode: 'long',
    lock: true,
    feature: 'CX16',
    exec: cmpxchg16b,
  },
];
