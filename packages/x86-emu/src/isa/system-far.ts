/** Far transfers and software interrupts: CALL JMP RET IRET INT SYSCALL SYSENTER and their like (SDM Vol. 2). */
import { farTransfer } from '../cpu/far-transfer.ts';
import { farReturn, interruptReturn } from '../cpu/far-return.ts';
import { FLAG } from '../cpu/control-bits.ts';
import { wrapLinear } from '../cpu/descriptor.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import { interrupt } from '../cpu/interrupts.ts';
import type { InterruptEvent } from '../cpu/interrupts.ts';
import { sysenter, sysexit, syscall, sysret } from '../cpu/system-call.ts';
import { quick } from './row.ts';
import type { HelperRow, Row } from './row.ts';

interface FarPointer {
  readonly selector: number;
  readonly offset: bigint;
}

/** The target of a far CALL or JMP: in the instruction, or in memory. */
const farPointer = (cpu: Cpu, insn: Instruction): FarPointer => {
  const size = insn.operandSize;
  if (insn.kind(0) === 'immediate') {
    const pointer = insn.read(0);
    return { selector: Number(pointer >> BigInt(size)), offset: BigInt.asUintN(size, pointer) };
  }
  const bytes = size === 16 ? 2 : size === 32 ? 4 : 8;
  const linear = insn.linear(0, bytes + 2, 'read');
  const offset = cpu.memory.read(bytes, linear);
  const selector = cpu.memory.read(2, wrapLinear(cpu.state, linear + BigInt(bytes)));
  return { selector: Number(selector), offset };
};

const call: Helper = (cpu, insn) => {
  const { operandSize, nextRip } = insn;
  farTransfer(cpu, { ...farPointer(cpu, insn), operandSize, returnRip: nextRip });
};

const jump: Helper = (cpu, insn) => {
  farTransfer(cpu, { ...farPointer(cpu, insn), operandSize: insn.operandSize });
};

const ret: Helper = (cpu, insn) => {
  farReturn(cpu, insn.operandSize, insn.operandCount === 0 ? 0 : Number(insn.read(0)));
};

const iret: Helper = (cpu, insn) => interruptReturn(cpu, insn.operandSize);

/**
 * Delivers a software interrupt. The handler starts with TF clear, so no single-step trap follows the instruction (SDM Vol. 3B, section 17.3.1.4):
 * the shadow holds it off.
 */
const enterHandler = (cpu: Cpu, event: InterruptEvent): void => {
  const stepping = (cpu.state.get('systemFlags') & FLAG.TF) !== 0;
  interrupt(cpu, event);
  if (stepping) cpu.blockInterrupts();
};

const int3: Helper = (cpu, { nextRip }) =>
  enterHandler(cpu, { vector: VECTOR.BP, kind: 'breakpoint', returnRip: nextRip });

const int1: Helper = (cpu, { nextRip }) =>
  enterHandler(cpu, { vector: VECTOR.DB, kind: 'icebp', returnRip: nextRip });

const int: Helper = (cpu, insn) => {
  const vector = Number(insn.read(0)) & 0xff;
  enterHandler(cpu, { vector, kind: 'software', returnRip: insn.nextRip });
};

const into: Helper = (cpu, { nextRip }) => {
  if (cpu.state.rflags & FLAG.OF)
    enterHandler(cpu, { vector: VECTOR.OF, kind: 'breakpoint', returnRip: nextRip });
};

const syscallRun: Helper = (cpu, insn) => syscall(cpu, insn.nextRip);
const sysretRun: Helper = (cpu, insn) => sysret(cpu, insn.operandSize);
const sysenterRun: Helper = (cpu) => sysenter(cpu);
const sysexitRun: Helper = (cpu, insn) => sysexit(cpu, insn.operandSize);

const far = (
  op: string,
  mnemonic: string,
  operands: readonly string[],
  run: Helper,
): HelperRow => ({
  op,
  mnemonic,
  operands,
  usesOperandSize: true,
  ends: true,
  run,
});

const legacyFar = (op: string, mnemonic: string, run: Helper): Row => ({
  ...far(op, mnemonic, ['Ap'], run),
  mode: 'legacy',
});

const ending = (
  op: string,
  mnemonic: string,
  operands: readonly string[],
  run: Helper,
): HelperRow => ({
  op,
  mnemonic,
  operands,
  ends: true,
  run,
});

export const systemFarRows: readonly Row[] = [
  legacyFar('9A', 'CALL', call),
  legacyFar('EA', 'JMP', jump),
  far('FF /3', 'CALL', ['M'], call),
  far('FF /5', 'JMP', ['M'], jump),
  far('CB', 'RETF', [], ret),
  far('CA', 'RETF', ['Iw'], ret),
  quick('quickReturn', far('CF', 'IRET', [], iret)),
  ending('CC', 'INT3', [], int3),
  quick('quickInterrupt', ending('CD', 'INT', ['Ib'], int)),
  { ...ending('CE', 'INTO', [], into), mode: 'legacy' },
  ending('F1', 'INT1', [], int1),
  { ...ending('0F 05', 'SYSCALL', [], syscallRun), feature: 'SYSCALL' },
  { ...far('0F 07', 'SYSRET', [], sysretRun), feature: 'SYSCALL' },
  ending('0F 34', 'SYSENTER', [], sysenterRun),
  far('0F 35', 'SYSEXIT', [], sysexitRun),
];
