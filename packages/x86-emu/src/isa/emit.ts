/**
 * The typed builder that semantic functions write to. A semantic function does not execute an instruction: it builds the code that does.
 *
 * The same function serves both engines. The interpreter gives it operands that are read from a predecoded record at run time; the translator
 * gives it the operands of one concrete instruction, whose constants fold away.
 *
 * Rule of precision: whatever may fault comes before the first change of state. `modify(i).write` cannot fault; `write(i)` to a memory
 * operand can, so it precedes changes of flags and registers.
 */
import type { Code } from '../wasm/code.ts';
import type { Expr, I32, I64, Int, V128 } from '../wasm/expr.ts';
import type { StateField } from '../cpu/state-layout.ts';

export type Size = 8 | 16 | 32 | 64;

/** `long`: 64-bit code. `flat`: 32-bit code, all of CS DS ES SS with base 0 and limit 4 GiB. `legacy`: all other 16- and 32-bit code. */
export type CodeMode = 'long' | 'flat' | 'legacy';

/** Condition codes in opcode order (SDM Vol. 1, appendix B). */
export type ConditionCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

export type Semantics = (x: Emit) => void;

/** Status flags. `a`, `b`, `r` are the operands and the result at the given size, zero- or sign-extended or with garbage above it. */
export interface FlagsEmit {
  /** r = a + b, or r = a + b + CF: all six flags. */
  readonly add: (size: Size, a: Int, b: Int, r: Int) => void;
  /** r = a - b: all six flags (CMP, SUB, NEG with a = 0). */
  readonly sub: (size: Size, a: Int, b: Int, r: Int) => void;
  /** r = a - b - CF: all six flags. */
  readonly sbb: (size: Size, a: Int, b: Int, r: Int) => void;
  /** r = a + 1 or r = a - 1: CF is kept. */
  readonly inc: (size: Size, a: Int, r: Int) => void;
  readonly dec: (size: Size, a: Int, r: Int) => void;
  /** ZF, SF, PF from r; CF = OF = AF = 0. */
  readonly logic: (size: Size, r: Int) => void;
  /** ZF, SF, PF from r; CF, AF, OF from `bits` (an i32 with the flags at their places in EFLAGS: 0x001, 0x010, 0x800; other bits clear). */
  readonly result: (size: Size, r: Int, bits: I32) => void;
  /** All six status flags from an i32 in EFLAGS layout; other bits are ignored. */
  readonly set: (eflags: I32) => void;
  /** Replaces CF alone by the i32 0 or 1. */
  readonly setCarry: (carry: I32) => void;
  /** Replaces CF and OF alone, each by an i32 0 or 1 (rotates). */
  readonly setCarryOverflow: (carry: I32, overflow: I32) => void;
  /** CF as 0 or 1. */
  readonly carry: () => I32;
  /** The six status flags in EFLAGS layout, other bits clear. */
  readonly get: () => I32;
  /** 1 if the condition holds, else 0. */
  readonly condition: (cc: ConditionCode) => I32;
}

/** A location that has been checked for writing: `write` cannot fault. */
export interface Modify<T extends Expr = Int> {
  readonly value: T;
  readonly write: (value: T) => void;
}

export interface Emit {
  readonly c: Code;
  readonly mode: CodeMode;
  /** Effective operand-size and address-size attributes in bits. */
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly rep: 'none' | 'repe' | 'repne';
  readonly lock: boolean;
  readonly flags: FlagsEmit;

  /** Number of operands, and where and how wide operand `i` is (bits). */
  readonly operandCount: number;
  readonly kind: (i: number) => 'register' | 'memory' | 'immediate';
  readonly width: (i: number) => number;
  /** `width(i)` of a general-purpose operand. */
  readonly size: (i: number) => Size;

  /**
   * Operand `i` as i32 (8, 16, 32 bits; zero-extended) or i64, bound to a local. Immediates are sign-extended to their operand's size.
   * XMM and MMX register operands of width 32 or 64 give their low lane.
   */
  readonly read: (i: number) => Int;
  /** The same for a 128-bit operand. */
  readonly readVector: (i: number) => V128;
  /** Writes operand `i`; bits above its width are ignored. A 32-bit general register write clears bits 63:32; an XMM write of 32 or 64 bits keeps the rest. */
  readonly write: (i: number, value: Int) => void;
  readonly writeVector: (i: number, value: V128) => void;
  /** Writes an XMM register operand's low lane and clears the rest of the 128 bits. */
  readonly writeZeroExtended: (i: number, value: Int) => void;
  /** Reads operand `i` for a later write of the same operand (checks write permission first). */
  readonly modify: (i: number) => Modify;

  /** General register `n` (0 = RAX … 15 = R15) at `size`; 8 means the low byte. i32 or i64, bound. */
  readonly gpr: (n: number, size: Size) => Int;
  /** Writes a general register with the rules of `write`. */
  readonly setGpr: (n: number, size: Size, value: Int) => void;
  readonly xmm: (n: number) => V128;
  readonly setXmm: (n: number, value: V128) => void;

  /** Effective address of memory operand `i`, without its segment, truncated to the address size: i64, bound. */
  readonly effectiveAddress: (i: number) => I64;
  /**
   * Linear address of memory operand `i` for an access of `bytes` bytes; checks segment limits and rights, may fault. i64, bound.
   * `displacement` is added to the effective address before it is truncated and checked (bit strings, SDM Vol. 2A, BT).
   */
  readonly linear: (i: number, bytes: number, access: 'read' | 'write', displacement?: I64) => I64;
  readonly load: (width: Size, linear: I64) => Int;
  readonly loadVector: (linear: I64) => V128;
  readonly store: (width: Size, linear: I64, value: Int) => void;
  readonly storeVector: (linear: I64, value: V128) => void;
  readonly modifyAt: (width: Size, linear: I64) => Modify;

  /** Pushes `value` of `size` bits. */
  readonly push: (size: 16 | 32 | 64, value: Int) => void;
  /** Reads the stack at SP + `offset` bytes, leaves SP. With `pointer` (i64, truncated to the stack's address size) in place of SP: LEAVE. */
  readonly peek: (size: 16 | 32 | 64, offset: number, pointer?: I64) => Int;
  /** SP += `bytes` at the stack's address size. */
  readonly adjustStack: (bytes: Int) => void;

  /** Reads a field of the CPU state (an i32 or i64 field by its declaration), bound. */
  readonly field: (field: StateField) => Int;
  readonly setField: (field: StateField, value: Int) => void;

  /** Delivers a fault, now or if `condition` holds. `errorCode` only for vectors that have one. */
  readonly raise: (vector: number, errorCode?: number) => void;
  readonly raiseIf: (condition: I32, vector: number, errorCode?: number) => void;

  /** RIP of the next instruction, i64. */
  readonly nextRip: () => I64;
  /** Near jump to `rip` (i64, zero-extended offset in CS), truncated to the operand size; ends the instruction. */
  readonly jump: (rip: I64) => void;
  /** Near relative jump to immediate operand `i`, always or if `condition` holds; ends the instruction. */
  readonly branch: (i: number, condition?: I32) => void;
  /**
   * Goes on at the next instruction by way of the run loop, which looks at pending events and single step first; ends the instruction.
   * For POPF and its like: `Cpu.checkEvents` is for helpers, a slow path cannot use it.
   */
  readonly leaveForEvents: () => void;
  /** Executes the same instruction again (the next iteration of a repeated string instruction, counted as an instruction of its own). */
  readonly again: (condition: I32) => void;
  /**
   * For string instructions done in bulk: the number of iterations that the budget allows, the present one included, and payment for `n` of them
   * beyond the present one. i32.
   */
  readonly iterationsLeft: () => I32;
  readonly consumeIterations: (n: I32) => void;
  /**
   * Host address of the guest memory at `linear` if `access` is allowed there directly, else 0: i32, bound. Good up to the end of the 4 KiB page.
   * Never faults.
   */
  readonly direct: (linear: I64, access: 'read' | 'write') => I32;
  /**
   * MMX state: TOP becomes 0 and all registers valid. Happens by itself when an MMX instruction ends; semantics call it where a fault that follows
   * leaves the state entered, as silicon does.
   */
  readonly enterMmx: () => void;
  /** EMMS: tags all x87 registers empty. */
  readonly leaveMmx: () => void;
  /** Calls TypeScript from staged code: a named slow path of the CPU (`cpu/slow-path.ts`) with i32 arguments, i32 result. */
  readonly slowPath: (name: string, ...args: readonly I32[]) => I32;
}
