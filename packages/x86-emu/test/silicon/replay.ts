/** Replays recorded vectors on a driver and sums up by mnemonic. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Difference } from './comparison.ts';
import { compareOutcome, hexBytes } from './comparison.ts';
import type { CpuCase, CpuOutcome, CpuTestDriver } from './cpu-case.ts';
import { knownDifference } from './known-differences.ts';
import type { Vector } from './vector-file.ts';
import { decodeVectors } from './vector-file.ts';

const VECTORS: string = join(dirname(fileURLToPath(import.meta.url)), 'vectors');
const SUFFIX = '.vec.br';

export const vectorFamilies = (folder: string = VECTORS): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .toSorted();

export const readFamily = (
  family: string,
  folder: string = VECTORS,
): Generator<Vector, void, undefined> => decodeVectors(readFileSync(join(folder, family + SUFFIX)));

export interface Failure {
  readonly testCase: CpuCase;
  readonly expected: CpuOutcome;
  /** What the driver threw, when it did. */
  readonly thrown: string | undefined;
  readonly differences: readonly Difference[];
}

export interface MnemonicResult {
  passed: number;
  failed: number;
  /** Failures that known-differences.ts explains. */
  known: number;
  /** The first few. */
  readonly failures: Failure[];
}

export interface ReplayOptions {
  /** Only vectors this accepts. */
  readonly filter?: (v: Vector) => boolean;
  /** How many failures to keep of each mnemonic; 3 unless said. */
  readonly keep?: number;
}

export const replay = (
  vectors: Iterable<Vector>,
  driver: CpuTestDriver,
  options: ReplayOptions = {},
): Map<string, MnemonicResult> => {
  const results = new Map<string, MnemonicResult>();
  for (const vector of vectors) {
    if (options.filter?.(vector) === false) continue;
    const { testCase, outcome: expected } = vector;
    let result = results.get(testCase.form.mnemonic);
    if (result === undefined) {
      result = { passed: 0, failed: 0, known: 0, failures: [] };
      results.set(testCase.form.mnemonic, result);
    }
    let differences: Difference[] = [];
    let thrown: string | undefined;
    try {
      differences = compareOutcome(testCase, expected, driver.run(testCase));
    } catch (error) {
      thrown = error instanceof Error ? error.message : String(error);
    }
    if (thrown === undefined && differences.length === 0) result.passed++;
    else if (thrown === undefined && knownDifference(testCase, expected, differences) !== undefined)
      result.known++;
    else {
      result.failed++;
      if (result.failures.length < (options.keep ?? 3))
        result.failures.push({ testCase, expected, thrown, differences });
    }
  }
  return results;
};

/** Disassembles for reports; the default shows bytes alone. */
export type Disassemble = (code: Uint8Array, mode: CpuCase['form']['mode'], at: bigint) => string;

const describeFailure = (f: Failure, disassemble?: Disassemble): string => {
  const { form, code, seed, initial } = f.testCase;
  const text = disassemble?.(code, form.mode, initial.rip) ?? '';
  const lines =
    f.thrown === undefined
      ? f.differences.map((d) => `    ${d.field}: recorded ${d.expected}, got ${d.actual}`)
      : [`    the driver threw: ${f.thrown}`];
  return [
    `  ${form.mnemonic}  ${form.label}, ${form.mode}-bit  [${hexBytes(code)}] ${text}  seed ${seed}`,
    ...lines,
  ].join('\n');
};

/** A line for each mnemonic that fails (or every one), worst first, with its kept failures below. */
export const describeResults = (
  results: ReadonlyMap<string, MnemonicResult>,
  all: boolean,
  disassemble?: Disassemble,
): string =>
  [...results]
    .filter(([, r]) => all || r.failed > 0)
    .toSorted(([, a], [, b]) => a.passed / (a.passed + a.failed) - b.passed / (b.passed + b.failed))
    .map(([mnemonic, r]) => {
      const share = ((100 * r.passed) / Math.max(1, r.passed + r.failed)).toFixed(1);
      const head = `${mnemonic}: ${share} % (${r.passed} of ${r.passed + r.failed}${r.known > 0 ? `, ${r.known} known differences` : ''})`;
      return [head, ...r.failures.map((f) => describeFailure(f, disassemble))].join('\n');
    })
    .join('\n');

export const totals = (
  results: ReadonlyMap<string, MnemonicResult>,
): { passed: number; failed: number; known: number } => {
  const sum = { passed: 0, failed: 0, known: 0 };
  for (const r of results.values()) {
    sum.passed += r.passed;
    sum.failed += r.failed;
    sum.known += r.known;
  }
  return sum;
};
