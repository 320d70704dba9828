// Our EFI layer and Linux 6.1 on the same firmware and the same machine show the same facts and get the same answers. What
// differs stands in known-differences.json, each with its reason and its source; anything else fails, and so does a
// difference that is there no more.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { requireTool } from '@systab/host-tools';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { findConfiguration, readLinuxFacts } from '../../../tools/linux-oracle/src/index.ts';
import type { ConfigurationName, RecordedCall } from '../../../tools/linux-oracle/src/index.ts';
import { codePath } from '../../../tools/linux-oracle/src/run-linux.ts';
import { linuxFactLines, ourFactLines } from './boot-facts.ts';
import { bootLayer } from './firmware-system.ts';
import { callsOfVariables, comparableVariable, performVariable } from './replay-efivarfs.ts';
import { linuxRestartLines, ourRestartLines } from './replay-restarts.ts';
import { comparableService, performService } from './replay-services.ts';

const TIMEOUT = 120_000;

interface KnownDifference {
  readonly firmware: ConfigurationName;
  readonly why: string;
  readonly source: string;
  /** Lines as the test prints them: `linux: …` and `ours: …` for facts, `<call>: linux …, ours …` for answers. */
  readonly lines: readonly string[];
}

const { differences } = JSON.parse(
  readFileSync(new URL('known-differences.json', import.meta.url), 'utf8'),
) as { readonly differences: readonly KnownDifference[] };

const missing = (lines: readonly string[], among: readonly string[], who: string): string[] => {
  const known = new Set(among);
  return lines.filter((line) => !known.has(line)).map((line) => `${who}: ${line}`);
};

/** A comparable answer with its members in one order. */
const canonical = (answer: object): string =>
  JSON.stringify(answer, Object.keys(answer).toSorted());

const LONGEST_COMMAND = 90;

const differingAnswers = (
  calls: readonly RecordedCall[],
  theirs: (call: RecordedCall) => object,
  ours: (command: string) => object,
): string[] =>
  calls.flatMap((call) => {
    const [linux, layer] = [canonical(theirs(call)), canonical(ours(call.command))];
    const command = call.command.slice(0, LONGEST_COMMAND);
    return linux === layer ? [] : [`${call.title} (${command}): linux ${linux}, ours ${layer}`];
  });

/** Debian's patch for lockdown says it before the ESRT is read; Linux without it and our layer say it after. */
const SAID_EARLIER_BY_DEBIAN = /^secureboot: /;

/** The lines that both have, in the order of one of them. */
const shared = (lines: readonly string[], among: readonly string[]): readonly string[] => {
  const known = new Set(among);
  return lines.filter((line) => known.has(line) && !SAID_EARLIER_BY_DEBIAN.test(line));
};

/** A comparison of everything that was recorded on one configuration. */
interface Comparison {
  readonly lines: readonly string[];
  /** Number of facts and answers of Linux. */
  readonly compared: number;
  /** The facts that both show, in the order of each. */
  readonly inOrder: { readonly linux: readonly string[]; readonly ours: readonly string[] };
}

const compareAll = (name: ConfigurationName): Comparison => {
  const facts = readLinuxFacts(name);
  const system = bootLayer(facts);
  const { services, variables } = system.runtime;
  const theirs = [...linuxFactLines(facts), ...linuxRestartLines(facts)];
  const ours = [...ourFactLines(system), ...ourRestartLines(system)];
  const reached = callsOfVariables(facts.efivarfs);
  const lines = [
    ...missing(theirs, ours, 'linux'),
    ...missing(ours, theirs, 'ours'),
    ...differingAnswers(
      facts.runtimeServices,
      ({ answer }) => comparableService(answer),
      (command) => performService(services, command),
    ),
    ...differingAnswers(
      reached,
      ({ answer }) => comparableVariable(answer),
      (command) => performVariable(variables, command),
    ),
  ];
  return {
    lines,
    compared: theirs.length + facts.runtimeServices.length + reached.length,
    inOrder: { linux: shared(theirs, ours), ours: shared(ours, theirs) },
  };
};

describe.each(['ovmf', 'reference-x64'] as const)('our layer and Linux on %s', (name) => {
  let result: Comparison | undefined;
  const compared = (context: TestContext): Comparison => {
    if (name === 'ovmf') requireTool(context, 'ovmf');
    const image = createHash('sha256').update(readFileSync(codePath(findConfiguration(name))));
    context.skip(
      image.digest('hex') !== readLinuxFacts(name).recording.code,
      `needs the ${name} firmware that Linux was recorded on`,
    );
    result ??= compareAll(name);
    return result;
  };
  const known = differences.filter(({ firmware }) => firmware === name);

  test('differ in what is explained, and in nothing else', { timeout: TIMEOUT }, (context) => {
    const { lines } = compared(context);
    expect(lines.toSorted()).toEqual(known.flatMap((one) => one.lines).toSorted());
  });

  test('show what they share in the same order', { timeout: TIMEOUT }, (context) => {
    const { linux, ours } = compared(context).inOrder;
    expect(ours).toEqual(linux);
  });

  test('are compared in every fact', { timeout: TIMEOUT }, (context) => {
    expect(compared(context).compared).toBeGreaterThan(name === 'ovmf' ? 600 : 350);
  });
});
