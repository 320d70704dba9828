/** Registers by name, for embedders: general registers in all widths, RIP, RFLAGS, segments, control, debug, XMM. */
import { SEGMENT_NAMES } from '../cpu/state-layout.ts';
import type { SegmentName } from '../cpu/state-layout.ts';
import type { CpuState } from '../cpu/cpu-state.ts';

const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
const NUMBERED = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
const GENERAL_32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
const CONTROL = [
  'cr0',
  'cr2',
  'cr3',
  'cr4',
  'cr8',
  'efer',
  'dr0',
  'dr1',
  'dr2',
  'dr3',
  'dr6',
  'dr7',
] as const;
const SEGMENTS_WITH_BASE = ['fs_base', 'gs_base'] as const;

type General = (typeof GENERAL)[number] | (typeof NUMBERED)[number];
type General32 = (typeof GENERAL_32)[number];
type Control = (typeof CONTROL)[number];
type SegmentBase = (typeof SEGMENTS_WITH_BASE)[number];

/** Names that `readRegister` and `writeRegister` take. Segment names stand for selectors. */
export type RegisterName =
  | General
  | General32
  | Control
  | SegmentBase
  | SegmentName
  | 'rip'
  | 'rflags'
  | 'mxcsr'
  | `xmm${number}`;

const generalIndex = (name: string): number => {
  const at = (GENERAL as readonly string[]).indexOf(name);
  return at >= 0 ? at : (NUMBERED as readonly string[]).indexOf(name) + 8;
};

const isGeneral = (name: string): name is General =>
  ([...GENERAL, ...NUMBERED] as readonly string[]).includes(name);
const isGeneral32 = (name: string): name is General32 =>
  (GENERAL_32 as readonly string[]).includes(name);
const isControl = (name: string): name is Control => (CONTROL as readonly string[]).includes(name);
const isSegment = (name: string): name is SegmentName =>
  (SEGMENT_NAMES as readonly string[]).includes(name);

const xmmIndex = (name: string): number => {
  const match = /^xmm(\d|1[0-5])$/.exec(name);
  return match ? Number(match[1]) : -1;
};

/** Reads a register as an unsigned bigint (XMM: 128 bits). Throws a RangeError for an unknown name. */
export const readRegister = (state: CpuState, name: RegisterName): bigint => {
  if (isGeneral(name)) return state.gpr(generalIndex(name));
  if (isGeneral32(name)) return BigInt(state.gpr32(GENERAL_32.indexOf(name)));
  if (name === 'rip') return state.big('rip');
  if (name === 'rflags') return BigInt(state.rflags);
  if (name === 'mxcsr') return BigInt(state.get('mxcsr'));
  if (isControl(name)) return state.big(name);
  if (name === 'fs_base') return state.segment('fs').base;
  if (name === 'gs_base') return state.segment('gs').base;
  if (isSegment(name)) return BigInt(state.segment(name).selector);
  const xmm = xmmIndex(name);
  if (xmm >= 0) return state.xmm(xmm, 0) | (state.xmm(xmm, 1) << 64n);
  throw new RangeError(`there is no register called '${name}'`);
};

/**
 * Writes a register; a 32-bit name clears bits 63:32. Control registers and flags are taken as they are, without the checks of MOV CR.
 * A segment name sets the selector alone: use `Machine.setSegment` for a whole segment.
 */
export const writeRegister = (state: CpuState, name: RegisterName, value: bigint): void => {
  if (isGeneral(name)) state.setGpr(generalIndex(name), BigInt.asUintN(64, value));
  else if (isGeneral32(name))
    state.setGpr32(GENERAL_32.indexOf(name), Number(BigInt.asUintN(32, value)));
  else if (name === 'rip') state.setBig('rip', BigInt.asUintN(64, value));
  else if (name === 'rflags') state.rflags = Number(BigInt.asUintN(32, value));
  else if (name === 'mxcsr') state.set('mxcsr', Number(BigInt.asUintN(32, value)));
  else if (isControl(name)) state.setBig(name, BigInt.asUintN(64, value));
  else if (name === 'fs_base' || name === 'gs_base') {
    const segment = name === 'fs_base' ? 'fs' : 'gs';
    state.setSegment(segment, { ...state.segment(segment), base: BigInt.asUintN(64, value) });
  } else if (isSegment(name))
    state.setSegment(name, { ...state.segment(name), selector: Number(value & 0xffffn) });
  else {
    const xmm = xmmIndex(name);
    if (xmm < 0) throw new RangeError(`there is no register called '${name}'`);
    state.setXmm(xmm, 0, BigInt.asUintN(64, value));
    state.setXmm(xmm, 1, BigInt.asUintN(64, value >> 64n));
  }
};
