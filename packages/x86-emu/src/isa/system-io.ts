/** IN OUT INS OUTS (SDM Vol. 2). A repeated INS or OUTS executes one iteration and then itself again. */
import { FLAG } from '../cpu/control-bits.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import { checkPort } from '../cpu/io-permission.ts';
import { SEG } from '../cpu/mode.ts';
import { setSized } from '../cpu/sized-register.ts';
import type { Row } from './row.ts';

const RCX = 1;
const RDX = 2;
const RSI = 6;
const RDI = 7;

const bytesOf = (bits: number): 1 | 2 | 4 => (bits === 8 ? 1 : bits === 16 ? 2 : 4);

const input: Helper = (cpu, insn) => {
  const port = Number(insn.read(1)) & (insn.kind(1) === 'immediate' ? 0xff : 0xffff);
  const bytes = bytesOf(insn.width(0));
  checkPort(cpu, port, bytes);
  insn.write(0, BigInt(cpu.ports.read(bytes, port)));
};

const output: Helper = (cpu, insn) => {
  const port = Number(insn.read(0)) & (insn.kind(0) === 'immediate' ? 0xff : 0xffff);
  const bytes = bytesOf(insn.width(1));
  checkPort(cpu, port, bytes);
  cpu.ports.write(bytes, port, Number(insn.read(1)));
};

/** Executes `one` with the index register's offset, then steps index and count; gives nothing to do for a count of zero. */
const repeated = (
  cpu: Cpu,
  insn: Instruction,
  index: number,
  bytes: number,
  one: (offset: bigint) => void,
): void => {
  const { state } = cpu;
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

const portNumber = (cpu: Cpu): number => cpu.state.gpr32(RDX) & 0xffff;

/** The destination is always in ES. It is checked before the port is read, for that may have effects. */
const inputString: Helper = (cpu, insn) => {
  const bytes = bytesOf(insn.width(0));
  repeated(cpu, insn, RDI, bytes, (offset) => {
    checkPort(cpu, portNumber(cpu), bytes);
    const linear = cpu.linear(SEG.es, offset, bytes, 'write');
    cpu.memory.probeWrite(bytes, linear);
    cpu.memory.write(bytes, linear, BigInt(cpu.ports.read(bytes, portNumber(cpu))));
  });
};

const outputString: Helper = (cpu, insn) => {
  const bytes = bytesOf(insn.width(1));
  repeated(cpu, insn, RSI, bytes, (offset) => {
    checkPort(cpu, portNumber(cpu), bytes);
    const linear = cpu.linear(insn.segment(1), offset, bytes, 'read');
    cpu.ports.write(bytes, portNumber(cpu), Number(cpu.memory.read(bytes, linear)));
  });
};

export const systemIoRows: readonly Row[] = [
  { op: 'E4', mnemonic: 'IN', operands: ['AL', 'Ib'], run: input },
  { op: 'E5', mnemonic: 'IN', operands: ['eAX', 'Ib'], run: input },
  { op: 'EC', mnemonic: 'IN', operands: ['AL', 'DX'], run: input },
  { op: 'ED', mnemonic: 'IN', operands: ['eAX', 'DX'], run: input },
  { op: 'E6', mnemonic: 'OUT', operands: ['Ib', 'AL'], run: output },
  { op: 'E7', mnemonic: 'OUT', operands: ['Ib', 'eAX'], run: output },
  { op: 'EE', mnemonic: 'OUT', operands: ['DX', 'AL'], run: output },
  { op: 'EF', mnemonic: 'OUT', operands: ['DX', 'eAX'], run: output },
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
