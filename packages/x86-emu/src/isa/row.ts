/** The row: one encoding of one instruction, from which decoder, interpreter, translator, disassembler, coverage and tests are made. */
import type { Semantics } from './emit.ts';
import type { Helper } from '../cpu/helper.ts';

/** CPUID features that gate rows (SDM Vol. 2A, CPUID). A row without a feature belongs to the x86-64 baseline. */
export type CpuFeature =
  | 'SSE3'
  | 'SSSE3'
  | 'SSE41'
  | 'SSE42'
  | 'POPCNT'
  | 'LZCNT'
  | 'BMI1'
  | 'BMI2'
  | 'ADX'
  | 'MOVBE'
  | 'CX16'
  | 'FSGSBASE'
  | 'RDRAND'
  | 'RDSEED'
  | 'AESNI'
  | 'PCLMULQDQ'
  | 'SHA'
  | 'XSAVE'
  | 'RDTSCP'
  | 'SYSCALL'
  | 'INVPCID'
  | 'SMAP'
  | 'CLFLUSHOPT'
  | 'CLWB'
  | 'PREFETCHW'
  | 'MONITOR'
  | 'RDPID'
  | '3DNOWPREFETCH';

/**
 * Operands in the letters of SDM Vol. 2D, appendix A: addressing (E G I J M O R S C D P Q N V W U H B X Y Z A) and size
 * (b w d q v z y p dq ss sd ps pd pi x), or a fixed register (AL CL AX DX eAX rAX DS …) or the constant `1`.
 * `Z` is the register in the low three opcode bits, `K` memory at DS:rDI with DS by default, `M` alone a memory operand whose address is all that matters,
 * `Mb Mw Md Mq Mdq Mt` a memory operand of that width. Sizes of E, M, V, W operands also accept a width in bits, as in `M512`.
 */
export type OperandSpec = string;

interface RowBase {
  /**
   * SDM opcode column without immediates: mandatory prefix (`NP`, `NFx`, `66`, `F3`, `F2`), `REX.W`, opcode bytes in hex, `+r` for a register in
   * the low bits, `/r`, `/0`-`/7`, or a whole ModRM byte (`D9 E8`). VEX rows: `VEX.LZ.66.0F38.W1 F5 /r`.
   * Without a mandatory prefix column 66 is the operand size and F2/F3 are ignored (or REP).
   */
  readonly op: string;
  /** SDM spelling, upper case. */
  readonly mnemonic: string;
  readonly operands: readonly OperandSpec[];
  /** `long`: #UD outside 64-bit code; `legacy`: #UD inside it. */
  readonly mode?: 'long' | 'legacy';
  /** Operand size in 64-bit code: `d64` defaults to 64 (66 gives 16), `f64` is always 64. */
  readonly size?: 'd64' | 'f64';
  /** LOCK is allowed with a memory destination. */
  readonly lock?: true;
  /** REP prefixes mean repetition: `rep` for both alike, `repcc` where F3 and F2 differ (CMPS, SCAS). */
  readonly repeats?: 'rep' | 'repcc';
  /** #GP(0) unless CPL is 0. */
  readonly cpl0?: true;
  readonly feature?: CpuFeature;
  /** Availability checks before execution: x87 (#NM by CR0.EM/TS), mmx (#UD by EM, #NM by TS), sse (#UD by EM or OSFXSR, #NM by TS). */
  readonly unit?: 'x87' | 'mmx' | 'sse';
  /** A 16-byte memory operand must be aligned, else #GP(0). */
  readonly aligned?: true;
  /** ModRM.mod is ignored: r/m is a register whatever it says (MOV to and from control and debug registers). */
  readonly modIgnored?: true;
  /** Control does not simply go on at the next instruction: decoding of a trace stops here. */
  readonly ends?: true;
  /** The semantics depend on the operand-size (address-size) attribute though no operand shows it. */
  readonly usesOperandSize?: true;
  readonly usesAddressSize?: true;
}

/** Functions of the engine that do the usual case of rare but hot instructions. */
export type QuickPath = 'quickInterrupt' | 'quickReturn' | 'quickReadControl' | 'quickWriteControl';

/** A row whose instruction TypeScript executes. */
export type HelperRow = RowBase & {
  readonly run: Helper;
  readonly exec?: never;
  /** 64-bit code tries this function of the engine first. */
  readonly quick?: QuickPath;
};

/** The row with a function of the engine for its usual case. */
export const quick = (path: QuickPath, row: HelperRow): HelperRow => ({ ...row, quick: path });

/** A row executes either staged code or, for rare instructions, a TypeScript helper. */
export type Row = (RowBase & { readonly exec: Semantics; readonly run?: never }) | HelperRow;
