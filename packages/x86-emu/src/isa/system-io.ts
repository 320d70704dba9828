/** IN OUT INS OUTS (SDM Vol. 2). A repeated INS or OUTS executes one iteration and then itself again. */
import { FLAG } from '../cpu/control-bits.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import { checkPort } from '../cpu/io-permission.ts';
import { SEG } from '../cpu/mode.ts';
import { setSized } from '../cpu/sized-register.ts';
import { registerSlowPath } from '../cpu/slow-path.ts';
import * as e from '../wasm/expr.ts';
import type { I32 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';

const RCX = 1;
const RDX = 2;
const RSI = 6;
const RDI = 7;

const bytesOf = (bits: number): 1 | 2 | 4 => (bits === 8 ? 1 : bits === 16 ? 2 : 4);

registerSlowPath('checkPort', (cpu, port, bytes) => {
  checkPort(cpu, port, bytes as 1 | 2 | 4);
  return 0;
});

registerSlowPath('readPort', (cpu, port, bytes) => cpu.ports.read(bytes as 1 | 2 | 4, port));

registerSlowPath('writePort', (cpu, port, bytes, value) => {
  cpu.ports.write(bytes as 1 | 2 | 4, port, value >>> 0);
  return 0;
});

/** Privilege 0 may use every port; what else is allowed takes a closer look. */
const demandPort = (x: Emit, port: I32, bytes: I32): void =>
  x.c.if(x.field('cpl') as I32, () => x.slowPath('checkPort', port, bytes));

/** Port number of operand `i`: an unsigned byte, or DX. */
const portOf = (x: Emit, i: number): I32 =>
  x.kind(i) === 'immediate' ? e.and(x.read(i) as I32, 0xff) : (x.read(i) as I32);

const input: Semantics = (x) => {
  const port = portOf(x, 1);
  const bytes = e.i32(bytesOf(x.width(0)));
  demandPort(x, port, bytes);
  x.write(0, x.slowPath('readPort', port, bytes));
};

const output: Semantics = (x) => {
  const port = portOf(x, 0);
  const bytes = e.i32(bytesOf(x.width(1)));
  demandPort(x, port, bytes);
  x.slowPath('writePort', port, bytes, x.read(1) as I32);
};

const portNumber = (cpu: Cpu): number => cpu.state.gpr32(RDX) & 0xffff;

/**
 * Executes `one` with the index register's offset, then steps index and count; does nothing for a count of zero, but that the port must be allowed
 * (AMD; the SDM leaves the order open).
 */
const repeated = (
  cpu: Cpu,
  insn: Instruction,
  index: number,
  bytes: 1 | 2 | 4,
  one: (offset: bigint) => void,
): void => {
  const { state } = cpu;
  checkPort(cpu, portNumber(cpu), bytes);
  const size = insn.addressSize;
  const count = BigInt.asUintN(size, state.gpr(RCX));
  const repeats = insn.rep !== 'none';
  if (repeats && count === 0n) return;
  one(BigInt.asUintN(size, state.gpr(index)));
  const step = BigInt(state.get('systemFlags') & FLAG.DF ? -bytes : bytes);
  setSized(state, index, size, state.gpr(index) + step);
  if (!repeats) return;
  setSized(state, RCX, size, count - 1n);
  if (count > 1n) cpu.continueAt(insn.rip);
};

/** The destination is always in ES. It is checked before the port is read, for that may have effects. */
const inputString: Helper = (cpu, insn) => {
  const bytes = bytesOf(insn.width(0));
  repeated(cpu, insn, RDI, bytes, (offset) => {
    const linear = cpu.linear(SEG.es, offset, bytes, 'write');
    cpu.memory.probeWrite(bytes, linear);
    cpu.memory.write(bytes, linear, BigInt(cpu.ports.read(bytes, portNumber(cpu))));
  });
};

const outputString: Helper = (cpu, insn) => {
  const bytes = bytesOf(insn.width(1));
  repeated(cpu, insn, RSI, bytes, (offset) => {
    const linear = cpu.linear(insn.segment(1), offset, bytes, 'read');
    cpu.ports.write(bytes, portNumber(cpu), Number(cpu.memory.read(bytes, linear)));
  });
};

export const systemIoRows: readonly Row[] = [
  { op: 'E4', mnemonic: 'IN', operands: ['AL', 'Ib'], exec: input },
  { op: 'E5', mnemonic: 'IN', operands: ['eAX', 'Ib'], exec: input },
  { op: 'EC', mnemonic: 'IN', operands: ['AL', 'DX'], exec: input },
  { op: 'ED', mnemonic: 'IN', operands: ['eAX', 'DX'], exec: input },
  { op: 'E6', mnemonic: 'OUT', operands: ['Ib', 'AL'], exec: output },
  { op: 'E7', mnemonic: 'OUT', operands: ['Ib', 'eAX'], exec: output },
  { op: 'EE', mnemonic: 'OUT', operands: ['DX', 'AL'], exec: output },
  { op: 'EF', mnemonic: 'OUT', operands: ['DX', 'eAX'], exec: output },
  {
    op: '6C',
    mnemonic: 'INS',
    operands: ['Yb', 'DX'],
    repeats: 'rep',
    usesAddressSize: true,
    run: inputString,
  },
  {
    op: '6D',
    mnemonic: 'INS',
    operands: ['Yz', 'DX'],
    repeats: 'rep',
    usesAddressSize: true,
    run: inputString,
  },
  {
    op: '6E',
    mnemonic: 'OUTS',
    operands: ['DX', 'Xb'],
    repeats: 'rep',
    usesAddressSize: true,
    run: outputString,
  },
  {
    op: '6F',
    mnemonic: 'OUTS',
    operands: ['DX', 'Xz'],
    repeats: 'rep',
    usesAddressSize: true,
    run: outputString,
  },
];
