// `pnpm layers`: who may import whom, and that ARCHITECTURE.md says so. `--write` puts the table into ARCHITECTURE.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withLayerTable } from './layers/architecture.ts';
import { checkLayers } from './layers/check.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const architecture = `${root}ARCHITECTURE.md`;
const document = readFileSync(architecture, 'utf8');
const current = withLayerTable(document);
if (process.argv.includes('--write')) writeFileSync(architecture, current);

const findings = [...checkLayers(root.replace(/\/$/, ''))];
if (current !== document && !process.argv.includes('--write')) {
  findings.push({
    place: 'ARCHITECTURE.md',
    message: 'the layer table is out of date: pnpm layers --write',
  });
}
for (const { place, message } of findings) console.error(`${place}: ${message}`);
if (findings.length > 0) process.exitCode = 1;
else console.log('layers: every edge is allowed');
