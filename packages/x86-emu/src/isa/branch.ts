/** Near branches: Jcc JMP CALL RET LOOPcc JrCXZ (SDM Vol. 2). In 64-bit code their operand size is 64 whatever prefix 66 says, as on Intel. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import { CONDITIONS, opcodeByte } from './condition.ts';
import type { ConditionCode, Emit, Semantics } from './emit.ts';
import { RCX } from './register.ts';
import type { Row } from './row.ts';
import { low32 } from './width.ts';

const asOffset = (value: Int): I64 =>
  value.type === 'i64' ? (value as I64) : e.extendU(value as I32);

const pushReturn = (x: Emit): void => {
  const next = x.nextRip();
  x.push(x.operandSize, x.operandSize === 64 ? next : e.wrap(next));
};

const jcc =
  (code: ConditionCode): Semantics =>
  (x) =>
    x.branch(0, x.flags.condition(code));

const jmp: Semantics = (x) => x.branch(0);

const jmpIndirect: Semantics = (x) => x.jump(asOffset(x.read(0)));

const call: Semantics = (x) => {
  pushReturn(x);
  x.branch(0);
};

const callIndirect: Semantics = (x) => {
  const target = x.read(0);
  pushReturn(x);
  x.jump(asOffset(target));
};

/** RET, with the bytes of parameters to release as operand 0 if it has one. */
const ret: Semantics = (x) => {
  const target = x.peek(x.operandSize, 0);
  const bytes = x.operandSize / 8;
  const released = x.operandCount > 0 ? e.and(low32(x.read(0)), 0xffff) : e.i32(0);
  x.adjustStack(x.c.let(e.add(released, bytes)));
  x.jump(asOffset(target));
};

const loop =
  (more: (x: Emit) => I32): Semantics =>
  (x) => {
    const count = x.c.let(e.sub(x.gpr(RCX, x.addressSize), 1));
    x.setGpr(RCX, x.addressSize, count);
    const left = x.addressSize === 16 ? e.and(count, 0xffff) : count;
    x.branch(0, x.c.let(e.and(e.nez(left), more(x))));
  };

const loopAlways = loop(() => e.i32(1));
const loopEqual = loop((x) => x.flags.condition(4));
const loopNotEqual = loop((x) => x.flags.condition(5));

const jcxz: Semantics = (x) => x.branch(0, x.c.let(e.eqz(x.gpr(RCX, x.addressSize))));

const near = { size: 'f64', ends: true } as const;
const short = { ...near, operands: ['Jb'], usesOperandSize: true } as const;
const counted = { ...short, usesAddressSize: true } as const;

export const branchRows: readonly Row[] = [
  ...CONDITIONS.flatMap(({ code, suffix }): Row[] => {
    const exec = jcc(code);
    return [
      { ...short, op: opcodeByte(0x70 + code), mnemonic: `J${suffix}`, exec },
      {
        ...near,
        op: `0F ${opcodeByte(0x80 + code)}`,
        mnemonic: `J${suffix}`,
        operands: ['Jz'],
        exec,
      },
    ];
  }),

  { ...short, op: 'EB', mnemonic: 'JMP', exec: jmp },
  { ...near, op: 'E9', mnemonic: 'JMP', operands: ['Jz'], exec: jmp },
  { ...near, op: 'FF /4', mnemonic: 'JMP', operands: ['Ev'], exec: jmpIndirect },
  { ...near, op: 'E8', mnemonic: 'CALL', operands: ['Jz'], exec: call },
  { ...near, op: 'FF /2', mnemonic: 'CALL', operands: ['Ev'], exec: callIndirect },
  { ...near, op: 'C3', mnemonic: 'RET', operands: [], usesOperandSize: true, exec: ret },
  { ...near, op: 'C2', mnemonic: 'RET', operands: ['Iw'], usesOperandSize: true, exec: ret },

  { ...counted, op: 'E0', mnemonic: 'LOOPNE', exec: loopNotEqual },
  { ...counted, op: 'E1', mnemonic: 'LOOPE', exec: loopEqual },
  { ...counted, op: 'E2', mnemonic: 'LOOP', exec: loopAlways },
  { ...counted, op: 'E3', mnemonic: 'JCXZ', exec: jcxz },
];
