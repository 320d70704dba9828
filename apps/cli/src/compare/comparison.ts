/** Runs a scenario on several routes and judges what differs. */
import { overriddenMembers } from '@systab/efi-core';
import type { MemoryMap, PhysAddr } from '@systab/efi-core';
import type { Explanation } from './explanations.ts';
import type { Observation } from './observation.ts';
import type { Operation, Scenario } from './operation.ts';
import { costBetween } from './route.ts';
import type { Cost, Route, RouteEvent, RouteName } from './route.ts';
import { firmwareCode, sampleGetVariable } from './sample.ts';
import type { CodeRanges } from './sample.ts';

/** One operation on one route. */
export interface Step {
  readonly observation: Observation;
  readonly cost: Cost;
  readonly events: readonly RouteEvent[];
}

/** A whole scenario on one route. */
export interface RouteRun {
  readonly route: RouteName;
  readonly origin: string;
  readonly log: readonly string[];
  /** Where the firmware's system table is, or what stands for it. */
  readonly systemTableAt: PhysAddr | undefined;
  /** As initialisation left it. */
  readonly memoryMap: MemoryMap | undefined;
  readonly bootCost: Cost;
  /** Of one GetVariable. */
  readonly callCost: Cost;
  readonly platformLines: number;
  readonly bootEvents: readonly RouteEvent[];
  /** In the order of the scenario. */
  readonly steps: readonly Step[];
  /** Members of the operation tables that it supplies beyond bare metal: `runtime.getTime`. */
  readonly overridden: readonly string[];
}

export type Verdict = 'equal' | 'explained' | 'unexplained';

/** A difference from the first route. */
export interface Difference {
  readonly route: RouteName;
  readonly explanation: Explanation | undefined;
}

/** One line of the comparison. */
export interface ComparisonRow {
  readonly operation: Pick<Operation, 'id' | 'topic' | 'title'>;
  readonly observations: readonly Observation[];
  readonly differences: readonly Difference[];
  readonly verdict: Verdict;
}

export interface Comparison {
  readonly scenario: string;
  readonly runs: readonly RouteRun[];
  readonly rows: readonly ComparisonRow[];
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Explanations of the routes that ran which explain nothing any more. */
  readonly stale: readonly Explanation[];
}

const BARE_METAL = 'baremetal';

/** Runs every operation in order; one that throws is a defect and ends the run. */
const runRoute = (
  route: Route,
  { operations }: Scenario,
  code: CodeRanges | undefined,
): { readonly run: RouteRun; readonly code: CodeRanges } => {
  const booted = route.boot();
  const { system, cost, takeEvents } = booted;
  const firmware = code ?? firmwareCode(system.efi.memoryMap);
  const { memoryMap, systemTableAt } = system.efi;
  const bootCost = cost();
  const bootEvents = takeEvents();
  const callCost = sampleGetVariable(booted, firmware);
  const steps = operations.map((operation): Step => {
    const before = cost();
    const observation = operation.run(system);
    return { observation, cost: costBetween(before, cost()), events: takeEvents() };
  });
  const run: RouteRun = {
    route: route.name,
    origin: route.origin,
    log: system.init.log.map(({ text }) => text),
    systemTableAt,
    memoryMap,
    bootCost,
    callCost,
    platformLines: route.platformLines(),
    bootEvents,
    steps,
    overridden: overriddenMembers(system.platform, BARE_METAL).map(
      ({ table, member }) => `${table}.${member}`,
    ),
  };
  return { run, code: firmware };
};

/** Runs a scenario on each route; the first is bare metal, which knows where the firmware's code is. */
export const runRoutes = (
  routes: readonly Route[],
  scenario: Scenario,
  onRoute: (route: Route) => void = () => undefined,
): readonly RouteRun[] => {
  let code: CodeRanges | undefined;
  return routes.map((route) => {
    onRoute(route);
    const done = runRoute(route, scenario, code);
    code ??= done.code;
    return done.run;
  });
};

const explains = (
  { operation, routes, value }: Explanation,
  id: string,
  route: RouteName,
  observed: string,
): boolean =>
  (typeof operation === 'string' ? operation === id : operation.test(id)) &&
  routes.includes(route) &&
  value.test(observed);

/** Compares runs of one scenario with the first of them. */
export const compareRuns = (
  scenario: Scenario,
  runs: readonly RouteRun[],
  explanations: readonly Explanation[],
): Comparison => {
  const used = new Set<Explanation>();
  const rows = scenario.operations.map(({ id, topic, title }, index): ComparisonRow => {
    const observations = runs.map(({ steps }) => {
      const step = steps[index];
      if (step === undefined) throw new Error(`a run without ${id}`);
      return step.observation;
    });
    const [first] = observations;
    const differences = runs.flatMap(({ route }, column): readonly Difference[] => {
      const observed = observations[column];
      if (observed === undefined || observed.value === first?.value) return [];
      const explanation = explanations.find((one) => explains(one, id, route, observed.value));
      if (explanation !== undefined) used.add(explanation);
      return [{ route, explanation }];
    });
    const verdict =
      differences.length === 0
        ? 'equal'
        : differences.every(({ explanation }) => explanation !== undefined)
          ? 'explained'
          : 'unexplained';
    return { operation: { id, topic, title }, observations, differences, verdict };
  });
  const count = (verdict: Verdict): number => rows.filter((row) => row.verdict === verdict).length;
  const ran = new Set(runs.map(({ route }) => route));
  return {
    scenario: scenario.name,
    runs,
    rows,
    counts: {
      equal: count('equal'),
      explained: count('explained'),
      unexplained: count('unexplained'),
    },
    stale: explanations.filter(
      (one) =>
        one.depends !== true && !used.has(one) && one.routes.every((route) => ran.has(route)),
    ),
  };
};
