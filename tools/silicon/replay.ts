/** Replays vectors on the engine and prints what fails: `node replay.ts [--mnemonic M] [--show N] [--all] [--vectors folder] [family …]`. */
import { parseArgs } from 'node:util';
import { createMachineDriver } from '../../packages/x86-emu/test/silicon/machine-driver.ts';
import { disassemble } from '../../packages/x86-emu/test/silicon/disassembly.ts';
import {
  describeResults,
  readFamily,
  replay,
  totals,
  vectorFamilies,
} from '../../packages/x86-emu/test/silicon/replay.ts';

const { values, positionals } = parseArgs({
  options: {
    mnemonic: { type: 'string' },
    show: { type: 'string', default: '3' },
    all: { type: 'boolean', default: false },
    vectors: { type: 'string' },
  },
  allowPositionals: true,
});

const known = vectorFamilies(values.vectors);
const families = positionals.length > 0 ? positionals : known;
for (const name of families)
  if (!known.includes(name)) throw new Error(`no family ${name}; there are ${known.join(', ')}`);
const mnemonic = values.mnemonic?.toUpperCase();
const driver = createMachineDriver();
let failed = 0;
for (const family of families) {
  const results = replay(readFamily(family, values.vectors), driver, {
    keep: Number(values.show),
    ...(mnemonic === undefined ? {} : { filter: (v) => v.testCase.form.mnemonic === mnemonic }),
  });
  const sum = totals(results);
  failed += sum.failed;
  console.log(
    `${family}: ${sum.passed} of ${sum.passed + sum.failed} pass${sum.known > 0 ? `, ${sum.known} known differences` : ''}`,
  );
  const text = describeResults(results, values.all, disassemble);
  if (text !== '') console.log(text);
}
process.exitCode = failed === 0 ? 0 : 1;
