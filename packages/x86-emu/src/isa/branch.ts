/** Near branches: Jcc JMP CALL RET LOOPcc JrCXZ (SDM Vol. 2). In 64-bit code their operand size is 64 whatever prefix 66 says, as on Intel. */
import * as e from '../wasm/expr.ts';
import type { I32, I64, Int } from '../wasm/expr.ts';
import { BASE } from '../wasm/code.ts';
import { VECTOR } from '../cpu/helper.ts';
import { SEGMENT, segmentAddress } from '../cpu/state-layout.ts';
import { CONDITIONS, opcodeByte } from './condition.ts';
import type { ConditionCode, Emit, Semantics } from './emit.ts';
import { RCX } from './register.ts';
import type { Row } from './row.ts';
import { low32, signExtended64 } from './width.ts';

const CS = 1;

const asOffset = (value: Int): I64 =>
  value.type === 'i64' ? (value as I64) : e.extendU(value as I32);

/** Raises #GP(0) if a near jump to `target` cannot be: before the stack pointer or a counter changes, and with RIP at the branch. */
const requireTarget = (x: Emit, target: I64, condition: I32 = e.i32(1)): void => {
  const { c, mode, operandSize } = x;
  if (mode === 'flat') return;
  if (mode === 'long') {
    const canonical = e.shrS(e.shl(target, 16), 16);
    x.raiseIf(e.and(condition, e.ne(canonical, target)), VECTOR.GP, 0);
    return;
  }
  const limit = c.load('i64.load32_u', BASE, segmentAddress(CS) + SEGMENT.limit);
  const offset = e.and(target, e.i64(operandSize === 16 ? 0xffff : 0xffff_ffff));
  x.raiseIf(e.and(condition, e.gtU(offset, limit)), VECTOR.GP, 0);
};

/** The same for a relative transfer by operand 0. In 64-bit code its reach from canonical code is left to the jump itself. */
const requireRelativeTarget = (x: Emit, condition?: I32): void => {
  if (x.mode !== 'legacy') return;
  const displacement = signExtended64(x.read(0), x.size(0));
  requireTarget(x, x.c.let(e.add(x.nextRip(), displacement)), condition);
};

const pushReturn = (x: Emit): void => {
  const next = x.nextRip();
  x.push(x.operandSize, x.operandSize === 64 ? next : e.wrap(next));
};

const jcc =
  (code: ConditionCode): Semantics =>
  (x) =>
    x.branch(0, x.flags.condition(code));

const jmp: Semantics = (x) => x.branch(0);

const jmpIndirect: Semantics = (x) => {
  const target = asOffset(x.read(0));
  // The fault is the branch's own, not the fetch's at the target.
  requireTarget(x, target);
  x.jump(target);
};

const call: Semantics = (x) => {
  requireRelativeTarget(x);
  pushReturn(x);
  x.branch(0);
};

const callIndirect: Semantics = (x) => {
  const target = asOffset(x.read(0));
  requireTarget(x, target);
  pushReturn(x);
  x.jump(target);
};

/** RET, with the bytes of parameters to release as operand 0 if it has one. */
const ret: Semantics = (x) => {
  const target = asOffset(x.peek(x.operandSize, 0));
  requireTarget(x, target);
  const bytes = x.operandSize / 8;
  const released = x.operandCount > 0 ? e.and(low32(x.read(0)), 0xffff) : e.i32(0);
  x.adjustStack(x.c.let(e.add(released, bytes)));
  x.jump(target);
};

const loop =
  (more: (x: Emit) => I32): Semantics =>
  (x) => {
    const count = x.c.let(e.sub(x.gpr(RCX, x.addressSize), 1));
    const left = x.addressSize === 16 ? e.and(count, 0xffff) : count;
    const taken = x.c.let(e.and(e.nez(left), more(x)));
    requireRelativeTarget(x, taken);
    x.setGpr(RCX, x.addressSize, count);
    x.branch(0, taken);
  };

const loopAlways = loop(() => e.i32(1));
const loopEqual = loop((x) => x.flags.condition(4));
const loopNotEqual = loop((x) => x.flags.condition(5));

const jcxz: Semantics = (x) => x.branch(0, x.c.let(e.eqz(x.gpr(RCX, x.addressSize))));

/** Conditional jumps may fall through, so a trace goes on behind them. */
const conditional = { size: 'f64', usesOperandSize: true } as const;
const near = { size: 'f64', ends: true } as const;
const short = { ...near, operands: ['Jb'], usesOperandSize: true } as const;
const counted = { ...conditional, operands: ['Jb'], usesAddressSize: true } as const;

export const branchRows: readonly Row[] = [
  ...CONDITIONS.flatMap(({ code, suffix }): Row[] => {
    const exec = jcc(code);
    return [
      {
        ...conditional,
        op: opcodeByte(0x70 + code),
        mnemonic: `J${suffix}`,
        operands: ['Jb'],
        exec,
      },
      {
        ...conditional,
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
