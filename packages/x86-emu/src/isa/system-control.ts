/** Control, debug and model-specific registers, descriptor-table registers, CPUID, time stamp, caches (SDM Vol. 2). */
import { CR4, FLAG } from '../cpu/control-bits.ts';
import {
  clearTaskSwitched,
  loadMachineStatus,
  readCr8,
  writeCr0,
  writeCr3,
  writeCr4,
  writeCr8,
  writeXcr,
} from '../cpu/control.ts';
import { readDebugRegister, writeDebugRegister } from '../cpu/debug-registers.ts';
import { wrapLinear } from '../cpu/descriptor.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Cpu, Helper } from '../cpu/helper.ts';
import { SEG, isCanonical, segmentName } from '../cpu/mode.ts';
import { demandControl, demandSupervisor } from '../cpu/privilege.ts';
import { setFlags } from '../cpu/arrival.ts';
import { registerSlowPath } from '../cpu/slow-path.ts';
import type { StateField } from '../cpu/state-layout.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64 } from '../wasm/expr.ts';
import type { Semantics } from './emit.ts';
import { quick } from './row.ts';
import type { HelperRow, Row } from './row.ts';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const DEBUG_REGISTERS = 8;
const PAGE_SIZE = 4096;

/** EDX:EAX. */
const readPair = (cpu: Cpu): bigint =>
  (BigInt(cpu.state.gpr32(RDX)) << 32n) | BigInt(cpu.state.gpr32(RAX));

const writePair = (cpu: Cpu, value: bigint): void => {
  cpu.state.setGpr(RAX, value & 0xffff_ffffn);
  cpu.state.setGpr(RDX, (value >> 32n) & 0xffff_ffffn);
};

interface ControlRegister {
  readonly read: (cpu: Cpu) => bigint;
  readonly write: (cpu: Cpu, value: bigint) => void;
}

const field =
  (name: StateField): ControlRegister['read'] =>
  ({ state }) =>
    state.big(name);

const CONTROL: Readonly<Record<number, ControlRegister>> = {
  0: { read: field('cr0'), write: writeCr0 },
  2: { read: field('cr2'), write: (cpu, value) => cpu.state.setBig('cr2', value) },
  3: { read: field('cr3'), write: writeCr3 },
  4: { read: field('cr4'), write: writeCr4 },
  8: { read: readCr8, write: writeCr8 },
};

/** #UD for a number that is no control register, before #GP(0) for the privilege. */
const controlRegister = (cpu: Cpu, number: number): ControlRegister => {
  const register = CONTROL[number] ?? cpu.fault(VECTOR.UD);
  demandSupervisor(cpu);
  return register;
};

const fromControl: Helper = (cpu, insn) => {
  insn.write(0, controlRegister(cpu, insn.register(1)).read(cpu));
};

const toControl: Helper = (cpu, insn) => {
  controlRegister(cpu, insn.register(0)).write(cpu, insn.read(1));
};

/** The number of a debug register: #UD for one that does not exist, before #GP(0) for the privilege. */
const debugRegister = (cpu: Cpu, number: number): number => {
  if (number >= DEBUG_REGISTERS) cpu.fault(VECTOR.UD);
  demandSupervisor(cpu);
  return number;
};

const fromDebug: Helper = (cpu, insn) => {
  insn.write(0, readDebugRegister(cpu, debugRegister(cpu, insn.register(1))));
};

const toDebug: Helper = (cpu, insn) => {
  writeDebugRegister(cpu, debugRegister(cpu, insn.register(0)), insn.read(1));
};

const smsw: Helper = (cpu, insn) => insn.write(0, cpu.state.big('cr0'));
const lmsw: Helper = (cpu, insn) => loadMachineStatus(cpu, Number(insn.read(0)));
const clts: Helper = (cpu) => clearTaskSwitched(cpu);

type Table = 'gdtr' | 'idtr';

/** Six bytes, in 64-bit mode ten. A 16-bit operand size loads 24 bits of base. */
const loadTable =
  (table: Table): Helper =>
  (cpu, insn) => {
    const { state, memory } = cpu;
    const bytes = insn.long ? 8 : 4;
    const linear = insn.linear(0, 2 + bytes, 'read');
    const limit = Number(memory.read(2, linear));
    const base = memory.read(bytes, wrapLinear(state, linear + 2n));
    if (insn.long && !isCanonical(base)) cpu.fault(VECTOR.GP, 0);
    state.setBig(`${table}Base`, insn.operandSize === 16 ? base & 0xff_ffffn : base);
    state.set(`${table}Limit`, limit);
  };

const TABLES: readonly Table[] = ['gdtr', 'idtr'];

/** Stores table `number` at the linear address in `slowAddress`, with `bytes` bytes of base. */
registerSlowPath('storeTable', (cpu, number, bytes) => {
  const { state, memory } = cpu;
  const table = TABLES[number] as Table;
  const width = bytes === 8 ? 8 : 4;
  const linear = state.big('slowAddress');
  memory.probeWrite(2 + width, linear);
  memory.write(2, linear, BigInt(state.get(`${table}Limit`)));
  memory.write(width, wrapLinear(state, linear + 2n), state.big(`${table}Base`));
  return 0;
});

/** Staged where the bytes are plain memory of one page: firmware keeps a pointer beside its IDT and asks for it a million times in a boot. */
const storeTable =
  (table: Table): Semantics =>
  (x) => {
    const { c } = x;
    const bytes = x.mode === 'long' ? 8 : 4;
    const linear = x.linear(0, 2 + bytes, 'write');
    const host = x.direct(linear, 'write');
    const offset = e.and(e.wrap(linear), PAGE_SIZE - 1);
    const limit = x.field(`${table}Limit`) as I32;
    const base = x.field(`${table}Base`) as I64;
    c.if(
      e.and(e.nez(host), e.leU(offset, PAGE_SIZE - 2 - bytes)),
      () => {
        c.store('i32.store16', host, limit);
        if (bytes === 8) c.store('i64.store', host, base, 2);
        else c.store('i32.store', host, e.wrap(base), 2);
      },
      () => {
        x.setField('slowAddress', linear);
        x.slowPath('storeTable', e.i32(TABLES.indexOf(table)), e.i32(bytes));
      },
    );
  };

const lgdt = loadTable('gdtr');
const lidt = loadTable('idtr');
const sgdt = storeTable('gdtr');
const sidt = storeTable('idtr');

/** No limit or canonical check: an address that cannot be mapped needs no invalidation. */
const invlpg: Helper = (cpu, insn) => {
  const segment = insn.segment(0);
  const based = !insn.long || segment === SEG.fs || segment === SEG.gs;
  const base = based ? cpu.state.segment(segmentName(segment)).base : 0n;
  cpu.invalidatePage(wrapLinear(cpu.state, base + insn.offset(0)));
};

/** Caches are coherent and hold nothing back. */
const nothing: Helper = () => {};

const rdmsr: Helper = (cpu) => {
  const value = cpu.readMsr(cpu.state.gpr32(RCX)) ?? cpu.fault(VECTOR.GP, 0);
  writePair(cpu, value);
};

const wrmsr: Helper = (cpu) => {
  if (!cpu.writeMsr(cpu.state.gpr32(RCX), readPair(cpu))) cpu.fault(VECTOR.GP, 0);
};

/** The time stamp counter, in the field through which slow paths give 64 bits. */
registerSlowPath('timeStamp', (cpu) => {
  cpu.state.setBig('slowAddress', cpu.timeStamp());
  return 0;
});

/** RDTSC fills busy waits: it is staged around the one thing that only TypeScript knows. */
const rdtsc: Semantics = (x) => {
  const restricted = e.nez(e.and(x.field('cr4') as I64, CR4.TSD));
  x.raiseIf(e.and(restricted, e.nez(x.field('cpl'))), VECTOR.GP, 0);
  x.slowPath('timeStamp');
  const time = x.field('slowAddress') as I64;
  x.setGpr(RAX, 32, e.wrap(time));
  x.setGpr(RDX, 32, e.wrap(e.shrU(time, 32)));
};

const rdtscp: Semantics = (x) => {
  rdtsc(x);
  x.setGpr(RCX, 64, x.field('tscAux'));
};

const rdpid: Helper = (cpu, insn) => insn.write(0, cpu.state.big('tscAux'));

/** The four counters of AMD's original set exist and stand still. */
const COUNTERS = 4;

const rdpmc: Helper = (cpu) => {
  const { state } = cpu;
  const allowed = state.get('cpl') === 0 || state.low('cr4') & CR4.PCE;
  if (!allowed || state.gpr32(RCX) >= COUNTERS) cpu.fault(VECTOR.GP, 0);
  writePair(cpu, 0n);
};

const cpuid: Helper = (cpu) => {
  const { state } = cpu;
  const [eax, ebx, ecx, edx] = cpu.cpuid(state.gpr32(RAX), state.gpr32(RCX));
  state.setGpr32(RAX, eax);
  state.setGpr32(RBX, ebx);
  state.setGpr32(RCX, ecx);
  state.setGpr32(RDX, edx);
};

const xgetbv: Helper = (cpu) => {
  demandControl(cpu, CR4.OSXSAVE);
  if (cpu.state.gpr32(RCX) !== 0) cpu.fault(VECTOR.GP, 0);
  writePair(cpu, cpu.state.big('xcr0'));
};

const xsetbv: Helper = (cpu) => {
  demandControl(cpu, CR4.OSXSAVE);
  demandSupervisor(cpu);
  writeXcr(cpu, cpu.state.gpr32(RCX), readPair(cpu));
};

/** STAC and CLAC: #UD above privilege 0. */
const alignmentCheck =
  (set: boolean): Helper =>
  (cpu) => {
    const { state } = cpu;
    if (state.get('cpl') !== 0) cpu.fault(VECTOR.UD);
    setFlags(cpu, set ? state.rflags | FLAG.AC : state.rflags & ~FLAG.AC);
  };

const stac = alignmentCheck(true);
const clac = alignmentCheck(false);

const privileged = (
  op: string,
  mnemonic: string,
  operands: readonly string[],
  run: Helper,
): Row => ({ op, mnemonic, operands, cpl0: true, ends: true, run });

const plain = (op: string, mnemonic: string, run: Helper): Row => ({
  op,
  mnemonic,
  operands: [],
  run,
});

const moves = (op: string, operands: readonly string[], run: Helper): HelperRow => ({
  op,
  mnemonic: 'MOV',
  operands,
  size: 'f64',
  modIgnored: true,
  ends: true,
  run,
});

export const systemControlRows: readonly Row[] = [
  quick('quickReadControl', moves('0F 20 /r', ['Ry', 'Cy'], fromControl)),
  moves('0F 21 /r', ['Ry', 'Dy'], fromDebug),
  quick('quickWriteControl', moves('0F 22 /r', ['Cy', 'Ry'], toControl)),
  moves('0F 23 /r', ['Dy', 'Ry'], toDebug),
  { op: '0F 01 /4', mnemonic: 'SMSW', operands: ['Mw'], run: smsw },
  { op: '0F 01 /4', mnemonic: 'SMSW', operands: ['Rv'], run: smsw },
  privileged('0F 01 /6', 'LMSW', ['Ew'], lmsw),
  privileged('0F 06', 'CLTS', [], clts),
  { op: '0F 01 /0', mnemonic: 'SGDT', operands: ['M'], size: 'f64', exec: sgdt },
  { op: '0F 01 /1', mnemonic: 'SIDT', operands: ['M'], size: 'f64', exec: sidt },
  { ...privileged('0F 01 /2', 'LGDT', ['M'], lgdt), size: 'f64', usesOperandSize: true },
  { ...privileged('0F 01 /3', 'LIDT', ['M'], lidt), size: 'f64', usesOperandSize: true },
  privileged('0F 01 /7', 'INVLPG', ['M'], invlpg),
  privileged('0F 08', 'INVD', [], nothing),
  privileged('0F 09', 'WBINVD', [], nothing),
  privileged('0F 32', 'RDMSR', [], rdmsr),
  privileged('0F 30', 'WRMSR', [], wrmsr),
  { op: '0F 31', mnemonic: 'RDTSC', operands: [], exec: rdtsc },
  { op: '0F 01 F9', mnemonic: 'RDTSCP', operands: [], feature: 'RDTSCP', exec: rdtscp },
  plain('0F 33', 'RDPMC', rdpmc),
  { op: 'F3 0F C7 /7', mnemonic: 'RDPID', operands: ['Ry'], feature: 'RDPID', run: rdpid },
  plain('0F A2', 'CPUID', cpuid),
  { ...plain('NP 0F 01 D0', 'XGETBV', xgetbv), feature: 'XSAVE' },
  { ...plain('NP 0F 01 D1', 'XSETBV', xsetbv), feature: 'XSAVE', ends: true },
  { ...plain('NP 0F 01 CB', 'STAC', stac), feature: 'SMAP', ends: true },
  { ...plain('NP 0F 01 CA', 'CLAC', clac), feature: 'SMAP', ends: true },
];
