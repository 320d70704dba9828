// Runs the suite in every engine of JavaScript that is to be had here, and compares each with the first: node tools/js-engines/record.ts [name…]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JS_ENGINES } from './engines.ts';
import { stage } from './stage.ts';
import { LAST_LINE, SPEED } from './suite.ts';

const isSpeed = (line: string): boolean => line.startsWith(`${SPEED} `);

/** Geometric mean of the kernels' speeds in one engine of ours, in MIPS. */
const speedOf = (lines: readonly string[], engine: string): number => {
  const speeds = lines
    .filter((line) => isSpeed(line) && line.includes(` ${engine}: `))
    .map((line) => Number(line.split(': ')[1]));
  return Math.exp(speeds.reduce((sum, speed) => sum + Math.log(speed), 0) / speeds.length);
};

const wanted = process.argv.slice(2);
const chosen = JS_ENGINES.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
);
const folder = mkdtempSync(join(tmpdir(), 'js-engines-'));
let reference: { readonly name: string; readonly results: readonly string[] } | undefined;
try {
  stage(folder);
  for (const { name, from, version, run } of chosen) {
    const is = version();
    if (is === undefined) {
      console.log(`${name}: not here (${from})`);
      continue;
    }
    const lines = await run(folder);
    const results = lines.filter((line) => !isSpeed(line));
    if (results.at(-1) !== LAST_LINE) throw new Error(`${name}: ${results.at(-1)}`);
    reference ??= { name, results };
    const { results: expected, name: first } = reference;
    const differing = results.filter((line, i) => line !== expected[i]);
    if (differing.length > 0 || results.length !== expected.length) {
      process.exitCode = 1;
      console.log(`${name} differs from ${first}:\n  ${differing.join('\n  ')}`);
    }
    const [translator, interpreter] = ['translator', 'interpreter'].map((engine) =>
      speedOf(lines, engine).toFixed(0),
    );
    console.log(
      `${name} (${is}): ${results.length - 1} results, as ${first}; translator ${translator} MIPS, interpreter ${interpreter} MIPS`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
