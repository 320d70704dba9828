/**
 * SYSCALL SYSRET SYSENTER SYSEXIT (SDM Vol. 2B; AMD APM Vol. 3). Where the vendors differ: SYSCALL and SYSRET exist in every protected mode, SYSRET does not
 * test its target on a CPU whose CPUID says AMD, SYSENTER and SYSEXIT raise #UD in long mode on it.
 */
import { arrive } from './arrival.ts';
import { EFER, FLAG } from './control-bits.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { is64Bit, isCanonical, isLongMode, isProtected } from './mode.ts';
import { demandSupervisor } from './privilege.ts';
import { flatSegment } from './segments.ts';

const RCX = 1;
const RDX = 2;
const RSP = 4;
const R11 = 11;

/** EBX of CPUID leaf 0: "Auth". */
const AMD = 0x6874_7541;

const isAmd = (cpu: Cpu): boolean => cpu.cpuid(0, 0)[1] === AMD;

/** Bits of R11 that SYSRET takes over: all but RF, VM and the reserved ones. */
const SYSRET_FLAGS = 0x3c_7fd7;

const demandEnabled = (cpu: Cpu): void => {
  const { state } = cpu;
  if ((state.low('efer') & EFER.SCE) === 0 || !isProtected(state)) cpu.fault(VECTOR.UD);
};

export const syscall = (cpu: Cpu, nextRip: bigint): void => {
  demandEnabled(cpu);
  const { state } = cpu;
  const star = state.big('star');
  const selector = Number((star >> 32n) & 0xfffcn);
  const ss = flatSegment((selector + 8) & 0xffff, 'data', 0);
  const old = state.rflags;
  if (!isLongMode(state)) {
    state.setGpr(RCX, nextRip);
    const flags = old & ~(FLAG.IF | FLAG.RF | FLAG.VM);
    const cs = flatSegment(selector, 'code32', 0);
    arrive(cpu, { cs, ss, privilege: 0, rip: star & 0xffff_ffffn, flags });
    return;
  }
  const target = state.big(is64Bit(state) ? 'lstar' : 'cstar');
  state.setGpr(RCX, nextRip);
  state.setGpr(R11, BigInt(old & ~FLAG.RF));
  const flags = old & ~(Number(state.big('sfmask')) | FLAG.RF);
  arrive(cpu, { cs: flatSegment(selector, 'code64', 0), ss, privilege: 0, rip: target, flags });
  // With TF masked the single-step trap of SYSCALL itself does not come either (SDM Vol. 2B, SYSCALL).
  if (old & ~flags & FLAG.TF) cpu.blockInterrupts();
};

export const sysret = (cpu: Cpu, operandSize: 16 | 32 | 64): void => {
  demandEnabled(cpu);
  demandSupervisor(cpu);
  const { state } = cpu;
  const selector = Number((state.big('star') >> 48n) & 0xffffn) | 3;
  const ss = flatSegment((selector + 8) & 0xffff, 'data', 3);
  const wide = operandSize === 64;
  const cs = wide
    ? flatSegment((selector + 16) & 0xffff, 'code64', 3)
    : flatSegment(selector, 'code32', 3);
  const rip = wide ? state.gpr(RCX) : state.gpr(RCX) & 0xffff_ffffn;
  if (!isCanonical(rip) && !isAmd(cpu)) cpu.fault(VECTOR.GP, 0);
  const flags = isLongMode(state)
    ? Number(state.gpr(R11) & BigInt(SYSRET_FLAGS))
    : state.rflags | FLAG.IF;
  arrive(cpu, { cs, ss, privilege: 3, rip, flags });
};

/** #GP(0) outside protected mode. */
const demandSysenter = (cpu: Cpu): void => {
  if (!isProtected(cpu.state)) cpu.fault(VECTOR.GP, 0);
  if (isLongMode(cpu.state) && isAmd(cpu)) cpu.fault(VECTOR.UD);
};

export const sysenter = (cpu: Cpu): void => {
  const { state } = cpu;
  demandSysenter(cpu);
  const selector = Number(state.big('sysenterCs') & 0xfffcn);
  if (selector === 0) cpu.fault(VECTOR.GP, 0);
  const long = isLongMode(state);
  const cs = flatSegment(selector, long ? 'code64' : 'code32', 0);
  const ss = flatSegment((selector + 8) & 0xffff, 'data', 0);
  const mask = long ? 64 : 32;
  const rip = BigInt.asUintN(mask, state.big('sysenterEip'));
  state.setGpr(RSP, BigInt.asUintN(mask, state.big('sysenterEsp')));
  const flags = state.rflags & ~(FLAG.VM | FLAG.IF | FLAG.RF);
  arrive(cpu, { cs, ss, privilege: 0, rip, flags });
};

export const sysexit = (cpu: Cpu, operandSize: 16 | 32 | 64): void => {
  demandSupervisor(cpu);
  demandSysenter(cpu);
  const { state } = cpu;
  const base = Number(state.big('sysenterCs') & 0xfffcn);
  if (base === 0) cpu.fault(VECTOR.GP, 0);
  const wide = operandSize === 64;
  const selector = (base + (wide ? 32 : 16)) & 0xffff;
  const cs = flatSegment(selector | 3, wide ? 'code64' : 'code32', 3);
  const ss = flatSegment(((selector + 8) & 0xffff) | 3, 'data', 3);
  const mask = wide ? 64 : 32;
  const rip = BigInt.asUintN(mask, state.gpr(RDX));
  state.setGpr(RSP, BigInt.asUintN(mask, state.gpr(RCX)));
  arrive(cpu, { cs, ss, privilege: 3, rip });
};
