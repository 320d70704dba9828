/**
 * The CPU state in linear memory: one declaration of every field. Accessors, snapshots, staged code and the translator derive from it.
 * Offsets are absolute addresses in the engine's memory; page 0 stays unused so that address 0 is never valid.
 */

import { X87_LAYOUT } from '../fpu/x87-state.ts';

type FieldType = 'u8' | 'u16' | 'u32' | 'u64';
export interface FieldLayout {
  readonly type: FieldType;
  readonly address: number;
}

const WIDTH: Record<FieldType, number> = { u8: 1, u16: 2, u32: 4, u64: 8 };

/** Where the state starts. */
export const STATE_BASE = 0x1000;

/** Segment registers in SDM encoding order, then the system segment registers. */
export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;
export type SegmentName = (typeof SEGMENT_NAMES)[number];

/** Register files. A cached segment register is 24 bytes: base u64, limit u32 (in bytes, expanded), attributes u32, selector u16. */
const GPR: number = STATE_BASE;
/** A register slot that always reads zero: base or index of an address that has none. */
export const ZERO_REGISTER: number = GPR + 16 * 8;
export const SEGMENTS: number = ZERO_REGISTER + 8;
export const SEGMENT_STRIDE = 24;
const XMM: number = SEGMENTS + 8 * SEGMENT_STRIDE + 8;
/** The x87 and MMX state; its inner layout belongs to `fpu/`. */
export const FPU: number = XMM + 256;
const FPU_SIZE = 256;
/** MMX register `n` is the significand of physical x87 register `n`, in a slot of 16 bytes. */
export const mmxAddress = (n: number): number => FPU + X87_LAYOUT.registers + n * X87_LAYOUT.stride;

/** Offsets within a cached segment register. */
export const SEGMENT = { base: 0, limit: 8, attributes: 12, selector: 16 } as const;

const SCALARS = {
  /** RIP of the instruction to execute next; valid whenever the engine is not running. */
  rip: 'u64',
  /** EFLAGS without the six status flags. Bit 1 is set. */
  systemFlags: 'u32',
  /** Lazy status flags, see `FLAG_KIND` in `cpu-state.ts`. */
  flagKind: 'u32',
  flagResult: 'u64',
  flagA: 'u64',
  flagB: 'u64',
  cr0: 'u64',
  cr2: 'u64',
  cr3: 'u64',
  cr4: 'u64',
  cr8: 'u64',
  xcr0: 'u64',
  efer: 'u64',
  dr0: 'u64',
  dr1: 'u64',
  dr2: 'u64',
  dr3: 'u64',
  dr6: 'u64',
  dr7: 'u64',
  gdtrBase: 'u64',
  idtrBase: 'u64',
  gdtrLimit: 'u32',
  idtrLimit: 'u32',
  mxcsr: 'u32',
  /** Current privilege level, 0-3. */
  cpl: 'u32',
  star: 'u64',
  lstar: 'u64',
  cstar: 'u64',
  sfmask: 'u64',
  kernelGsBase: 'u64',
  sysenterCs: 'u64',
  sysenterEsp: 'u64',
  sysenterEip: 'u64',
  pat: 'u64',
  apicBase: 'u64',
  tscAux: 'u64',
  tscOffset: 'u64',
  /** Instructions retired before the present slice. */
  retired: 'u64',
  /** 1 while halted. */
  halted: 'u32',
  /** 1 from delivery of an NMI to the next IRET. */
  nmiBlocked: 'u32',
  /** 1 if an NMI waits. */
  nmiPending: 'u32',
  /** 1 if the interrupt pin is asserted. */
  interruptPending: 'u32',
  /** Value of `remaining` for which interrupts are held off (STI, MOV SS shadow); -1: none. */
  shadow: 'u32',

  /** Engine: instructions left in this slice. */
  remaining: 'u32',
  /** Engine: record of the instruction being executed. */
  record: 'u32',
  /** Engine: why the engine returned (`engine/exit.ts`). */
  exitReason: 'u32',
  /** Engine: not zero when the instruction being executed must be given up (a fault is described below). */
  unwind: 'u32',
  faultVector: 'u32',
  faultErrorCode: 'u32',
  faultHasErrorCode: 'u32',
  /** Engine: linear address of the code page being executed, and CS base. */
  pageLinear: 'u64',
  codeBase: 'u64',
  /** Engine: entry table and physical page number of the code page being executed, and its mode key. */
  pageEntries: 'u32',
  pagePhysical: 'u32',
  modeKey: 'u32',
  /** Engine: what tags the exec TLB: mode key, and 8 at CPL 3. */
  execKey: 'u32',
  /** Engine: TLB of the present privilege. */
  tlb: 'u32',
  /** Engine: 0 if the unit may execute, else the vector to raise (6 or 7). */
  x87Blocked: 'u32',
  mmxBlocked: 'u32',
  sseBlocked: 'u32',
  /** Engine: with the `checked` TLB view, 1 if misaligned accesses raise #AC, and 1 if data breakpoints are armed. */
  alignmentChecked: 'u32',
  dataBreakpoints: 'u32',
  /** Engine: number of valid entries in the list of filled TLB entries. */
  tlbFilled: 'u32',
  /** Engine: the same of the exec TLB. */
  execFilled: 'u32',
  /** Engine: interface to TypeScript slow paths. */
  slowLow: 'u32',
  slowHigh: 'u32',
  slowAddress: 'u64',
  /** Engine: operands and result of vector slow paths, three vectors one behind the other. */
  sseA: 'u64',
  sseAHigh: 'u64',
  sseB: 'u64',
  sseBHigh: 'u64',
  sseResult: 'u64',
  sseResultHigh: 'u64',
} as const;

export type StateField = keyof typeof SCALARS;

const SCALARS_BASE: number = FPU + FPU_SIZE;

const place = (): { fields: Record<StateField, FieldLayout>; end: number } => {
  const fields: Partial<Record<StateField, FieldLayout>> = {};
  let at = SCALARS_BASE;
  for (const [name, type] of Object.entries(SCALARS) as [StateField, FieldType][]) {
    const width = WIDTH[type];
    at = (at + width - 1) & -width;
    fields[name] = { type, address: at };
    at += width;
  }
  return { fields: fields as Record<StateField, FieldLayout>, end: at };
};

const placed = place();

/** Type and address of every scalar field. */
export const FIELDS: Readonly<Record<StateField, FieldLayout>> = placed.fields;

/** 64-bit slots of model-specific registers that no field holds; their assignment belongs to `cpu/msr-slots.ts`. */
export const MSR_SLOTS: number = (placed.end + 63) & -64;
export const MSR_SLOT_COUNT = 96;

/** First address after the state. */
export const STATE_END: number = (MSR_SLOTS + MSR_SLOT_COUNT * 8 + 63) & -64;

/** Address of general register `n`. */
export const gprAddress = (n: number): number => GPR + n * 8;
export const xmmAddress = (n: number): number => XMM + n * 16;
export const segmentAddress = (n: number): number => SEGMENTS + n * SEGMENT_STRIDE;
