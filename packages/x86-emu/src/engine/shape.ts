/** What a handler knows at build time about its instruction: everything that is not in the record. */
import type { DecodedOperand, Decoder } from '../decode/decoder.ts';
import type { OperandSource, RegisterFile } from '../decode/operand-plan.ts';
import type { CodeMode } from '../isa/emit.ts';
import type { Row } from '../isa/row.ts';

export interface OperandShape {
  readonly kind: 'register' | 'memory' | 'immediate';
  readonly file: RegisterFile;
  /** Bits. */
  readonly width: number;
  readonly source: OperandSource;
  /** A branch displacement. */
  readonly relative: boolean;
}

/** The static part of an instruction. Two instructions of equal shape share a handler. */
export interface InstructionShape {
  readonly row: Row;
  readonly mode: CodeMode;
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly rep: 'none' | 'repe' | 'repne';
  readonly lock: boolean;
  /** Memory is addressed without a segment base or limit. */
  readonly flat: boolean;
  readonly operands: readonly OperandShape[];
  /** The last opcode byte (helpers' shapes do not mix rows). */
  readonly opcode: number;
}

const FILE_LETTER: Record<RegisterFile, string> = {
  gpr: 'r',
  xmm: 'x',
  mmx: 'q',
  segment: 's',
  control: 'c',
  debug: 'd',
};

const operandKey = ({ kind, plan, width }: DecodedOperand): string => {
  if (kind === 'immediate') return `i${width}`;
  if (kind === 'register') return `${FILE_LETTER[plan.file]}${width}`;
  return plan.source === 'rm' ? `m${width}` : `${plan.source[0]}${width}`;
};

/** Segments ES CS SS DS have base 0 and no limit in long and flat code; FS and GS do not, and in flat code CS refuses writes. */
const FIRST_BASED_SEGMENT = 4;
const CS = 1;

const isFlat = (mode: CodeMode, segment: number, addressSize: number): boolean =>
  mode === 'long'
    ? segment < FIRST_BASED_SEGMENT && addressSize === 64
    : mode === 'flat' && segment < FIRST_BASED_SEGMENT && segment !== CS && addressSize === 32;

/** Gives every staged function a number, so that rows that share one share handlers; a row with a helper stands for itself. */
const identities = new Map<unknown, number>();
const identity = (fn: unknown): number => {
  let id = identities.get(fn);
  if (id === undefined) identities.set(fn, (id = identities.size));
  return id;
};

/** Equal keys mean that one handler serves both instructions. */
export const shapeKey = (decoded: Decoder, mode: CodeMode): string => {
  const { row } = decoded.entry;
  let key = `${identity(row.exec ?? row)}:${mode}${decoded.lock ? 'L' : ''}`;
  let hasMemory = false;
  for (let i = 0; i < decoded.operandCount; i++) {
    const operand = decoded.operands[i] as DecodedOperand;
    if (operand.kind === 'memory') hasMemory = true;
    key += `,${operandKey(operand)}`;
    // Fixed registers that the record cannot hold are part of the shape.
    if (i > 2) key += `#${operand.register}`;
  }
  if (hasMemory)
    key += isFlat(mode, decoded.segment, decoded.addressSize) ? '' : `@${decoded.addressSize}`;
  if (row.usesAddressSize === true || row.repeats !== undefined) key += `@${decoded.addressSize}`;
  if (decoded.rep !== 'none') key += decoded.rep;
  if (row.usesOperandSize === true || row.run !== undefined || row.size !== undefined)
    key += `/${decoded.operandSize}`;
  if (row.unit !== undefined || row.cpl0 === true) key += `!${row.unit ?? ''}${row.cpl0 ?? ''}`;
  if (row.aligned === true) key += 'A';
  return key;
};

const MODE_BITS: Record<CodeMode, number> = { long: 0, flat: 1, legacy: 2 };
const REP_BITS = { none: 0, repe: 1, repne: 2 } as const;
const KIND_BITS = { register: 0, memory: 1, immediate: 2 } as const;

/** What distinguishes the shapes of one decode entry, as a number: found much faster than the key. The two sizes stand in it by their own bits. */
export const shapeVariant = (decoded: Decoder, mode: CodeMode): number => {
  const { operandSize, addressSize, segment, operands, operandCount } = decoded;
  let bits = MODE_BITS[mode] | (REP_BITS[decoded.rep] << 2) | (decoded.lock ? 16 : 0);
  bits |= (operandSize << 1) | (addressSize << 4) | (isFlat(mode, segment, addressSize) ? 2048 : 0);
  for (let i = 0; i < operandCount; i++) {
    const operand = operands[i] as DecodedOperand;
    bits |= KIND_BITS[operand.kind] << (12 + i * 2);
    if (i > 2) bits |= operand.register << 20;
  }
  return bits;
};

export const shapeOf = (decoded: Decoder, mode: CodeMode): InstructionShape => ({
  row: decoded.entry.row,
  mode,
  operandSize: decoded.operandSize,
  addressSize: decoded.addressSize,
  rep: decoded.rep,
  lock: decoded.lock,
  flat: isFlat(mode, decoded.segment, decoded.addressSize),
  operands: decoded.operands.slice(0, decoded.operandCount).map(({ kind, plan, width }) => ({
    kind,
    file: plan.file,
    width,
    source: plan.source,
    relative: plan.spec[0] === 'J',
  })),
  opcode: decoded.opcode,
});
