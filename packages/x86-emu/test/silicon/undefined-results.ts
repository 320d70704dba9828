/**
 * What the SDM leaves undefined, by mnemonic: these bits are not compared. Page names are the instruction's entry in
 * SDM Vol. 2; "Flags Affected" unless another heading is given.
 */
import type { CpuCase } from './cpu-case.ts';
import { FX_FSW } from './seeded-state.ts';

export const CF = 1;
export const PF = 4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const OF = 0x800;

/** Bits of RFLAGS that the case's outcome does not define. */
type FlagRule = number | ((c: CpuCase) => number);

const sizeMask = (c: CpuCase): number => (c.form.size === 64 ? 63 : 31);

/** The shift count as the instruction masks it: an immediate byte, CL, or the opcode's 1. */
const shiftCount = (c: CpuCase): number => {
  const label = c.form.label;
  if (label.includes('Ib')) return (c.code.at(-1) ?? 0) & sizeMask(c);
  if (label.includes('CL')) return Number((c.initial.gpr[1] ?? 0n) & 0xffn) & sizeMask(c);
  return 1;
};

/** SAL/SAR/SHL/SHR: CF undefined for SHL and SHR counts at or above the size, OF unless the count is 1, AF always; a count of 0 changes nothing. */
const shift = (c: CpuCase): number => {
  const count = shiftCount(c);
  if (count === 0) return 0;
  return AF | (count === 1 ? 0 : OF) | (count >= c.form.size && c.form.mnemonic !== 'SAR' ? CF : 0);
};

/** RCL/RCR/ROL/ROR: OF undefined for counts other than 1. */
const rotate = (c: CpuCase): number => (shiftCount(c) <= 1 ? 0 : OF);

/** SHLD/SHRD: AF undefined, OF unless the count is 1; all flags and the destination when the count exceeds the size. */
const doubleShift = (c: CpuCase): number => {
  const count = shiftCount(c);
  if (count === 0) return 0;
  return count > c.form.size ? CF | PF | AF | ZF | SF | OF : AF | (count === 1 ? 0 : OF);
};

const UNDEFINED_FLAGS: Readonly<Record<string, FlagRule>> = {
  // SDM Vol. 2A
  AAA: OF | SF | ZF | PF,
  AAD: OF | AF | CF,
  AAM: OF | AF | CF,
  AAS: OF | SF | ZF | PF,
  AND: AF,
  ANDN: AF | PF,
  BEXTR: AF | SF | PF,
  BLSI: AF | PF,
  BLSMSK: AF | PF,
  BLSR: AF | PF,
  BSF: CF | OF | SF | AF | PF,
  BSR: CF | OF | SF | AF | PF,
  BT: OF | SF | AF | PF,
  BTC: OF | SF | AF | PF,
  BTR: OF | SF | AF | PF,
  BTS: OF | SF | AF | PF,
  BZHI: AF | PF,
  DAA: OF,
  DAS: OF,
  DIV: CF | OF | SF | ZF | AF | PF,
  IDIV: CF | OF | SF | ZF | AF | PF,
  IMUL: SF | ZF | AF | PF,
  LZCNT: OF | SF | PF | AF,
  // SDM Vol. 2B
  MUL: SF | ZF | AF | PF,
  OR: AF,
  RCL: rotate,
  RCR: rotate,
  ROL: rotate,
  ROR: rotate,
  SAR: shift,
  SHL: shift,
  SHR: shift,
  SHLD: doubleShift,
  SHRD: doubleShift,
  TEST: AF,
  TZCNT: OF | SF | PF | AF,
  // SDM Vol. 2D
  XOR: AF,
};

/**
 * Bits of FSW that a completed case does not define. C1 tells the direction of rounding, which an inexact transcendental
 * result leaves to the maker, unless a stack fault gives it another meaning.
 */
export const undefinedStatus = (c: CpuCase, fsw: number): number => {
  const { mnemonic } = c.form;
  const stackFault = fsw & ~(c.initial.fx[FX_FSW] ?? 0) & STACK_FAULT;
  const rounding = TOLERANCES[mnemonic]?.format === 'f80' && stackFault === 0 ? C1 : 0;
  return (UNDEFINED_CODES.get(mnemonic) ?? 0) | rounding;
};

/** Flags a case's outcome does not define; a fault other than #DE leaves all as they were. */
export const undefinedFlags = (c: CpuCase, faultVector: number | undefined): number => {
  if (faultVector !== undefined && faultVector !== 0) return 0;
  const rule = UNDEFINED_FLAGS[c.form.mnemonic] ?? 0;
  return typeof rule === 'number' ? rule : rule(c);
};

/**
 * x87 condition codes that an instruction leaves undefined (SDM Vol. 1, table 8-1 and the entries in Vol. 2A, "FPU Flags
 * Affected"): bits of FSW.
 */
const C0 = 0x100;
const C1 = 0x200;
const C2 = 0x400;
const C3 = 0x4000;
const STACK_FAULT = 0x40;

const LOADS_AND_ARITHMETIC = C0 | C2 | C3;

const MEMBERS_OF = (names: string, bits: number): [string, number][] =>
  names.split(' ').map((name) => [name, bits]);

const UNDEFINED_CODES: ReadonlyMap<string, number> = new Map<string, number>([
  ...MEMBERS_OF(
    'F2XM1 FABS FADD FADDP FBLD FBSTP FCHS FCMOVB FCMOVBE FCMOVE FCMOVNB FCMOVNBE FCMOVNE FCMOVNU FCMOVU FDIV FDIVP FDIVR FDIVRP FIADD FIDIV FIDIVR FILD ' +
      'FIMUL FIST FISTP FISTTP FISUB FISUBR FLD FLD1 FLDL2E FLDL2T FLDLG2 FLDLN2 FLDPI FLDZ FMUL FMULP FPATAN FRNDINT FSCALE FSQRT FST FSTP FSUB FSUBP FSUBR ' +
      'FSUBRP FXCH FXCH4 FXTRACT FYL2X FYL2XP1 FDECSTP FINCSTP',
    LOADS_AND_ARITHMETIC,
  ),
  ...MEMBERS_OF('FCOS FPTAN FSIN FSINCOS', C0 | C3),
  ...MEMBERS_OF('FFREE FFREEP FLDCW FNSTCW FNOP FNSTENV FNENI FNDISI FNSETPM', C0 | C1 | C2 | C3),
  ...MEMBERS_OF('FNCLEX', C0 | C1 | C2 | C3),
]);

/** True where the SDM leaves the destination itself undefined: SHLD and SHRD by more than the operand has bits. */
export const undefinedDestination = (c: CpuCase): boolean =>
  (c.form.mnemonic === 'SHLD' || c.form.mnemonic === 'SHRD') && shiftCount(c) > c.form.size;

/** Bits of general registers left undefined: LAR gives bits 19:16 of the limit or anything (SDM Vol. 2A, LAR). */
export const undefinedRegisterBits = (c: CpuCase): bigint =>
  c.form.mnemonic === 'LAR' ? 0xf_0000n : 0n;

/**
 * Bytes of a stored FPU image that depend on the maker: FOP, FIP, FCS, FDP, FDS (SDM Vol. 1, 8.1.8 to 8.1.9: kept on every
 * instruction or on unmasked exceptions only, FCS and FDS perhaps zero; AMD keeps them while an exception is pending) and MXCSR_MASK.
 */
export const makersBytes = (c: CpuCase): readonly (readonly [from: number, to: number])[] => {
  switch (c.form.mnemonic) {
    case 'FNSTENV':
    case 'FNSAVE':
      return c.form.size === 16 ? [[6, 14]] : [[12, 28]];
    case 'FXSAVE':
    case 'FXSAVE64':
      return [
        [6, 24],
        [28, 32],
      ];
    default:
      return [];
  }
};

/** Results that only have to be close: the largest distance in units of the last place, or the largest relative error. */
export interface Tolerance {
  readonly format: 'f32' | 'f80';
  readonly ulps?: number;
  readonly relative?: number;
  readonly reason: string;
}

const TRANSCENDENTAL =
  'SDM Vol. 1, 8.3.10: transcendental results are exact within 1 ulp in round-to-nearest, not bit for bit';
const APPROXIMATE = "SDM Vol. 2B: |relative error| <= 1.5 * 2^-12, the bits are the maker's choice";

export const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  F2XM1: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  FYL2X: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  FYL2XP1: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  FPTAN: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  FPATAN: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  FSIN: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  FCOS: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  FSINCOS: { format: 'f80', ulps: 1, reason: TRANSCENDENTAL },
  RCPPS: { format: 'f32', relative: 1.5 / 4096, reason: APPROXIMATE },
  RCPSS: { format: 'f32', relative: 1.5 / 4096, reason: APPROXIMATE },
  RSQRTPS: { format: 'f32', relative: 1.5 / 4096, reason: APPROXIMATE },
  RSQRTSS: { format: 'f32', relative: 1.5 / 4096, reason: APPROXIMATE },
};
