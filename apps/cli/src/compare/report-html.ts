/** A comparison as one page that needs nothing else. */
import type { BarrelThrough } from './barrel-through.ts';
import type { Comparison, ComparisonRow, RouteRun } from './comparison.ts';
import { memoryDrawing } from './html/memory-drawing.ts';
import { escape, page } from './html/page.ts';
import { timelines } from './html/timeline.ts';
import { TOPICS } from './operation.ts';
import type { ReportHead } from './report-text.ts';

const LONGEST_CELL = 60;

const cell = (text: string): string => {
  const [line = ''] = text.split('\n', 1);
  const cut = line.length > LONGEST_CELL ? `${line.slice(0, LONGEST_CELL - 1)}…` : line;
  return `<td><code>${escape(cut)}</code></td>`;
};

/** Everything about one operation: full values, reasons, and each call with its trace. */
const details = (
  { observations, differences }: ComparisonRow,
  runs: readonly RouteRun[],
  index: number,
): string => {
  const values = runs.map(({ route, steps }, column) => {
    const { value = '', why } = observations[column] ?? {};
    const events = (steps[index]?.events ?? []).map(
      ({ name, through, outcome, instructions, trace }) =>
        trace.length > 0
          ? `${trace.join('\n')}\n`
          : `${name} through ${through}: ${outcome}, ${String(instructions)} instructions\n`,
    );
    const reason = why === undefined ? '' : `<p class="soft">${escape(why)}</p>`;
    const calls = events.length === 0 ? '' : `<pre>${escape(events.join('\n'))}</pre>`;
    return `<div><b>${route}</b><pre>${escape(value)}</pre>${reason}${calls}</div>`;
  });
  const reasons = differences.map(({ route, explanation }) =>
    explanation === undefined
      ? `<p class="unexplained">${route}: no explanation</p>`
      : `<p><b>${route}</b>: ${escape(explanation.why)} <span class="soft">${escape(explanation.source)}</span></p>`,
  );
  return `${reasons.join('')}<div class="values">${values.join('')}</div>`;
};

const rowHtml = (row: ComparisonRow, { runs }: Comparison, index: number): string => {
  const [first] = row.observations;
  const cells = row.observations.map(({ value, short }, column) =>
    cell(column > 0 && value === first?.value ? '=' : (short ?? value)),
  );
  return `<tr class="row" tabindex="0" role="button" aria-expanded="false" data-verdict="${row.verdict}"><td>${escape(row.operation.title)}</td>${cells.join('')}<td class="${row.verdict}">${row.verdict}</td></tr>
<tr class="detail" hidden><td colspan="${runs.length + 2}">${details(row, runs, index)}</td></tr>`;
};

const differenceTables = (comparison: Comparison): string => {
  const { rows, runs } = comparison;
  const head = runs.map(({ route }) => `<th>${route}</th>`).join('');
  return TOPICS.map((topic) => {
    const own = rows
      .map((row, index) => ({ row, index }))
      .filter(({ row }) => row.operation.topic === topic);
    if (own.length === 0) return '';
    const body = own.map(({ row, index }) => rowHtml(row, comparison, index)).join('\n');
    const equal = own.filter(({ row }) => row.verdict === 'equal').length;
    return `<h2>${topic}<small class="soft">${equal} of ${own.length} equal</small></h2><table class="topic"><thead><tr><th style="width:26%"></th>${head}<th style="width:9rem">verdict</th></tr></thead><tbody>${body}</tbody></table>`;
  }).join('\n');
};

const costTable = ({ runs }: Comparison): string => {
  const line = (title: string, value: (run: RouteRun) => number): string =>
    `<tr><td>${title}</td>${runs.map((run) => `<td class="n">${value(run).toLocaleString('en')}</td>`).join('')}</tr>`;
  return `<table><thead><tr><th style="width:26%">one GetVariable</th>${runs.map(({ route }) => `<th class="n">${route}</th>`).join('')}</tr></thead><tbody>
${line('hypercalls', ({ callCost }) => callCost.hypercalls)}
${line('ABI crossings', ({ callCost }) => callCost.crossings)}
${line('guest instructions', ({ callCost }) => callCost.instructions)}
${line('bytes moved by the kernel', ({ callCost }) => callCost.bytes)}
</tbody><thead><tr><th>the whole route</th>${runs.map(() => '<th></th>').join('')}</tr></thead><tbody>
${line('hypercalls to initialise', ({ bootCost }) => bootCost.hypercalls)}
${line('members overridden', ({ overridden }) => overridden.length)}
${line('lines of platform code', ({ platformLines }) => platformLines)}
</tbody></table>`;
};

const barrelTable = (barrel: BarrelThrough | undefined): string => {
  if (barrel === undefined) return '';
  const classes = { harmless: 'equal', refused: 'explained', 'domain lost': 'unexplained' };
  const rows = barrel.steps.map(
    ({ step, severity, what, hypercalls }) =>
      `<tr><td>${escape(step)}</td><td class="${classes[severity]}">${severity}</td><td class="n">${hypercalls}</td><td><code>${what.map(escape).join('<br>')}</code></td></tr>`,
  );
  return `<h2>Barrel through<small class="soft">every init step of bare metal, as it is, under the hypervisor: the worst is ${barrel.worst}</small></h2>
<table><thead><tr><th style="width:17rem">step</th><th style="width:8rem">outcome</th><th class="n" style="width:7rem">hypercalls</th><th>what happened</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
};

/** The whole page. */
export const reportHtml = (
  comparison: Comparison,
  { firmware, machine, hypervisor }: ReportHead,
  barrel?: BarrelThrough,
): string => {
  const { counts, runs, scenario, rows } = comparison;
  const maps = runs.map(({ route, memoryMap }) =>
    memoryMap === undefined
      ? `<p><b>${route}</b> <span class="soft">no memory map</span></p>`
      : `<p><b>${route}</b> <span class="soft">${memoryMap.descriptors.length} entries, widths logarithmic</span></p>${memoryDrawing(memoryMap)}`,
  );
  const logs = runs.map(
    ({ route, log }) =>
      `<details><summary>${route}</summary><pre>${escape(log.join('\n'))}</pre></details>`,
  );
  const body = `<h1>systab compare</h1>
<p>${escape(firmware)} · ${escape(hypervisor)} · ${escape(machine)} · scenario ${escape(scenario)}, ${rows.length} operations</p>
<div class="counts"><div class="equal"><b>${counts.equal}</b>equal</div><div class="explained"><b>${counts.explained}</b>explained</div><div class="unexplained"><b>${counts.unexplained}</b>unexplained</div></div>
${runs.map(({ route, origin }) => `<p><b>${route}</b> ${escape(origin)}</p>`).join('\n')}
<h2>Cost</h2>${costTable(comparison)}
<h2>Differences</h2><p><label><input type="checkbox" id="equal"> show equal operations too</label> <span class="soft">A row opens: values, reasons, each call.</span></p>
${differenceTables(comparison)}
${barrelTable(barrel)}
<h2>Timeline</h2>${timelines(runs)}
<h2>Memory map</h2>${maps.join('\n')}
<h2>Kernel log</h2>${logs.join('\n')}`;
  return page(`systab compare: ${scenario} on ${firmware}`, body);
};
