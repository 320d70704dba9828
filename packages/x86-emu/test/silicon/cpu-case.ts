/** What a case is, what became of it, and who can run one. */

/** 64 = long mode, 32 = compatibility mode with a 32-bit code segment, 16 = the same with a 16-bit one. */
export type CodeMode = 64 | 32 | 16;

/** Which values a seeded state prefers, see seeded-state.ts. */
export type StateKind = 'int' | 'f32' | 'f64' | 'x87' | 'mmx';

/** Indices of {@link CpuState.segments}, the SDM's order. */
export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;

export interface CpuState {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8…R15. Below 64-bit mode only the low halves of the first eight count. */
  readonly gpr: BigUint64Array;
  rip: bigint;
  rflags: number;
  readonly segments: Uint16Array;
  /** Bases of FS and GS; in effect where the selector is null, else the descriptor's base holds. */
  fsBase: bigint;
  gsBase: bigint;
  /** The first 416 bytes of an FXSAVE64 image: x87, MXCSR, XMM. MXCSR_MASK is kept zero. */
  readonly fx: Uint8Array;
}

/** Bytes at an offset into the data window. */
export interface MemoryRange {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Cases that share an encoding and a kind of operands. */
export interface CaseForm {
  /** Upper case, as the SDM spells it. */
  readonly mnemonic: string;
  /** Encoding and operands, for reports. */
  readonly label: string;
  readonly mode: CodeMode;
  readonly kind: StateKind;
  /** Operand size in bits. */
  readonly size: number;
}

export interface CpuCase {
  readonly form: CaseForm;
  readonly seed: number;
  /** The instruction's bytes; INT3s follow it. */
  readonly code: Uint8Array;
  /** Where it stands in the code window. `initial.rip` agrees with it. */
  readonly codeOffset: number;
  /**
   * How the recorder got control back: by single step, or by the INT3 behind the instruction (then TF was clear:
   * needed where TF would be seen, or would stop a rep string after its first iteration).
   */
  readonly step: 'trap' | 'int3';
  readonly initial: CpuState;
  /** Changes to the data window's pattern before the instruction runs. */
  readonly memory: readonly MemoryRange[];
}

export interface CpuFault {
  readonly vector: number;
  /** 0 where the vector has none. */
  readonly errorCode: number;
  /** CR2; 0 unless #PF. */
  readonly address: bigint;
}

export interface CpuOutcome {
  /** TF and RF read as zero. RIP is what the exception pushed, or the next instruction's address. */
  readonly final: CpuState;
  /** Bytes of the data window that differ from before. */
  readonly memory: readonly MemoryRange[];
  /** undefined when the instruction completed. */
  readonly fault: CpuFault | undefined;
}

/** A CPU that can execute a case: the engine here, or the host through the recorder. */
export interface CpuTestDriver {
  readonly run: (testCase: CpuCase) => CpuOutcome;
}

export const cloneState = (s: CpuState): CpuState => ({
  gpr: s.gpr.slice(),
  rip: s.rip,
  rflags: s.rflags,
  segments: s.segments.slice(),
  fsBase: s.fsBase,
  gsBase: s.gsBase,
  fx: s.fx.slice(),
});
