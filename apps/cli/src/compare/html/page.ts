/** The frame of the HTML report: styles and the little script it needs. No other file, no network. */

const STYLE = `
:root { --fg: #1c1f24; --bg: #fff; --soft: #667; --line: #d9dce2; --head: #f4f5f8; --equal: #2e7d46; --explained: #9a6a00; --unexplained: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --fg: #e4e6ea; --bg: #16181c; --soft: #99a; --line: #343840; --head: #20232a; --equal: #6fcf8e; --explained: #e5b454; --unexplained: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } p { margin: .25rem 0; }
.soft { color: var(--soft); } .equal { color: var(--equal); } .explained { color: var(--explained); } .unexplained { color: var(--unexplained); font-weight: 600; }
h2 small { font-weight: 400; margin-left: .5rem; } table[hidden] { display: none; }
.counts { display: flex; gap: 2rem; margin: 1rem 0; } .counts b { font-size: 1.6rem; display: block; line-height: 1.1; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { background: var(--head); font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font: 12.5px/1.45 ui-monospace, monospace; } pre { margin: .4rem 0; padding: .6rem; overflow: auto; background: var(--head); max-height: 24rem; }
tr.row { cursor: pointer; } tr.row:hover, tr.row:focus { background: var(--head); outline: none; } tr.detail[hidden] { display: none; }
tr.detail > td { padding: .25rem .6rem 1rem 1.6rem; } .values { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: .8rem; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--fg); font: 11px system-ui, sans-serif; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .85rem; } .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -1px; }
label { font-size: .9rem; }
`;

const SCRIPT = `
for (const row of document.querySelectorAll('tr.row')) {
  const toggle = () => {
    const detail = row.nextElementSibling;
    detail.hidden = !detail.hidden;
    row.setAttribute('aria-expanded', String(!detail.hidden));
  };
  row.addEventListener('click', toggle);
  row.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    toggle();
  });
}
const filter = document.querySelector('#equal');
const show = () => {
  for (const row of document.querySelectorAll('tr.row[data-verdict="equal"]')) {
    row.hidden = !filter.checked;
    if (!filter.checked) row.nextElementSibling.hidden = true;
  }
  for (const table of document.querySelectorAll('table.topic'))
    table.hidden = !table.querySelector('tr.row:not([hidden])');
};
filter.addEventListener('change', show);
show();
`;

/** Text with the characters that HTML gives a meaning made harmless. */
export const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** A whole document. `body` is HTML already. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
<script>${SCRIPT}</script>
</body>
</html>
`;
