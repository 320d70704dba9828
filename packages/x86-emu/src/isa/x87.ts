/** The x87 rows: D8 to DF and FWAIT. What they do is in `fpu/x87.ts`; here is what it needs of the CPU. */
import { CR0 } from '../cpu/control-bits.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import { isProtected, isVirtual8086, segmentName } from '../cpu/mode.ts';
import { X87_OUTCOME, createX87Context } from '../fpu/x87-context.ts';
import type { X87Memory, X87Outcome } from '../fpu/x87-context.ts';
import { executeFwait, executeX87 } from '../fpu/x87.ts';
import type { Row } from './row.ts';

/** ZF, PF and CF, which FCOMI sets; it clears OF, SF and AF. */
const COMPARE_FLAGS = 0x45;
const WORD = 0xffff_ffffn;
/** The 80-bit formats are accessed as 8 and 2 bytes. */
const EXTENDED_BYTES = 10;
const AX = 0xffffn;

/** One context serves all instructions; machines run one at a time. */
const context = createX87Context();

const operandMemory = (cpu: Cpu, insn: Instruction): X87Memory => {
  const { memory } = cpu;
  let start = 0n;
  const at = (from: number): bigint => BigInt.asUintN(insn.long ? 64 : 32, start + BigInt(from));
  return {
    read16: (from) => Number(memory.read(2, at(from))),
    read32: (from) => Number(memory.read(4, at(from))),
    write16: (from, value) => memory.write(2, at(from), BigInt(value & 0xffff)),
    write32: (from, value) => memory.write(4, at(from), BigInt(value >>> 0)),
    probe: (bytes, first, access) => {
      start = insn.linear(0, bytes, access);
      memory.probe(first, start, access);
      if (bytes === EXTENDED_BYTES) memory.probe(2, at(first), access);
      else if (bytes > first) memory.probe(1, at(bytes - 1), access);
    },
  };
};

const NO_MEMORY: X87Memory = {
  read16: () => 0,
  read32: () => 0,
  write16: () => {},
  write32: () => {},
  probe: () => {},
};

/** Brings the context up to date; the data pointer is that of the memory operand. */
const prepare = (cpu: Cpu, insn: Instruction): void => {
  const { state } = cpu;
  const { rip } = insn;
  context.ipLow = Number(rip & WORD);
  context.ipHigh = Number(rip >> 32n);
  context.cs = state.segment('cs').selector;
  context.operand16 = insn.operandSize === 16;
  context.protectedMode = isProtected(state) && !isVirtual8086(state);
  context.eflags = state.rflags;
  if (insn.operandCount === 0) return;
  const offset = insn.offset(0);
  context.dataLow = Number(offset & WORD);
  context.dataHigh = Number(offset >> 32n);
  context.ds = state.segment(segmentName(insn.segment(0))).selector;
};

/**
 * A pending unmasked exception raises #MF. With CR0.NE clear real processors assert FERR# and wait for IRQ 13; no such wire exists here, so that
 * the exception is reported the same way.
 */
const finish = (cpu: Cpu, outcome: X87Outcome): void => {
  const { state } = cpu;
  if (outcome === X87_OUTCOME.pending) cpu.fault(VECTOR.MF);
  if (outcome === X87_OUTCOME.undefined) cpu.fault(VECTOR.UD);
  if (outcome === X87_OUTCOME.flags) state.setStatusFlags(context.eflags & COMPARE_FLAGS);
  if (outcome === X87_OUTCOME.ax) state.setGpr(0, (state.gpr(0) & ~AX) | BigInt(context.ax));
};

const execute: Helper = (cpu, insn) => {
  prepare(cpu, insn);
  const memory = insn.operandCount === 0 ? NO_MEMORY : operandMemory(cpu, insn);
  finish(cpu, executeX87(cpu.state.x87, context, insn.opcode, insn.modrm, memory));
};

/** FWAIT looks at TS only together with MP (SDM Vol. 3A, table 2-2). */
const fwait: Helper = (cpu) => {
  const cr0 = Number(cpu.state.big('cr0'));
  if ((cr0 & (CR0.MP | CR0.TS)) === (CR0.MP | CR0.TS)) cpu.fault(VECTOR.NM);
  finish(cpu, executeFwait(cpu.state.x87));
};

const OPCODES = ['D8', 'D9', 'DA', 'DB', 'DC', 'DD', 'DE', 'DF'] as const;

/** All instructions of an opcode byte share two rows: the ModRM byte tells them apart in `fpu/x87.ts`. */
export const x87Rows: readonly Row[] = [
  ...OPCODES.flatMap((opcode): Row[] => [
    { op: `${opcode} /r`, mnemonic: 'X87', operands: ['M'], unit: 'x87', run: execute },
    { op: `${opcode} /r`, mnemonic: 'X87', operands: [], unit: 'x87', run: execute },
  ]),
  { op: '9B', mnemonic: 'FWAIT', operands: [], run: fwait },
];
