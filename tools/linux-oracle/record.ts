// Records what Linux shows about EFI: `node tools/linux-oracle/record.ts [--check] [configuration…]`. With --check nothing is
// written; the exit code is 1 where the committed facts differ from what Linux says now.
import { readFileSync, writeFileSync } from 'node:fs';
import { collectFacts, FACTS_SCRIPT } from './src/collect.ts';
import { configurations, findConfiguration } from './src/configurations.ts';
import { provideDebianKernel } from './src/debian-kernel.ts';
import { formatFacts } from './src/format-facts.ts';
import { factsPath } from './src/facts.ts';
import { capsuleFactsPath, recordCapsule } from './src/capsule.ts';
import { recordRestarts } from './src/restarts.ts';
import { runLinux } from './src/run-linux.ts';

const args = process.argv.slice(2);
const check = args.includes('--check');
const names = args.filter((arg) => !arg.startsWith('--'));

const kernel = provideDebianKernel();
process.stdout.write(`${kernel.packageName} ${kernel.packageVersion}\n`);

/** Writes facts, or compares them with the committed ones. */
const keep = (name: string, path: string, text: string): void => {
  if (!check) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    process.stdout.write(`${name}: differs from the committed facts\n`);
    process.exitCode = 1;
  }
};

for (const configuration of names.length > 0 ? names.map(findConfiguration) : configurations) {
  const { name } = configuration;
  const { lines, seconds } = await runLinux({
    configuration,
    kernel,
    script: FACTS_SCRIPT,
    deterministic: true,
  });
  const restarts = await recordRestarts(configuration, kernel);
  keep(name, factsPath(name), formatFacts(collectFacts(configuration, kernel, lines, restarts)));
  if (name === 'reference-x64') {
    const capsule = await recordCapsule(configuration, kernel);
    keep(`${name}, capsule`, capsuleFactsPath(), `${JSON.stringify(capsule, null, 2)}\n`);
  }
  process.stdout.write(`${name}: ${seconds.toFixed(1)} s\n`);
}
