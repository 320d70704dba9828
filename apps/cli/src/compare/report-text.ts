/** A comparison as people read it in a terminal. */
import { styled } from '../terminal.ts';
import type { Style, Terminal } from '../terminal.ts';
import type { BarrelThrough, Severity } from './barrel-through.ts';
import type { Comparison, ComparisonRow, Verdict } from './comparison.ts';
import { TOPICS } from './operation.ts';
import type { Topic } from './operation.ts';

const TITLE_WIDTH = 34;
const CELL_WIDTH = 13;
/** Lines about one step; a hypervisor that ends a domain prints its registers too. */
const MOST_WORDS = 5;

const SEVERITY_STYLES: Readonly<Record<Severity, Style>> = {
  harmless: 'dim',
  refused: 'bold',
  'domain lost': 'red',
};

const barrelLines = (terminal: Terminal, barrel: BarrelThrough | undefined): readonly string[] => {
  if (barrel === undefined) return [];
  const told = barrel.steps.filter(({ severity }) => severity !== 'harmless');
  return [
    styled(
      terminal,
      'bold',
      `barrel through: the steps of bare metal, as they are, under the hypervisor`,
    ),
    `  ${String(barrel.steps.length - told.length)} of ${String(barrel.steps.length)} harmless; the worst: ${barrel.worst}`,
    ...told.flatMap(({ step, severity, what }) => [
      `  ${step.padEnd(TITLE_WIDTH)}${styled(terminal, SEVERITY_STYLES[severity], severity)}`,
      ...what.slice(0, MOST_WORDS).map((line) => styled(terminal, 'dim', `      ${line}`)),
    ]),
    '',
  ];
};

/** What stands above the tables. */
export interface ReportHead {
  readonly firmware: string;
  readonly machine: string;
  readonly hypervisor: string;
}

const cut = (text: string, width: number): string =>
  text.length < width ? text.padEnd(width) : `${text.slice(0, width - 2)}… `;

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

const cells = ({ observations }: ComparisonRow): string => {
  const [first] = observations;
  return observations
    .map(({ value, short }, column) =>
      cut(column > 0 && value === first?.value ? '=' : firstLine(short ?? value), CELL_WIDTH),
    )
    .join('');
};

const STYLES: Readonly<Record<Verdict, Style>> = {
  equal: 'dim',
  explained: 'bold',
  unexplained: 'red',
};

const rowLines = (terminal: Terminal, row: ComparisonRow): readonly string[] => {
  const word = row.verdict === 'unexplained' ? 'UNEXPLAINED' : row.verdict;
  const reasons = new Set(
    row.differences.flatMap(({ explanation }) =>
      explanation === undefined ? [] : [`${explanation.why}  [${explanation.source}]`],
    ),
  );
  return [
    `  ${cut(row.operation.title, TITLE_WIDTH)}${cells(row)}${styled(terminal, STYLES[row.verdict], word)}`,
    ...[...reasons].map((reason) => styled(terminal, 'dim', `      ${reason}`)),
  ];
};

const topicLines = (
  terminal: Terminal,
  { rows, runs }: Comparison,
  topic: Topic,
  all: boolean,
): readonly string[] => {
  const own = rows.filter(({ operation }) => operation.topic === topic);
  const equal = own.filter(({ verdict }) => verdict === 'equal').length;
  const shown = all ? own : own.filter(({ verdict }) => verdict !== 'equal');
  const head = runs.map(({ route }) => route.padEnd(CELL_WIDTH)).join('');
  return [
    styled(
      terminal,
      'bold',
      `${topic.padEnd(TITLE_WIDTH + 2)}${shown.length === 0 ? ''.padEnd(head.length) : head}${String(equal)} of ${String(own.length)} equal`,
    ),
    ...shown.flatMap((row) => rowLines(terminal, row)),
  ];
};

const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

const costLines = (terminal: Terminal, { runs }: Comparison): readonly string[] => {
  const line = (title: string, value: (run: Comparison['runs'][number]) => number): string =>
    `  ${title.padEnd(TITLE_WIDTH)}${runs.map((run) => number(value(run)).padEnd(CELL_WIDTH)).join('')}`.trimEnd();
  const head = runs.map(({ route }) => route.padEnd(CELL_WIDTH)).join('');
  return [
    styled(terminal, 'bold', `${'one GetVariable'.padEnd(TITLE_WIDTH + 2)}${head}`.trimEnd()),
    line('hypercalls', ({ callCost }) => callCost.hypercalls),
    line('ABI crossings', ({ callCost }) => callCost.crossings),
    line('guest instructions', ({ callCost }) => callCost.instructions),
    line('bytes moved by the kernel', ({ callCost }) => callCost.bytes),
    styled(terminal, 'bold', 'the whole route'),
    line('hypercalls to initialise', ({ bootCost }) => bootCost.hypercalls),
    line('members overridden', ({ overridden }) => overridden.length),
    line('lines of platform code', ({ platformLines }) => platformLines),
  ];
};

/** The whole report; equal rows only with `all`. */
export const reportText = (
  terminal: Terminal,
  comparison: Comparison,
  { firmware, machine, hypervisor }: ReportHead,
  all: boolean,
  barrel?: BarrelThrough,
): string => {
  const { counts, scenario, rows, stale, runs } = comparison;
  const lines = [
    `firmware    ${firmware}`,
    `hypervisor  ${hypervisor}`,
    `machine     ${machine}`,
    `scenario    ${scenario}, ${String(rows.length)} operations`,
    '',
    ...runs.map(({ route, origin }) => `${route.padEnd(12)}${origin}`),
    '',
    ...TOPICS.flatMap((topic) => topicLines(terminal, comparison, topic, all)),
    '',
    ...costLines(terminal, comparison),
    '',
    ...barrelLines(terminal, barrel),
    ...stale.map(({ operation, why }) => `stale explanation of ${String(operation)}: ${why}`),
    `${String(counts.equal)} equal · ${String(counts.explained)} explained · ${String(counts.unexplained)} unexplained`,
    '',
  ];
  return lines.map((line) => line.trimEnd()).join('\n');
};
