/**
 * The instructions whose handlers stand inline in the dispatch loop, given as encodings: the commonest of OVMF's and Xen's boots and of compiled code.
 * The decoder turns them into shapes, so this list repeats nothing of the rows.
 */
import type { Decoder } from '../decode/decoder.ts';
import { DECODE_MODES, MODE_KEY } from './decode-modes.ts';
import { shapeKey, shapeOf } from './shape.ts';
import type { InstructionShape } from './shape.ts';

/** The two-operand arithmetic group by its opcode base: ADD OR AND SUB XOR CMP. */
const ARITHMETIC = [0x00, 0x08, 0x20, 0x28, 0x30, 0x38];

const hex = (value: number): string => value.toString(16).padStart(2, '0');

/** Encodings in 32-bit form; `48` before one gives its 64-bit form. ModRM c8 names two registers, 08 a register and memory. */
const common = (wide: string): readonly string[] => [
  ...ARITHMETIC.flatMap((base) => [
    `${wide}${hex(base + 1)}c8`,
    `${wide}${hex(base + 3)}08`,
    `${wide}83${hex(0xc0 | base)}01`,
  ]),
  // To memory: ADD, CMP; with an immediate: ADD, AND, CMP.
  `${wide}0108`,
  `${wide}3908`,
  `${wide}830001`,
  `${wide}832001`,
  `${wide}833801`,
  `${wide}85c0`,
  `${wide}8bc8`,
  `${wide}8908`,
  `${wide}8b08`,
  `${wide}c7c001000000`,
  `${wide}c70001000000`,
  `${wide}8d08`,
  `${wide}c1e001`,
  `${wide}c1e801`,
  `${wide}ffc0`,
  `${wide}ffc8`,
  `${wide}0fafc8`,
  `${wide}0fb6c8`,
  `${wide}0fb608`,
];

/** Byte and word forms, the same in 32- and 64-bit code. */
const NARROW: readonly string[] = [
  '3a01',
  '38c1',
  '80f901',
  '803901',
  '84c0',
  'f6c001',
  '8801',
  '8a01',
  'c60001',
];

const conditions = (opcode: (cc: number) => string): readonly string[] =>
  Array.from({ length: 16 }, (_, cc) => opcode(cc)).filter((_, cc) => cc !== 10 && cc !== 11);

/** Stack, calls and jumps in the code's own address width. */
const FLOW: readonly string[] = [
  '50',
  '58',
  '6a01',
  'c3',
  'e800000000',
  'ffd0',
  'ffe0',
  'ff20',
  'eb00',
  'c9',
  ...conditions((cc) => `${hex(0x70 + cc)}00`),
];

const LONG: readonly string[] = [
  ...common(''),
  ...common('48'),
  ...NARROW,
  ...FLOW,
  '48b80100000000000000',
  '4863c8',
  '486308',
  'c1c001',
  '0fb708',
  '48c1f801',
  '90',
];

/** 32-bit code is what firmware runs for a short time: its commonest instructions, till the translator takes over. */
const FLAT: readonly string[] = [
  '8bc8',
  '8908',
  '8b08',
  '8d08',
  '01c8',
  '29c8',
  '31c8',
  '39c8',
  '3b08',
  '83c001',
  '83e801',
  '83f801',
  '85c0',
  'c1e801',
  '0fb608',
  ...FLOW,
];

/** Shapes of the inline handlers with their keys, in handler order, duplicates removed. */
export const hotShapes = (
  decoder: Decoder,
): readonly { readonly key: string; readonly shape: InstructionShape }[] => {
  const shapes = new Map<string, InstructionShape>();
  for (const [modeKey, encodings] of [
    [MODE_KEY.long, LONG],
    [MODE_KEY.flat, FLAT],
  ] as const) {
    const mode = DECODE_MODES[modeKey];
    if (!mode) throw new Error(`no decode mode ${modeKey}`);
    for (const encoding of encodings) {
      const bytes = Uint8Array.from(encoding.match(/../g) ?? [], (pair) =>
        Number.parseInt(pair, 16),
      );
      if (decoder.decode(bytes, 0, bytes.length, mode) !== 'ok' || decoder.length !== bytes.length)
        throw new Error(`hot handler ${encoding} is not one ${mode.code} instruction`);
      if (decoder.entry.row.run) continue;
      shapes.set(shapeKey(decoder, mode.code), shapeOf(decoder, mode.code));
    }
  }
  return [...shapes].map(([key, shape]) => ({ key, shape }));
};
