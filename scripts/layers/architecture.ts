import { layers } from './table.ts';

const start = '<!-- layers: written by `pnpm layers --write` -->';
const end = '<!-- /layers -->';

const shortName = (name: string): string => name.replace('@systab/', '');

const listed = (names: readonly string[]): string => names.map(shortName).join(', ') || 'nothing';

/** The layer table as Markdown, columns padded as the formatter pads them. */
export const layerTable = (): string => {
  const rows = [
    ['package', 'may import', 'its tests also', 'runs in'],
    ...Object.entries(layers).map(([name, layer]) => [
      shortName(name),
      listed(layer.imports),
      listed(layer.testImports),
      layer.runsIn,
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...body.map(line)].join('\n');
};

/** The document with its layer table replaced by the present one. Throws when the document has no place for it. */
export const withLayerTable = (document: string): string => {
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`expected ${start} … ${end} in the document`);
  return `${document.slice(0, from)}${start}\n\n${layerTable()}\n\n${document.slice(to)}`;
};
