/** Rows of text as columns: the first one to the left, the others to the right, two spaces between. */
export const formatTable = (rows: readonly (readonly string[])[]): string => {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** Three significant digits; a dash for what was not measured. */
export const formatNumber = (value: number | undefined): string => {
  if (value === undefined || !Number.isFinite(value) || value === 0) return '-';
  if (value >= 100) return String(Math.round(value));
  return value.toPrecision(value >= 10 ? 3 : 2);
};
