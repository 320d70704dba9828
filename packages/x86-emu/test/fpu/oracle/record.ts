/**
 * Checks our arithmetic against the CPU this runs on, in user mode: `node record.ts <sse|x87> [cases] [seed] [--record file]`.
 * Compiles oracle.c, generates cases, compares the state after each, and prints the first differences. With --record it also writes the
 * vectors that `silicon.test.ts` replays.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from './random.ts';
import { AT, RECORD_SIZE, hex } from './case-record.ts';
import { FAMILIES } from './families.ts';
import { packVectors } from './vectors.ts';

const BATCH = 50_000;

function describe(record: Uint8Array): string {
  const parts = [
    `code ${Buffer.from(record.subarray(0, record[AT.codeLength])).toString('hex')}`,
    `trap ${record[AT.trap]} mxcsr ${hex(record, AT.mxcsr, 4)} rflags ${hex(record, AT.rflags, 4)} rax ${hex(record, AT.rax, 8)}`,
    `fcw ${hex(record, AT.x87, 2)} fsw ${hex(record, AT.x87 + 2, 2)} ftw ${hex(record, AT.x87 + 4, 1)} fop ${hex(record, AT.x87 + 6, 2)} fip ${hex(record, AT.x87 + 8, 8)} fdp ${hex(record, AT.x87 + 16, 8)}`,
    `xmm ${[0, 1].map((i) => hex(record, AT.xmm + 16 * i, 16)).join(' ')}`,
    `st ${[0, 1, 2, 3, 4, 5, 6, 7].map((i) => hex(record, AT.st + 16 * i, 10)).join(' ')}`,
    `mem ${Buffer.from(record.subarray(AT.memory, AT.memory + 108)).toString('hex')}`,
  ];
  return parts.map((p) => `    ${p}`).join('\n');
}

const [familyName = 'sse', countText = '100000', seedText = '1', option, target] =
  process.argv.slice(2);
const family = FAMILIES[familyName];
if (family === undefined) throw new Error(`families: ${Object.keys(FAMILIES).join(', ')}`);
const total = Number(countText);
const folder = mkdtempSync(join(tmpdir(), 'fpu-oracle-'));
const oracle = join(folder, 'oracle');
execFileSync('gcc', ['-O1', '-o', oracle, join(import.meta.dirname, 'oracle.c')]);

/** The records after the oracle has run them. */
function execute(records: Uint8Array): Uint8Array {
  const input = join(folder, 'in');
  const output = join(folder, 'out');
  writeFileSync(input, records);
  execFileSync('/bin/sh', ['-c', `"${oracle}" < "${input}" > "${output}"`]);
  const after = new Uint8Array(readFileSync(output));
  if (after.length !== records.length) throw new Error('the oracle stopped early');
  return after;
}

const random = createRandom(Number(seedText));
const failures = new Map<string, number>();
const seen = new Map<string, number>();
let wrong = 0;
const kept: Uint8Array[] = [];
for (let done = 0; done < total; done += BATCH) {
  const count = Math.min(BATCH, total - done);
  const before = new Uint8Array(count * RECORD_SIZE);
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    names.push(family.generate(random, before.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE)));
  }
  const after = execute(before);
  const ours = new Uint8Array(RECORD_SIZE);
  for (let i = 0; i < count; i++) {
    const name = names[i] as string;
    const from = before.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE);
    const truth = after.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE);
    ours.set(from);
    family.replay(name, ours);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (family.agrees(name, from, truth, ours)) continue;
    // A context switch may have cleared the pointers: what counts is a difference that stays.
    truth.set(execute(from));
    if (family.agrees(name, from, truth, ours)) continue;
    wrong += 1;
    const earlier = failures.get(name) ?? 0;
    failures.set(name, earlier + 1);
    if (earlier < 2 && failures.size < 12) {
      console.log(
        `${name}\n  before\n${describe(from)}\n  silicon\n${describe(truth)}\n  ours\n${describe(ours)}`,
      );
    }
  }
  if (option === '--record') kept.push(packVectors(before, after));
}
rmSync(folder, { recursive: true });
for (const [name, n] of failures) console.log(`${name}: ${n} of ${seen.get(name)} differ`);
console.log(`${total} cases, ${seen.size} instructions, ${wrong} differ`);
if (option === '--record' && target !== undefined) {
  if (kept.length !== 1) throw new Error(`record at most ${BATCH} cases in one file`);
  writeFileSync(target, kept[0] as Uint8Array);
}
process.exitCode = wrong === 0 ? 0 : 1;
