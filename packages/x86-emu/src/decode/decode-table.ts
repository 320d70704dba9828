/** Rows indexed by opcode: what the decoder looks up. */
import type { CpuFeature, Row } from '../isa/row.ts';
import { parseOpcode } from './opcode-pattern.ts';
import type { OpcodePattern } from './opcode-pattern.ts';
import { planOperand } from './operand-plan.ts';
import type { OperandPlan } from './operand-plan.ts';

export interface DecodeEntry {
  readonly row: Row;
  readonly pattern: OpcodePattern;
  readonly plans: readonly OperandPlan[];
  /** Memory or register form demanded by an operand letter (or by a whole ModRM byte). */
  readonly form: 'memory' | 'register' | 'both';
}

export interface DecodeCell {
  readonly entries: readonly DecodeEntry[];
  readonly hasModrm: boolean;
  /** ModRM.mod counts as 3. */
  readonly modIgnored: boolean;
  /** Some rows here take a register in the low opcode bits, others claim the opcode for themselves (90: XCHG and NOP). */
  readonly mixed: boolean;
}

/** Cell index: VEX flag, map, opcode byte. */
export const cellIndex = (vex: boolean, map: number, byte: number): number =>
  ((vex ? 4 : 0) + map) * 256 + byte;

/** Tells two entries apart that could decode the same bytes. */
const specificity = ({ pattern, form, row }: DecodeEntry): number =>
  (pattern.plusRegister ? 0 : 128) +
  (pattern.modrm >= 0 ? 64 : 0) +
  (pattern.digit >= 0 ? 32 : 0) +
  (pattern.prefix !== undefined ? 16 : 0) +
  (pattern.w !== undefined ? 8 : 0) +
  (form !== 'both' ? 4 : 0) +
  (row.mode !== undefined ? 2 : 0) +
  (row.feature !== undefined ? 1 : 0);

const signature = ({ pattern, form, row }: DecodeEntry): string =>
  [
    pattern.plusRegister,
    pattern.modrm,
    pattern.digit,
    pattern.prefix ?? '*',
    pattern.w ?? '*',
    form,
    row.mode ?? '*',
    row.feature ?? '*',
  ].join('/');

const makeEntry = (row: Row): DecodeEntry => {
  const pattern = parseOpcode(row.op);
  const plans = row.operands.map(planOperand);
  const forms = plans.filter((p) => p.source === 'rm' && p.form !== 'both').map((p) => p.form);
  const form = pattern.modrm >= 0xc0 ? 'register' : (forms[0] ?? 'both');
  return { row, pattern, plans, form };
};

/** Builds the table from all rows that the features allow. Throws if two rows claim the same encoding. */
export const buildDecodeTable = (
  rows: readonly Row[],
  hasFeature: (feature: CpuFeature) => boolean,
): readonly (DecodeCell | undefined)[] => {
  const cells: (DecodeEntry[] | undefined)[] = Array.from({ length: 8 * 256 });
  for (const row of rows) {
    if (row.feature !== undefined && !hasFeature(row.feature)) continue;
    const entry = makeEntry(row);
    const { vex, map, byte, plusRegister } = entry.pattern;
    for (let i = 0; i < (plusRegister ? 8 : 1); i++)
      (cells[cellIndex(vex, map, byte + i)] ??= []).push(entry);
  }
  return cells.map((entries, index) => {
    if (!entries) return undefined;
    const seen = new Map<string, DecodeEntry>();
    for (const entry of entries) {
      const key = signature(entry);
      const other = seen.get(key);
      if (other)
        throw new Error(
          `rows '${other.row.op}' ${other.row.mnemonic} and '${entry.row.op}' ${entry.row.mnemonic} overlap`,
        );
      seen.set(key, entry);
    }
    const hasModrm = entries.some((e) => e.pattern.hasModrm);
    if (hasModrm && entries.some((e) => !e.pattern.hasModrm))
      throw new Error(`opcode cell 0x${index.toString(16)}: rows disagree on having a ModRM byte`);
    const mixed = new Set(entries.map((e) => e.pattern.plusRegister)).size > 1;
    return {
      entries: entries.toSorted((a, b) => specificity(b) - specificity(a)),
      hasModrm,
      modIgnored: entries.every((e) => e.row.modIgnored === true),
      mixed,
    };
  });
};
