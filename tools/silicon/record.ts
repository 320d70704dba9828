/**
 * Records vector files on the host CPU: `node record.ts [--factor N] [--out folder] [family …]`.
 * Compiles the recorder first; every family runs twice and must give the same outcomes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeVectors } from '../../packages/x86-emu/test/silicon/vector-file.ts';
import type { CpuCase, CpuOutcome } from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { belongs, FAMILIES } from './families.ts';
import { runOnHost } from './wire.ts';

const here = dirname(fileURLToPath(import.meta.url));
const CHUNK = 50_000;

const { values, positionals } = parseArgs({
  options: {
    factor: { type: 'string', default: '1' },
    out: { type: 'string', default: join(here, '../../packages/x86-emu/test/silicon/vectors') },
  },
  allowPositionals: true,
});
const factor = Number(values.factor);
if (!(factor > 0)) throw new Error(`--factor ${values.factor}: expected a number above 0`);
for (const name of positionals) {
  if (!FAMILIES.has(name))
    throw new Error(`no family ${name}; there are ${[...FAMILIES.keys()].join(', ')}`);
}

const runAll = (recorder: string, cases: readonly CpuCase[]): CpuOutcome[] => {
  const outcomes: CpuOutcome[] = [];
  for (let i = 0; i < cases.length; i += CHUNK)
    outcomes.push(...runOnHost(recorder, cases.slice(i, i + CHUNK)));
  return outcomes;
};

const comparable = (o: CpuOutcome | undefined): string =>
  JSON.stringify(o, (_key, value: unknown) =>
    typeof value === 'bigint'
      ? value.toString()
      : ArrayBuffer.isView(value)
        ? [...(value as Uint8Array)].map(String)
        : value,
  );

const scratch = mkdtempSync(join(tmpdir(), 'silicon-'));
try {
  const recorder = join(scratch, 'recorder');
  execFileSync(
    process.env['CC'] ?? 'cc',
    [
      '-O2',
      '-Wall',
      '-Wextra',
      '-fno-stack-protector',
      '-static-pie',
      '-o',
      recorder,
      join(here, 'recorder.c'),
    ],
    { stdio: 'inherit' },
  );
  mkdirSync(values.out, { recursive: true });
  let total = 0;
  for (const [name, generate] of FAMILIES) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const generated = generate(factor);
    const first = runAll(recorder, generated);
    const kept = first.map((outcome) => belongs(name, outcome));
    const cases = generated.filter((_, i) => kept[i]);
    const outcomes = first.filter((_, i) => kept[i]);
    const again = runAll(recorder, cases);
    const unstable = cases.filter((_, i) => comparable(outcomes[i]) !== comparable(again[i]));
    for (const c of unstable.slice(0, 5))
      console.error(`${name}: ${c.form.mnemonic} ${c.form.label} gave two different outcomes`);
    if (unstable.length > 0)
      throw new Error(`${name}: ${unstable.length} of ${cases.length} cases are not repeatable`);
    const vectors = cases.map((testCase, i) => {
      const outcome = outcomes[i];
      if (outcome === undefined) throw new Error('the recorder returned too few outcomes');
      return { testCase, outcome };
    });
    const file = encodeVectors(vectors);
    total += file.length;
    writeFileSync(join(values.out, `${name}.vec.br`), file);
    const faults = outcomes.filter((o) => o.fault !== undefined).length;
    console.log(`${name}: ${cases.length} cases, ${faults} of them fault, ${file.length} bytes`);
  }
  console.log(`${total} bytes in all`);
} finally {
  rmSync(scratch, { recursive: true });
}
