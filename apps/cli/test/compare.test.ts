// `systab compare` on what comes with the program, and its judgement on made-up runs.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes } from '@systab/cli';
import { requireTool } from '@systab/host-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuns } from '../src/compare/comparison.ts';
import type { RouteRun } from '../src/compare/comparison.ts';
import type { Explanation } from '../src/compare/explanations.ts';
import type { Scenario } from '../src/compare/operation.ts';
import { NO_COST } from '../src/compare/route.ts';
import type { RouteName } from '../src/compare/route.ts';
import { systab } from './run-systab.ts';

interface Report {
  readonly counts: Readonly<Record<'equal' | 'explained' | 'unexplained', number>>;
  readonly routes: readonly {
    readonly route: string;
    readonly getVariable: {
      readonly hypercalls: number;
      readonly crossings: number;
      readonly instructions: number;
    };
    readonly overridden: readonly string[];
  }[];
  readonly operations: readonly {
    readonly id: string;
    readonly verdict: string;
    readonly values: Readonly<Record<string, string>>;
    readonly explanations: Readonly<Record<string, { readonly why: string } | null>>;
  }[];
  readonly stale: readonly unknown[];
  readonly barrelThrough: {
    readonly worst: string;
    readonly steps: readonly {
      readonly step: string;
      readonly severity: string;
      readonly what: readonly string[];
    }[];
  };
}

let folder: string;
let report: Report;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'systab-compare-'));
  const { exitCode, out, err } = await systab('--json', 'compare');
  if (exitCode !== exitCodes.ok) throw new Error(`systab compare ended with ${exitCode}: ${err}`);
  report = JSON.parse(out) as Report;
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe('systab compare', () => {
  it('explains every difference, and no explanation is left over', () => {
    expect(report.counts.unexplained).toBe(0);
    expect(report.counts.equal).toBeGreaterThan(50);
    expect(report.stale).toEqual([]);
  });

  it('counts what a call costs on each route', () => {
    const cost = Object.fromEntries(
      report.routes.map(({ route, getVariable, overridden }) => [
        route,
        { ...getVariable, overridden: overridden.length },
      ]),
    );
    expect(cost).toMatchObject({
      direct: { hypercalls: 0, crossings: 1, overridden: 0 },
      ops: { hypercalls: 1, crossings: 2 },
      systab: { hypercalls: 1, crossings: 3, overridden: 0 },
      'efi-call': { hypercalls: 1, crossings: 2, overridden: 1 },
    });
    for (const route of ['ops', 'systab', 'efi-call'])
      expect(cost[route]?.instructions).toBeGreaterThan(cost['direct']?.instructions ?? Infinity);
    expect(cost['ops']?.overridden).toBeGreaterThan(10);
  });

  it('barrels through the steps of bare metal and writes down what each does', () => {
    const steps = new Map(report.barrelThrough.steps.map((one) => [one.step, one]));
    expect(steps.size).toBe(16);
    expect(report.barrelThrough.worst).toBe('domain lost');
    expect(steps.get('read system table')?.severity).toBe('harmless');
    expect(steps.get('enter virtual mode')).toMatchObject({ severity: 'domain lost' });
    expect(steps.get('enter virtual mode')?.what.join('\n')).toMatch(
      /MOV CR3[^]*\(XEN\).*exception 13[^]*\(XEN\) Domain 0/,
    );
  });

  it.each(['machine', 'firmware'])(
    'explains the differences with the %s map too',
    async (memoryMap) => {
      const { exitCode, out } = await systab(
        ...['compare', '--memory-map', memoryMap, '--no-barrel-through'],
      );
      expect(out).toMatch(/· 0 unexplained\n$/);
      expect(exitCode).toBe(exitCodes.ok);
    },
    120_000,
  );

  it('gives the values of every route', () => {
    const row = report.operations.find(({ id }) => id === 'variables.null-name');
    expect(row).toMatchObject({
      verdict: 'explained',
      values: { direct: 'INVALID_PARAMETER', ops: 'UNSUPPORTED' },
    });
  });

  it('prints tables and writes a page that needs nothing else', async () => {
    const html = join(folder, 'report.html');
    const { exitCode, out, err } = await systab('compare', '--route', 'ops', '--html', html);
    expect(exitCode).toBe(exitCodes.ok);
    expect(err).toContain(`report written to ${html}`);
    expect(out).toMatch(/^time +11 of 11 equal$/m);
    expect(out).toMatch(/^ {2}GetVariable, NULL name +INVALID_PAR… UNSUPPORTED +explained$/m);
    expect(out).toMatch(/^\d+ equal · \d+ explained · 0 unexplained$/m);
    const page = readFileSync(html, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/(?:src|href)=|https?:/);
    expect(page).toContain('GetVariable  virtual mode, ms-x64');
  }, 120_000);

  it('is what systab alone does, and prints what the README of the workspace shows', async () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const { out } = await systab();
    expect(readme).toContain(`\`\`\`\n${out}\`\`\`\n`);
  }, 120_000);

  it('shows equal operations when asked', async () => {
    const { out } = await systab('compare', '--route', 'direct', '--all');
    expect(out).toMatch(/^ {2}SetTime month 13 +INVALID_PAR… equal$/m);
  }, 60_000);

  it.each([
    ['efi=no-rs', 'time.get', 'UNSUPPORTED', /efi=no-rs/],
    ['-noexitboot', 'variables.boot-only', 'SUCCESS', /-noexitboot/],
  ])(
    'explains what %s changes',
    async (options, id, value, why) => {
      const { exitCode, out } = await systab(
        ...['--json', 'compare', '--no-barrel-through', '--hypervisor-options', options],
      );
      expect(exitCode).toBe(exitCodes.ok);
      const { counts, operations, stale } = JSON.parse(out) as Report;
      expect(counts.unexplained).toBe(0);
      expect(stale).toEqual([]);
      const row = operations.find((operation) => operation.id === id);
      expect(row?.values).toMatchObject({ ops: value, systab: value, 'efi-call': value });
      expect(row?.explanations['ops']?.why).toMatch(why);
      // Without it the same operation gives something else.
      expect(report.operations.find((operation) => operation.id === id)?.values['ops']).not.toBe(
        value,
      );
    },
    120_000,
  );

  it('shows the memory that -mapbs keeps', async () => {
    const machineMap = async (...options: readonly string[]): Promise<string | undefined> => {
      const { out } = await systab(
        ...[
          '--json',
          'compare',
          '--no-barrel-through',
          '--route',
          'ops',
          '--memory-map',
          'machine',
        ],
        ...options,
      );
      const { operations } = JSON.parse(out) as Report;
      return operations.find(({ id }) => id === 'boot.memory-map')?.values['ops'];
    };
    const firstPage = /^EfiReservedMemoryType 0x0+-0x0*1000 /m;
    expect(await machineMap()).not.toMatch(firstPage);
    expect(await machineMap('--hypervisor-options', '-mapbs')).toMatch(firstPage);
  }, 120_000);

  it.each([
    [['--route', 'nobody'], /'nobody' is invalid/],
    [['--firmware', '/nonexistent.fd'], /\/nonexistent\.fd: there is no such file/],
    [['--firmware', 'reference32'], /reference32 is 32-bit firmware/],
    [['--hypervisor', '/nonexistent.efi'], /\/nonexistent\.efi: there is no such file/],
    [
      ['--hypervisor-options', 'efi=norts'],
      /--hypervisor-options: 'efi=norts': 'norts' is none of rs/,
    ],
    [['--hypervisor-options', 'attr=uc'], /'attr=uc' is written efi=attr=uc/],
    [['--hypervisor-options', '-basevideo'], /embedded hypercall core has no switch '-basevideo'/],
  ])('refuses %j', async (args, message) => {
    const { exitCode, err } = await systab('compare', ...args);
    expect(exitCode).toBe(exitCodes.usage);
    expect(err).toMatch(message);
  });

  it('says that a hypervisor is none', async () => {
    const { exitCode, err } = await systab('compare', '--hypervisor', import.meta.filename);
    expect(exitCode).toBe(exitCodes.usage);
    expect(err).toMatch(/compare\.test\.ts: .*expected MZ, the beginning of a PE image/);
  });
});

describe('systab compare on unmodified OVMF and Xen', () => {
  it('explains every difference there, too', async (context) => {
    requireTool(context, 'ovmf');
    requireTool(context, 'xen');
    const { exitCode, out } = await systab(
      ...['--json', 'compare', '--firmware', 'ovmf', '--hypervisor', 'xen'],
    );
    const { counts, stale, barrelThrough } = JSON.parse(out) as Report;
    expect({ unexplained: counts.unexplained, stale, exitCode }).toEqual({
      unexplained: 0,
      stale: [],
      exitCode: exitCodes.ok,
    });
    expect(counts.equal).toBeGreaterThan(50);
    expect(barrelThrough.worst).toBe('domain lost');
  }, 600_000);
});

const SCENARIO: Scenario = {
  name: 'two',
  operations: ['a', 'b'].map((title) => ({
    id: `boot.${title}`,
    topic: 'boot',
    title,
    run: () => ({ value: '' }),
  })),
};

const runOf = (route: RouteName, ...values: readonly string[]): RouteRun => ({
  route,
  origin: '',
  log: [],
  systemTableAt: undefined,
  memoryMap: undefined,
  bootCost: NO_COST,
  callCost: NO_COST,
  platformLines: 0,
  bootEvents: [],
  steps: values.map((value) => ({ observation: { value }, cost: NO_COST, events: [] })),
  overridden: [],
});

const explanation = (operation: string, value: RegExp): Explanation => ({
  operation,
  routes: ['ops'],
  value,
  why: 'because',
  source: 'nowhere',
});

describe('the judgement', () => {
  const runs = [runOf('direct', 'x', 'y'), runOf('ops', 'x', 'z')];

  it('calls a difference without an explanation unexplained', () => {
    expect(compareRuns(SCENARIO, runs, []).counts).toEqual({
      equal: 1,
      explained: 0,
      unexplained: 1,
    });
  });

  it('takes an explanation only for its operation, route and value', () => {
    const good = explanation('boot.b', /^z$/);
    expect(compareRuns(SCENARIO, runs, [good]).counts.explained).toBe(1);
    for (const bad of [
      explanation('boot.a', /^z$/),
      explanation('boot.b', /^q$/),
      { ...good, routes: ['systab' as const] },
    ])
      expect(compareRuns(SCENARIO, runs, [bad]).counts.unexplained).toBe(1);
  });

  it('names explanations of the routes that ran which explain nothing', () => {
    const stale = explanation('boot.a', /^z$/);
    expect(compareRuns(SCENARIO, runs, [stale]).stale).toEqual([stale]);
    const other = { ...stale, routes: ['systab' as const] };
    expect(compareRuns(SCENARIO, runs, [other]).stale).toEqual([]);
  });
});
