/** What TypeScript helpers (rare instructions, exception delivery) may ask of the CPU. All 64-bit values are unsigned bigints. */
import type { CpuState } from './cpu-state.ts';

/**
 * The guest-visible faults, thrown by `Cpu.fault` as one preallocated object and caught where helpers are entered.
 * State must not have changed when a fault is thrown, except as the SDM says.
 */
export class Fault extends Error {
  vector = 0;
  errorCode: number | undefined = undefined;
}

/** Exception vectors (SDM Vol. 3A, table 6-1). */
export const VECTOR = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const;

/** Who accesses memory: the program at its CPL, or the processor itself (descriptor tables, TSS: always supervisor). */
export type AccessRights = 'cpl' | 'system';

/** Linear memory at the present paging state; every function may throw a page fault (or #GP/#SS for a non-canonical address). */
export interface LinearMemory {
  readonly read: (bytes: 1 | 2 | 4 | 8, linear: bigint, rights?: AccessRights) => bigint;
  readonly write: (
    bytes: 1 | 2 | 4 | 8,
    linear: bigint,
    value: bigint,
    rights?: AccessRights,
  ) => void;
  /** Throws as one access of `bytes` bytes would, alignment check included, without making it. */
  readonly probe: (
    bytes: 1 | 2 | 4 | 8,
    linear: bigint,
    access: 'read' | 'write',
    rights?: AccessRights,
  ) => void;
  /** Throws as writes to all of `bytes` bytes would, without writing; alignment is not looked at. */
  readonly probeWrite: (bytes: number, linear: bigint, rights?: AccessRights) => void;
  /** Copies a whole image out of memory or into it; every page is translated before the first byte moves. */
  readonly readBlock: (linear: bigint, into: Uint8Array, rights?: AccessRights) => void;
  readonly writeBlock: (linear: bigint, from: Uint8Array, rights?: AccessRights) => void;
}

/** Port space; values are unsigned numbers. */
export interface Ports {
  readonly read: (bytes: 1 | 2 | 4, port: number) => number;
  readonly write: (bytes: 1 | 2 | 4, port: number, value: number) => void;
}

export interface Cpu {
  readonly state: CpuState;
  readonly memory: LinearMemory;
  readonly ports: Ports;
  /** Throws a fault. */
  readonly fault: (vector: number, errorCode?: number) => never;
  /** Linear address of `offset` in segment register `segment` (SDM order) for an access of `bytes` bytes, with all checks of the mode. */
  readonly linear: (
    segment: number,
    offset: bigint,
    bytes: number,
    access: 'read' | 'write',
  ) => bigint;
  /** Continues execution at `rip` in the present CS (after a change of mode or segment); no checks. */
  readonly continueAt: (rip: bigint) => void;
  /** Paging state, privilege or a cached translation changed: forget translations. `global` includes global pages. */
  readonly flushTlb: (global: boolean) => void;
  readonly invalidatePage: (linear: bigint) => void;
  /** CR0, CR4, EFER, CPL, AC or a segment's flatness changed: recompute what the engine derives from them. */
  readonly modeChanged: () => void;
  /** Holds off interrupts until the instruction after the next (STI, MOV SS, POP SS). */
  readonly blockInterrupts: () => void;
  /** IF may have become 1, or an event waits: leave the engine after this instruction so that it is delivered. */
  readonly checkEvents: () => void;
  /** Stops after this instruction (HLT and the like) with the CPU halted. */
  readonly halt: () => void;
  /** Virtual time: the time stamp counter. */
  readonly timeStamp: () => bigint;
  /** Next 64 bits of the seeded entropy. */
  readonly entropy: () => bigint;
  /** CPUID by the machine's profile. */
  readonly cpuid: (leaf: number, subleaf: number) => readonly [number, number, number, number];
  /** Reads or writes a model-specific register; undefined or false: #GP(0). */
  readonly readMsr: (index: number) => bigint | undefined;
  readonly writeMsr: (index: number, value: bigint) => boolean;
  /** Physical address width in bits. */
  readonly physicalBits: number;
}

/** The instruction that a helper executes. */
export interface Instruction {
  readonly mnemonic: string;
  readonly long: boolean;
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly rep: 'none' | 'repe' | 'repne';
  readonly lock: boolean;
  readonly operandCount: number;
  readonly kind: (i: number) => 'register' | 'memory' | 'immediate';
  /** Operand width in bits. */
  readonly width: (i: number) => number;
  /** General-purpose, segment, control or debug register number of register operand `i`. */
  readonly register: (i: number) => number;
  /** Operand `i` (general register, memory or immediate), unsigned, at its width; up to 64 bits. A far pointer: offset below, selector above. */
  readonly read: (i: number) => bigint;
  readonly write: (i: number, value: bigint) => void;
  /** Segment register, and offset truncated to the address size, of memory operand `i`. */
  readonly segment: (i: number) => number;
  readonly offset: (i: number) => bigint;
  /** Linear address of memory operand `i` for an access of `bytes` bytes (checked). */
  readonly linear: (i: number, bytes: number, access: 'read' | 'write') => bigint;
  /** First opcode byte (of D8-DF for x87) and ModRM byte. */
  readonly opcode: number;
  readonly modrm: number;
  /** RIP of this instruction and of the next one. */
  readonly rip: bigint;
  readonly nextRip: bigint;
}

export type Helper = (cpu: Cpu, insn: Instruction) => void;
