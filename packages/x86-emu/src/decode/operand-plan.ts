/** Operand letters of the SDM (Vol. 2D, appendix A.2) compiled to what the decoder has to do. */

export type RegisterFile = 'gpr' | 'xmm' | 'mmx' | 'segment' | 'control' | 'debug';

/** Where an operand comes from. */
export type OperandSource =
  /** ModRM.r/m, register or memory. */
  | 'rm'
  /** ModRM.reg. */
  | 'reg'
  /** The low three opcode bits. */
  | 'opcode'
  /** VEX.vvvv. */
  | 'vvvv'
  | 'immediate'
  /** An absolute offset in the instruction. */
  | 'offset'
  /** A far pointer in the instruction. */
  | 'pointer'
  | 'fixed'
  /** DS:rSI and ES:rDI. */
  | 'source'
  | 'destination'
  /** DS:rDI, DS by default (MASKMOVQ). */
  | 'throughRdi';

/** How many bits, given the operand size: a number, or a rule. */
type WidthRule = number | 'v' | 'z' | 'y' | 'p';

export interface OperandPlan {
  readonly spec: string;
  readonly source: OperandSource;
  readonly file: RegisterFile;
  readonly width: WidthRule;
  /** `rm` operands: memory only, register only, or both. */
  readonly form: 'memory' | 'register' | 'both';
  /** Fixed registers: number (16-19: AH CH DH BH). Fixed immediates: the value. */
  readonly fixed: number;
  /** Immediate: 8 bits in the instruction, whatever the operand's width. */
  readonly short: boolean;
}

const WIDTH: Record<string, WidthRule> = {
  b: 8,
  w: 16,
  d: 32,
  q: 64,
  dq: 128,
  x: 128,
  ps: 128,
  pd: 128,
  ss: 32,
  sd: 64,
  pi: 64,
  si: 32,
  t: 80,
  s: 80,
  v: 'v',
  z: 'z',
  y: 'y',
  p: 'p',
  '': 0,
};

const BYTE_REGISTERS = ['AL', 'CL', 'DL', 'BL'];
const HIGH_REGISTERS = ['AH', 'CH', 'DH', 'BH'];
const WORD_REGISTERS = ['AX', 'CX', 'DX', 'BX', 'SP', 'BP', 'SI', 'DI'];
const SEGMENT_REGISTERS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];

const fixedRegister = (spec: string): [RegisterFile, WidthRule, number] | undefined => {
  const at = (names: readonly string[], name = spec): number => names.indexOf(name);
  if (at(BYTE_REGISTERS) >= 0) return ['gpr', 8, at(BYTE_REGISTERS)];
  if (at(HIGH_REGISTERS) >= 0) return ['gpr', 8, 16 + at(HIGH_REGISTERS)];
  if (at(WORD_REGISTERS) >= 0) return ['gpr', 16, at(WORD_REGISTERS)];
  if (at(SEGMENT_REGISTERS) >= 0) return ['segment', 16, at(SEGMENT_REGISTERS)];
  if (spec === 'XMM0') return ['xmm', 128, 0];
  const scaled = at(WORD_REGISTERS, spec.slice(1));
  if (scaled < 0) return undefined;
  if (spec.startsWith('e')) return ['gpr', 'z', scaled];
  if (spec.startsWith('r')) return ['gpr', 'v', scaled];
  if (spec.startsWith('E')) return ['gpr', 32, scaled];
  if (spec.startsWith('R')) return ['gpr', 64, scaled];
  return undefined;
};

const LETTERS: Record<string, Pick<OperandPlan, 'source' | 'file' | 'form'>> = {
  E: { source: 'rm', file: 'gpr', form: 'both' },
  M: { source: 'rm', file: 'gpr', form: 'memory' },
  R: { source: 'rm', file: 'gpr', form: 'register' },
  Q: { source: 'rm', file: 'mmx', form: 'both' },
  N: { source: 'rm', file: 'mmx', form: 'register' },
  W: { source: 'rm', file: 'xmm', form: 'both' },
  U: { source: 'rm', file: 'xmm', form: 'register' },
  G: { source: 'reg', file: 'gpr', form: 'both' },
  P: { source: 'reg', file: 'mmx', form: 'both' },
  V: { source: 'reg', file: 'xmm', form: 'both' },
  S: { source: 'reg', file: 'segment', form: 'both' },
  C: { source: 'reg', file: 'control', form: 'both' },
  D: { source: 'reg', file: 'debug', form: 'both' },
  B: { source: 'vvvv', file: 'gpr', form: 'both' },
  Z: { source: 'opcode', file: 'gpr', form: 'both' },
  I: { source: 'immediate', file: 'gpr', form: 'both' },
  J: { source: 'immediate', file: 'gpr', form: 'both' },
  O: { source: 'offset', file: 'gpr', form: 'both' },
  A: { source: 'pointer', file: 'gpr', form: 'both' },
  X: { source: 'source', file: 'gpr', form: 'both' },
  Y: { source: 'destination', file: 'gpr', form: 'both' },
  K: { source: 'throughRdi', file: 'gpr', form: 'both' },
};

/** Compiles one operand specification; `widest` is the row's first operand, whose width short immediates are extended to. */
export const planOperand = (spec: string): OperandPlan => {
  let plan = plans.get(spec);
  if (!plan) {
    plan = makePlan(spec);
    plans.set(spec, plan);
  }
  return plan;
};

const plans = new Map<string, OperandPlan>();

const makePlan = (spec: string): OperandPlan => {
  if (spec === '1')
    return {
      spec,
      source: 'fixed',
      file: 'gpr',
      width: 8,
      form: 'both',
      fixed: 1,
      short: true,
    };
  const register = fixedRegister(spec);
  if (register) {
    const [file, width, fixed] = register;
    return { spec, source: 'fixed', file, width, form: 'register', fixed, short: false };
  }
  const letter = LETTERS[spec[0] ?? ''];
  const size = spec.slice(1);
  const width = /^\d+$/.test(size) ? Number(size) : WIDTH[size];
  if (!letter || width === undefined) throw new Error(`unknown operand '${spec}'`);
  return {
    spec,
    ...letter,
    width,
    fixed: 0,
    short: (spec[0] === 'I' || spec[0] === 'J') && size === 'b',
  };
};

/** Operand width in bits under an operand size. */
export const operandWidth = (plan: OperandPlan, operandSize: 16 | 32 | 64): number => {
  switch (plan.width) {
    case 'v':
      return operandSize;
    case 'z':
      return operandSize === 16 ? 16 : 32;
    case 'y':
      return operandSize === 64 ? 64 : 32;
    case 'p':
      return 16 + operandSize;
    default:
      return plan.width;
  }
};
