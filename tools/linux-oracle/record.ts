// Records what Linux shows about EFI: `node tools/linux-oracle/record.ts [--check] [configuration…]`. With --check nothing is
// written; the exit code is 1 where the committed facts differ from what Linux says now.
import { readFileSync, writeFileSync } from 'node:fs';
import { collectFacts, FACTS_SCRIPT } from './src/collect.ts';
import { configurations, findConfiguration } from './src/configurations.ts';
import { provideDebianKernel } from './src/debian-kernel.ts';
import { formatFacts } from './src/format-facts.ts';
import { factsPath } from './src/facts.ts';
import { recordRestarts } from './src/restarts.ts';
import { runLinux } from './src/run-linux.ts';

const args = process.argv.slice(2);
const check = args.includes('--check');
const names = args.filter((arg) => !arg.startsWith('--'));

const kernel = provideDebianKernel();
process.stdout.write(`${kernel.packageName} ${kernel.packageVersion}\n`);
for (const configuration of names.length > 0 ? names.map(findConfiguration) : configurations) {
  const { lines, seconds } = await runLinux({
    configuration,
    kernel,
    script: FACTS_SCRIPT,
    deterministic: true,
  });
  const restarts = await recordRestarts(configuration, kernel);
  const text = formatFacts(collectFacts(configuration, kernel, lines, restarts));
  const path = factsPath(configuration.name);
  if (!check) {
    writeFileSync(path, text);
    process.stdout.write(`${configuration.name}: ${seconds.toFixed(1)} s\n`);
  } else if (readFileSync(path, 'utf8') !== text) {
    process.stdout.write(`${configuration.name}: differs from the committed facts\n`);
    process.exitCode = 1;
  }
}
