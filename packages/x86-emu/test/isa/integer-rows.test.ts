/** Every integer row against an independent disassembler: the encoding means the mnemonic that the row claims, and has the length that we decode. */
import { Decoder as IcedDecoder, DecoderOptions, Mnemonic } from 'iced-x86';
import { expect, test } from 'vitest';
import { buildDecodeTable } from '../../src/decode/decode-table.ts';
import { Decoder } from '../../src/decode/decoder.ts';
import { parseOpcode } from '../../src/decode/opcode-pattern.ts';
import { planOperand } from '../../src/decode/operand-plan.ts';
import type { Row } from '../../src/isa/row.ts';
import { INTEGER_ROWS } from './integer-rows.ts';

const PREFIX_BYTES = { '66': [0x66], F2: [0xf2], F3: [0xf3], noRepeat: [], none: [] } as const;
const VEX_PREFIX = { none: 0, noRepeat: 0, '66': 1, F3: 2, F2: 3 } as const;
const MAP_BYTES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]] as const;
const LENGTH = 15;

/** One encoding of the row, memory operands at [rCX], padded with zeros. */
const encodingOf = (row: Row): Uint8Array => {
  const { vex, map, byte, plusRegister, prefix, w, hasModrm, digit, modrm } = parseOpcode(row.op);
  const forms = row.operands.map(planOperand).filter((p) => p.source === 'rm');
  const mode = forms.some((p) => p.form === 'memory') ? 0x01 : 0xc1;
  const operands = modrm >= 0 ? modrm : mode | ((digit >= 0 ? digit : 2) << 3);
  const bytes: number[] = [];
  if (vex) {
    // Only RORX leaves vvvv unused.
    const vvvv = row.operands.some((o) => o.startsWith('B')) ? 0x70 : 0x78;
    bytes.push(0xc4, 0xe0 | map, vvvv | VEX_PREFIX[prefix ?? 'none']);
  } else {
    bytes.push(...PREFIX_BYTES[prefix ?? 'none']);
    if (w === true) bytes.push(0x48);
    bytes.push(...MAP_BYTES[map]);
  }
  // Register 1, because 90 with register 0 is NOP.
  bytes.push(plusRegister ? byte + 1 : byte, ...(hasModrm ? [operands] : []));
  return Uint8Array.from({ length: LENGTH }, (_, i) => bytes[i] ?? 0);
};

/** The disassembler's names where it has one for each size, or another one. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  CBW: ['CWDE'],
  CWD: ['CDQ'],
  JCXZ: ['JRCXZ'],
  XLAT: ['XLATB'],
  PUSHA: ['PUSHAD'],
  POPA: ['POPAD'],
  SHL: ['SAL'],
  RDSSP: ['RDSSPD'],
  MOVS: ['MOVSB', 'MOVSD'],
  CMPS: ['CMPSB', 'CMPSD'],
  STOS: ['STOSB', 'STOSD'],
  LODS: ['LODSB', 'LODSD'],
  SCAS: ['SCASB', 'SCASD'],
  PREFETCH: ['PREFETCHWT1'],
  // It knows later extensions by name that are NOPs without them.
  NOP: ['RESERVEDNOP', 'BNDCL', 'BNDMOV', 'BNDLDX', 'BNDSTX'],
};

/** What is wrong with our reading of one encoding of `row`, or nothing. */
const disagreement = (table: ReturnType<typeof buildDecodeTable>, row: Row): string | undefined => {
  const bytes = encodingOf(row);
  const long = row.mode !== 'legacy';
  const iced = new IcedDecoder(long ? 64 : 32, bytes, DecoderOptions.None);
  const instruction = iced.decode();
  const name = Mnemonic[instruction.mnemonic]?.toUpperCase() ?? '';
  const { length } = instruction;
  instruction.free();
  iced.free();

  const names = [row.mnemonic, ...(OTHER_NAMES[row.mnemonic] ?? [])];
  if (!names.includes(name)) return `means ${name}`;
  const decoder = new Decoder(table);
  const status = decoder.decode(bytes, 0, bytes.length, {
    code: long ? 'long' : 'flat',
    defaultSize: long ? 64 : 32,
    protected: true,
  });
  if (status !== 'ok') return `decodes as ${status}`;
  if (decoder.entry.row !== row) return `is taken for '${decoder.entry.row.op}'`;
  return decoder.length === length ? undefined : `has ${length} bytes, not ${decoder.length}`;
};

test('every integer row means its mnemonic, and has the right length', () => {
  const table = buildDecodeTable(INTEGER_ROWS, () => true);
  const wrong = INTEGER_ROWS.flatMap((row) => {
    const why = disagreement(table, row);
    return why === undefined ? [] : [`${row.op} ${row.mnemonic} ${row.operands.join()}: ${why}`];
  });
  expect(wrong).toEqual([]);
});
