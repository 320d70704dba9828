/** What differs between two sets of variables. */
import { EFI_TIME, formatEfiTime, variablesToJson } from '@systab/efi-core';
import type { EfiVariable, VariableJson } from '@systab/efi-core';
import { styled } from '../terminal.ts';
import type { Style, Terminal } from '../terminal.ts';
import { shortAttributes } from './attributes.ts';
import { describeData } from './describe.ts';
import { hexdump } from './hexdump.ts';
import { labelText } from './label.ts';

/** One variable that is not the same on both sides. Without `before` it was added, without `after` it is gone. */
export interface VariableChange {
  readonly before: EfiVariable | undefined;
  readonly after: EfiVariable | undefined;
}

const stampBytes = ({ timeStamp }: EfiVariable): string =>
  timeStamp === undefined ? '' : EFI_TIME.encode(timeStamp).join();

const isSame = (left: EfiVariable, right: EfiVariable): boolean =>
  left.attributes === right.attributes &&
  Buffer.compare(left.data, right.data) === 0 &&
  stampBytes(left) === stampBytes(right);

/** Every variable that differs, in the order of the left side; what only the right side has follows. */
export const differences = (
  before: readonly EfiVariable[],
  after: readonly EfiVariable[],
): readonly VariableChange[] => {
  const right = new Map(after.map((variable) => [labelText(variable), variable]));
  const left = new Set(before.map(labelText));
  return [
    ...before.map((variable) => ({ before: variable, after: right.get(labelText(variable)) })),
    ...after
      .filter((variable) => !left.has(labelText(variable)))
      .map((variable) => ({ before: undefined, after: variable })),
  ].filter(
    (change) =>
      change.before === undefined ||
      change.after === undefined ||
      !isSame(change.before, change.after),
  );
};

const metaLine = ({ attributes, data, timeStamp }: EfiVariable): string => {
  const stamp = timeStamp === undefined ? '' : `, ${formatEfiTime(timeStamp)}`;
  return `${shortAttributes(attributes)}, ${data.length} ${data.length === 1 ? 'byte' : 'bytes'}${stamp}`;
};

/** The lines of one side that the other one lacks. */
const onlyIn = (lines: readonly string[], other: readonly string[]): readonly string[] => {
  const left = new Map<string, number>();
  for (const line of other) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
};

interface Sides {
  readonly heading: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const linesOf = (variable: EfiVariable): readonly string[] => [
  metaLine(variable),
  ...describeData(variable),
];

const changedSides = (before: EfiVariable, after: EfiVariable): Sides => {
  const meta = metaLine(before) === metaLine(after) ? ` (${metaLine(after)})` : '';
  const heading = labelText(after) + meta;
  const words = [linesOf(before), linesOf(after)] as const;
  const gone = onlyIn(words[0], words[1]);
  const come = onlyIn(words[1], words[0]);
  if (gone.length + come.length > 0) return { heading, before: gone, after: come };
  // Data that reads the same is shown byte by byte, and so is a mere change of order.
  const bytes = [hexdump(before.data), hexdump(after.data)] as const;
  return {
    heading,
    before: onlyIn(bytes[0], bytes[1]),
    after: onlyIn(bytes[1], bytes[0]),
  };
};

const sidesOf = ({ before, after }: VariableChange): Sides => {
  if (before && after) return changedSides(before, after);
  const only = before ?? after;
  return {
    heading: only ? labelText(only) : '',
    before: before ? linesOf(before) : [],
    after: after ? linesOf(after) : [],
  };
};

/** The lines that show a change: the variable, then `-` for what was and `+` for what is. */
export const changeText = (terminal: Terminal, change: VariableChange): string => {
  const { heading, before, after } = sidesOf(change);
  const marked = (mark: string, style: Style, lines: readonly string[]): readonly string[] =>
    lines.map((line) => styled(terminal, style, `${mark} ${line}`));
  return [
    styled(terminal, 'bold', heading),
    ...marked('-', 'red', before),
    ...marked('+', 'green', after),
  ]
    .map(
      (line) => `${line}
`,
    )
    .join('');
};

const jsonOf = (variable: EfiVariable | undefined): VariableJson | null =>
  variable === undefined ? null : (variablesToJson([variable]).variables[0] ?? null);

/** Changes as `--json` prints them: each side as virt-fw-vars writes a variable, or null. */
export const changesToJson = (
  changes: readonly VariableChange[],
): readonly { readonly before: VariableJson | null; readonly after: VariableJson | null }[] =>
  changes.map(({ before, after }) => ({ before: jsonOf(before), after: jsonOf(after) }));
