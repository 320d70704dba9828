import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';
import { contradictsLack } from './capability.ts';
import type { Capability, Lacks } from './capability.ts';
import { NO_VIRTUAL_MAP } from './check.ts';
import type { Check } from './check.ts';
import { CHECKS } from './checks/index.ts';
import { differenceFaults, judge } from './difference.ts';
import type { Difference } from './difference.ts';
import { endure, PROPERTIES } from './hostility.ts';
import { start } from './running.ts';
import type { Running } from './running.ts';
import type { System } from './system.ts';

/** A platform to be tested. */
export interface Candidate {
  /** A system of its own for each call. `BOOT_ONLY` must be in the variable store when its firmware starts. */
  readonly boot: (context: TestContext) => System;
  /** What the platform is without; each lack is tested. Default: nothing. */
  readonly lacks?: Lacks;
  /** Where the firmware is known to differ; an entry that no longer holds fails. Default: nowhere. */
  readonly differences?: readonly Difference[];
}

/** How often a firmware becomes hostile; more of it finds more. */
const PROPERTY_RUNS = Number(process.env.SYSTAB_HOSTILE_RUNS ?? 60);
const PROPERTY_TIMEOUT = 600_000;
/** Of the log and of calls: a walk of all names that there may be is the longest. */
const MOST_LINES = 2000;
const MOST_CALLS = 20_000;

/** Rules of the calling convention that the firmware broke, unless it was made to. */
const breachesOf = ({ needs }: Check, { system }: Running): readonly string[] =>
  needs.includes('damaged firmware')
    ? []
    : (system.calls ?? []).flatMap(({ service, breaches }) =>
        breaches.map((breach) => `${service}: ${breach}`),
      );

const suffix = (commandLine: string): string => (commandLine === '' ? '' : ` (${commandLine})`);

/** Declares the tests that a platform backend must pass, with the generic layer as it is on top of it. */
export const describeConformance = (name: string, candidate: Candidate): void => {
  const { boot, lacks = {}, differences = [] } = candidate;
  const isLacking = (needs: readonly Capability[]): boolean =>
    needs.some((need) => lacks[need] !== undefined);
  const differenceOf = new Map(differences.map((one) => [one.check, one]));

  describe(`conformance of ${name}`, () => {
    it('has differences that exist, each explained', () => {
      expect(differenceFaults(CHECKS, differences)).toEqual([]);
    });

    for (const [lack, reason] of Object.entries(lacks)) {
      it(`lacks ${lack}: ${reason}`, (context) => {
        expect(reason).toMatch(/\w/);
        expect(contradictsLack(start(boot(context)), lack as Capability)).toBeUndefined();
      });
    }

    for (const { name: property, needs, hostility } of PROPERTIES) {
      if (isLacking(needs)) continue;
      it(`hostile firmware: ${property}`, { timeout: PROPERTY_TIMEOUT }, (context) => {
        fc.assert(
          fc.property(hostility, (hostile) => {
            const { log, system } = endure(boot(context), hostile);
            expect(log.length).toBeLessThan(MOST_LINES);
            expect(system.calls?.length ?? 0).toBeLessThan(MOST_CALLS);
          }),
          { numRuns: PROPERTY_RUNS },
        );
      });
    }

    for (const check of CHECKS) {
      if (isLacking(check.needs)) continue;
      for (const commandLine of check.commandLines) {
        // Without virtual mode there is one mode only.
        if (commandLine === NO_VIRTUAL_MAP && lacks['virtual mode'] !== undefined) continue;
        it(`${check.name}${suffix(commandLine)}`, (context) => {
          const running = start(boot(context), commandLine);
          const answers = check.ask(running);
          const findings = judge(check, answers, differenceOf.get(check.name));
          expect([...findings, ...breachesOf(check, running)]).toEqual([]);
        });
      }
    }
  });
};
