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

type General = (typeof GENERAL)[number] | (typeof NUMBERED)[number];
type General32 = (typeof GENERAL_32)[number];
type Control = (typeof CONTROL)[number];

/** Names that `readRegister` and `writeRegister` take. Segment names stand for selectors. */
export type RegisterName =
  | General
  | General32
  | Control
  | 'fs_base'
  | 'gs_base'
  | SegmentName
  | 'rip'
  | 'rflags'
  | 'mxcsr'
  | `xmm${number}`;

/** How one register is reached. */
interface RegisterAccess {
  readonly read: (state: CpuState) => bigint;
  readonly write: (state: CpuState, value: bigint) => void;
  /** Whether the engine derives anything from it: mode, translations, segments. */
  readonly derived: boolean;
}

const control = (name: Control): RegisterAccess => ({
  read: (state) => state.big(name),
  write: (state, value) => state.setBig(name, BigInt.asUintN(64, value)),
  derived: true,
});

const segmentBase = (segment: 'fs' | 'gs'): RegisterAccess => ({
  read: (state) => state.segment(segment).base,
  write: (state, value) =>
    state.setSegment(segment, { ...state.segment(segment), base: BigInt.asUintN(64, value) }),
  derived: true,
});

const xmm = (n: number): RegisterAccess => ({
  read: (state) => state.xmm(n, 0) | (state.xmm(n, 1) << 64n),
  write: (state, value) => {
    state.setXmm(n, 0, BigInt.asUintN(64, value));
    state.setXmm(n, 1, BigInt.asUintN(64, value >> 64n));
  },
  derived: false,
});

const XMM_COUNT = 16;

const REGISTERS: ReadonlyMap<string, RegisterAccess> = new Map<string, RegisterAccess>([
  ...[...GENERAL, ...NUMBERED].map((name, n): [string, RegisterAccess] => [
    name,
    {
      read: (state) => state.gpr(n),
      write: (state, value) => state.setGpr(n, BigInt.asUintN(64, value)),
      derived: false,
    },
  ]),
  ...GENERAL_32.map((name, n): [string, RegisterAccess] => [
    name,
    {
      read: (state) => BigInt(state.gpr32(n)),
      write: (state, value) => state.setGpr32(n, Number(BigInt.asUintN(32, value))),
      derived: false,
    },
  ]),
  [
    'rip',
    {
      read: (state) => state.big('rip'),
      write: (state, value) => state.setBig('rip', BigInt.asUintN(64, value)),
      derived: false,
    },
  ],
  [
    'rflags',
    {
      read: (state) => BigInt(state.rflags),
      write: (state, value) => {
        state.rflags = Number(BigInt.asUintN(32, value));
      },
      derived: true,
    },
  ],
  [
    'mxcsr',
    {
      read: (state) => BigInt(state.get('mxcsr')),
      write: (state, value) => state.set('mxcsr', Number(BigInt.asUintN(32, value))),
      derived: false,
    },
  ],
  ...CONTROL.map((name): [string, RegisterAccess] => [name, control(name)]),
  ['fs_base', segmentBase('fs')],
  ['gs_base', segmentBase('gs')],
  ...SEGMENT_NAMES.map((name): [string, RegisterAccess] => [
    name,
    {
      read: (state) => BigInt(state.selector(name)),
      write: (state, value) =>
        state.setSegment(name, { ...state.segment(name), selector: Number(value & 0xffffn) }),
      derived: true,
    },
  ]),
  ...Array.from({ length: XMM_COUNT }, (_, n): [string, RegisterAccess] => [`xmm${n}`, xmm(n)]),
]);

const accessOf = (name: RegisterName): RegisterAccess => {
  const access = REGISTERS.get(name);
  if (!access) throw new RangeError(`there is no register called '${name}'`);
  return access;
};

/** Reads a register as an unsigned bigint (XMM: 128 bits). Throws a RangeError for an unknown name. */
export const readRegister = (state: CpuState, name: RegisterName): bigint =>
  accessOf(name).read(state);

/**
 * Writes a register; a 32-bit name clears bits 63:32. Control registers and flags are taken as they are, without the checks of MOV CR.
 * A segment name sets the selector alone: use `Machine.setSegment` for a whole segment. Gives whether the engine derives anything from it.
 */
export const writeRegister = (state: CpuState, name: RegisterName, value: bigint): boolean => {
  const access = accessOf(name);
  access.write(state, value);
  return access.derived;
};
