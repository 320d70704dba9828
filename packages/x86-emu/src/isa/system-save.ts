/** FXSAVE FXRSTOR XSAVE XRSTOR LDMXCSR STMXCSR (SDM Vol. 2). */
import { CR0, CR4 } from '../cpu/control-bits.ts';
import { wrapLinear } from '../cpu/descriptor.ts';
import { MXCSR_MASK, restoreExtended, saveExtended, xrstor, xsave } from '../cpu/extended-state.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import { demandControl } from '../cpu/privilege.ts';
import { XSAVE_AREA_SIZE } from '../cpu/cpuid.ts';
import * as e from '../wasm/expr.ts';
import type { I32 } from '../wasm/expr.ts';
import type { Semantics } from './emit.ts';
import type { Row } from './row.ts';

const FXSAVE_SIZE = 512;
const RAX = 0;
const RDX = 2;

/** Linear address of the image; #GP(0) unless aligned. */
const imageAddress = (
  cpu: Cpu,
  insn: Instruction,
  bytes: number,
  alignment: bigint,
  access: 'read' | 'write',
): bigint => {
  const linear = insn.linear(0, bytes, access);
  if (linear & (alignment - 1n)) cpu.fault(VECTOR.GP, 0);
  return linear;
};

/**
 * Linear address of the image of FXSAVE and FXRSTOR. SDM Vol. 2A, FXSAVE, leaves open whether a misaligned one is #AC or #GP(0): AMD checks alignment of
 * quadwords first, if it is checked at all. Of the image AMD tries the last byte first.
 */
const fxImageAddress = (cpu: Cpu, insn: Instruction, access: 'read' | 'write'): bigint => {
  const start = insn.linear(0, FXSAVE_SIZE, access);
  if (start & 7n && cpu.state.get('alignmentChecked') !== 0) cpu.fault(VECTOR.AC, 0);
  const linear = imageAddress(cpu, insn, FXSAVE_SIZE, 16n, access);
  cpu.memory.probe(1, wrapLinear(cpu.state, linear + BigInt(FXSAVE_SIZE - 1)), access);
  return linear;
};

const fxsave: Helper = (cpu, insn) =>
  saveExtended(cpu, fxImageAddress(cpu, insn, 'write'), insn.operandSize === 64);

const fxrstor: Helper = (cpu, insn) =>
  restoreExtended(cpu, fxImageAddress(cpu, insn, 'read'), insn.operandSize === 64);

/** #UD without CR4.OSXSAVE, #NM with CR0.TS; the components asked for. */
const requested = (cpu: Cpu): number => {
  const { state } = cpu;
  demandControl(cpu, CR4.OSXSAVE);
  if (state.low('cr0') & CR0.TS) cpu.fault(VECTOR.NM);
  const asked = (BigInt(state.gpr32(RDX)) << 32n) | BigInt(state.gpr32(RAX));
  return Number(asked & state.big('xcr0'));
};

const xsaveRun: Helper = (cpu, insn) => {
  const mask = requested(cpu);
  const linear = imageAddress(cpu, insn, XSAVE_AREA_SIZE, 64n, 'write');
  xsave(cpu, linear, mask, insn.operandSize === 64);
};

const xrstorRun: Helper = (cpu, insn) => {
  const mask = requested(cpu);
  const linear = imageAddress(cpu, insn, XSAVE_AREA_SIZE, 64n, 'read');
  xrstor(cpu, linear, mask, insn.operandSize === 64);
};

const ldmxcsr: Semantics = (x) => {
  const value = x.read(0) as I32;
  x.raiseIf(e.nez(e.and(value, ~MXCSR_MASK)), VECTOR.GP, 0);
  x.setField('mxcsr', value);
};

const stmxcsr: Semantics = (x) => x.write(0, x.field('mxcsr'));

/** With REX.W these keep 64-bit x87 pointers. */
const image = (
  op: string,
  mnemonic: string,
  run: Helper,
  gate: Pick<Row, 'unit' | 'feature'>,
): Row => ({ op, mnemonic, operands: ['M'], usesOperandSize: true, ...gate, run });

export const systemSaveRows: readonly Row[] = [
  image('NP 0F AE /0', 'FXSAVE', fxsave, { unit: 'mmx' }),
  image('NP 0F AE /1', 'FXRSTOR', fxrstor, { unit: 'mmx' }),
  image('NP 0F AE /4', 'XSAVE', xsaveRun, { feature: 'XSAVE' }),
  image('NP 0F AE /5', 'XRSTOR', xrstorRun, { feature: 'XSAVE' }),
  { op: 'NP 0F AE /2', mnemonic: 'LDMXCSR', operands: ['Md'], unit: 'sse', exec: ldmxcsr },
  { op: 'NP 0F AE /3', mnemonic: 'STMXCSR', operands: ['Md'], unit: 'sse', exec: stmxcsr },
];
