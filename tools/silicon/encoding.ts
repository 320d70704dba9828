/** Encodings as one line of text each: `MNEMONIC | opcode | operands | attributes`, in the letters of SDM Vol. 2D appendix A. */
import type { CodeMode, StateKind } from '../../packages/x86-emu/test/silicon/cpu-case.ts';

export type OperandLetter =
  | 'E'
  | 'M'
  | 'R'
  | 'G'
  | 'B'
  | 'S'
  | 'C'
  | 'D'
  | 'P'
  | 'Q'
  | 'N'
  | 'V'
  | 'W'
  | 'U'
  | 'I'
  | 'J'
  | 'O'
  | 'A'
  | 'Z'
  | 'fixed';

export interface Operand {
  readonly text: string;
  readonly letter: OperandLetter;
  /** Size letter: b w d q v y z p a dq t bs …, or a width in bits. */
  readonly width: string;
}

export interface Encoding {
  readonly mnemonic: string;
  readonly op: string;
  readonly operands: readonly Operand[];
  readonly mandatory: number | undefined;
  readonly rexW: boolean;
  /** VEX.pp, map and W, and whether L must be zero; undefined without VEX. */
  readonly vex:
    | { readonly pp: number; readonly map: number; readonly w: number | undefined }
    | undefined;
  /** Opcode bytes without ModRM; `plusRegister` says the last one carries a register. */
  readonly bytes: readonly number[];
  readonly plusRegister: boolean;
  /** 'r', a fixed /digit, or no ModRM. */
  readonly modrm: 'r' | number | undefined;
  readonly attributes: ReadonlySet<string>;
  readonly kind: StateKind;
}

const VEX_PP: Readonly<Record<string, number>> = { NP: 0, '66': 1, F3: 2, F2: 3 };
const VEX_MAP: Readonly<Record<string, number>> = { '0F': 1, '0F38': 2, '0F3A': 3 };
const LETTERS = 'EMRGBSCDPQNVWUIJOAZ';
const FIXED = new Set([
  'AL',
  'AX',
  'CL',
  'DX',
  'eAX',
  'rAX',
  'ES',
  'CS',
  'SS',
  'DS',
  'FS',
  'GS',
  '1',
  '3',
  'ST0',
  'STi',
  'XMM0',
  'AH',
]);

const parseOperand = (text: string): Operand => {
  if (FIXED.has(text)) return { text, letter: 'fixed', width: '' };
  const letter = text.charAt(0);
  if (!LETTERS.includes(letter)) throw new Error(`operand ${text} is not one of the SDM's letters`);
  return { text, letter: letter as OperandLetter, width: text.slice(1) };
};

const parseEncoding = (line: string, kind: StateKind): Encoding => {
  const [mnemonic = '', op = '', operands = '', attributes = ''] = line
    .split('|')
    .map((part) => part.trim());
  let mandatory: number | undefined;
  let rexW = false;
  let plusRegister = false;
  let modrm: Encoding['modrm'];
  let vex: Encoding['vex'];
  const bytes: number[] = [];
  for (const token of op.split(/\s+/)) {
    if (token === 'NP') mandatory = 0;
    else if (token.startsWith('VEX.')) {
      const [, , pp = '', map = '', w = ''] = token.split('.');
      vex = {
        pp: VEX_PP[pp] ?? 0,
        map: VEX_MAP[map] ?? 1,
        w: w === 'W1' ? 1 : w === 'W0' ? 0 : undefined,
      };
    } else if (token === 'REX.W') rexW = true;
    else if (token === '/r') modrm = 'r';
    else if (/^\/[0-7]$/.test(token)) modrm = Number(token.slice(1));
    else if (/^[0-9A-F]{2}(\+r)?$/.test(token)) {
      const value = Number.parseInt(token.slice(0, 2), 16);
      if (
        bytes.length === 0 &&
        vex === undefined &&
        [0x66, 0xf2, 0xf3].includes(value) &&
        mandatory === undefined &&
        op.split(/\s+/).length > 1
      )
        mandatory = value;
      else bytes.push(value);
      if (token.endsWith('+r')) plusRegister = true;
    } else throw new Error(`opcode token ${token} in "${line}"`);
  }
  if (bytes.length === 0) throw new Error(`no opcode in "${line}"`);
  return {
    mnemonic,
    op,
    operands: operands === '' ? [] : operands.split(',').map(parseOperand),
    mandatory,
    rexW,
    vex,
    bytes,
    plusRegister,
    modrm,
    attributes: new Set(attributes.split(/\s+/).filter((a) => a !== '')),
    kind,
  };
};

export const parseEncodings = (text: string, kind: StateKind): Encoding[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => parseEncoding(line, kind));

/** Operand sizes an encoding has in a mode; one entry when 66 and REX.W do not matter. */
export const operandSizes = (e: Encoding, mode: CodeMode): number[] => {
  const widths = e.operands.filter((o) => o.letter !== 'fixed').map((o) => o.width);
  const fixed = e.operands.filter((o) => o.letter === 'fixed').map((o) => o.text);
  if (mode === 64 && e.attributes.has('f64')) return [64];
  const bySize =
    widths.some((w) => ['v', 'z', 'p', 'a'].includes(w)) ||
    fixed.includes('rAX') ||
    fixed.includes('eAX') ||
    e.attributes.has('os');
  if (bySize) {
    const sizes = mode !== 64 ? [16, 32] : e.attributes.has('d64') ? [16, 64] : [16, 32, 64];
    return e.mandatory === 0x66 ? sizes.filter((s) => s !== 16) : sizes;
  }
  if (widths.includes('y')) {
    if (e.rexW) return [64];
    return mode === 64 ? [32, 64] : [32];
  }
  if (widths.includes('b') || fixed.includes('AL')) return [8];
  if (widths[0] === 'w') return [16];
  if (widths[0] === 'q') return [64];
  return [32];
};

/** Bytes of the memory operand, 0 where only the address counts. */
export const memoryBytes = (o: Operand, size: number): number => {
  switch (o.width) {
    case '':
      return 0;
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
    case 'ss':
      return 4;
    case 'q':
    case 'sd':
    case 'pi':
      return 8;
    case 't':
      return 10;
    case 'v':
    case 'y':
      return size / 8;
    case 'z':
      return Math.min(size, 32) / 8;
    case 'p':
      return size / 8 + 2;
    case 'a':
      return size / 4;
    case 'dq':
    case 'x':
    case 'ps':
    case 'pd':
      return o.letter === 'Q' ? 8 : 16;
    default: {
      const bits = Number(o.width);
      if (!Number.isInteger(bits) || bits % 8 !== 0)
        throw new Error(`operand ${o.text} has no known size`);
      return bits / 8;
    }
  }
};
