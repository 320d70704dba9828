// The form of a transcript: `@<virtual ns> <operation> [<address> [<value>]] [= <answer>]`, numbers in hexadecimal, the
// time in decimal; `@<ns> irq <vector>` for an interrupt taken; lines that start with # are comments.

/** Operation names in the order of the codes in guest.c. */
export const OP_CODES: readonly string[] =
  'end inb inw inl outb outw outl r8 r16 r32 w8 w16 w32 wait sti cli hlt pollb irq'.split(' ');

export interface Op {
  readonly code: string;
  readonly operands: readonly number[];
}

/** An operation or a comment, in the order of the file. */
export type Entry = { readonly comment: string } | Op;

/** What a script asks for: the operations and comments of a transcript, without stamps, answers and interrupts. */
export const readScript = (text: string): readonly Entry[] =>
  text.split('\n').flatMap((line): Entry[] => {
    if (line.trim() === '') return [];
    if (line.startsWith('#')) return [{ comment: line }];
    const [question = ''] = line.split(' = ');
    const words = question.split(' ').filter((word) => !word.startsWith('@'));
    const code = words[0] ?? '';
    if (code === 'irq') return [];
    if (!OP_CODES.includes(code)) throw new Error(`unknown operation: ${line}`);
    return [{ code, operands: words.slice(1).map((word) => Number.parseInt(word, 16)) }];
  });

const hasAnswer = (code: string): boolean => /^(in[bwl]|r\d+|pollb)$/.test(code);

/** One line of a transcript. `wait` has its duration as value, `pollb` mask and wanted value in two bytes. */
export const writeLine = (time: bigint, op: Op, answer: number): string =>
  [
    `@${time}`,
    op.code,
    ...op.operands.map((operand) => operand.toString(16)),
    ...(hasAnswer(op.code) ? ['=', answer.toString(16)] : []),
  ].join(' ');
