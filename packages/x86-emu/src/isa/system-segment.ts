/** Loads, stores and tests of segment registers: MOV PUSH POP LDS LLDT LTR LAR LSL VERR VERW ARPL and their like (SDM Vol. 2). */
import { CR4, FLAG } from '../cpu/control-bits.ts';
import type { CpuState } from '../cpu/cpu-state.ts';
import { SYSTEM_TYPE, TYPE_MASK, findDescriptor, isNull, wrapLinear } from '../cpu/descriptor.ts';
import type { Descriptor } from '../cpu/descriptor.ts';
import { ATTRIBUTE } from '../cpu/cpu-state.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu, Helper, Instruction } from '../cpu/helper.ts';
import { SEG, descriptorPrivilege, isCanonical, isLongMode, segmentName } from '../cpu/mode.ts';
import { demandControl, demandProtected, demandSupervisor } from '../cpu/privilege.ts';
import {
  isConforming,
  isReadable,
  isWritableData,
  loadLdtr,
  loadSegment,
  loadTaskRegister,
} from '../cpu/segments.ts';
import { adjustStack, push, readFrame, stackSize } from '../cpu/stack.ts';
import type { Row } from './row.ts';

const bytesOf = (bits: 16 | 32 | 64): 2 | 4 | 8 => (bits === 16 ? 2 : bits === 32 ? 4 : 8);

const selectorIn = (state: CpuState, index: number): bigint =>
  BigInt(state.segment(segmentName(index)).selector);

/** A load of SS holds interrupts off until after the instruction that loads the stack pointer. */
const load = (cpu: Cpu, index: number, selector: bigint): void => {
  loadSegment(cpu, index, Number(selector & 0xffffn));
  if (index === SEG.ss) cpu.blockInterrupts();
};

const moveTo: Helper = (cpu, insn) => {
  const index = insn.register(0);
  if (index === SEG.cs || index > SEG.gs) cpu.fault(VECTOR.UD);
  load(cpu, index, insn.read(1));
};

const moveFrom: Helper = (cpu, insn) => {
  const index = insn.register(1);
  if (index > SEG.gs) cpu.fault(VECTOR.UD);
  insn.write(0, selectorIn(cpu.state, index));
};

const pushSegment: Helper = (cpu, insn) => {
  push(cpu, bytesOf(insn.operandSize), selectorIn(cpu.state, insn.register(0)));
};

const popSegment: Helper = (cpu, insn) => {
  const { state } = cpu;
  const bytes = bytesOf(insn.operandSize);
  const [value = 0n] = readFrame(cpu, bytes, 1);
  // POP SS still moves the pointer of the old stack.
  const size = stackSize(state);
  load(cpu, insn.register(0), value);
  adjustStack(state, size, bytes);
};

/** LDS LES LFS LGS LSS. */
const loadFarPointer =
  (index: number): Helper =>
  (cpu, insn) => {
    const bytes = bytesOf(insn.operandSize);
    const linear = insn.linear(1, bytes + 2, 'read');
    const offset = cpu.memory.read(bytes, linear);
    const selector = cpu.memory.read(2, wrapLinear(cpu.state, linear + BigInt(bytes)));
    loadSegment(cpu, index, Number(selector));
    insn.write(0, offset);
  };

const lds = loadFarPointer(SEG.ds);
const les = loadFarPointer(SEG.es);
const lfs = loadFarPointer(SEG.fs);
const lgs = loadFarPointer(SEG.gs);
const lss = loadFarPointer(SEG.ss);

const storeSelector =
  (name: 'ldtr' | 'tr'): Helper =>
  (cpu, insn) => {
    demandProtected(cpu);
    insn.write(0, BigInt(cpu.state.segment(name).selector));
  };

const sldt = storeSelector('ldtr');
const str = storeSelector('tr');

const loadSystemRegister =
  (run: (cpu: Cpu, selector: number) => void): Helper =>
  (cpu, insn) => {
    demandProtected(cpu);
    demandSupervisor(cpu);
    run(cpu, Number(insn.read(0)));
  };

const lldt = loadSystemRegister(loadLdtr);
const ltr = loadSystemRegister(loadTaskRegister);

const setZero = (state: CpuState, set: boolean): void => {
  state.rflags = set ? state.rflags | FLAG.ZF : state.rflags & ~FLAG.ZF;
};

/** A descriptor that the program may look at through a selector, whatever its type. */
const visible = (cpu: Cpu, selector: number): Descriptor | undefined => {
  if (isNull(selector)) return undefined;
  const descriptor = findDescriptor(cpu, selector);
  if (!descriptor || isConforming(descriptor.attributes)) return descriptor;
  const dpl = descriptorPrivilege(descriptor.attributes);
  return dpl < cpu.state.get('cpl') || dpl < (selector & 3) ? undefined : descriptor;
};

const LIMITED = [SYSTEM_TYPE.ldt, SYSTEM_TYPE.tss, SYSTEM_TYPE.tssBusy];
const LIMITED_SHORT = [...LIMITED, SYSTEM_TYPE.tss16, SYSTEM_TYPE.tss16Busy];
/** System types that LSL (those with a limit) and LAR (gates too) accept in IA-32e mode and outside it (SDM Vol. 2A, tables 3-52 and 3-54). */
const LSL_TYPES = { long: LIMITED, short: LIMITED_SHORT };
const LAR_TYPES = {
  long: [...LIMITED, SYSTEM_TYPE.callGate],
  short: [...LIMITED_SHORT, SYSTEM_TYPE.callGate, SYSTEM_TYPE.callGate16, SYSTEM_TYPE.taskGate],
};

const query =
  (
    types: { readonly long: readonly number[]; readonly short: readonly number[] },
    answer: (descriptor: Descriptor) => number,
  ): Helper =>
  (cpu, insn) => {
    demandProtected(cpu);
    const descriptor = visible(cpu, Number(insn.read(1)));
    const accepted = isLongMode(cpu.state) ? types.long : types.short;
    const found =
      descriptor !== undefined &&
      ((descriptor.attributes & ATTRIBUTE.nonSystem) !== 0 ||
        accepted.includes(descriptor.attributes & TYPE_MASK));
    if (found) insn.write(0, BigInt(answer(descriptor)));
    setZero(cpu.state, found);
  };

/** Second double word of the descriptor without base and limit. */
const lar = query(LAR_TYPES, ({ attributes }) => (attributes << 8) & 0x00f0_ff00);
const lsl = query(LSL_TYPES, ({ limit }) => limit);

const verify =
  (allowed: (attributes: number) => boolean): Helper =>
  (cpu, insn) => {
    demandProtected(cpu);
    const descriptor = visible(cpu, Number(insn.read(0)));
    setZero(cpu.state, descriptor !== undefined && allowed(descriptor.attributes));
  };

const verr = verify(isReadable);
const verw = verify(isWritableData);

/** The destination's RPL is raised to the source's. */
const arpl: Helper = (cpu, insn) => {
  demandProtected(cpu);
  const target = insn.read(0);
  const rpl = insn.read(1) & 3n;
  const raise = (target & 3n) < rpl;
  if (raise) insn.write(0, (target & ~3n) | rpl);
  setZero(cpu.state, raise);
};

const swapgs: Helper = (cpu) => {
  demandSupervisor(cpu);
  const { state } = cpu;
  const gs = state.segment('gs');
  state.setSegment('gs', { ...gs, base: state.big('kernelGsBase') });
  state.setBig('kernelGsBase', gs.base);
};

const readBase =
  (segment: 'fs' | 'gs'): Helper =>
  (cpu, insn) => {
    demandControl(cpu, CR4.FSGSBASE);
    insn.write(0, cpu.state.segment(segment).base);
  };

const writeBase =
  (segment: 'fs' | 'gs'): Helper =>
  (cpu, insn) => {
    demandControl(cpu, CR4.FSGSBASE);
    const base = insn.read(0);
    if (!isCanonical(base)) cpu.fault(VECTOR.GP, 0);
    cpu.state.setSegment(segment, { ...cpu.state.segment(segment), base });
  };

const readFs = readBase('fs');
const readGs = readBase('gs');
const writeFs = writeBase('fs');
const writeGs = writeBase('gs');

/** A store of a selector writes 16 bits to memory, the operand size to a register. */
const selectorStore = (
  op: string,
  mnemonic: string,
  run: (cpu: Cpu, insn: Instruction) => void,
  source: readonly string[] = [],
): readonly Row[] => [
  { op, mnemonic, operands: ['Mw', ...source], run },
  { op, mnemonic, operands: ['Rv', ...source], run },
];

const stackRow = (op: string, mnemonic: 'PUSH' | 'POP', register: string): Row => ({
  op,
  mnemonic,
  operands: [register],
  size: 'd64',
  usesOperandSize: true,
  // A load of SS may change the stack's width.
  ...(mnemonic === 'POP' ? { run: popSegment, ends: true } : { run: pushSegment }),
});

const legacyStackRow = (op: string, mnemonic: 'PUSH' | 'POP', register: string): Row => ({
  ...stackRow(op, mnemonic, register),
  mode: 'legacy',
});

export const systemSegmentRows: readonly Row[] = [
  { op: '8E /r', mnemonic: 'MOV', operands: ['Sw', 'Ew'], ends: true, run: moveTo },
  ...selectorStore('8C /r', 'MOV', moveFrom, ['Sw']),
  legacyStackRow('06', 'PUSH', 'ES'),
  legacyStackRow('07', 'POP', 'ES'),
  legacyStackRow('0E', 'PUSH', 'CS'),
  legacyStackRow('16', 'PUSH', 'SS'),
  legacyStackRow('17', 'POP', 'SS'),
  legacyStackRow('1E', 'PUSH', 'DS'),
  legacyStackRow('1F', 'POP', 'DS'),
  stackRow('0F A0', 'PUSH', 'FS'),
  stackRow('0F A1', 'POP', 'FS'),
  stackRow('0F A8', 'PUSH', 'GS'),
  stackRow('0F A9', 'POP', 'GS'),
  { op: 'C4 /r', mnemonic: 'LES', operands: ['Gv', 'M'], mode: 'legacy', ends: true, run: les },
  { op: 'C5 /r', mnemonic: 'LDS', operands: ['Gv', 'M'], mode: 'legacy', ends: true, run: lds },
  { op: '0F B2 /r', mnemonic: 'LSS', operands: ['Gv', 'M'], ends: true, run: lss },
  { op: '0F B4 /r', mnemonic: 'LFS', operands: ['Gv', 'M'], ends: true, run: lfs },
  { op: '0F B5 /r', mnemonic: 'LGS', operands: ['Gv', 'M'], ends: true, run: lgs },
  ...selectorStore('0F 00 /0', 'SLDT', sldt),
  ...selectorStore('0F 00 /1', 'STR', str),
  { op: '0F 00 /2', mnemonic: 'LLDT', operands: ['Ew'], run: lldt },
  { op: '0F 00 /3', mnemonic: 'LTR', operands: ['Ew'], run: ltr },
  { op: '0F 00 /4', mnemonic: 'VERR', operands: ['Ew'], run: verr },
  { op: '0F 00 /5', mnemonic: 'VERW', operands: ['Ew'], run: verw },
  { op: '0F 02 /r', mnemonic: 'LAR', operands: ['Gv', 'Ew'], run: lar },
  { op: '0F 03 /r', mnemonic: 'LSL', operands: ['Gv', 'Ew'], run: lsl },
  { op: '63 /r', mnemonic: 'ARPL', operands: ['Ew', 'Gw'], mode: 'legacy', run: arpl },
  { op: '0F 01 F8', mnemonic: 'SWAPGS', operands: [], mode: 'long', run: swapgs },
  {
    op: 'F3 0F AE /0',
    mnemonic: 'RDFSBASE',
    operands: ['Ry'],
    mode: 'long',
    feature: 'FSGSBASE',
    run: readFs,
  },
  {
    op: 'F3 0F AE /1',
    mnemonic: 'RDGSBASE',
    operands: ['Ry'],
    mode: 'long',
    feature: 'FSGSBASE',
    run: readGs,
  },
  {
    op: 'F3 0F AE /2',
    mnemonic: 'WRFSBASE',
    operands: ['Ry'],
    mode: 'long',
    feature: 'FSGSBASE',
    run: writeFs,
  },
  {
    op: 'F3 0F AE /3',
    mnemonic: 'WRGSBASE',
    operands: ['Ry'],
    mode: 'long',
    feature: 'FSGSBASE',
    run: writeGs,
  },
];
